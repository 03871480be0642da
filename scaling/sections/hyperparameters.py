"""Were the runs tuned? Learning-rate arms around the recipe, at several widths."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from scaling.records.frame import frame
from scaling.reporting import numbers, plots
from scaling.reporting.document import Figure, Section, Table, Verdict
from scaling.reporting.style import Groups

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from scaling.study import Analysis


def arms(rows: pd.DataFrame) -> pd.DataFrame:
    """Return the mean held-out loss and its standard error over seeds for each width and arm.

    ``rows`` is ``records.frame`` of whole runs. A diverged arm stays, with a missing loss. Columns: width, arm
    (learning rate over the recipe's), lr, seeds, loss, se, penalty (loss over the width's best, in nats).
    """
    ended = rows[rows["annealed"] | rows["status"].ne("done")]
    grouped = ended.groupby(["width", "lr_over_recipe"], as_index=False).agg(
        lr=("lr", "first"),
        seeds=("loss", "count"),
        loss=("loss", "mean"),
        sd=("loss", "std"),
        all=("loss", "size"),
    )
    complete = grouped["seeds"] == grouped["all"]
    grouped["loss"] = grouped["loss"].where(complete)
    grouped["se"] = grouped["sd"] / np.sqrt(grouped["seeds"])
    grouped["penalty"] = grouped["loss"] - grouped.groupby("width")["loss"].transform("min")
    return grouped.rename(columns={"lr_over_recipe": "arm"}).drop(columns=["sd", "all"]).astype(float)


def hyperparameters(analysis: Analysis) -> Section:
    """Return the evidence that the recipe's learning rate is near the optimum at every width."""
    records = analysis.companions.get("tune", analysis.records)
    table = arms(frame(records))
    title = "Were the runs tuned?"
    if table["arm"].nunique() < 3:
        return Section(
            title,
            (
                "No learning-rate arms are among these records, so nothing here says how far the recipe is from the "
                "optimum. The preset `tune` trains them.",
            ),
        )
    best = table.loc[table.groupby("width")["loss"].idxmin()]
    low, high = table["arm"].min(), table["arm"].max()
    interior = best["arm"].gt(low) & best["arm"].lt(high)
    cost = table[table["arm"] == 1].set_index("width")["penalty"]
    names = {True: "inside", False: "at the edge of"}
    lines = [
        f"- width {width:.0f}: best at {arm:g} times the recipe, {names[bool(inside)]} the arms tried"
        + (f"; the recipe costs {numbers.plain(cost[width], 2)} nats there" if cost[width] > 0 else "")
        for width, arm, inside in zip(best["width"], best["arm"], interior, strict=True)
    ]
    worst = float(cost.max())
    own = f"costs at most {numbers.plain(worst, 2)} nats" if worst > 0 else "is the best of the arms at each"
    verdict = Verdict(
        f"The best learning rate lies inside the arms at {int(interior.sum())} of {len(best)} widths; the recipe's "
        f"own rate {own}.",
        "supported" if interior.all() else "not identified",
    )
    return Section(
        title,
        (
            f"Whole runs at {low:g} to {high:g} times the recipe's peak learning rate, one warm-up and one decay each. "
            "The arms show where each width's optimum lies and what the recipe loses to it.",
            "\n".join(lines),
        ),
        (verdict,),
        (_figure(table),),
        (_table(table),),
    )


def _figure(table: pd.DataFrame) -> Figure:
    shown = table.assign(low=table["loss"] - table["se"], high=table["loss"] + table["se"])
    groups = Groups.of(shown, "width", lambda width: f"width {width:.0f}")

    def draw(axes: Axes) -> None:
        plots.scales(axes, "Peak learning rate / the recipe's", "Held-out loss (nats/token)", log="x")
        plots.curves(axes, shown.dropna(), "arm", "loss", groups=groups)
        plots.points(axes, shown, "arm", "loss", low="low", high="high", groups=groups)
        plots.reference(axes, "recipe", x=1.0)
        plots.legend(axes)

    return Figure(
        "learning-rate-arms",
        "Held-out loss against the learning rate, by width; bars are one standard error over seeds.",
        draw,
        shown,
        "Curves of loss against learning rate, one a width, each with its lowest point between the ends.",
    )


def _table(table: pd.DataFrame) -> Table:
    return Table(
        "learning-rates",
        "Loss by width and learning rate; the penalty is the loss over the width's best arm.",
        table,
        headings={"arm": "lr / recipe", "lr": "peak lr", "loss": "loss (nats)", "se": "s.e."},
        formats={"width": lambda w: f"{w:.0f}", "seeds": lambda s: f"{s:.0f}", "arm": lambda a: f"{a:g}"},
    )
