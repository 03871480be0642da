"""The objective with some parameters held, each problem at values of its own.

Shapes: K points, m parameters held, P parameters, n rows, C starts a point.
"""

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import numpy.typing as npt

from scaling.fitting.engine import NEAR, TIED, hubers, replace_column
from scaling.fitting.lad import exact_lad
from scaling.fitting.newton import Solutions, join, minimise
from scaling.fitting.objective import Mask
from scaling.fitting.problems import Problems
from scaling.fitting.result import Fit
from scaling.fitting.rough import is_rough, scatter
from scaling.laws.base import Array

Positions = npt.NDArray[np.intp]
"""Positions of points or starts."""
BLOCK = 2_000_000
"""Starts x rows that are worked on together."""
PASSES = 6
"""Most rounds in which the points of a grid take over the minima of their neighbours."""
IMPROVED = 1e-9
"""A share by which an objective must fall to count as lower."""
WIDER = (100.0, 10.0)
"""Factors on Huber's delta whose minima lead to those of its own."""
SCATTERED = 6
"""Starts a point scattered about the minimum of a wider delta where the objective is rough."""
GLANCE = 4
"""Steps after which a fit with a floor of 0 must come near the one with a free floor: with the exponents held, most
laws are linear in what still moves, and a few reweighted least squares are nearly there."""
SMALL_FLOOR = 5.0
"""How far below the smallest log loss a floor starts again that was 0."""


@dataclass(frozen=True)
class Pinned:
    """A fit whose parameters at some positions are held while all others move."""

    fit: Fit
    """The fit; its rows, objective and pinned parameters are those of the problems."""
    positions: tuple[int, ...]
    """Which parameters are held."""

    @cached_property
    def one(self) -> Problems:
        """All rows, once."""
        design = self.fit.design
        return Problems.of(design, self.fit.objective, np.ones((1, design.rows)))

    @cached_property
    def free(self) -> Mask:
        """Parameters that move, (P,)."""
        free = self.one.design.free.copy()
        free[list(self.positions)] = False
        return free

    def starts(self, held: Array) -> Array:
        """The fit's minima moved to the points held (K, m), and for Huber's loss the minima of wider deltas, (C, K, P).

        Features are centred, so that a coefficient keeps its term's size amid the rows while the exponent moves. A
        wider delta has fewer minima, and the lowest of them often lies beside the lowest of all; where the objective
        is rough, starts scattered about it join.
        """
        theta = np.repeat(self.fit.theta[:3, None, :], len(held), axis=1)
        objective = self.one.objective
        if objective.loss != "huber":
            return theta
        smooth = theta[0].copy()
        smooth[:, list(self.positions)] = held
        for factor in WIDER:
            wide = replace(objective, delta=factor * objective.delta)
            smooth = self._ends(smooth, replace(self.one, objective=wide)).theta
        starts = np.concatenate([theta, smooth[None]])
        if not is_rough(self.one, self.fit.theta[0]):
            return starts
        return np.concatenate([starts, smooth + scatter(SCATTERED, theta.shape[-1])[:, None]])

    def minima(self, held: Array, starts: Array) -> Solutions:
        """The lowest minimum at each point held (K, m), in units of theta, that the starts (C, K, P) lead to."""
        begin = starts.copy()
        begin[..., list(self.positions)] = held
        flat = begin.reshape(-1, begin.shape[-1])
        found = self._ends(flat, self.one)
        value = np.where(np.isfinite(found.value), found.value, np.inf).reshape(len(starts), -1)
        best = np.argmin(value, axis=0) * len(held) + np.arange(len(held))
        return found.take(best)

    def grid(self, axes: tuple[Array, ...]) -> Solutions:
        """The minima on the grid of the axes (theta), in row-major order: neighbours start each other until none falls."""
        shape = tuple(map(len, axes))
        held = np.stack([mesh.ravel() for mesh in np.meshgrid(*axes, indexing="ij")], axis=1)
        found = self.minima(held, self.starts(held))
        fresh = np.ones(len(held), dtype=np.bool_)
        for _ in range(PASSES):
            point, neighbour = _neighbours(shape, fresh)
            if not point.size:
                break
            tried = self.minima(held[point], found.theta[neighbour][None])
            fresh = np.zeros(len(held), dtype=np.bool_)
            for k in np.argsort(-tried.value, kind="stable"):  # the lowest of a point's neighbours comes last
                if tried.value[k] < found.value[point[k]] * (1 - IMPROVED):
                    at = point[k]
                    found.theta[at], found.value[at] = tried.theta[k], tried.value[k]
                    found.converged[at], fresh[at] = tried.converged[k], True
        return found

    def _ends(self, theta: Array, one: Problems) -> Solutions:
        """Where the starts theta (S, P) end, a block at a time so that large tables fit in memory."""
        size = max(1, BLOCK // one.design.rows)
        return join([self._with_floors(theta[k : k + size], one) for k in range(0, len(theta), size)])

    def _with_floors(self, theta: Array, one: Problems) -> Solutions:
        """Minima of a problem from theta (S, P), with a free floor and with a floor of 0, the lower of both."""
        design, law = one.design, one.design.law
        k = None if law.floor is None else law.position(law.floor)
        if k is None or not self.free[k]:
            return _descend(one, theta, self.free)
        above = np.where(np.isneginf(theta[:, k]), design.lowest - SMALL_FLOOR, theta[:, k])
        found = _descend(one, replace_column(theta, k, above), self.free)
        without = self.free.copy()
        without[k] = False
        at, begin = _promising(one, replace_column(found.theta, k, -np.inf), without, found.theta)
        zero = _descend(one, begin, without)
        low = found.theta[at, k] <= design.bounds[0][k]
        lower = zero.value <= found.value[at] * np.where(low, 1 + TIED, 1 - IMPROVED)
        at = at[lower]
        found.theta[at], found.value[at] = zero.theta[lower], zero.value[lower]
        found.converged[at] = zero.converged[lower]
        return found


def _promising(one: Problems, theta: Array, free: Mask, rival: Array) -> tuple[Positions, Array]:
    """Which starts (S, P) come near the objective of their rivals (S, P) after a few steps, and where they then are."""
    objective = one.objective
    if objective.kinked:
        one = replace(one, objective=hubers(one.design, objective)[0])
    problems = one.take(np.zeros(len(theta), dtype=np.intp))
    rough = minimise(problems, theta, free, iterations=GLANCE)
    near = np.flatnonzero(rough.value <= NEAR * problems.value(rival))
    return near, rough.theta[near]


def _descend(one: Problems, theta: Array, free: Mask) -> Solutions:
    """One minimum a start (S, P) of a single problem; LAD and quantiles follow Huber's loss to the vertex."""
    problems = one.take(np.zeros(len(theta), dtype=np.intp))
    objective = problems.objective
    if not objective.kinked:
        return minimise(problems, theta, free)
    for huber in hubers(one.design, objective):
        theta = minimise(replace(problems, objective=huber), theta, free).theta
    return exact_lad(problems, theta, free, huber.delta)


def _neighbours(shape: tuple[int, ...], fresh: Mask) -> tuple[Positions, Positions]:
    """Pairs (point, neighbour) of flat positions whose neighbour is fresh."""
    at = np.arange(int(np.prod(shape))).reshape(shape)
    points, neighbours = [], []
    for axis in range(len(shape)):
        ahead = np.take(at, np.arange(1, shape[axis]), axis).ravel()
        behind = np.take(at, np.arange(shape[axis] - 1), axis).ravel()
        points += [ahead, behind]
        neighbours += [behind, ahead]
    point, neighbour = np.concatenate(points), np.concatenate(neighbours)
    taken = fresh[neighbour]
    return point[taken], neighbour[taken]
