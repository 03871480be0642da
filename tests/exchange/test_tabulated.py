"""Surfaces by knots say what the surfaces say."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scaling.exchange import forms
from scaling.exchange.forms import Additive, Bilinear, Free, MonotoneSpline, Saturating, SingleIndex
from scaling.exchange.links import LOGIT
from scaling.exchange.surface import Surfaces, fit_surfaces
from scaling.exchange.tabulated import tabulated

U, V = (
    np.ravel(x) for x in np.meshgrid(np.linspace(18.0, 21.0, 5), np.linspace(8.0, 10.5, 6), indexing="ij")
)
V_RANGE = (7.0, 11.5)
DRAWS = 3


def surfaces(form: forms.Form, seed: int) -> Surfaces:
    """Surfaces of a form along which training helps in most places."""
    noise = np.random.default_rng(seed)
    centre = (float(U.mean()), float(V.mean()))
    form = form.spanning(U - centre[0], V - centre[1])
    shape = noise.choice(form.shapes(U, V), DRAWS)
    columns = form.basis(np.zeros(1), np.zeros(1), shape[:1]).shape[-1]
    beta = noise.normal(0, 0.4, (DRAWS, columns))
    if isinstance(form, Free):
        beta[:, -3:] = noise.normal([1.0, 0.0, 0.0], [0.2, 0.1, 0.1], (DRAWS, 3))
    else:
        beta[:, 1] = noise.uniform(0.5, 1.5, DRAWS)
    if isinstance(form, Saturating):
        beta[:, 2] = noise.uniform(0.0, 0.2, DRAWS)
    if isinstance(form, Bilinear):
        beta[:, 3] *= 0.3
    ones = np.ones(DRAWS)
    return Surfaces(form, LOGIT, centre, beta, shape, 0.05 * ones, 0.9 * ones, ones, ())


def terms(table, draw: int, v):
    """a, b, d of a draw at raw v, from the table alone."""
    knots, p = np.array(table["knots"]), table["predictors"][draw]
    at = v - table["origin"][1]
    k = np.clip(np.searchsorted(knots, at) - 1, 0, len(knots) - 2)
    part = (at - knots[k]) / (knots[k + 1] - knots[k])
    a, b = (np.array(p[key])[k] * (1 - part) + np.array(p[key])[k + 1] * part for key in ("a", "b"))
    return a, b, p["d"]


@pytest.mark.parametrize(
    ("form", "mesh", "close"),
    [(Free(), 2001, 1e-3), (Additive(), 2, 1e-9), (Bilinear(), 2, 1e-9), (Saturating(), 2001, 1e-3)],
)
@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 2**31), y=st.floats(0.1, 0.85))
def test_predictor_and_isoquant_are_the_surfaces(form, mesh, close, seed, y):
    found = surfaces(form, seed)
    table = tabulated(found, V_RANGE, mesh)
    assert table is not None and len(table["predictors"]) == DRAWS
    noise = np.random.default_rng(seed)
    u, v = noise.uniform(17.5, 21.5, 200), noise.uniform(*V_RANGE, 200)
    x, isoquant = found.predictor(u, v), found.isoquant(y, v)
    g = LOGIT.scale((y - found.floor) / (found.ceiling - found.floor))
    for draw in range(DRAWS):
        a, b, d = terms(table, draw, v)
        from_origin = u - table["origin"][0]
        assert a + b * from_origin + d * from_origin**2 == pytest.approx(x[draw], abs=close, rel=1e-5)
        with np.errstate(invalid="ignore", divide="ignore"):
            slope = np.sqrt(b**2 + 4 * d * (g[draw] - a))
            there = table["origin"][0] + 2 * (g[draw] - a) / (b + slope)
        steep = slope > 0.3  # where training helps, and x = g pins u
        helps = steep & (b + slope > 0.3)
        assert there[helps] == pytest.approx(isoquant[draw][helps], abs=close / 0.3)
        assert np.isnan(isoquant[draw][np.isnan(slope)]).all()


@pytest.mark.parametrize("form", [Free(), Bilinear()])
def test_a_fitted_surface_is_its_table(form):
    score = 0.9 / (1 + np.exp(-(0.8 * (U - 19.5) + 0.5 * np.sqrt(V - 7) + 0.1 * (U - 19.5) * (V - 9))))
    found = fit_surfaces(form, U, V, score[None], np.full(len(U), 100.0), LOGIT)
    table = tabulated(found, V_RANGE)
    a, b, d = terms(table, 0, V)
    x = a + b * (U - table["origin"][0]) + d * (U - table["origin"][0]) ** 2
    assert x == pytest.approx(found.predictor(U, V)[0], abs=1e-3 if form.name == "free" else 1e-9)
    assert table["knots"] == sorted(table["knots"])
    assert (len(table["knots"]) > 6) == (form.name == "free")


def test_other_forms_have_no_table():
    assert tabulated(surfaces(SingleIndex(), 0), V_RANGE) is None
    assert tabulated(surfaces(MonotoneSpline(), 0), V_RANGE) is None
