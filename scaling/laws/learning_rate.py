"""The best learning rate as a power law of parameters and tokens."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, final

import numpy as np

from scaling.laws.base import Array
from scaling.laws.general import GeneralLaw
from scaling.laws.parameters import Term, parameter

SIGNED: dict[str, Any] = {
    "scale": "linear",
    "low": -10.0,
    "high": 10.0,
    "trials": (-1.0, -0.6, -0.3, 0.0, 0.3, 0.6, 1.0),
}
"""An exponent of either sign."""


@final
@dataclass(frozen=True, kw_only=True)
class LearningRate(GeneralLaw):
    """lr = c N^a D^b, with exponents of either sign."""

    name: ClassVar[str] = "learning_rate"
    summary: ClassVar[str] = "best learning rate as a power law of parameters and tokens"
    formula: ClassVar[str] = "lr = c N^a D^b"
    source: ClassVar[str] = "Li et al. 2025 (arXiv:2503.04715), eq. 1: c = 1.79, a = -.713, b = .307"
    inputs: ClassVar[tuple[str, ...]] = ("N", "D")
    target: ClassVar[str] = "lr"
    floor: ClassVar[str | None] = None
    terms: ClassVar[tuple[Term, ...]] = (Term("c", "a", "-N"), Term("c", "b", "-D"))
    linear: ClassVar[tuple[str, ...]] = ("c",)

    c: float = parameter("best rate at N = D = 1", unit="lr N^-a D^-b")
    a: float = parameter("exponent of parameters", **SIGNED)
    b: float = parameter("exponent of tokens", **SIGNED)

    @classmethod
    def feature_names(cls) -> tuple[str, ...]:
        """-log N and -log D: exponents count upwards."""
        return ("-N", "-D")

    @classmethod
    def features(cls, **inputs: Any) -> dict[str, Array]:
        """-log N and -log D."""
        return {f"-{name}": -np.log(np.asarray(inputs[name], dtype=np.float64)) for name in cls.inputs}

    @classmethod
    def curve(cls, p: Any, x: Mapping[str, Array]) -> Any:
        """The formula."""
        return p.c * np.exp(-(p.a * x["-N"]) - p.b * x["-D"])
