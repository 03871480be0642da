"""What a fit minimises: the SUM over rows of a loss of the residual.

Shapes: B problems, n rows.
"""

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from scaling.errors import InputError
from scaling.laws.base import Array

Loss = Literal["huber", "lad", "mse"]
Residual = Literal["log", "raw"]
Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Objective:
    """sum_i w_i rho(r_i) with r = log L - log y (`log`) or L - y (`raw`).

    rho is r^2 (`mse`), |r| (`lad`), or Huber's r^2 / 2 up to |r| = delta and delta (|r| - delta / 2) beyond
    (`huber`; Hoffmann et al. 2022, eq. 3, uses delta = 1e-3 on log residuals). The sum and not the mean: common
    tolerances stop early on the mean.
    """

    loss: Loss = "huber"
    """`huber`, `lad` or `mse`."""
    delta: float = 1e-3
    """Where Huber's loss turns from square to straight, in units of the residual; the others ignore it."""
    residual: Residual = "log"
    """`log` or `raw`."""

    def __post_init__(self) -> None:
        """Refuse names and deltas that mean nothing."""
        if self.loss not in ("huber", "lad", "mse"):
            raise InputError(f"no loss is called {self.loss!r}; known: huber, lad, mse")
        if self.residual not in ("log", "raw"):
            raise InputError(f"no residual is called {self.residual!r}; known: log, raw")
        if not 0 < self.delta < math.inf:
            raise InputError(
                f"delta is {self.delta}; give a positive number, or --loss mse for squares alone"
            )

    def residuals(self, log_L: Array, log_y: Array) -> Array:
        """Log L - log y, or L - y."""
        return log_L - log_y if self.residual == "log" else np.exp(log_L) - np.exp(log_y)

    def value(self, residuals: Array, weights: Array) -> Array:
        """sum_i w_i rho(r_i) along the last axis."""
        if self.loss == "mse":
            rho = residuals * residuals
        else:
            rho = np.abs(residuals)
            if self.loss == "huber":
                inner = np.minimum(rho, self.delta)
                rho = inner * (rho - 0.5 * inner)
        total: Array = np.einsum("...n,...n->...", weights, rho)
        return total

    def derivatives(
        self, residuals: Array, log_L: Array, weights: Array, newton: Mask
    ) -> tuple[Array, Array]:
        """First and second derivative of each row's part by log L, (B, n).

        Where `newton` (B,) holds the second is the true one; elsewhere it is that of the parabola that touches
        rho from above (iteratively reweighted least squares), with the residual linear in the parameters.
        """
        if self.loss == "mse":
            first, second = 2.0 * weights * residuals, 2.0 * weights
        else:
            first = np.clip(residuals, -self.delta, self.delta)
            size = np.abs(residuals)
            if newton.all():
                second = weights * (size <= self.delta)
            else:
                bend = self.delta / np.maximum(size, self.delta)
                second = weights * np.where(newton[:, None], size <= self.delta, bend)
            first *= weights
        if self.residual == "raw":
            L = np.exp(log_L)
            first = first * L
            second = second * L * L + first * newton[:, None]
        return first, second
