"""The best batch size as a power law of tokens."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, final

import numpy as np

from scaling.laws.base import Array
from scaling.laws.general import GeneralLaw
from scaling.laws.learning_rate import SIGNED
from scaling.laws.parameters import Term, parameter


@final
@dataclass(frozen=True, kw_only=True)
class BatchSize(GeneralLaw):
    """batch_tokens = c D^b, with an exponent of either sign."""

    name: ClassVar[str] = "batch_size"
    summary: ClassVar[str] = "best batch size as a power law of tokens"
    formula: ClassVar[str] = "batch_tokens = c D^b"
    source: ClassVar[str] = "Li et al. 2025 (arXiv:2503.04715), eq. 2: c = .58, b = .571"
    inputs: ClassVar[tuple[str, ...]] = ("D",)
    target: ClassVar[str] = "batch_tokens"
    floor: ClassVar[str | None] = None
    terms: ClassVar[tuple[Term, ...]] = (Term("c", "b", "-D"),)
    linear: ClassVar[tuple[str, ...]] = ("c",)

    c: float = parameter("best batch at D = 1", unit="tokens D^-b")
    b: float = parameter("exponent of tokens", **SIGNED)

    @classmethod
    def feature_names(cls) -> tuple[str, ...]:
        """-log D: the exponent counts upwards."""
        return ("-D",)

    @classmethod
    def features(cls, **inputs: Any) -> dict[str, Array]:
        """-log D."""
        return {"-D": -np.log(np.asarray(inputs["D"], dtype=np.float64))}

    @classmethod
    def curve(cls, p: Any, x: Mapping[str, Array]) -> Any:
        """The formula."""
        return p.c * np.exp(-(p.b * x["-D"]))
