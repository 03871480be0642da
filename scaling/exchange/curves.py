"""Two curves of score against training compute, and where they reach a score: as quadratics, and as steps.

Shapes: n levels, D draws. The four curves are the linked score at little and at much inference, and log10 of the inference
compute of either.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from scaling.exchange.links import LINEAR, Link
from scaling.exchange.one_rate import jackknifed
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
        """Saved / spent; NaN where nothing is spent."""
        return self.saved / self.spent if self.spent else np.nan


class Curves:
    """The levels that have both budgets, with and without each run and problem."""

    def __init__(self, design: Design, link: Link) -> None:
        """Means of the levels of `design`."""
        level_u, level_v, level_score = design.level_curves()
        both = np.flatnonzero(np.isfinite(level_score).all(axis=1))
        self._order = both[np.argsort(level_u[both])]
        self._design, self._link = design, link
        self.u, self.scores, self.v = level_u[self._order], level_score[self._order].T, level_v[self._order].T
        weight = np.stack([design.cell_weight[design.level == k].sum(axis=0) for k in self._order])
        self._least = 0.5 / (weight.T + 1)
        self.drawn_in = 0 if link is LINEAR else int(((self.scores <= 0) | (self.scores >= 1)).sum())
        """Cells of no or all right answers, which have no logit: half an answer of one more is taken."""
        self._left_out = left_out(design)
        full = np.full((len(self._left_out.runs) + len(self._left_out.problems), *design.there.shape), np.nan)
        full[:, design.there] = np.concatenate([self._left_out.runs, self._left_out.problems])
        self._without, weights = self._tables(np.swapaxes(full[:, self._order], 1, 2))
        """The data without each run and problem, (J, 4, n)."""
        self._fits_without = self._quadratics(self._without, weights)
        """Their quadratics, (J, 4, 3)."""
        table, weight = self._tables(self.scores[None])
        self._table, self._weight = table[0], weight[0]
        """The data as measured, and their weights, (4, n)."""
        self.quadratics = self._quadratics(table, weight)[0]
        """Coefficients of the four quadratics, highest power first, (4, 3)."""

    @property
    def several(self) -> bool:
        """Whether every level has several runs."""
        return bool(self._design.seeds.min() > 1)

    def _tables(self, scores: Array) -> tuple[Array, Array]:
        """Linked scores (J, 2, n) with log10 inference compute, and the weight of each, (J, 4, n).

        A score of 0 or 1 is taken as half an answer of one more, and weighs 4 p (1 - p) of what others do: as little as it
        says on a scale that it is at the end of.
        """
        weights = np.ones((len(scores), 4, len(self.u)))
        linked = scores
        if self._link is not LINEAR:
            inside = np.where(scores <= 0, self._least, np.where(scores >= 1, 1 - self._least, scores))
            weights[:, :2] = np.where(inside == scores, 1.0, 4 * inside * (1 - inside))
            linked = self._link.scale(inside)
        return np.concatenate([linked, np.broadcast_to(self.v, linked.shape)], axis=1), weights

    def _quadratics(self, tables: Array, weights: Array) -> Array:
        """Weighted least squares of tables (J, 4, n), (J, 4, 3)."""
        root = np.sqrt(weights)
        inverse = np.linalg.pinv(root[..., None] * np.vander(self.u, 3))
        found = (inverse @ (root * np.nan_to_num(tables))[..., None])[..., 0]
        return np.where(np.isfinite(tables).all(axis=-1, keepdims=True), found, np.nan)

    def drawn(self, draws: int, block: int, rng: np.random.Generator) -> tuple[Array, Array]:
        """Data with residuals drawn anew, (D, 4, n), and their quadratics, (D, 4, 3).

        Residuals grow by sqrt(n / (n - 3)), for the three coefficients that were fitted to them. They are drawn in blocks
        of neighbours, which keep their likeness, or one by one where that spreads the scores more: of few checkpoints a
        block takes most, and what the fit has evened out within it stays even.
        """
        n, root = len(self.u), np.sqrt(self._weight)
        residuals = self._residuals * root * np.sqrt(n / self.freedom)
        mean = self._table - self._residuals
        inverse = np.linalg.pinv(root[..., None] * np.vander(self.u, 3))

        def noise(length: int) -> Array:
            starts = rng.integers(0, n, size=(draws, -(-n // length)))
            blocks = (starts[:, :, None] + np.arange(length)) % n
            index = blocks.reshape(draws, starts.shape[1] * length)[:, :n]
            return np.asarray(np.moveaxis(residuals[:, index], 0, 1))

        def quadratics(noise: Array) -> Array:
            return np.asarray((inverse @ noise[..., None])[..., 0])

        def spread(noise: Array) -> float:
            return float(np.square(quadratics(noise)[:, :2] @ np.vander(self.u, 3).T).sum())

        chosen = max(noise(block), noise(1), key=spread)
        return mean + chosen / root, self.quadratics + quadratics(chosen)

    @property
    def _residuals(self) -> Array:
        return np.asarray(self._table - self.quadratics @ np.vander(self.u, 3).T)

    @property
    def problems(self) -> bool:
        """Whether problems are told apart."""
        return self._design.problems > 1

    @property
    def alike(self) -> float:
        """Correlation of neighbouring residuals of the two score curves, about their quadratics."""
        residual = (self._residuals * np.sqrt(self._weight))[:2]
        total = float((residual**2).sum())
        return float((residual[:, 1:] * residual[:, :-1]).sum()) / total if total > 1e-18 else 0.0

    @property
    def freedom(self) -> int:
        """Degrees of freedom of the scatter about a quadratic, n - 3."""
        return len(self.u) - 3

    def interval(self, eta: float, y: float, drawn: Array, level: float) -> Estimate:
        """Eta at y with Student's interval, or without one where nothing tells its error.

        With several runs at every level: the jackknife of runs and problems. Else the scatter of the checkpoints about
        smooth curves (the quadratics `drawn`, (D, 4, 3)) stands for all but the problems.
        """
        values = crossed(self._fits_without, self._link, y)
        if self.several:
            return (
                jackknifed(eta, values, self._left_out, level)[0]
                if np.isfinite(values).all()
                else Estimate(eta)
            )
        known = crossed(drawn, self._link, y)
        known = known[np.isfinite(known)]
        if len(known) < 2:
            return Estimate(eta)
        return self._about(eta, float(known.var(ddof=1)), values, level)

    def _about(self, eta: float, scatter: float, values: Array, level: float) -> Estimate:
        """Student's interval from scatter along the run and from `values` without each run and problem."""
        from scipy.special import stdtrit

        runs = len(self._left_out.runs)
        parts = components(self._left_out, values[:runs], values[runs:])
        both = scatter + parts.problem
        if not both > 0:
            return Estimate(eta)
        freedom = both**2 / (scatter**2 / self.freedom + parts.problem**2 / parts.problem_freedom)
        se = float(np.sqrt(both))
        reach = se * float(stdtrit(freedom, 0.5 * (1 + level)))
        return Estimate(eta, eta - reach, eta + reach, se)

    def steps(self, y: float, tables: Array, level: float) -> Estimate | None:
        """Eta of the isotonic curves: with the jackknife's interval, or percentiles through data drawn anew (D, 4, n)."""
        found = isotonic(self.u, self.scores, self.v, y)
        if found is None:
            return None
        several = self.several
        again = [
            isotonic(self.u, self._link.share(table[:2]), table[2:], y)
            for table in (self._without if several else tables)
        ]
        values = np.array([np.nan if one is None or one.spent <= 0 else one.eta for one in again])
        known = values[np.isfinite(values)]
        if several:
            whole = len(known) == len(values)
            return jackknifed(found.eta, values, self._left_out, level)[0] if whole else Estimate(found.eta)
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
