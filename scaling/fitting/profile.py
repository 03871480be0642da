"""The objective along the floor: refitted with E held at each of many values."""

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from scaling.errors import InputError
from scaling.fitting.design import Design
from scaling.fitting.engine import Candidates, grid_for
from scaling.fitting.newton import minimise
from scaling.fitting.objective import Objective
from scaling.fitting.problems import Problems
from scaling.fitting.starts import starts
from scaling.laws.base import Array

CHEAP = 0.02
"""A rise of the rms residual that no reader would notice."""

CONDITION = 1e7
"""Condition number of scaled slopes beyond which rows do not tell parameters apart, by half the digits."""
STEPS = 60
"""Most steps at each floor: a profile shows a shape, and needs no last digits."""


@dataclass(frozen=True)
class FloorProfile:
    """Best fits with the floor held."""

    floor: Array
    """Values of E, (K,), ascending from 0."""
    value: Array
    """Objective, (K,)."""
    rms: Array
    """Root mean square of the residuals, each with its row's weight, (K,)."""
    parameters: Array
    """Parameters of the best fit, (K, P)."""

    def cheap_range(self, rise: float = CHEAP) -> tuple[float, float]:
        """The values of E around the best that raise the rms residual by no more than `rise`, as a share."""
        best = int(np.argmin(self.value))
        dear = self.rms > (1.0 + rise) * self.rms[best]
        below = np.flatnonzero(dear[: best + 1])
        above = np.flatnonzero(dear[best:])
        low = below[-1] + 1 if below.size else 0
        high = best + above[0] - 1 if above.size else len(self.floor) - 1
        return float(self.floor[low]), float(self.floor[max(high, low)])


def floor_profile(design: Design, objective: Objective, floors: npt.ArrayLike | None = None) -> FloorProfile:
    """Fit with the floor held at each of `floors`.

    By default 41 values from 0 to just under the lowest loss, and 21 more around the best of these; under the highest
    score, since scores lie on both sides of a chance level. LAD is profiled through its Huber loss, which is smooth.
    """
    law, scores = design.law, design.law.target == "score"
    top = float(np.exp(design.log_y.max() if scores else design.log_y.min()))
    if law.floor is None:
        raise InputError(f"{law.name} has no floor to profile")
    if objective.kinked:
        objective = replace(objective, loss="huber")
    if floors is not None:
        held = np.sort(np.atleast_1d(np.asarray(floors, dtype=np.float64)))
        if held.size == 0 or held[0] < 0 or not held[-1] < top:
            below = "the highest score" if scores else "every measured loss"
            raise InputError(f"floors must lie in [0, {top:g}), below {below}")
        return _profile(design, objective, held)
    coarse = _profile(design, objective, np.linspace(0.0, 0.995 * top, 41))
    best = int(np.argmin(coarse.value))
    low, high = coarse.floor[max(best - 1, 0)], coarse.floor[min(best + 1, 40)]
    fine = _profile(design, objective, np.linspace(low, high, 23)[1:-1])
    order = np.argsort(np.concatenate([coarse.floor, fine.floor]), kind="stable")
    return FloorProfile(
        np.concatenate([coarse.floor, fine.floor])[order],
        np.concatenate([coarse.value, fine.value])[order],
        np.concatenate([coarse.rms, fine.rms])[order],
        np.concatenate([coarse.parameters, fine.parameters])[order],
    )


def floor_by_curvature(
    design: Design, objective: Objective, theta_P: Array, rise: float
) -> tuple[float, float]:
    """What `cheap_range(rise)` would be were the law linear in its parameters: E -+ d, without a refit.

    The weighted squares S = sum w r^2 grow by d^2 / V with E held d away and the others refitted, so that d = sqrt(V S ((1 +
    rise)^2 - 1)), where V is the floor's element of (J^T W J)^-1. The range is (-inf, inf) where rows do not tell the
    parameters apart, or one is at an end of its range.
    """
    law = design.law
    low, high = design.bounds
    if law.floor is None or np.any(design.free & ((theta_P <= low) | (theta_P >= high))):
        return -np.inf, np.inf
    log_loss = law.evaluate(theta_P[None], design.x)
    slopes = design.jacobian(theta_P[None], log_loss)[0][:, design.free]
    if objective.residual == "raw":
        slopes = slopes * np.exp(log_loss[0, 0])[:, None]
    slopes = slopes * np.sqrt(design.weights)[:, None]
    size = np.sqrt(np.sum(slopes**2, axis=0))
    if not np.all(size > 0) or np.linalg.cond(slopes / size) > CONDITION:
        return -np.inf, np.inf
    k = int(np.sum(design.free[: law.position(law.floor)]))
    V = np.linalg.inv((slopes / size).T @ (slopes / size))[k, k] / size[k] ** 2
    squares = np.sum(design.weights * objective.residuals(log_loss[0], design.log_y) ** 2)
    floor = float(np.exp(theta_P[law.position(law.floor)]))
    d = floor * float(np.sqrt(V * squares * ((1.0 + rise) ** 2 - 1.0)))
    return floor - d, floor + d


def _profile(design: Design, objective: Objective, held: Array) -> FloorProfile:
    """The best fits with the floor at each value of `held` (K,)."""
    law = design.law
    problems = Problems.of(design, objective, np.ones((len(held), design.rows)))
    free = design.free & np.array([name != law.floor for name in law.parameter_names()])
    begin = starts(problems, grid_for(design, objective), most=2, floor=held)
    found = Candidates(
        begin.problem, minimise(problems.take(begin.problem), begin.theta, free, iterations=STEPS)
    )
    best = found.best(len(held))[1]
    residuals = objective.residuals(law.evaluate(best.theta, design.x)[0], design.log_y)
    return FloorProfile(
        floor=held,
        value=best.value,
        rms=np.sqrt(np.average(residuals**2, axis=1, weights=design.weights)),
        parameters=design.values(best.theta),
    )
