"""The score of a task as it falls exponentially with the loss; chained after a law that predicts the loss."""

from dataclasses import dataclass
from typing import ClassVar, final

import numpy as np
import numpy.typing as npt

from scaling.laws.base import Array
from scaling.laws.parameters import Term, parameter
from scaling.laws.separable import SeparableLaw


@final
@dataclass(frozen=True, kw_only=True)
class ExponentialLink(SeparableLaw):
    """score = chance + K exp(-gamma loss)."""

    name: ClassVar[str] = "exponential_link"
    summary: ClassVar[str] = "score of a task as it falls exponentially with the loss"
    formula: ClassVar[str] = "score = chance + K exp(-gamma loss)"
    source: ClassVar[str] = (
        "Gadre et al. 2024 (arXiv:2403.08540), eq. 5: error = epsilon - k exp(-gamma loss)"
    )
    inputs: ClassVar[tuple[str, ...]] = ("loss",)
    target: ClassVar[str] = "score"
    floor: ClassVar[str | None] = "chance"
    terms: ClassVar[tuple[Term, ...]] = (Term("K", "gamma", "loss"),)

    chance: float = parameter("score at a very high loss", unit="score", high=1.0)
    K: float = parameter("size of the part that a low loss adds", unit="score")
    gamma: float = parameter("how fast the score falls with the loss", unit="1/loss", high=100.0)

    @classmethod
    def features(cls, **inputs: npt.ArrayLike) -> dict[str, Array]:
        """The loss itself."""
        return {"loss": np.asarray(inputs["loss"], dtype=np.float64)}
