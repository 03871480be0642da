"""The additive law of parameters and tokens with one exponent for both."""

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
class ChinchillaTied(SeparableLaw, LossInND):
    """L = E + A / N^alpha + B / D^alpha: parameters and tokens grow alike, N_opt ~ D_opt ~ C^(1/2)."""

    name: ClassVar[str] = "chinchilla_tied"
    summary: ClassVar[str] = "chinchilla with one exponent for parameters and tokens"
    formula: ClassVar[str] = "L = E + A / N^alpha + B / D^alpha"
    source: ClassVar[str] = "Muennighoff et al. 2023 (arXiv:2305.16264), appendix A: alpha = beta"
    inputs: ClassVar[tuple[str, ...]] = ("N", "D")
    terms: ClassVar[tuple[Term, ...]] = (Term("A", "alpha", "N"), Term("B", "alpha", "D"))

    E: float = parameter("loss without limit on parameters or tokens", unit="loss")
    A: float = parameter("size of the part that parameters remove", unit="loss N^alpha")
    B: float = parameter("size of the part that tokens remove", unit="loss D^alpha")
    alpha: float = parameter("how fast either removes its part", high=10.0)

    @property
    def N_exponent(self) -> float:
        """Exponent a = 1/2 in N_opt ~ C^a."""
        return 0.5

    @property
    def D_exponent(self) -> float:
        """Exponent b = 1/2 in D_opt ~ C^b."""
        return 0.5

    def N_optimal(self, C: npt.ArrayLike) -> Array:
        """N_opt = (A/B)^(1 / (2 alpha)) (C/6)^(1/2)."""
        log_G = (np.log(self.A) - np.log(self.B)) / (2 * self.alpha)
        log_C = np.log(np.asarray(C, dtype=np.float64) / FLOPS_PER_PARAMETER_TOKEN)
        optimal: Array = np.exp(log_G + 0.5 * log_C)
        return optimal
