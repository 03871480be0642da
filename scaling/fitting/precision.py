"""What simulated noise is made of: residuals with the freedom that a fit took, and rows that differ in precision.

Weights of residual losses are relative precisions here: the noise of row i has the standard deviation sigma / sqrt(w_i).
Rows that were counted w times over are another matter, which weights cannot tell from this one. Shapes: n rows.
"""

import numpy as np

from scaling.laws.base import Array


def freedom(rows: int, parameters: int) -> int:
    """Rows minus the parameters that were fitted to them, at least 1."""
    return max(rows - parameters, 1)


def widened(residuals: Array, parameters: int) -> Array:
    """Residuals times sqrt(n / (n - p)), (n,): as wide as noise is before p parameters follow it."""
    n = len(residuals)
    return residuals * float(np.sqrt(n / freedom(n, parameters)))


def roots(weights: Array) -> Array:
    """Sqrt(w / mean w), (n,): the factor that makes a row's residual that of a row of mean weight."""
    found: Array = np.sqrt(weights / np.mean(weights))
    return found
