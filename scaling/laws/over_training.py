"""The law of compute and over-training: loss at any number of tokens a parameter."""

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
class OverTraining(SeparableLaw, LossInND):
    """L = E + (a M^g + b M^-g) C^-g with M = D / N tokens a parameter and C = 6 N D.

    M and C only enter as C / M = 6 N^2 and C M = 6 D^2, so that L = E + a (6 N^2)^-g + b (6 D^2)^-g.
    """

    name: ClassVar[str] = "over_training"
    summary: ClassVar[str] = (
        "floor plus one exponent of compute, at any number of tokens a parameter M = D / N"
    )
    formula: ClassVar[str] = "L = E + (a M^g + b M^-g) / C^g, M = D / N, C = 6 N D"
    source: ClassVar[str] = (
        "Gadre et al. 2024 (arXiv:2403.08540), eq. 4; the exponent of its table, .27, is 2 g"
    )
    inputs: ClassVar[tuple[str, ...]] = ("N", "D")
    terms: ClassVar[tuple[Term, ...]] = (Term("a", "g", "C / M"), Term("b", "g", "C M"))

    E: float = parameter("loss without limit on compute", unit="loss")
    a: float = parameter("size of the part that falls with parameters", unit="loss FLOP^g")
    b: float = parameter("size of the part that falls with tokens", unit="loss FLOP^g")
    g: float = parameter("how fast compute removes the loss above the floor", high=10.0)

    @classmethod
    def feature_names(cls) -> tuple[str, ...]:
        """Log (C / M) and log (C M)."""
        return ("C / M", "C M")

    @classmethod
    def features(cls, **inputs: npt.ArrayLike) -> dict[str, Array]:
        """Log (C / M) = log 6 N^2 and log (C M) = log 6 D^2."""
        N, D = (np.asarray(inputs[name], dtype=np.float64) for name in cls.inputs)
        six = np.log(FLOPS_PER_PARAMETER_TOKEN)
        return {"C / M": six + 2 * np.log(N), "C M": six + 2 * np.log(D)}

    @property
    def N_exponent(self) -> float:
        """Exponent 1/2 in N_opt ~ C^a: the best number of tokens a parameter is the same at every compute."""
        return 0.5

    @property
    def D_exponent(self) -> float:
        """Exponent 1/2 in D_opt ~ C^b."""
        return 0.5

    def N_optimal(self, C: npt.ArrayLike) -> Array:
        """N_opt = (C / (6 M_opt))^(1/2) with M_opt = (b / a)^(1 / (2 g)), where dL/dM = 0."""
        log_M = (np.log(self.b) - np.log(self.a)) / (2 * self.g)
        log_C = np.log(np.asarray(C, dtype=np.float64) / FLOPS_PER_PARAMETER_TOKEN)
        optimal: Array = np.exp(0.5 * (log_C - log_M))
        return optimal
