"""New grids of a measured design: runs, problems and samples drawn anew about a surface whose rate is known.

The design stays (levels, budgets, runs, problems, samples) and so do the sizes of what was estimated: the spread between
runs, between problems of a cell, and how much of that is a problem's in all runs, in one run, and in one checkpoint alone
(`spreads`). Scores by k are of one pool of samples (`pools`). Shapes: K checkpoints, B budgets, P problems.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from scaling.exchange import forms, links
from scaling.exchange.design import Design
from scaling.exchange.links import LINEAR, Link
from scaling.exchange.mixed import SCALE, mean_share, middle
from scaling.exchange.pools import Pool, pool_of
from scaling.exchange.spreads import SAME, Likeness, between_problems, between_runs, likeness
from scaling.exchange.surface import Surfaces, fit_surfaces
from scaling.laws.base import Array

if TYPE_CHECKING:
    from scaling.exchange.result import Exchange

OFFSET, TILT, NOISE = 0.5, 0.25, 0.25
"""Shares of a run's variance: for all its checkpoints alike, growing along training, and of each checkpoint alone."""
EXACT = 1e6
"""Samples of a score that is none's share."""
MOST_SAMPLES, WHOLE = 1024, 1e-6
"""Samples up to which shares are looked for, and how near one is."""
MIDDLE = np.array([0.45, 0.55])
"""Scores between which curves are compared for their slope."""


@dataclass(frozen=True)
class Setting:
    """What is simulated: a design with its spreads."""

    design: Design
    link: Link
    run_spread: float
    """Standard deviation of checkpoints about their level, on the link's scale of one problem."""
    difficulty: float
    """Standard deviation on the link's scale of the problems whose mean is the surface's: it is of the middling one."""
    samples: Array
    """Samples of each (checkpoint, budget, problem), (K, B, P)."""
    floor: float = 0.0
    spread: Array | None = None
    """Standard deviation of problems at each budget, (B,), about the same means; None where it is `difficulty` at all."""
    likeness: Likeness = SAME
    """How much a problem's place among others is the same in other cells."""
    together: float = 1.0
    """Correlation of a run's luck at two budgets."""
    pool: Pool | None = None
    """Where scores at all budgets are of the same samples."""

    @property
    def total(self) -> float:
        """Standard deviation of problems and runs about the surface."""
        return float(np.hypot(self.difficulty, self.run_spread))


def setting_of(found: Exchange) -> Setting:
    """The design of a measurement with the spreads that it shows."""
    design, link, pool = found.design, links.find(found.link), pool_of(found)
    samples = _samples(design)
    spread = between_problems(design, link, found.chance, samples, pool)
    difficulty = float(np.median(spread))
    runs, together = between_runs(design, link, found.chance, pool)
    alike = likeness(design, link, found.chance, spread, pool)
    return Setting(
        design, link, runs * _steeper(link, difficulty), difficulty, samples, found.chance, spread, alike, together, pool
    )  # fmt: skip


def _samples(design: Design) -> Array:
    """Samples behind each score, (K, B, P): as told, elsewhere the median, or the fewest of which all are whole shares."""
    if design.trials is not None and np.isfinite(design.trials).any():
        return np.where(np.isfinite(design.trials), design.trials, np.nanmedian(design.trials))
    return np.full(design.scores.shape, _fewest(design))


def _fewest(design: Design) -> float:
    """The fewest samples of which all scores are whole shares."""
    if not design.problems:
        return EXACT
    shares = np.unique(design.scores[np.isfinite(design.scores)])
    for n in range(1, MOST_SAMPLES + 1):
        if np.abs(shares * n - np.round(shares * n)).max() < WHOLE * n:
            return float(n)
    return EXACT


def _steeper(link: Link, spread: float) -> float:
    """How much steeper a curve is than the mean over those that lie apart by a spread, about: averaging flattens it."""
    return float(np.diff(middle(link, MIDDLE, spread))[0] / np.diff(link.scale(MIDDLE))[0])


def with_runs(design: Design, shared: bool) -> Design:
    """The design with checkpoints of runs of their own, or with the k-th checkpoints of all levels of one run."""
    if not shared:
        run = np.arange(len(design.u))
    else:
        place = np.zeros(len(design.u), dtype=np.intp)
        for level in range(design.levels):
            at = np.flatnonzero(design.level == level)
            place[at] = np.arange(len(at))
        run = place
    return replace(design, run=run, run_names=tuple(range(int(run.max()) + 1)))


def nearest(truth: str, design: Design, setting: Setting) -> Surfaces:
    """The surface of one form nearest to the cells; its predictor is that of a middling problem and run."""
    u, v, score, weight = design.cells
    surface = fit_surfaces(
        forms.find(truth), u, v, score[None], weight, setting.link, floor=setting.floor, ceiling=1.0
    )
    return replace(surface, beta=surface.beta * _steeper(setting.link, setting.total))


def simulated(
    setting: Setting, surface: Surfaces, repetitions: int, rng: np.random.Generator
) -> Iterator[Design]:
    """Designs with new runs, problems and samples."""
    design, link, floor = setting.design, setting.link, setting.floor
    base = surface.predictor(
        np.broadcast_to(design.u[:, None], design.v.shape).ravel(), np.nan_to_num(design.v).ravel()
    )[0].reshape(design.v.shape)
    tilt = (design.u - design.u.mean()) / max(float(np.std(design.u)), 1e-9)
    runs, budgets, problems = len(design.run_names), len(design.budgets), design.scores.shape[2]
    spread = np.broadcast_to(setting.difficulty if setting.spread is None else setting.spread, budgets)
    middles = [middle(link, mean_share(link, SCALE, setting.difficulty), float(s)) for s in spread]

    def luck(count: int, share: float) -> Array:
        both, own = rng.normal(size=(count, 1)), rng.normal(size=(count, budgets))
        mixed = np.sqrt(setting.together) * both + np.sqrt(1 - setting.together) * own
        return np.asarray(np.sqrt(share) * mixed)

    for _ in range(repetitions):
        offset, slope = luck(runs, OFFSET)[design.run], luck(runs, TILT)[design.run] * tilt[:, None]
        x = base + setting.run_spread * (offset + slope + luck(len(design.u), NOISE))
        if link is not LINEAR:
            x = np.stack([np.interp(x[:, b], SCALE, middles[b]) for b in range(budgets)], axis=1)
        x = x[:, :, None] + spread[:, None] * setting.likeness.drawn(design.run, budgets, problems, rng)
        scores = x if link is LINEAR else _scored(setting, floor + (1 - floor) * link.share(x), rng)
        yield replace(design, scores=np.where(np.isfinite(design.scores), scores, np.nan))


def _scored(setting: Setting, shares: Array, rng: np.random.Generator) -> Array:
    """Scores (K, B, P) of problems with such expected ones."""
    if setting.pool is None:
        return rng.binomial(setting.samples.astype(np.int64), shares) / setting.samples
    return setting.pool.drawn(shares, setting.samples.min(axis=1).astype(np.int64), rng)


def true_rate(setting: Setting, surface: Surfaces, y: float, low: float, high: float) -> float:
    """The mean rate between v = low and high of the truth, at the predictor where the mean score is y."""
    x = predictor_at(setting, y)
    v = np.array([low, high]) - surface.centre[1]
    ends = surface.form.training(surface.beta, surface.shape, np.array([x]), v)[0]
    return float((ends[0] - ends[1]) / (high - low))


def predictor_at(setting: Setting, y: float) -> float:
    """The predictor of a middling problem and run at which the mean over problems and runs is y."""
    from scipy.optimize import brentq

    if setting.link is LINEAR:
        return y

    def off(x: float) -> float:
        share = float(mean_share(setting.link, np.array(x), setting.total))
        return setting.floor + (1 - setting.floor) * share - y

    return float(brentq(off, -30.0, 30.0))
