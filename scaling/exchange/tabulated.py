"""Fitted surfaces as numbers that need no form: x = a(v) + b(v) u + d u^2 with a and b linear between knots.

Shapes: D draws, K knots.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np

from scaling.exchange.forms import Additive, Bilinear, Free, Saturating
from scaling.exchange.surface import Surfaces
from scaling.laws.base import Array

MESH = 257
"""Knots for a form that is curved in v."""
PIECES = 16
"""Knots that stand for a cubic between two budgets."""


def tabulated(
    surfaces: Surfaces, v_range: tuple[float, float], mesh: int | None = None, also: Sequence[float] = ()
) -> dict[str, Any] | None:
    """The predictors of surfaces by knots in v; None for a form that has none of this kind.

    Returns origin, [u0, v0] from which u and v are counted; knots, (K,); and predictors, for each draw a and b at the
    knots and d. Straight on beyond the knots they are the surface itself, but for a form that is curved in v: of that,
    `mesh` knots over `v_range` (log10 inference compute) are taken, with those in `also`, and its a is a chord between two.
    """
    form = surfaces.form
    ends = np.array(v_range, dtype=np.float64) - surfaces.centre[1]
    if isinstance(form, Saturating):
        knots = np.linspace(ends[0], ends[1], mesh or MESH)
    elif isinstance(form, Free):
        knots = _between(form.knots, ends, mesh)
    elif isinstance(form, Additive | Bilinear):
        knots = ends
    else:
        return None
    if len(knots) > 2 and len(also):
        knots = np.unique(np.concatenate([knots, np.array(also, dtype=np.float64) - surfaces.centre[1]]))
    a, b, d = form.quadratic(surfaces.beta, surfaces.shape, knots)
    rows = zip(a, b, d.mean(axis=1), strict=True)
    return {
        "origin": list(surfaces.centre),
        "knots": _listed(knots),
        "predictors": [
            {"a": _listed(one), "b": _listed(other), "d": float(last)} for one, other, last in rows
        ],
    }


def _between(known: Array | None, ends: Array, mesh: int | None) -> Array:
    """The knots of a spline with some for each stretch between them, and the ends, up to which it goes on straight."""
    if known is None or len(known) < 3:
        return ends
    pieces = PIECES if mesh is None else -(-mesh // (len(known) - 1))
    parts = [np.linspace(low, high, pieces, endpoint=False) for low, high in pairwise(known)]
    inside = np.append(np.concatenate(parts), known[-1])
    return np.concatenate([ends[:1][ends[:1] < inside[0]], inside, ends[1:][ends[1:] > inside[-1]]])


def _listed(values: Array) -> list[float]:
    found: list[float] = values.tolist()
    return found
