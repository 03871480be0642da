"""From problems to their lowest minimum: starts, polish, the floor at zero as a problem of its own.

Shapes: B problems, S candidates (in any number each), P parameters, n rows.
"""

import operator
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import reduce

import numpy as np
import numpy.typing as npt

from scaling.fitting.design import Design
from scaling.fitting.grid import Grid, grid_of
from scaling.fitting.lad import exact_lad
from scaling.fitting.newton import Solutions, join, minimise
from scaling.fitting.objective import Mask, Objective
from scaling.fitting.problems import Problems
from scaling.fitting.starts import Starts, moments_of, starts
from scaling.laws.base import Array
from scaling.laws.general import GeneralLaw

LAD_DELTAS = (1e-3, 1e-4, 1e-5, 1e-6, 1e-7, 1e-8)
"""Huber deltas on log residuals (times the mean loss on raw ones) that lead to least absolute deviations."""
SIMPLER = 4
"""Minima of a simpler law that the starts of a law extend."""
FINALISTS, HEAT = 6, 25
"""Starts a problem of a general law that are polished to the end, and the steps after which they are chosen."""
TIED = 1e-10
"""Objectives that differ by less than this share are one and the same."""
FEW, NEAR, FAR = 12, 1.5, 10.0
"""A fit with E = 0 whose objective after FEW steps is, or will be as far as one step can tell, still NEAR times that of
the free floor is given up; so is the way there from the free floor's own minimum if it begins FAR times as high."""


@dataclass(frozen=True)
class Candidates:
    """Local minima found for B problems."""

    problem: npt.NDArray[np.intp]
    """Which problem each belongs to, (S,)."""
    solutions: Solutions
    """Their S ends."""

    def best(self, B: int) -> tuple[npt.NDArray[np.intp], Solutions]:
        """The lowest candidate of each of the B problems, positions (B,) and ends.

        Of values within TIED the converged one counts, then the first, so that the order of the rows, which moves
        the last digits, does not choose between the points of a flat bottom.
        """
        value = self.solutions.value
        lowest = np.full(B, np.inf)
        np.minimum.at(lowest, self.problem, value)
        above = value > lowest[self.problem] * (1 + TIED)
        order = np.lexsort((~self.solutions.converged, above, self.problem))
        first = np.searchsorted(self.problem[order], np.arange(B))
        chosen = order[first]
        return chosen, self.solutions.take(chosen)

    def __add__(self, other: "Candidates") -> "Candidates":
        """Both, one after the other."""
        return Candidates(
            np.concatenate([self.problem, other.problem]), join([self.solutions, other.solutions])
        )


def search(
    problems: Problems,
    *,
    most: int,
    warm: Array | None = None,
    floor_at_zero: bool = True,
    grid: Grid | None = None,
) -> Candidates:
    """Local minima of each problem from its own starts, up to `most`, and from the thetas `warm` (W, P).

    With `floor_at_zero` every problem is also fitted with E = 0; without, only those whose floor vanishes. `grid` saves
    working out the one that `grid_for` gives.
    """
    if problems.objective.kinked:
        return _search_lad(problems, most=most, warm=warm, floor_at_zero=floor_at_zero, grid=grid)
    design, B = problems.design, len(problems.weights)
    law, free = design.law, design.free
    grid = grid or grid_for(design, problems.objective)
    moments = moments_of(problems, grid)
    begin = starts(problems, grid, most=most, known=moments)
    found = polish(problems, _with_warm(begin, warm, B), free)
    if law.floor is None or not free[law.position(law.floor)]:
        return found
    if design.known.bounds.get(law.floor, (0.0, 0.0))[0] > 0:
        return found  # E = 0 is out of its range
    k = law.position(law.floor)
    low = design.bounds[0][k]
    _, best = found.best(B)
    vanishing = np.flatnonzero(floor_at_zero | (best.theta[:, k] <= low))
    if not vanishing.size:
        return found
    every = len(vanishing) == B
    mine = problems if every else problems.take(vanishing)
    grid_starts = starts(mine, grid, most=most, floor=0.0, known=moments if every else None)
    own = replace_column(best.theta[vanishing], k, -np.inf)
    near = mine.value(own) <= FAR * best.value[vanishing]
    zero_starts = Starts(
        np.concatenate([vanishing[grid_starts.problem], vanishing[near]]),
        np.concatenate([grid_starts.theta, own[near]]),
    )
    without = free.copy()
    without[k] = False
    at_zero = _polish_promising(problems, zero_starts, without, best.value)
    # An end with E > 0 at its bound stands for E = 0, which was just fitted exactly.
    gone = np.zeros(B, dtype=np.bool_)
    gone[vanishing] = True
    keep = np.flatnonzero((found.solutions.theta[:, k] > low) | ~gone[found.problem])
    if len(keep) < len(found.problem):
        found = Candidates(found.problem[keep], found.solutions.take(keep))
    if not at_zero.problem.size:
        return found
    found += at_zero
    return found + _leave_zero(problems, found, k, free)


def grid_for(design: Design, objective: Objective) -> Grid:
    """The grid that starts of a design's problems are taken from."""
    if objective.kinked:
        objective = hubers(design, objective)[0]
    return grid_of(design, simpler_minima(design, objective))


def of_own_starts(one: Problems, law: type[GeneralLaw]) -> Candidates:
    """Minima of one problem from the starts that its law has of its own."""
    free, theta = one.design.free, law.own_starts(one.design.x, one.log_y[0], one.weights[0])
    theta = np.where(free, theta, one.design.pinned)
    return polish(one, Starts(np.zeros(len(theta), dtype=np.intp), theta), free)


def of_held_shapes(one: Problems) -> Candidates:
    """Minima of one problem from those with a shape that has trials, as the p-norm's p, held at the last two of them.

    Where p is large each row belongs to one of the terms, and a grid of exponents may have none that parts them well.
    """
    design, law = one.design, one.design.law
    ends = [np.empty((0, len(law.parameters())))]
    for k, about in enumerate(law.parameters()):
        trials = np.log(about.trials) if about.trials and design.free[k] else np.empty(0)
        for value in np.exp(design.within(k, trials)[-2:]):
            held = design.holding({about.name: float(value)})
            found = search(Problems.of(held, one.objective, np.ones((1, held.rows))), most=2)
            theta = found.best(1)[1].theta
            ends.append(np.where(np.isneginf(theta), design.lowest - 5.0, theta))
    theta = np.concatenate(ends)
    return polish(one, Starts(np.zeros(len(theta), dtype=np.intp), theta), design.free)


def simpler_minima(design: Design, objective: Objective) -> dict[int, Array]:
    """Theta of the law's parameters, by position, at the lowest minima of its simpler law on all rows, each (K,)."""
    law = design.law
    if not issubclass(law, GeneralLaw) or law.simpler is None:
        return {}
    names = law.simpler.parameter_names()
    at = [law.position(name) for name in names]
    if not design.free[at].any():
        return {k: design.pinned[k : k + 1] for k in at}
    simpler = design.of_law(law.simpler)
    ends = search(Problems.of(simpler, objective, np.ones((1, design.rows))), most=12).solutions
    lowest = np.argsort(ends.value, kind="stable")[:SIMPLER]
    values = np.ones((len(lowest), len(law.parameter_names())))
    values[:, at] = law.simpler.from_theta(ends.theta[lowest], simpler.centre)
    theta = law.to_theta(values, design.centre)
    return {k: theta[:, k] for k in at}


def replace_column(theta: Array, column: int, value: float | Array) -> Array:
    """A copy of theta (.., P) with one parameter set."""
    theta = theta.copy()
    theta[..., column] = value
    return theta


def floor_slope(problems: Problems, theta_BP: Array) -> Array:
    """Slope of the objective by E, (B,): not negative where a minimum with E = 0 is one."""
    state = problems.design.law.evaluate(theta_BP, problems.design.x)
    nowhere = np.zeros(len(theta_BP), dtype=np.bool_)
    first, _ = problems.objective.derivatives(state[0], problems.log_y, problems.weights, nowhere)
    with np.errstate(
        all="ignore"
    ):  # a score that has left the range of floats, at 0: NaN, which tells nothing
        slope: Array = np.sum(first * np.exp(-state[0]), axis=1)
    known, floor = problems.design.known, problems.design.law.floor
    if floor is not None and floor in known.priors:
        mean = problems.prior_means[..., problems.design.law.position(floor)]
        slope = slope - known.nat * mean / known.priors[floor][1] ** 2
    return slope


def polish(problems: Problems, begin: Starts, free: Mask) -> Candidates:
    """Polish all starts; of many parameters of a general law only the FINALISTS that are lowest after some steps."""
    many = issubclass(problems.design.law, GeneralLaw) and free.sum() > FINALISTS
    if many and len(begin.problem) > FINALISTS * len(problems.weights):
        rough = minimise(problems.take(begin.problem), begin.theta, free, iterations=HEAT)
        order = np.lexsort((rough.value, begin.problem))
        problem = begin.problem[order]
        rank = np.arange(len(order)) - np.searchsorted(problem, problem)
        kept = order[rank < FINALISTS]
        begin = Starts(begin.problem[kept], rough.theta[kept])
    return Candidates(begin.problem, minimise(problems.take(begin.problem), begin.theta, free))


def _polish_promising(problems: Problems, begin: Starts, free: Mask, rival: Array) -> Candidates:
    """Polish all starts a little, and to the end those that come near the rival value (B,) of their problem."""
    enough = NEAR * rival[begin.problem]
    rough = minimise(problems.take(begin.problem), begin.theta, free, iterations=FEW, enough=enough)
    near = np.flatnonzero(rough.value <= enough)
    if not near.size:
        return Candidates(near, rough.take(near))
    return polish(problems, Starts(begin.problem[near], rough.theta[near]), free)


def _with_warm(begin: Starts, warm: Array | None, B: int) -> Starts:
    if warm is None:
        return begin
    return Starts(
        np.concatenate([begin.problem, np.tile(np.arange(B), len(warm))]),
        np.concatenate([begin.theta, np.repeat(warm, B, axis=0)]),
    )


def _leave_zero(problems: Problems, found: Candidates, k: int, free: Mask) -> Candidates:
    """Start again with a small floor where E = 0 is the best so far but the objective falls with E."""
    _, best = found.best(len(problems.weights))
    at_zero = np.flatnonzero(np.isneginf(best.theta[:, k]))
    at_zero = at_zero[np.isin(at_zero, found.problem)]
    falling = at_zero[floor_slope(problems.take(at_zero), best.theta[at_zero]) < 0]
    lowest = np.maximum(problems.log_y[falling].min(axis=1), problems.design.lowest)
    theta = replace_column(best.theta[falling], k, lowest - 5.0)
    return polish(problems, Starts(falling, theta), free)


def _search_lad(
    problems: Problems, *, most: int, warm: Array | None, floor_at_zero: bool, grid: Grid | None
) -> Candidates:
    """Huber minima, followed to the vertices that they point at."""
    smooth = replace(problems, objective=hubers(problems.design, problems.objective)[0])
    return to_vertices(problems, search(smooth, most=most, warm=warm, floor_at_zero=floor_at_zero, grid=grid))


def hubers(design: Design, objective: Objective) -> list[Objective]:
    """Huber losses whose deltas lead to least absolute deviations."""
    unit = objective.unit(design.log_y)
    return [replace(objective, loss="huber", delta=unit * step) for step in LAD_DELTAS]


def by_floor(theta_BP: Array, free_P: Mask) -> Iterator[tuple[npt.NDArray[np.intp], Mask]]:
    """Positions of the thetas with a free floor and of those at 0, each with the parameters (P,) that may move."""
    zero = np.isneginf(theta_BP).any(axis=1)
    for group in (np.flatnonzero(~zero), np.flatnonzero(zero)):
        if group.size:
            yield group, free_P & np.isfinite(theta_BP[group[0]])


def to_vertices(problems: Problems, found: Candidates) -> Candidates:
    """Huber minima followed to delta -> 0, then the exact vertex; a floor of 0 stays there."""
    narrower = hubers(problems.design, problems.objective)[1:]
    ends = []
    for group, free in by_floor(found.solutions.theta, problems.design.free):
        mine, at = problems.take(found.problem[group]), found.solutions.theta[group]
        for huber in narrower:
            at = minimise(replace(mine, objective=huber), at, free).theta
        ends.append(Candidates(found.problem[group], exact_lad(mine, at, free, narrower[-1].delta)))
    return reduce(operator.add, ends)
