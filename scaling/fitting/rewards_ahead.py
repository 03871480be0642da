"""What laws of a score, fitted below a cut in compute, say of the checkpoints above it; and that nothing changes there."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from scaling.errors import FitError, InputError
from scaling.fitting.few_runs import FewRuns
from scaling.fitting.heldout import holdout
from scaling.fitting.parts import Prediction

if TYPE_CHECKING:
    import pandas as pd


Judgement = Literal["supported", "contradicted", "measured", "not identified"]
Named = Literal["sigmoid", "power", "no change"]
WIDE = 1 / 3
"""An interval wider than this share of the range of the scores is no prediction."""
CHANCE = 0.05
"""Probability below which as many points outside of their intervals are more than chance, each being outside by itself."""
MOVED = 2.0
"""Scores that moved beyond the cut by fewer standard errors than this test no law."""


@dataclass(frozen=True)
class Ahead:
    """One law, fitted to the rows of a size below a cut, against the rows above."""

    law: Named
    """``no change`` repeats each run's last score below the cut."""
    share: float
    """The cut, as a share of the largest compute."""
    cut_C: float
    """The cut [FLOP]."""
    fit: FewRuns | None
    """The fit below the cut; None for ``no change``, and where there is none."""
    frame: pd.DataFrame
    """Rows above the cut: run_id, seed, step, C, score, score_se, predicted, error (predicted - observed), and low and high,
    the ends of the interval that holds another run's score there."""
    reason: str = ""
    """Why there is no prediction."""

    @property
    def rms(self) -> float:
        """Root mean square error in score; NaN without a prediction."""
        return float(np.sqrt(np.mean(self.frame["error"] ** 2))) if len(self.frame) else float("nan")

    @property
    def bias(self) -> float:
        """Mean error in score."""
        return float(self.frame["error"].mean())

    @property
    def inside(self) -> int:
        """Number of points within their interval."""
        return int(self.frame["score"].between(self.frame["low"], self.frame["high"]).sum())

    def to_json(self) -> dict[str, Any]:
        """Cut, errors and points, for programs."""
        columns = ["run_id", "step", "C", "score", "predicted", "low", "high"]
        return {
            "law": self.law, "share": self.share, "cut_C": self.cut_C, "rms": self.rms, "bias": self.bias,
            "inside": self.inside, "points": len(self.frame), "reason": self.reason,
            "rows": self.frame[columns].to_dict("records"),
            "fit": None if self.fit is None else self.fit.to_json(),
        }  # fmt: skip


def failures(rows: pd.DataFrame) -> pd.DataFrame:
    """Return rows as the power law takes them: x = C, and as loss the failure rate, of half a completion at the least."""
    return rows.assign(x=rows["C"], loss=np.maximum(1 - rows["score"], 0.5 / rows["n"]))


def ahead_of(rows: pd.DataFrame, share: float, options: dict[str, Any]) -> list[Ahead]:
    """Return sigmoid, power law and no change beyond ``share`` of the largest C of rows with C > 0."""
    cut = share * float(rows["C"].max())
    above = rows[rows["C"] > cut]
    last = rows[rows["C"] <= cut].sort_values("C").groupby("run_id")["score"].last()
    still = above.assign(predicted=above["run_id"].map(last), low=np.nan, high=np.nan)
    still = still[still["predicted"].notna()]
    return [
        _predicted("sigmoid", rows, share, cut, options),
        _predicted("power", failures(rows), share, cut, {**options, "residual": "raw"}),
        Ahead("no change", share, cut, None, still.assign(error=still["predicted"] - still["score"])),
    ]


def _predicted(law: Named, rows: pd.DataFrame, share: float, cut: float, options: dict[str, Any]) -> Ahead:
    try:
        with np.errstate(divide="ignore"):  # logarithms of scores of 0, which nobody asks for here
            held = holdout(law, rows, cut, **options)
    except (FitError, InputError) as error:
        nothing = rows.iloc[:0].assign(predicted=0.0, low=0.0, high=0.0, error=0.0)
        return Ahead(law, share, cut, None, nothing, str(error))
    above = held.frame
    inputs: dict[str, Any] = {name: above[name].to_numpy(dtype=float) for name in held.fit.rows.inputs}
    fitted = FewRuns.of(held.fit)
    told = fitted.new_run(**inputs)
    if law == "power":
        told = Prediction(
            1 - told.value, *(None if end is None else 1 - end for end in (told.high, told.low))
        )
    ends = {
        side: np.full(len(above), np.nan) if end is None else np.clip(end, 0.0, 1.0)
        for side, end in (("low", told.low), ("high", told.high))
    }
    above = above.assign(predicted=told.value, **ends)
    return Ahead(law, share, cut, fitted, above.assign(error=above["predicted"] - above["score"]))


def judged(sigmoid: Ahead, power: Ahead, still: Ahead, span: float) -> tuple[Judgement, str]:
    """Return what the points beyond a cut say of the sigmoid, and why in words.

    ``span`` is the range of the size's scores. It is no test where the interval is wider than a third of that, or, unless
    most points lie outside, where scores moved by less than twice their standard error or no change errs no more.
    """
    from scipy.stats import binom

    if sigmoid.fit is None:
        return "not identified", f"there is no fit below the cut: {sigmoid.reason}"
    points = sigmoid.frame
    if points["low"].isna().any():
        return "not identified", "one run has no interval"
    width = float(np.median(points["high"] - points["low"]))
    if width > WIDE * span:
        return (
            "not identified",
            f"no test: the interval is {width:.2f} wide, over a third of the scores' range",
        )
    if sigmoid.inside < len(points) / 2:
        return "contradicted", "most points lie outside of their intervals"
    if still.rms < MOVED * float(np.sqrt(np.mean(still.frame["score_se"] ** 2))):
        return (
            "not identified",
            "no test: beyond the cut scores moved by less than twice their standard error",
        )
    if sigmoid.rms >= still.rms:
        return "not identified", "no better than that nothing changes after the cut"
    outside = len(points) - sigmoid.inside
    if binom.sf(outside - 1, len(points), 1 - sigmoid.fit.runs.intervals.level) < CHANCE:
        return "measured", "more points lie outside of their intervals than chance puts there"
    if sigmoid.rms >= power.rms:
        return "measured", "the power law errs no more"
    return "supported", "no more points lie outside than chance puts there, and both controls err more"
