"""Fitted surfaces as numbers that need no form: x = a(v) + b(v) u + d u^2 with a and b linear between knots.

Shapes: D draws, K knots.
"""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np

from scaling.exchange.forms import Additive, Bilinear, Free, Saturating
from scaling.exchange.surface import Surfaces
from scaling.laws.base import Array

MESH = 257
"""Knots for a form that is curved in v."""
PIECES = 8
"""Knots that stand for a cubic between two budgets."""


def tabulated(surfaces: Surfaces, v_range: tuple[float, float], mesh: int = MESH) -> dict[str, Any] | None:
    """The predictors of surfaces by knots in v; None for a form that has none of this kind.

    Returns origin, [u0, v0] from which u and v are counted; knots, (K,); and predictors, for each draw a and b at the
    knots and d. Straight on beyond the knots they are the surface itself, but for a form that is curved in v: of that,
    `mesh` knots over `v_range` (log10 inference compute) are taken, and its a is a chord between two.
    """
    form = surfaces.form
    ends = np.array(v_range, dtype=np.float64) - surfaces.centre[1]
    if isinstance(form, Saturating):
        knots = np.linspace(ends[0], ends[1], mesh)
    elif isinstance(form, Free):
        knots = _between(form.knots, ends)
    elif isinstance(form, Additive | Bilinear):
        knots = ends
    else:
        return None
    a, b, d = form.quadratic(surfaces.beta, surfaces.shape, knots)
    rows = zip(a, b, d.mean(axis=1), strict=True)
    return {
        "origin": list(surfaces.centre),
        "knots": _listed(knots),
        "predictors": [
            {"a": _listed(one), "b": _listed(other), "d": float(last)} for one, other, last in rows
        ],
    }


def _between(known: Array | None, ends: Array) -> Array:
    """The knots of a spline with `PIECES` for each stretch between them; the ends where there is no curve."""
    if known is None or len(known) < 3:
        return ends if known is None or len(known) < 2 else known
    parts = [np.linspace(low, high, PIECES, endpoint=False) for low, high in pairwise(known)]
    return np.append(np.concatenate(parts), known[-1])


def _listed(values: Array) -> list[float]:
    found: list[float] = values.tolist()
    return found
