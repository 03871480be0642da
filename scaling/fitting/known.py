"""What is known of parameters before the rows are seen: values, ranges, and normal priors as a penalty.

Shapes: B problems, P parameters, n rows; penalties' derivatives are (P, B).
"""

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from scaling.laws.base import Array, Law


@dataclass(frozen=True)
class Known:
    """Values, ranges and priors of parameters, by name."""

    fixed: Mapping[str, float] = field(default_factory=dict)
    """Parameters that a fit does not move."""
    bounds: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    """Smallest and largest value of others."""
    priors: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    """Mean and standard deviation of normal priors."""
    nat: float = 1.0
    """What a nat of likelihood is worth in units of the objective; see `nat_of`."""

    def of(self, law: type[Law]) -> "Known":
        """What of this is about parameters of a law."""
        names = set(law.parameter_names())
        return Known(
            {name: value for name, value in self.fixed.items() if name in names},
            {name: ends for name, ends in self.bounds.items() if name in names},
            {name: prior for name, prior in self.priors.items() if name in names},
            self.nat,
        )

    def holding(self, fixed: Mapping[str, float]) -> "Known":
        """The same, with further parameters that a fit does not move."""
        return dataclasses.replace(self, fixed={**self.fixed, **fixed})

    @property
    def anything(self) -> bool:
        """Whether anything is known, so that the fit is not one of the rows alone."""
        return bool(self.fixed or self.bounds or self.priors)

    @property
    def coefficients(self) -> frozenset[str]:
        """Parameters that must be what they are called: their own value is known, so no feature may be centred."""
        return frozenset({*self.fixed, *self.bounds, *self.priors})

    def means(self, law: type[Law]) -> Array:
        """Prior means, NaN where there is none, (P,)."""
        return np.array([self.priors.get(name, (np.nan, np.nan))[0] for name in law.parameter_names()])

    def drawn_means(self, law: type[Law], draws: int, rng: np.random.Generator) -> Array:
        """Prior means drawn from the priors themselves, (draws, P): a prior is one more measurement, with its noise."""
        sd = np.array([self.priors.get(name, (np.nan, np.nan))[1] for name in law.parameter_names()])
        drawn: Array = self.means(law) + sd * rng.normal(size=(draws, len(sd)))
        return drawn

    def penalty(self, law: type[Law], theta_BP: Array, means: Array) -> Array:
        """The sum nat / 2 sum_k ((value_k - mean_k) / sd_k)^2 at theta with prior means (B, P) or (P,), (B,)."""
        total: Array = np.zeros(len(theta_BP))
        for k, sd, value, _ in self._values(law, theta_BP):
            total += 0.5 * self.nat * ((value - means[..., k]) / sd) ** 2
        return total

    def add_derivatives(
        self,
        law: type[Law],
        theta_BP: Array,
        means: Array,
        newton: npt.NDArray[np.bool_],
        gradient: Array,
        hessian: Array,
    ) -> None:
        """Add those of the penalty by theta to a gradient (P, B) and a Hessian (P, P, B); true ones where `newton`."""
        for k, sd, value, slope in self._values(law, theta_BP):
            pull = self.nat * (value - means[..., k]) / sd**2
            gradient[k] += pull * slope
            bend = np.where(newton, pull * slope, 0.0) if law.parameters()[k].scale == "log" else 0.0
            hessian[k, k] += self.nat * (slope / sd) ** 2 + bend

    def _values(self, law: type[Law], theta_BP: Array) -> list[tuple[int, float, Array, Array]]:
        """Position, sd, value (B,) and d value / d theta (B,) of each parameter with a prior."""
        found = []
        for name, (_, sd) in self.priors.items():
            k = law.position(name)
            logs = law.parameters()[k].scale == "log"
            value = np.exp(theta_BP[:, k]) if logs else theta_BP[:, k]
            found.append((k, sd, value, value if logs else np.ones_like(value)))
        return found
