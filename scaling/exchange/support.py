"""Which part of an isoquant was measured, and what a design can identify.

Shapes: L levels, B budgets, V points along an isoquant.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from scaling.exchange.design import Design
from scaling.exchange.surface import Surfaces
from scaling.laws.base import Array

POINTS = 400
SLACK = 1e-9
"""Decades of rounding."""
LEVELS, DECADES, BUDGETS = 3, 1.0, 3
"""Least training levels, over least decades, that bracket a score at least at so many budgets."""
SCARCE = 0.5
"""Share of budgets with fewer levels than that, from which they seem to be no budgets."""


@dataclass(frozen=True)
class Span:
    """The measured part of an isoquant."""

    low: float
    """log10 inference compute where it begins."""
    high: float
    """log10 inference compute where it ends."""
    train_low: float
    """log10 training compute at `high`."""
    train_high: float
    """log10 training compute at `low`."""

    @property
    def infer(self) -> float:
        """Decades of inference compute."""
        return self.high - self.low

    @property
    def train(self) -> float:
        """Decades of training compute that they replace."""
        return self.train_high - self.train_low


def power_of_ten(x: float) -> float:
    """10^x; infinite where no float holds it."""
    with np.errstate(over="ignore"):
        return float(np.power(10.0, x))


def span_of(surface: Surfaces, design: Design, y: float) -> Span | None:
    """The longest piece of the isoquant P = y between the least and most of both computes; None without one.

    At a training compute between two levels the inference computes measured are interpolated between theirs.
    """
    level_u, level_v, _ = design.level_curves()
    order = np.argsort(level_u)
    u_ends = (float(level_u.min()) - SLACK, float(level_u.max()) + SLACK)
    bounds = np.nanmin(level_v, axis=1)[order] - SLACK, np.nanmax(level_v, axis=1)[order] + SLACK

    def measured(v: Array) -> npt.NDArray[np.bool_]:
        u = surface.isoquant(y, v)[0]
        least, most = (np.interp(u, level_u[order], ends) for ends in bounds)
        with np.errstate(invalid="ignore"):
            return np.asarray((u >= u_ends[0]) & (u <= u_ends[1]) & (v >= least) & (v <= most))

    v = np.linspace(np.nanmin(level_v), np.nanmax(level_v), POINTS)
    runs = _runs(measured(v))
    if not runs:
        return None
    first, last = max(runs, key=lambda run: run[1] - run[0])
    low = v[0] if first == 0 else _edge(measured, v[first], v[first - 1])
    high = v[-1] if last == POINTS - 1 else _edge(measured, v[last], v[last + 1])
    if high - low < SLACK:
        return None
    ends = surface.isoquant(y, np.array([low, high]))[0]
    return Span(float(low), float(high), float(ends[1]), float(ends[0]))


def _edge(measured: Callable[[Array], npt.NDArray[np.bool_]], inside: float, outside: float) -> float:
    """Where measured ground ends between a point on it and one beyond, to a part in 2^30: 33 points at a time."""
    for _ in range(6):
        points = np.linspace(inside, outside, 33)
        beyond = ~measured(points)
        beyond[0], beyond[-1] = False, True
        first = int(np.argmax(beyond))
        inside, outside = float(points[first - 1]), float(points[first])
    return inside


def _runs(inside: npt.NDArray[np.bool_]) -> list[tuple[int, int]]:
    """First and last index of each unbroken piece."""
    edges = np.flatnonzero(np.diff(np.concatenate([[0], inside.astype(np.int8), [0]])))
    return [(int(a), int(b) - 1) for a, b in zip(edges[::2], edges[1::2], strict=True)]


def bracketed(design: Design, y: float) -> Array:
    """log10 inference compute of the budgets at which training brackets a score, where it first does, ascending."""
    return np.sort(passes(design, y)[:, 1])


def passes(design: Design, y: float) -> Array:
    """Where training first passes a score at each budget at which it brackets it: log10 of both computes, (B', 2).

    That takes 3 levels over a decade; between two levels scores are interpolated.
    """
    level_u, level_v, score = design.level_curves()
    found = []
    for v, column in zip(level_v.T, score.T, strict=True):
        known = np.flatnonzero(np.isfinite(column))
        known = known[np.argsort(level_u[known])]
        if len(known) < LEVELS or np.ptp(level_u[known]) < DECADES - 1e-9:
            continue
        above = column[known] >= y
        if column[known].min() <= y <= column[known].max():
            after = max(1, int(np.argmax(above != above[0])))
            first, last = known[after - 1 : after + 1]
            rise = column[last] - column[first]
            share = (y - column[first]) / rise if rise else 0.0
            found.append([x[first] + share * (x[last] - x[first]) for x in (level_u, v)])
    return np.array(found, dtype=np.float64).reshape(-1, 2)


def lacking(design: Design, y: float) -> str | None:
    """Why a design cannot identify the rate at a score, in words; None where it can.

    It needs 3 training levels over a decade, with scores on both sides of y, at 3 budgets.
    """
    level_u, _, score = design.level_curves()
    if len(level_u) < LEVELS:
        return f"{len(level_u)} training level{'s' * (len(level_u) != 1)}, and a surface needs {LEVELS}"
    if np.ptp(level_u) < DECADES - 1e-9:
        return f"training levels span {np.ptp(level_u):.2g} decades, and a surface needs {DECADES:g}"
    count = len(bracketed(design, y))
    if count < BUDGETS:
        why = f"training brackets {y:g} at {count} budget{'s' * (count != 1)}, and a surface needs {BUDGETS}"
        scarce = np.isfinite(score).sum(axis=0) < LEVELS
        if scarce.mean() > SCARCE and all(isinstance(name, float) for name in design.budgets):
            why += (
                f"; {scarce.sum()} of {len(scarce)} inference computes are of fewer than {LEVELS} levels each: name "
                "what was given in a column budget, under which what was spent may differ"
            )
        return why
    return None
