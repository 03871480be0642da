"""Power law with a floor in one input."""

from dataclasses import dataclass
from typing import ClassVar, final

from scaling.laws.parameters import Term, parameter
from scaling.laws.separable import SeparableLaw


@final
@dataclass(frozen=True, kw_only=True)
class Power(SeparableLaw):
    """L = E + A / x^alpha, where x is whichever of N, D or C the table varies.

    In a fit x is the column `x`; without one it is N, D or C if the table has exactly one of the three.
    """

    name: ClassVar[str] = "power"
    summary: ClassVar[str] = "power law with a floor in one input (map it as x, or give just one of N, D, C)"
    formula: ClassVar[str] = "L = E + A / x^alpha"
    source: ClassVar[str] = (
        "Hestness et al. 2017 (arXiv:1712.00409), section 2; Henighan et al. 2020, eq. 1.1"
    )
    inputs: ClassVar[tuple[str, ...]] = ("x",)
    terms: ClassVar[tuple[Term, ...]] = (Term("A", "alpha", "x"),)

    E: float = parameter("loss without limit on x", unit="loss")
    A: float = parameter("size of the part that x removes", unit="loss x^alpha")
    alpha: float = parameter("how fast x removes it", high=10.0)
