"""Doubts: what misleads is planted, and the summary says so with the number; a clean grid raises none of it."""

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest
from scipy.special import comb

from scaling.exchange import Exchange, exchange_rate

Frames = Callable[[pd.DataFrame], pd.DataFrame]
Grid = Callable[..., pd.DataFrame]
Said = Callable[[Exchange, str], str]
Small = Callable[..., Exchange]
Retold = Callable[[pd.DataFrame], Exchange]


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("shared", [False, True])
def test_a_clean_grid_is_told_its_convention_alone(said: Said, grid: Grid, seed: int, shared: bool) -> None:
    found = exchange_rate(grid(seed=seed, shared=shared), bootstrap=50, at=(0.45, 0.55))
    assert [one.code for one in found.warnings] == ["stage_only"]
    assert "eta shrinks by C_stage / C_total" in said(found, "stage_only")


def test_a_clean_grid_of_samples_is_told_no_more(small: Small, few: pd.DataFrame, as_samples: Frames) -> None:
    long = as_samples(few)
    rng = np.random.default_rng(0)
    long["verifier_score"] = long["correct"] + rng.normal(0, 0.7, len(long))
    codes = {one.code for one in small(long, at=(0.5,)).warnings}
    assert codes == {"stage_only", "grain"}


@pytest.mark.parametrize(("noise", "leaks"), [(0.0, True), (0.2, True), (0.5, False)])
def test_a_verifier_that_knows_the_answer(
    said: Said, small: Small, few: pd.DataFrame, as_samples: Frames, noise: float, leaks: bool
) -> None:
    long = as_samples(few)
    rng = np.random.default_rng(0)
    level = long["problem"] % 7  # scores need be comparable within a problem alone
    long["verifier_score"] = long["correct"] + level + rng.normal(0, noise, len(long))
    message = said(small(long, at=(0.5,)), "verifier_leak")
    assert bool(message) == leaks
    assert not leaks or "the reference answer is probably in the verifier" in message
    assert noise or "first in 100% of pairs" in message


def finished(
    frame: pd.DataFrame, score: Callable[[np.ndarray, np.ndarray, np.ndarray], np.ndarray]
) -> pd.DataFrame:
    """Scores at k = 1, 4, 16 of the samples of the middle budget."""
    one = frame[frame["budget"] == 1]
    parts = [
        one.assign(
            k=k,
            budget=k,
            infer_flops_per_problem=one["infer_flops_per_problem"] * k,
            score=score(one["n"].to_numpy(), one["c"].to_numpy(), np.full(len(one), k)),
        )
        for k in (1, 4, 16)
    ]
    return pd.concat(parts, ignore_index=True)


def unbiased(n: np.ndarray, c: np.ndarray, k: np.ndarray) -> np.ndarray:
    return 1 - comb(n - c, k) / comb(n, k)


def test_pass_at_k_with_replacement_and_of_the_first_k(said: Said, small: Small, grid: Grid) -> None:
    hard = grid(levels=3, seeds=2, problems=40, samples=64, budgets=3, surface=lambda u, v: (u - 18) - 3)
    rng = np.random.default_rng(0)

    def first(n: np.ndarray, c: np.ndarray, k: np.ndarray) -> np.ndarray:
        return (rng.hypergeometric(c, n - c, k) > 0).astype(float)

    biased = small(finished(hard, lambda n, c, k: 1 - (1 - c / n) ** k), at=(0.5,))
    assert "points too low on average" in said(biased, "with_replacement")
    by_budget = finished(hard, lambda n, c, k: np.round(1 - (1 - c / n) ** k, 3)).drop(columns="k")
    assert said(small(by_budget, at=(0.5,)), "with_replacement")
    prefix = small(finished(hard, first), at=(0.5,))
    assert "the first k samples were used" in said(prefix, "prefix")
    fair = small(finished(hard, unbiased), at=(0.5,))
    for code in ("with_replacement", "prefix", "k_beyond_n"):
        assert not said(fair, code)
    assert not said(biased, "prefix")
    assert not said(prefix, "with_replacement")


def test_k_beyond_n(said: Said, small: Small, few: pd.DataFrame) -> None:
    frame = finished(few, lambda n, c, k: 1 - (1 - c / n) ** k).assign(n=8)
    frame["c"] = frame["c"] // 2
    message = said(small(frame, at=(0.5,)), "k_beyond_n")
    assert "240 of 720 rows have k above n (k = 16 of n = 8)" in message


def test_samples_whose_number_follows_the_outcome(said: Said, small: Small, grid: Grid) -> None:
    rng = np.random.default_rng(0)
    frame = grid(levels=3, seeds=2, problems=60, samples=16, budgets=3, problem_sd=2.0)
    share = frame["c"] / frame["n"]
    hard = share.groupby(frame["problem"]).transform("mean") < 0.5
    by_outcome = frame.assign(n=np.where(hard, 64, 16), c=np.where(hard, 4, 1) * frame["c"])
    message = said(small(by_outcome, at=(0.5,)), "adaptive_n")
    assert "problems have 16 to 64 samples, and those with more were solved less often" in message
    by_chance = rng.choice([1, 4], 60)[frame["problem"]]
    other = frame.assign(n=16 * by_chance, c=by_chance * frame["c"])
    assert not said(small(other, at=(0.5,)), "adaptive_n")


def test_problems_seen_in_training(said: Said, retold: Retold, table: pd.DataFrame) -> None:
    seen = table["problem"] < 16
    told = table.assign(seen_in_training=seen, c=np.where(seen, 60, 32))
    message = said(retold(told), "seen_in_training")
    assert "16 of 128 problems" in message
    assert "scored 94% against 50%" in message
    assert not said(retold(table.assign(contaminated="no")), "seen_in_training")
