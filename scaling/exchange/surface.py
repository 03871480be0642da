"""The surface P(C_train, C_infer) of one method, fitted to cell scores; many draws of the scores at once.

Shapes: D draws, M cells, V points along an isoquant. u = log10 training compute, v = log10 inference compute a problem.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from scaling.errors import FitError
from scaling.exchange.forms import Form
from scaling.exchange.links import LINEAR, Link
from scaling.exchange.regression import Regression
from scaling.laws.base import Array

ASYMPTOTE = 2.0
"""What a floor or a ceiling that is not where it is taken to be must gain in deviance (Akaike 1974)."""
CLOSE = 2.0
"""Deviance above the best within which a candidate is tried again in each draw."""
BLOCK = 2_000_000
"""Cells x columns x tables that are regressed together."""
CEILINGS = (0.0, 0.3, 0.6, 0.8, 0.9, 1.0)
"""Candidate ceilings, as parts of the way from 1 to the highest score."""
FLOORS = (0.0, 0.5, 0.8, 1.0)
"""Candidate floors, as parts of the way from the lowest possible score to the lowest one seen."""


@dataclass(frozen=True)
class Candidate:
    """A shape with a floor and a ceiling."""

    shape: float
    floor: float
    ceiling: float
    penalty: float
    """What is added to its deviance."""
    start: tuple[float, ...] | None = None
    """Coefficients to start from: those of the cells as measured."""


@dataclass(frozen=True)
class Surfaces:
    """D fitted surfaces of one form."""

    form: Form
    link: Link
    centre: tuple[float, float]
    """Mean u and v of the cells, which the basis is centred on."""
    beta: Array
    """Coefficients in centred u and v, (D, p)."""
    shape: Array
    """(D,)."""
    floor: Array
    """(D,)."""
    ceiling: Array
    """(D,)."""
    deviance: Array
    """(D,)."""
    candidates: tuple[Candidate, ...]
    """What is worth trying again."""

    def some(self, index: slice) -> "Surfaces":
        """Some of the surfaces alone."""
        names = ("beta", "shape", "floor", "ceiling", "deviance")
        return replace(self, **{name: getattr(self, name)[index] for name in names})

    def predictor(self, u: Array, v: Array) -> Array:
        """The link's scale at points (M,), (D, M)."""
        shape = (len(self.beta), np.size(u))
        us = np.broadcast_to(np.asarray(u) - self.centre[0], shape)
        vs = np.broadcast_to(np.asarray(v) - self.centre[1], shape)
        return np.asarray((self.form.basis(us, vs, self.shape[:, None]) @ self.beta[:, :, None])[..., 0])

    def score(self, u: Array, v: Array) -> Array:
        """P at points (M,), (D, M)."""
        width = (self.ceiling - self.floor)[:, None]
        return self.floor[:, None] + width * self.link.share(self.predictor(u, v))

    def isoquant(self, y: float, v: Array) -> Array:
        """U (D, V) at which P = y, at v (V,); NaN where a surface does not get there."""
        share = (y - self.floor) / (self.ceiling - self.floor)
        possible = np.ones_like(share, dtype=np.bool_) if self.link is LINEAR else (share > 0) & (share < 1)
        x = self.link.scale(np.where(possible, share, 0.5))
        found = self.form.training(self.beta, self.shape, x, np.asarray(v) - self.centre[1]) + self.centre[0]
        return np.where(possible[:, None], found, np.nan)

    def rate(self, y: float, low: float, high: float) -> Array:
        """The mean of -du/dv along the isoquant between v = low and high, (D,)."""
        ends = self.isoquant(y, np.array([low, high]))
        return np.asarray((ends[:, 0] - ends[:, 1]) / (high - low))


def fit_surfaces(
    form: Form,
    u: Array,
    v: Array,
    shares: Array,
    weights: Array,
    link: Link,
    *,
    floor: float | None = 0.0,
    ceiling: float | None = None,
    candidates: Sequence[Candidate] | None = None,
) -> Surfaces:
    """Fit a form to D tables of cell scores (D, M) at u, v (M,) with weights (M,), trials a cell.

    A cell that is NaN in a table is left out of it. A `floor` or `ceiling` that is None is fitted, from below the lowest
    score and above the highest; they matter for where the curve flattens, hardly for isoquants. Every candidate (shape,
    floor, ceiling) is regressed and the lowest deviance taken, with `ASYMPTOTE` added for a floor that is not 0 and a
    ceiling that is not 1. `candidates` are those of an earlier fit.

    Raises FitError where there are fewer cells than coefficients.
    """
    u, v = np.asarray(u, dtype=np.float64), np.asarray(v, dtype=np.float64)
    centre = (float(u.mean()), float(v.mean()))
    cu, cv = u - centre[0], v - centre[1]
    form = form.spanning(cu, cv)
    if candidates is None:
        candidates = _candidates(form, cu, cv, shares, link, floor, ceiling)
    columns = form.basis(cu, cv, np.array(candidates[0].shape)).shape[-1]
    if len(u) < columns:
        raise FitError(
            f"{len(u)} cells are too few for a {form.name} surface, which has {columns} coefficients"
        )
    best: dict[str, Any] = {}
    size = max(1, BLOCK // (len(candidates) * len(u) * columns))
    parts = [
        _best(form, cu, cv, shares[k : k + size], weights, link, candidates)
        for k in range(0, len(shares), size)
    ]
    for name in ("beta", "deviance", "which"):
        best[name] = np.concatenate([part[name] for part in parts])
    chosen = [candidates[k] for k in best["which"]]
    scores = parts[0]["all"][:, 0]
    close = tuple(
        replace(candidate, start=tuple(beta))
        for candidate, score, beta in zip(candidates, scores, parts[0]["first"].tolist(), strict=True)
        if score <= scores.min() + CLOSE
    )
    return Surfaces(
        form,
        link,
        centre,
        best["beta"],
        np.array([c.shape for c in chosen]),
        np.array([c.floor for c in chosen]),
        np.array([c.ceiling for c in chosen]),
        best["deviance"],
        close,
    )


def _candidates(
    form: Form, u: Array, v: Array, shares: Array, link: Link, floor: float | None, ceiling: float | None
) -> tuple[Candidate, ...]:
    low, high = float(np.nanmin(shares[0])), float(np.nanmax(shares[0]))
    if link is LINEAR:
        asymptotes = [(0.0, 1.0, 0.0)]
    else:
        floors = [floor] if floor is not None else [part * low for part in FLOORS]
        ceilings = [ceiling] if ceiling is not None else [1.0 - part * (1.0 - high) for part in CEILINGS]
        asymptotes = [
            (f, c, ASYMPTOTE * ((floor is None and f > 0) + (ceiling is None and c < 1)))
            for f in dict.fromkeys(floors)
            for c in dict.fromkeys(ceilings)
            if f < c
        ]
    return tuple(
        Candidate(float(shape), f, c, penalty) for shape in form.shapes(u, v) for f, c, penalty in asymptotes
    )


def _best(
    form: Form,
    u: Array,
    v: Array,
    shares: Array,
    weights: Array,
    link: Link,
    candidates: Sequence[Candidate],
) -> dict[str, npt.NDArray[Any]]:
    """The best candidate of each draw."""
    draws = len(shares)
    bases = np.stack([form.basis(u, v, np.array(c.shape)) for c in candidates])
    columns = bases.shape[-1]
    count = len(candidates)

    def spread(values: Sequence[float]) -> Array:
        return np.repeat(np.array(values), draws)

    known = np.isfinite(shares)
    starts = None
    if all(c.start is not None for c in candidates):
        starts = np.repeat(np.array([c.start for c in candidates], dtype=np.float64), draws, axis=0)
    beta, value = Regression(
        np.repeat(bases, draws, axis=0),
        np.tile(np.where(known, shares, 0.0), (count, 1)),
        np.tile(np.where(known, weights, 0.0), (count, 1)),
        link,
        spread([c.floor for c in candidates]),
        spread([c.ceiling for c in candidates]),
        form.positive(columns),
    ).solved(starts)
    value = value.reshape(count, draws)
    scores = value + np.array([c.penalty for c in candidates])[:, None]
    which = np.argmin(scores, axis=0)
    at = np.arange(draws)
    return {
        "beta": beta.reshape(count, draws, columns)[which, at],
        "deviance": value[which, at],
        "which": which,
        "all": scores,
        "first": beta.reshape(count, draws, columns)[:, 0],
    }
