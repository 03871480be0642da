"""Coverage where problems differ: success rates that are spread over problems as a beta distribution."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, final

import numpy as np

from scaling.laws.base import Array
from scaling.laws.dual import log_beta
from scaling.laws.general import GeneralLaw
from scaling.laws.parameters import Term, parameter


@final
@dataclass(frozen=True, kw_only=True)
class BetaBinomial(GeneralLaw):
    """score = 1 - B(a, b + k) / B(a, b): pass@k if a problem's success rate is drawn from Beta(a, b).

    For large k the share that is never solved falls as k^-a. `fitting.fit_counts` estimates a and b from each problem's
    counts, which say more than pass@k at some k.
    """

    name: ClassVar[str] = "beta_binomial"
    summary: ClassVar[str] = "pass@k against the number of samples k, for problems of unequal difficulty"
    formula: ClassVar[str] = "score = 1 - Beta(a, b + k) / Beta(a, b)"
    source: ClassVar[str] = (
        "Schaeffer et al. 2025 (arXiv:2502.17578), section 3; the distribution is Skellam's (1948)"
    )
    inputs: ClassVar[tuple[str, ...]] = ("k",)
    target: ClassVar[str] = "score"
    floor: ClassVar[str | None] = None
    terms: ClassVar[tuple[Term, ...]] = ()

    a: float = parameter(
        "how fast the hardest problems fall", high=1e8, trials=(0.03, 0.1, 0.2, 0.4, 0.8, 2.0, 8.0)
    )
    b: float = parameter(
        "scale of the samples they take", high=1e8, trials=(0.3, 1.0, 3.0, 10.0, 40.0, 300.0)
    )

    @classmethod
    def curve(cls, p: Any, x: Mapping[str, Array]) -> Any:
        """The formula, through logarithms, where the beta functions underflow."""
        return -np.expm1(log_beta(p.a, p.b + np.exp(x["k"])) - log_beta(p.a, p.b))
