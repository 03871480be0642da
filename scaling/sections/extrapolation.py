"""Does the law hold beyond the runs it was fitted to? The largest budgets are held out and predicted."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from scaling.fitting import figures
from scaling.reporting import numbers, plots
from scaling.reporting.document import Figure, Section, Table, Verdict
from scaling.reporting.style import INK, Groups
from scaling.sections.law import unsafe

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from scaling.fitting import Fit, Holdout
    from scaling.study import Analysis

WIDE = 2.0
"""A band wider than this many standard deviations of the log losses that were fitted is no prediction."""


def extrapolation(analysis: Analysis) -> Section:
    """Return the held-out predictions of ``holdout`` and ``holdout: p_norm``, and the fan of the fit ``law``."""
    held: Holdout = analysis.fits["holdout"]
    other: Holdout = analysis.fits["holdout: p_norm"]
    fit: Fit = analysis.fits["law"]
    return Section(
        "Extrapolation",
        (
            f"Both forms were refitted to the {len(held.fit.rows.loss)} runs with C up to {numbers.quantity(held.cut_C)} "
            f"and asked for the {len(held.frame)} above. A prediction's band here is that of the curve widened by the "
            "spread of single runs about the fit below the cut. The figure and the table are those of the additive form.",
        ),
        (_verdict("additive", held), _verdict("p-norm", other)),
        (_held(held), figures.fan(fit)),
        (_table(held),),
    )


def _verdict(form: str, held: Holdout) -> Verdict:
    above = held.frame
    spread = float(np.sqrt(np.mean(held.fit.residuals**2)))
    inside = above["loss"].between(above["low"] * np.exp(-2 * spread), above["high"] * np.exp(2 * spread))
    worst = above.iloc[int(above["error"].abs().argmax())]
    noise = spread * float(above["loss"].mean())
    text = (
        f"Predicting the runs beyond its budget, the {form} form errs by {numbers.plain(held.rms_error, 2)} nats "
        f"root-mean-square over {len(above)} runs (bias {numbers.plain(held.mean_error, 2)}, worst "
        f"{numbers.plain(float(worst['error']), 2)}; positive means that the runs did better), where runs scatter by "
        f"{numbers.plain(noise, 2)}; {int(inside.sum())} of {len(above)} lie inside its band and noise."
    )
    width = float(np.median(np.log(above["high"] / above["low"])))
    doubts = unsafe(held.fit)
    if width > WIDE * float(np.std(np.log(held.fit.rows.loss))):
        doubts.append(
            f"its band, {numbers.percent(float(np.expm1(width)))} of the loss, is wider than the fitted losses themselves "
            "spread"
        )
    if doubts:
        return Verdict(f"{text} No test of the law: {'; '.join(doubts)}.", "not identified")
    return Verdict(
        text, "supported" if inside.all() else "contradicted" if inside.mean() < 0.5 else "measured"
    )


def _held(held: Holdout) -> Figure:
    below = held.fit.rows.frame.assign(part="fitted", predicted=held.fit.law.predict(**held.fit.rows.inputs))
    both = pd.concat([below, held.frame.assign(part="held out")])
    rows = both[["N", "D", "C", "loss", "predicted", "part"]].reset_index(drop=True)
    groups = Groups.of(rows, "part")
    ends = [float(rows[["loss", "predicted"]].min().min()), float(rows[["loss", "predicted"]].max().max())]
    equal = pd.DataFrame({"predicted": ends, "loss": ends})

    def draw(axes: Axes) -> None:
        plots.scales(axes, "Predicted loss (nats/token)", "Measured loss (nats/token)")
        plots.curves(axes, equal, "predicted", "loss", dashed=True, colour=INK, label="as predicted")
        plots.points(axes, rows, "predicted", "loss", groups=groups)
        plots.legend(axes)

    return Figure(
        "held-out",
        "Measured against predicted loss; the held-out runs had no part in the fit.",
        draw,
        rows,
        "Points along the diagonal; those held out continue the line of the fitted ones or leave it.",
    )


def _table(held: Holdout) -> Table:
    columns = [c for c in ("N", "D", "C", "loss", "predicted", "low", "high", "error") if c in held.frame]
    return Table(
        "held-out-runs",
        "The runs beyond the cut: measured and predicted loss.",
        held.frame[columns].sort_values("C"),
        formats={
            **dict.fromkeys(("N", "D", "C"), numbers.quantity),
            "error": lambda e: numbers.plain(e, 2),
        },
        estimates={"predicted": ("low", "high")} if "low" in columns else {},
        headings={"loss": "measured", "error": "predicted - measured"},
    )
