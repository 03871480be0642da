"""Coverage: the share of problems that at least one of k samples solves."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, final

import numpy as np

from scaling.laws.base import Array
from scaling.laws.general import GeneralLaw
from scaling.laws.parameters import Term, parameter


@final
@dataclass(frozen=True, kw_only=True)
class Coverage(GeneralLaw):
    """score = exp(-a / k^b): -log pass@k is a power law in the number of samples."""

    name: ClassVar[str] = "coverage"
    summary: ClassVar[str] = "pass@k against the number of samples k"
    formula: ClassVar[str] = "score = exp(-a / k^b)"
    source: ClassVar[str] = (
        "Brown et al. 2024 (arXiv:2407.21787), section 3.1: c = exp(a k^b), their a and b negated"
    )
    inputs: ClassVar[tuple[str, ...]] = ("k",)
    target: ClassVar[str] = "score"
    floor: ClassVar[str | None] = None
    terms: ClassVar[tuple[Term, ...]] = (Term("a", "b", "k"),)

    a: float = parameter("-log pass@1", trials=(0.03, 0.1, 0.3, 0.8, 2.0, 5.0))
    b: float = parameter("how fast samples remove it", high=10.0, trials=(0.05, 0.1, 0.2, 0.4, 0.8, 1.5))

    @classmethod
    def curve(cls, p: Any, x: Mapping[str, Array]) -> Any:
        """The formula."""
        return np.exp(-(p.a * np.exp(-(p.b * x["k"]))))
