"""Rates from published counts and marks: what must come out of them, and how the estimators behave."""

import json
import os
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from scaling.errors import InputError
from scaling.exchange.coverage import extrapolate_coverage
from scaling.exchange.coverage_rates import coverage_rates
from scaling.exchange.substitution import share_right, substitution
from scaling.records.tables import no_records
from scaling.reporting.document import write
from scaling.samples import adaptive
from scaling.sections.known_rates import ROWS
from scaling.study import Analysis, document
from scaling.study_files import find

SETS = ("monkeys_gsm8k", "cobbe_gsm8k")


def made(scales: list[float], problems: int = 128, samples: int = 400) -> pd.DataFrame:
    """Checkpoints a decade apart whose rates are beta distributed with such b."""
    rng = np.random.default_rng(0)
    hard = rng.uniform(size=problems)
    from scipy.stats import beta

    return pd.concat(
        pd.DataFrame(
            {
                "train_flops": 10.0 ** (20 + at),
                "problem": range(problems),
                "n": samples,
                "c": rng.binomial(samples, beta.ppf(hard, 0.4, b)),
            }
        )
        for at, b in enumerate(scales)
    )


def test_a_decade_of_training_that_saves_a_decade_of_samples_has_rate_one() -> None:
    found = coverage_rates(made([200.0, 20.0]), at=0.3, bootstrap=200)
    (rate,) = found.rates
    assert rate.status == "this run"
    assert rate.eta is not None
    assert rate.eta.low is not None
    assert rate.eta.high is not None
    assert rate.eta.low < 1 < rate.eta.high
    assert rate.span is not None
    assert rate.span.train == pytest.approx(1.0)
    assert rate.eta.value == pytest.approx(rate.span.train / rate.span.infer)
    assert found.bounds == (rate.eta.low,)
    json.dumps(found.to_json())


def test_training_that_saves_no_samples_is_not_identified() -> None:
    found = coverage_rates(made([20.0, 20.0]), bootstrap=200)
    (rate,) = found.rates
    assert (rate.status, rate.eta) == ("not identified", None)
    assert "may save no samples" in rate.reason
    assert "if training never asks for more, eta is at least" in rate.reason


def test_less_than_one_sample_is_no_budget() -> None:
    """Checkpoints that pass the coverage with one sample have no smaller number of them to exchange."""
    found = coverage_rates(made([1.0, 0.5]), at=0.3, bootstrap=50)
    (rate,) = found.rates
    assert (rate.status, rate.eta) == ("not identified", None)
    assert "passes 0.3 with one sample" in rate.reason
    assert found.bounds == (None,)


def test_joint_draws_of_problems_are_narrower_than_those_apart() -> None:
    frame = made([200.0, 20.0])
    found = coverage_rates(frame, bootstrap=300)
    (step,) = found.steps
    assert step.se is not None
    apart = np.sqrt(sum((one.log_k.se or 0.0) ** 2 for one in found.levels))
    assert step.se < apart
    shuffled = frame.sample(frac=1.0, random_state=0)
    assert coverage_rates(shuffled, bootstrap=300).to_json() == found.to_json()


def test_checkpoints_with_other_problems_are_refused() -> None:
    frame = made([200.0, 20.0])
    with pytest.raises(InputError, match="other problems than that at 1e\\+20"):
        coverage_rates(frame.iloc[:-1])
    with pytest.raises(InputError, match="1 checkpoint; a rate is between two"):
        coverage_rates(frame[frame["train_flops"] == 1e20])
    with pytest.raises(InputError, match="no column problem"):
        coverage_rates(frame.drop(columns="problem"))


def test_a_cheap_system_that_is_no_better_bounds_nothing() -> None:
    right = np.arange(100) < 40
    found = substitution(right, right, train_ratio=10, infer_ratio=5)
    assert (found.rate.status, found.rate.eta) == ("not identified", None)
    assert found.difference.value == 0
    better = substitution(np.arange(100) < 70, right, train_ratio=100, infer_ratio=10)
    assert better.rate.status == "one-sided"
    assert better.rate.eta is not None
    assert (better.rate.eta.low, better.rate.eta.high) == (2.0, np.inf)
    assert (better.only_cheap, better.only_dear) == (30, 0)
    with pytest.raises(InputError, match="infer_ratio is 1; give a ratio above 1"):
        substitution(right, right, train_ratio=10, infer_ratio=1)
    with pytest.raises(InputError, match="give two marks for each problem"):
        substitution(right, right[:9], train_ratio=10, infer_ratio=2)
    assert share_right(right).value == 0.4


@pytest.fixture(scope="module")
def public() -> Analysis:
    if not os.environ.get("SCALING_DATA_MIRROR"):
        pytest.skip("SCALING_DATA_MIRROR is not set: no outside data")
    study = find("refit_public")
    return Analysis(study, "cpu", no_records(), study.fits(no_records(), names=SETS))  # type: ignore[call-arg]


@pytest.mark.target
def test_samples_for_thirty_per_cent_and_the_rates_between(public: Analysis) -> None:
    rates = public.fits["monkeys_gsm8k"].rates
    assert [one.log_k.value for one in rates.levels] == pytest.approx([3.16, 1.80, 1.63, 1.60], abs=0.005)
    assert all(one.log_k.low < one.log_k.value < one.log_k.high for one in rates.levels)
    assert not any(one.extrapolated for one in rates.levels)
    assert [rate.status for rate in rates.rates] == ["this run", "this run", "not identified"]
    first, second, third = rates.rates
    assert first.eta.value == pytest.approx(0.38, abs=0.005)
    assert second.eta.value == pytest.approx(2.8, abs=0.05)
    assert first.eta.high < second.eta.low
    assert third.eta is None
    assert rates.steps[2].low < 0 < rates.steps[2].high
    # without a law the curves cross thirty per cent within a tenth of the law's samples
    assert [one.unbiased for one in rates.levels] == pytest.approx([3.148, 1.838, 1.651, 1.581], abs=0.002)


@pytest.mark.target
def test_the_reference_rows_of_every_report_are_what_these_counts_give(public: Analysis) -> None:
    rows = {what: (eta, ten) for what, _, eta, ten, _ in ROWS}
    first, second, _ = public.fits["monkeys_gsm8k"].rates.rates
    assert rows["GSM8K, Pythia 1.4B, 6B to 20B: pass@k"] == (
        f"{first.eta.value:.2f} [{first.eta.low:.2f}, {first.eta.high:.2f}]",
        f"{10**first.eta.value:.1f}x",
    )
    assert second.span.infer < 1
    told = rows["GSM8K, Pythia 1.4B, 20B to 60B: pass@k"]
    assert told == (f"{second.eta.value:.1f} [{second.eta.low:.1f}, {second.eta.high:.1f}]", "not measured")
    _, both = public.fits["cobbe_gsm8k"].bills.values()
    least = both.rate.eta.low
    assert rows["GSM8K, 6B for 175B: best of 100, verified"] == (
        f"at least {least:.2f}",
        f"over {10**least:.0f}x",
    )


@pytest.mark.target
def test_on_these_counts_the_likelihood_goes_on_better_than_least_squares(public: Analysis) -> None:
    """The other way round than on counts of other problems, which more samples solve: pass@1 is some .0005 here."""
    tenth, few = public.fits["monkeys_gsm8k"].backtests
    assert (len(tenth.found), tenth.wins("beta_binomial")) == (20, 20)
    assert tenth.mean("coverage") == pytest.approx(0.123, abs=0.003)
    assert tenth.mean("beta_binomial") == pytest.approx(0.041, abs=0.003)
    assert few.wins("beta_binomial") == len(few.found) >= 5
    assert few.mean("coverage", largest=True) == pytest.approx(0.323, abs=0.03)
    assert few.mean("beta_binomial", largest=True) == pytest.approx(0.259, abs=0.03)
    assert all(one.bias("coverage") < 0 for one in tenth.found.values())


@pytest.mark.target
def test_samples_within_a_model_do_not_go_with_the_outcome_and_pooled_they_do(
    public: Analysis, mirror: Path
) -> None:
    assert public.fits["monkeys_gsm8k"].adaptive == (0, 81)
    counts = pd.read_csv(mirror / "schaeffer_monkeys" / "gsm8k_counts.csv")
    assert adaptive(counts["n"], counts["c"]) is not None
    pooled = extrapolate_coverage(counts["n"], counts["c"], 1000, bootstrap=0)
    assert pooled.chosen == "beta_binomial"
    assert "adaptive_n" in {one.code for one in pooled.warnings}


@pytest.mark.target
def test_six_billion_with_a_verifier_replace_a_hundred_and_seventy_five(public: Analysis) -> None:
    """4.3 points [1.4, 7.1] elsewhere, by a bootstrap, whose ends step by a problem, .076 points, between seeds."""
    found = public.fits["cobbe_gsm8k"]
    shares = [100 * share.value for share in found.shares.values()]
    assert shares == pytest.approx([21.7, 39.0, 34.7, 56.3], abs=0.05)
    alone, both = found.bills.values()
    assert found.problems == 1319
    e = alone.difference
    assert [100 * x for x in (e.value, e.low, e.high)] == pytest.approx([4.32, 1.51, 7.14], abs=0.005)
    assert alone.rate.eta.low == pytest.approx(2.74, abs=0.005)
    assert both.rate.eta.low == pytest.approx(1.75, abs=0.005)
    assert {one.rate.status for one in (alone, both)} == {"one-sided"}


@pytest.mark.target
def test_the_report_says_what_an_oracle_and_a_verifier_are_worth(public: Analysis, tmp_path: Path) -> None:
    report = document(public)
    said = {verdict.text: verdict.status for verdict in report.verdicts}
    assert any("One exchange rate serves the whole run" in text and "2.8" in text for text in said)
    assert any("at least 2.74" in text and "at least 1.75" in text for text in said)
    assert any("better than 175B without a verifier" in text for text in said)
    folder = write(report, tmp_path / "report").parent
    page = (folder / "index.md").read_text()
    assert "coverage prices luck" in page
    assert "not identified" in page
    results = json.loads((folder / "results.json").read_text())["results"]
    assert set(results["monkeys_gsm8k"]) >= {"exchange", "backtests", "tokens"}
    assert all(len(results[name]["sha256"]) == 64 for name in SETS)
    assert results["cobbe_gsm8k"]["bills"]["the samples alone"]["rate"]["status"] == "one-sided"
    assert (folder / "figures" / "coverage-by-checkpoint.svg").is_file()
