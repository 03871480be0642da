"""Verdicts follow the doubts of the fits behind them: ignorance earns no support, and a doubt names its form."""

import dataclasses

import numpy as np
import pandas as pd
import pytest

from scaling.fitting import Fit, Warned, fit, holdout
from scaling.laws import Chinchilla
from scaling.sections import extrapolation, law

TRUTH = Chinchilla(E=1.0, A=40.0, B=300.0, alpha=0.4, beta=0.35)


def table(rows: int, noise: float, seed: int = 0) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    N, D = (
        np.exp(rng.uniform(np.log(1e4), np.log(1e6), rows)),
        np.exp(rng.uniform(np.log(1e6), np.log(1e8), rows)),
    )
    loss = TRUTH.predict(N=N, D=D) * np.exp(noise * rng.standard_normal(rows))
    return pd.DataFrame({"N": N, "D": D, "loss": loss})


def test_a_hold_out_from_too_few_rows_is_no_support() -> None:
    rows = table(12, 0.03)
    held = holdout("chinchilla", rows, float((6 * rows["N"] * rows["D"]).quantile(0.75)), bootstrap=100)
    verdict = extrapolation._verdict("additive", held)
    assert verdict.status == "not identified"
    assert "No test of the law: 9 rows for 5 parameters" in verdict.text


def test_a_hold_out_from_many_rows_supports_the_true_law() -> None:
    rows = table(120, 0.002)
    held = holdout("chinchilla", rows, float((6 * rows["N"] * rows["D"]).quantile(0.9)), bootstrap=100)
    assert extrapolation._verdict("additive", held).status == "supported"


@pytest.fixture(scope="module")
def forms() -> dict[str, Fit]:
    rows = table(60, 0.002)
    return {"additive": fit("chinchilla", rows, bootstrap=60), "p-norm": fit("p_norm", rows, bootstrap=60)}


def test_a_doubt_of_the_second_form_counts_and_is_named(forms: dict[str, Fit]) -> None:
    assert law._exponents(forms).status == "measured"
    lost = Warned("draws_not_converged", "20 of 60 draws did not converge")
    doubted = forms | {"p-norm": dataclasses.replace(forms["p-norm"], warnings=(lost,))}
    verdict = law._exponents(doubted)
    assert verdict.status == "not identified"
    assert "p-norm: 20 of 60 draws did not converge" in verdict.text


def test_a_floor_that_one_form_doubts_is_not_identified(forms: dict[str, Fit]) -> None:
    vague = Warned("floor_not_identified", "the rows do not identify the floor E")
    doubted = forms | {"p-norm": dataclasses.replace(forms["p-norm"], warnings=(vague,))}
    verdict = law._floor(doubted)
    assert verdict.status == "not identified"
    assert "p-norm: the rows do not identify the floor E" in verdict.text
    assert "additive: " not in verdict.text
