"""How a score grows with the compute of RL at one size: a sigmoid, a power law, and what both say beyond a cut.

The sigmoid, score = R0 + (A - R0) / (1 + (C_mid / C)^B), rises from a start to an asymptote A. The power law is of the
failure rate, 1 - score = E + F / C^alpha: what a loss would do, without a start to rise from. It is of the failure and not
of the score because a score ends at 1, and a power law that rises does not. Both are fitted by least squares on the score,
so that their residuals compare; intervals are those of ``few_runs``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from scaling.errors import FitError, InputError
from scaling.fitting.few_runs import FewRuns
from scaling.fitting.fitted import fit
from scaling.fitting.parts import Estimate
from scaling.fitting.rewards_ahead import Ahead, ahead_of, failures

if TYPE_CHECKING:
    import pandas as pd

    from scaling.laws.base import Array

CUTS = (0.5, 0.25, 0.125)
"""Shares of a size's largest compute below which laws are fitted; the first is the test, the others tell how early."""
DRAWS = 200
"""Bootstrap draws: of three runs there are ten different ones."""
LEAST_RISE = 0.05
"""A score that rises by less from the start to the end of RL has no curve to fit."""
BENT = 0.75
"""Share of the way from R0 to A that must be done at the largest compute before A counts as measured."""
NARROW = 0.25
"""Widest interval of A that identifies it, as a share of the range of the scores."""


@dataclass(frozen=True)
class Growth:
    """One size: its rows, both laws, and their predictions beyond each cut."""

    width: int
    """Residual width."""
    rows: pd.DataFrame
    """Its scored checkpoints, the starts with C = 0 included."""
    reason: str
    """Why nothing is fitted; empty where the laws are."""
    sigmoid: FewRuns | None
    """Of all rows with C > 0."""
    power: FewRuns | None
    """Of the failure rate, the same rows."""
    ahead: tuple[Ahead, ...]
    """Predictions, a cut and a law each."""

    @property
    def runs(self) -> int:
        """Number of runs."""
        return int(self.rows["run_id"].nunique())

    @property
    def span(self) -> float:
        """Range of its scores."""
        return float(self.rows["score"].max() - self.rows["score"].min())

    @property
    def way(self) -> Estimate:
        """Share of the way from R0 to A that is done at the largest compute, 1 / (1 + (C_mid / C)^B)."""
        assert self.sigmoid is not None
        law, largest = self.sigmoid.law, float(self.rows["C"].max())

        def done(values: Array) -> Array:
            C_mid, B = (values[:, law.position(name)] for name in ("C_mid", "B"))
            way: Array = np.exp(-np.logaddexp(0.0, B * np.log(C_mid / largest)))
            return way

        return self.sigmoid.quantity(done)

    @property
    def doubt(self) -> str:
        """Why A is not identified; empty where it is."""
        if self.sigmoid is None:
            return self.reason
        way, A = self.way, self.sigmoid.parameters["A"]
        least = way.value if way.low is None else way.low
        if least < BENT:
            at_least = (
                f", perhaps only {100 * least:.0f} %" if round(100 * least) < round(100 * way.value) else ""
            )
            return (
                f"the curve has not bent: at the largest compute {100 * way.value:.0f} % of the way from R0 to A is done"
                f"{at_least}, and {100 * BENT:.0f} % are asked for"
            )
        if A.low is None or A.high is None:
            return "one run tells nothing of others"
        if A.high - A.low > NARROW * self.span:
            return f"the interval of A is {A.high - A.low:.2f} wide, more than {100 * NARROW:g} % of the scores' range"
        return ""

    def at(self, share: float, law: str) -> Ahead:
        """Return what a law fitted below a share of the largest compute says of the rest."""
        return next(one for one in self.ahead if one.share == share and one.law == law)

    def to_json(self) -> dict[str, Any]:
        """The fits and the predictions, for programs."""
        fits = {"sigmoid": self.sigmoid, "power": self.power}
        return {
            "width": self.width,
            "runs": self.runs,
            "not_fitted": self.reason,
            **{name: None if one is None else one.to_json() for name, one in fits.items()},
            "asymptote_not_identified": self.doubt,
            "ahead": [one.to_json() for one in self.ahead],
        }


def growth(rows: pd.DataFrame, *, cuts: Sequence[float] = CUTS, bootstrap: int = DRAWS) -> Growth:
    """Return the laws of one size and their predictions.

    ``rows`` has run_id, width, step, C [FLOP of RL], score, score_se and n (completions). Where the score does not rise, or
    no law can be fitted, the answer says why; nothing is raised.
    """
    width = int(rows["width"].iloc[0])
    known = rows[rows["C"] > 0]
    options = _options(known, bootstrap)
    if reason := _flat(rows):
        return Growth(width, rows, reason, None, None, ())
    try:
        sigmoid = FewRuns.of(fit("sigmoid", known, **options))
        power = FewRuns.of(fit("power", failures(known), residual="raw", **options))
    except (FitError, InputError) as error:
        return Growth(width, rows, str(error), None, None, ())
    ahead = [made for share in cuts for made in ahead_of(known, share, options)]
    return Growth(width, rows, "", sigmoid, power, tuple(ahead))


def _options(rows: pd.DataFrame, bootstrap: int) -> dict[str, Any]:
    """Return how both laws are fitted: one run alone has no others to be drawn with."""
    several = len(rows["run_id"].unique()) > 1
    return {"loss": "mse", **({"cluster": "run_id", "bootstrap": bootstrap} if several else {"bootstrap": 0})}


def _flat(rows: pd.DataFrame) -> str:
    """Return why there is no rise to fit; empty where there is one."""
    ends = rows.sort_values("step").groupby("run_id")["score"].agg(["first", "last"])
    rise = float((ends["last"] - ends["first"]).mean())
    if rise >= LEAST_RISE:
        return ""
    return f"its score rose by {rise:.3f}, less than the {LEAST_RISE:g} that a curve needs"
