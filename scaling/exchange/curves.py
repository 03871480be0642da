"""Two curves of score against training compute, and where they reach a score: as quadratics, and as steps.

Shapes: n levels, D draws. The four curves are the linked score at little and at much inference, and log10 of the inference
compute of either.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from scaling.exchange.links import Link
from scaling.exchange.uncertainty import components, left_out
from scaling.fitting.parts import Estimate
from scaling.laws.base import Array

if TYPE_CHECKING:
    from scaling.exchange.design import Design

BEYOND = 0.1
"""Decades beyond the levels up to which a quadratic's crossing counts."""


@dataclass(frozen=True)
class Crossing:
    """Where two curves reach one score."""

    much: float
    """log10 training compute with much inference."""
    little: float
    """The same with little."""
    spent: float
    """Decades of inference between them."""

    @property
    def saved(self) -> float:
        """Decades of training."""
        return self.little - self.much

    @property
    def eta(self) -> float:
        """Saved / spent."""
        return self.saved / self.spent


@dataclass(frozen=True)
class Error:
    """Variance of a rate and its degrees of freedom."""

    variance: float
    freedom: float


class Curves:
    """The levels that have both budgets, with and without each run and problem."""

    def __init__(self, design: Design, link: Link) -> None:
        """Means of the levels of `design`."""
        level_u, level_v, level_score = design.level_curves()
        both = np.flatnonzero(np.isfinite(level_score).all(axis=1))
        self._order = both[np.argsort(level_u[both])]
        self._design, self._link = design, link
        self.u, self.scores, self.v = level_u[self._order], level_score[self._order].T, level_v[self._order].T

    def drawn(self, draws: int, block: int, rng: np.random.Generator) -> tuple[Array, Array]:
        """The four quadratics (4, 3), highest power first, and data with residuals drawn anew in blocks (D, 4, n)."""
        y = np.concatenate([self._link.scale(self.scores), self.v])
        basis = np.vander(self.u, 3)
        fitted = y @ np.linalg.pinv(basis).T
        mean = fitted @ basis.T
        n = len(self.u)
        starts = rng.integers(0, n, size=(draws, -(-n // block)))
        index = ((starts[:, :, None] + np.arange(block)) % n).reshape(draws, starts.shape[1] * block)[:, :n]
        return fitted, mean[None] + np.moveaxis((y - mean)[:, index], 0, 1)

    def error(self, y: float, drawn: Array) -> Error:
        """The error of eta at y: from runs and problems where there are several, else from scatter along the run.

        With one run, the scatter of its checkpoints about smooth curves (the quadratics `drawn`, (D, 4, 3)) stands for all
        but the problems; without two draws that cross y nothing does, and the variance is NaN.
        """
        without = left_out(self._design)
        full = np.full((len(without.runs) + len(without.problems), *self._design.there.shape), np.nan)
        full[:, self._design.there] = np.concatenate([without.runs, without.problems])
        scores = self._link.scale(np.swapaxes(full[:, self._order], 1, 2))
        tables = np.concatenate([scores, np.broadcast_to(self.v, (len(full), *self.v.shape))], axis=1)
        values = crossed(tables @ np.linalg.pinv(np.vander(self.u, 3)).T, self._link, y)
        parts = components(without, values[: len(without.runs)], values[len(without.runs) :])
        if len(without.runs):
            return Error(parts.total, parts.freedom)
        known = crossed(drawn, self._link, y)
        known = known[np.isfinite(known)]
        scatter = float(known.var(ddof=1)) if len(known) > 1 else np.nan
        return Error(scatter + parts.total, np.inf)

    def steps(self, y: float, tables: Array, level: float) -> Estimate | None:
        """Eta of the isotonic curves, with percentiles of those through data drawn anew (D, 4, n)."""
        found = isotonic(self.u, self.scores, self.v, y)
        if found is None:
            return None
        again = [isotonic(self.u, self._link.share(table[:2]), table[2:], y) for table in tables]
        known = np.array([one.eta for one in again if one is not None and one.spent > 0])
        if len(known) < max(2, 0.5 * len(tables)):
            return Estimate(found.eta)
        tail = 0.5 * (1 - level)
        low, high = np.quantile(known, [tail, 1 - tail])
        return Estimate(
            found.eta, min(float(low), found.eta), max(float(high), found.eta), float(known.std(ddof=1))
        )


def _inverted(curve: Array, x: float) -> Array:
    """Log10 training compute (...) on the rising branch of quadratics (..., 3) at x; NaN where they do not get there."""
    d, b, a = curve[..., 0], curve[..., 1], curve[..., 2]
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray(2 * (x - a) / (b + np.sqrt(b**2 + 4 * d * (x - a))))


def _at(curve: Array, u: Array) -> Array:
    return np.asarray((curve[..., 0] * u + curve[..., 1]) * u + curve[..., 2])


def crossed(curves: Array, link: Link, y: float) -> Array:
    """Eta (D,) between quadratics (D, 4, 3)."""
    x = float(link.scale(np.array(y)))
    little, much = _inverted(curves[:, 0], x), _inverted(curves[:, 1], x)
    spent = _at(curves[:, 3], much) - _at(curves[:, 2], little)
    return np.asarray((little - much) / spent)


def crossing(curves: Array, link: Link, y: float, u: Array) -> Crossing | None:
    """Where the quadratics (4, 3) reach y; None where one does not among the levels, give or take `BEYOND`."""
    x = float(link.scale(np.array(y)))
    little, much = float(_inverted(curves[0], x)), float(_inverted(curves[1], x))
    if not (u.min() - BEYOND <= min(little, much) and max(little, much) <= u.max() + BEYOND):
        return None
    return Crossing(much, little, float(_at(curves[3], np.array(much)) - _at(curves[2], np.array(little))))


def isotonic(u: Array, scores: Array, v: Array, y: float) -> Crossing | None:
    """Where isotonic curves through scores (2, n) first reach y, straight between levels; None where one does not."""
    from scipy.optimize import isotonic_regression

    found = []
    for row in range(2):
        curve = isotonic_regression(scores[row]).x
        if curve[-1] < y or curve[0] > y:
            return None
        k = int(np.argmax(curve >= y))
        found.append(float(u[0]) if k == 0 else float(np.interp(y, curve[k - 1 : k + 1], u[k - 1 : k + 1])))
    little, much = found
    return Crossing(much, little, float(np.interp(much, u, v[1]) - np.interp(little, u, v[0])))
