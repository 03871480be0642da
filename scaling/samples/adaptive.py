"""Whether problems got more samples because of how they went."""

from typing import Any

import numpy as np

from scaling.samples import checks

SMALL = 1e-3
"""Probability of rates that go with the samples as much by luck, below which samples are called adaptive."""
LEAST = 10
"""Problems below which nothing is said."""


def adaptive(n: Any, c: Any) -> str | None:
    """Return one line where the number of samples goes with the share of right ones, else None.

    pass@k is unbiased for n fixed beforehand. Where sampling went on until something was right, or on hard problems,
    c / n and n go together; where n is arbitrary, the mean of c / n is the same at all n, however it scatters. The
    test is of the covariance of c / n with the rank of n, two-sided by the normal distribution, with a variance that
    lets the scatter depend on n: z = sum x e / sqrt(sum x^2 e^2), x and e less their means. `n` and `c` are (P,).

    It cannot see samples that were stopped by what they showed at equal rates. Raises InputError for no counts.
    """
    from scipy.special import ndtr
    from scipy.stats import rankdata

    n, c = checks.counts(n, c)
    n, c = n.ravel(), c.ravel()
    if len(n) < LEAST or n.min() == n.max():
        return None
    x, e = rankdata(n), c / n
    x, e = x - x.mean(), e - e.mean()
    scale = np.sqrt(np.sum((x * e) ** 2))
    if scale == 0:
        return None
    z = float(np.sum(x * e) / scale)
    p = float(2.0 * ndtr(-abs(z)))
    if p >= SMALL:
        return None
    which = "less" if z < 0 else "more"
    return (
        f"problems have {n.min():,} to {n.max():,} samples, and those with more were solved {which} often (p = {p:.1g}): "
        "pass@k is unbiased only where the number of samples was fixed beforehand"
    )
