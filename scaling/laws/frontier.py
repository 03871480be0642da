"""What a loss law in parameters N and tokens D says about spending compute C = 6 N D."""

from abc import abstractmethod
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from scaling.laws.base import Array, Law

FLOPS_PER_PARAMETER_TOKEN = 6.0
"""Forward and backward pass of a dense model: C = 6 N D (Kaplan 2020, section 2.1)."""
INFERENCE_FLOPS_PER_PARAMETER_TOKEN = 2.0
"""Forward pass alone."""
LOG_LARGEST = 120.0
"""Logarithm of the largest compute or number of tokens that is looked at, and of one over the smallest: units may be
billions of tokens."""


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


@dataclass(frozen=True)
class Served:
    """The cheapest model of a loss when it also has to answer; arrays of the shape of C."""

    N: Array
    """Parameters."""
    D: Array
    """Training tokens."""
    tokens_per_param: Array
    """D / N."""
    train_flops: Array
    """6 N D [FLOP]."""
    infer_flops: Array
    """2 N D_inf [FLOP]."""
    saving: Array
    """Share of the total that it saves over the model that is optimal for training alone, at the same loss."""


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

    def tokens_for(self, loss: npt.ArrayLike, N: npt.ArrayLike) -> Array:
        """Training tokens after which a model of N parameters has the loss; infinite where it never has."""
        loss, N = np.broadcast_arrays(np.asarray(loss, dtype=np.float64), np.asarray(N, dtype=np.float64))
        return _first_below(lambda D: self.predict(N=N, D=D), loss)

    def compute_for(self, loss: npt.ArrayLike) -> Array:
        """Compute [FLOP] at which the best model has the loss; infinite where none has."""
        return _first_below(lambda C: self.optimum(C).loss, np.asarray(loss, dtype=np.float64))

    def served(self, C: npt.ArrayLike, inference_tokens: npt.ArrayLike) -> Served:
        """The N and D that cost least to train and to serve, at the loss that is optimal for training compute C.

        Minimises 6 N D + 2 N D_inf over all N and D of that loss (Sardana et al. 2023, arXiv:2401.00448, eq. 2): the
        more tokens D_inf the model shall read and write, the smaller and longer trained it should be.
        """
        best = self.optimum(C)
        tokens = np.asarray(inference_tokens, dtype=np.float64)

        def cost(log_N: Array) -> tuple[Array, Array, Array, Array]:
            N = np.exp(log_N)
            D = self.tokens_for(best.loss, N)
            train, infer = FLOPS_PER_PARAMETER_TOKEN * N * D, INFERENCE_FLOPS_PER_PARAMETER_TOKEN * N * tokens
            return N, D, train, infer

        with np.errstate(all="ignore"):
            optimum = np.log(best.N)
            log_N = _golden(lambda x: np.add(*cost(x)[2:]), optimum - 14.0, optimum + 1e-3)
            N, D, train, infer = cost(log_N)
            alone = best.C + INFERENCE_FLOPS_PER_PARAMETER_TOKEN * best.N * tokens
            return Served(N, D, D / N, train, infer, 1.0 - (train + infer) / alone)

    def compute_multiplier(self, other: "LossInND", C: npt.ArrayLike) -> Array:
        """Times the compute C that another recipe needs for the loss that this one has at C: over 1, this one is better."""
        ratio: Array = other.compute_for(self.optimum(C).loss) / np.asarray(C, dtype=np.float64)
        return ratio


def _first_below(curve: Callable[[Array], Array], level: Array) -> Array:
    """Where a falling curve of a positive number passes a level, by bisection of the logarithm; else infinite."""
    with np.errstate(all="ignore"):
        shape = np.broadcast_shapes(np.shape(level), np.shape(curve(np.ones_like(level))))
        low, high = np.full(shape, -LOG_LARGEST), np.full(shape, LOG_LARGEST)
        never = ~(curve(np.exp(high)) < level)
        for _ in range(80):
            middle = 0.5 * (low + high)
            above = curve(np.exp(middle)) > level
            low, high = np.where(above, middle, low), np.where(above, high, middle)
        return np.where(never, np.inf, np.exp(high))


def _golden(cost: Callable[[Array], Array], low: Array, high: Array) -> Array:
    """Where a function with one valley is least between low and high, by golden section, elementwise."""
    ratio = (np.sqrt(5.0) - 1) / 2
    for _ in range(70):
        left, right = high - ratio * (high - low), low + ratio * (high - low)
        cost_left = cost(left)
        # An infinite cost is that of a model too small for the loss: larger ones lie to the right.
        go_right = ~(cost_left <= cost(right)) | ~np.isfinite(cost_left)
        low, high = np.where(go_right, left, low), np.where(go_right, high, right)
    return 0.5 * (low + high)
