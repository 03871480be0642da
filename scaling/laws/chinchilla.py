"""The additive law of parameters and tokens."""

from dataclasses import dataclass
from typing import ClassVar, final

import numpy as np
import numpy.typing as npt

from scaling.laws.base import Array
from scaling.laws.frontier import FLOPS_PER_PARAMETER_TOKEN, LossInND
from scaling.laws.parameters import Term, parameter
from scaling.laws.separable import SeparableLaw


@final
@dataclass(frozen=True, kw_only=True)
class Chinchilla(SeparableLaw, LossInND):
    """L = E + A / N^alpha + B / D^beta."""

    name: ClassVar[str] = "chinchilla"
    summary: ClassVar[str] = "floor plus one power term in parameters and one in tokens"
    formula: ClassVar[str] = "L = E + A / N^alpha + B / D^beta"
    source: ClassVar[str] = "Hoffmann et al. 2022 (arXiv:2203.15556), eq. 2; optimum: eq. 4"
    inputs: ClassVar[tuple[str, ...]] = ("N", "D")
    terms: ClassVar[tuple[Term, ...]] = (Term("A", "alpha", "N"), Term("B", "beta", "D"))

    E: float = parameter("loss without limit on parameters or tokens", unit="loss")
    A: float = parameter("size of the part that parameters remove", unit="loss N^alpha")
    B: float = parameter("size of the part that tokens remove", unit="loss D^beta")
    alpha: float = parameter("how fast parameters remove it", high=10.0)
    beta: float = parameter("how fast tokens remove it", high=10.0)

    @property
    def N_exponent(self) -> float:
        """Exponent a = beta / (alpha + beta) in N_opt ~ C^a."""
        return self.beta / (self.alpha + self.beta)

    @property
    def D_exponent(self) -> float:
        """Exponent b = alpha / (alpha + beta) in D_opt ~ C^b."""
        return self.alpha / (self.alpha + self.beta)

    def N_optimal(self, C: npt.ArrayLike) -> Array:
        """N_opt = G (C/6)^a with G = (alpha A / (beta B))^(1 / (alpha + beta)): where dL/dlog N = 0 at fixed C."""
        total = self.alpha + self.beta
        # Through logarithms: A and B reach 1e30 in bootstrap draws, their ratio is what counts.
        log_G = (np.log(self.alpha / self.beta) + np.log(self.A) - np.log(self.B)) / total
        log_C = np.log(np.asarray(C, dtype=np.float64) / FLOPS_PER_PARAMETER_TOKEN)
        optimal: Array = np.exp(log_G + self.N_exponent * log_C)
        return optimal
