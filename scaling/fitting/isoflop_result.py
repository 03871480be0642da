"""The answer of an isoFLOP fit: a curve for each budget, and the power law through their optima."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from scaling.fitting.parts import Estimate, Interval, Warned
from scaling.fitting.rows import Excluded
from scaling.laws import IsoflopCurve, OptimalSize

if TYPE_CHECKING:
    import pandas as pd

Status = Literal["interior", "edge", "flat", "too few sizes"]


@dataclass(frozen=True)
class BudgetFit:
    """One isoFLOP curve."""

    C: float
    """Budget [FLOP]: the geometric mean of its rows."""
    rows: int
    """Rows in use."""
    sizes: int
    """Distinct model sizes."""
    status: Status
    """`interior`: the optimum lies between the sizes measured. `edge`: it does not, and is refused. `flat`: no
    minimum, or more than (1 - level) / 2 of the draws without one. `too few sizes`: fewer than coefficients."""
    curve: IsoflopCurve | None
    """The curve; None with too few sizes."""
    N_optimal: Estimate | None
    """Best size; None unless interior."""
    D_optimal: Estimate | None
    """Its tokens, read off the rows of its budget: C / (6 N) where C = 6 N D."""
    tokens_per_param: Estimate | None
    """D_optimal / N_optimal."""
    loss_optimal: Estimate | None
    """Loss there."""


@dataclass(frozen=True, repr=False)
class IsoflopFit:
    """All isoFLOP curves of a table and the power law through their interior optima."""

    budgets: tuple[BudgetFit, ...]
    """By ascending budget."""
    law: OptimalSize | None
    """N_opt = k C^a through the interior optima; None with fewer than two."""
    parameters: Mapping[str, Estimate]
    """k and a; empty without the law."""
    derived: Mapping[str, Estimate]
    """N_exponent and D_exponent; with compute also N_optimal, D_optimal, tokens_per_param."""
    status: Literal["ok", "doubtful"]
    """`doubtful` when a budget was refused, fewer than three optima carry the law, or sizes have one trunk."""
    warnings: tuple[Warned, ...]
    """What to know."""
    noise: float
    """Standard deviation of a row's log loss about its curve."""
    noise_freedom: int
    """Degrees of freedom of that estimate."""
    frame: "pd.DataFrame"
    """Rows in use, with columns budget and predicted."""
    read: int
    """Rows in the table."""
    excluded: Excluded
    """(row, reason) of the rows that are not used."""
    intervals: Interval
    """How the intervals were made."""
    seed: int
    """Seed of the draws."""

    def __repr__(self) -> str:
        """One line; `str` and `print` give the summary."""
        return f"<IsoflopFit of {len(self.frame)} rows at {len(self.budgets)} budgets, {self.status}: {self.law}>"

    def __str__(self) -> str:
        """The summary."""
        return self.summary()

    def summary(self) -> str:
        """The optimum of each budget and the law through them, for a terminal."""
        from scaling.fitting.summary import isoflop_summary

        return isoflop_summary(self)

    def to_json(self) -> dict[str, Any]:
        """Budgets, optima and the power law through them, for programs."""
        from scaling.fitting.summary import isoflop_json

        return isoflop_json(self)
