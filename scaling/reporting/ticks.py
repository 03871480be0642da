"""Tick positions and labels that can always be read, on log axes above all.

Pure functions of the axis limits and of the room that the axis has; `apply` hands them to matplotlib.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from scaling.reporting.numbers import superscript

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_SUFFIXES = ((1e9, "B"), (1e6, "M"), (1e3, "k"))
FONT_SIZE = 13.0
"""Of tick labels, in pixels of the figure's own 680."""
_STEPS = (1.0, 2.0, 2.5, 5.0)
_CHARACTER = 0.66
"""Width of a character in font sizes: a little more than a digit's in the widest common font."""
_SUPERSCRIPT = 0.45
"""Width of a superscript digit in font sizes."""

Fits = Callable[[Sequence[float]], bool]
"""Whether ticks at these values can be labelled without touching each other."""


def log_ticks(low: float, high: float, fits: Fits) -> list[float]:
    """Ticks of a log axis: powers of ten; 1, 2, 5 between them; round steps when less than a decade shows.

    Args:
        low: lower limit, > 0.
        high: upper limit, > low.
        fits: tells whether a candidate's labels have room; the densest candidate with room wins.
    """
    first, last = math.floor(math.log10(low)), math.ceil(math.log10(high))
    candidates = [_decades(first, last, (1, 2, 5)), _decades(first, last, (1, 3))]
    candidates += [_decades(first, last, (1,), stride) for stride in range(1, 7)]
    if high / low >= 1e3:
        candidates = [*candidates[2:], candidates[1]]
    if high / low < 12:
        candidates = [_steps(low, high, count) for count in (8, 7, 6, 5, 4, 3)] + candidates
    return _first_with_room(candidates, low, high, fits)


def linear_ticks(low: float, high: float, fits: Fits) -> list[float]:
    """Ticks of a linear axis: round steps, as many as have room but no more than eight."""
    return _first_with_room([_steps(low, high, count) for count in (8, 7, 6, 5, 4, 3, 2)], low, high, fits)


def levels(low: float, high: float, log: bool) -> list[float]:
    """Round contour levels that cover low to high; about twelve.

    Args:
        low: smallest height.
        high: largest height, >= low.
        log: space the levels evenly in the logarithm where high > 2 low > 0.
    """
    if not high > low:
        return [low - 0.5, low + 0.5]
    if log and high > 2 * low > 0:
        low, high = _outward(low, math.floor), _outward(high, math.ceil)
        ratio = (high / low) ** (1 / 12)
        inner = [float(f"{low * ratio**index:.2g}") for index in range(1, 12)]
        return sorted({low, *inner, high})
    inner = _steps(low, high, 12)
    step = inner[1] - inner[0]
    first, last = round(inner[0] / step) - 1, round(inner[-1] / step) + 1
    ends = [float(f"{index * step:.12g}") for index in range(first, last + 1)]
    return [x for x in ends if x > low - step and x < high + step]


def minor_log_ticks(low: float, high: float) -> list[float]:
    """Unlabelled ticks at 2 to 9 times each power of ten, or at the powers alone over many decades."""
    first, last = math.floor(math.log10(low)), math.ceil(math.log10(high))
    digits = (1,) if last - first > 8 else tuple(range(1, 10))
    return [x for x in _decades(first, last, digits) if low <= x <= high]


def tick_labels(values: Sequence[float]) -> list[str]:
    """Labels of an axis' ticks, all in one notation: `20k 50k 100k`, `10¹² 10¹³`, `3.20 3.25`."""
    sizes = [abs(x) for x in values if x]
    if not sizes:
        return ["0" for _ in values]
    whole_powers = all(math.isclose(x, 10.0 ** round(math.log10(x)), rel_tol=1e-9) for x in sizes)
    wide = max(sizes) >= 1e12 or min(sizes) < 1e-3
    if wide or (whole_powers and len(sizes) > 2 and max(sizes) / min(sizes) >= 1e5):
        return [_power(x) for x in values]
    if min(sizes) >= 1e3 or max(sizes) >= 1e4:
        return [_suffixed(x) for x in values]
    places = max(_places(x) for x in values)
    return [_signed(f"{x:.{places if min(sizes) * 12 > max(sizes) else _places(x)}f}") for x in values]


def apply(axes: Axes, which: str, log: bool) -> None:
    """Give one axis ("x" or "y") of a plot its scale, its ticks and their labels."""
    from matplotlib.ticker import FixedLocator, Formatter, Locator, NullFormatter

    axis = axes.xaxis if which == "x" else axes.yaxis
    if log:
        axes.set_xscale("log") if which == "x" else axes.set_yscale("log")
    choose = log_ticks if log else linear_ticks
    known: dict[tuple[float, ...], list[float]] = {}  # matplotlib asks for the same ticks again and again

    class Readable(Locator):
        def __call__(self) -> list[float]:
            return self.tick_values(*axis.get_view_interval())

        def tick_values(self, vmin: float, vmax: float) -> list[float]:
            low, high = sorted((vmin, vmax))
            if not high > low or (log and low <= 0):
                return []
            room = axes.bbox.width if which == "x" else axes.bbox.height
            key = (low, high, room)
            if key not in known:
                known[key] = choose(low, high, lambda ticks: _fit(ticks, low, high, room, log, which == "x"))
            return known[key]

    class Labels(Formatter):
        def __call__(self, x: float, pos: int | None = None) -> str:
            return tick_labels([x])[0]

        def format_ticks(self, values: Sequence[float]) -> list[str]:
            return tick_labels(values)

    class Between(FixedLocator):
        def __call__(self) -> list[float]:
            low, high = sorted(axis.get_view_interval())
            return minor_log_ticks(low, high) if log and low > 0 else []

    axis.set_major_locator(Readable())
    axis.set_minor_locator(Between([]))
    axis.set_minor_formatter(NullFormatter())
    axis.set_major_formatter(Labels())


def text_width(text: str, size: float) -> float:
    """A generous estimate of a text's width in pixels, the same on every machine."""
    raised = sum(character in "⁰¹²³⁴⁵⁶⁷⁸⁹⁻" for character in text)
    return size * (_CHARACTER * (len(text) - raised) + _SUPERSCRIPT * raised)


def _fit(ticks: Sequence[float], low: float, high: float, room: float, log: bool, across: bool) -> bool:
    """Whether neighbouring labels stay a space apart on an axis `room` pixels long."""
    scale = math.log10 if log else float
    span = scale(high) - scale(low)
    centres = [(scale(x) - scale(low)) / span * room for x in ticks]
    sizes = [text_width(text, FONT_SIZE) if across else 1.2 * FONT_SIZE for text in tick_labels(ticks)]
    gap = (1.1 if across else 0.9) * FONT_SIZE
    pairs = zip(centres, sizes, centres[1:], sizes[1:], strict=False)
    return all(b - a >= (size_a + size_b) / 2 + gap for a, size_a, b, size_b in pairs)


def _first_with_room(candidates: list[list[float]], low: float, high: float, fits: Fits) -> list[float]:
    """The first candidate with three ticks or more that has room, else the most ticks that have room."""
    slack = 1e-9 * min(high - low, abs(low) or math.inf)
    shown = [[x for x in ticks if low - slack <= x <= high + slack] for ticks in candidates]
    roomy = [ticks for ticks in shown if ticks and fits(ticks)]
    return next((ticks for ticks in roomy if len(ticks) >= 3), max(roomy, key=len, default=[low, high]))


def _decades(first: int, last: int, digits: Sequence[int], stride: int = 1) -> list[float]:
    start = first - first % stride
    return [float(f"{digit}e{power}") for power in range(start, last + 1, stride) for digit in digits]


def _steps(low: float, high: float, count: int) -> list[float]:
    """Multiples of the smallest round step that gives at most `count` ticks."""
    power = math.floor(math.log10((high - low) / count))
    for exponent in (power, power + 1):
        for mantissa in _STEPS:
            step = mantissa * 10.0**exponent
            first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
            if last - first + 1 <= count:
                return [float(f"{index * step:.12g}") for index in range(first, last + 1)]
    raise AssertionError("a step of five powers of ten always suffices")


def _outward(x: float, rounding: Callable[[float], int]) -> float:
    """A positive number at two significant digits, rounded down or up."""
    power = math.floor(math.log10(x)) - 1
    return float(f"{rounding(float(f'{x:.12e}') / 10.0**power)}e{power}")


def _power(x: float) -> str:
    if x == 0:
        return "0"
    mantissa, exponent = f"{x:.12e}".split("e")
    digits = mantissa.rstrip("0").rstrip(".")
    power = f"10{superscript(int(exponent))}"
    return _signed(power if digits == "1" else f"{digits}×{power}")


def _suffixed(x: float) -> str:
    scale, suffix = next(((s, name) for s, name in _SUFFIXES if abs(x) >= s * (1 - 1e-12)), (1.0, ""))
    return _signed(f"{x / scale:.12g}{suffix}")


def _places(x: float) -> int:
    """Decimal places needed to print x exactly (to twelve significant digits)."""
    text = f"{x:.12g}"
    return len(text.partition(".")[2]) if "e" not in text else 12


def _signed(text: str) -> str:
    return text.replace("-", "−")
