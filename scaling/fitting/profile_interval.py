"""Profile intervals: how far a parameter can move, all others following, before the objective rises too much.

Shapes: B draws, T trial values, P parameters, n rows. All in theta, the scale that a fit moves on.
"""

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from scaling.fitting.design import Design
from scaling.fitting.newton import minimise
from scaling.fitting.objective import Objective
from scaling.fitting.problems import Problems
from scaling.laws.base import Array
from scaling.resampling import Resamples

TRIALS, REFINEMENTS = 12, 4
"""Values on the way to the farthest, and times that the two which enclose an end are parted again."""
FARTHEST = 8.0
"""The farthest value, in distances at which a parabola would pass the threshold."""
SMOOTH = 1e-5
"""Huber's delta, in units of the residual, that stands for losses with a kink at 0."""


@dataclass(frozen=True)
class Profile:
    """The objective of a fit along one parameter."""

    design: Design
    """The rows, with the parameter among those that a fit does not move."""
    objective: Objective
    """What is minimised."""
    k: int
    """Position of the parameter."""
    values: Array
    """The parameters of the fit, (P,)."""

    @classmethod
    def of(cls, design: Design, objective: Objective, values: Array, name: str) -> "Profile":
        """The profile of a parameter through the minimum at `values`."""
        k = design.law.position(name)
        if objective.kinked:
            objective = replace(objective, loss="huber", delta=SMOOTH * objective.unit(design.log_y))
        return cls(design.holding({name: float(values[k])}), objective, k, values)

    def interval(
        self, level: float, drawn: Resamples | None, draws: Array
    ) -> tuple[float, float] | tuple[None, None]:
        """Ends of the interval: the values at which the minimum over the other parameters passes a threshold.

        The threshold is minimum x F / (n - p) for least squares, with the quantile F of the F distribution with 1 and
        n - p degrees of freedom (exact for a linear law and normal noise), and chi2_1 / 2 for the binomial deviance.
        Other losses have no such rule: theirs is the quantile of the rise that the estimate itself shows in the
        bootstrap draws, whose truth it is (`drawn`, and their minima `draws`, (B, P)). An end that no value passes is
        that of the parameter's range, or of the bounds that were given. No interval where squares have no degree of
        freedom to tell the noise from.
        """
        if self.objective.loss == "mse" and self.design.rows <= int(self.design.free.sum()) + 1:
            return None, None
        rise = self._threshold(level, drawn, draws)
        ends = [self._end(side, rise) for side in (-1.0, 1.0)]
        theta = np.tile(self._at_minimum, (2, 1))
        theta[:, self.k] = ends
        low, high = self.design.law.from_theta(theta, self.design.centre)[:, self.k]
        bottom, top = (bound[self.k] for bound in self.design.bounds)
        about = self.design.law.parameters()[self.k]
        least, most = self.design.known.bounds.get(about.name, (about.low, about.high))
        return (least if ends[0] <= bottom else float(low)), (most if ends[1] >= top else float(high))

    @cached_property
    def _at_minimum(self) -> Array:
        return self._theta(self.values)

    @cached_property
    def _lowest(self) -> float:
        return float(self._minimised(self._at_minimum[None, :])[0])

    @cached_property
    def _along(self) -> tuple[Array, float]:
        """How the other parameters follow (P,), and the curvature of the profile, by the quadratic model."""
        one = Problems.of(self.design, self.objective, np.ones((1, self.design.rows)))
        start = self._at_minimum[None, :]
        hessian = one.assess(start, np.zeros(1, dtype=np.bool_))[2][..., 0]
        free = self.design.free & np.isfinite(start[0])
        follow = np.zeros(len(start[0]))
        follow[free] = -np.linalg.lstsq(hessian[np.ix_(free, free)], hessian[free, self.k], rcond=1e-12)[0]
        follow[self.k] = 1.0
        used = np.isfinite(start[0])
        return follow, float(follow[used] @ hessian[np.ix_(used, used)] @ follow[used])

    def _threshold(self, level: float, drawn: Resamples | None, draws: Array) -> float:
        from scipy.special import chdtri, fdtri

        n, p = self.design.rows, int(self.design.free.sum()) + 1
        if self.objective.loss == "mse":
            return float(self._lowest * fdtri(1, n - p, level) / (n - p))
        if self.objective.loss == "binomial" or drawn is None:
            return float(chdtri(1, 1 - level) / 2)
        counts = np.ones((len(draws), n)) if drawn.weights is None else drawn.weights
        problems = Problems.of(self.design, self.objective, counts, drawn.values)
        own = self._theta(draws)
        moved = own.copy()
        moved[:, self.k] = self._at_minimum[self.k]
        starts = moved, np.tile(self._at_minimum, (len(draws), 1))
        pinned = np.min([minimise(problems, start, self.design.free).value for start in starts], axis=0)
        return float(np.quantile(np.maximum(pinned - problems.value(own), 0.0), level))

    def _end(self, side: float, rise: float) -> float:
        """Theta of the parameter where the profile passes the rise on one side."""
        bottom, top = (float(bound[self.k]) for bound in self.design.bounds)
        start = float(np.clip(self._at_minimum[self.k], bottom, top))
        reach = FARTHEST * np.sqrt(2 * rise / max(self._along[1], 1e-300))
        bound = bottom if side < 0 else top
        far = float(np.clip(start + side * reach, bottom, top)) if np.isfinite(reach) else bound
        near = start
        for turn in range(1 + REFINEMENTS):
            trials = np.linspace(near, far, TRIALS)
            over = np.flatnonzero(self._rises(trials) > rise)
            if not over.size and (turn or far == bound):
                return far
            if not over.size:  # the profile is flatter than its curvature promised
                near, far = far, bound
                continue
            near, far = float(trials[max(over[0] - 1, 0)]), float(trials[over[0]])
        return 0.5 * (near + far)

    def _rises(self, trials: Array) -> Array:
        straight = np.tile(self._at_minimum, (len(trials), 1))
        start = max(self._at_minimum[self.k], self.design.bounds[0][self.k])  # a floor of 0 lies at -inf
        bent = straight + np.outer(trials - start, self._along[0])
        straight[:, self.k] = bent[:, self.k] = trials
        lowest: Array = np.min([self._minimised(start) for start in (straight, bent)], axis=0)
        return lowest - self._lowest

    def _minimised(self, theta: Array) -> Array:
        problems = Problems.of(self.design, self.objective, np.ones((len(theta), self.design.rows)))
        return minimise(problems, theta, self.design.free).value

    def _theta(self, values: Array) -> Array:
        low, high = self.design.bounds
        theta = self.design.law.to_theta(values, self.design.centre)
        return np.asarray(np.where(np.isneginf(theta), theta, np.clip(theta, low, high)), dtype=np.float64)
