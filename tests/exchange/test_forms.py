"""Every form's isoquant is where its own predictor says it is."""

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from scaling.errors import InputError
from scaling.exchange import forms
from scaling.exchange.forms import Form

OF_ALL = pytest.mark.parametrize("kind", forms.ALL, ids=lambda one: one.name)
SMOOTH = pytest.mark.parametrize("kind", [one for one in forms.ALL if not one().positive(3).any()])
"""Those without pieces, which invert by a formula."""
U, V = (axis.ravel() for axis in np.meshgrid(np.linspace(-1, 1, 5), np.linspace(-1.5, 1.5, 6)))


def spanned(kind: type[Form]) -> Form:
    return kind().spanning(U, V)


def predictor(form: Form, beta: np.ndarray, shape: np.ndarray, u: np.ndarray, v: np.ndarray) -> np.ndarray:
    return np.asarray((form.basis(u, v, shape[:, None]) @ beta[:, :, None])[..., 0])


def random(form: Form, seed: int, draws: int = 3) -> tuple[np.ndarray, np.ndarray, np.random.Generator]:
    rng = np.random.default_rng(seed)
    shapes = form.shapes(U, V)
    shape = rng.choice(shapes, draws)
    columns = form.basis(U, V, shape[:1]).shape[-1]
    beta = rng.normal(size=(draws, columns))
    return np.where(form.positive(columns), np.abs(beta), beta), shape, rng


@OF_ALL
@given(seed=st.integers(0, 10**6))
@settings(max_examples=30, deadline=None)
def test_training_inverts_the_predictor(kind: type[Form], seed: int) -> None:
    form = spanned(kind)
    beta, shape, rng = random(form, seed)
    x = predictor(form, beta, shape, np.zeros((3, 1)), np.zeros((3, 1)))[:, 0] + rng.normal(0, 0.5, 3)
    v = np.linspace(-1.5, 1.5, 7)
    u = form.training(beta, shape, x, v)
    known = np.isfinite(u) & (np.abs(u) < 100)
    back = predictor(form, beta, shape, np.where(known, u, 0.0), np.broadcast_to(v, u.shape))
    np.testing.assert_allclose(back[known], np.broadcast_to(x[:, None], u.shape)[known], atol=1e-6)


@OF_ALL
@given(seed=st.integers(0, 10**6), at=st.floats(-0.9, 0.9))
@settings(max_examples=30, deadline=None)
def test_a_point_where_the_predictor_rises_is_found_again(kind: type[Form], seed: int, at: float) -> None:
    """Wherever along a curved surface: an isoquant is not lost where training helps."""
    form = spanned(kind)
    beta, shape, _ = random(form, seed, draws=1)
    u, v = np.full((1, 1), at), np.full((1, 1), 0.4)
    low, x, high = (predictor(form, beta, shape, u + step, v)[0, 0] for step in (-1e-4, 0.0, 1e-4))
    assume((high - low) / 2e-4 > 0.05)
    found = form.training(beta, shape, np.array([x]), v[0])
    np.testing.assert_allclose(found, u, atol=1e-6)


@SMOOTH
def test_where_more_training_lowers_the_predictor_there_is_no_isoquant(kind: type[Form]) -> None:
    form = spanned(kind)
    shape = form.shapes(U, V)[:1]
    columns = form.basis(U, V, shape).shape[-1]
    beta = np.zeros((1, columns))
    # the column that is u itself
    basis = form.basis(U, V, shape)
    beta[0, next(k for k in range(columns) if np.allclose(basis[:, k], U))] = -0.7
    assert np.isnan(form.training(beta, shape, np.array([0.3]), np.linspace(-1, 1, 5))).all()


@SMOOTH
@given(seed=st.integers(0, 10**6))
@settings(max_examples=15, deadline=None)
def test_at_one_budget_a_form_is_a_quadratic_of_training(kind: type[Form], seed: int) -> None:
    form = spanned(kind)
    beta, shape, _ = random(form, seed)
    v = np.array([-1.0, 0.2, 1.3])
    a, b, d = form.quadratic(beta, shape, v)
    for u in (-2.0, 0.3, 1.7):
        points = np.broadcast_to(v, (3, 3))
        expected = predictor(form, beta, shape, np.full(points.shape, u), points)
        np.testing.assert_allclose(a + b * u + d * u**2, expected, atol=1e-9)


@OF_ALL
def test_a_form_is_found_by_its_name_and_says_its_formula(kind: type[Form]) -> None:
    assert isinstance(forms.find(kind.name), kind)
    assert kind.formula
    assert kind.__doc__


def test_another_form_is_refused() -> None:
    with pytest.raises(InputError, match="surface is 'cubic'; give free, additive, bilinear"):
        forms.find("cubic")
