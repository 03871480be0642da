"""Curves of score against RL share, their tops, and intervals of these by a jackknife of runs and problems.

Two forms, each linear in three coefficients, fitted to the shares s above 0 by binomial likelihood:

    parabola   logit P = b0 + b1 z + b2 z^2, z = log(s / (1 - s)): an isoFLOP parabola in the ratio of RL to pretraining
    powers     logit P = b0 + b1 log s + b2 log(1 - s): each stage's compute to a power of its own, as on an additive surface

Shapes: S shares, K of them above 0, Z other shares, R runs, P problems, D = 1 + R + P tables: the whole one, then without
each run, then without each problem.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from scaling.exchange.links import LOGIT
from scaling.exchange.regression import Regression
from scaling.exchange.uncertainty import Components, LeftOut, components
from scaling.fitting.parts import Estimate
from scaling.laws.base import Array

if TYPE_CHECKING:
    from scaling.exchange.split_table import Budget

NIL = 1e-4
"""Scores that are nearer to 0 or 1 have no log-odds of their own."""
POINTS = 61
"""Shares, evenly spaced in log-odds over those tried, at which a curve's slope is tested; ends are interpolated between."""
CENTRE = -1.5
"""Log-odds from which the parabola's z counts, those of .18, so that its columns are not nearly alike."""


@dataclass(frozen=True)
class Jackknife:
    """Tables of mean scores, and Student's interval of anything that is made of them."""

    tables: Array
    """Mean scores over runs and problems, (D, S)."""
    runs: int
    """Runs that are left out in turn; 0 of a single one."""
    problems: int
    level: float

    @staticmethod
    def of(scores: Array, level: float) -> Jackknife:
        """Leave out each run, if there are two or more, and each problem of scores (S, R, P)."""
        _, runs, problems = scores.shape
        whole = scores.mean(axis=(1, 2))
        tables = [whole[None]]
        if runs > 1:
            by_run = scores.mean(axis=2).T  # (R, S)
            tables.append((runs * whole - by_run) / (runs - 1))
        by_problem = scores.mean(axis=1).T  # (P, S)
        tables.append((problems * whole - by_problem) / (problems - 1))
        return Jackknife(np.concatenate(tables), runs if runs > 1 else 0, problems, level)

    @cached_property
    def _without(self) -> LeftOut:
        zeros = np.zeros(self.runs, dtype=np.intp)
        none = np.empty((0, 0))
        return LeftOut(none, zeros, zeros + self.runs, none, np.zeros(self.problems, dtype=np.intp))

    def components(self, values: Array) -> Components:
        """Variance from runs and from problems of an estimate by its values on the tables (D,)."""
        return components(self._without, values[1 : 1 + self.runs], values[1 + self.runs :])

    def estimate(self, values: Array) -> Estimate:
        """The value on the whole table with Student's interval."""
        low, high = self.interval(values)
        return Estimate(float(values[0]), low, high, float(np.sqrt(self.components(values).total)))

    def score(self, values: Array) -> Estimate:
        """The same of a score, with the interval of its log-odds: it stays between 0 and 1."""
        low, high = self.interval(LOGIT.scale(np.clip(values, NIL, 1 - NIL)))
        ends = LOGIT.share(np.array([low, high]))
        return Estimate(float(values[0]), float(ends[0]), float(ends[1]), self.estimate(values).se)

    def interval(self, values: Array) -> tuple[float, float]:
        """Student's interval of an estimate's values (D,)."""
        middle, reach = float(values[0]), self.components(values).reach(self.level)
        return middle - reach, middle + reach


@dataclass(frozen=True)
class Form:
    """A family of curves logit P = X(s) beta."""

    basis: Callable[[Array], Array]
    """X, (Z, 3), at shares (Z,)."""
    slope: Callable[[Array], Array]
    """Its derivative by log-odds of the share."""
    top: Callable[[Array], Array]
    """Share at the top, (D,), of coefficients (D, 3); NaN where there is none."""


def log_odds(share: Array) -> Array:
    """log(s / (1 - s))."""
    return LOGIT.scale(share)


def _parabola(share: Array) -> Array:
    z = log_odds(share) - CENTRE
    return np.stack([np.ones_like(z), z, z**2], axis=-1)


def _parabola_slope(share: Array) -> Array:
    z = log_odds(share) - CENTRE
    return np.stack([np.zeros_like(z), np.ones_like(z), 2 * z], axis=-1)


def _parabola_top(beta: Array) -> Array:
    bend = np.where(beta[:, 2] < 0, beta[:, 2], np.nan)
    return LOGIT.share(CENTRE - beta[:, 1] / (2 * bend))


def _powers(share: Array) -> Array:
    return np.stack([np.ones_like(share), np.log(share), np.log1p(-share)], axis=-1)


def _powers_slope(share: Array) -> Array:
    return np.stack([np.zeros_like(share), 1 - share, -share], axis=-1)


def _powers_top(beta: Array) -> Array:
    powers = np.where(beta[:, 1:].min(axis=1, keepdims=True) > 0, beta[:, 1:], np.nan)
    return np.asarray(powers[:, 0] / powers.sum(axis=1))


PARABOLA = Form(_parabola, _parabola_slope, _parabola_top)
POWERS = Form(_powers, _powers_slope, _powers_top)


@dataclass(frozen=True)
class Curve:
    """A form fitted to each table."""

    form: Form
    beta: Array
    """(D, 3)."""
    ends: tuple[float, float]
    """Least and greatest share above 0."""

    def slope(self, share: Array) -> Array:
        """Derivative of logit P by the log-odds of the share, (D, Z)."""
        return self.beta @ self.form.slope(share).T

    def scores(self, share: Array) -> Array:
        """P at shares above 0, (D, Z)."""
        return LOGIT.share(self.beta @ self.form.basis(share).T)

    @cached_property
    def tops(self) -> Array:
        """Share at the top of each table's curve, (D,); NaN where it has none."""
        return self.form.top(self.beta)

    @property
    def inside(self) -> bool:
        """Whether the whole table's curve has its top between the least and the greatest share above 0."""
        return bool(self.ends[0] < self.tops[0] < self.ends[1])

    def highest(self) -> Array:
        """P at the top of each table's curve, looked for between the ends, (D,); for a curve with a top."""
        tops = np.where(np.isfinite(self.tops), self.tops, self.tops[0])
        basis = self.form.basis(np.clip(tops, *self.ends))
        return LOGIT.share((self.beta * basis).sum(axis=1))


def curve_of(form: Form, budget: Budget, jackknife: Jackknife) -> Curve:
    """Fit a form to the shares above 0, with half a right and half a wrong sample added to each."""
    some = budget.shares > 0
    shares, samples = budget.realised[some], budget.samples[some]
    drawn_in = (samples * jackknife.tables[:, some] + 0.5) / (samples + 1)
    basis = form.basis(shares)
    count, width = len(drawn_in), basis.shape[1]
    regression = Regression(
        np.broadcast_to(basis, (count, *basis.shape)),
        drawn_in,
        np.broadcast_to(samples, drawn_in.shape),
        LOGIT,
        np.zeros(count),
        np.ones(count),
        np.zeros(width, dtype=np.bool_),
    )
    return Curve(form, regression.solved()[0], (float(shares[0]), float(shares[-1])))


def misses(budget: Budget, jackknife: Jackknife, curve: Curve) -> float | None:
    """The largest miss of the curve that is more than noise, in score; None where there is none, or no share to spare."""
    some = budget.shares > 0
    if some.sum() <= curve.beta.shape[1]:
        return None
    off = (jackknife.tables[:, some] - curve.scores(budget.realised[some])).T
    told = [float(one[0]) for one in off if np.prod(jackknife.interval(one)) > 0]
    return max(told, key=abs, default=None)


def flat_places(curve: Curve, jackknife: Jackknife) -> tuple[float, float]:
    """Least and greatest share between the ends at which the curve's slope cannot be told from none.

    Of a curve with a top this is Fieller's (1954) set of it; an end of it at an end of the shares is open. Where no slope is
    so near to none, both are the end that the curve rises to.
    """
    tops = curve.tops[:1] if curve.inside else np.empty(0)
    first, last = log_odds(np.asarray(curve.ends)).tolist()
    z = np.union1d(np.linspace(first, last, POINTS), log_odds(tops))
    slopes = curve.slope(LOGIT.share(z))
    reach = np.array([jackknife.components(values).reach(jackknife.level) for values in slopes.T])
    off = np.where(np.isin(z, log_odds(tops)), 0.0, np.abs(slopes[0]))
    beyond = off - reach  # above 0: told from none
    at = np.flatnonzero(beyond <= 0)
    if not at.size:
        end = curve.ends[int(slopes[0].sum() > 0)]
        return end, end
    low, high = _crossed(z, beyond, int(at[0]), -1), _crossed(z, beyond, int(at[-1]), 1)
    return float(LOGIT.share(np.asarray(low))), float(LOGIT.share(np.asarray(high)))


def _crossed(z: Array, beyond: Array, at: int, towards: int) -> float:
    """Where `beyond` comes to 0 between a point of at most 0 and the next, by a straight line; the point if it is last."""
    other = at + towards
    if not 0 <= other < len(z) or beyond[at] == 0:
        return float(z[at])
    part = beyond[at] / (beyond[at] - beyond[other])
    return float(z[at] + part * (z[other] - z[at]))
