"""Rates from less than a grid: two slices, or two budgets of the same checkpoints."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from scaling.exchange import links
from scaling.exchange.summary import budget_name, eta_shown, factor, shown
from scaling.reporting import numbers, plots
from scaling.reporting.document import Figure, Section, Table
from scaling.reporting.style import Groups
from scaling.sections.exchange_rates import DEFINITION, doubts_table, verdict
from scaling.sections.known_rates import known_rates

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from scaling.exchange import Paired, Slices
    from scaling.exchange.curves import Crossing
    from scaling.exchange.slice_lines import Line


def slices_section(found: Slices, name: str = "slices", method: str = "Two slices") -> Section:
    """Return the rate of two slices, its lines, and what it takes for granted."""
    return Section(
        "Two slices",
        (
            DEFINITION,
            "Training was varied at one inference budget and inference at one checkpoint. The rate is the ratio "
            "of the slopes; that gains add up and are straight lines is taken for granted, not measured.",
        ),
        (verdict(found.rate, method),),
        (slices_figure(found, name),),
        (_lines(found, name), *doubts_table(found.warnings, f"{name}-to-know"), known_rates()),
    )


def slices_figure(found: Slices, name: str) -> Figure:
    """Return both slices with their lines."""
    parts = (("Training", found.train), ("Inference", found.infer))
    rows = pd.concat(
        [pd.DataFrame({"slice": word, "x": 10**line.x, "score": line.score}) for word, line in parts]
    )
    lines = pd.concat([_drawn(found.link, line).assign(slice=word) for word, line in parts])
    groups = Groups.of(rows, "slice")

    def draw(axes: Axes) -> None:
        plots.scales(axes, "Compute, each in its own relative unit", "Score", log="x")
        plots.curves(axes, lines, "x", "score", groups=groups)
        plots.points(axes, rows, "x", "score", groups=groups)
        plots.legend(axes)

    return Figure(
        f"{name}-lines",
        "Both slices, with least-squares lines.",
        draw,
        rows,
        "Two rising sets of points with lines.",
    )


def _drawn(link: str, line: Line) -> pd.DataFrame:
    x = np.linspace(line.x.min(), line.x.max(), 40)
    return pd.DataFrame({"x": 10**x, "score": links.find(link).share(line.intercept + line.slope.value * x)})


def _lines(found: Slices, name: str) -> Table:
    rows = [
        {
            "slice": word, "points": len(line.x), "decades": float(np.ptp(line.x)), "slope": line.slope.value,
            "low": line.slope.low, "high": line.slope.high, "robust": line.robust.value, "rms": line.rms,
        }
        for word, line in (("training", found.train), ("inference", found.infer))
    ]  # fmt: skip
    return Table(
        f"{name}-slopes",
        "Slopes a decade of compute, on the link's scale; robust: the median over pairs of points (Theil, Sen).",
        pd.DataFrame(rows),
        estimates={"slope": ("low", "high")},
        headings={"rms": "scatter"},
    )


def paired_section(found: Paired, name: str = "paired", method: str | None = None) -> Section:
    """Return the rates between two budgets of the same checkpoints."""
    return Section(
        "Two budgets of the same checkpoints",
        (
            DEFINITION,
            f"Budgets {' and '.join(map(budget_name, found.budgets))}. At a score, the training that the larger budget "
            "saves is read between two smooth curves, and the inference that it costs from what was spent at the two "
            "crossings.",
        ),
        tuple(verdict(rate, method or found.method) for rate in found.rates),
        (paired_figure(found, name),),
        (
            crossings_table(found, name),
            *doubts_table(found.warnings, f"{name}-to-know"),
            known_rates(),
        ),
    )


def paired_figure(found: Paired, name: str) -> Figure:
    """Return both curves of score against training compute."""
    rows = pd.concat(
        [
            pd.DataFrame({"budget": str(found.budgets[k]), "x": 10**found.u, "score": found.scores[k]})
            for k in (1, 0)
        ]
    )
    u = np.linspace(found.u.min(), found.u.max(), 80)
    share = links.find(found.link).share
    lines = []
    for k in (1, 0):
        frame = pd.DataFrame(
            {"budget": str(found.budgets[k]), "x": 10**u, "score": share(np.polyval(found.curves[k], u))}
        )
        if len(found.draws):
            drawn = share(np.vander(u, 3) @ found.draws[:, k].T)
            low, high = np.quantile(drawn, [0.025, 0.975], axis=1)
            frame = frame.assign(low=low, high=high)
        lines.append(frame)
    curves = pd.concat(lines)
    groups = Groups.of(rows, "budget")

    def draw(axes: Axes) -> None:
        plots.scales(axes, "Training compute, in the table's unit", "Score", log="x")
        low, high = ("low", "high") if "low" in curves else (None, None)
        plots.curves(axes, curves, "x", "score", low=low, high=high, groups=groups)
        plots.points(axes, rows, "x", "score", groups=groups)
        plots.reference(axes, f"Highest, {numbers.percent(found.ceiling, 4)}", y=found.ceiling)
        plots.legend(axes, title="Budget")

    return Figure(
        f"{name}-curves",
        "Score against training compute at both budgets, with quadratics on the link's scale.",
        draw,
        rows,
        "Two rising curves, the one with the larger budget above.",
    )


def _traded(one: Crossing | None) -> str:
    return "" if one is None else f"{factor(10**one.saved)} for {factor(10**one.spent)}"


def crossings_table(found: Paired, name: str) -> Table:
    """Return what the larger budget saves and costs at each score, by two ways to draw the curves."""
    rows = []
    for rate, one, other, steps in zip(
        found.rates, found.crossings, found.interpolated, found.steps, strict=True
    ):
        rows.append(
            {
                "at": rate.at,
                "eta": eta_shown(rate),
                "saved": "" if rate.eta is None else _traded(one),
                "isotonic": "" if steps is None or rate.eta is None else shown(steps),
                "isotonic_saved": "" if rate.eta is None else _traded(other),
                "status": rate.status,
            }
        )
    return Table(
        f"{name}-crossings",
        "Training saved for inference spent between the two curves: smooth ones, and steps (isotonic).",
        pd.DataFrame(rows),
        headings={
            "at": "score", "eta": "η", "saved": "saved for spent", "isotonic": "η, steps",
            "isotonic_saved": "saved for spent",
        },
    )  # fmt: skip
