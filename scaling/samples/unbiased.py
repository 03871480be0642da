"""pass@k without a law: the chance that k of a problem's n samples hold a right one.

Shapes: G distinct pairs of counts, K sizes of subsets.
"""

from typing import Any

import numpy as np

from scaling.samples import checks
from scaling.samples.checks import Array, Whole

STEPS = 64
"""Fewer of c and k from which Stirling's series takes over from one step a sample. It errs by about n / STEPS units in
the last place, and by 1e-14 where 16 wrong samples are left beside the subset: with fewer, none right has odds of 2^-64."""


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
    table = np.stack([_share(each_n, each_c, int(size)) for size in np.atleast_1d(sizes)], axis=-1)
    shares: Array = table[position.ravel()].reshape(*n.shape, -1)
    return shares if sizes.ndim else shares[..., 0]


def _labels(n: Whole, c: Whole) -> Whole:
    """One whole number for each pair: of the distinct n, so that the product stays small."""
    which = np.unique(n, return_inverse=True)[1].ravel()
    return np.asarray(which * (int(c.max()) + 1) + c, dtype=np.int64)


def _share(n: Whole, c: Whole, k: int) -> Array:
    """pass@k of pairs (G,): steps where c or k is small, Stirling's series elsewhere."""
    fewer = np.minimum(c, k)
    found = np.where(fewer > 0, 1.0, 0.0)
    open_ = (fewer > 0) & (n - c >= k)
    steps = open_ & (fewer <= STEPS)
    found[steps] = _stepwise(n[steps], c[steps], k)
    rest = open_ & ~steps
    found[rest] = -np.expm1(_log_none(n[rest], c[rest], k))
    return found


def _stepwise(n: Whole, c: Whole, k: int) -> Array:
    """1 - prod_{i < min(c, k)} (1 - max(c, k) / (n - i)), added up from positive terms."""
    fewer, more = np.minimum(c, k), np.maximum(c, k).astype(np.float64)
    found = np.zeros(len(n))
    for i in range(int(fewer.max(initial=0))):
        found += (1.0 - found) * np.where(i < fewer, more / np.maximum(n - i, 1), 0.0)
    return found


def _log_none(n: Whole, c: Whole, k: int) -> Array:
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
