"""Training and repeated sampling in one additive law."""

from dataclasses import dataclass
from typing import ClassVar, final

from scaling.laws.parameters import Term, parameter
from scaling.laws.separable import SeparableLaw


@final
@dataclass(frozen=True, kw_only=True)
class TrainSamples(SeparableLaw):
    """L = E + A / N^alpha + B / D^beta + G / k^gamma, for L = -log pass@k."""

    name: ClassVar[str] = "train_samples"
    summary: ClassVar[str] = "additive law of parameters, tokens and samples, for loss = -log pass@k"
    formula: ClassVar[str] = "L = E + A / N^alpha + B / D^beta + G / k^gamma"
    source: ClassVar[str] = (
        "Hoffmann et al. 2022, eq. 2, with a term in samples (Brown et al. 2024, arXiv:2407.21787)"
    )
    inputs: ClassVar[tuple[str, ...]] = ("N", "D", "k")
    terms: ClassVar[tuple[Term, ...]] = (
        Term("A", "alpha", "N"),
        Term("B", "beta", "D"),
        Term("G", "gamma", "k"),
    )

    E: float = parameter("loss without limit on parameters, tokens and samples", unit="loss")
    A: float = parameter("size of the part that parameters remove", unit="loss N^alpha")
    B: float = parameter("size of the part that tokens remove", unit="loss D^beta")
    G: float = parameter("size of the part that samples remove", unit="loss k^gamma")
    alpha: float = parameter("how fast parameters remove it", high=10.0)
    beta: float = parameter("how fast tokens remove it", high=10.0)
    gamma: float = parameter("how fast samples remove it", high=10.0)
