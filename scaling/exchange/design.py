"""The grid of one method: checkpoints x budgets x problems, as arrays, with the account of every row.

Shapes: K checkpoints, B budgets, P problems, L training levels, M cells (a level at a budget).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from scaling.laws.base import Array

Whole = npt.NDArray[np.intp]


@dataclass(frozen=True)
class Design:
    """What was measured, cell by cell."""

    u: Array
    """log10 training compute of each checkpoint, (K,)."""
    v: Array
    """log10 of inference compute a problem, the mean of what was realised, (K, B); NaN where there is no cell."""
    run: Whole
    """Which run each checkpoint is of, (K,)."""
    level: Whole
    """Which training level, (K,)."""
    scores: Array
    """Share of right answers, (K, B, P); NaN where missing. P = 1 holds whole cells where problems are not told apart."""
    trials: Array | None
    """Samples behind each score, (K, B, P); None where the table does not say."""
    cell_weight: Array
    """Trials a cell counts in the likelihood, (K, B): problems, where they are told."""
    run_names: tuple[Any, ...]
    budgets: tuple[Any, ...]
    problem_names: tuple[Any, ...] | None
    """None where the rows are whole cells."""
    problem_group: Whole
    """Stratum of each problem, (P,): problems of one difficulty are exchangeable."""
    runs_told: bool
    """Whether a column says which run a row is of."""
    read: int
    dropped: tuple[tuple[Any, str], ...]
    stratum_names: tuple[str, ...] = ()
    """Difficulties by number of `problem_group`, from 1 on; none where no column tells."""
    bounded: bool = True
    """Whether scores are shares: cells are cut off at 0, below which a correction for chance takes some, and at 1."""
    guessed: tuple[float, ...] = ()
    """What a guesser scores at each budget, where it was taken out of the scores, (B,)."""

    @property
    def levels(self) -> int:
        """L."""
        return int(self.level.max()) + 1

    @property
    def problems(self) -> int:
        """P, or 0 where problems are not told apart."""
        return 0 if self.problem_names is None else len(self.problem_names)

    @cached_property
    def seeds(self) -> Whole:
        """Runs at each level, (L,)."""
        counts: Whole = np.bincount(self.level, minlength=self.levels)
        return counts

    @cached_property
    def shared(self) -> bool:
        """Whether a run has checkpoints at several levels."""
        return bool((np.bincount(self.run) > 1).any())

    @cached_property
    def uneven(self) -> float:
        """Most that training compute differs within a level, as a factor."""
        return float(10 ** max(np.ptp(self.u[self.level == k]) for k in range(self.levels)))

    @cached_property
    def strata(self) -> Whole:
        """Group of each run, (runs,): runs that share a level, directly or by way of others, are exchangeable.

        Runs that stopped early are so of the group of those that went on.
        """
        group = np.arange(len(self.run_names))
        for level in range(self.levels):
            joined = group[self.run[self.level == level]]
            group[np.isin(group, joined)] = joined.min()
        return np.unique(group, return_inverse=True)[1].astype(np.intp)

    @cached_property
    def means(self) -> Array:
        """Mean score of each checkpoint at each budget over its problems, (K, B)."""
        mean: Array = weighted_mean(self.scores, np.ones((1, self.scores.shape[2])))[0]
        return mean

    @cached_property
    def there(self) -> npt.NDArray[np.bool_]:
        """Which (level, budget) have a score, (L, B)."""
        return np.isfinite(self.by_level(self.means))

    def by_level(self, of_checkpoints: Array, counts: Array | None = None) -> Array:
        """Mean over the runs of each level, (..., L, B), of values (..., K, B) with `counts` (..., K) of each run."""
        counts = np.ones(len(self.u)) if counts is None else counts
        weight = np.where(np.isfinite(of_checkpoints), counts[..., None], 0.0)
        total = np.zeros((*of_checkpoints.shape[:-2], self.levels, of_checkpoints.shape[-1]))
        mass = np.zeros_like(total)
        filled = np.nan_to_num(of_checkpoints) * weight
        for level in range(self.levels):
            at = self.level == level
            total[..., level, :] = filled[..., at, :].sum(axis=-2)
            mass[..., level, :] = weight[..., at, :].sum(axis=-2)
        with np.errstate(invalid="ignore", divide="ignore"):
            return np.asarray(total / mass)

    @cached_property
    def cells(self) -> tuple[Array, Array, Array, Array]:
        """u, v, score and weight of every cell, (M,) each."""
        level_u = np.bincount(self.level, weights=self.u) / self.seeds
        v, score = self.by_level(self.v), self.by_level(self.means)
        weight = np.nansum(
            np.stack([np.where(self.level[:, None] == k, self.cell_weight, 0.0) for k in range(self.levels)]),
            axis=1,
        ) / np.maximum(self.seeds[:, None], 1)
        at = self.there
        return np.broadcast_to(level_u[:, None], at.shape)[at], v[at], self.cut(score)[at], weight[at]

    def level_curves(self) -> tuple[Array, Array, Array]:
        """log10 training compute (L,), log10 inference compute (L, B) and score (L, B) of every level."""
        level_u = np.bincount(self.level, weights=self.u) / self.seeds
        return level_u, self.by_level(self.v), self.cut(self.by_level(self.means))

    def cut(self, scores: Array) -> Array:
        """Scores of cells, of any shape, within [0, 1] where they are shares."""
        return np.clip(scores, 0.0, 1.0) if self.bounded else scores


def subset(design: Design, problems: Whole) -> Design:
    """The design with some of its problems alone, by place."""
    names = design.problem_names
    return replace(
        design,
        scores=design.scores[:, :, problems],
        trials=None if design.trials is None else design.trials[:, :, problems],
        cell_weight=design.cell_weight * len(problems) / design.scores.shape[2],
        problem_names=None if names is None else tuple(names[k] for k in problems),
        problem_group=design.problem_group[problems],
    )


def weighted_mean(scores: Array, weights: Array) -> Array:
    """Means over problems (D, ...) of scores (..., P) that may be missing, with weights (D, P)."""
    flat = scores.reshape(-1, scores.shape[-1])
    known = np.isfinite(flat)
    if known.all():
        means = weights @ flat.T / weights.sum(axis=1)[:, None]
    else:
        with np.errstate(invalid="ignore", divide="ignore"):
            means = (weights @ np.where(known, flat, 0.0).T) / (weights @ known.T.astype(np.float64))
    return np.asarray(means.reshape(len(weights), *scores.shape[:-1]))
