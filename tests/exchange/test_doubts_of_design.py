"""Doubts about what was run, chosen and counted: each is planted, and the summary says so with the number."""

import re
from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest
from scipy.special import expit

from scaling.exchange import Exchange
from scaling.exchange.ledger import Ledger

Frames = Callable[[pd.DataFrame], pd.DataFrame]
Grid = Callable[..., pd.DataFrame]
Said = Callable[[Exchange, str], str]
Small = Callable[..., Exchange]
Retold = Callable[[pd.DataFrame], Exchange]


def test_one_run_a_level(said: Said, small: Small, grid: Grid) -> None:
    frame = grid(levels=3, seeds=2, problems=40, samples=16, budgets=3)
    lone = frame[frame["run"] != 3]
    assert "1 of 3 training levels have one run:" in said(small(lone, at=(0.5,)), "one_run")
    unnamed = frame[frame["run"] % 2 == 0].drop(columns="run")
    assert "3 of 3 training levels have one run (no column run" in said(small(unnamed, at=(0.5,)), "one_run")


def test_problems_that_differ_or_are_not_told(
    said: Said, small: Small, few: pd.DataFrame, as_cells: Frames
) -> None:
    own = few.assign(problem=few["problem"] + 1000 * few["run"])
    found = small(own, at=(0.5,))
    assert "two checkpoints have 0% of their problems in common" in said(found, "unpaired")
    assert "two budgets" not in said(found, "unpaired")
    by_budget = few.assign(problem=few["problem"] + 25 * few["budget"])
    assert "two budgets have 25% of their problems in common" in said(small(by_budget, at=(0.5,)), "unpaired")
    most = few[(few["problem"] + few["run"]) % 5 > 0]
    assert not said(small(most, at=(0.5,)), "unpaired")
    cells = small(as_cells(few), at=(0.5,))
    assert "the interval has no part for them" in said(cells, "cells_only")
    assert not said(cells, "unpaired")


def test_few_problems(said: Said, small: Small, grid: Grid, as_cells: Frames) -> None:
    frame = grid(levels=3, seeds=2, problems=30, samples=16, budgets=3)
    for told in (frame, as_cells(frame)):
        assert "30 problems: one of them is 3.3 points" in said(small(told, at=(0.5,)), "grain")


@pytest.mark.parametrize(
    ("how", "fires"),
    [
        ("AIME test score", True),
        ("eval_accuracy", True),
        ("best on aime24", True),
        ("validation score", False),
        ("latest step", False),
        ("training loss", False),
    ],
)
def test_checkpoints_picked_by_their_score(
    said: Said, retold: Retold, table: pd.DataFrame, how: str, fires: bool
) -> None:
    message = said(retold(table.assign(selected_on=how, task="AIME24")), "picked")
    assert bool(message) == fires
    assert not fires or f"chosen on {how} (column selected_on)" in message


def test_the_best_so_far(said: Said, small: Small, grid: Grid, as_cells: Frames) -> None:
    frame = as_cells(grid(levels=16, seeds=2, problems=40, samples=8, budgets=3, shared=True, run_sd=0.3))
    rng = np.random.default_rng(0)
    frame["score"] = np.clip(frame["score"] + rng.normal(0, 0.05, len(frame)), 0.01, 0.99)
    assert not said(small(frame, at=(0.5,)), "best_so_far")
    best = frame.assign(score=frame.sort_values("train_flops").groupby(["run", "budget"])["score"].cummax())
    message = said(small(best, at=(0.5,)), "best_so_far")
    assert "never fall over 16 checkpoints and repeat exactly in" in message
    smooth = frame.assign(score=expit(np.log10(frame["train_flops"]) - 19 + frame["budget"] / 2))
    assert not said(small(smooth, at=(0.5,)), "best_so_far")


def test_recipes_along_the_training_axis(said: Said, retold: Retold, table: pd.DataFrame) -> None:
    mixed = table.assign(recipe=np.where(table["train_flops"] < 2e18, "lr small", "lr large"))
    message = said(retold(mixed), "recipes")
    assert (
        "2 recipes, not the same at all training levels (lr small at the least compute, lr large" in message
    )
    everywhere = table.assign(recipe=np.where(table["problem"] % 2, "a", "b"))
    assert not said(retold(everywhere), "recipes")


def test_settings_that_differ(said: Said, retold: Retold, table: pd.DataFrame) -> None:
    mixed = table.assign(temperature=np.where(table["budget"] == 0, 0.0, 0.7), top_p=0.95)
    message = said(retold(mixed), "mixed_setting")
    assert "temperature takes 2 values (0.0, 0.7)" in message
    assert "top_p" not in message


def test_other_methods_of_the_table_raise_no_doubt(said: Said, small: Small, few: pd.DataFrame) -> None:
    both = pd.concat(
        [
            few.assign(method="greedy", temperature=0.0),
            few.assign(method="sampled", temperature=1.0, truncated_share=0.9),
        ],
        ignore_index=True,
    )
    found = small(both, method="greedy", at=(0.5,))
    assert not said(found, "mixed_setting")
    assert not said(found, "truncated")


def test_the_convention_that_decides(said: Said, small: Small, few: pd.DataFrame) -> None:
    found = small(few.assign(pretrain_flops=1e20), at=(0.5,))
    message = said(found, "ledger_decides")
    assert "this stage is 0.99% to 50% of all training compute" in message
    assert "counted as with all training before it, eta is about 0.15 times as large" in message
    assert not said(found, "stage_only")


def test_what_came_before_is_little(said: Said, small: Small, few: pd.DataFrame) -> None:
    found = small(few.assign(pretrain_flops=1e16), at=(0.5,))
    assert not said(found, "ledger_decides")
    assert not said(found, "stage_only")


def test_the_factor_between_conventions_is_that_between_rates(said: Said, small: Small, grid: Grid) -> None:
    frame = grid(problems=60, train=(17.0, 20.0), run_sd=0.02)
    frame["pretrain_flops"] = 1e14 * frame["train_flops"] ** 0.4
    stage, total = (small(frame, at=(0.4,), ledger=Ledger(train=train)) for train in ("stage", "total"))
    factor, back = (
        float(re.findall(r"eta is about (\S+) times", said(one, "ledger_decides"))[0])
        for one in (stage, total)
    )
    assert factor * back == pytest.approx(1, abs=0.03)
    etas = [one.rates[0].eta for one in (stage, total)]
    assert etas[0] is not None
    assert etas[1] is not None
    assert etas[1].value / etas[0].value == pytest.approx(factor, rel=0.1)


def test_problems_that_are_missing_because_they_are_hard(said: Said, small: Small, grid: Grid) -> None:
    frame = grid(levels=4, seeds=2, problems=100, samples=16, budgets=4, problem_sd=1.5)
    ease = frame.groupby("problem")["c"].mean().rank(pct=True)
    hard = frame["problem"].map(ease) < 0.3
    unlike = small(frame[~(hard & (frame["budget"] == 3))], at=(0.5,))
    message = said(unlike, "missing_unlike")
    assert "29% of problems have no score at budget 3, and elsewhere they score" in message
    assert "harder problems are missing, the cell's mean is too high" in message
    luck = np.random.default_rng(0).random(100) < 0.3
    alike = frame[~(luck[frame["problem"]] & (frame["budget"] == 3))]
    assert not said(small(alike, at=(0.5,)), "missing_unlike")
    assert not said(small(frame, at=(0.5,)), "missing_unlike")


def test_models_pooled_at_one_level(said: Said, retold: Retold, table: pd.DataFrame) -> None:
    models = table.assign(model=np.where(table["run"] % 3 == 0, "A", "B"))
    assert "one training level holds 2 values of model (A, B): the rate pools them" in said(
        retold(models), "pooled"
    )
    sizes = table.assign(model=np.where(table["train_flops"] > 1e19, "large", "small"))
    assert not said(retold(sizes), "pooled")
