"""Doubts about the shape of scores: each is planted, and the summary says so with the number."""

import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy.special import expit, logit

from scaling.exchange import Exchange, exchange_paired, exchange_rate
from scaling.exchange.doubts import doubts, length_grows, stuck

Frames = Callable[[pd.DataFrame], pd.DataFrame]
Grid = Callable[..., pd.DataFrame]
Said = Callable[[Exchange, str], str]
Small = Callable[..., Exchange]
Retold = Callable[[pd.DataFrame], Exchange]


def turned(u: np.ndarray, v: np.ndarray) -> np.ndarray:
    """Rises to the third of five budgets, and falls."""
    return -1 + (u - 18) + np.where(v < 10.5, v - 9, 1.5 - 1.0 * (v - 10.5))


def test_scores_that_turn_over(said: Said, small: Small, grid: Grid, as_cells: Frames) -> None:
    frame = grid(levels=3, seeds=2, problems=60, samples=16, surface=turned)
    frame["budget"] = 2 ** frame["budget"]
    found = small(frame.assign(method="best_of"), at=(0.5,))
    message = said(found, "turns_over")
    assert "scores of best_of fall at 3 of 3 training levels" in message
    assert "at budget 4 to" in message
    assert "at 16, significantly from 8 on" in message
    cells = as_cells(frame).assign(n_problems=500)
    assert "at budget 4 to" in said(small(cells, at=(0.5,)), "turns_over")


def test_a_fall_within_the_error_is_no_turn(said: Said, small: Small, grid: Grid) -> None:
    for seed in range(10):
        frame = grid(
            levels=3, seeds=2, problems=40, samples=8, surface=lambda u, v: (u - 19) + np.minimum(v - 9, 1.5), seed=seed
        )  # fmt: skip
        assert not said(small(frame, at=(0.5,)), "turns_over")


def test_truncation_is_not_overthinking(said: Said, small: Small, grid: Grid) -> None:
    frame = grid(levels=3, seeds=2, problems=60, samples=16, surface=turned)
    frame["truncated_share"] = np.array([0.0, 0.0, 0.01, 0.2, 0.4])[frame["budget"]]
    found = small(frame, at=(0.5,))
    message = said(found, "truncated")
    assert "up to 40% of answers were cut off (training level 1 and budget 4)" in message
    assert "that is truncation, not overthinking" in message
    assert not said(found, "turns_over")
    frame["truncated_share"] = 0.04
    found = small(frame, at=(0.5,))
    assert said(found, "turns_over")
    assert not said(found, "truncated")


def test_truncated_samples(said: Said, small: Small, few: pd.DataFrame, as_samples: Frames) -> None:
    long = as_samples(few)
    long["truncated"] = (long["budget"] == 2) & (long["sample"] % 4 == 0)
    message = said(small(long, at=(0.5,)), "truncated")
    assert "up to 25% of answers were cut off (training level 1 and budget 2)" in message
    assert "of a cut, not of the method" in message


def test_a_ceiling(said: Said, small: Small, grid: Grid) -> None:
    frame = grid(
        samples=256, seeds=2, surface=lambda u, v: logit(0.8 * expit(4 * (u - 18.5) + 2.5 * (v - 10))), problem_sd=0.0,
        run_sd=0.0,
    )  # fmt: skip
    found = small(frame, at=(0.5,))
    message = said(found, "ceiling")
    assert "with most inference scores stand still at 79.8% over the last 4 of 5 training levels" in message


@pytest.mark.target
def test_r1_zero_stands_still_at_26_of_30_and_its_answers_grow_24_times() -> None:
    mirror = os.environ.get("SCALING_DATA_MIRROR")
    if not mirror:
        pytest.skip("SCALING_DATA_MIRROR is not set: no outside data")
    told = pd.read_csv(Path(mirror) / "deepseek_r1_zero" / "r1zero_digitised.csv")
    frame = pd.concat(
        [
            pd.DataFrame(
                {
                    "train_flops": told["cumulative_tokens_rel"],
                    "infer_flops_per_problem": told["mean_response_tokens"] * votes,
                    "budget": votes,
                    "run": 0,
                    "score": told[column],
                }
            )
            for votes, column in ((1, "pass_at_1"), (16, "cons_at_16"))
        ],
        ignore_index=True,
    )
    found = exchange_paired(frame, bootstrap=50)
    messages = {one.code: one.message for one in found.warnings}
    assert "stand still at 86.7% over the last 9 of 43 checkpoints" in messages["ceiling"]
    assert "one sample costs 24x as much" in messages["length_grows"]
    assert "ceiling: with most inference" in found.summary()


def test_what_still_rises_or_never_rose_is_no_ceiling() -> None:
    rising, flat = np.linspace(0.2, 0.8, 9), np.full(9, 0.5)
    assert not stuck(rising, rising - 0.1)
    assert not stuck(flat, flat - 0.1)
    assert not stuck(
        np.append(rising, [0.5, 0.5, 0.5]), np.linspace(0.1, 0.5, 12)
    )  # stands, but not at its top
    u = np.linspace(0, 2, 5)
    assert not stuck(expit(3.2 + 0.2 * u), expit(-1 + 0.2 * u))  # nears 1 as fast as it should
    assert stuck(np.array([0.9, 0.991, 0.995, 1.0]), np.array([0.1, 0.2, 0.3, 0.4]))
    assert stuck(np.append(rising, [0.8, 0.8]), np.linspace(0.1, 0.5, 11))


def test_cells_at_chance(said: Said, small: Small, grid: Grid) -> None:
    frame = grid(
        levels=4, seeds=2, problems=60, samples=16, problem_sd=0.0, run_sd=0.0,
        surface=lambda u, v: logit(0.25 + 0.7 * expit(np.where(u < 18.5, -99, 2 * (u - 19.5) + v - 9))), seed=1,
    )  # fmt: skip
    found = small(frame.assign(chance_score=0.25), at=(0.6,))
    assert "5 of 20 cells score at chance (25%, within 2 standard errors)" in said(found, "at_chance")
    nothing = frame.assign(c=np.where(frame["train_flops"] < 1e18 * 1.1, 0, frame["c"]))
    assert "5 of 20 cells score 0" in said(small(nothing, at=(0.6,)), "at_chance")


def test_a_rate_that_may_be_nil_is_not_called_bent(said: Said, small: Small, grid: Grid) -> None:
    flat = grid(seeds=2, problems=60, samples=32, run_sd=0.2, surface=lambda u, v: 1 + 0.8 * (u - 18) + 0 * v)
    assert not said(small(flat, at=(0.7,)), "not_constant")


def test_samples_that_grow_along_training(
    said: Said, small: Small, retold: Retold, table: pd.DataFrame, few: pd.DataFrame
) -> None:
    longer = few.assign(
        infer_flops_per_problem=few["infer_flops_per_problem"] * (few["train_flops"] / 1e18) ** 0.25
    )
    assert "one sample costs 3.2x as much" in said(small(longer, at=(0.5,)), "length_grows")
    tokens = 500 * (table["train_flops"] / 1e18) ** 0.5 * (1 + table["budget"])
    assert "one sample costs 10x as much" in said(retold(table.assign(tokens=tokens)), "length_grows")
    u = np.linspace(18, 20, 5)
    assert not length_grows(u, np.full(5, 9.0))
    assert not length_grows(u, 9 - 0.5 * (u - 18))


def test_less_than_a_decade_is_not_extrapolated(said: Said, small: Small, grid: Grid) -> None:
    frame = grid(levels=4, seeds=2, problems=60, samples=16, infer=(9.0, 9.8))
    message = said(small(frame, at=(0.3, 0.35)), "short_span")
    assert message.startswith("at 0.3, 0.35 less than a decade of inference was measured")
    assert "at most 0.8" in message


def test_a_rate_that_is_none_constant(said: Said, grid: Grid) -> None:
    frame = grid(
        seeds=3, run_sd=0.02, surface=lambda u, v: (u - 19) + 1.2 * (v - 9) - 0.18 * (v - 9) ** 2 - 1
    )
    found = exchange_rate(frame, at=(0.5,), bootstrap=50)
    message = said(found, "not_constant")
    assert "a constant rate is refuted (p = 0.0" in message
    assert "at 0.5 eta goes from 1" in message
    assert "one number is a mean" in said(
        replace(found, constancy=None, warnings=doubts(found, frame)), "not_constant"
    )


def test_a_smooth_curve_that_dips_between_budgets(said: Said, small: Small) -> None:
    """Two votes are worth one, as ties go by chance: flat, then steep, which a cubic passes in a dip."""
    u, k = (axis.ravel() for axis in np.meshgrid(np.linspace(18, 20, 5), [1, 2, 4, 8, 16], indexing="ij"))
    gain = np.maximum(np.log2(k) - 1, 0.0)
    frame = pd.DataFrame(
        {
            "train_flops": 10**u,
            "infer_flops_per_problem": k * 1e9,
            "budget": k,
            "score": expit(u - 19.5 + 0.8 * gain),
        }
    )
    message = said(small(frame, at=(0.5,)), "between_budgets")
    assert "between budgets 1 and 2 the smooth curve falls" in message
    assert not said(small(frame, at=(0.5,), surface="bilinear"), "between_budgets")
    straight = frame.assign(score=expit(u - 19.5 + 0.8 * np.log2(k)))
    assert not said(small(straight, at=(0.5,)), "between_budgets")
