"""Links between a score in [0, 1] and the scale on which a surface is linear.

Shapes: any; the functions act on each element.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from scaling.errors import InputError
from scaling.laws.base import Array

EDGE = 1e-12
"""Nearest that a share comes to 0 or 1 where its link would be infinite."""


@dataclass(frozen=True)
class Link:
    """A monotone map of the real line to shares."""

    name: str
    """`logit`, `cloglog` or `linear`."""
    share: Callable[[Array], Array]
    """h: from the link's scale to a share."""
    scale: Callable[[Array], Array]
    """The inverse of h."""
    slope: Callable[[Array], Array]
    """dh/dx."""


def _logistic(x: Array) -> Array:
    return 1.0 / (1.0 + np.exp(-np.clip(x, -700.0, 700.0)))


def _logit(p: Array) -> Array:
    p = np.clip(p, EDGE, 1.0 - EDGE)
    return np.log(p) - np.log1p(-p)


def _logistic_slope(x: Array) -> Array:
    p = _logistic(x)
    return p * (1.0 - p)


def _cloglog_share(x: Array) -> Array:
    return -np.expm1(-np.exp(np.clip(x, -700.0, 6.0)))


def _cloglog(p: Array) -> Array:
    return np.log(-np.log1p(-np.clip(p, EDGE, 1.0 - EDGE)))


def _cloglog_slope(x: Array) -> Array:
    x = np.clip(x, -700.0, 6.0)
    return np.exp(x - np.exp(x))


LOGIT = Link("logit", _logistic, _logit, _logistic_slope)
CLOGLOG = Link("cloglog", _cloglog_share, _cloglog, _cloglog_slope)
LINEAR = Link("linear", lambda x: x, lambda p: p, np.ones_like)
ALL = (LOGIT, CLOGLOG, LINEAR)


def find(name: str) -> Link:
    """Return the link of a name.

    Raises InputError for another name.
    """
    for link in ALL:
        if link.name == name:
            return link
    raise InputError(f"link is {name!r}; give {', '.join(one.name for one in ALL)}")
