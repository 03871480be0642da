"""New grids of a measured design: runs, problems and samples drawn anew about a surface whose rate is known.

The design stays (levels, budgets, runs, problems, samples) and so do the sizes of what was estimated: the spread between
runs and between problems. Shapes: K checkpoints, B budgets, P problems.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from scaling.exchange import forms, links
from scaling.exchange.design import Design
from scaling.exchange.links import LINEAR, Link
from scaling.exchange.surface import Surfaces, fit_surfaces
from scaling.laws.base import Array

if TYPE_CHECKING:
    from scaling.exchange.result import Exchange

OFFSET, TILT, NOISE = 0.5, 0.25, 0.25
"""Shares of a run's variance: for all its checkpoints alike, growing along training, and of each checkpoint alone."""
DIFFICULTY = 1.0
"""Standard deviation of problems' difficulty on the link's scale, where problems are not told apart."""
EXACT = 1e6
"""Samples of a score that is none's share."""
MOST_SAMPLES, WHOLE = 1024, 1e-6
"""Samples up to which shares are looked for, and how near one is."""
FLATTENED = 0.346
"""(16 sqrt 3 / 15 pi)^2: a logistic curve averaged over normal shifts of variance d is about as flat as one divided by
sqrt(1 + .346 d) (Zeger, Liang and Albert 1988)."""
POINTS = 40
"""Nodes over which a score is averaged over problems and runs."""


@dataclass(frozen=True)
class Setting:
    """What is simulated: a design with its spreads."""

    design: Design
    link: Link
    run_spread: float
    """Standard deviation of checkpoints about their level, on the link's scale of one problem."""
    difficulty: float
    """Standard deviation of problems, on the link's scale."""
    samples: Array
    """Samples of each (checkpoint, budget, problem), (K, B, P)."""
    floor: float = 0.0


def setting_of(found: Exchange) -> Setting:
    """The design of a measurement with the spreads that it shows."""
    design, link = found.design, links.find(found.link)
    fitted = found.surface.link.scale(np.clip(found.surface.score(*design.cells[:2])[0], 0.01, 0.99))
    level_means = np.full(design.there.shape, np.nan)
    level_means[design.there] = fitted
    own = link.scale(design.means if link is LINEAR else np.clip(design.means, 0.01, 0.99))
    about = own - design.by_level(own)[design.level]
    several = design.seeds[design.level] > 1
    run = 0.0
    if several.any():
        deviation = np.nanmean(about[several], axis=1)
        freedom = max(int(several.sum()) - int((design.seeds > 1).sum()), 1)
        run = float(np.sqrt(np.sum(deviation**2) / freedom))
    trials = design.trials if design.trials is not None else np.full(design.scores.shape, np.nan)
    samples = np.where(np.isfinite(trials), trials, _samples(design))
    difficulty = _difficulty(design, link)
    return Setting(design, link, run * _steeper(link, difficulty), difficulty, samples, found.chance)


def _samples(design: Design) -> float:
    """Samples behind each score where the table does not say: the fewest of which all are whole shares."""
    if not design.problems:
        return EXACT
    shares = np.unique(design.scores[np.isfinite(design.scores)])
    for n in range(1, MOST_SAMPLES + 1):
        if np.abs(shares * n - np.round(shares * n)).max() < WHOLE * n:
            return float(n)
    return EXACT


def _steeper(link: Link, difficulty: float) -> float:
    """How much steeper a problem's curve is than the mean over problems, about: averaging flattens a logistic one."""
    return float(np.sqrt(1 + FLATTENED * difficulty**2)) if link is not LINEAR else 1.0


def _difficulty(design: Design, link: Link) -> float:
    """Standard deviation of problems on the link's scale, from the spread of their mean scores."""
    if not design.problems:
        return 0.0
    if link is LINEAR:
        return float(np.nanstd(np.nanmean(design.scores, axis=(0, 1))))
    mean = np.clip(np.nanmean(design.scores, axis=(0, 1)), 0.005, 0.995)
    return max(float(np.std(link.scale(mean), ddof=1)), 0.1) if design.problems > 1 else DIFFICULTY


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
    """The surface of one form nearest to the cells; its predictor is that of a problem of middling difficulty."""
    u, v, score, weight = design.cells
    surface = fit_surfaces(
        forms.find(truth), u, v, score[None], weight, setting.link, floor=setting.floor, ceiling=1.0
    )
    return replace(surface, beta=surface.beta * _steeper(setting.link, setting.difficulty))


def simulated(
    setting: Setting, surface: Surfaces, repetitions: int, rng: np.random.Generator
) -> Iterator[Design]:
    """Designs with new runs, problems and samples."""
    design = setting.design
    base = surface.predictor(
        np.broadcast_to(design.u[:, None], design.v.shape).ravel(), np.nan_to_num(design.v).ravel()
    )[0].reshape(design.v.shape)
    tilt = (design.u - design.u.mean()) / max(float(np.std(design.u)), 1e-9)
    runs, problems = len(design.run_names), design.scores.shape[2]
    for _ in range(repetitions):
        offset = np.sqrt(OFFSET) * rng.normal(size=runs)[design.run]
        slope = np.sqrt(TILT) * rng.normal(size=runs)[design.run] * tilt
        own = np.sqrt(NOISE) * rng.normal(size=len(design.u))
        moved = setting.run_spread * (offset + slope + own)
        x = base[:, :, None] + moved[:, None, None] + setting.difficulty * rng.normal(size=problems)
        if setting.link is LINEAR:
            scores = x
        else:
            p = setting.floor + (1 - setting.floor) * setting.link.share(x)
            scores = rng.binomial(setting.samples.astype(np.int64), p) / setting.samples
        yield replace(design, scores=np.where(np.isfinite(design.scores), scores, np.nan))


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
    nodes, weights = np.polynomial.hermite_e.hermegauss(POINTS)
    spread = np.hypot(setting.difficulty, setting.run_spread)
    weights = weights / weights.sum()

    def off(x: float) -> float:
        share = setting.link.share(x + spread * nodes)
        return float(setting.floor + (1 - setting.floor) * (weights @ share) - y)

    return float(brentq(off, -30.0, 30.0))
