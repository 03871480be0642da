"""Refits without groups of rows: each is the separate fit, and what is planted is found."""

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scaling.diagnostics import influence
from scaling.errors import InputError
from scaling.fitting import fit
from scaling.laws import Chinchilla, Law, Power

Table = Callable[..., pd.DataFrame]


def test_leaving_a_row_out_is_the_fit_without_it(table: Table, truth: Law) -> None:
    frame = table(truth, noise=0.01, rows=30)
    found = influence(fit(type(truth), frame, loss="mse", bootstrap=0), "row")
    assert len(found.frame) == 30
    for row in (0, 7, 29):
        alone = fit(type(truth), frame.drop(row), loss="mse", bootstrap=0)
        line = found.frame.set_index("group").loc[row]
        for name, estimate in alone.parameters.items():
            assert line[name] == pytest.approx(estimate.value, rel=1e-5)
            assert line[f"{name}_change"] == pytest.approx(line[name] - found.full[name])


def test_a_duplicated_row_stands_in_for_its_copy(table: Table, chinchilla: Chinchilla) -> None:
    frame = table(chinchilla, noise=0.01)
    twice = pd.concat([frame, frame.iloc[[4]]], ignore_index=True)
    lines = influence(fit("chinchilla", twice, bootstrap=0), "row").frame.set_index("group")
    names = list(Chinchilla.parameter_names())
    np.testing.assert_allclose(
        lines.loc[4, names].astype(float), lines.loc[48, names].astype(float), rtol=1e-6
    )
    np.testing.assert_allclose(
        lines.loc[48, names].astype(float), fit("chinchilla", frame, bootstrap=0).law.values(), rtol=1e-6
    )


def test_a_row_on_the_fitted_curve_moves_nothing_under_squares(table: Table, chinchilla: Chinchilla) -> None:
    """A residual of 0 pulls nowhere: with or without it the optimum is the same."""
    frame = table(chinchilla, noise=0.01)
    law = fit("chinchilla", frame, loss="mse", bootstrap=0).law
    N, D = 3e8, 5e9
    more = pd.concat(
        [frame, pd.DataFrame({"N": [N], "D": [D], "loss": [float(law.predict(N=N, D=D))]})], ignore_index=True
    )
    found = influence(fit("chinchilla", more, loss="mse", bootstrap=0), "row")
    assert found.frame["group"].iloc[-1] == 48
    assert found.frame["displacement"].iloc[-1] < 1e-12


@given(seed=st.integers(0, 99), planted=st.integers(0, 39))
@settings(deadline=None, max_examples=15)
def test_a_planted_outlier_is_on_top_in_any_order(table: Table, seed: int, planted: int) -> None:
    frame = table(Power(E=1.7, A=400.0, alpha=0.34), noise=0.002, seed=seed, rows=40)
    frame.loc[planted, "loss"] *= 1.3
    shuffled = frame.sample(frac=1.0, random_state=seed)
    one, two = (influence(fit("power", rows, loss="mse", bootstrap=0)) for rows in (frame, shuffled))
    assert one.top(1) == two.top(1) == [planted]
    np.testing.assert_allclose(one.frame["displacement"], two.frame["displacement"], rtol=1e-4, atol=1e-10)


def test_displacement_is_not_negative(table: Table, truth: Law) -> None:
    found = influence(fit(type(truth), table(truth, noise=0.01), bootstrap=0), "row")
    assert np.all(found.frame["displacement"] >= -1e-9)


def test_budgets_runs_columns_and_sets(budgets: pd.DataFrame) -> None:
    whole = fit("chinchilla", budgets.assign(run_id=np.arange(30) // 3, lab=["a", "b"] * 15), bootstrap=0)
    by_budget = influence(whole, "budget", compute=1e21, at={"N": 1e9, "D": 2e10})
    assert sorted(by_budget.frame["group"]) == pytest.approx(np.geomspace(1e17, 1e20, 6))
    line = by_budget.frame[by_budget.frame["group"] > 9e19].iloc[0]
    below = fit("chinchilla", budgets[budgets["C"] < 9e19], bootstrap=0, compute=1e21)
    assert line["loss_optimal"] == pytest.approx(below.derived["loss_optimal"].value, rel=1e-6)
    assert line["prediction"] == pytest.approx(float(below.law.predict(N=1e9, D=2e10)), rel=1e-6)
    assert line["rows"] == 5
    assert len(influence(whole).frame) == 10, "run_id groups rows"
    assert set(influence(whole, "lab").frame["group"]) == {"a", "b"}
    named = influence(whole, {"first": [0, 1], "cheap": list(range(5))})
    assert set(named.frame["group"]) == {"first", "cheap"}
    sets = named.frame.set_index("group")
    cheapest = by_budget.frame.sort_values("group").iloc[0]
    # refits in other company end within 1e-12 of the objective, which is 1e-6 of a parameter
    assert sets.loc["cheap", "beta"] == pytest.approx(cheapest["beta"], rel=1e-6)


def test_sorting_by_a_quantity(budgets: pd.DataFrame) -> None:
    found = influence(fit("chinchilla", budgets, bootstrap=0), "row", sort="beta")
    changes = found.frame["beta_change"].abs().to_numpy()
    assert np.all(np.diff(changes) <= 0)
    assert found.to_json()["groups"][0]["group"] == found.top(1)[0]


def test_the_set_that_pulls_furthest_is_the_one_that_was_planted(table: Table) -> None:
    frame = table(Power(E=1.7, A=400.0, alpha=0.34), noise=0.002, seed=3, rows=60)
    low = frame["x"].nsmallest(4).index
    frame.loc[low, "loss"] *= 1.05
    whole = fit("power", frame, loss="mse", bootstrap=0)
    single = influence(whole, "row")
    assert set(single.furthest("alpha", 4)) == set(low)
    assert len(single.furthest("alpha", 1000)) < 60, "of one side only"
    rng = np.random.default_rng(0)
    sets = {f"set {k}": rng.choice(60, 4, replace=False).tolist() for k in range(50)}
    together = influence(whole, {**sets, "planted": low.tolist()}, sort="alpha")
    assert together.top(1) == ["planted"]
    with pytest.raises(InputError, match="no quantity 'gamma'"):
        single.furthest("gamma")


def test_groups_that_leave_no_answer_say_so(table: Table, chinchilla: Chinchilla) -> None:
    frame = table(chinchilla, noise=0.01, rows=12).assign(part=[0] * 8 + [1] * 4)
    frame.loc[8:, "N"] = 1e8
    found = influence(fit("chinchilla", frame, bootstrap=0), "part").frame.set_index("group")
    assert found.loc[0, "status"] == "4 rows left for 5 parameters"
    assert np.isnan(found.loc[0, "alpha"])
    assert found.loc[1, "status"] == "ok"
    one_size = frame.assign(part=[0] * 6 + [1] * 6, N=[1e7, 1e8, 1e9] * 2 + [1e8] * 6)
    status = influence(fit("chinchilla", one_size, bootstrap=0), "part").frame.set_index("group")["status"]
    assert status[0] == "one N left"


def test_compute_without_gaps_forms_no_budgets(table: Table, chinchilla: Chinchilla) -> None:
    rng = np.random.default_rng(0)
    N, D = 10 ** rng.uniform(7, 9, 200), 10 ** rng.uniform(9, 11, 200)
    frame = pd.DataFrame({"N": N, "D": D, "C": 6 * N * D, "loss": chinchilla.predict(N=N, D=D)})
    with pytest.raises(InputError, match="forms no budgets"):
        influence(fit("chinchilla", frame, bootstrap=0), "budget")


def test_lists_label_no_rows(budgets: pd.DataFrame) -> None:
    whole = fit("chinchilla", budgets.assign(run_id=[[1]] * len(budgets)), bootstrap=0)
    with pytest.raises(InputError, match="column run_id holds lists or objects, which cannot label rows"):
        influence(whole, "run")


def test_wrong_names_are_refused(budgets: pd.DataFrame) -> None:
    found = fit("chinchilla", budgets, bootstrap=0)
    with pytest.raises(InputError, match="no column is called lab"):
        influence(found, "lab")
    with pytest.raises(InputError, match="row 99 is not among"):
        influence(found, {"x": [99]})
    with pytest.raises(InputError, match="no quantity 'gamma'"):
        influence(found, sort="gamma")
    with pytest.raises(InputError, match="one one"):
        influence(fit("chinchilla", budgets.assign(one=1), bootstrap=0), "one")


@pytest.mark.target
def test_epoch_245_hangs_on_its_five_highest_losses(epoch_245: pd.DataFrame) -> None:
    """Leaving the five highest losses out moves beta from .453 to .367."""
    five = epoch_245["loss"].nlargest(5).index.tolist()
    whole = fit("chinchilla", epoch_245, bootstrap=0)
    single = influence(whole, "row", sort="beta")
    assert set(single.furthest("beta", 5)) == set(five)
    assert single.frame["group"].head(7).isin(five).sum() == 5, "two rows pull the other way"
    rng = np.random.default_rng(0)
    sets = {f"set {k}": rng.choice(245, 5, replace=False).tolist() for k in range(200)}
    for sort in ("displacement", "beta"):
        together = influence(whole, {**sets, "five highest": five}, sort=sort)
        assert together.top(1) == ["five highest"]
    first = together.frame.iloc[0]
    assert together.full["beta"] == pytest.approx(0.4530493, rel=1e-6)
    assert first["beta"] == pytest.approx(0.3671724, rel=1e-6)
    # single effects nearly add up to the joint one
    assert single.frame.loc[single.frame["group"].isin(five), "beta_change"].sum() == pytest.approx(
        first["beta_change"], rel=0.05
    )
