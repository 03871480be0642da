"""The answer of coverage beyond the samples taken: points marked as measured or extrapolated, by two laws."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from scaling.exchange.coverage_laws import LEAST_SQUARES, LIKELIHOOD, Backtest
from scaling.fitting.parts import Estimate, Warned
from scaling.laws import Law


@dataclass(frozen=True)
class CoveragePoint:
    """Coverage at one number of samples."""

    k: int
    """Samples."""
    extrapolated: bool
    """Whether k is above the fewest samples of a problem, so that a law alone says it."""
    value: Estimate | None
    """pass@k: unbiased where it was measured, by the chosen law beyond; None beyond where none was chosen."""
    by_law: Mapping[str, Estimate]
    """Law to what it says; empty where the laws could not be fitted."""

    @property
    def spread(self) -> float | None:
        """The difference between the two laws."""
        if not self.by_law:
            return None
        return abs(self.by_law[LEAST_SQUARES].value - self.by_law[LIKELIHOOD].value)

    def to_json(self) -> dict[str, Any]:
        """Its numbers."""
        return {
            "k": self.k,
            "extrapolated": self.extrapolated,
            "value": None if self.value is None else self.value.to_json(),
            "by_law": {law: found.to_json() for law, found in self.by_law.items()},
            "spread": self.spread,
        }


@dataclass(frozen=True, repr=False)
class CoverageCurve:
    """pass@k at the k asked for, and what it rests on."""

    points: tuple[CoveragePoint, ...]
    """One for each k asked for."""
    laws: Mapping[str, Law]
    """`coverage` by least squares and `beta_binomial` by likelihood; empty where they could not be fitted."""
    chosen: str | None
    """The law that is taken beyond the samples; None without a reason for either."""
    why: str
    """Why this one, or why none."""
    status: Literal["ok", "not identified"]
    """`not identified`: beyond the samples nothing is known, or no law was chosen."""
    backtest: Backtest | None
    """None where it was not asked for, or there are too few samples."""
    problems: int
    """P."""
    fewest: int
    """Samples up to which coverage was measured."""
    interval: Mapping[str, Any]
    """method, level, draws: problems are drawn, so the error of the law's form is not in the intervals."""
    warnings: tuple[Warned, ...]
    """What to know."""

    def __repr__(self) -> str:
        """One line."""
        return f"<CoverageCurve of {self.problems} problems at {len(self.points)} k, {self.chosen or self.status}>"

    def __str__(self) -> str:
        """The summary."""
        return self.summary()

    def summary(self) -> str:
        """Coverage at each k, the backtest and doubts, for a terminal."""
        from scaling.exchange.coverage_summary import coverage_summary

        return coverage_summary(self)

    def to_json(self) -> dict[str, Any]:
        """All of it, for programs."""
        return {
            "points": [point.to_json() for point in self.points],
            "laws": {
                name: dict(zip(law.parameter_names(), law.values().tolist(), strict=True))
                for name, law in self.laws.items()
            },
            "chosen": self.chosen,
            "why": self.why,
            "status": self.status,
            "backtest": None if self.backtest is None else self.backtest.to_json(),
            "problems": self.problems,
            "fewest_samples": self.fewest,
            "interval": dict(self.interval),
            "warnings": [{"code": one.code, "message": one.message} for one in self.warnings],
        }
