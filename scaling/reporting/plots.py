"""Layers that draw a table's columns on axes; a figure is `scales`, layers, then `legend` or `name_ends`.

Every layer takes matplotlib axes and a DataFrame with the names of its columns. Rows without an x or a y
that the axes can show are left out, and so is a bar whose end is not finite. `groups` gives each level of a
column its colour, marker and name.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from scaling.reporting import numbers, style, ticks
from scaling.reporting.style import Groups

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes
    from pandas import DataFrame

_BAND = 0.2
"""Opacity of bands."""


def scales(axes: Axes, x: str, y: str, log: str = "") -> None:
    """Name the axes and choose their scales; `log` holds the letters of the log axes, such as "x" or "xy"."""
    axes.set_xlabel(x)
    axes.set_title(y)  # upright above the axis: nobody has to tilt their head
    for which in "xy":
        ticks.apply(axes, which, which in log)


def points(
    axes: Axes, frame: DataFrame, x: str, y: str, *,
    low: str | None = None, high: str | None = None,
    groups: Groups | None = None, label: str = "", colour: str = style.CATEGORICAL[0],
) -> None:  # fmt: skip
    """Points, with vertical bars from `low` to `high` where these columns are given and known."""
    for rows, tint, marker, name in _parts(axes, frame, x, y, groups, label, colour):
        if low and high:
            ends = rows[[low, high]].astype(float)
            axes.vlines(rows[x], ends[low], ends[high], color=tint, linewidth=1.3)
        axes.plot(
            rows[x], rows[y], linestyle="none", marker=marker, color=tint, label=name,
            markeredgecolor=style.PAPER, markeredgewidth=0.7, zorder=3,
        )  # fmt: skip


def curves(
    axes: Axes, frame: DataFrame, x: str, y: str, *,
    low: str | None = None, high: str | None = None, dashed: bool = False, outlined: bool = False,
    groups: Groups | None = None, label: str = "", colour: str = style.CATEGORICAL[0],
) -> None:  # fmt: skip
    """Lines through the rows in order of x, with a band from `low` to `high` where these columns are given and known.

    `outlined` lines stand out from filled contours.
    """
    for rows, tint, _, name in _parts(axes, frame, x, y, groups, label, colour):
        rows = rows.sort_values(x, kind="stable")
        if low and high and rows[[low, high]].notna().any(axis=None):
            ends = rows[[low, high]].astype(float)
            axes.fill_between(
                rows[x], ends[low], ends[high], color=tint, alpha=_BAND, linewidth=0, label=name
            )
        if outlined:
            axes.plot(rows[x], rows[y], color=style.PAPER, linewidth=5)
        axes.plot(rows[x], rows[y], color=tint, linestyle=(0, (5, 3)) if dashed else "solid", label=name)


def sideways(
    axes: Axes, frame: DataFrame, x: str, y: str, piece: str, *,
    low: str | None = None, high: str | None = None, dashed: bool = False, groups: Groups | None = None,
) -> None:  # fmt: skip
    """Lines through the rows in order of y, one for each value of the column `piece`.

    A band in x goes from `low` to `high` where these columns are given and the frame has them.
    """
    for rows, tint, _, name in _parts(axes, frame, x, y, groups, "", style.CATEGORICAL[0]):
        for _, one in rows.sort_values(y, kind="stable").groupby(piece, sort=True):
            if low in one and high in one:
                known = one[np.isfinite(one[low]) & np.isfinite(one[high])]
                axes.fill_betweenx(
                    known[y], known[low], known[high], color=tint, alpha=_BAND, linewidth=0, label=name
                )
            axes.plot(one[x], one[y], color=tint, linestyle=(0, (5, 3)) if dashed else "solid", label=name)


def threads(axes: Axes, frame: DataFrame, x: str, y: str, thread: str, *, groups: Groups) -> None:
    """A thin line for each value of the column `thread`, in its group's colour, without a name in the legend."""
    for rows, tint, _, _ in _parts(axes, frame, x, y, groups, "", style.CATEGORICAL[0]):
        for _, one in rows.groupby(thread, sort=True):
            axes.plot(one[x], one[y], color=tint, linewidth=0.6, alpha=0.45, zorder=1)


def hatched(axes: Axes) -> None:
    """Hatch the ground that no later layer covers."""
    axes.patch.set(hatch="////", edgecolor=style.GRID, facecolor=style.PAPER)


def optima(
    axes: Axes, frame: DataFrame, x: str, y: str, *,
    low: str | None = None, high: str | None = None, label: str = "Optimum",
) -> None:  # fmt: skip
    """Diamonds at special points, with horizontal bars from `low` to `high` where these columns are given."""
    rows = frame.dropna(subset=[x, y])
    if low and high:
        axes.hlines(rows[y], rows[low], rows[high], color=style.INK, linewidth=1.5, zorder=4)
    axes.plot(
        rows[x], rows[y], linestyle="none", marker="D", markersize=8, color=style.INK, label=label,
        markeredgecolor=style.PAPER, markeredgewidth=1.2, zorder=5,
    )  # fmt: skip


def residuals(
    axes: Axes, frame: DataFrame, x: str, y: str, *, groups: Groups | None = None, label: str = ""
) -> None:
    """Residuals about a zero line, with their root mean square as a band, on an axis symmetric about zero."""
    rows = frame.dropna(subset=[x, y])
    rms = float(np.sqrt(np.mean(np.square(rows[y])))) if len(rows) else 0.0
    points(axes, rows, x, y, groups=groups, label=label)
    axes.axhspan(-rms, rms, color=style.MUTED, alpha=0.12, linewidth=0, label="± root mean square")
    axes.axhline(0, color=style.INK, linewidth=1)
    reach = 1.15 * max(float(rows[y].abs().max()) if len(rows) else 0.0, rms) or 1.0
    axes.set_ylim(-reach, reach)


def forest(
    axes: Axes, frame: DataFrame, name: str, value: str, low: str, high: str, *,
    references: Mapping[str, float] | None = None,
) -> None:  # fmt: skip
    """Estimates below each other with their intervals, printed at the right; infinite ends get an arrow.

    The frame has one row an estimate, from top to bottom; one whose value is NaN is printed as not identified.
    `references` names the values of vertical lines.
    """
    marks = references or {}
    rows = frame[[value, low, high]].to_numpy(dtype=float)
    finite = np.array([*rows[np.isfinite(rows)], *marks.values()])
    if not finite.size:
        return
    margin = 0.06 * (finite.max() - finite.min() or abs(finite.max()) or 1.0)
    left, right = finite.min() - margin, finite.max() + margin
    for (text, at), tint in zip(marks.items(), style.CATEGORICAL[1:], strict=False):
        axes.axvline(at, color=tint, linewidth=1.6, linestyle=(0, (4, 3)), label=text)
    tint = style.CATEGORICAL[0]
    for row, (middle, start, end) in enumerate(rows):
        axes.plot([max(start, left), min(end, right)], [row, row], color=tint, linewidth=2.4)
        axes.plot(middle, row, marker="o", markersize=7, color=tint, linestyle="none")
        for at, edge, arrow in ((start, left, "<"), (end, right, ">")):
            if np.isinf(at):
                axes.plot(edge, row, marker=arrow, color=tint, clip_on=False)
        shown = numbers.estimate(middle, start, end)
        axes.annotate(
            shown,
            (1, row),
            (12, 0),
            xycoords=axes.get_yaxis_transform(),
            textcoords="offset points",
            va="center",
        )
    axes.set_yticks(range(len(frame)), [str(text) for text in frame[name]])
    axes.set(xlim=(left, right), ylim=(len(frame) - 0.4, -0.6))
    axes.tick_params(axis="y", length=0)
    axes.spines["left"].set_visible(False)
    axes.grid(visible=False, axis="y")


def contours(axes: Axes, frame: DataFrame, x: str, y: str, z: str, *, label: str, log: bool = False) -> None:
    """Filled contours of z over a full grid of x and y, with a colour bar named `label`; `log` spaces levels."""
    from matplotlib import colormaps
    from matplotlib.colors import BoundaryNorm

    grid = frame.pivot_table(index=y, columns=x, values=z)
    heights = np.ma.masked_invalid(grid.to_numpy(dtype=float))
    if not heights.count():
        return
    low, high = float(heights.min()), float(heights.max())
    levels = ticks.levels(low, high, log)
    filled = axes.contourf(
        grid.columns, grid.index, heights, levels=levels, cmap=colormaps["viridis"],
        norm=BoundaryNorm(levels, colormaps["viridis"].N),
    )  # fmt: skip
    bar = axes.figure.colorbar(filled, ax=axes, pad=0.02, aspect=26, spacing="uniform")
    bar.set_ticks(levels[::2], labels=ticks.tick_labels(levels[::2]), minor=False)
    bar.outline.set_visible(False)
    bar.ax.tick_params(length=0)
    axes.set_title(f"Colour: {label}", loc="right")
    axes.grid(visible=False)


def reference(axes: Axes, label: str, *, x: float | None = None, y: float | None = None) -> None:
    """A dashed line across the axes at one x or one y, named in the legend."""
    look: dict[str, Any] = {"color": style.INK, "linewidth": 1.2, "linestyle": (0, (2, 2)), "label": label}
    if x is not None:
        axes.axvline(x, **look)
    if y is not None:
        axes.axhline(y, **look)


def region(axes: Axes, label: str, low: float, high: float) -> None:
    """A shaded range of x, named in the legend, such as the range that a fit has seen."""
    axes.axvspan(low, high, color=style.MUTED, alpha=0.12, linewidth=0, label=label, zorder=0)


def legend(axes: Axes, title: str = "") -> None:
    """Name the layers above the axes, in as many columns as have room; layers of one name share an entry."""
    entries = _named(axes)
    if not entries:
        return
    count = len(entries)
    room = axes.figure.bbox.width - 16
    most = max((k for k in range(1, count + 1) if _row_width(list(entries), k) <= room), default=1)
    columns = -(-count // -(-count // most))  # as few as give the same number of rows
    names = [
        name for first in range(columns) for name in list(entries)[first::columns]
    ]  # read along the rows
    handles: list[Any] = [tuple(entries[name]) for name in names]  # drawn over each other
    axes.figure.legend(handles, names, title=title, loc="outside upper left", ncols=columns, alignment="left")


def name_ends(axes: Axes) -> None:
    """Name each line at its right end, in the margin, moved apart where names would touch; call it last."""
    from matplotlib.lines import Line2D

    axes.set(xlim=axes.get_xlim(), ylim=axes.get_ylim())
    ends = []
    for name, artists in _named(axes).items():
        drawn: list[Any] = [artist for artist in artists if isinstance(artist, Line2D)]
        line = next((artist for artist in drawn if artist.get_linestyle() != "None"), None)
        if line is None:
            continue
        path = (line.get_transform() - axes.transAxes).transform(line.get_xydata())
        path = path[np.isfinite(path).all(axis=1)]
        if len(path):
            ends.append((path[np.argmax(path[:, 0])], name, line.get_color()))
    placed = sorted(ends, key=lambda end: float(end[0][1]))
    heights = _spread(
        [float(end[1]) for end, _, _ in placed], 1.45 * ticks.FONT_SIZE / (0.8 * axes.figure.bbox.height)
    )
    for (end, name, tint), height in zip(placed, heights, strict=True):
        axes.plot(
            [end[0], 1.015, 1.035], [end[1], height, height], color=tint, linewidth=1.1,
            transform=axes.transAxes, clip_on=False, scalex=False, scaley=False,
        )  # fmt: skip
        axes.text(1.045, height, name, transform=axes.transAxes, va="center_baseline")


def _parts(
    axes: Axes, frame: DataFrame, x: str, y: str, groups: Groups | None, label: str, colour: str
) -> Iterator[tuple[DataFrame, str, str, str]]:
    """The rows that the axes can show, with each part's colour, marker and name."""
    rows = frame.dropna(subset=[x, y])
    for column, scale in ((x, axes.get_xscale()), (y, axes.get_yscale())):
        rows = rows[rows[column] > 0] if scale == "log" else rows
    if groups:
        yield from groups.parts(rows)
    elif len(rows):
        yield rows, colour, "o", label or "_unnamed"


def _named(axes: Axes) -> dict[str, list[Artist]]:
    """Artists by name, in order of appearance."""
    entries: dict[str, list[Artist]] = {}
    for handle, name in zip(*axes.get_legend_handles_labels(), strict=True):
        entries.setdefault(name, []).append(handle)
    return entries


def _row_width(names: list[str], columns: int) -> float:
    """Pixels that a legend of so many columns takes."""
    widths = [ticks.text_width(name, ticks.FONT_SIZE) + 3.4 * ticks.FONT_SIZE for name in names]
    return sum(max(widths[first::columns]) for first in range(columns))


def _spread(heights: list[float], gap: float) -> list[float]:
    """Ascending heights moved as little as possible so that neighbours are `gap` apart, kept within [0, 1]."""
    if not heights:
        return []
    offsets = gap * np.arange(len(heights))
    wanted = np.array(heights) - offsets
    blocks: list[list[float]] = []
    for height in wanted:  # pool adjacent violators: the least-squares ascending sequence
        blocks.append([float(height)])
        while len(blocks) > 1 and np.mean(blocks[-2]) > np.mean(blocks[-1]):
            blocks[-2:] = [blocks[-2] + blocks[-1]]
    levels = np.concatenate([[np.mean(block)] * len(block) for block in blocks])
    return list(np.clip(levels, 0.0, max(0.0, 1.0 - offsets[-1])) + offsets)
