"""Small transformers on a language of known entropy: what they reach, and what a fit makes of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from scaling.reporting import numbers, plots
from scaling.reporting.document import Figure, Section, Table, Verdict
from scaling.reporting.style import Groups
from scaling.sections.law import parameter_table, shown, unsafe

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from scaling.fitting import Fit
    from scaling.study import Analysis


def known_floor(analysis: Analysis) -> Section:
    """Return the fit named ``transformers`` beside the exact floor named ``floor`` of the same rows."""
    fit: Fit = analysis.fits["transformers"]
    exact: float = analysis.fits["floor"].value
    low, high = fit.parameters["E"].low, fit.parameters["E"].high
    holds = low is not None and high is not None and low <= exact <= high
    floor = fit.warning("floor_not_identified") or fit.warning("floor_at_zero")
    doubt = "; ".join([*([floor] if floor else []), *unsafe(fit)])
    gap = float(fit.rows.loss.min()) - exact
    words = "holds" if holds else "misses"
    return Section(
        "Transformers",
        (
            "Transformers of the same recipe as everywhere, on endless text of the language. The exact floor of rows of "
            f"this length is {numbers.plain(exact, 6)} nats/token: a row begins at a sentence and its first token is given, "
            "so it is not quite the entropy rate. Nothing says that transformers must follow the language's own exponents; "
            "the floor they must.",
        ),
        (
            Verdict(
                f"Fitted to {len(fit.rows.loss)} transformer runs the additive law puts the floor at E = {shown(fit, 'E')}, "
                f"an interval that {words} the exact {numbers.plain(exact, 5)}; the best run is "
                f"{numbers.plain(gap, 2)} nats above it{f'; {doubt}' if doubt else ''}.",
                "not identified" if doubt else "supported" if holds else "contradicted",
            ),
        ),
        (_figure(fit, exact),),
        (parameter_table("transformer-parameters", fit), _table(fit, exact)),
    )


def _figure(fit: Fit, exact: float) -> Figure:
    rows = pd.DataFrame({**fit.rows.inputs, "excess": fit.rows.loss - exact})
    groups = Groups.of(rows, "N", lambda n: f"N = {numbers.quantity(n)}")
    D = np.geomspace(rows["D"].min(), rows["D"].max(), 40)
    curves = pd.concat(
        [
            pd.DataFrame({"N": n, "D": D, "excess": fit.law.predict(N=n, D=D) - exact})
            for n in sorted(set(rows["N"]))
        ]
    )

    def draw(axes: Axes) -> None:
        plots.scales(axes, "Training tokens D", "Loss over the exact floor (nats/token)", log="xy")
        plots.curves(axes, curves[curves["excess"] > 0], "D", "excess", groups=groups)
        plots.points(axes, rows, "D", "excess", groups=groups)
        plots.legend(axes)

    return Figure(
        "transformer-excess",
        "Transformers' loss over the exact floor against tokens, by size, with the fitted law.",
        draw,
        rows,
        "Excess loss falling with tokens, one curve a size.",
    )


def _table(fit: Fit, exact: float) -> Table:
    frame = pd.DataFrame({**fit.rows.inputs, "loss": fit.rows.loss, "excess": fit.rows.loss - exact})
    return Table(
        "transformer-runs",
        "The transformer runs: loss and its excess over the exact floor, in nats a token.",
        frame.sort_values(["N", "D"]),
        formats={"N": numbers.quantity, "D": numbers.quantity},
    )
