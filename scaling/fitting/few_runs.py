"""Intervals from few runs: runs drawn whole and noise drawn anew, and the wider end of the two.

Of three runs there are ten different whole draws, and where their luck is alike these know nothing of the noise within: at
a nominal 95 % they held a planted asymptote in 75 to 85 % of tables of 3 runs x 9 checkpoints. Normal noise of the spread of
the residuals takes checkpoints for independent and knows no luck. The wider end of both held it in 97 % or more
(benchmarks/reward_coverage.py, 40 tables of each of four truths).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from scaling.fitting.fitted import again
from scaling.fitting.parts import Estimate, Prediction

if TYPE_CHECKING:
    from collections.abc import Callable

    from scaling.fitting.result import Fit
    from scaling.laws import Law
    from scaling.laws.base import Array


@dataclass(frozen=True)
class FewRuns:
    """A fit with both kinds of draws."""

    runs: Fit
    """Drawn by runs; without draws where there is one run."""
    noise: Fit | None
    """The same fit, drawn by noise; None for one run."""

    @classmethod
    def of(cls, fit: Fit) -> FewRuns:
        """Draw a fit's noise anew too, if it has draws."""
        return cls(fit, again(fit, resample="parametric", cluster=None) if len(fit.draws) else None)

    @property
    def law(self) -> Law:
        """The fitted law."""
        return self.runs.law

    @property
    def rms(self) -> float:
        """Root mean square residual."""
        return float(np.sqrt(np.mean(self.runs.residuals**2)))

    @property
    def parameters(self) -> dict[str, Estimate]:
        """Estimates with the wider ends."""
        other = self.runs if self.noise is None else self.noise
        return {
            name: Estimate(
                e.value, *_hull((e.low, e.high), (other.parameters[name].low, other.parameters[name].high))
            )
            for name, e in self.runs.parameters.items()
        }

    def quantity(self, of: Callable[[Array], Array]) -> Estimate:
        """Return what ``of`` makes of parameters, (B, P) in the law's order to (B,), with the wider ends."""
        value = float(of(self.law.values()[None])[0])
        if self.noise is None:
            return Estimate(value)
        tails = 0.5 * (1 - self.runs.intervals.level)
        ends = [np.quantile(of(fit.draws), [tails, 1 - tails]).tolist() for fit in (self.runs, self.noise)]
        return Estimate(value, *_hull(*ends))

    def new_run(self, **inputs: Any) -> Prediction:
        """Return the law's values with the wider interval that holds one more run's."""
        first = self.runs.predict(new_run=True, **inputs)
        if self.noise is None:
            return first
        other = self.noise.predict(new_run=True, **inputs)
        assert first.low is not None
        assert first.high is not None
        assert other.low is not None
        assert other.high is not None
        return Prediction(first.value, np.minimum(first.low, other.low), np.maximum(first.high, other.high))

    def to_json(self) -> dict[str, Any]:
        """The fit by runs, and the estimates with the wider ends."""
        return {
            "by_runs": self.runs.to_json(),
            "parameters": {name: e.to_json() for name, e in self.parameters.items()},
        }


Ends = tuple[float | None, float | None]


def _hull(one: Any, other: Any) -> Ends:
    if None in (*one, *other):
        return None, None
    return min(one[0], other[0]), max(one[1], other[1])
