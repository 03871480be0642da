"""Where a new run will fall: the law's own uncertainty and the noise of a run about it.

Shapes: B draws, M points, Q residuals.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from scaling.errors import InputError
from scaling.fitting.objective import Residual
from scaling.fitting.precision import roots, widened
from scaling.laws.base import Array

if TYPE_CHECKING:
    from scaling.fitting.result import Fit

MOST = 1000
"""Quantiles that stand for more residuals."""


@dataclass(frozen=True)
class Noise:
    """How runs of the rows' mean weight scatter about a fitted law."""

    residual: Residual
    """Whether residuals are of log losses or of losses."""
    values: Array
    """Sqrt(w / mean w) r sqrt(n / (n - p)), or MOST quantiles of them from the smallest to the largest, (Q,)."""
    score: bool = False
    """Whether runs have scores, which end at 0 and 1."""

    @classmethod
    def of(cls, fit: "Fit") -> "Noise":
        """The residuals of a fit, each as that of a row of mean weight; each counts once.

        Weights w are relative precisions: a row's noise goes as 1 / sqrt(w), and multiplying all by a constant changes
        nothing. Counts of rows are not told from precisions.

        Raises InputError for a binomial fit, whose noise depends on the trials of the new run.
        """
        if fit.objective.loss == "binomial":
            raise InputError("how a new score falls depends on its trials; predict the law's score alone")
        n = len(fit.residuals)
        free = len(fit.parameters) - len(fit.fixed)
        residuals = np.sort(widened(roots(fit.rows.weights) * fit.residuals, free))
        if n > MOST:
            residuals = np.quantile(residuals, np.linspace(0, 1, MOST))
        return cls(fit.objective.residual, residuals, fit.law.target == "score")

    def ends(self, curves_BM: Array, level: float) -> tuple[Array, Array]:
        """Ends (M,) of the intervals that hold a new run: percentiles over all draws with all residuals."""
        low, high = np.empty(curves_BM.shape[1]), np.empty(curves_BM.shape[1])
        tails = [0.5 * (1 - level), 0.5 * (1 + level)]
        for m, curve in enumerate(curves_BM.T):
            known = curve[np.isfinite(curve)]
            if self.residual == "log":
                runs = np.multiply.outer(known, np.exp(self.values))
            else:
                runs = np.add.outer(known, self.values)
            low[m], high[m] = np.quantile(runs, tails) if runs.size else (np.nan, np.nan)
        return (np.clip(low, 0.0, 1.0), np.clip(high, 0.0, 1.0)) if self.score else (low, high)

    def to_json(self) -> dict[str, Any]:
        """Its parts, for a file."""
        return {"residual": self.residual, "values": self.values.tolist()}
