"""Prediction beyond a cut, and the objective along the floor."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scaling.errors import FitError, InputError
from scaling.fitting import fit, holdout
from scaling.fitting.profile import floor_by_curvature
from scaling.laws import Chinchilla, PNorm

Table = Callable[..., pd.DataFrame]


def test_exact_rows_are_predicted_exactly(table: Table, chinchilla: Chinchilla) -> None:
    rows = table(chinchilla)
    C = 6 * rows["N"] * rows["D"]
    cut = float(C.median())
    found = holdout("chinchilla", rows, cut, bootstrap=0)
    assert len(found.frame) == int(np.sum(np.greater(C, cut)))
    assert len(found.fit.rows.loss) + len(found.frame) == len(rows)
    assert found.rms_error < 1e-9
    assert found.perplexity_ratio == pytest.approx(1.0)


def test_signed_error_shows_the_wrong_form(table: Table) -> None:
    """The additive law misses a p-norm world on one side only when it goes beyond the cut."""
    rows = table(PNorm(E=0.9, A=120.0, B=300.0, alpha=0.28, beta=0.31, p=4.0), rows=100)
    cut = float((6 * rows["N"] * rows["D"]).quantile(0.6))
    additive, p_norm = (holdout(law, rows, cut, bootstrap=10) for law in ("chinchilla", "p_norm"))
    assert p_norm.rms_error < 1e-6
    assert abs(additive.mean_error) > 1e-3
    assert np.all(additive.frame["low"] <= additive.frame["high"])
    expected = additive.frame["predicted"] - additive.frame["loss"]
    np.testing.assert_allclose(additive.errors, expected)


def test_cuts_that_leave_nothing_are_refused(table: Table, chinchilla: Chinchilla) -> None:
    rows = table(chinchilla)
    with pytest.raises(InputError, match="no usable row lies above C"):
        holdout("chinchilla", rows, 1e40)
    with pytest.raises(FitError, match="0 usable rows"):
        holdout("chinchilla", rows, 1.0)


def test_profile_is_lowest_at_the_fit(table: Table, chinchilla: Chinchilla) -> None:
    found = fit("chinchilla", table(chinchilla, noise=0.01), bootstrap=0)
    E = found.parameters["E"].value
    profile = found.profile([0.0, 0.9 * E, E, 1.02 * E])
    assert int(np.argmin(profile.value)) == 2
    assert profile.value[2] == pytest.approx(found.value, rel=1e-9)
    np.testing.assert_allclose(profile.parameters[:, 0], profile.floor, atol=1e-12)
    whole = found.profile()
    low, high = whole.cheap_range()
    step = float(np.min(np.diff(whole.floor)[np.diff(whole.floor) > 1e-9]))
    assert low - step <= E <= high + step
    assert high - low < 0.2 * E
    wider = whole.cheap_range(rise=0.5)
    assert wider[0] <= low < high <= wider[1]


@given(seed=st.integers(0, 10**6), noise=st.floats(1e-4, 0.02), loss=st.sampled_from(["huber", "mse", "lad"]))
@settings(max_examples=10, deadline=None)
def test_curvature_tells_the_range_of_floors_where_rows_are_exact_enough(
    table: Table, chinchilla: Chinchilla, seed: int, noise: float, loss: Any
) -> None:
    """Within the factor that stands between the shortcut and what would matter, wherever the shortcut is taken."""
    found = fit("chinchilla", table(chinchilla, rows=60, noise=noise, seed=seed), loss=loss, bootstrap=0)
    rise = 0.03
    low, high = floor_by_curvature(found.design, found.objective, found.theta[0], rise)
    E, lowest = found.parameters["E"].value, float(found.rows.loss.min())
    assert low < E < high
    if low > 0.7 * E and high - low < 0.125 * lowest:
        floors = np.linspace(max(E - 4 * (E - low), 0.0), min(E + 4 * (high - E), 0.99 * lowest), 201)
        profiled = found.profile(floors).cheap_range(rise)
        assert (profiled[1] - profiled[0]) / (high - low) == pytest.approx(1.0, abs=0.6)


def test_curvature_tells_nothing_where_rows_do_not_tell_parameters_apart(table: Table) -> None:
    rows = table(Chinchilla(E=1.8, A=400.0, B=2000.0, alpha=0.34, beta=0.34))
    rows["D"] = 20 * rows["N"]
    rows["loss"] *= np.exp(np.random.default_rng(0).normal(0, 0.01, len(rows)))
    found = fit("chinchilla", rows, bootstrap=0)
    ends = floor_by_curvature(found.design, found.objective, found.theta[0], 0.03)
    assert ends == (-np.inf, np.inf)


@pytest.mark.parametrize("noise", [0.1, 0.5])
def test_rows_of_little_weight_take_no_floor_away(table: Table, chinchilla: Chinchilla, noise: float) -> None:
    """However much they scatter, the precise rows tell the floor."""
    rows = table(chinchilla, rows=80, noise=1.0)
    sd = np.where(np.arange(len(rows)) % 2, 0.001, noise)
    exact = chinchilla.predict(N=rows["N"], D=rows["D"])
    rows = rows.assign(loss=exact * (rows["loss"] / exact) ** sd, w=1 / sd**2)
    found = fit("chinchilla", rows, loss="mse", weights="w", bootstrap=0)
    assert found.warning("floor_not_identified") is None
    low, high = found.profile().cheap_range()
    assert high - low < 0.1 * found.parameters["E"].value


def test_profile_refuses_floors_above_the_data(table: Table, chinchilla: Chinchilla) -> None:
    rows = table(chinchilla)
    found = fit("chinchilla", rows, bootstrap=0)
    with pytest.raises(InputError, match="below every measured loss"):
        found.profile([rows["loss"].min()])


def test_a_row_without_compute_is_on_neither_side_of_the_cut(table: Table, chinchilla: Chinchilla) -> None:
    rows = table(chinchilla, noise=0.003)
    rows["C"] = 6 * rows["N"] * rows["D"]
    top, low = int(rows["C"].argmax()), int(rows["C"].argmin())
    cut = float(rows["C"].median())
    rows.loc[top, "C"] = np.nan
    rows.loc[low, "C"] = -1.0
    found = holdout("chinchilla", rows, cut, bootstrap=0)
    assert (
        found.fit.rows.excluded
        == ((low, "C is not positive"), (top, "C is missing"))[:: 1 if low < top else -1]
    )
    assert {top, low}.isdisjoint(found.frame.index)
    assert {top, low}.isdisjoint(found.fit.rows.frame.index)
    plain = fit("chinchilla", rows, bootstrap=0, compute=1e25)
    assert len(plain.rows.loss) == len(rows), "the law itself does not ask for C"
    assert "decades beyond" in (plain.warning("extrapolation") or "")
