"""pass@k without a law: the chance that k of a problem's n samples hold a right one.

Shapes: G distinct pairs of counts, K sizes of subsets.
"""

from typing import Any

import numpy as np

from scaling.samples import checks
from scaling.samples.checks import Array, Whole

STEPS = 32
"""Fewer of c and k up to which samples are taken one by one, and beyond which Stirling's series errs by some n / STEPS units
in the last place."""
LEAST = 16
"""Wrong samples beside the subset from which the series holds to 1e-14; with fewer, and c and k above SURE, its value is
below 1e-17 and of no matter."""
SURE = 64
BLOCK = 20_000
"""Cells that are worked on together."""


def pass_at_k(n: Any, c: Any, k: Any) -> Array:
    """Return the share of all subsets of k samples that hold a right one.

    pass@k = 1 - C(n - c, k) / C(n, k) for n samples of which c are right: the unbiased estimate where n was fixed
    beforehand (`adaptive` tests that). n and c broadcast to a shape; k is a whole number, or (K,), which adds an axis
    of K at the end. Accurate to 1e-10 of the value up to n of 4e6.

    Raises InputError for counts that are none, and for k below 1 or above the fewest samples.
    Source: Chen et al. 2021 (arXiv:2107.03374), eq. 1.
    """
    n, c = checks.counts(n, c)
    sizes = checks.subset_sizes(k, n)
    pairs, position = np.unique(_labels(n.ravel(), c.ravel()), return_index=True, return_inverse=True)[1:]
    each_n, each_c = n.ravel()[pairs], c.ravel()[pairs]
    table = _table(each_n, each_c, np.atleast_1d(sizes))
    shares: Array = table[position.ravel()].reshape(*n.shape, -1)
    return shares if sizes.ndim else shares[..., 0]


def _labels(n: Whole, c: Whole) -> Whole:
    """One whole number for each pair: of the distinct n, so that the product stays small."""
    which = np.unique(n, return_inverse=True)[1].ravel()
    return np.asarray(which * (int(c.max()) + 1) + c, dtype=np.int64)


def _table(n: Whole, c: Whole, k: Whole) -> Array:
    """pass@k of pairs at each k, (G, K)."""
    cells = [np.repeat(n, len(k)), np.repeat(c, len(k)), np.tile(k, len(n))]
    parts = range(0, len(cells[0]), BLOCK)
    found = np.concatenate([_share(*(part[at : at + BLOCK] for part in cells)) for at in parts])
    return found.reshape(len(n), len(k))


def _share(n: Whole, c: Whole, k: Whole) -> Array:
    """pass@k of cells: steps where c or k is small, Stirling's series elsewhere."""
    fewer, beside = np.minimum(c, k), n - c - k
    found = np.where(fewer > 0, 1.0, 0.0)
    open_ = (fewer > 0) & (beside >= 0)
    steps = open_ & ((fewer <= STEPS) | ((beside < LEAST) & (fewer <= SURE)))
    found[steps] = _stepwise(n[steps], c[steps], k[steps])
    rest = open_ & ~steps
    found[rest] = -np.expm1(_log_none(n[rest], c[rest], k[rest]))
    return found


def _stepwise(n: Whole, c: Whole, k: Whole) -> Array:
    """1 - prod_{i < min(c, k)} (1 - max(c, k) / (n - i)), added up from positive terms."""
    order = np.argsort(np.minimum(c, k))
    fewer, more, left = (
        np.minimum(c, k)[order],
        np.maximum(c, k)[order].astype(np.float64),
        n[order].astype(np.float64),
    )
    sums = np.zeros(len(n))
    for i in range(int(fewer.max(initial=0))):
        on = slice(int(np.searchsorted(fewer, i, side="right")), None)
        sums[on] += (1.0 - sums[on]) * (more[on] / (left[on] - i))
    found = np.empty(len(n))
    found[order] = sums
    return found


def _log_none(n: Whole, c: Whole, k: Whole) -> Array:
    """Logarithm of C(n - c, k) / C(n, k) by Stirling's series, with the large terms brought together beforehand."""
    wrong, others, both = n - c, n - k, n - c - k
    most = np.maximum(both, 1).astype(np.float64)
    large = wrong * np.log1p(-c / n) + others * np.log1p(-k / n) - both * np.log1p((most - n) / n)
    half = 0.5 * (np.log1p(-c / n) + np.log1p(-k / n) - np.log1p((most - n) / n))
    log: Array = large + half + _tail(wrong) + _tail(others) - _tail(n) - _tail(most)
    return log


def _tail(x: Any) -> Array:
    """What Stirling leaves out: log x! - (x + 1/2) log x + x - log(2 pi) / 2, to 1e-14 from x = 16 on."""
    x = np.asarray(x, dtype=np.float64)
    square = 1.0 / x**2
    tail: Array = (1 / 12 - square * (1 / 360 - square * (1 / 1260 - square / 1680))) / x
    return tail
