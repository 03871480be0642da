"""Beta-binomial fits of counts: known truths come back, intervals cover, published numbers come out."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy.optimize import minimize
from scipy.special import comb
from scipy.stats import betabinom

from scaling import fit_counts
from scaling.errors import FitError, InputError
from scaling.fitting.beta_likelihood import maximum
from scaling.laws import BetaBinomial


def counts(a: float, b: float, problems: int, samples: int = 200, seed: int = 0) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    return pd.DataFrame({"n": samples, "c": rng.binomial(samples, rng.beta(a, b, problems))})


@pytest.mark.parametrize(("a", "b"), [(0.2, 30.0), (0.6, 2.0), (3.0, 5.0)])
def test_the_likelihood_is_scipys_and_its_maximum_the_lowest(a: float, b: float) -> None:
    frame = counts(a, b, 300)
    found = fit_counts(frame, bootstrap=0)

    def negative(theta: np.ndarray) -> float:
        return -float(betabinom.logpmf(frame["c"], 200, *np.exp(theta)).sum())

    other = minimize(negative, np.log([a, b]), method="Nelder-Mead", options={"xatol": 1e-9, "fatol": 1e-10})
    assert negative(np.log(found.law.values())) <= other.fun + 1e-7
    np.testing.assert_allclose(found.law.values(), np.exp(other.x), rtol=1e-4)


def test_a_draw_is_the_fit_of_its_problems() -> None:
    frame = counts(0.3, 10.0, 60)
    found = fit_counts(frame, bootstrap=5, seed=3)
    taken = np.random.default_rng(3).integers(60, size=(5, 60))
    for rows, draw in zip(taken, found.draws, strict=True):
        alone = fit_counts(frame.iloc[rows].reset_index(drop=True), bootstrap=0)
        np.testing.assert_allclose(draw, alone.law.values(), rtol=1e-5)


def test_bca_leaves_out_each_problem_once() -> None:
    frame = counts(0.4, 8.0, 25)
    found = fit_counts(frame, bootstrap=50)
    assert found.intervals.method == "bca, problems"
    assert found.jackknife is not None
    for row, without in enumerate(found.jackknife):
        alone = fit_counts(frame.drop(index=row), bootstrap=0)
        np.testing.assert_allclose(without, alone.law.values(), rtol=1e-5)
    percentiles = fit_counts(frame, bootstrap=50, interval="percentile")
    assert percentiles.jackknife is None
    np.testing.assert_array_equal(percentiles.draws, found.draws)
    low, high = np.quantile(found.draws, [0.025, 0.975], axis=0)
    np.testing.assert_allclose([e.low for e in percentiles.parameters.values()], low)
    np.testing.assert_allclose([e.high for e in percentiles.parameters.values()], high)
    with pytest.raises(InputError, match="interval is 'profile'; give percentile or bca"):
        fit_counts(frame, interval="profile")  # type: ignore[arg-type]


def test_intervals_of_the_samples_needed_hold_the_truth() -> None:
    """120 sets of 150 problems, so that 95 % means 91 to 99."""
    law = BetaBinomial(a=0.4, b=20.0)
    k = 10 ** np.linspace(0, 4, 4001)
    needed = k[np.argmin(np.abs(law.predict(k=k) - 0.5))]
    held = []
    for seed in range(120):
        found = fit_counts(counts(law.a, law.b, 150, seed=seed), bootstrap=200)
        e = found.samples_for(0.5)
        assert e.low is not None
        assert e.high is not None
        held.append(e.low <= needed <= e.high)
    assert np.mean(held) == pytest.approx(0.95, abs=0.04)


def test_pass_at_k_agrees_with_the_estimate_without_a_law() -> None:
    found = fit_counts(counts(0.5, 5.0, 400), bootstrap=200)
    for k in (1, 10, 100):
        told, error = found.unbiased(k)
        assert float(found.law.predict(k=k)) == pytest.approx(told, abs=3 * error)
        guess = found.pass_at(k)
        assert guess.low is not None
        assert guess.low < guess.value < guess.high
    share = np.mean([1 - comb(200 - c, 10) / comb(200, 10) for c in found.c])
    assert found.unbiased(10)[0] == pytest.approx(share, rel=1e-9), "Chen et al. 2021, equation 1"
    assert found.warnings == ()


def test_samples_and_coverage_are_each_others_inverse() -> None:
    found = fit_counts(counts(0.2, 30.0, 200), bootstrap=0)
    for coverage in (0.001, 0.3, 0.9):
        k = found.samples_for(coverage).value
        assert float(found.law.predict(k=k)) == pytest.approx(coverage, rel=1e-9)


def test_unequal_numbers_of_samples_do_not_move_the_answer() -> None:
    """Sampling on where nothing was solved yet, as published counts were made."""
    rng = np.random.default_rng(0)
    rate = rng.beta(0.3, 20.0, 2000)
    few = rng.binomial(100, rate)
    more = np.where(few == 0, 9900, 0)
    frame = pd.DataFrame({"n": 100 + more, "c": few + rng.binomial(more, rate)})
    found = fit_counts(frame, bootstrap=0)
    assert found.law.a == pytest.approx(0.3, rel=0.1)
    assert found.law.b == pytest.approx(20.0, rel=0.2)


def test_problems_that_do_not_differ_are_told() -> None:
    rng = np.random.default_rng(0)
    found = fit_counts(pd.DataFrame({"n": 1000, "c": rng.binomial(1000, 0.3, 40)}), bootstrap=0)
    assert float(found.law.predict(k=1)) == pytest.approx(0.3, abs=0.01)
    same = fit_counts(pd.DataFrame({"n": [10] * 30, "c": [5] * 30}), bootstrap=0)
    for one in (found, same):
        assert "no_spread" in {warned.code for warned in one.warnings}


def test_rates_that_are_no_beta_are_doubted() -> None:
    rng = np.random.default_rng(0)
    rate = rng.normal(np.where(np.arange(400) % 3 == 0, 0.7, 0.2), 0.02)
    found = fit_counts(pd.DataFrame({"n": 500, "c": rng.binomial(500, rate)}), bootstrap=0)
    assert "beta_misfit" in {warned.code for warned in found.warnings}


def test_rows_without_samples_are_named() -> None:
    frame = counts(0.5, 5.0, 30).astype(float)
    frame.loc[3, "c"], frame.loc[4, "n"], frame.loc[4, "c"] = np.nan, 0, 0
    found = fit_counts(frame, bootstrap=0)
    assert found.dropped == ((3, "n or c is missing"), (4, "n is 0"))
    assert len(found.n) + len(found.dropped) == len(frame)


@pytest.mark.parametrize(
    ("frame", "error", "says"),
    [
        (pd.DataFrame({"n": [4, 4]}), InputError, "no column c"),
        (pd.DataFrame({"n": [4, 4], "c": [1, 5]}), InputError, "row 1 has 5 right of 4 samples"),
        (pd.DataFrame({"n": [4, 4], "c": [1, 0.5]}), InputError, "expected whole numbers"),
        (pd.DataFrame({"n": [4, 4], "c": [0, 0]}), FitError, "no sample is right in 2 problems"),
        (pd.DataFrame({"n": [4, 4], "c": [4, 4]}), FitError, "every sample is right"),
        (pd.DataFrame({"n": [1, 1, 1], "c": [0, 1, 1]}), FitError, "one sample each"),
        (pd.DataFrame({"n": [0, 0], "c": [0, 0]}), FitError, "none of the 2 rows has samples"),
    ],
)
def test_what_is_no_count_is_refused(frame: pd.DataFrame, error: type[Exception], says: str) -> None:
    with pytest.raises(error, match=says):
        fit_counts(frame)


def test_many_weightings_at_once_are_each_alone() -> None:
    frame = counts(0.4, 8.0, 50)
    unique = frame.drop_duplicates().to_numpy()
    weights = np.random.default_rng(1).integers(0, 4, (20, len(unique))).astype(float)
    together = maximum(unique, weights)[0]
    for weight, found in zip(weights, together, strict=True):
        np.testing.assert_allclose(maximum(unique, weight[None])[0][0], found, rtol=1e-6)


@pytest.mark.target
@pytest.mark.parametrize(("tokens", "log_k"), [("6B", 3.16), ("20B", 1.80), ("60B", 1.63), ("300B", 1.60)])
def test_published_counts_of_pythia(mirror: Path, tokens: str, log_k: float) -> None:
    """30 % coverage of GSM8K by the 1.4B model, from Schaeffer et al.'s counts."""
    frame = pd.read_csv(mirror / "schaeffer_monkeys" / "gsm8k_counts.csv")
    found = fit_counts(frame[frame["model"] == f"Pythia_1.4B_{tokens}"], bootstrap=100)
    e = found.samples_for(0.3)
    assert np.log10(e.value) == pytest.approx(log_k, abs=0.005)
    assert e.low is not None
    assert e.high is not None
    assert e.low < e.value < e.high


def test_problems_that_are_solved_always_or_never_are_told() -> None:
    found = fit_counts(pd.DataFrame({"n": [50] * 40, "c": [0, 50] * 20}), bootstrap=0)
    assert "all_or_none" in {warned.code for warned in found.warnings}
    with pytest.raises(InputError, match="give a whole number"):
        found.unbiased(1.5)  # type: ignore[arg-type]
