"""Grids of training levels x seeds x budgets x problems whose rate is known, to plant things in."""

from collections.abc import Callable, Iterator
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from scipy.special import expit

from scaling.exchange import Exchange, exchange_rate
from scaling.exchange.doubts import doubts

Grid = Callable[..., pd.DataFrame]
ETA = 0.8


def logits(u: np.ndarray, v: np.ndarray) -> np.ndarray:
    """Additive, so that the rate is ETA everywhere."""
    return -2 + (u - 18) + ETA * (v - 9)


def make_grid(
    levels: int = 5,
    seeds: int = 3,
    problems: int = 128,
    samples: int = 64,
    budgets: int = 5,
    *,
    train: tuple[float, float] = (18.0, 20.0),
    infer: tuple[float, float] = (9.0, 12.0),
    surface: Callable[[np.ndarray, np.ndarray], np.ndarray] = logits,
    run_sd: float = 0.1,
    problem_sd: float = 1.0,
    shared: bool = False,
    seed: int = 0,
) -> pd.DataFrame:
    """One row a problem of a run at a budget: n samples, c of them right.

    `surface` gives logits at log10 compute of training and inference; runs move them by `run_sd`, problems by `problem_sd`.
    With `shared` the runs of a seed are one run with checkpoints at all levels.
    """
    rng = np.random.default_rng(seed)
    level, one, budget, problem = (
        axis.ravel() for axis in np.indices((levels, seeds, budgets, problems), dtype=np.intp)
    )
    u, v = np.linspace(*train, levels)[level], np.linspace(*infer, budgets)[budget]
    luck = rng.normal(0, run_sd, (1 if shared else levels, seeds))[level * (not shared), one]
    chance = expit(surface(u, v) + luck + rng.normal(0, problem_sd, problems)[problem])
    return pd.DataFrame(
        {
            "train_flops": 10**u,
            "infer_flops_per_problem": 10**v,
            "run": one if shared else level * seeds + one,
            "budget": budget,
            "problem": problem,
            "n": samples,
            "c": rng.binomial(samples, chance),
        }
    )


@pytest.fixture(scope="session")
def grid() -> Grid:
    """The builder."""
    return make_grid


@pytest.fixture(scope="session")
def as_cells() -> Callable[[pd.DataFrame], pd.DataFrame]:
    """Whole cells of a grid: score and n_problems, problems not told apart."""

    def cells(frame: pd.DataFrame) -> pd.DataFrame:
        keys = ["train_flops", "infer_flops_per_problem", "run", "budget"]
        told = frame.assign(score=frame["c"] / frame["n"]).groupby(keys, sort=False)
        return told.agg(score=("score", "mean"), n_problems=("problem", "size")).reset_index()

    return cells


@pytest.fixture(scope="session")
def as_samples() -> Callable[[pd.DataFrame], pd.DataFrame]:
    """One row a sample of a grid: correct, the right ones first."""

    def samples(frame: pd.DataFrame) -> pd.DataFrame:
        n = frame["n"].to_numpy()
        place = np.arange(n.sum()) - np.repeat(np.cumsum(n) - n, n)
        long = frame.loc[frame.index.repeat(n)].reset_index(drop=True)
        return long.assign(correct=place < long["c"], sample=place).drop(columns=["n", "c"])

    return samples


@pytest.fixture(scope="module")
def no_backtest() -> Iterator[None]:
    """Nothing but the summary looks at it, and it takes nearly all of the time."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("scaling.exchange.measure.backtest", lambda *_: {})
        yield


@pytest.fixture(scope="module")
def table() -> pd.DataFrame:
    """A clean grid."""
    return make_grid()


@pytest.fixture(scope="module")
def few() -> pd.DataFrame:
    """Fewer of everything."""
    return make_grid(levels=3, seeds=2, problems=40, samples=16, budgets=3)


@pytest.fixture(scope="module")
def plain() -> pd.DataFrame:
    """Few of everything, but enough for a rate at one half."""
    return make_grid(levels=4, seeds=2, problems=40, samples=16, budgets=5, infer=(9.0, 11.0))


@pytest.fixture(scope="module")
def small(no_backtest: None) -> Callable[..., Exchange]:
    """Rates without draws."""
    return lambda frame, **options: exchange_rate(frame, bootstrap=0, **options)


@pytest.fixture(scope="module")
def retold(no_backtest: None, table: pd.DataFrame) -> Callable[[pd.DataFrame], Exchange]:
    """The clean grid's rates, its table told more by columns that no rate is made of."""
    clean = exchange_rate(table, bootstrap=0)
    return lambda frame: replace(clean, warnings=doubts(clean, frame))


@pytest.fixture(scope="session")
def said() -> Callable[[Exchange, str], str]:
    """The message of a code, which the summary prints and the JSON holds; empty where it did not fire."""

    def message(found: Exchange, code: str) -> str:
        messages = [one.message for one in found.warnings if one.code == code]
        text, held = found.summary(), [one["code"] for one in found.to_json()["warnings"]]
        assert held == [one.code for one in found.warnings]
        assert all(f"  {code}: {one}" in text for one in messages)
        return " ".join(messages)

    return message
