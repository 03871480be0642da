"""What is simulated lies apart as the design does: problems in a cell, budgets and checkpoints of a problem, runs."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from scipy.special import expit

from scaling.exchange import Exchange, exchange_rate
from scaling.exchange.design import Design
from scaling.exchange.simulation import nearest, setting_of, simulated

RUNS, LEVELS, PROBLEMS = 6, 5, 120
SPREAD = (0.8, 1.2, 1.6, 2.0)
"""Of problems at each budget."""
OF_PROBLEM, OF_RUN, OF_CHECKPOINT, OF_CELL = 0.3, 0.3, 0.2, 0.2
"""Parts of a problem's variance: in all runs, in one, in one checkpoint, and in a cell alone."""
LUCK = (
    np.random.default_rng(2).normal(size=(RUNS, 1)) * 0.4
    + np.random.default_rng(3).normal(size=(RUNS, 4)) * 0.3
)
"""Of each run at each budget."""


def counted(n: int = 20) -> pd.DataFrame:
    """Counts of runs x levels x budgets x problems of known spreads, each budget with samples of its own."""
    rng = np.random.default_rng(0)
    parts = (
        (OF_PROBLEM, (1, 1, 1)), (OF_RUN, (RUNS, 1, 1)), (OF_CHECKPOINT, (RUNS, LEVELS, 1)),
        (OF_CELL, (RUNS, LEVELS, len(SPREAD))),
    )  # fmt: skip
    z = sum(np.sqrt(part) * rng.normal(size=(*shape, PROBLEMS)) for part, shape in parts)
    x = np.linspace(-1.5, 1.5, LEVELS)[:, None, None] + np.linspace(-0.5, 0.5, len(SPREAD))[:, None]
    c = rng.binomial(n, expit(x + LUCK[:, None, :, None] + np.array(SPREAD)[:, None] * z))
    run_, level, budget, problem = np.indices(c.shape).reshape(4, -1)
    return pd.DataFrame(
        {"train_flops": 10 ** (18 + 0.5 * level), "infer_flops_per_problem": 10 ** (9 + 0.5 * budget), "run": run_,
         "budget": budget, "problem": problem, "n": n, "c": c.ravel()}
    )  # fmt: skip


def sampled(n: int = 32) -> pd.DataFrame:
    """Samples of 4 runs x 4 levels x 60 problems, each with a favourite among wrong answers."""
    rng = np.random.default_rng(1)
    z = 0.6 * rng.normal(size=60) + 0.6 * rng.normal(size=(4, 4, 60))
    x = np.linspace(-1.5, 0.6, 4)[:, None] + 0.3 * rng.normal(size=(4, 1, 1)) + z
    right = rng.random((*x.shape, n)) < expit(x)[..., None]
    run, level, problem, sample = np.indices(right.shape).reshape(4, -1)
    wrong = np.minimum(rng.geometric(0.4, size=right.size), 5)
    return pd.DataFrame(
        {"train_flops": 10 ** (18 + 0.5 * level), "infer_flops_per_problem": 1e9, "run": run, "problem": problem,
         "sample": sample, "correct": right.ravel(), "answer": np.where(right.ravel(), 0, wrong),
         "verifier_score": rng.normal(size=right.size) + 1.5 * right.ravel()}
    )  # fmt: skip


def shown(design: Design) -> pd.Series:
    """What a design shows of its spreads, over cells that score from .15 to .85."""
    inside = (design.means > 0.15) & (design.means < 0.85)
    z = design.scores - design.means[..., None]
    spread = z.std(axis=2)
    z = np.where(inside, 1.0, np.nan)[..., None] * z / np.maximum(spread, 1e-9)[..., None]
    pairs = {
        "neighbouring budgets": np.nanmean(z[:, 1:] * z[:, :-1]),
        "checkpoints of a run": _across(z, design.run[:, None] == design.run),
        "runs": _across(z, design.run[:, None] != design.run),
    }
    level_means = [np.ptp(design.means[design.level == k], axis=0) for k in range(design.levels)]
    middle = np.abs(design.by_level(design.means) - 0.5) < 0.35
    by_budget = pd.DataFrame(np.where(inside, spread, np.nan)).mean()
    return pd.Series(
        {**pairs, "range of runs": np.mean(np.array(level_means)[middle])}
        | {f"problems at {b}": one for b, one in enumerate(by_budget)}
    )


def _across(z: np.ndarray, chosen: np.ndarray) -> float:
    """Mean correlation of pairs of checkpoints at one budget."""
    first, second = np.nonzero(np.triu(chosen, 1))
    return float(np.nanmean(z[first] * z[second]))


def both(found: Exchange) -> pd.DataFrame:
    """What the measured design shows, and the mean over simulated ones about the surface nearest to it."""
    setting = setting_of(found)
    surface = nearest("free", found.design, setting)
    again = [shown(one) for one in simulated(setting, surface, 20, np.random.default_rng(0))]
    rows = {"measured": shown(found.design), "simulated": pd.concat(again, axis=1).mean(axis=1)}
    return pd.DataFrame(rows).dropna()


def test_spreads_that_are_known_are_found() -> None:
    setting = setting_of(exchange_rate(counted(), at=[0.5], bootstrap=0, backtested=False))
    np.testing.assert_allclose(setting.spread, SPREAD, rtol=0.1)
    shared = np.cumsum([OF_PROBLEM, OF_RUN, OF_CHECKPOINT])
    np.testing.assert_allclose(setting.likeness.one, [*shared[:2], 1], atol=0.05)
    np.testing.assert_allclose(setting.likeness.two, shared, atol=0.05)
    # the luck that these runs had; of problems 1.4 apart the mean over them is flatter by what `run_spread` makes good
    moments = np.cov(LUCK.T)
    assert setting.run_spread == pytest.approx(np.sqrt(np.trace(moments) / 4), rel=0.15)
    alone = np.eye(4, dtype=bool)
    assert setting.together == pytest.approx(moments[~alone].mean() / moments[alone].mean(), abs=0.15)


def test_simulated_grids_look_like_the_measured_one() -> None:
    rows = both(exchange_rate(counted(), at=[0.5], bootstrap=0, backtested=False))
    print(rows)
    np.testing.assert_allclose(rows["simulated"], rows["measured"], rtol=0.2)


@pytest.mark.parametrize("method", ["majority", "best_of", "pass"])
def test_simulated_grids_of_a_method_by_k_look_like_the_measured_one(method: str) -> None:
    rows = both(exchange_rate(sampled(), at=[0.5], method=method, bootstrap=0, backtested=False))
    print(rows)
    np.testing.assert_allclose(rows["simulated"], rows["measured"], rtol=0.2)


def test_scores_of_single_samples_tell_what_problems_have_in_common_at_all_budgets() -> None:
    found = exchange_rate(counted(n=1), at=[0.5], bootstrap=0, backtested=False)
    setting = setting_of(found)
    common = np.sqrt(OF_PROBLEM + OF_RUN + OF_CHECKPOINT) * np.mean(SPREAD)
    np.testing.assert_allclose(setting.spread, common, rtol=0.15)
    untold = setting_of(replace(found, design=replace(found.design, trials=None)))
    assert untold.samples.max() == 1
    np.testing.assert_array_equal(untold.spread, setting.spread)
