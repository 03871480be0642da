"""Parameters and tokens joined by a p-norm: p = 1 adds the two terms, p -> infinity takes the larger one."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar, final

import numpy as np
import numpy.typing as npt

from scaling.laws.base import Array, lower_products
from scaling.laws.frontier import FLOPS_PER_PARAMETER_TOKEN, LossInND
from scaling.laws.parameters import Term, parameter


@final
@dataclass(frozen=True, kw_only=True)
class PNorm(LossInND):
    """L = E + ((A / N^alpha)^p + (B / D^beta)^p)^(1/p).

    Kaplan's joint law is the member E = 0, p = 1/beta (with his alpha_D = beta and his alpha_N = alpha).
    """

    name: ClassVar[str] = "p_norm"
    summary: ClassVar[str] = "floor plus the p-norm of a power term in parameters and one in tokens"
    formula: ClassVar[str] = "L = E + ((A / N^alpha)^p + (B / D^beta)^p)^(1/p)"
    source: ClassVar[str] = "Kaplan et al. 2020 (arXiv:2001.08361), eq. 1.5, with a floor and a free p"
    inputs: ClassVar[tuple[str, ...]] = ("N", "D")
    terms: ClassVar[tuple[Term, ...]] = (Term("A", "alpha", "N"), Term("B", "beta", "D"))

    E: float = parameter("loss without limit on parameters or tokens", unit="loss")
    A: float = parameter("size of the part that parameters remove", unit="loss N^alpha")
    B: float = parameter("size of the part that tokens remove", unit="loss D^beta")
    alpha: float = parameter("how fast parameters remove it", high=10.0)
    beta: float = parameter("how fast tokens remove it", high=10.0)
    p: float = parameter(
        "how the terms join: 1 adds, large takes the larger",
        low=0.02,
        high=200.0,
        trials=(0.4, 0.8, 1.6, 4, 10, 100),
    )

    def at(self, x: Mapping[str, Array]) -> Array:
        """The formula, through the logarithms of the terms."""
        u = np.log(self.A) - self.alpha * x["N"]
        v = np.log(self.B) - self.beta * x["D"]
        prediction: Array = self.E + np.exp(np.logaddexp(self.p * u, self.p * v) / self.p)
        return prediction

    @property
    def N_exponent(self) -> float:
        """Exponent a = beta / (alpha + beta) in N_opt ~ C^a; p drops out."""
        return self.beta / (self.alpha + self.beta)

    @property
    def D_exponent(self) -> float:
        """Exponent b = alpha / (alpha + beta) in D_opt ~ C^b; p drops out."""
        return self.alpha / (self.alpha + self.beta)

    def N_optimal(self, C: npt.ArrayLike) -> Array:
        """N_opt = G (C/6)^a with G = (alpha/beta)^(1 / (p (alpha + beta))) (A/B)^(1 / (alpha + beta)).

        The p-th power of the norm is an additive law with A^p, B^p, p alpha, p beta, and is least where the
        norm is: put these into Chinchilla's optimum.
        """
        total = self.alpha + self.beta
        log_G = (np.log(self.alpha / self.beta) / self.p + np.log(self.A) - np.log(self.B)) / total
        log_C = np.log(np.asarray(C, dtype=np.float64) / FLOPS_PER_PARAMETER_TOKEN)
        optimal: Array = np.exp(log_G + self.N_exponent * log_C)
        return optimal

    @classmethod
    def evaluate(cls, theta_BP: Array, x: Sequence[Array]) -> Array:
        """State planes: log L, share m of the norm in L, weight q of the N term in the norm, z, slope by log p.

        With u, v the logs of the terms: z = p (u - v), q = 1 / (1 + e^-z) and
        log norm = max(u, v) + log(1 + e^-|z|) / p; the slope is that of log norm.
        """
        e, a, b, log_alpha, log_beta, log_p = theta_BP.T[:, :, None]
        p = np.exp(log_p)
        u, v = a - np.exp(log_alpha) * x[0], b - np.exp(log_beta) * x[1]
        state = np.empty((5, len(theta_BP), len(x[0])))
        z = np.multiply(p, u - v, out=state[3])
        distance = np.abs(z)
        tail = np.exp(-distance)
        smaller, softplus = tail / (1.0 + tail), np.log1p(tail)
        norm = np.exp(np.maximum(u, v) + softplus / p)
        total = np.exp(e) + norm
        np.log(total, out=state[0])
        np.divide(norm, total, out=state[1])
        state[2] = np.where(z > 0, 1.0 - smaller, smaller)
        # The entropy of (q, 1 - q): d log norm / d log p = -entropy / p.
        state[4] = -(softplus + distance * smaller) / p
        return state

    @classmethod
    def slopes(cls, theta_BP: Array, state: Array) -> Array:
        """By log E, u, v, log p: 1 - m, m q, m (1 - q), m d log norm / d log p."""
        _, m, q, _, by_p = state
        slopes = np.empty((4, *m.shape))
        np.subtract(1.0, m, out=slopes[0])
        np.multiply(m, q, out=slopes[1])
        np.subtract(m, slopes[1], out=slopes[2])
        np.multiply(m, by_p, out=slopes[3])
        return slopes

    @classmethod
    def curvatures(
        cls,
        theta_BP: Array,
        x: Sequence[Array],
        state: Array,
        slopes: Array,
        outer: Array,
        inner: Array | None,
    ) -> Array:
        """d2 log L = m (d2 log norm) + m (1 - m) (outer square of the slopes of log norm minus e_E)."""
        planes = lower_products(outer * slopes, slopes)
        if inner is None:
            return planes
        _, m, q, z, by_p = state
        p = np.exp(theta_BP[:, cls.position("p")])[:, None]
        mixed = inner * slopes[0] * m
        steps = (-1.0, q, 1.0 - q, by_p)
        pairs = [(i, j) for i in range(4) for j in range(i + 1)]
        for plane, (i, j) in zip(planes, pairs, strict=True):
            plane += mixed * steps[i] * steps[j]
        uu, vu, vv, pu, pv, pp = (planes[pairs.index(pair)] for pair in pairs if pair[1])
        spread = inner * m * q * (1.0 - q)
        bend_uv, bend_up = p * spread, spread * z
        uu += bend_uv
        vu -= bend_uv
        vv += bend_uv
        pu += bend_up
        pv -= bend_up
        pp += bend_up * z / p - inner * m * by_p
        return planes
