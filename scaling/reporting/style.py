"""The house style: sizes, and colours that read on light and dark paper and to the colour-blind."""

from __future__ import annotations

import io
from collections.abc import Callable, Hashable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

from scaling.reporting.ticks import FONT_SIZE

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from pandas import DataFrame

WIDTH, HEIGHT = 680, 420
"""Of a figure, in pixels; the page scales it to its column."""
NARROW = 400
"""Width of a figure's second drawing, for phones."""

PAPER, INK, MUTED, GRID = "#ffffff", "#22272e", "#5b6571", "#dfe3e8"
"""Paper, text, secondary text and grid lines; a page replaces them by its own light or dark variables."""

CATEGORICAL = ("#4c74ee", "#bc4436", "#00a76d", "#b18900", "#b51fa4", "#7a32ff", "#7d8794")
"""Colours of unordered series: contrast >= 3 on white and near-black, apart under colour blindness."""

ORDERED = ("#3f6fd8", "#7d5bd6", "#b54fb0", "#d0564a", "#b98200")
"""Stops of the scale for ordered series, from the smallest level to the largest; legible like CATEGORICAL."""

MARKERS = ("o", "s", "^", "D", "v", "P", "X")
"""Shapes of unordered series, so that colour is never the only difference."""


@dataclass(frozen=True)
class Groups:
    """The levels of a grouping column with their colours, shapes and names: one for all layers of a figure."""

    column: str
    """The frame's column that tells the groups apart."""
    levels: tuple[Hashable, ...]
    """Distinct values in drawing order."""
    names: tuple[str, ...]
    """What a reader sees, one a level."""
    ordered: bool
    """Whether the levels are numbers, coloured from small to large."""

    @staticmethod
    def of(frame: DataFrame, column: str, name: Callable[[Any], str] = str) -> Groups:
        """The distinct values of a column: numbers sorted, anything else in order of appearance."""
        from pandas.api.types import is_bool_dtype, is_numeric_dtype

        levels = frame[column].dropna().unique().tolist()
        ordered = is_numeric_dtype(frame[column]) and not is_bool_dtype(frame[column])
        levels = sorted(levels) if ordered else levels
        return Groups(column, tuple(levels), tuple(name(x) for x in levels), ordered)

    def parts(self, frame: DataFrame) -> Iterator[tuple[DataFrame, str, str, str]]:
        """The rows, colour, marker and name of each level that the frame has rows of."""
        for index, level in enumerate(self.levels):
            rows = frame[frame[self.column] == level]
            if len(rows):
                yield rows, self._colour(index), self._marker(index), self.names[index]

    def _colour(self, index: int) -> str:
        if not self.ordered:
            return CATEGORICAL[index % len(CATEGORICAL)]
        return _blend(ORDERED, index / max(len(self.levels) - 1, 1))

    def _marker(self, index: int) -> str:
        return "o" if self.ordered else MARKERS[index % len(MARKERS)]


def draw_svg(draw: Callable[[Axes], None], salt: str, width: int = WIDTH, height: int = HEIGHT) -> str:
    """Let `draw` fill a pair of axes in the house style; matplotlib's raw SVG, the same bytes every time.

    Args:
        draw: draws on the axes that it is given.
        salt: seeds the ids inside the SVG.
        width: of the view box, in pixels.
        height: of the view box, in pixels.
    """
    import matplotlib as mpl
    from matplotlib.backends.backend_svg import FigureCanvasSVG
    from matplotlib.figure import Figure

    with mpl.rc_context():
        mpl.rcdefaults()  # the user's matplotlibrc has no say
        cast(Any, mpl.rcParams).update(_settings(salt))
        figure = Figure(figsize=(width / 72, height / 72), dpi=72, layout="constrained")
        canvas = cast(Any, FigureCanvasSVG(figure))
        axes = figure.add_subplot()
        draw(axes)
        if not axes.has_data():
            axes.set_axis_off()
            axes.set_title("")
            centre = axes.transAxes
            axes.text(0.5, 0.5, "No rows to show", transform=centre, ha="center", va="center", color=MUTED)
        buffer = io.StringIO()
        canvas.print_svg(buffer, metadata=dict.fromkeys(("Creator", "Date", "Format", "Type")))
    return buffer.getvalue()


def _settings(salt: str) -> dict[str, Any]:
    return {
        "svg.fonttype": "none",  # real text: it can be searched, read aloud and follows the page's font
        "svg.hashsalt": salt,
        "font.family": ["DejaVu Sans"],  # ships with matplotlib: the layout does not depend on the machine
        "font.size": FONT_SIZE,
        "axes.titlesize": FONT_SIZE + 1,
        "axes.labelsize": FONT_SIZE + 1,
        "axes.titlelocation": "left",
        "axes.titlepad": 10.0,
        "axes.titlecolor": MUTED,
        "axes.labelcolor": MUTED,
        "axes.labelpad": 7.0,
        "axes.edgecolor": MUTED,
        "axes.facecolor": "none",
        "axes.linewidth": 0.9,
        "axes.spines.top": False,
        "axes.spines.right": False,
        "axes.grid": True,
        "axes.grid.which": "major",
        "axes.axisbelow": True,
        "axes.xmargin": 0.03,
        "axes.ymargin": 0.06,
        "axes.unicode_minus": True,
        "text.parse_math": False,  # a dollar sign in a label is a dollar sign
        "grid.color": GRID,
        "grid.linewidth": 0.8,
        "xtick.color": MUTED,
        "ytick.color": MUTED,
        "xtick.labelcolor": INK,
        "ytick.labelcolor": INK,
        "xtick.labelsize": FONT_SIZE,
        "ytick.labelsize": FONT_SIZE,
        "xtick.major.size": 4.0,
        "ytick.major.size": 4.0,
        "xtick.minor.size": 2.0,
        "ytick.minor.size": 2.0,
        "text.color": INK,
        "figure.facecolor": PAPER,
        "lines.linewidth": 2.0,
        "lines.markersize": 6.5,
        "lines.solid_capstyle": "round",
        "legend.frameon": False,
        "legend.fontsize": FONT_SIZE,
        "legend.handlelength": 1.4,
        "legend.handletextpad": 0.5,
        "legend.columnspacing": 1.4,
        "legend.borderaxespad": 0.3,
        "legend.borderpad": 0.2,
        "figure.constrained_layout.w_pad": 4 / 72,
        "figure.constrained_layout.h_pad": 4 / 72,
        "figure.constrained_layout.wspace": 0.0,
    }


def _blend(stops: Sequence[str], position: float) -> str:
    """The colour at `position` in [0, 1] along evenly spaced stops."""
    place = position * (len(stops) - 1)
    index = min(int(place), len(stops) - 2)
    share = place - index
    channels = [(int(stops[index][i : i + 2], 16), int(stops[index + 1][i : i + 2], 16)) for i in (1, 3, 5)]
    return "#" + "".join(f"{round(a + share * (b - a)):02x}" for a, b in channels)
