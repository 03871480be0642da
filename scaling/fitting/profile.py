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
    """Root mean square of the residuals, (K,)."""
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

    By default 41 values from 0 to just under the lowest loss, and 21 more around the best of these. LAD is
    profiled through its Huber loss, which is smooth.
    """
    law, lowest = design.law, float(np.exp(design.log_y.min()))
    if law.floor is None:
        raise InputError(f"{law.name} has no floor to profile")
    if objective.kinked:
        objective = replace(objective, loss="huber")
    if floors is not None:
        held = np.sort(np.asarray(floors, dtype=np.float64))
        if held.size == 0 or held[0] < 0 or held[-1] >= lowest:
            raise InputError(f"floors must lie in [0, {lowest:g}), below every measured loss")
        return _profile(design, objective, held)
    coarse = _profile(design, objective, np.linspace(0.0, 0.995 * lowest, 41))
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
        rms=np.sqrt(np.mean(residuals**2, axis=1)),
        parameters=design.values(best.theta),
    )
