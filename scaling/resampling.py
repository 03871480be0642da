"""Bootstraps and intervals, each named by the question it answers.

- `pairs`: how would the answer move with other rows like these? Rows are exchangeable.
- `clusters`: how with other runs like these? Rows of one run stay together.
- `trunks_within_size`: how with other seeds, at the same sizes and durations?
- `parametric`: how with other noise of a known size, at the same design?
- `wild`: how with other noise at the same design, where each row's own residual says how noisy it is?

An interval is read off the draws by `percentile`, or by `bca`, which corrects for bias and skewness.

Shapes: B draws, n rows.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from scaling.errors import InputError

Array = npt.NDArray[np.float64]
Counts = npt.NDArray[np.int16] | Array
Labels = npt.ArrayLike

BLOCK = 100_000
"""Draws x units whose counts are drawn together, in eight bytes each, before they are kept in two."""


@dataclass(frozen=True)
class Resamples:
    """B draws of one data set: how often each row counts, or which value it takes; the other is None."""

    method: str
    """The draw in words, for the interval's label."""
    clusters: int | None
    """Number of independent units that were drawn from; None where that is the number of rows."""
    weights: Counts | None = None
    """Times that each row counts, whole numbers, (B, n)."""
    values: Array | None = None
    """Values that the rows take, (B, n)."""

    @property
    def draws(self) -> int:
        """B."""
        return max(0 if part is None else len(part) for part in (self.weights, self.values))


def pairs(rows: int, draws: int, rng: np.random.Generator) -> Resamples:
    """Draw rows with replacement (Efron 1979)."""
    return Resamples("pairs", None, weights=_counts(rows, draws, rng))


def clusters(labels: Labels, draws: int, rng: np.random.Generator) -> Resamples:
    """Draw whole clusters with replacement: rows with the same label stay together."""
    cluster = _numbered(labels)
    count = int(cluster.max()) + 1
    if count < 2:
        raise InputError("all rows belong to one cluster; draws need at least two, name another column")
    return Resamples("clusters", count, weights=_counts(count, draws, rng)[:, cluster])


def trunks_within_size(
    values: Array, trunk: Labels, size: Labels, duration: Labels, draws: int, rng: np.random.Generator
) -> Resamples:
    """Draw other seeds of the trunks at the same sizes and durations; `values` are log losses (n,).

    Rows of one trunk (cooldown branches) share its luck, so the trunk is the unit, and every size stays in
    every draw. A trunk's deviations from its size's mean at each duration are split into an offset (their mean)
    and the branches' residuals; both times sqrt(S/(S-1)), because the mean of S trunks took one degree of
    freedom. A draw puts every trunk at its size's mean plus an offset plus residuals drawn from all sizes.

    Why values and not weights: whole trunks as integer weights have at S = 2 half of the variance they should,
    and the weights that repair this, 1 + sqrt(2) (w - 1), turn negative. Why from all sizes: two trunks estimate a
    spread with one degree of freedom, so within a size the 95 % interval covers about 87 %. And the pooled
    spread is itself an estimate with f degrees of freedom (`trunk_freedom`): each draw's offsets carry one factor
    sqrt(f / chi2_f), which gives the interval Student's tails. Both take for granted that seeds spread the log
    loss alike at all sizes. A size with one trunk borrows the spread.

    Raises InputError when no size has two trunks: then nothing tells how other seeds would fall.
    """
    values = np.asarray(values, dtype=np.float64)
    trunk_of = _numbered(trunk)
    trunks = int(trunk_of.max()) + 1
    cell_of = _joint_labels(size, duration)
    freedom = trunk_freedom(trunk, size, duration)
    in_cell = np.bincount(cell_of)[cell_of]
    if freedom < 1:
        raise InputError(
            "no size has two trunks at one duration: the spread between seeds is unknown; "
            "train a second seed of some sizes, or ask for intervals of these runs only"
        )
    centre = (np.bincount(cell_of, weights=values) / np.bincount(cell_of))[cell_of]
    shared = in_cell > 1
    deviation = np.where(shared, (values - centre) * np.sqrt(in_cell / np.maximum(in_cell - 1, 1)), 0.0)
    rows_shared = np.bincount(trunk_of, weights=shared)
    offset = np.bincount(trunk_of, weights=deviation) / np.maximum(rows_shared, 1)
    branches = rows_shared[trunk_of]
    residual = (deviation - offset[trunk_of]) * np.sqrt(branches / np.maximum(branches - 1, 1))
    offsets, residuals = offset[rows_shared > 0], residual[shared & (branches > 1)]

    factor = np.sqrt(freedom / rng.chisquare(freedom, size=draws))
    drawn = centre + (rng.choice(offsets, size=(draws, trunks)) * factor[:, None])[:, trunk_of]
    if residuals.size:
        noise = rng.choice(residuals, size=(draws, len(values)))
        belongs = np.equal.outer(trunk_of, np.arange(trunks)).astype(np.float64)
        drawn += noise - (noise @ belongs / belongs.sum(axis=0))[:, trunk_of]
    return Resamples("trunks within size", trunks, values=drawn)


def trunk_freedom(trunk: Labels, size: Labels, duration: Labels) -> int:
    """Degrees of freedom of the spread between trunks: what pairs of trunks that share a size and duration tell.

    Trunks of a size that share a duration, directly or through others, form a group; a group of S tells S - 1. Two
    trunks of one size that never ran equally long tell nothing.
    """
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    trunk_of, cell_of = _joint_labels(size, trunk), _joint_labels(size, duration)
    trunks, cells = int(trunk_of.max()) + 1, int(cell_of.max()) + 1
    ends = (trunk_of, trunks + cell_of)
    links = coo_array((np.ones(len(trunk_of)), ends), shape=(trunks + cells, trunks + cells))
    groups, _ = connected_components(links, directed=False)
    return trunks - int(groups)


def parametric(
    centre: Array, spread: float | Array, freedom: int, draws: int, rng: np.random.Generator
) -> Resamples:
    """Draw normal noise of a known spread, one for all or (n,), around `centre` (n,), at the same design.

    The spread was estimated with `freedom` degrees of freedom; each draw scales it by sqrt(f / chi2_f), which
    gives the interval Student's tails.
    """
    factor = np.sqrt(freedom / rng.chisquare(freedom, size=draws))
    noise = rng.normal(size=(draws, len(centre))) * np.outer(factor, spread)
    return Resamples("parametric", None, values=centre + noise)


def wild(
    centre: Array, residuals: Array, labels: Labels | None, draws: int, rng: np.random.Generator
) -> Resamples:
    """Turn residuals (n,) about `centre` (n,) up or down: centre + residual x (+1 or -1), at the same design.

    Rows with the same label share their sign, so that what a cluster has in common stays (Wu 1986; Cameron, Gelbach
    and Miller 2008). The caller scales the residuals for the degrees of freedom that the fit took.
    """
    cluster = np.arange(len(centre)) if labels is None else _numbered(labels)
    count = int(cluster.max()) + 1
    signs = rng.choice([-1.0, 1.0], size=(draws, count))[:, cluster]
    return Resamples("wild", None if labels is None else count, values=centre + residuals * signs)


def percentile(draws: Array, level: float) -> tuple[Array, Array]:
    """Percentile interval along the first axis: its (1 - level) / 2 quantiles from both ends.

    Draws that are NaN have no answer and are left out.
    """
    tail = 0.5 * (1.0 - level)
    with np.errstate(invalid="ignore"):  # quantiles between two infinite draws
        low, high = np.nanquantile(draws, [tail, 1.0 - tail], axis=0)
    return low, high


def bca(values: Array, draws: Array, jackknife: Array, level: float) -> tuple[Array, Array]:
    """Bias-corrected and accelerated interval (Efron 1987) of estimates `values` (K,) from `draws` (B, K).

    Quantiles of the draws at Phi(z0 + (z0 + z) / (1 - a (z0 + z))), where z0 is the normal quantile of the share of draws
    below the estimate (half of those that equal it), and a = sum u^3 / (6 (sum u^2)^1.5) with u the deviations of the
    `jackknife` estimates (units, K) from their mean, turned round. Draws that are NaN are left out.
    """
    from scipy.special import ndtr, ndtri

    known = np.isfinite(draws)
    count = np.maximum(known.sum(axis=0), 1)
    below = (
        np.sum(known & (draws < values), axis=0) + 0.5 * np.sum(known & (draws == values), axis=0)
    ) / count
    z0 = ndtri(np.clip(below, 0.5 / count, 1 - 0.5 / count))
    with np.errstate(all="ignore"):
        u = np.nanmean(jackknife, axis=0) - jackknife
        a = np.nan_to_num(np.nansum(u**3, axis=0) / (6 * np.nansum(u**2, axis=0) ** 1.5))
    ends = []
    for z in ndtri([0.5 * (1 - level), 0.5 * (1 + level)]):
        share = ndtr(z0 + (z0 + z) / np.maximum(1 - a * (z0 + z), 1e-6))
        with np.errstate(invalid="ignore"):  # quantiles between two infinite draws
            columns = [
                np.nanquantile(draws[:, k], share[k]) if known[:, k].any() else np.nan
                for k in range(len(values))
            ]
        ends.append(np.array(columns))
    return ends[0], ends[1]


def _counts(units: int, draws: int, rng: np.random.Generator) -> npt.NDArray[np.int16]:
    """How often each unit is drawn, (draws, units): two bytes hold it, since none is drawn more than some dozen times.

    The generator takes one unit after the other, so that blocks change nothing.
    """
    counts = np.empty((draws, units), dtype=np.int16)
    size = max(1, BLOCK // units)
    for k in range(0, draws, size):
        block = counts[k : k + size]
        taken = rng.integers(units, size=block.shape)
        taken += np.arange(len(block))[:, None] * units
        block[:] = np.bincount(taken.ravel(), minlength=block.size).reshape(block.shape)
    return counts


def _numbered(labels: Labels) -> npt.NDArray[np.intp]:
    """A whole number for each distinct label."""
    numbers: npt.NDArray[np.intp] = np.unique(np.asarray(labels), return_inverse=True)[1]
    return numbers


def _joint_labels(first: Labels, second: Labels) -> npt.NDArray[np.intp]:
    """One whole number for each pair of labels."""
    a, b = _numbered(first), _numbered(second)
    joint: npt.NDArray[np.intp] = np.unique(a * (int(b.max()) + 1) + b, return_inverse=True)[1]
    return joint
