"""Predictions beyond cuts: what the scorecard says is what separate fits say, and ties are called ties."""

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest

from scaling.diagnostics import rollout
from scaling.errors import FitError, InputError
from scaling.fitting import Objective, holdout
from scaling.laws import Chinchilla, PNorm

Table = Callable[..., pd.DataFrame]


def test_every_line_is_a_holdout(budgets: pd.DataFrame) -> None:
    card = rollout(budgets, laws=["chinchilla", "chinchilla_tied"], losses=["huber", "mse"], draws=50)
    assert len(card.frame) == len(card.frame["cut_C"].unique()) * 4
    for line in card.frame.sample(4, random_state=0).itertuples():
        alone = holdout(line.law, budgets, line.cut_C, loss=line.loss, bootstrap=0)
        assert (line.below, line.above) == (len(alone.fit.rows.loss), len(alone.frame))
        assert line.below + line.above == len(budgets)
        assert line.bias == alone.mean_error
        assert line.rms == alone.rms_error
        assert line.perplexity_ratio == alone.perplexity_ratio
        mine = card.errors.query("cut_C == @line.cut_C and law == @line.law and loss == @line.loss")
        np.testing.assert_array_equal(mine["row"], alone.frame.index)
        np.testing.assert_array_equal(mine["error"], alone.frame["error"])


def test_cuts_are_the_budgets_with_rows_enough_below(budgets: pd.DataFrame) -> None:
    card = rollout(budgets, laws=["chinchilla"], losses=["mse"], draws=20)
    assert card.frame["below"].tolist() == [15, 20, 25], "3 rows a parameter, and a budget above"
    continuum = budgets.assign(C=np.geomspace(1e17, 1e20, 30))
    assert len(rollout(continuum, laws=["chinchilla"], losses=["mse"], draws=20).cuts) == 4


def test_the_true_form_is_chosen_and_told_apart(table: Table) -> None:
    rows = table(PNorm(E=0.9, A=120.0, B=300.0, alpha=0.28, beta=0.31, p=4.0), noise=1e-4, rows=100)
    card = rollout(rows, losses=["mse"])
    assert card.chosen == ("p_norm", "mse")
    assert card.tied == (("p_norm", "mse"),)
    other = card.ranking.iloc[1]
    assert other["low"] > 0
    assert other["difference"] == pytest.approx(other["score"] - card.ranking["score"][0])


def test_one_method_under_two_names_ties_at_a_difference_of_zero(budgets: pd.DataFrame) -> None:
    card = rollout(budgets, laws=["chinchilla"], losses=["huber", Objective()], draws=100)
    assert len(card.tied) == 2
    assert np.all(card.ranking[["difference", "low", "high"]] == 0)
    assert "huber 0.001 log" in set(card.ranking["loss"])


def test_score_weighs_every_cut_alike(budgets: pd.DataFrame) -> None:
    card = rollout(budgets, laws=["chinchilla"], losses=["huber"], draws=20)
    assert card.ranking["score"][0] == pytest.approx(np.sqrt(np.mean(card.frame["log_rms"] ** 2)))
    assert card.ranking["worst"][0] == card.frame["log_rms"].max()


def test_rows_of_a_run_are_drawn_together(budgets: pd.DataFrame) -> None:
    """Every row twice changes no score; drawn by run the interval stays, drawn by row it would shrink."""
    options = {"laws": ["chinchilla", "chinchilla_tied"], "losses": ["mse"], "draws": 400}
    once = rollout(budgets, **options)
    twice = pd.concat([budgets, budgets]).assign(run=[*range(30), *range(30)]).reset_index(drop=True)
    together = rollout(twice, cluster="run", **options)
    assert together.unit == "run"
    cuts = dict.fromkeys(together.frame["cut_C"])
    again = rollout(budgets, cuts=list(cuts), **options)
    np.testing.assert_allclose(together.ranking["score"], again.ranking["score"], rtol=1e-6)
    np.testing.assert_allclose(
        together.ranking[["low", "high"]], again.ranking[["low", "high"]], rtol=1e-4, atol=1e-12
    )
    apart = rollout(twice, **options).ranking.iloc[1]
    wide = together.ranking.iloc[1]
    assert apart["high"] - apart["low"] < 0.9 * (wide["high"] - wide["low"])
    assert once.unit == "row"


def test_a_handful_of_rows_tells_nothing_apart(table: Table) -> None:
    rows = table(PNorm(E=0.9, A=120.0, B=300.0, alpha=0.28, beta=0.31, p=4.0), rows=100)
    C = np.sort(6 * rows["N"] * rows["D"])
    few, more = (rollout(rows, losses=["mse"], cuts=[float(C[k])]) for k in (-6, -7))
    assert few.frame["above"].tolist() == [5, 5]
    assert len(few.tied) == 2, "though one form is exact and the other is not"
    assert few.ranking[["low", "high"]].isna().all(axis=None)
    assert few.chosen == ("p_norm", "mse")
    assert len(more.tied) == 1


def test_laws_without_a_fit_are_listed_and_not_ranked(budgets: pd.DataFrame) -> None:
    cut = float(budgets["C"][4])  # five rows below: enough for four parameters and five, not for six
    card = rollout(budgets, laws=["chinchilla_tied", "p_norm"], losses=["mse"], cuts=[cut], draws=20)
    status = card.frame.set_index("law")["status"]
    assert status["chinchilla_tied"] == "ok"
    assert "5 usable rows" in status["p_norm"]
    assert card.ranking["law"].tolist() == ["chinchilla_tied"]
    with pytest.raises(FitError, match="nothing could be fitted"):
        rollout(budgets, laws=["p_norm"], losses=["mse"], cuts=[cut])


def test_wrong_calls_are_refused(budgets: pd.DataFrame, table: Table, chinchilla: Chinchilla) -> None:
    with pytest.raises(InputError, match="laws of one column"):
        rollout(budgets, laws=["chinchilla", "sigmoid"])
    with pytest.raises(InputError, match="at least one law"):
        rollout(budgets, laws=[])
    with pytest.raises(InputError, match="no cut leaves 15 of the 12 rows"):
        rollout(table(chinchilla, rows=12), laws=["chinchilla"])
    with pytest.raises(InputError, match="no column is called run"):
        rollout(budgets, laws=["chinchilla"], cluster="run")


def test_json_has_no_number_that_is_not_finite(budgets: pd.DataFrame) -> None:
    import json

    card = rollout(
        budgets, laws=["chinchilla_tied", "p_norm"], losses=["mse"], cuts=[float(budgets["C"][4])], draws=9
    )
    text = json.dumps(card.to_json(), allow_nan=False)
    assert json.loads(text)["chosen"] == {"law": "chinchilla_tied", "loss": "mse"}


def test_a_few_runs_apart_from_the_rest_are_no_budgets(chinchilla: Chinchilla) -> None:
    N = np.append(np.geomspace(1e8, 1e10, 120), [1e6, 3e6])
    D = np.append(np.tile([2e9, 2.5e9, 3e9], 40), [1e8, 1e8])
    rows = pd.DataFrame({"N": N, "D": D, "loss": chinchilla.predict(N=N, D=D)})
    card = rollout(rows, ["chinchilla"], ["huber"])
    assert len(card.cuts) == 5
    assert card.frame["below"].min() >= 15
