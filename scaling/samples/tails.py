"""Bounds on how far a count in a subset strays, for leaving out what cannot change a digit."""

from typing import Any

import numpy as np

from scaling.samples.checks import Array

NEVER = 40.0
"""Negative log of a probability that no sum of ours resolves: 4e-18."""


def nears(count: Any, k: Any, share: Any) -> Array:
    """Exponent of the bound P(X >= count) <= exp(-k KL(count / k || share)) where count lies above k share, else of P(X <=).

    X is the number of samples of one kind in a subset of k without replacement, `share` their share of all. Positive
    where `count` lies above k share, negative where it lies below; all broadcast. Source: Hoeffding 1963, theorems 1 and 4.
    """
    from scipy.special import rel_entr

    q = np.clip(np.asarray(count, dtype=np.float64) / np.maximum(k, 1), 0.0, 1.0)
    exponent: Array = k * (rel_entr(q, share) + rel_entr(1.0 - q, 1.0 - np.asarray(share)))
    return np.where(q >= share, exponent, -exponent)
