"""Hex by board size: the frontier of training compute beside what was published of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from scaling.reporting import numbers, plots
from scaling.reporting.document import Figure, Section, Table, Verdict
from scaling.reporting.style import Groups

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from scaling.exchange.change_point import ChangePoint
    from scaling.fitting.parts import Estimate
    from scaling.sections.known_claims import Published
    from scaling.study import Analysis


def games(analysis: Analysis) -> Section:
    """Return the frontier of Hex by board size beside what was published."""
    found: ChangePoint = analysis.fits["Hex"]
    known: Published = analysis.fits["published"]
    published = (*known.incline, *known.plateau)
    frame = pd.DataFrame(
        [
            {"parameter": name, "value": one.value, "low": one.low, "high": one.high, "published": there}
            for (name, one), there in zip(found.parameters.items(), published, strict=True)
        ]
        + [{"parameter": "times the compute a board size", "value": found.per_size.value, "low": found.per_size.low,
            "high": found.per_size.high, "published": known.per_size}]
    )  # fmt: skip
    ends = [np.nan if end is None else end for end in (found.per_size.low, found.per_size.high)]
    inside = [_holds(one, there) for one, there in zip(found.parameters.values(), published, strict=True)]
    text = (
        f"Hex: the frontier of {found.sizes} board sizes gives the published incline and plateau ({sum(inside)} of "
        f"{len(inside)} numbers inside the interval), and a board larger by one needs "
        f"{numbers.estimate(found.per_size.value, ends[0], ends[1])} times the compute."
    )
    return Section(
        "Games: Hex by board size",
        (
            "The frontier is of training compute at one search budget, so it holds no exchange rate; it bears "
            "out the law from whose companion the published rate of search comes. Intervals leave out whole board sizes.",
        ),
        (Verdict(text, "supported" if all(inside) else "measured"),),
        (_frontier(analysis, found),),
        (
            Table(
                "hex", "The change-point law: Elo = clip(m log10 C + m_s s + c, p_s s + p, 0).", frame,
                estimates={"value": ("low", "high")},
            ),
        ),
    )  # fmt: skip


def _holds(one: Estimate, there: float) -> bool:
    return one.low is not None and one.high is not None and one.low <= there <= one.high


def _frontier(analysis: Analysis, found: ChangePoint) -> Figure:
    rows: pd.DataFrame = analysis.fits["Hex frontier"].frame
    groups = Groups.of(rows, "boardsize", lambda size: f"{int(size)}x{int(size)}")
    lines = rows.assign(
        fitted=found.predict(rows["train_flops"].to_numpy(), rows["boardsize"].to_numpy(dtype=float))
    )

    def draw(axes: Axes) -> None:
        plots.scales(axes, "Training compute (FLOP)", "Elo against perfect play", log="x")
        plots.curves(axes, lines, "train_flops", "fitted", groups=groups, dashed=True)
        plots.points(axes, rows, "train_flops", "elo_frontier", groups=groups)
        plots.legend(axes, title="Board")

    return Figure(
        "hex-frontier",
        "Frontier of Elo against training compute by board size, with the change-point law dashed.",
        draw,
        lines,
        "Inclines of Elo against compute, one a board size, ending at perfect play.",
    )
