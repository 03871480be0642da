"""How far runs and problems lie apart in a design, by moments of its scores, without the noise of its samples.

In a cell, a checkpoint at a budget, problem p has the chance h(a + s z_p): z is normal over problems, a is where their mean
is the cell's, and s is one for all checkpoints at a budget. The z of two cells are correlated. All moments are summed over
cells that score in `INSIDE`, chance taken out, where there are any: near the ends scores say little of the link's scale.
Shapes: K checkpoints, B budgets, P problems, M cells, Q values.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from scaling.exchange.design import Whole
from scaling.exchange.links import LINEAR, Link
from scaling.exchange.mixed import TERMS, WEIGHTS, coefficients, middle, shifted
from scaling.laws.base import Array

if TYPE_CHECKING:
    from scaling.exchange.design import Design
    from scaling.exchange.pools import Pool

INSIDE = (0.1, 0.9)
MOST = 6.0
"""Largest spread on the link's scale: problems are then nearly all surely right or surely wrong."""
DROWNED = 0.5
"""Share of p (1 - p) from which the noise of samples leaves nothing to tell problems by."""
UNKNOWN = 1.0
"""Spread of problems on the link's scale where no score tells."""
SHARES = np.linspace(0.0, 1.0, 201)
"""Shares between which noise is interpolated."""


@dataclass(frozen=True)
class Likeness:
    """Correlations of a problem's z in two cells: in checkpoints of two runs, in two of one run, and in one checkpoint."""

    one: tuple[float, float, float] = (1.0, 1.0, 1.0)
    """At one budget, ascending; the last, a cell's with itself, is 1."""
    two: tuple[float, float, float] = (1.0, 1.0, 1.0)
    """At two budgets; no step is larger than that of `one`."""

    def drawn(self, run: Whole, budgets: int, problems: int, rng: np.random.Generator) -> Array:
        """Normal z (K, B, P) of checkpoints of the runs numbered in `run` (K,)."""
        z = np.zeros((len(run), budgets, problems))
        both = np.diff(self.two, prepend=0.0)
        alone = np.diff(self.one, prepend=0.0) - both
        of = (np.zeros_like(run), run, np.arange(len(run)))
        for which, *variances in zip(of, both, alone, strict=True):
            for variance, width in zip(variances, (1, budgets), strict=True):
                if variance > 0:
                    normal = rng.normal(size=(int(which.max()) + 1, width, problems))
                    z += np.sqrt(variance) * normal[which]
        return z


SAME = Likeness()
"""Problems that are as hard everywhere."""


def between_runs(design: Design, link: Link, floor: float, pool: Pool | None) -> tuple[float, float]:
    """Standard deviation of checkpoints about their level, on the scale of the mean over problems; 0 of one run a level.

    Then the correlation of their places at two budgets: 1 for all k of a pool, and where no level tells.
    """
    members = [np.flatnonzero(design.level == level) for level in range(design.levels)]
    several = [one for one in members if len(one) > 1]
    if not several:
        return 0.0, 1.0
    means = _above(np.stack([design.means[one].mean(axis=0) for one in several]), floor, link)
    moments = np.stack([_moments(design, one) for one in several]) / (1 - floor) ** 2
    variances = np.diagonal(moments, axis1=1, axis2=2)
    at = _inside(link, means)
    if not at.any():
        return 0.0, 1.0
    spread = _spread(link, means[at], variances[at], np.zeros_like)
    level, first, second = np.nonzero(at[:, :, None] & at[:, None, :] & ~np.eye(at.shape[1], dtype=np.bool_))
    series = coefficients(link, middle(link, means, spread), spread)[..., 1:]
    terms = (series[level, first] * series[level, second]).sum(axis=0)
    alike = _correlation(np.array([len(level), *terms, moments[level, first, second].sum()]))
    return spread, 1.0 if pool is not None or np.isnan(alike) else alike


def _moments(design: Design, checkpoints: Whole) -> Array:
    """Covariances (B, B) between runs' means at budgets, without what problems' deviations from their run's give to them."""

    def covariance(values: Array) -> Array:
        off = (values - values.mean(axis=0)).reshape(len(values), len(design.budgets), -1)
        return np.asarray(np.einsum("rbp,rcp->bc", off, off) / (len(values) - 1) / off.shape[2])

    means, problems = covariance(design.means[checkpoints]), design.problems
    if problems < 2:
        return means
    # a problem that a run lacks deviates as little as its run
    scores = design.scores[checkpoints]
    filled = np.where(np.isfinite(scores), scores, design.means[checkpoints][..., None])
    return means - (covariance(filled) - means) / (problems - 1)


def between_problems(design: Design, link: Link, floor: float, samples: Array, pool: Pool | None) -> Array:
    """Spread s at each budget, (B,); where noise of `samples` (K, B, P) drowns it or no cell tells, that of the nearest."""
    if design.problems < 2:
        return np.full(len(design.budgets), UNKNOWN if design.problems else 0.0)
    found = np.full(len(design.budgets), np.nan)
    means, variances = _above(design.means, floor, link), _variance(design.scores, 2) / (1 - floor) ** 2
    inside = _inside(link, means) & np.isfinite(variances)
    for budget, at in enumerate(inside.T):
        noise = _noise(link, floor, budget, int(np.nanmedian(samples[:, budget])), pool)
        if at.any() and noise(np.array(0.5)) < DROWNED * 0.25:
            found[budget] = _spread(link, means[at, budget], variances[at, budget], noise)
    told = np.flatnonzero(np.isfinite(found))
    if not len(told):
        return np.full(len(found), _of_covariances(design, link, floor, inside))
    return found[[told[np.argmin(np.abs(told - budget))] for budget in range(len(found))]]


def likeness(design: Design, link: Link, floor: float, spread: Array, pool: Pool | None) -> Likeness:
    """Correlations of problems' z, from covariances of their scores in cells of different samples.

    At all k of a pool z is the same. What no two cells tell at one budget is as in checkpoints of the other kind, at two
    budgets as at one.
    """
    means = _above(design.means, floor, link)
    place = np.nonzero(_inside(link, means))
    if design.problems < 2 or len(place[0]) < 2:
        return SAME
    series = np.stack(
        [coefficients(link, middle(link, means[:, b], s), s) for b, s in enumerate(spread)], axis=1
    )
    deviations = np.nan_to_num(design.scores - design.means[..., None]) / (1 - floor)
    values = np.concatenate([series[..., 1:], deviations / np.sqrt(design.problems - 1)], axis=-1)[place]
    checkpoint, budget = place
    run, nothing = design.run[checkpoint], np.zeros_like(budget)
    runs_budget, checkpoints_budget = _pairs(values, run, budget), _pairs(values, checkpoint, budget)
    one = _filled(
        [
            _correlation(_pairs(values, nothing, budget) - runs_budget),
            _correlation(runs_budget - checkpoints_budget),
        ]
    )
    if pool is not None:
        return Likeness(_rising(one), _rising(one))
    everywhere, of_run, of_checkpoint = (
        _pairs(values, which, nothing) - _pairs(values, which, budget) for which in (nothing, run, checkpoint)
    )
    two = [_correlation(pairs) for pairs in (everywhere - of_run, of_run - of_checkpoint, of_checkpoint)]
    two = [known if np.isfinite(known) else at_one for known, at_one in zip(two, one, strict=True)]
    return Likeness(_rising(one), _rising(two, np.diff(_rising(one), prepend=0.0)))


def _pairs(values: Array, *labels: Whole) -> Array:
    """Pairs of cells with the same labels (M,), either way round and with themselves, and the sums of values' products."""
    _, group = np.unique(np.stack(labels), axis=1, return_inverse=True)
    sums = np.zeros((int(group.max()) + 1, values.shape[1] + 1))
    np.add.at(sums, group.ravel(), np.insert(values, 0, 1.0, axis=1))
    return np.asarray((sums**2).sum(axis=0))


def _filled(pair: list[float]) -> list[float]:
    """Two correlations, of which one that is unknown is the other, or 1 where both are; and that of a cell with itself."""
    known = [one for one in pair if np.isfinite(one)] or [1.0]
    return [*(one if np.isfinite(one) else known[0] for one in pair), 1.0]


def _rising(
    values: list[float], most: Sequence[float] | Array = (1.0, 1.0, 1.0)
) -> tuple[float, float, float]:
    """Three numbers of which none is below the one before, nor further above it than `most` (3,)."""
    first = min(values[0], most[0])
    second = first + float(np.clip(values[1] - first, 0.0, most[1]))
    return first, second, second + float(np.clip(values[2] - second, 0.0, most[2]))


def _correlation(pairs: Array) -> float:
    """The correlation r of z, from 0 to 1, at which the scores of pairs of cells vary together as they do.

    `pairs` are their number, products of the terms of their series, and of their scores, summed; NaN of none.
    """
    from scipy.optimize import brentq

    if pairs[0] < 1:
        return np.nan
    terms, total = pairs[1:TERMS], pairs[TERMS:].sum()

    def off(r: float) -> float:
        return float(terms @ r ** np.arange(1, TERMS) - total)

    return 1.0 if off(1.0) <= 0 else 0.0 if off(0.0) >= 0 else float(brentq(off, 0.0, 1.0, xtol=1e-4))


def _spread(link: Link, means: Array, variances: Array, noise: Callable[[Array], Array]) -> float:
    """The s at which cells of such means (Q,) vary as much in sum as they do."""
    from scipy.optimize import brentq

    total = variances.sum()
    if link is LINEAR:
        return float(np.sqrt(max(total / len(means), 0.0)))

    def off(s: float) -> float:
        chances = shifted(link, middle(link, means, s), s)
        own = (chances - means[:, None]) ** 2
        return float(((own + noise(chances)) @ WEIGHTS).sum() - total)

    return 0.0 if off(0.0) >= 0 else MOST if off(MOST) <= 0 else float(brentq(off, 0.0, MOST, xtol=1e-3))


def _noise(link: Link, floor: float, budget: int, n: int, pool: Pool | None) -> Callable[[Array], Array]:
    """The variance that n samples give to the score, above the floor, of a problem with a chance above it."""
    if link is LINEAR:
        return np.zeros_like
    raw = floor + (1 - floor) * SHARES
    of_raw = raw * (1 - raw) / n if pool is None else pool.variance(budget, n, raw)
    return lambda share: np.interp(share, SHARES, of_raw / (1 - floor) ** 2)


def _of_covariances(design: Design, link: Link, floor: float, inside: npt.NDArray[np.bool_]) -> float:
    """The spread of what budgets of a checkpoint have in common, for scores of single samples."""
    at = inside & (inside.sum(axis=1) > 1)[:, None]
    if not at.any():
        return UNKNOWN
    off = np.nan_to_num(design.scores - design.means[..., None]) * at[..., None]
    both = (off.sum(axis=1) ** 2 - (off**2).sum(axis=1)).sum(axis=1) / (design.problems - 1)
    count, some = at.sum(axis=1), at.any(axis=1)
    means = np.where(at, _above(design.means, floor, link), 0.0).sum(axis=1)[some] / count[some]
    covariances = both[some] / (count * (count - 1))[some] / (1 - floor) ** 2
    return _spread(link, means, covariances, np.zeros_like)


def _above(scores: Array, floor: float, link: Link) -> Array:
    return scores if link is LINEAR else (scores - floor) / (1 - floor)


def _inside(link: Link, means: Array) -> npt.NDArray[np.bool_]:
    """Cells by which spreads are told."""
    if link is LINEAR:
        return np.isfinite(means)
    with np.errstate(invalid="ignore"):
        inside = (means > INSIDE[0]) & (means < INSIDE[1])
        return inside if inside.any() else (means > 0) & (means < 1)


def _variance(values: Array, axis: int) -> Array:
    """Unbiased variances of what is there; NaN of fewer than two."""
    count = np.isfinite(values).sum(axis=axis)
    means = np.nansum(values, axis=axis, keepdims=True) / np.maximum(np.expand_dims(count, axis), 1)
    off = np.nansum((values - means) ** 2, axis=axis)
    return np.where(count > 1, off / np.maximum(count - 1, 1), np.nan)
