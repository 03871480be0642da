"""A fit seen from its optimum: sensitivities of the rows, and the information that they hold.

Shapes: n rows, P parameters, m of them moving, K quantities.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from scaling.errors import FitError, InputError
from scaling.fitting.design import Design
from scaling.fitting.minima import at_bounds
from scaling.fitting.objective import Mask
from scaling.fitting.result import Fit
from scaling.laws.base import Array

STEP = 1e-5
"""Step in theta of the differences that give a quantity's gradient."""
NORMAL_MAD = 1.4826
"""Standard deviation of a normal distribution over its median absolute value."""


@dataclass(frozen=True)
class Local:
    """The neighbourhood of a fit's optimum, where its law is linear in theta."""

    fit: Fit
    """The fit."""

    @cached_property
    def design(self) -> Design:
        """The rows as the engine sees them."""
        return self.fit.design

    @cached_property
    def theta(self) -> Array:
        """The optimum, (P,)."""
        theta: Array = self.fit.theta[0]
        return theta

    @cached_property
    def moving(self) -> Mask:
        """Parameters that are neither pinned nor at an end of their range, (P,)."""
        ended = at_bounds(self.design, self.theta)
        names = np.array(self.design.law.parameter_names())
        moving: Mask = self.design.free & ~np.isin(names, ended) & np.isfinite(self.theta)
        return moving

    @cached_property
    def names(self) -> tuple[str, ...]:
        """Names of the moving parameters, (m,)."""
        names = self.design.law.parameter_names()
        return tuple(name for name, moves in zip(names, self.moving, strict=True) if moves)

    def sensitivities(self, inputs: dict[str, Array] | None = None) -> Array:
        """Slopes dr/dtheta by the moving parameters, (n, m), at the rows or at other inputs; r in log or raw loss."""
        design = self.design if inputs is None else self._at(inputs)
        theta = self.theta[None, :]
        state = design.law.evaluate(theta, design.x)
        slopes: Array = design.jacobian(theta, state)[0][:, self.moving]
        raw = self.fit.objective.residual == "raw"
        return slopes * np.exp(state[0, 0])[:, None] if raw else slopes

    def _at(self, inputs: dict[str, Array]) -> Design:
        """The same design at other inputs, centred alike."""
        law = self.design.law
        features = law.features(**{name: inputs[name] for name in law.inputs})
        x = tuple(
            features[name] - centre
            for name, centre in zip(law.feature_names(), self.design.centre, strict=True)
        )
        ones = np.ones(len(x[0]))
        return replace(self.design, inputs=inputs, x=x, log_y=np.zeros_like(ones), weights=ones)

    @cached_property
    def information(self) -> Array:
        """J^T W J, (m, m): the inverse covariance of least squares, times the noise variance (Gauss-Newton)."""
        J = self.sensitivities()
        information: Array = J.T @ (self.design.weights[:, None] * J)
        return information

    @cached_property
    def covariance(self) -> Array:
        """The inverse of the information, (m, m), for noise of 1.

        Raises FitError where the rows do not tell all moving parameters.
        """
        scale = np.sqrt(np.diag(self.information))
        if not np.all(scale > 0) or np.linalg.cond(self.information / np.outer(scale, scale)) > 1e14:
            raise FitError(
                f"the rows do not identify {', '.join(self.names)} together, so that no standard error exists; "
                "fix a parameter or fit a simpler law"
            )
        inverse: Array = np.linalg.inv(self.information / np.outer(scale, scale)) / np.outer(scale, scale)
        return inverse

    @cached_property
    def freedom(self) -> int:
        """Rows minus moving parameters."""
        return self.design.rows - len(self.names)

    @cached_property
    def noise(self) -> float:
        """Standard deviation of a row of weight 1 about the law, in units of the residual.

        sqrt(sum w r^2 / (n - m)) for least squares; for the other losses 1.4826 median(sqrt(w) |r|), a robust measure
        as they are, times sqrt(n / (n - m)).
        Raises FitError without a degree of freedom, InputError for the binomial loss, which has no residual.
        """
        objective, n = self.fit.objective, self.design.rows
        if objective.loss in ("binomial", "quantile"):
            raise InputError(f"the {objective.loss} loss has no noise about the law; refit with another loss")
        if self.freedom < 1:
            raise FitError(f"{n} rows for {len(self.names)} parameters leave nothing to tell the noise from")
        sized = np.sqrt(self.design.weights) * np.abs(self.fit.residuals)
        if objective.loss == "mse":
            return float(np.sqrt(np.sum(sized**2) / self.freedom))
        return float(NORMAL_MAD * np.median(sized) * np.sqrt(n / self.freedom))

    def gradient(self, quantity: Callable[[Array], Array]) -> Array:
        """Slopes of a quantity, which maps (B, P) to (B,), by the moving parameters, (m,): central differences."""
        steps = STEP * np.eye(len(self.theta))[self.moving]
        up, down = (quantity(self.design.values(self.theta + sign * steps)) for sign in (1, -1))
        gradient: Array = (up - down) / (2 * STEP)
        return gradient
