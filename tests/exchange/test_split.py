"""The best share of a budget: a planted one is found as often as it should be, edges are bounds, no difference is none."""

import json
from collections import Counter

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from split_case import SHARES, Truth, planted, powers, topped

from scaling.errors import InputError
from scaling.exchange.split import Split, best_split

REPETITIONS = 100


def rising(share: np.ndarray) -> np.ndarray:
    return 4 * share


def falling(share: np.ndarray) -> np.ndarray:
    return -4 * share


def flat(share: np.ndarray) -> np.ndarray:
    return 0 * share


def of(truth: Truth, **options) -> Split:
    return best_split(planted([truth], **options)).totals[0]


def repeated(truth: Truth, times: int = REPETITIONS, **options) -> list[Split]:
    rng = np.random.default_rng(1)
    return [of(truth, seed=rng, **options) for _ in range(times)]


def saturating(share: np.ndarray) -> np.ndarray:
    """RL's gain comes to an end: highest where 50 exp(-s / .06) = 2.5 / (1 - s)."""
    return np.where(share > 0, 2.5 * np.log1p(-share) + 3 * (1 - np.exp(-share / 0.06)), -1.0)


@pytest.mark.parametrize(
    ("truth", "best", "noise"),
    [
        (topped(0.15, 0.8), 0.15, 0.15),
        (topped(0.12, 0.3), 0.12, 0.15),
        (topped(0.2, 0.5), 0.2, 0.03),
        (powers(0.15), 0.15, 0.1),
        (saturating, 0.1686, 0.1),
    ],
    ids=["steep", "shallow", "runs alike", "powers", "saturating"],
)
def test_a_planted_best_share_is_found_as_often_as_the_interval_says(
    truth: Truth, best: float, noise: float
) -> None:
    found = [one.best for one in repeated(truth, share_run_sd=noise) if one.status == "ok"]
    held = np.mean([one.low <= best <= one.high for one in found])
    values = np.array([one.value for one in found])
    ends = np.median([(one.low, one.high) for one in found], axis=0)
    print(
        f"coverage {held:.3f} of {len(found)}; mean {values.mean():.3f}, spread {values.std():.3f}, median ends {ends}"
    )
    assert len(found) > 0.75 * REPETITIONS
    assert held >= 0.85
    assert abs(values.mean() - best) < 0.2 * best


def test_a_planted_move_is_found_and_none_is_not() -> None:
    rng = np.random.default_rng(2)
    for first, last in ((0.1, 0.2), (0.15, 0.15)):
        moves = [
            best_split(planted([topped(first), topped(last)], seed=rng)).move for _ in range(REPETITIONS // 2)
        ]
        found = [one.moved for one in moves if one.moved is not None]
        held = np.mean([one.low <= last - first <= one.high for one in found])
        print(f"move {last - first:g}: coverage {held:.3f} of {len(found)}")
        assert len(found) > 0.75 * len(moves)
        assert held >= 0.85


def test_shares_that_score_alike_are_hardly_ever_told_apart() -> None:
    count = Counter(one.status for one in repeated(flat))
    print(count)
    assert count["not identified"] >= 0.9 * REPETITIONS
    reason = of(flat).reason
    assert reason.startswith("differences between shares cannot be told from none")


@pytest.mark.parametrize(
    ("truth", "best", "words"),
    [
        (
            rising,
            1.0,
            "the greatest share of RL that was tried, 0.4, scores best: the best share is more than",
        ),
        (topped(0.35), 0.35, "the greatest share of RL that was tried"),
        (falling, 0.0, "no RL at all scores best: the best share is less than"),
        (topped(0.03), 0.03, "the best share is more than none and less than"),
    ],
    ids=["rising", "below the greatest", "falling", "above none"],
)
def test_an_edge_gives_a_bound_that_holds(truth: Truth, best: float, words: str) -> None:
    edges = [one for one in repeated(truth, 80, share_run_sd=0.08) if one.status == "at an edge"]
    held = np.mean([one.bound[0] <= best <= one.bound[1] for one in edges])
    print(f"bounds hold {held:.3f} of {len(edges)}; {edges[0].reason}")
    assert len(edges) > 60
    assert held >= 0.85
    assert words in edges[0].reason
    assert all(one.best is None for one in edges)


def test_gains_are_those_of_paired_scores() -> None:
    found = of(topped(0.15), runs=4)
    scores = [one.value for one in found.scores]
    assert found.over_none.value == pytest.approx(max(scores) - scores[0], abs=0.02)
    assert found.over_most.value == pytest.approx(max(scores) - scores[-1], abs=0.02)
    at_edge = of(rising)
    assert at_edge.over_most is None
    scores = [one.value for one in at_edge.scores]
    assert at_edge.over_none.value == pytest.approx(scores[-1] - scores[0], abs=1e-12)
    assert of(falling).over_none is None


def test_no_curve_without_a_top_and_no_claim_from_one_run() -> None:
    def two_tops(share: np.ndarray) -> np.ndarray:
        return np.select([share == 0.05, share == 0.2, share == 0.4], [1.0, 1.2, 1.1], -1.5)

    found = of(two_tops, share_run_sd=0.02)
    assert (found.status, found.best) == ("not identified", None)
    assert "has no top between" in found.reason
    one = best_split(planted([topped(0.15)], runs=1))
    assert one.totals[0].status == "not identified"
    assert "other seeds" in one.totals[0].reason
    assert [warned.code for warned in one.warnings] == ["one_run"]


def test_what_misleads_is_said() -> None:
    frame = planted([topped(0.15, top=6.0)], share_run_sd=0.02)
    frame.loc[frame["share"] == 0.4, ["train_flops", "pretrain_flops"]] *= 0.9
    codes = {warned.code for warned in best_split(frame).totals[0].warnings}
    assert {"at_the_end", "totals_differ"} <= codes

    def kinked(share: np.ndarray) -> np.ndarray:
        return np.select([share == 0.1, share == 0.2, share > 0], [1.0, 1.5, 0.0], -1.0)

    missed = of(kinked, share_run_sd=0.02)
    assert "curve_misses" in {warned.code for warned in missed.warnings}
    assert missed.status == "ok"
    gain = missed.scores[missed.measured].value - missed.scores[0].value  # not the curve's top less it
    assert missed.over_none.value == pytest.approx(gain, abs=1e-12)


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_the_order_of_rows_changes_nothing(seed: int) -> None:
    frame = planted([topped(0.15), topped(0.2)], problems=12, samples=4)
    mixed = frame.sample(frac=1, random_state=seed)
    assert best_split(mixed).to_json() == best_split(frame).to_json()


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_any_counts_give_finite_numbers_and_intervals_around_them(data: st.DataObject) -> None:
    """Floors, ceilings and ties included: every cell is all wrong, all right or in between."""
    frame = planted([flat], runs=2, problems=3, samples=4)
    levels = data.draw(st.lists(st.sampled_from([0, 4, None]), min_size=5, max_size=5))
    noise = np.random.default_rng(data.draw(st.integers(0, 1000))).integers(0, 5, len(frame))
    by_share = dict(zip(SHARES, levels, strict=True))
    frame["c"] = [noise[k] if by_share[s] is None else by_share[s] for k, s in enumerate(frame["share"])]
    found = best_split(frame)
    json.dumps(found.to_json(), allow_nan=False)
    one = found.totals[0]
    assert (one.best is not None) == (one.status == "ok")
    assert (one.bound is not None) == (one.status == "at an edge")
    assert (one.reason == "") == (one.status == "ok")
    if one.best is not None:
        assert 0 <= one.best.low <= one.best.value <= one.best.high <= 1
    if all(level == levels[0] is not None for level in levels):
        assert one.status == "not identified"


def test_a_run_without_a_share_is_left_out_and_named() -> None:
    frame = planted([topped(0.15), topped(0.2)], runs=4)
    dead = frame["run"].eq(2) & frame["share"].eq(0.4) & frame["total"].eq(2e12)
    found, without = best_split(frame[~dead]), best_split(frame[frame["run"] != 2])
    assert found.runs == ("0", "1", "3")
    assert found.totals == without.totals
    assert found.warnings[0].code == "runs_left_out"
    assert "2 (no share 0.4 of total 2e+12)" in found.warnings[0].message


def change(column: str, value: object, row: int = 5):
    def made(frame: pd.DataFrame) -> pd.DataFrame:
        frame = frame.astype({column: object}) if isinstance(value, str) else frame.astype({column: float})
        frame.loc[row, column] = value
        return frame

    return made


@pytest.mark.parametrize(
    ("spoil", "says"),
    [
        (lambda f: f.drop(columns="share"), "the table has no column share; give total"),
        (lambda f: f.iloc[:0], "the table has no rows"),
        (lambda f: f["c"], "expected a pandas DataFrame"),
        (change("c", 17.0), "column c, row 5: 17; expected a whole number from 0 to n"),
        (change("c", 0.5), "column c, row 5: 0.5; expected a whole number"),
        (change("c", "many"), "column c, row 5: 'many' is not a number"),
        (change("c", np.nan), "column c, row 5: nan"),
        (change("n", 0.0), "column n, row 5: 0; expected a whole number of samples"),
        (change("share", 1.0), "column share, row 5: 1; expected a share from 0 to below 1"),
        (change("total", -1.0), "column total, row 5: -1; expected a positive number of FLOPs"),
        (change("train_flops", 3.0), "column train_flops, row 5: 3; expected the FLOPs of RL, 0 at share 0"),
        (change("pretrain_flops", 0.0), "column pretrain_flops, row 5: 0; expected FLOPs above 0"),
        (change("pretrain_flops", 1e9), "pretrain_flops differs between problems"),
        (change("run", None), "column run has an empty cell"),
        (lambda f: pd.concat([f, f.iloc[[3]]]), "problem 3 occurs twice at share 0 of total 1e+12"),
        (lambda f: f.drop(index=5), "not every share and run was asked the same problems"),
        (lambda f: f[f["share"] < 0.2], "total 1e+12 has 2 shares above 0; a curve with a top takes 3"),
        (lambda f: f[f["problem"] == 0], "has one problem"),
        (lambda f: f[f["run"].ne(0) | f["share"].lt(0.2)][lambda g: g["run"].eq(0) | g["share"].ge(0.2)],
         "no run has all shares of all totals"),
        (lambda f: f.assign(pretrain_flops=f["train_flops"] + 1e12), "realised shares do not rise"),
    ],
)  # fmt: skip
def test_bad_input_gives_one_line(spoil, says: str) -> None:
    frame = planted([topped(0.15)], runs=2, problems=10)
    if "rise" in says:
        frame["train_flops"] = np.where(frame["share"] > 0, 1e11, 0.0)
    with pytest.raises(InputError) as caught:
        best_split(spoil(frame))
    assert says in str(caught.value)
    assert "\n" not in str(caught.value)


def test_problems_that_differ_between_totals_are_refused() -> None:
    frame = planted([topped(0.15), topped(0.2)], problems=10)
    second = frame["total"] == 2e12
    with pytest.raises(InputError, match="totals were asked different problems"):
        best_split(frame.assign(problem=frame["problem"] + 100 * second))


def test_level_is_a_share() -> None:
    with pytest.raises(InputError, match="level is 95; give a coverage"):
        best_split(planted([flat]), level=95)
