"""How much of the answer is a convention: the same runs and law under each way of counting parameters."""

from __future__ import annotations

from typing import TYPE_CHECKING

from scaling.diagnostics.quantities import side_by_side
from scaling.reporting import numbers, plots
from scaling.reporting.document import Figure, Section, Table

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

    from scaling.fitting import Fit
    from scaling.study import Analysis

MEANING = {
    "matmul": "weights of matrix products: attention, MLP and head",
    "total": "everything, embedding and norms included",
    "non_embedding": "attention and MLP only (Kaplan et al. 2020)",
}
"""What each convention counts as N."""
SHOWN = ("alpha", "beta", "N_exponent", "E")


def conventions(analysis: Analysis) -> Section:
    """Return the fits named ``convention: <params>`` side by side."""
    fits: dict[str, Fit] = {
        name.partition(": ")[2]: fit for name, fit in analysis.fits.items() if name.startswith("convention: ")
    }
    frame = side_by_side(fits, SHOWN, label="N counts")
    exponents = frame.loc[frame["quantity"] == "N_exponent", "value"]
    return Section(
        "Conventions",
        (
            "At this size the embedding and the head are a large part of a model, so what N counts matters: the exponent "
            f"of the best size runs from {numbers.plain(float(exponents.min()), 2)} to "
            f"{numbers.plain(float(exponents.max()), 2)} on the same runs, before any noise.",
            "\n".join(f"- `{params}`: {MEANING[params]}" for params in fits),
        ),
        figures=(_figure(frame),),
        tables=(
            Table(
                "conventions",
                "The law under each convention for N, with the intervals of the main fit's method.",
                frame,
                estimates={"value": ("low", "high")},
                headings={"value": "estimate"},
            ),
        ),
    )


def _figure(frame: pd.DataFrame) -> Figure:
    shown = frame[frame["quantity"] == "N_exponent"].reset_index(drop=True)

    def draw(axes: Axes) -> None:
        plots.scales(axes, "a in N_opt ~ C^a", "")
        plots.forest(axes, shown, "N counts", "value", "low", "high")

    return Figure(
        "conventions-n",
        "The exponent of the best size under each convention for N, C = 6 N D.",
        draw,
        shown,
        "One interval a convention, side by side.",
        height=240,
    )
