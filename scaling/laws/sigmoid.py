"""Reward or accuracy against compute that levels off: a sigmoid in log compute."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, final

import numpy as np

from scaling.laws.base import Array
from scaling.laws.general import GeneralLaw
from scaling.laws.parameters import Term, parameter


@final
@dataclass(frozen=True, kw_only=True)
class Sigmoid(GeneralLaw):
    """score = R0 + (A - R0) / (1 + (C_mid / C)^B)."""

    name: ClassVar[str] = "sigmoid"
    summary: ClassVar[str] = "score that rises with log compute from a start to a ceiling"
    formula: ClassVar[str] = "score = R0 + (A - R0) / (1 + (C_mid / C)^B)"
    source: ClassVar[str] = "Khatri et al. 2025 (arXiv:2510.13786), eq. 1"
    inputs: ClassVar[tuple[str, ...]] = ("C",)
    target: ClassVar[str] = "score"
    floor: ClassVar[str | None] = "R0"
    terms: ClassVar[tuple[Term, ...]] = ()
    linear: ClassVar[tuple[str, ...]] = ("R0", "A")

    R0: float = parameter("score before any of this compute", unit="score", high=1.0)
    A: float = parameter("score without limit on compute", unit="score", high=1.0)
    C_mid: float = parameter(
        "compute at which half of the way is done",
        unit="C",
        location="C",
        trials=(-0.3, 0.1, 0.3, 0.5, 0.7, 0.9, 1.3),
    )
    B: float = parameter("steepness in log compute", high=50.0, trials=(0.2, 0.5, 1, 2, 5))

    @classmethod
    def curve(cls, p: Any, x: Mapping[str, Array]) -> Any:
        """The formula, with both shares of the logistic written so that neither overflows."""
        z = p.B * (x["C"] - p.C_mid)
        return p.R0 * np.exp(-np.logaddexp(0.0, z)) + p.A * np.exp(-np.logaddexp(0.0, -z))
