"""One training budget split between pretraining and RL: score against the RL share, and the best share of each total."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from scaling.exchange.result import Unmeasured
from scaling.fitting.parts import Warned
from scaling.reporting import numbers, plots
from scaling.reporting.document import Figure, Section, Table, Verdict
from scaling.reporting.style import Groups
from scaling.sections.exchange_rates import doubts_table

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from matplotlib.axes import Axes

    from scaling.exchange.split import Move, Split, Splits
    from scaling.fitting.parts import Estimate
    from scaling.study import Analysis

POINTS = 81
"""Shares at which a curve is drawn."""


class Arms:
    """What each share of each total was made of, by seed."""

    def __init__(self, frame: pd.DataFrame, placed: str = "") -> None:
        """Columns total [FLOPs], share (planned), seed, tokens (of pretraining), steps (of RL, as they came out).

        ``placed`` says how totals and shares were chosen.
        """
        self.frame, self.placed = frame, placed

    def to_json(self) -> dict[str, Any]:
        """The rows."""
        return {"rows": self.frame.to_dict("records"), "placed": self.placed}


def split(analysis: Analysis) -> Section:
    """Return the best share of each total, from the fits `split` (Splits, or why there are none) and `arms` (Arms)."""
    found: Splits | Unmeasured = analysis.fits["split"]
    arms: Arms = analysis.fits["arms"]
    if isinstance(found, Unmeasured):
        text = f"The best share of RL is not identified: {found.reason}."
        return Section("The best share of RL", verdicts=(Verdict(text, "not identified"),))
    prose = (
        "A total of training FLOPs is fixed, and a share of it goes to RL. Counted are all of RL's: every prompt read and "
        "every completion written, those of groups that taught nothing too, and forward and backward; and all of "
        "pretraining's: the whole path of the branch that RL starts from, the trunk's part of it included. Each share has a "
        "branch of its own, decayed to its end, and RL takes what that leaves of the total: it ends with the step that "
        "comes nearest.",
        "The curve is a parabola of the score's log-odds in the log-odds of the share, fitted to the shares above none by "
        "binomial likelihood. The interval of its top holds shares at which its slope, or that of a curve that is linear in "
        "the logarithms of RL and of pretraining compute, cannot be told from none. "
        f"Intervals are {numbers.percent(found.level)}, from leaving out each of {len(found.runs)} seeds and "
        f"{found.problems} problems, the same at every share. Bounds take scores to rise to one top and to fall after it.",
        *filter(None, [arms.placed]),
    )
    verdicts = [_verdict(one) for one in found.totals]
    if found.move is not None:
        verdicts.append(_moved(found.move, found.totals))
    return Section(
        "The best share of RL",
        prose,
        tuple(verdicts),
        (_figure(found.totals),),
        (_table(found, arms), *doubts_table(_warnings(found), "split-to-know")),
    )


def _verdict(one: Split) -> Verdict:
    """The best share of a total in a sentence."""
    where = f"Of {numbers.flops(one.total)}"
    gains = _gains(one)
    if one.best is not None:
        return Verdict(
            f"{where} the best share of RL is {_shown(one.best)}{_open(one)}{_missed(one)}; {gains}.",
            "measured",
        )
    if one.status == "at an edge":
        return Verdict(f"{where}: at an edge, {one.reason}; {gains}.", "measured")
    return Verdict(
        f"{where} the best share of RL is not identified, since {one.reason}; {gains}.", "not identified"
    )


def _open(one: Split) -> str:
    """What an interval means that goes beyond the shares tried."""
    assert one.best is not None
    if one.best.high == 1:
        return ", with no upper end, since more than was tried may be better"
    if one.best.low == 0:
        none = one.over_none is not None and one.over_none.low is not None and one.over_none.low <= 0
        return ", where no RL may be as good" if none else ", where less than was tried may be better"
    return ""


def _missed(one: Split) -> str:
    """That the curve whose top it is misses the shares."""
    if one.missed is None:
        return ""
    return f", by a curve that misses a share by {numbers.plain(100 * abs(one.missed), 2)} points"


def _gains(one: Split) -> str:
    """What the best share gains, in points of score."""
    best = (
        "it"
        if one.best is not None and one.missed is None
        else f"the best share measured, {numbers.plain(one.realised[one.measured], 2)},"
    )
    if one.best is None and one.planned[one.measured] == 0:
        best = "no RL"
    if not any(gain and gain.value for gain in (one.over_none, one.over_most)):
        return "all shares score alike"
    said = [
        f"{_points(gain)} points more than {what}"
        for gain, what in (
            (one.over_none, "no RL"),
            (one.over_most, f"a share of {numbers.plain(one.realised[-1], 2)}"),
        )
        if gain is not None
    ]
    return f"{best} scores {' and '.join(said)}"


def _moved(move: Move, totals: Sequence[Split]) -> Verdict:
    """Whether the best share moves, in a sentence."""
    between = f"From {numbers.flops(totals[0].total)} to {numbers.flops(totals[-1].total)}"
    if move.moved is None or move.moved.low is None or move.moved.high is None:
        return Verdict(
            f"{between} it is not identified whether the best share moves: {move.reason}.", "not identified"
        )
    told = "" if move.moved.low * move.moved.high > 0 else ", which cannot be told from none"
    return Verdict(f"{between} the best share moves by {_shown(move.moved)}{told}.", "measured")


def _warnings(found: Splits) -> list[Warned]:
    """What to know, with the total that it is of."""
    own = [
        Warned(warned.code, f"of {numbers.flops(one.total)}: {warned.message}")
        for one in found.totals
        for warned in one.warnings
    ]
    return [*found.warnings, *own]


def _figure(totals: Sequence[Split]) -> Figure:
    """Means with intervals and curves, a colour a total; seeds as threads."""
    rows = pd.concat([part for one in totals for part in _drawn(one)], ignore_index=True)
    groups = Groups.of(rows, "total", numbers.flops)
    means, curves, seeds = (rows[rows["what"] == what] for what in ("mean", "curve", "seed"))

    def draw(axes: Axes) -> None:
        plots.scales(axes, "Share of RL in the training compute", "Score")
        plots.threads(axes, seeds, "share", "score", "thread", groups=groups)
        plots.curves(axes, curves, "share", "score", groups=groups)
        plots.points(axes, means, "share", "score", low="low", high="high", groups=groups)
        plots.legend(axes)

    return Figure(
        "split",
        "Score against the realised share of RL, a colour a total: means with their intervals, the curve through the shares "
        "above none, and a thin line a seed.",
        draw,
        rows,
        "Score against the share of RL, one curve a total of training compute.",
    )


def _drawn(one: Split) -> list[pd.DataFrame]:
    """The points, curve and threads of one total."""
    means = pd.DataFrame(
        {
            "share": one.realised,
            "score": [score.value for score in one.scores],
            "low": [score.low for score in one.scores],
            "high": [score.high for score in one.scores],
        }
    )
    shares = np.asarray([share for share in one.realised if share > 0])
    x = np.linspace(shares[0], shares[-1], POINTS)
    curve = pd.DataFrame({"share": x, "score": one.curves[0].scores(x)[0]})
    seeds = [
        pd.DataFrame({"share": one.realised, "score": scores, "thread": f"{one.total:g} {number}"})
        for number, scores in enumerate(zip(*one.by_run, strict=True))
    ]
    parts = {"mean": [means], "curve": [curve], "seed": seeds}
    return [part.assign(total=one.total, what=what) for what, several in parts.items() for part in several]


def _table(found: Splits, arms: Arms) -> Table:
    """One row a total and share."""
    made = arms.frame.groupby(["total", "share"], as_index=False)[["tokens", "steps"]].mean()
    rows = pd.DataFrame(
        [
            {
                "total": one.total, "share": planned, "realised": realised,
                "mean": score.value, "low": score.low, "high": score.high,
                "seeds": ", ".join(numbers.plain(one, 2) for one in by_run),
            }
            for one in found.totals
            for planned, realised, by_run, score in zip(
                one.planned, one.realised, one.by_run, one.scores, strict=True
            )
        ]
    )  # fmt: skip
    rows = rows.merge(made, on=["total", "share"], how="left", validate="one_to_one")
    first = ["total", "share", "realised", "tokens", "steps"]
    return Table(
        "split-shares",
        "Every share that was run: planned and realised, pretraining tokens, RL steps, mean score and each seed's.",
        rows[[*first, *(name for name in rows.columns if name not in first)]],
        headings={"total": "total FLOPs", "share": "planned", "seeds": "each seed"},
        formats={
            "total": numbers.scientific,
            "tokens": numbers.quantity,
            "steps": lambda x: f"{x:.0f}",
            "realised": lambda x: numbers.plain(float(x), 3),
        },
        estimates={"mean": ("low", "high")},
    )


def _shown(found: Estimate) -> str:
    low, high = found.low, found.high
    return numbers.estimate(found.value, np.nan if low is None else low, np.nan if high is None else high)


def _points(found: Estimate) -> str:
    low, high = (np.nan if end is None else 100 * end for end in (found.low, found.high))
    return numbers.estimate(100 * found.value, low, high)
