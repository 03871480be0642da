"""Shares averaged over normal shifts on the link's scale, as over problems of a cell or runs of a level.

Shapes: any for x; the shifts have standard deviation s.
"""

import numpy as np
from numpy.polynomial.hermite_e import hermegauss, hermeval

from scaling.exchange.links import LINEAR, Link
from scaling.laws.base import Array

NODES, WEIGHTS = hermegauss(60)
WEIGHTS = WEIGHTS / WEIGHTS.sum()
SCALE = np.linspace(-60.0, 60.0, 2401)
"""Points of the link's scale between which an inverse is interpolated."""
TERMS = 16
"""Terms of the series of a covariance."""


def _polynomials() -> Array:
    """Hermite polynomials of unit variance at the nodes, (TERMS, NODES)."""
    scale = np.sqrt(np.cumprod(np.maximum(np.arange(TERMS), 1.0)))
    return np.asarray(hermeval(NODES, np.diag(1 / scale)))


POLYNOMIALS = _polynomials()


def shifted(link: Link, x: Array, s: float) -> Array:
    """Shares h(x + s z) at the nodes z, (..., NODES)."""
    return link.share(np.asarray(x)[..., None] + s * NODES)


def mean_share(link: Link, x: Array, s: float) -> Array:
    """E h(x + s z) over standard normal z."""
    return np.asarray(shifted(link, x, s) @ WEIGHTS)


def middle(link: Link, share: Array, s: float) -> Array:
    """The x at which E h(x + s z) is `share`."""
    if link is LINEAR:
        return np.asarray(share)
    return np.asarray(np.interp(link.scale(share), link.scale(mean_share(link, SCALE, s)), SCALE))


def coefficients(link: Link, x: Array, s: float) -> Array:
    """c_j of h(x + s z) = sum_j c_j He_j(z) / sqrt(j!), (..., TERMS).

    The covariance of two shares whose z have correlation r is sum_{j > 0} c_j c'_j r^j (Mehler 1866).
    """
    return np.asarray((shifted(link, x, s) * WEIGHTS) @ POLYNOMIALS.T)
