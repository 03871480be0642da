"""IsoFLOP curves: optimum, refusal at the edges, the power law through optima."""

import numpy as np
import pytest

from scaling.laws import IsoflopCurve, OptimalSize


def curve(vertex: float, curvature: float = 0.02) -> IsoflopCurve:
    """A curve about N = 1e6 whose lowest point is at `vertex` e-folds from it and has log loss 1."""
    return IsoflopCurve(
        C=6e12,
        centre=1e6,
        level=1.0 + curvature * vertex**2,
        slope=-2 * curvature * vertex,
        curvature=curvature,
        N_low=2.5e5,
        N_high=4e6,
    )


def test_interior_optimum() -> None:
    parabola = curve(0.5)
    assert parabola.status == "interior"
    assert parabola.N_optimal == pytest.approx(1e6 * np.exp(0.5))
    assert parabola.D_optimal == pytest.approx(1e12 / (1e6 * np.exp(0.5)))
    assert parabola.loss_optimal == pytest.approx(np.e)
    nearby = parabola.predict(N=np.array([0.9, 1.1]) * parabola.N_optimal)
    assert np.all(nearby > parabola.loss_optimal)


@pytest.mark.parametrize(
    ("vertex", "curvature", "status"), [(1.6, 0.02, "edge"), (-1.6, 0.02, "edge"), (0.5, -0.02, "flat")]
)
def test_no_optimum_is_given_where_none_was_measured(vertex: float, curvature: float, status: str) -> None:
    parabola = curve(vertex, curvature)
    assert parabola.status == status
    assert parabola.N_optimal is None
    assert parabola.D_optimal is None
    assert parabola.loss_optimal is None


def test_optimal_size() -> None:
    law = OptimalSize(k=0.1, a=0.5)
    np.testing.assert_allclose(law.N_optimal([1e12, 1e14]), [1e5, 1e6])
    np.testing.assert_allclose(6 * law.N_optimal(1e14) * law.D_optimal(1e14), 1e14)
    assert (law.N_exponent, law.D_exponent) == (0.5, 0.5)
