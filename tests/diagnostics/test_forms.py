"""Several forms side by side: values are the fits' own, the spread holds them all."""

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest

from scaling.diagnostics import form_uncertainty
from scaling.errors import InputError
from scaling.fitting import fit
from scaling.laws import PNorm

Table = Callable[..., pd.DataFrame]


@pytest.fixture(scope="module")
def rows(table: Table) -> pd.DataFrame:
    """Runs of a language whose terms join by a p-norm."""
    return table(PNorm(E=0.9, A=120.0, B=300.0, alpha=0.28, beta=0.31, p=4.0), noise=1e-3, rows=100)


def test_the_form_that_predicts_is_chosen_and_the_spread_holds_all(rows: pd.DataFrame) -> None:
    fits = [fit(law, rows, bootstrap=40) for law in ("chinchilla", "p_norm", "chinchilla_tied")]
    found = form_uncertainty(fits, compute=1e22, at={"N": 1e10, "D": 1e12})
    assert found.chosen == "p_norm"
    assert found.rollout.chosen[0] == "p_norm"
    spread = found.spread.set_index("quantity")
    assert {"N_exponent", "loss_optimal", "prediction", "E"} <= set(spread.index)
    assert "beta" not in spread.index, "the tied law has none"
    for one in fits:
        mine = found.frame[found.frame["form"] == one.law.name].set_index("quantity")
        for name, estimate in one.parameters.items():
            assert mine.loc[name, "value"] == estimate.value
            assert mine.loc[name, "low"] == pytest.approx(estimate.low)
        predicted = one.predict(N=1e10, D=1e12)
        assert mine.loc["prediction", "value"] == pytest.approx(float(predicted.value))
        assert mine.loc["prediction", "high"] == pytest.approx(float(predicted.high))
    between = found.frame.groupby("quantity")["value"]
    for quantity, line in spread.iterrows():
        assert line["form_low"] == between.min()[quantity]
        assert line["form_high"] == between.max()[quantity]
        assert line["form_low"] <= line["value"] <= line["form_high"]
        assert line["whole_low"] <= line["low"] <= line["high"] <= line["whole_high"]
    exponent = spread.loc["N_exponent"]
    assert exponent["form_high"] - exponent["form_low"] > exponent["high"] - exponent["low"], (
        "forms differ most"
    )


def test_without_draws_the_spread_is_all_there_is(rows: pd.DataFrame) -> None:
    found = form_uncertainty([fit(law, rows, bootstrap=0) for law in ("chinchilla", "p_norm")])
    assert found.frame["low"].isna().all()
    spread = found.spread
    np.testing.assert_array_equal(spread["whole_low"], spread["form_low"])
    np.testing.assert_array_equal(spread["whole_high"], spread["form_high"])


def test_forms_must_be_comparable(rows: pd.DataFrame) -> None:
    one = fit("chinchilla", rows, bootstrap=0)
    with pytest.raises(InputError, match="two different laws"):
        form_uncertainty([one])
    with pytest.raises(InputError, match="two different laws"):
        form_uncertainty([one, one])
    with pytest.raises(InputError, match="other rows"):
        form_uncertainty([one, fit("p_norm", rows.iloc[1:], bootstrap=0)])
    with pytest.raises(InputError, match="other rows or by another objective"):
        form_uncertainty([one, fit("chinchilla_tied", rows, loss="mse", bootstrap=0)])
    with pytest.raises(InputError, match="parameters that are fixed"):
        form_uncertainty([one, fit("chinchilla_tied", rows, bootstrap=0, fix={"E": 0.9})])
    heavy = rows.assign(heavy=2.0)
    weighted = [fit(law, heavy, bootstrap=0, weights="heavy") for law in ("chinchilla", "chinchilla_tied")]
    found, plain = (
        form_uncertainty(fits).rollout
        for fits in (weighted, [one, fit("chinchilla_tied", rows, bootstrap=0)])
    )
    np.testing.assert_allclose(found.frame["bias"], plain.frame["bias"], rtol=1e-6)
    with pytest.raises(InputError, match="other rows"):
        form_uncertainty([one, weighted[1]])
