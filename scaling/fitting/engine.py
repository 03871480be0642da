"""From problems to their lowest minimum: starts, polish, the floor at zero as a problem of its own.

Shapes: B problems, S candidates (in any number each), P parameters, n rows.
"""

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from scaling.fitting.lad import exact_lad
from scaling.fitting.newton import Problems, Solutions, join, minimise
from scaling.fitting.objective import Mask
from scaling.fitting.starts import Starts, grid_of, starts
from scaling.laws.base import Array

LAD_DELTAS = (1.0, 1e-1, 1e-2, 1e-3, 1e-4, 1e-5)
"""Huber deltas, times `delta` of the objective, that lead to least absolute deviations."""


FEW, NEAR = 12, 1.5
"""A fit with E = 0 whose objective is after FEW steps still NEAR times that of the free floor is given up."""


@dataclass(frozen=True)
class Candidates:
    """Local minima found for B problems."""

    problem: npt.NDArray[np.intp]
    """Which problem each belongs to, (S,)."""
    solutions: Solutions
    """Their S ends."""

    def best(self, B: int) -> tuple[npt.NDArray[np.intp], Solutions]:
        """The lowest candidate of each of the B problems, positions (B,) and ends."""
        # Of equal values the converged one, then the first.
        order = np.lexsort((~self.solutions.converged, self.solutions.value, self.problem))
        first = np.searchsorted(self.problem[order], np.arange(B))
        chosen = order[first]
        return chosen, self.solutions.take(chosen)

    def __add__(self, other: "Candidates") -> "Candidates":
        """Both, one after the other."""
        return Candidates(
            np.concatenate([self.problem, other.problem]), join([self.solutions, other.solutions])
        )


def search(
    problems: Problems, *, most: int, warm: Array | None = None, floor_at_zero: bool = True
) -> Candidates:
    """Local minima of each problem from its own starts, up to `most`, and from the thetas `warm` (W, P).

    With `floor_at_zero` every problem is also fitted with E = 0; without, only those whose floor vanishes.
    """
    if problems.objective.loss == "lad":
        return _search_lad(problems, most=most, warm=warm, floor_at_zero=floor_at_zero)
    design, B = problems.design, len(problems.weights)
    law, grid = design.law, grid_of(design)
    free = np.ones(len(law.parameter_names()), dtype=np.bool_)
    found = _polish(problems, _with_warm(starts(problems, grid, most=most), warm, B), free)
    if law.floor is None:
        return found
    k = law.position(law.floor)
    low = design.bounds[0][k]
    _, best = found.best(B)
    vanishing = np.flatnonzero(floor_at_zero | (best.theta[:, k] <= low))
    if not vanishing.size:
        return found
    own = replace_column(best.theta[vanishing], k, -np.inf)
    grid_starts = starts(problems.take(vanishing), grid, most=most, floor=0.0)
    zero_starts = Starts(
        np.concatenate([vanishing[grid_starts.problem], vanishing]),
        np.concatenate([grid_starts.theta, own]),
    )
    without = free.copy()
    without[k] = False
    at_zero = _polish_promising(problems, zero_starts, without, best.value)
    # An end with E > 0 at its bound stands for E = 0, which was just fitted exactly.
    keep = np.flatnonzero((found.solutions.theta[:, k] > low) | ~np.isin(found.problem, vanishing))
    found = Candidates(found.problem[keep], found.solutions.take(keep)) + at_zero
    return found + _leave_zero(problems, found, k, free)


def replace_column(theta: Array, column: int, value: float | Array) -> Array:
    """A copy of theta (.., P) with one parameter set."""
    theta = theta.copy()
    theta[..., column] = value
    return theta


def floor_slope(problems: Problems, theta_BP: Array) -> Array:
    """Slope of the objective by E, (B,): not negative where a minimum with E = 0 is one."""
    state = problems.design.law.evaluate(theta_BP, problems.design.x)
    residuals = problems.objective.residuals(state[0], problems.log_y)
    nowhere = np.zeros(len(theta_BP), dtype=np.bool_)
    first, _ = problems.objective.derivatives(residuals, state[0], problems.weights, nowhere)
    slope: Array = np.sum(first * np.exp(-state[0]), axis=1)
    return slope


def _polish(problems: Problems, begin: Starts, free: Mask) -> Candidates:
    return Candidates(begin.problem, minimise(problems.take(begin.problem), begin.theta, free))


def _polish_promising(problems: Problems, begin: Starts, free: Mask, rival: Array) -> Candidates:
    """Polish all starts a little, and to the end those that come near the rival value (B,) of their problem."""
    rough = minimise(problems.take(begin.problem), begin.theta, free, iterations=FEW)
    near = np.flatnonzero(rough.value <= NEAR * rival[begin.problem])
    return _polish(problems, Starts(begin.problem[near], rough.theta[near]), free)


def _with_warm(begin: Starts, warm: Array | None, B: int) -> Starts:
    if warm is None:
        return begin
    return Starts(
        np.concatenate([begin.problem, np.tile(np.arange(B), len(warm))]),
        np.concatenate([begin.theta, np.repeat(warm, B, axis=0)]),
    )


def _leave_zero(problems: Problems, found: Candidates, k: int, free: Mask) -> Candidates:
    """Start again with a small floor where E = 0 is the best so far but the objective falls with E."""
    B = len(problems.weights)
    present = np.unique(found.problem)
    _, best = found.best(B)
    at_zero = np.intersect1d(np.flatnonzero(np.isneginf(best.theta[:, k])), present)
    falling = at_zero[floor_slope(problems.take(at_zero), best.theta[at_zero]) < 0]
    theta = replace_column(best.theta[falling], k, problems.log_y[falling].min(axis=1) - 5.0)
    return _polish(problems, Starts(falling, theta), free)


def _search_lad(problems: Problems, *, most: int, warm: Array | None, floor_at_zero: bool) -> Candidates:
    """Huber minima followed to delta -> 0, then the exact vertex."""
    objective = problems.objective
    unit = 1.0 if objective.residual == "log" else float(np.exp(problems.design.log_y.mean()))
    deltas = [objective.delta * unit * step for step in LAD_DELTAS]
    smooth = replace(problems, objective=replace(objective, loss="huber", delta=deltas[0]))
    found = search(smooth, most=most, warm=warm, floor_at_zero=floor_at_zero)
    theta, law = found.solutions.theta, problems.design.law
    ends = []
    groups = [np.arange(len(theta))]
    if law.floor is not None:
        zero = np.isneginf(theta[:, law.position(law.floor)])
        groups = [np.flatnonzero(~zero), np.flatnonzero(zero)]
    for group, with_floor in zip(groups, (True, False), strict=False):
        if not group.size:
            continue
        free = np.ones(theta.shape[1], dtype=np.bool_)
        if not with_floor and law.floor is not None:
            free[law.position(law.floor)] = False
        mine, at = problems.take(found.problem[group]), theta[group]
        for delta in deltas[1:]:
            huber = replace(mine, objective=replace(objective, loss="huber", delta=delta))
            at = minimise(huber, at, free).theta
        ends.append(Candidates(found.problem[group], exact_lad(mine, at, free, deltas[-1])))
    return ends[0] if len(ends) == 1 else ends[0] + ends[1]
