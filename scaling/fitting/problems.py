"""Problems that are fitted side by side: weighted copies of one design under one objective.

Shapes: B problems, P parameters, n rows; a Hessian is (P, P, B), a gradient (P, B).
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Self

import numpy as np
import numpy.typing as npt

from scaling.fitting.design import Design
from scaling.fitting.objective import Mask, Objective, all_of
from scaling.laws.base import Array
from scaling.resampling import Counts

CHUNK = 24_000
"""Rows x problems that are worked on together, so that the planes stay in cache."""


@dataclass(frozen=True)
class Problems:
    """B weighted copies of one design; a bootstrap draw is a row of integer weights or of drawn losses."""

    design: Design
    """Rows and law, shared."""
    objective: Objective
    """What is minimised."""
    weights: Array
    """(B, n), not negative."""
    log_y: Array
    """(B, n), logs of the losses; a broadcast view when all problems share them."""
    means: Array | None = None
    """Prior means that were drawn, (B, P); None where they are the priors' own."""

    @classmethod
    def of(
        cls,
        design: Design,
        objective: Objective,
        counts: Counts,
        log_y: Array | None = None,
        means: Array | None = None,
    ) -> Self:
        """Problems from how often each row counts, (B, n), and, when they differ between problems, log losses (B, n)."""
        weights = counts * design.weights
        log_y = np.broadcast_to(design.log_y if log_y is None else log_y, weights.shape)
        return cls(design=design, objective=objective, weights=weights, log_y=log_y, means=means)

    def take(self, chosen: npt.NDArray[np.intp] | slice) -> "Problems":
        """The problems at these positions; a position may come twice."""
        means = None if self.means is None else self.means[chosen]
        return Problems(self.design, self.objective, self.weights[chosen], self.log_y[chosen], means)

    def squares(self) -> Array:
        """Sum of the weights, times the squared losses where residuals are raw: the objective's unit, (B,)."""
        raw = self.objective.residual == "raw"
        unit = np.exp(2.0 * self.log_y) if raw else np.ones_like(self.log_y)
        squares: Array = np.einsum("bn,bn->b", self.weights, unit)
        return squares

    def value(self, theta_BP: Array) -> Array:
        """Objective of each problem, (B,), a cacheful of rows at a time."""
        value = self._sum(theta_BP)
        if not self.design.known.priors:
            return value
        return value + self.design.known.penalty(self.design.law, theta_BP, self.prior_means)

    @property
    def prior_means(self) -> Array:
        """Prior means, drawn (B, P) or the priors' own (P,)."""
        return self.design.known.means(self.design.law) if self.means is None else self.means

    def _sum(self, theta_BP: Array) -> Array:
        """The sum over the rows, (B,)."""
        B, n = self.weights.shape
        if B * n <= CHUNK:
            return self._value(theta_BP)
        size = max(1, CHUNK // n)
        blocks = [slice(k, k + size) for k in range(0, B, size)]
        return np.concatenate([sum(p._value(theta_BP[b]) for p in self.take(b).parts()) for b in blocks])

    def _value(self, theta_BP: Array) -> Array:
        state = self.design.law.evaluate(theta_BP, self.design.x)
        return self.objective.value(state[0], self.log_y, self.weights)

    def assess(self, theta_BP: Array, newton: Mask) -> tuple[Array, Array, Array]:
        """Objective (B,), gradient (P, B) and Hessian (P, P, B) by theta; `newton` (B,) as in Objective."""
        if self.design.rows <= CHUNK:
            value, gradient, hessian = self._assess(theta_BP, newton)
        else:
            parts = zip(*(p._assess(theta_BP, newton) for p in self.parts()), strict=True)
            value, gradient, hessian = (sum(part) for part in parts)
        known, law = self.design.known, self.design.law
        if known.priors:
            value = value + known.penalty(law, theta_BP, self.prior_means)
            known.add_derivatives(law, theta_BP, self.prior_means, newton, gradient, hessian)
        return value, gradient, hessian

    def _assess(self, theta_BP: Array, newton: Mask) -> tuple[Array, Array, Array]:
        state = self.design.law.evaluate(theta_BP, self.design.x)
        value, first, second = self.objective.assess(state[0], self.log_y, self.weights, newton)
        return value, *self.design.curvature(theta_BP, state, first, second, newton)

    def assess_some(
        self, chosen: npt.NDArray[np.intp], theta_BP: Array, newton: Mask
    ) -> tuple[Array, Array, Array]:
        """`assess` of the problems at `chosen`, a cacheful of rows at a time; theta and newton are theirs.

        `chosen` ascends without repeats.
        """
        whole = len(chosen) == len(self.weights)
        size = max(1, CHUNK // self.design.rows)
        if len(chosen) <= size:
            return (self if whole else self.take(chosen)).assess(theta_BP, newton)
        blocks = [slice(k, k + size) for k in range(0, len(chosen), size)]
        parts = [self.take(b if whole else chosen[b]).assess(theta_BP[b], newton[b]) for b in blocks]
        values, gradients, hessians = zip(*parts, strict=True)
        return np.concatenate(values), np.concatenate(gradients, axis=-1), np.concatenate(hessians, axis=-1)

    def parts(self) -> Iterator["Problems"]:
        """The same problems on a cacheful of rows at a time; sums over rows add up over them."""
        for rows, design in self.design.parts(CHUNK):
            yield Problems(design, self.objective, self.weights[:, rows], self.log_y[:, rows])

    def gradient_norm(self, theta_BP: Array, free_P: Mask) -> Array:
        """Euclidean norm of the gradient by the parameters that may still move, (B,)."""
        _, gradient, _ = self.assess(theta_BP, np.zeros(len(theta_BP), dtype=np.bool_))
        moving = moving_parameters(self.design, theta_BP, gradient, free_P)
        norm: Array = np.sqrt(np.sum(np.where(moving, gradient, 0.0) ** 2, axis=0))
        return norm


def moving_parameters(design: Design, theta: Array, gradient: Array, free_P: Mask) -> Mask:
    """(P, B): free and not held at a bound by the gradient."""
    low, high = design.bounds
    if all_of((theta > low) & (theta < high)):
        return np.broadcast_to(free_P[:, None], gradient.shape)
    at_low, at_high = low[:, None] >= theta.T, high[:, None] <= theta.T
    moving: Mask = free_P[:, None] & ~((at_low & (gradient > 0)) | (at_high & (gradient < 0)))
    return moving
