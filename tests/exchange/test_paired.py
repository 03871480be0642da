"""Paired curves: a planted rate comes back from two budgets, with the error that repetitions show, in whatever units."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from scipy.special import expit

from scaling.errors import FitError, InputError
from scaling.exchange import Paired, exchange_paired
from scaling.fitting.parts import Estimate

ETA = 0.5


def two_curves(
    checkpoints: int = 12,
    runs: int = 1,
    eta: float = ETA,
    bend: float = 0.0,
    grows: float = 0.0,
    run_sd: float = 0.0,
    noise: float = 0.0,
    seed: int = 0,
) -> pd.DataFrame:
    """Scores of checkpoints of each run at two budgets a decade and a half apart; logits a + u + bend u^2 + eta v.

    `grows` decades of inference come with a decade of training at either budget; `run_sd` moves whole runs, `noise` each
    checkpoint.
    """
    rng = np.random.default_rng(seed)
    run, k = (axis.ravel() for axis in np.indices((runs, checkpoints), dtype=np.intp))
    u = np.linspace(18, 20, checkpoints)[k]
    luck = rng.normal(0, run_sd, runs)[run]
    return pd.concat(
        [
            pd.DataFrame(
                {
                    "train_flops": 10**u,
                    "infer_flops_per_problem": 10**v,
                    "run": run,
                    "budget": budget,
                    "score": expit(
                        (u - 19) + bend * (u - 19) ** 2 + eta * (v - 10) + luck + rng.normal(0, noise, len(u))
                    ),
                    "n_problems": 100,
                }
            )
            for budget, v in (("one", 9 + grows * (u - 18)), ("many", 10.5 + grows * (u - 18)))
        ],
        ignore_index=True,
    )


def eta_of(found: Paired, place: int = 0) -> Estimate:
    eta = found.rates[place].eta
    assert eta is not None
    return eta


@settings(deadline=None, max_examples=20)
@given(eta=st.floats(0.2, 1.0), bend=st.floats(-0.1, 0.1), grows=st.floats(-0.2, 0.3))
def test_exact_curves_give_decades_saved_over_decades_spent(eta: float, bend: float, grows: float) -> None:
    """Where the logit bends in training, decades saved are those between the crossings, worked out here by bisection."""
    from scipy.optimize import brentq

    found = exchange_paired(two_curves(40, eta=eta, bend=bend, grows=grows), bootstrap=0)
    crossing, steps = found.crossings[0], found.interpolated[0]

    def crossed(v: float) -> float:
        def logit(u: float) -> float:
            return (u - 19) + bend * (u - 19) ** 2 + eta * (v + grows * (u - 18) - 10)

        return float(brentq(logit, 17, 21))

    little, much = crossed(9), crossed(10.5)
    assume(little <= 20 and much >= 18)
    assert crossing is not None
    assert (crossing.little, crossing.much) == pytest.approx((little, much), abs=1e-6)
    assert crossing.spent == pytest.approx(1.5 - grows * (little - much), abs=1e-6)
    assert steps is not None
    assert steps.eta == pytest.approx(crossing.eta, rel=0.02)
    assert eta_of(found).low is None


@pytest.mark.parametrize("at", [0.3, 0.5, 0.6])
def test_an_additive_surface_has_one_rate(at: float) -> None:
    found = exchange_paired(two_curves(20, eta=0.4), at=(at,), bootstrap=0)
    assert eta_of(found).value == pytest.approx(0.4, abs=1e-6)


@settings(deadline=None, max_examples=15)
@given(train=st.floats(1e-9, 1e9), infer=st.floats(1e-9, 1e9), seed=st.integers(0, 99))
def test_units_and_order_are_nothing_to_the_rate(train: float, infer: float, seed: int) -> None:
    frame = two_curves(runs=3, run_sd=0.1, noise=0.05)
    other = frame.assign(
        train_flops=frame["train_flops"] * train,
        infer_flops_per_problem=frame["infer_flops_per_problem"] * infer,
    ).sample(frac=1, random_state=seed)
    before, after = (eta_of(exchange_paired(one, bootstrap=0)) for one in (frame, other))
    assert (after.value, after.low, after.high) == pytest.approx(
        (before.value, before.low, before.high), rel=1e-5
    )


def spread(
    frames: Callable[[int], pd.DataFrame], repetitions: int, bootstrap: int
) -> tuple[float, float, float]:
    """Standard deviation of eta over repetitions, the mean of its own, and how often the interval holds the truth."""
    etas = [eta_of(exchange_paired(frames(k), bootstrap=bootstrap, seed=k)) for k in range(repetitions)]
    inside = [one.low is not None and one.high is not None and one.low <= ETA <= one.high for one in etas]
    errors = [one.se for one in etas if one.se is not None]
    assert len(errors) == repetitions
    return (
        float(np.std([one.value for one in etas])),
        float(np.sqrt(np.mean(np.square(errors)))),
        float(np.mean(inside)),
    )


def test_the_jackknife_of_runs_is_the_spread_of_new_runs() -> None:
    """Runs that differ in how well both budgets do, and each checkpoint's own luck."""
    seen, said, inside = spread(
        lambda k: two_curves(8, runs=5, run_sd=0.15, noise=0.1, seed=k), repetitions=150, bootstrap=0
    )
    assert said == pytest.approx(seen, rel=0.2)
    assert 0.9 <= inside <= 0.99


def test_scatter_along_one_run_is_that_of_repeated_scatter() -> None:
    seen, said, inside = spread(lambda k: two_curves(24, noise=0.1, seed=k), repetitions=80, bootstrap=200)
    assert said == pytest.approx(seen, rel=0.3)
    assert 0.85 <= inside <= 0.99


def test_one_run_says_nothing_of_others_and_says_so() -> None:
    found = exchange_paired(two_curves(noise=0.05), bootstrap=100)
    assert found.rates[0].status == "this run"
    assert "other seeds" in found.rates[0].reason
    assert "one_run" in [one.code for one in found.warnings]
    several = exchange_paired(two_curves(runs=3, run_sd=0.1, noise=0.05), bootstrap=0)
    assert several.rates[0].status == "ok"
    assert "one_run" not in [one.code for one in several.warnings]


def test_what_the_curves_do_not_reach() -> None:
    found = exchange_paired(two_curves(), at=(0.02, 0.7, 0.95), bootstrap=0)
    statuses = [(rate.status, rate.eta) for rate in found.rates]
    assert statuses == [("not identified", None)] * 3
    low, between, high = (rate.reason for rate in found.rates)
    assert "the curves do not cross 0.02 at both budgets" in low
    assert "with little inference no checkpoint gets to 0.7; the highest is 0.6" in between
    assert "no checkpoint gets to 0.95; the highest is 0.7" in high


def test_a_score_above_where_much_inference_stands_still_is_undefined() -> None:
    frame = two_curves(20)
    still = frame.assign(score=frame["score"].where(frame["budget"] == "one", frame["score"].clip(upper=0.6)))
    found = exchange_paired(still, at=(0.65,), bootstrap=0)
    assert (found.rates[0].status, found.rates[0].eta) == ("undefined", None)
    assert "0.65 is above the method's ceiling: scores stand still at 0.6" in found.rates[0].reason


def test_the_ten_fold_multiplier_is_of_a_measured_decade() -> None:
    far = exchange_paired(two_curves(20, eta=0.4), bootstrap=0).rates[0]
    assert far.multiplier is not None
    assert far.multiplier.value == pytest.approx(10**0.4, rel=1e-6)
    frame = two_curves(20, eta=0.4)
    near = frame.assign(infer_flops_per_problem=np.sqrt(frame["infer_flops_per_problem"]))
    assert exchange_paired(near, bootstrap=0).rates[0].multiplier is None
    assert replace(far, span=None).multiplier is None


def test_what_paired_curves_have_to_have() -> None:
    frame = two_curves()
    with pytest.raises(InputError, match="paired curves are of two budgets, and the table has 1"):
        exchange_paired(frame[frame["budget"] == "one"])
    third = frame[frame["budget"] == "one"].assign(budget="more", infer_flops_per_problem=1e12)
    with pytest.raises(InputError, match="and the table has 3; choose two with --where"):
        exchange_paired(pd.concat([frame, third]))
    with pytest.raises(FitError, match=r"5 training levels have both budgets, and two quadratics .* take 6"):
        exchange_paired(two_curves(5))


def test_checkpoints_that_have_one_budget_are_left_out() -> None:
    frame = two_curves(noise=0.02)
    levels = np.sort(frame["train_flops"].unique())
    holed = frame[~((frame["train_flops"] == levels[4]) & (frame["budget"] == "many"))]
    without = frame[frame["train_flops"] != levels[4]]
    assert eta_of(exchange_paired(holed, bootstrap=0)).value == pytest.approx(
        eta_of(exchange_paired(without, bootstrap=0)).value
    )


def test_a_score_of_none_or_all_does_not_throw_the_curves() -> None:
    """30 problems: none or all right is ordinary, and has no logit."""
    frame = two_curves(17, eta=0.6).assign(n_problems=30)
    edge = frame.copy()
    edge.loc[0, "score"] = 0.0
    edge.loc[len(edge) - 1, "score"] = 1.0
    found = exchange_paired(edge, bootstrap=0)
    clean = exchange_paired(frame, bootstrap=0)
    assert eta_of(found).value == pytest.approx(eta_of(clean).value, rel=0.15)
    said = [one.message for one in found.warnings if one.code == "at_the_edge"]
    assert said
    assert "2 of 34 scores are 0 or 1" in said[0]


def test_levels_with_one_run_are_not_passed_over() -> None:
    """Two runs at two of eight levels tell little of the other six: scatter along the curves is what is known."""
    frame = two_curves(8, runs=2, noise=0.1, seed=5)
    uneven = frame[(frame["run"] == 0) | (frame["train_flops"] > 5e19)]
    found = exchange_paired(uneven, bootstrap=400)
    assert found.rates[0].status == "this run"
    assert "residual bootstrap" in found.interval["method"]
    single = exchange_paired(frame[frame["run"] == 0], bootstrap=400)
    se, alone = eta_of(found).se, eta_of(single).se
    assert se is not None
    assert alone is not None
    assert se > 0.5 * alone


def test_budgets_of_one_price_exchange_nothing() -> None:
    frame = two_curves(12, eta=0.3)
    same = frame.assign(infer_flops_per_problem=np.where(frame["budget"] == "one", 1e9, 1.001e9))
    rate = exchange_paired(same, bootstrap=0).rates[0]
    assert (rate.status, rate.eta) == ("not identified", None)
    assert "decades of inference apart: nothing is exchanged" in rate.reason


def test_residuals_that_drift_are_said_to_be_alike() -> None:
    frame = two_curves(30, noise=0.01)
    drift = 0.2 * np.sin(np.log10(frame["train_flops"]) * 9)
    score = expit(np.log(frame["score"] / (1 - frame["score"])) + drift)
    codes = [one.code for one in exchange_paired(frame.assign(score=score), bootstrap=0).warnings]
    assert "neighbours_alike" in codes
    assert "neighbours_alike" not in [one.code for one in exchange_paired(frame, bootstrap=0).warnings]
