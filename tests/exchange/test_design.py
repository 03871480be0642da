"""Rows as a grid: levels, budgets, groups of runs; and what must not move a rate."""

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scaling.exchange import Exchange, Ledger, Rate
from scaling.exchange.design import Design
from scaling.exchange.table import prepare
from scaling.exchange.uncertainty import draws_of, left_out

Grid = Callable[..., pd.DataFrame]
Small = Callable[..., Exchange]


def design_of(frame: pd.DataFrame) -> Design:
    return prepare(frame).design(Ledger())


def same(one: Rate, other: Rate) -> None:
    assert (one.status, one.reason) == (other.status, other.reason)
    assert one.eta is not None
    assert other.eta is not None
    np.testing.assert_allclose(
        (one.eta.value, one.eta.low, one.eta.high),
        (other.eta.value, other.eta.low, other.eta.high),
        rtol=1e-6,
    )


@pytest.mark.parametrize(("train", "infer"), [(1e6, 1.0), (1e-21, 1e-12), (1.0, 1e9), (7.3e5, 0.02)])
def test_units_of_either_compute_move_no_rate(
    plain: pd.DataFrame, small: Small, train: float, infer: float
) -> None:
    """Up to 1e26 FLOPs, and down to computes of 1e-3."""
    scaled = plain.assign(
        train_flops=plain["train_flops"] * train,
        infer_flops_per_problem=plain["infer_flops_per_problem"] * infer,
    )
    same(small(scaled, at=[0.5]).rate(0.5), small(plain, at=[0.5]).rate(0.5))


@given(seed=st.integers(0, 10**6))
@settings(max_examples=8, deadline=None)
def test_order_and_names_of_rows_move_no_rate(plain: pd.DataFrame, small: Small, seed: int) -> None:
    rng = np.random.default_rng(seed)
    names = rng.permutation(1000)
    mixed = plain.sample(frac=1, random_state=seed).assign(
        run=lambda f: [f"run {names[k]}" for k in f["run"]],
        problem=lambda f: [f"p{names[k]}" for k in f["problem"]],
        budget=lambda f: [f"b{names[k]}" for k in f["budget"]],
    )
    same(small(mixed, at=[0.5]).rate(0.5), small(plain, at=[0.5]).rate(0.5))


def test_a_budget_is_billed_at_its_mean_over_problems(plain: pd.DataFrame) -> None:
    """The sum is what is paid, however unequal the problems: no mean of logarithms."""
    factor = np.where(plain["problem"] % 2 == 0, 0.2, 1.8)
    uneven = plain.assign(infer_flops_per_problem=plain["infer_flops_per_problem"] * factor)
    np.testing.assert_allclose(design_of(uneven).v, design_of(plain).v, rtol=1e-12)


def test_seeds_that_spent_nearly_the_same_are_one_level(grid: Grid) -> None:
    frame = grid(levels=4, seeds=3, problems=5, budgets=3)
    jitter = 10 ** (0.01 * np.sin(frame["run"].to_numpy()))
    design = design_of(
        frame.assign(
            train_flops=frame["train_flops"] * jitter,
            infer_flops_per_problem=frame["infer_flops_per_problem"] * jitter,
        )
    )
    assert design.levels == 4
    assert design.seeds.tolist() == [3, 3, 3, 3]
    assert len(design.budgets) == 3
    assert not design.shared


def test_neighbouring_checkpoints_of_one_run_stay_apart() -> None:
    u = np.array([18.0, 18.008, 18.016])
    frame = pd.DataFrame({"train_flops": 10**u, "infer_flops_per_problem": 1e9, "score": 0.5, "run": "a"})
    assert design_of(frame).levels == 3
    assert design_of(frame.assign(run=["a", "b", "c"])).levels == 1


def test_groups_of_exchangeable_runs(grid: Grid) -> None:
    own = design_of(grid(levels=3, seeds=2, problems=4, budgets=2))
    assert np.bincount(own.strata).tolist() == [2, 2, 2]
    frame = grid(levels=3, seeds=3, problems=4, budgets=2, shared=True)
    assert np.bincount(design_of(frame).strata).tolist() == [3]
    stopped = frame[~((frame["run"] == 1) & (frame["train_flops"] > 5e19))]
    design = design_of(stopped)
    assert np.bincount(design.strata).tolist() == [3]
    assert design.seeds.tolist() == [3, 3, 2]


def test_a_run_that_stopped_early_is_left_out_and_drawn_like_the_others(grid: Grid, small: Small) -> None:
    frame = grid(levels=4, seeds=3, problems=60, budgets=4, shared=True)
    stopped = frame[~((frame["run"] == 1) & (frame["train_flops"] > 5e19))]
    design = design_of(stopped)
    assert len(left_out(design).runs) == 3
    drawn = draws_of(design, 50, np.random.default_rng(0))
    assert np.isfinite(drawn).all()
    rate = small(stopped, at=[0.5]).rate(0.5)
    assert rate.components is not None
    assert rate.components.run > 0
    assert rate.components.run_freedom == 2


def test_two_runs_with_other_levels_still_show_their_spread(grid: Grid, small: Small) -> None:
    """One stopped early: neither has a twin with the same levels."""
    frame = grid(levels=4, seeds=2, problems=60, budgets=4, shared=True)
    stopped = frame[~((frame["run"] == 1) & (frame["train_flops"] > 5e19))]
    found = small(stopped, at=[0.5])
    assert found.rate(0.5).status == "this run"
    assert np.isfinite(draws_of(found.design, 20, np.random.default_rng(0))).all()


def test_a_budget_that_one_run_lacks_leaves_a_rate(grid: Grid, small: Small) -> None:
    """And one that a single run has is left out where that run is."""
    frame = grid(levels=4, seeds=2, problems=60, budgets=5)
    whole = small(frame, at=[0.5]).rate(0.5)
    lacks = frame[~((frame["run"] == 3) & (frame["budget"] == 2))]
    assert np.isnan(left_out(design_of(lacks)).runs).any()
    rate = small(lacks, at=[0.5]).rate(0.5)
    assert rate.status == whole.status == "ok"
    assert whole.eta is not None
    assert rate.eta is not None
    assert rate.eta.low is not None
    assert rate.eta.high is not None
    assert rate.eta.low < whole.eta.value < rate.eta.high


def test_a_problem_that_one_cell_lacks_leaves_a_rate(plain: pd.DataFrame, small: Small) -> None:
    lacks = plain.drop(plain.index[[7, 300]])
    one, other = small(lacks, at=[0.5]), small(plain, at=[0.5])
    assert one.design.problems == other.design.problems
    assert int(np.isnan(one.design.scores).sum()) == 2
    first, second = one.rate(0.5).eta, other.rate(0.5).eta
    assert first is not None
    assert second is not None
    assert first.value == pytest.approx(second.value, abs=0.02)


def test_a_cell_of_one_problem_is_left_out_of_draws_without_it(grid: Grid, small: Small) -> None:
    frame = grid(levels=4, seeds=2, problems=40, budgets=5)
    one_left = (frame["train_flops"] < 2e18) & (frame["budget"] == 0) & (frame["problem"] > 0)
    found = small(frame[~one_left], at=[0.5])
    assert found.rate(0.5).status == "ok"
    drawn = draws_of(found.design, 50, np.random.default_rng(0))
    assert np.isnan(drawn).any(axis=1).sum() > 5
    assert np.isnan(drawn).any(axis=0).sum() == 1
