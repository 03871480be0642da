"""Conventions: each is a fit of its own, and the exponent follows the compute that is counted."""

import numpy as np
import pandas as pd
import pytest
from scipy.optimize import minimize_scalar

from scaling.diagnostics import conventions
from scaling.errors import InputError
from scaling.fitting import fit
from scaling.laws import Chinchilla


@pytest.fixture
def runs(budgets: pd.DataFrame) -> pd.DataFrame:
    """Runs with two counts of parameters and two of compute."""
    total = budgets["N"] + 300 * budgets["N"] ** 0.66
    exact = 6 * budgets["N"] * budgets["D"] * (1 + 40 * budgets["N"] ** -0.25)
    return pd.DataFrame(
        {"body": budgets["N"], "total": total, "flops": exact, "D": budgets["D"], "loss": budgets["loss"]}
    )


def test_each_is_the_separate_fit(runs: pd.DataFrame) -> None:
    found = conventions(
        "chinchilla", runs, N={"non_embedding": "body", "total": "total"}, C={"exact": "flops"}, bootstrap=30
    )
    assert set(found.fits) == {(n, c) for n in ("non_embedding", "total") for c in ("exact", "6nd")}
    for (params, flops), mine in found.fits.items():
        N = runs["body" if params == "non_embedding" else "total"]
        C = runs["flops"] if flops == "exact" else 6 * N * runs["D"]
        alone = fit("chinchilla", runs.assign(N=N, C=C), bootstrap=30)
        assert mine.parameters == alone.parameters
        assert mine.derived == alone.derived
        assert mine.convention == {"params": params, "flops": flops}
        np.testing.assert_array_equal(mine.rows.C, alone.rows.C)
    table = found.frame.query("params == 'total' and flops == '6nd'").set_index("quantity")
    assert table.loc["N_exponent_counted", "value"] == pytest.approx(table.loc["N_exponent", "value"])
    low, high = found.span("alpha")
    values = [mine.parameters["alpha"].value for mine in found.fits.values()]
    assert (low, high) == (min(values), max(values))


def test_missing_tokens_follow_from_each_count_of_compute(runs: pd.DataFrame) -> None:
    found = conventions(
        "chinchilla", runs.drop(columns="D"), N={"body": "body"}, C={"exact": "flops"}, bootstrap=0
    )
    assert list(found.fits) == [("body", "exact")], "without tokens 6 N D is no count of its own"
    only = found.fits["body", "exact"]
    np.testing.assert_allclose(only.rows.inputs["D"], runs["flops"] / (6 * runs["body"]))


@pytest.mark.parametrize(("by_N", "by_D"), [(1.0, 1.0), (0.8, 1.0), (1.1, 0.9)])
def test_counted_exponent_is_that_of_the_least_loss(
    budgets: pd.DataFrame, chinchilla: Chinchilla, by_N: float, by_D: float
) -> None:
    rows = budgets.assign(loss=chinchilla.predict(N=budgets["N"], D=budgets["D"]))
    rows["flops"] = 20 * rows["N"] ** by_N * rows["D"] ** by_D
    found = conventions("chinchilla", rows, N={"N": "N"}, C={"counted": "flops"}, bootstrap=0)
    line = found.compute.query("flops == 'counted'").iloc[0]
    assert (line["by_N"], line["by_D"]) == (pytest.approx(by_N), pytest.approx(by_D))

    def best(C: float) -> float:
        """log N of the least loss at a counted compute, by search."""

        def loss(log_N: float) -> float:
            log_D = (np.log(C / 20) - by_N * log_N) / by_D
            return float(chinchilla.predict(N=np.exp(log_N), D=np.exp(log_D)))

        return float(minimize_scalar(loss, bounds=(5, 40), method="bounded", options={"xatol": 1e-10}).x)

    slope = (best(1e20) - best(1e18)) / np.log(100)
    counted = found.frame.query("flops == 'counted'").set_index("quantity")["value"]
    assert counted["N_exponent_counted"] == pytest.approx(slope, abs=1e-4)
    assert by_N * counted["N_exponent_counted"] + by_D * counted["D_exponent_counted"] == pytest.approx(1.0)


def test_one_input_takes_the_convention_too(runs: pd.DataFrame) -> None:
    found = conventions("power", runs, N={"body": "body", "total": "total"}, x="N", bootstrap=0)
    np.testing.assert_array_equal(found.fits["total", "6nd"].rows.inputs["x"], runs["total"])
    assert found.compute["by_N"].isna().all()


def test_wrong_columns_are_refused(runs: pd.DataFrame) -> None:
    with pytest.raises(InputError, match="no convention for N"):
        conventions("chinchilla", runs)
    with pytest.raises(InputError, match="no column is called size"):
        conventions("chinchilla", runs, N={"total": "size"})
    with pytest.raises(InputError, match="no quantity 'gamma'"):
        conventions("chinchilla", runs, N={"total": "total"}, bootstrap=0).span("gamma")
