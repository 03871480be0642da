"""What measured shares say of the best one: a share, a bound, or nothing.

Bounds take scores to rise to one top and to fall after it. Then a share that scores less than a greater one lies below the
top, and one that scores less than a smaller one above it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

from scaling.exchange.split_curve import flat_places, misses
from scaling.fitting.parts import Estimate

if TYPE_CHECKING:
    from scaling.exchange.split_curve import Curve, Jackknife
    from scaling.exchange.split_table import Budget
    from scaling.laws.base import Array

Status = Literal["ok", "at an edge", "not identified"]


@dataclass(frozen=True)
class Answer:
    """What is known of the best share: an interval, a bound, or why nothing is."""

    status: Status
    reason: str
    best: Estimate | None = None
    bound: tuple[float, float] | None = None


@dataclass(frozen=True)
class Judged:
    """The answer at one total with the numbers that it rests on; fields as those of `Split`."""

    answer: Answer
    measured: int
    over_none: Estimate | None
    over_most: Estimate | None
    p_value: float
    missed: float | None


def judged(budget: Budget, jackknife: Jackknife, curves: Sequence[Curve]) -> Judged:
    """Say what is known of the best share of a total, and how much it gains; the first curve says where the top is."""
    tables = jackknife.tables
    measured, last = int(tables[0].argmax()), tables.shape[1] - 1
    p_value = alike(budget.scores)
    answer = _answer(budget, jackknife, curves, measured, p_value)
    missed = misses(budget, jackknife, curves[0])
    smooth = answer.status == "ok" and missed is None
    best = curves[0].highest() if smooth else tables[:, measured]
    over_none = over_most = None
    if budget.shares[0] == 0 and (smooth or measured > 0):
        over_none = jackknife.estimate(best - tables[:, 0])
    if smooth or measured < last:
        over_most = jackknife.estimate(best - tables[:, last])
    return Judged(answer, measured, over_none, over_most, p_value, missed)


def _answer(
    budget: Budget, jackknife: Jackknife, curves: Sequence[Curve], measured: int, p_value: float
) -> Answer:
    if not jackknife.runs:
        return Answer("not identified", "there is one run, and other seeds may have another best share")
    if p_value > 1 - jackknife.level:
        why = f"differences between shares cannot be told from none (p = {p_value:.2g})"
        return Answer("not identified", why)
    if measured in (0, len(budget.shares) - 1):
        return _at_an_edge(budget, jackknife, measured)
    first = curves[0]
    if first.inside:
        return _inside(budget, jackknife, curves, measured)
    least = int(budget.shares[0] == 0)  # the least with RL
    if measured == least and first.tops[0] <= first.ends[0]:
        return _at_an_edge(budget, jackknife, measured)
    return Answer(
        "not identified", "the curve through the shares has no top between the least and the greatest"
    )


def _inside(budget: Budget, jackknife: Jackknife, curves: Sequence[Curve], measured: int) -> Answer:
    """The top of the first curve with the shares at which the slope of one or another cannot be told from none.

    An end is open where that is so of the least or the greatest share, or where one of these, or no RL, cannot be told to
    score less than the top: then the curves' forms alone would say that the best share lies within. A curve that misses the
    shares says less than they do, and so does one through a share that is never or always right, whose log-odds are those of
    the added half samples: ends are then at least as far as those of a bound.
    """
    first = curves[0]
    best = float(first.tops[0])
    places = np.array([flat_places(curve, jackknife) for curve in curves])
    low, high = float(places[:, 0].min()), float(places[:, 1].max())
    gains = first.highest()[:, None] - jackknife.tables
    least = np.flatnonzero(budget.shares > 0)[0]
    if low <= first.ends[0] or not all(_more(jackknife, gain) for gain in gains.T[: least + 1]):
        low = 0.0
    if high >= first.ends[1] or not _more(jackknife, gains[:, -1]):
        high = 1.0
    made_up = np.isin(jackknife.tables[0, budget.shares > 0], (0, 1)).any()
    if made_up or misses(budget, jackknife, first) is not None:
        bound = _bound(budget, jackknife, measured)
        low, high = min(low, bound[0]), max(high, bound[1])
    if (low, high) == (0.0, 1.0):
        why = f"the curve is highest at {best:.2g}, and its interval covers all shares that were tried"
        return Answer("not identified", why)
    return Answer("ok", "", best=Estimate(best, low, high))


def _at_an_edge(budget: Budget, jackknife: Jackknife, measured: int) -> Answer:
    """The shares between which the best one lies."""
    bound = _bound(budget, jackknife, measured)
    limits = []
    if bound[0] > 0:
        limits.append(f"more than {bound[0]:.2g}")
    elif measured > 0 and _more(jackknife, jackknife.tables[:, measured] - jackknife.tables[:, 0]):
        limits.append("more than none")
    if bound[1] < 1:
        limits.append(f"less than {bound[1]:.2g}")
    if not limits:
        why = f"{_called(budget, measured)} scores best, and no other share can be told from it"
        return Answer("not identified", why)
    why = f"{_called(budget, measured)} scores best: the best share is {' and '.join(limits)}"
    return Answer("at an edge", why, bound=bound)


def _bound(budget: Budget, jackknife: Jackknife, measured: int) -> tuple[float, float]:
    """Shares on either side of the best measured one that are told from it, the farthest compared first; 0 and 1 if none."""
    shares = budget.realised
    under = _told_from(jackknife, measured, range(measured))
    above = _told_from(jackknife, measured, range(len(shares) - 1, measured, -1))
    return (0.0 if under is None else float(shares[under]), 1.0 if above is None else float(shares[above]))


def _called(budget: Budget, measured: int) -> str:
    """A share at an edge, in words."""
    if budget.shares[measured] == 0:
        return "no RL at all"
    what = "greatest" if measured == len(budget.shares) - 1 else "least"
    return f"the {what} share of RL that was tried, {budget.realised[measured]:.2g},"


def _told_from(jackknife: Jackknife, best: int, others: Iterable[int]) -> int | None:
    """The last of the others, in their order and up to the first that is not, that is told to score less than `best`.

    Each claim in this order holds the ones before it, so that all of them together err as often as one.
    """
    found = None
    for other in others:
        if not _more(jackknife, jackknife.tables[:, best] - jackknife.tables[:, other]):
            break
        found = other
    return found


def _more(jackknife: Jackknife, gains: Array) -> bool:
    """Whether a gain, by its values on the tables (D,), is told from none."""
    return jackknife.interval(gains)[0] > 0


def alike(scores: Array) -> float:
    """p-value of no differences between shares, of scores (S, R, P): Clark's (1973) min F'.

    The mean square of shares over the sum of those of their interactions with runs and with problems, with Satterthwaite's
    degrees of freedom; interactions are taken to spread alike at all shares.
    """
    from scipy.special import fdtrc

    count, runs, problems = scores.shape
    between = runs * problems * float(scores.mean(axis=(1, 2)).var(ddof=1))
    parts, freedoms = [], []
    for axis, units in ((2, runs), (1, problems)):
        if units < 2:
            continue
        cell = scores.mean(axis=axis)
        rest = cell - cell.mean(axis=1, keepdims=True) - cell.mean(axis=0, keepdims=True) + cell.mean()
        freedoms.append((count - 1) * (units - 1))
        parts.append(runs * problems / units * float((rest**2).sum()) / freedoms[-1])
    error = sum(parts)
    if error == 0:
        return 0.0 if between > 0 else 1.0
    freedom = error**2 / sum(part**2 / one for part, one in zip(parts, freedoms, strict=True))
    return float(fdtrc(count - 1, freedom, between / error))
