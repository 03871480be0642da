"""What a loss law in parameters N and tokens D says about spending compute C = 6 N D."""

from abc import abstractmethod
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from scaling.laws.base import Array, Law

FLOPS_PER_PARAMETER_TOKEN = 6.0
"""Forward and backward pass of a dense model: C = 6 N D (Kaplan 2020, section 2.1)."""


@dataclass(frozen=True)
class Optimum:
    """Where a law puts the lowest loss for each compute; arrays of the shape of C."""

    C: Array
    """Training compute [FLOP]."""
    N: Array
    """Parameters of the model with the lowest loss."""
    D: Array
    """Training tokens of that model."""
    tokens_per_param: Array
    """D / N."""
    loss: Array
    """The lowest loss itself."""


@dataclass(frozen=True, kw_only=True)
class LossInND(Law):
    """A loss law with terms A / N^alpha and B / D^beta, however the law joins them."""

    @property
    @abstractmethod
    def N_exponent(self) -> float:
        """Exponent a in N_opt ~ C^a."""

    @property
    @abstractmethod
    def D_exponent(self) -> float:
        """Exponent b in D_opt ~ C^b."""

    @abstractmethod
    def N_optimal(self, C: npt.ArrayLike) -> Array:
        """Parameters of the best model for compute C [FLOP] under C = 6 N D."""

    def optimum(self, C: npt.ArrayLike) -> Optimum:
        """Best N and D for compute C [FLOP] under C = 6 N D, and the loss on that frontier.

        A law with an exponent near 0 puts its optimum at 0 or infinity and says so.
        """
        C = np.asarray(C, dtype=np.float64)
        with np.errstate(over="ignore", under="ignore", divide="ignore", invalid="ignore"):
            N = self.N_optimal(C)
            D = C / FLOPS_PER_PARAMETER_TOKEN / N
            return Optimum(C=C, N=N, D=D, tokens_per_param=D / N, loss=self.predict(N=N, D=D))
