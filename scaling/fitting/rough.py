"""Starts where the objective is rough: mostly kinks, with shallow minima beside each other."""

import operator
from dataclasses import replace
from functools import reduce

import numpy as np

from scaling.fitting.design import Design
from scaling.fitting.engine import (
    TIED,
    Candidates,
    by_floor,
    hubers,
    polish,
    replace_column,
    search,
    to_vertices,
)
from scaling.fitting.grid import Grid
from scaling.fitting.problems import Problems
from scaling.fitting.starts import Starts
from scaling.laws.base import Array

KICKS = 60
"""Starts scattered about a minimum where the objective is rough."""
GAPS = 12
"""Gaps between neighbouring inputs, about where a law bends, that it is tried to bend in."""
ROUNDS = 4
"""Most times that the lowest minimum is left for one with a location moved."""
SMOOTH = 2
"""Rows a parameter that must lie within delta of the law, else Huber's loss is rough."""


def smoothed(problems: Problems, *, most: int, grid: Grid | None = None) -> Candidates:
    """Minima of Huber's loss with ten times the delta, followed to the minima of the problems' own delta.

    A wider delta has fewer minima, and the lowest of them often lies beside the lowest of all.
    """
    objective = problems.objective
    wide = replace(problems, objective=replace(objective, delta=10 * objective.delta))
    theta = search(wide, most=most, floor_at_zero=False, grid=grid).best(len(problems.weights))[1].theta
    return reduce(
        operator.add,
        (polish(problems, Starts(at, theta[at]), free) for at, free in by_floor(theta, problems.design.free)),
    )


def kicked(problems: Problems, theta_P: Array) -> Candidates:
    """Minima from KICKS starts scattered about a theta, for the first of the problems; a floor of 0 may leave it.

    Least absolute deviations, and Huber's loss with few residuals below delta, bend wherever a row changes its side
    and so have shallow minima beside each other, which starts by least squares cannot tell apart.
    """
    design = problems.design
    low, high = design.bounds
    about = np.where(np.isfinite(theta_P), theta_P, design.lowest - 5.0)
    free, kicks = design.free, scatter(KICKS, len(theta_P))
    begin = Starts(np.zeros(KICKS, dtype=np.intp), np.where(free, np.clip(about + kicks, low, high), theta_P))
    if not problems.objective.kinked:
        return polish(problems, begin, free)
    # a wider delta would smooth the minima into one
    nearly = replace(problems, objective=hubers(design, problems.objective)[1])
    return to_vertices(problems, polish(nearly, begin, free))


def moved(problems: Problems, found: Candidates) -> Candidates:
    """Candidates of the first problem, and minima with one location of the lowest moved to the GAPS between inputs nearby.

    Where a law bends sharply within a gap between neighbouring inputs, each gap near by may hold a minimum. As long as
    one is lower the next are tried from there, up to ROUNDS times.
    """
    design = problems.design
    lowest = found.best(1)[1]
    for _ in range(ROUNDS):
        theta_P = lowest.theta[0]
        starts = [_in_gaps(design, k, theta_P) for k in _locations(design)]
        theta = np.concatenate([theta_P[None, :], *starts])
        begin = Starts(np.zeros(len(theta), dtype=np.intp), theta)
        found += polish(problems, begin, design.free & np.isfinite(theta_P))
        before, lowest = lowest, found.best(1)[1]
        if lowest.value[0] >= before.value[0] * (1 - TIED):
            break
    return found


def _locations(design: Design) -> list[int]:
    """Positions of the free parameters that are places on an input."""
    return [k for k, about in enumerate(design.law.parameters()) if about.location and design.free[k]]


def _in_gaps(design: Design, k: int, theta_P: Array) -> Array:
    """The theta with its location k in each of the GAPS between inputs nearby."""
    law = design.law
    x = np.unique(design.x[law.feature_names().index(law.parameters()[k].location or "")])
    gaps = 0.5 * (x[1:] + x[:-1])
    near = design.within(k, gaps[np.argsort(np.abs(gaps - theta_P[k]), kind="stable")[:GAPS]])
    return replace_column(np.repeat(theta_P[None, :], len(near), axis=0), k, near)


def scatter(count: int, P: int) -> Array:
    """Random steps about a minimum, short and long ones in turn, (count, P)."""
    steps: Array = (
        np.random.default_rng(0).normal(size=(count, P)) * np.resize([0.1, 0.3, 0.6], count)[:, None]
    )
    return steps


def is_rough(problems: Problems, theta_P: Array) -> bool:
    """Whether the objective is mostly kinks: LAD, or Huber's loss with few rows within delta of the law.

    Of designs with too few rows nothing hangs on which of their minima is taken.
    """
    objective = problems.objective
    if objective.loss != "huber" or problems.design.has_few_rows:
        return objective.kinked
    log_L = problems.design.law.evaluate(theta_P[None, :], problems.design.x)[0]
    residuals = objective.residuals(log_L, problems.log_y[:1])
    return int(np.sum(np.abs(residuals) <= objective.delta)) < SMOOTH * len(theta_P)
