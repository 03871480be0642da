"""The score of a task as a logistic curve of the loss; chained after a law that predicts the loss."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, final

import numpy as np
import numpy.typing as npt

from scaling.laws.base import Array
from scaling.laws.general import GeneralLaw
from scaling.laws.parameters import Term, parameter


@final
@dataclass(frozen=True, kw_only=True)
class LogisticLink(GeneralLaw):
    """score = chance + (top - chance) / (1 + exp(k (loss - middle)))."""

    name: ClassVar[str] = "logistic_link"
    summary: ClassVar[str] = "score of a task as a falling logistic curve of the loss"
    formula: ClassVar[str] = "score = chance + (top - chance) / (1 + exp(k (loss - middle)))"
    source: ClassVar[str] = "Bhagia et al. 2024 (arXiv:2412.04403), section 3.2"
    inputs: ClassVar[tuple[str, ...]] = ("loss",)
    target: ClassVar[str] = "score"
    floor: ClassVar[str | None] = "chance"
    terms: ClassVar[tuple[Term, ...]] = ()
    linear: ClassVar[tuple[str, ...]] = ("chance", "top")

    chance: float = parameter("score at a very high loss", unit="score", high=1.0)
    top: float = parameter("score at a very low loss", unit="score", high=1.0)
    middle: float = parameter(
        "loss at which the score is halfway",
        unit="loss",
        low=-np.inf,
        scale="linear",
        location="loss",
        trials=(-0.2, 0.1, 0.3, 0.5, 0.7, 0.9, 1.2),
    )
    k: float = parameter("steepness", unit="1/loss", high=1e4, trials=(0.3, 1, 3, 10, 30))

    @classmethod
    def features(cls, **inputs: npt.ArrayLike) -> dict[str, Array]:
        """The loss itself."""
        return {"loss": np.asarray(inputs["loss"], dtype=np.float64)}

    @classmethod
    def curve(cls, p: Any, x: Mapping[str, Array]) -> Any:
        """The formula, with both shares of the logistic written so that neither overflows."""
        z = p.k * (x["loss"] - p.middle)
        return p.chance * np.exp(-np.logaddexp(0.0, -z)) + p.top * np.exp(-np.logaddexp(0.0, z))
