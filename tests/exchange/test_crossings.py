"""Where one method's score overtakes another's: planted crossings, curves that never meet, what cannot be compared."""

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest

from scaling.errors import InputError
from scaling.exchange.crossings import crossings
from scaling.exchange.design import Design
from scaling.exchange.ledger import Ledger
from scaling.exchange.table import prepare

Grid = Callable[..., pd.DataFrame]


def method(grid: Grid, slope: float, gain: float = 0.0, **options: object) -> Design:
    """Logits rise by ``slope`` a decade of inference about 10^10.5, where they are ``gain`` above training's."""

    def surface(u: np.ndarray, v: np.ndarray) -> np.ndarray:
        return (u - 19) + gain + slope * (v - 10.5)

    return prepare(grid(surface=surface, levels=3, shared=True, **options)).design(Ledger())


def test_a_planted_crossing_is_found_and_its_interval_holds_it(grid: Grid) -> None:
    """Both methods are drawn 40 times, each with luck of its own: drawn alike they would cross in one place always."""
    held, errors = [], []
    for seed in range(40):
        one = method(grid, 0.3, problems=60, samples=16, seed=seed)
        other = method(grid, 0.9, problems=60, samples=16, seed=seed + 1000)
        found = crossings(one, other)
        assert found["train"].tolist() == pytest.approx([1e18, 1e19, 1e20])
        once = found[found["times"] == 1]
        assert len(once)
        errors += (np.log10(once["infer"]) - 10.5).tolist()
        known = once.dropna(subset="infer_low")
        held += ((known["infer_low"] <= 10**10.5) & (known["infer_high"] >= 10**10.5)).tolist()
    assert abs(np.mean(errors)) < 0.1
    assert len(held) > 100
    assert np.mean(held) > 0.9


def test_a_crossing_that_may_lie_beyond_what_was_measured_has_no_interval(grid: Grid) -> None:
    """Slopes hardly differ, or the curves cross a tenth of a decade beyond the ends: the gap there is not told."""
    given = 0
    for seed in range(20):
        one = method(grid, 0.3, problems=60, samples=16, seed=seed)
        for slope, gain in ((0.35, 0.0), (0.9, -0.6 * 1.6)):
            found = crossings(one, method(grid, slope, gain, problems=60, samples=16, seed=seed + 1000))
            known = found.dropna(subset="infer_low")
            assert (known["low_infer"] <= known["infer_low"]).all()
            assert (known["infer_high"] <= known["high_infer"]).all()
            assert (known["low_gap_high"] * known["high_gap_low"] < 0).all()
            given += len(known)
    assert given < 0.05 * 20 * 2 * 3


def test_where_nothing_can_be_left_out_there_is_no_interval(
    grid: Grid, as_cells: Callable[[pd.DataFrame], pd.DataFrame]
) -> None:
    one, other = (
        prepare(as_cells(grid(surface=surface, levels=3, seeds=1, samples=16))).design(Ledger())
        for surface in (lambda u, v: (u - 19) + 0.3 * (v - 10.5), lambda u, v: (u - 19) + 0.9 * (v - 10.5))
    )
    found = crossings(one, other)
    assert (found["times"] == 1).all()
    assert found["infer"].notna().all()
    assert found.filter(regex="_(low|high)$").isna().all(axis=None)


def test_strata_of_one_method_alone_leave_out_the_same_problems(grid: Grid) -> None:
    frame = grid(levels=3, shared=True, problems=12)
    told = frame.assign(difficulty=frame["problem"] % 3)
    found = crossings(prepare(frame).design(Ledger()), prepare(told).design(Ledger()))
    np.testing.assert_array_equal(
        found[["low_gap_low", "low_gap_high", "high_gap_low", "high_gap_high"]], 0.0
    )


def test_a_run_that_is_missing_at_a_level_of_one_method_is_said(grid: Grid) -> None:
    frame = grid(levels=3, shared=True, problems=12)
    lost = frame[(frame["run"] > 0) | (frame["train_flops"] < 5e19)]
    with pytest.raises(InputError, match="the same runs at every training level"):
        crossings(prepare(frame).design(Ledger()), prepare(lost).design(Ledger()))


def test_methods_that_never_meet_have_gaps_and_no_place(grid: Grid) -> None:
    found = crossings(method(grid, 0.5), method(grid, 0.5, gain=2.0))
    assert (found["times"] == 0).all()
    assert found["infer"].isna().all()
    assert (found[["low_gap_low", "high_gap_low"]] > 0).all(axis=None)
    swapped = crossings(method(grid, 0.5, gain=2.0), method(grid, 0.5))
    assert swapped["low_gap"].tolist() == pytest.approx((-found["low_gap"]).tolist())


def test_problems_and_runs_in_another_order_are_the_same(grid: Grid) -> None:
    frame = grid(levels=3, shared=True, problems=12)
    one = method(grid, 0.9, problems=12, seed=1)
    same, shuffled = (
        prepare(rows).design(Ledger()) for rows in (frame, frame.sample(frac=1, random_state=0))
    )
    assert shuffled.problem_names != same.problem_names
    pd.testing.assert_frame_equal(crossings(one, shuffled), crossings(one, same))


def test_levels_without_common_computes_are_left_out(grid: Grid) -> None:
    assert crossings(method(grid, 0.5, infer=(8.0, 9.0)), method(grid, 0.5, infer=(10.0, 11.0))).empty


def test_other_problems_runs_or_levels_are_refused(grid: Grid) -> None:
    one = method(grid, 0.5, problems=12)
    with pytest.raises(InputError, match="the same runs and problems"):
        crossings(one, method(grid, 0.5, problems=13))
    with pytest.raises(InputError, match="the same training levels"):
        crossings(one, method(grid, 0.5, problems=12, train=(17.0, 20.0)))
