"""The best values of sweeps: recovered inside, refused at an edge, with the account of every sweep."""

import numpy as np
import pandas as pd
import pytest

from scaling.errors import FitError, InputError
from scaling.fitting import fit, sweep_optima


def sweep(N: float = 1e9, D: float = 1e10, lr: float = 1e-3, batch: float = 2.0**19) -> pd.DataFrame:
    """A grid whose log loss is a tilted paraboloid about one optimum."""
    rates, batches = np.meshgrid(1e-3 * 2.0 ** np.arange(-3, 4, 0.5), 2.0 ** np.arange(16, 23))
    x, y = np.log(rates / lr), np.log(batches / batch)
    loss = 2.5 * np.exp(0.004 * x**2 - 0.003 * x * y + 0.002 * y**2)
    table = pd.DataFrame({"lr": rates.ravel(), "batch_tokens": batches.ravel(), "loss": loss.ravel()})
    return table.assign(N=N, D=D)


def test_a_paraboloid_is_recovered_between_the_runs() -> None:
    found = sweep_optima(sweep(lr=1.1e-3, batch=3e5))
    assert found.frame["lr"].item() == pytest.approx(1.1e-3, rel=1e-9)
    assert found.frame["batch_tokens"].item() == pytest.approx(3e5, rel=1e-9)
    assert (found.frame["runs"].item(), found.frame["spread"].item() < 1e-12) == (98, True)
    assert found.excluded == ()


def test_the_run_of_lowest_loss_is_one_of_the_runs() -> None:
    found = sweep_optima(sweep(), within=None).frame
    assert (found["lr"].item(), found["batch_tokens"].item()) == pytest.approx((1e-3, 2.0**19))


def test_optima_at_an_edge_are_refused_with_the_reason() -> None:
    table = pd.concat([sweep(), sweep(D=2e10, lr=1.0), sweep(D=3e10, batch=1e3)])
    found = sweep_optima(table)
    assert found.frame["D"].tolist() == [1e10]
    assert found.excluded == (
        ("N = 1e+09, D = 2e+10", "the lowest loss has the largest lr of the sweep"),
        ("N = 1e+09, D = 3e+10", "the lowest loss has the smallest batch_tokens of the sweep"),
    )
    with pytest.raises(FitError, match="no sweep has an optimum, the first because the lowest loss has"):
        sweep_optima(table[table["D"] > 1e10])


def test_too_few_runs_near_the_optimum_and_missing_columns_are_named() -> None:
    with pytest.raises(FitError, match=r"runs within 0\.001 % of the lowest loss fix no paraboloid"):
        sweep_optima(sweep(), within=1e-5)
    with pytest.raises(
        InputError, match="no column is called lr; a sweep needs N, D, lr, batch_tokens, loss"
    ):
        sweep_optima(sweep().drop(columns="lr"))


def test_rows_that_enter_no_sweep_are_named() -> None:
    table = sweep(lr=1.1e-3, batch=3e5).reset_index(drop=True).assign(status="finished")
    table.loc[3, "loss"], table.loc[5, "status"], table.loc[6, "lr"] = np.nan, "crashed", -1.0
    found = sweep_optima(table)
    assert found.dropped == (
        (3, "loss is missing or not positive"),
        (5, "status is crashed"),
        (6, "lr is missing or not positive"),
    )
    assert found.frame["runs"].sum() + len(found.dropped) == len(table)
    with pytest.raises(InputError, match="give a knob or more and a positive share"):
        sweep_optima(table, within=-1.0)


@pytest.mark.parametrize(("law", "places"), [("learning_rate", "N and D"), ("batch_size", "N and D")])
def test_a_sweep_in_place_of_its_best_values_is_doubted(law: str, places: str) -> None:
    pairs = [(N, D) for N in (1e8, 1e9, 1e10) for D in (1e9, 1e10, 1e11)]
    raw = pd.concat([sweep(N, D, 1e-3 * (D / N) ** 0.1, 2.0**19) for N, D in pairs], ignore_index=True)
    doubted = fit(law, raw, loss="mse", bootstrap=0)
    said = doubted.warning("not_best_values") or ""
    assert said.startswith(f"9 of 9 values of {places} have several {doubted.law.target}")
    assert "scaling.sweep_optima" in said
    assert doubted.status == "doubtful"
    best = fit(law, sweep_optima(raw).frame, loss="mse", bootstrap=0)
    for found in (doubted, best):
        assert found.warning("repeated_rows") is None
    assert best.warning("not_best_values") is None
