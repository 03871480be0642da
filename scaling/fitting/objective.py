"""What a fit minimises: the SUM over rows of a loss of the residual.

Shapes: B problems, n rows.
"""

import math
from dataclasses import dataclass
from numbers import Real
from typing import Literal

import numpy as np
import numpy.typing as npt

from scaling.errors import InputError
from scaling.laws.base import Array

Loss = Literal["huber", "lad", "mse", "quantile", "binomial"]
Residual = Literal["log", "raw"]
Mask = npt.NDArray[np.bool_]
LOSSES: tuple[Loss, ...] = ("huber", "lad", "mse", "quantile", "binomial")


def all_of(mask: Mask) -> bool:
    """`mask.all()` of few elements, several times as fast."""
    return int(np.count_nonzero(mask)) == mask.size


def any_of(mask: Mask) -> bool:
    """`mask.any()` of few elements, several times as fast."""
    return int(np.count_nonzero(mask)) > 0


@dataclass(frozen=True)
class Objective:
    """sum_i w_i rho(r_i) with r = log L - log y (`log`) or L - y (`raw`).

    rho is r^2 (`mse`), |r| (`lad`), Huber's r^2 / 2 up to |r| = delta and delta (|r| - delta / 2) beyond (`huber`;
    Hoffmann et al. 2022, eq. 3, uses delta = 1e-3 on log residuals), or 2 tau |r| where the law lies below the
    measurement and 2 (1 - tau) |r| where it lies above (`quantile`; Koenker and Bassett 1978; tau = .5 is `lad`, a
    small tau the lower envelope). `binomial` has no residual: it is the deviance of y successes a trial, half of it,
    y log(y / L) + (1 - y) log((1 - y) / (1 - L)), with the trials as weights. The sum and not the mean: common
    tolerances stop early on the mean.
    """

    loss: Loss = "huber"
    """`huber`, `lad`, `mse`, `quantile` or `binomial`."""
    delta: float = 1e-3
    """Where Huber's loss turns from square to straight, in units of the residual; the others ignore it."""
    residual: Residual = "log"
    """`log` or `raw`; the binomial deviance ignores it."""
    tau: float = 0.5
    """The quantile wanted; .5, the median, for all losses but `quantile`."""

    def __post_init__(self) -> None:
        """Refuse names and numbers that mean nothing."""
        if self.loss not in LOSSES:
            raise InputError(f"no loss is called {self.loss!r}; known: {', '.join(LOSSES)}")
        if self.residual not in ("log", "raw"):
            raise InputError(f"no residual is called {self.residual!r}; known: log, raw")
        if not (isinstance(self.delta, Real) and 0 < self.delta < math.inf):
            raise InputError(
                f"delta is {self.delta!s:.40}; give a positive number, or --loss mse for squares alone"
            )
        if not (isinstance(self.tau, Real) and 0 < self.tau < 1):
            raise InputError(f"tau is {self.tau!s:.40}; give a quantile between 0 and 1, for example .1")
        if self.tau != 0.5 and self.loss not in ("quantile", "huber"):
            raise InputError(f"tau is {self.tau} and the loss {self.loss}; give --loss quantile with it")

    @property
    def kinked(self) -> bool:
        """Whether rho has its kink at 0, so that minima are vertices: LAD and quantiles."""
        return self.loss in ("lad", "quantile")

    def unit(self, log_y: Array) -> float:
        """What a small residual is a share of: 1 for log ones, for raw ones the mean of what was measured, zeros and all."""
        return 1.0 if self.residual == "log" else float(np.mean(np.exp(log_y))) or 1.0

    def residuals(self, log_L: Array, log_y: Array) -> Array:
        """Log L - log y, or L - y."""
        return log_L - log_y if self.residual == "log" else np.exp(log_L) - np.exp(log_y)

    def side(self, residuals: Array) -> Array | float:
        """The factor of each residual by its sign: 2 (1 - tau) above 0, 2 tau below."""
        return 1.0 if self.tau == 0.5 else np.where(residuals > 0, 2 * (1 - self.tau), 2 * self.tau)

    def value(self, log_L: Array, log_y: Array, weights: Array) -> Array:
        """sum_i w_i rho(r_i) along the last axis."""
        if self.loss == "binomial":
            rho = _deviance(log_L, np.exp(log_y))
        else:
            rho = self._rho(self.residuals(log_L, log_y))
        total: Array = np.einsum("...n,...n->...", weights, rho)
        return total

    def _rho(self, residuals: Array) -> Array:
        rho = residuals * residuals if self.loss == "mse" else np.abs(residuals)
        if self.loss == "huber":
            inner = np.minimum(rho, self.delta)
            rho = inner * (rho - 0.5 * inner)
        if self.tau != 0.5:
            rho *= self.side(residuals)
        return rho

    def assess(self, log_L: Array, log_y: Array, weights: Array, newton: Mask) -> tuple[Array, Array, Array]:
        """`value` and `derivatives` at once."""
        if self.loss == "binomial":
            value = self.value(log_L, log_y, weights)
            return value, *self.derivatives(log_L, log_y, weights, newton)
        residuals = self.residuals(log_L, log_y)
        value = np.einsum("...n,...n->...", weights, self._rho(residuals))
        return value, *self._derivatives(residuals, log_L, weights, newton)

    def derivatives(self, log_L: Array, log_y: Array, weights: Array, newton: Mask) -> tuple[Array, Array]:
        """First and second derivative of each row's part by log L, (B, n); for the smooth losses.

        Where `newton` (B,) holds the second is the true one; elsewhere it is that of the parabola that touches
        rho from above (iteratively reweighted least squares), with the residual linear in the parameters.
        """
        if self.loss == "binomial":
            return _binomial_derivatives(log_L, np.exp(log_y), weights, newton)
        return self._derivatives(self.residuals(log_L, log_y), log_L, weights, newton)

    def _derivatives(
        self, residuals: Array, log_L: Array, weights: Array, newton: Mask
    ) -> tuple[Array, Array]:
        if self.tau != 0.5:
            weights = weights * self.side(residuals)
        if self.loss == "mse":
            first, second = 2.0 * weights * residuals, 2.0 * weights
        else:
            first = np.minimum(np.maximum(residuals, -self.delta), self.delta)
            size = np.abs(residuals)
            if all_of(newton):
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


def _deviance(log_L: Array, y: Array) -> Array:
    """Half the binomial deviance of a trial; infinite where L >= 1."""
    from scipy.special import xlogy

    with np.errstate(all="ignore"):
        missed = np.log(-np.expm1(log_L))
        half: Array = xlogy(y, y) - y * log_L + xlogy(1 - y, 1 - y) - (1 - y) * missed
    return np.where(np.isfinite(half), half, np.inf)


def _binomial_derivatives(log_L: Array, y: Array, weights: Array, newton: Mask) -> tuple[Array, Array]:
    """By log L; the expected second derivative, odds of L, where not Newton."""
    with np.errstate(all="ignore"):
        missed = -np.expm1(log_L)
        odds = np.exp(log_L) / missed
        second = np.where(newton[:, None], (1 - y) * odds / missed, odds)
        return weights * ((1 - y) * odds - y), weights * second
