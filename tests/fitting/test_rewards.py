"""Growth of a score with RL compute: planted curves are found and predicted, flat ones are not identified."""

import numpy as np
import pandas as pd
import pytest
from reward_case import PRETRAINING, STEPS, WORD, Curve, law, reward_records

from scaling.errors import InputError
from scaling.fitting import Estimate
from scaling.fitting.reaching import by_size, exponent, reached
from scaling.fitting.reward_scaling import RewardScaling, of_records
from scaling.fitting.rewards import growth
from scaling.fitting.rewards_ahead import ahead_of, judged
from scaling.records.rewarded import rewarded

WIDTHS = (48, 64, 96)
SCORES = (0.25, 0.5, 0.75)


@pytest.fixture(scope="module")
def planted() -> RewardScaling:
    """Return the answer where every size follows its law."""
    records = reward_records({width: lambda C, width=width: law(width).predict(C=C) for width in WIDTHS})
    return of_records(records, WORD, SCORES, bootstrap=200)


def test_rows_are_scores_by_all_that_rl_spent() -> None:
    rows, left_out = rewarded(reward_records({64: lambda C: law(64).predict(C=C)}, noise=0.0, luck=0.0), WORD)
    assert not left_out
    assert rows.groupby("run_id")["step"].agg(tuple).tolist() == [(0, *STEPS)] * 3
    assert rows["C"].to_numpy() == pytest.approx(3e9 * rows["step"].to_numpy())
    assert rows["total"].to_numpy() == pytest.approx(rows["C"].to_numpy() + PRETRAINING)
    assert rows["score"].to_numpy() == pytest.approx(law(64).predict(C=np.maximum(rows["C"], 1e-3)))
    assert set(rows["n"]) == {16 * 128}


def test_a_planted_sigmoid_is_recovered_at_every_size(planted: RewardScaling) -> None:
    assert [one.width for one in planted.sizes] == [*WIDTHS]
    for one in planted.sizes:
        truth = law(one.width)
        assert one.sigmoid is not None
        assert one.doubt == ""
        interval = one.sigmoid.parameters["A"]
        assert interval.low <= truth.A <= interval.high
        start, end, middle, _ = one.sigmoid.law.values()
        assert [start, end] == pytest.approx([truth.R0, truth.A], abs=0.03)
        assert middle == pytest.approx(truth.C_mid, rel=0.25)
        assert one.power.rms > 2 * one.sigmoid.rms


def test_its_second_half_is_predicted_within_the_interval(planted: RewardScaling) -> None:
    for one in planted.sizes:
        sigmoid, power, still = (one.at(0.5, name) for name in ("sigmoid", "power", "no change"))
        assert (sigmoid.frame["C"] > 0.5 * one.rows["C"].max()).all()
        assert len(sigmoid.frame) == len(power.frame) == len(still.frame) == 6
        assert sigmoid.rms < min(power.rms, still.rms)
        assert judged(sigmoid, power, still, 0.86)[0] == "supported"
    assert sum(one.at(0.5, "sigmoid").inside for one in planted.sizes) >= 17


def test_intervals_hold_the_second_half_of_most_planted_runs() -> None:
    """Of 12 tables of 3 runs, 6 points each: nominal 95 %."""
    inside = []
    for draw in range(12):
        rows, _ = rewarded(reward_records({64: lambda C: law(64).predict(C=C)}, draw=draw), WORD)
        sigmoid = ahead_of(rows[rows["C"] > 0], 0.5, {"loss": "mse", "cluster": "run_id", "bootstrap": 50})[0]
        inside.append(sigmoid.inside)
    assert np.mean(inside) / 6 > 0.93


def two_rises(C: np.ndarray) -> np.ndarray:
    """Level off at .4, and rise again where no fit has looked."""
    return 0.05 + 0.35 / (1 + (2e10 / C) ** 2) + np.where(C > 2.2e11, 0.4, 0.0)


def levelled(C: np.ndarray) -> np.ndarray:
    """Level off long before the half."""
    return 0.05 + 0.9 / (1 + (8e9 / C) ** 2.5)


@pytest.mark.parametrize(
    ("curve", "status", "words"),
    [
        (two_rises, "contradicted", "most points lie outside"),
        (levelled, "not identified", "no test: beyond the cut"),
    ],
)
def test_a_second_rise_contradicts_and_a_level_is_no_test(curve: Curve, status: str, words: str) -> None:
    rows, _ = rewarded(reward_records({64: curve}, luck=0.05), WORD)
    one = growth(rows, cuts=(0.5,), bootstrap=100)
    found = judged(*(one.at(0.5, name) for name in ("sigmoid", "power", "no change")), one.span)
    assert found[0] == status
    assert words in found[1]


@pytest.mark.parametrize("level", [0.0, 0.03, 1.0])
@pytest.mark.parametrize("noise", [0.0, 0.01])
def test_flat_scores_are_not_identified_and_do_no_harm(level: float, noise: float) -> None:
    found = of_records(reward_records({64: lambda C: np.full(len(C), level)}, noise=noise), WORD, SCORES)
    (one,) = found.sizes
    assert one.sigmoid is None
    assert "less than the 0.05 that a curve needs" in one.doubt
    assert one.ahead == ()
    assert all(isinstance(g, str) for g in found.exponents().values())
    assert found.to_json()["sizes"][0]["sigmoid"] is None


def test_a_curve_that_has_not_bent_has_no_asymptote() -> None:
    late = law(64).from_values([0.05, 0.95, 2e12, 1.2])
    rows, _ = rewarded(reward_records({64: lambda C: late.predict(C=C)}), WORD)
    one = growth(rows, cuts=(), bootstrap=100)
    assert one.sigmoid is not None
    assert "has not bent" in one.doubt


def test_a_run_that_diverged_is_left_out_and_named() -> None:
    curves = {width: (lambda C, width=width: law(width).predict(C=C)) for width in (48, 64)}
    found = of_records(reward_records(curves, died=(64, 1)), WORD, SCORES, bootstrap=50)
    assert found.left_out == (("width 64, seed 1", "gradient norm is nan at step 40"),)
    assert [one.runs for one in found.sizes] == [3, 2]
    assert not found.rows.query("width == 64")["seed"].eq(1).any()


def test_one_run_a_size_has_no_interval_and_no_verdict() -> None:
    found = of_records(reward_records({64: lambda C: law(64).predict(C=C)}, seeds=(0,)), WORD, SCORES)
    (one,) = found.sizes
    assert one.sigmoid is not None
    assert one.sigmoid.parameters["A"].low is None
    assert "one run" in one.doubt
    assert (
        judged(one.at(0.5, "sigmoid"), one.at(0.5, "power"), one.at(0.5, "no change"), 0.9)[0]
        == "not identified"
    )


def test_records_without_such_samples_are_refused() -> None:
    with pytest.raises(InputError, match="no samples of free at difficulty 7"):
        rewarded(reward_records({64: lambda C: law(64).predict(C=C)}), 7)


def reaching_rows(**columns: list[float]) -> pd.DataFrame:
    return pd.DataFrame({"run_id": "r", "width": 64, "N": 1e5, "seed": 0, **columns}).assign(
        total=lambda f: f["C"] + 1e3
    )


def test_crossings_are_straight_in_log_compute_and_from_the_start_in_compute() -> None:
    rows = reaching_rows(C=[0, 10, 100, 1000], score=[0.1, 0.3, 0.5, 0.4])
    found = reached(rows, (0.05, 0.2, 0.4, 0.5, 0.6)).set_index("asked")
    assert found["C"].tolist() == pytest.approx([0, 5, 10**1.5, 100, np.nan], nan_ok=True)
    assert found["total"].tolist()[:4] == pytest.approx([1000, 1005, 1000 + 10**1.5, 1100])
    assert found["start"].tolist() == [True, False, False, False, False]
    sizes = by_size(found.reset_index()).set_index("asked")
    assert sizes.loc[0.05, ["reached", "at_start"]].tolist() == [1, 1]
    assert np.isnan(sizes.loc[0.05, "C"])
    assert sizes.loc[0.6, "reached"] == 0


def test_the_exponent_in_size_is_the_planted_one(planted: RewardScaling) -> None:
    """C_mid falls as 1 / width, and N about as its square or faster: g is about -.4, and larger models need less."""
    g = planted.exponents()[0.5]
    N = np.log(planted.reached.groupby("width")["N"].first())
    expected = -np.log(96 / 48) / (N[96] - N[48])
    assert isinstance(g, Estimate)
    assert g.low < expected < g.high < 0


def test_no_exponent_where_a_run_never_arrives_or_starts_above() -> None:
    frame = pd.DataFrame(
        {
            "run_id": list("abcd"), "width": [1, 1, 2, 2], "N": [1.0, 1.0, 2.0, 2.0], "seed": 0, "asked": 0.5,
            "C": [1.0, np.nan, 0.0, 3.0], "total": [2.0, np.nan, 1.0, 4.0], "start": [False, False, True, False],
        }
    )  # fmt: skip
    said = exponent(frame, 0.5)
    assert said == "1 of 4 runs never reached it and 1 of 4 had it before RL"
