"""Surfaces without noise give their isoquants and rates; draws are fitted as one table each would be."""

from collections.abc import Callable

import numpy as np
import pytest

from scaling.errors import FitError
from scaling.exchange import forms
from scaling.exchange.forms import Additive, Bilinear, Free, Saturating
from scaling.exchange.links import CLOGLOG, LINEAR, LOGIT, Link
from scaling.exchange.surface import fit_surfaces

U, V = (axis.ravel() for axis in np.meshgrid(np.linspace(18, 20, 5), np.linspace(9, 12, 5), indexing="ij"))
WEIGHT = np.full(U.shape, 200.0)
WHOLE = np.linspace(10, 11, 5)


def additive(u: np.ndarray, v: np.ndarray) -> np.ndarray:
    return -0.3 + 1.1 * (u - 19) + 0.6 * (v - 10.5)


def bilinear(u: np.ndarray, v: np.ndarray) -> np.ndarray:
    return additive(u, v) + 0.2 * (u - 19) * (v - 10.5)


def saturating(shape: float) -> Callable[[np.ndarray, np.ndarray], np.ndarray]:
    return lambda u, v: 0.4 + (u - 19) - 10 ** (-(v - 10.5) / shape)


LINKS = pytest.mark.parametrize("link", [LOGIT, CLOGLOG, LINEAR], ids=lambda one: one.name)


def fitted_line(x: Callable[[np.ndarray, np.ndarray], np.ndarray], y: float, v: np.ndarray) -> np.ndarray:
    """U at which a rising predictor is y, by bisection."""
    low, high = np.full(v.shape, 10.0), np.full(v.shape, 30.0)
    for _ in range(100):
        middle = 0.5 * (low + high)
        under = x(middle, v) < y
        low, high = np.where(under, middle, low), np.where(under, high, middle)
    return low


@LINKS
@pytest.mark.parametrize("kind", [Additive, Bilinear, Free], ids=lambda one: one.name)
def test_an_additive_truth_without_noise(kind: type[forms.Form], link: Link) -> None:
    found = fit_surfaces(kind(), U, V, link.share(additive(U, V))[None], WEIGHT, link)
    y = float(link.share(np.array(-0.3)))
    np.testing.assert_allclose(found.isoquant(y, WHOLE)[0], 19 - 0.6 / 1.1 * (WHOLE - 10.5), atol=1e-6)
    np.testing.assert_allclose(found.rate(y, 10, 11), 0.6 / 1.1, atol=1e-6)
    np.testing.assert_allclose(found.score(U, V)[0], link.share(additive(U, V)), atol=1e-6)


@LINKS
def test_a_bilinear_truth_without_noise(link: Link) -> None:
    found = fit_surfaces(Bilinear(), U, V, link.share(bilinear(U, V))[None], WEIGHT, link)
    expected = fitted_line(bilinear, -0.1, WHOLE)
    y = float(link.share(np.array(-0.1)))
    np.testing.assert_allclose(found.isoquant(y, WHOLE)[0], expected, atol=1e-6)
    np.testing.assert_allclose(found.rate(y, 10, 11), expected[0] - expected[-1], atol=1e-6)


@LINKS
def test_a_saturating_truth_without_noise(link: Link) -> None:
    """With a shape among the candidates."""
    shape = float(Saturating().shapes(U, V)[4])
    truth = saturating(shape)
    found = fit_surfaces(Saturating(), U, V, link.share(truth(U, V))[None], WEIGHT, link)
    assert found.shape[0] == pytest.approx(shape)
    y = float(link.share(np.array(-0.3)))
    np.testing.assert_allclose(found.isoquant(y, WHOLE)[0], fitted_line(truth, -0.3, WHOLE), atol=1e-5)


@pytest.mark.parametrize("ceiling", [0.6, 0.8])
def test_the_ceiling_is_found_where_scores_saturate(ceiling: float) -> None:
    """Between candidates, which are parts of the way to the highest score."""
    shares = ceiling / (1 + np.exp(-(1.5 + 2.5 * (U - 19) + 1.5 * (V - 10.5))))
    found = fit_surfaces(Additive(), U, V, shares[None], WEIGHT, LOGIT)
    assert shares.max() <= found.ceiling[0] < ceiling + 0.1 * (1 - ceiling)
    assert np.isnan(found.isoquant(ceiling + 0.11 * (1 - ceiling), WHOLE)).all()
    np.testing.assert_allclose(found.rate(0.5 * ceiling, 10, 11), 0.6, atol=0.02)


def test_no_ceiling_is_found_where_scores_do_not_flatten() -> None:
    found = fit_surfaces(Additive(), U, V, LOGIT.share(additive(U, V))[None], WEIGHT, LOGIT)
    assert found.ceiling[0] == 1.0
    assert found.floor[0] == 0.0


def test_a_floor_is_found_where_it_is_asked_for() -> None:
    x = 3 * (U - 19) + 2 * (V - 10.5)
    shares = 0.25 + 0.75 / (1 + np.exp(-x))
    found = fit_surfaces(Additive(), U, V, shares[None], WEIGHT, LOGIT, floor=None, ceiling=1.0)
    assert 0.2 < found.floor[0] <= shares.min()
    given = fit_surfaces(Additive(), U, V, shares[None], WEIGHT, LOGIT, floor=0.25, ceiling=1.0)
    np.testing.assert_allclose(given.rate(0.6, 10, 11), 2 / 3, atol=1e-6)


@LINKS
@pytest.mark.parametrize("kind", forms.ALL, ids=lambda one: one.name)
def test_draws_together_are_draws_one_by_one(kind: type[forms.Form], link: Link) -> None:
    rng = np.random.default_rng(0)
    shares = link.share(bilinear(U, V) + rng.normal(0, 0.2, (5, len(U))))
    first = fit_surfaces(kind(), U, V, shares[:1], WEIGHT, link)
    again = fit_surfaces(kind(), U, V, shares, WEIGHT, link, candidates=first.candidates)
    for k in range(5):
        one = fit_surfaces(kind(), U, V, shares[k : k + 1], WEIGHT, link, candidates=first.candidates)
        np.testing.assert_allclose(one.beta[0], again.beta[k], rtol=1e-9, atol=1e-9)
        np.testing.assert_allclose(one.deviance[0], again.deviance[k], rtol=1e-9)
        assert (one.shape[0], one.ceiling[0]) == (again.shape[k], again.ceiling[k])
    np.testing.assert_allclose(again.deviance[0], first.deviance[0], rtol=1e-6)


@LINKS
def test_a_cell_that_is_missing_in_a_draw_is_left_out_of_it(link: Link) -> None:
    shares = np.repeat(link.share(bilinear(U, V))[None], 2, axis=0)
    rng = np.random.default_rng(1)
    shares += rng.normal(0, 0.01, shares.shape)
    first = fit_surfaces(Bilinear(), U, V, shares[:1], WEIGHT, link, ceiling=1.0)
    shares[1, 3] = np.nan
    again = fit_surfaces(Bilinear(), U, V, shares, WEIGHT, link, candidates=first.candidates)
    stay = np.arange(len(U)) != 3
    other = fit_surfaces(Bilinear(), U[stay], V[stay], shares[1:, stay], WEIGHT[stay], link, ceiling=1.0)
    np.testing.assert_allclose(again.score(U, V)[1], other.score(U, V)[0], atol=1e-7)


def test_scores_all_0_or_all_1_keep_a_finite_surface() -> None:
    for share in (0.0, 1.0):
        found = fit_surfaces(Free(), U, V, np.full((1, len(U)), share), WEIGHT, LOGIT)
        assert np.isfinite(found.beta).all()
        np.testing.assert_allclose(found.score(U, V), share, atol=1e-3)


def test_fewer_cells_than_coefficients_are_refused() -> None:
    with pytest.raises(FitError, match="3 cells are too few for a bilinear surface, which has 4"):
        fit_surfaces(Bilinear(), U[:3], V[:3], np.full((1, 3), 0.5), WEIGHT[:3], LOGIT)


@pytest.mark.parametrize("shift", [(0.0, 0.0), (6.0, -3.0), (-21.0, -12.0)])
def test_units_of_either_compute_move_no_rate(shift: tuple[float, float]) -> None:
    """Up to 1e26 FLOPs, and down to relative compute of 1e-3."""
    for kind in forms.ALL:
        rates = [
            fit_surfaces(kind(), U + du, V + dv, LOGIT.share(bilinear(U, V))[None], WEIGHT, LOGIT).rate(
                0.45, 10 + dv, 11 + dv
            )[0]
            for du, dv in ((0.0, 0.0), shift)
        ]
        assert rates[1] == pytest.approx(rates[0], abs=1e-6), kind.name
