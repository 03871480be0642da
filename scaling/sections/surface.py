"""The loss surface in N and D, the frontier of best sizes across it, and the residuals of the runs."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from scaling.laws import LossInND
from scaling.reporting import numbers, plots
from scaling.reporting.document import Figure, Section
from scaling.reporting.style import INK, Groups

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from scaling.fitting import Fit
    from scaling.study import Analysis

GRID = 40
"""Points of the surface along each axis."""


def surface(analysis: Analysis) -> Section:
    """Return the fitted surface with its frontier, and the residuals against N and D."""
    fit: Fit = analysis.fits["law"]
    residual = 100 * float(np.sqrt(np.mean(fit.residuals**2)))
    return Section(
        "Surface and residuals",
        (
            "The contours are the fitted law over the range of the runs. The frontier is the size that the law puts at "
            "the lowest loss for each compute under C = 6 N D, with the chosen N; it is drawn only where runs lie.",
            f"The residuals have a root mean square of {numbers.plain(residual, 2)} % of the loss. A law that fits shows "
            "no pattern in them along either axis.",
        ),
        figures=(_surface(fit), _residuals(fit, "N"), _residuals(fit, "D")),
    )


def _surface(fit: Fit) -> Figure:
    law = fit.law
    assert isinstance(law, LossInND)
    N, D = fit.rows.inputs["N"], fit.rows.inputs["D"]
    n, d = (np.geomspace(x.min() / 1.2, x.max() * 1.2, GRID) for x in (N, D))
    grid = pd.DataFrame({"N": np.repeat(n, GRID), "D": np.tile(d, GRID)})
    grid["loss"] = law.predict(N=grid["N"], D=grid["D"])
    C = np.geomspace((6 * N * D).min(), (6 * N * D).max(), 60)
    best = law.optimum(C)
    frontier = pd.DataFrame({"N": best.N, "D": best.D, "C": C})
    inside = frontier["N"].between(n[0], n[-1]) & frontier["D"].between(d[0], d[-1])
    runs = pd.DataFrame({"N": N, "D": D, "loss": fit.rows.loss})

    def draw(axes: Axes) -> None:
        plots.scales(axes, "Parameters N", "Training tokens D", log="xy")
        plots.contours(axes, grid, "N", "D", "loss", label="Loss (nats/token)")
        plots.points(axes, runs, "N", "D", label="Runs", colour=INK)
        plots.curves(
            axes, frontier[inside], "N", "D", label="Best N for its compute", outlined=True, colour=INK
        )
        plots.legend(axes)

    return Figure(
        "surface",
        "The fitted loss over model size and tokens, the runs, and the frontier of best sizes.",
        draw,
        runs,
        "Contours of fitted loss falling toward large N and large D, with runs as points and the frontier as a line.",
    )


def _residuals(fit: Fit, axis: str) -> Figure:
    rows = pd.DataFrame({**fit.rows.inputs, "residual": 100 * fit.residuals})
    other = "D" if axis == "N" else "N"
    first, second = np.quantile(rows[other], [1 / 3, 2 / 3])  # rows with one value stay in one third
    rows["third"] = 1 + (rows[other] > first).astype(int) + (rows[other] > second)
    groups = Groups.of(rows, "third", lambda third: f"{('low', 'middle', 'high')[int(third) - 1]} {other}")

    def draw(axes: Axes) -> None:
        plots.scales(
            axes, f"{'Parameters' if axis == 'N' else 'Training tokens'} {axis}", "Residual (%)", log="x"
        )
        plots.residuals(axes, rows, axis, "residual", groups=groups)
        plots.legend(axes)

    return Figure(
        f"residuals-{axis.lower()}",
        f"Measured over fitted loss against {axis}, by thirds of {other}.",
        draw,
        rows,
        f"Residuals in percent scattered about zero against {axis}.",
    )
