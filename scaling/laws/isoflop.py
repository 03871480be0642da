"""IsoFLOP curves: a parabola or cubic of log loss in log N at each budget, and the power law through their optima."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from scaling.laws.base import Array
from scaling.laws.frontier import FLOPS_PER_PARAMETER_TOKEN

Status = Literal["interior", "edge", "flat"]


@dataclass(frozen=True)
class IsoflopCurve:
    """log L = level + slope t + curvature t^2 + skew t^3 with t = log(N / centre), at one compute budget.

    Hoffmann et al. 2022 (arXiv:2203.15556), section 3.2. The logarithm of the loss and not the loss itself, so
    that a relative noise level serves all budgets; the optimum of the exact curve is the same. A parabola has no skew;
    exact curves of power laws do, and far from the optimum it moves a parabola's vertex.
    """

    C: float
    """Compute budget [FLOP]."""
    centre: float
    """Model size that t is counted from [parameters]."""
    level: float
    """log L at the centre."""
    slope: float
    """d log L / d log N at the centre."""
    curvature: float
    """Half of d2 log L / d log N2."""
    N_low: float
    """Smallest measured size at this budget."""
    N_high: float
    """Largest measured size at this budget."""
    skew: float = 0.0
    """A sixth of d3 log L / d log N3; 0 for a parabola."""

    def predict(self, *, N: npt.ArrayLike) -> Array:
        """Loss at N; broadcasts."""
        t = np.log(np.asarray(N, dtype=np.float64) / self.centre)
        prediction: Array = np.exp(self.level + t * (self.slope + t * (self.curvature + t * self.skew)))
        return prediction

    @property
    def status(self) -> Status:
        """`interior`: the optimum lies between the sizes measured; `edge`: not, or an end is lower; `flat`: none."""
        vertex = self._vertex()
        if vertex is None:
            return "flat"
        ends = self.predict(N=np.array([self.N_low, self.N_high]))
        lowest = self.N_low < vertex < self.N_high and float(self.predict(N=vertex)) < ends.min()
        return "interior" if lowest else "edge"

    @property
    def N_optimal(self) -> float | None:
        """The best size [parameters]; None at an edge, where the data only say that it lies outside."""
        return self._vertex() if self.status == "interior" else None

    @property
    def D_optimal(self) -> float | None:
        """Tokens of the best size under C = 6 N D."""
        N = self.N_optimal
        return None if N is None else self.C / FLOPS_PER_PARAMETER_TOKEN / N

    @property
    def loss_optimal(self) -> float | None:
        """Loss at the best size."""
        N = self.N_optimal
        return None if N is None else float(self.predict(N=N))

    def _vertex(self) -> float | None:
        t = float(minima(np.array([[self.slope, self.curvature, self.skew]]))[0])
        return None if np.isnan(t) else self.centre * float(np.exp(np.clip(t, -700, 700)))


def minima(coefficients: Array) -> Array:
    """Where slope t + curvature t^2 + skew t^3 has its minimum, (B,), NaN where it has none; from (B, 2 or 3).

    t = -slope / (curvature + sqrt(curvature^2 - 3 skew slope)), which is a parabola's vertex where skew is 0; where the
    curve is concave at 0, (sqrt(..) - curvature) / (3 skew), the same number.
    """
    slope, curvature = coefficients[:, 0], coefficients[:, 1]
    skew = coefficients[:, 2] if coefficients.shape[1] > 2 else np.zeros_like(slope)
    with np.errstate(all="ignore"):
        root = np.sqrt(curvature**2 - 3.0 * skew * slope)
        at: Array = np.where(curvature > 0, -slope / (curvature + root), (root - curvature) / (3.0 * skew))
    return np.where(np.isfinite(at), at, np.nan)


@dataclass(frozen=True)
class OptimalSize:
    """N_opt = k C^a through the optima of isoFLOP curves; D_opt = C / (6 N_opt)."""

    k: float
    """Optimal parameters at C = 1 [parameters FLOP^-a]."""
    a: float
    """Exponent of compute."""

    @property
    def N_exponent(self) -> float:
        """Exponent a in N_opt ~ C^a."""
        return self.a

    @property
    def D_exponent(self) -> float:
        """Exponent b = 1 - a in D_opt ~ C^b."""
        return 1.0 - self.a

    def N_optimal(self, C: npt.ArrayLike) -> Array:
        """Best model size for compute C [FLOP]; broadcasts."""
        optimal: Array = self.k * np.asarray(C, dtype=np.float64) ** self.a
        return optimal

    def D_optimal(self, C: npt.ArrayLike) -> Array:
        """Tokens of the best model for compute C [FLOP] under C = 6 N D."""
        C = np.asarray(C, dtype=np.float64)
        optimal: Array = C / FLOPS_PER_PARAMETER_TOKEN / self.N_optimal(C)
        return optimal
