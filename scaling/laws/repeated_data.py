"""The additive law where tokens repeat: further epochs, and parameters beyond the data, are worth less and less."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, final

import numpy as np
import numpy.typing as npt

from scaling.laws.base import Array, Law
from scaling.laws.chinchilla import Chinchilla
from scaling.laws.general import GeneralLaw
from scaling.laws.parameters import Term, parameter

_DECAYS = (0.5, 1.5, 5.0, 15.0, 50.0, 200.0)


@final
@dataclass(frozen=True, kw_only=True)
class RepeatedData(GeneralLaw):
    """L = E + A / N'^alpha + B / D'^beta, with effective parameters N' and tokens D'.

    D' = U (1 + R_D (1 - exp(-r_D / R_D))), r_D = D / U - 1 repeats of U unique tokens;
    N' = V (1 + R_N (1 - exp(-r_N / R_N))), r_N = N / V - 1, where V is the smaller of N and the size that would be
    optimal for U tokens, (alpha A / (beta B))^(1/alpha) U^(beta/alpha).
    """

    name: ClassVar[str] = "repeated_data"
    summary: ClassVar[str] = "chinchilla where U of the D tokens are unique"
    formula: ClassVar[str] = "L = E + A / N'^alpha + B / D'^beta, N' and D' discounted by R_N and R_D"
    source: ClassVar[str] = "Muennighoff et al. 2023 (arXiv:2305.16264), eq. 5 and 6"
    inputs: ClassVar[tuple[str, ...]] = ("N", "D", "U")
    terms: ClassVar[tuple[Term, ...]] = (Term("A", "alpha", "N"), Term("B", "beta", "U"))
    linear: ClassVar[tuple[str, ...]] = ("E",)
    simpler: ClassVar[type[Law] | None] = Chinchilla

    E: float = parameter("loss without limit on parameters or tokens", unit="loss")
    A: float = parameter("size of the part that parameters remove", unit="loss N^alpha")
    B: float = parameter("size of the part that tokens remove", unit="loss D^beta")
    alpha: float = parameter("how fast parameters remove it", high=10.0)
    beta: float = parameter("how fast tokens remove it", high=10.0)
    R_D: float = parameter("repeats after which further epochs are worth little", high=1e4, trials=_DECAYS)
    R_N: float = parameter("the same for parameters beyond the data's optimum", high=1e4, trials=_DECAYS)

    @classmethod
    def feature_names(cls) -> tuple[str, ...]:
        """Log N, log of the unique tokens, and the number of repeats."""
        return ("N", "U", "r_D")

    @classmethod
    def features(cls, **inputs: npt.ArrayLike) -> dict[str, Array]:
        """Log N, log min(U, D) and r_D = D / min(U, D) - 1."""
        N, D, U = (np.asarray(inputs[name], dtype=np.float64) for name in cls.inputs)
        unique = np.minimum(U, D)
        return {"N": np.log(N), "U": np.log(unique), "r_D": D / unique - 1.0}

    @classmethod
    def curve(cls, p: Any, x: Mapping[str, Array]) -> Any:
        """The formula, through the logarithms of N' and D'."""
        optimal = (np.log(p.alpha * p.A) - np.log(p.beta * p.B) + p.beta * x["U"]) / p.alpha
        V = np.minimum(optimal, x["N"])
        log_N = V + np.log1p(p.R_N * -np.expm1(-(np.expm1(x["N"] - V) / p.R_N)))
        log_D = x["U"] + np.log1p(p.R_D * -np.expm1(-(x["r_D"] / p.R_D)))
        return p.E + p.A * np.exp(-(p.alpha * log_N)) + p.B * np.exp(-(p.beta * log_D))
