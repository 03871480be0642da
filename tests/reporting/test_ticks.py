import itertools
import math

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from matplotlib.figure import Figure

from scaling.reporting import ticks

LABELS = [
    ([2e4, 5e4, 1e5], ["20k", "50k", "100k"]),
    ([1e12, 1e13, 1e14], ["10¹²", "10¹³", "10¹⁴"]),
    ([2e12, 5e12, 1e13], ["2×10¹²", "5×10¹²", "10¹³"]),
    ([3.2, 3.25, 3.3], ["3.20", "3.25", "3.30"]),
    ([0.1, 1, 10, 100], ["0.1", "1", "10", "100"]),
    ([-0.02, 0, 0.02], ["−0.02", "0.00", "0.02"]),
    ([0, 5e4, 1e5], ["0", "50k", "100k"]),
    ([1e-4, 1e-3, 1e-2], ["10⁻⁴", "10⁻³", "10⁻²"]),
    ([0], ["0"]),
]  # fmt: skip


def eight(values):
    return len(values) <= 8


@pytest.mark.parametrize(("values", "labels"), LABELS)
def test_labels_of_one_axis_share_a_notation(values, labels):
    assert ticks.tick_labels(values) == labels


@given(st.floats(-11, 24), st.floats(0.01, 14))
@example(math.log10(15_000), math.log10(19 / 15))
@example(12.0, 1.0)
@example(13.0, 11.0)
def test_a_log_axis_of_any_span_has_three_to_eight_distinct_ticks_inside_it(start, decades):
    low, high = 10**start, 10 ** (start + decades)
    shown = ticks.log_ticks(low, high, eight)
    assert 3 <= len(shown) <= 8
    assert all(low * (1 - 1e-9) <= x <= high * (1 + 1e-9) for x in shown)
    assert shown == sorted(shown)
    assert len(set(ticks.tick_labels(shown))) == len(shown)


@given(st.floats(-1e6, 1e6), st.floats(1e-3, 1e6))
def test_a_linear_axis_has_three_to_eight_evenly_spaced_ticks_inside_it(low, width):
    shown = ticks.linear_ticks(low, low + width, eight)
    assert 3 <= len(shown) <= 8
    steps = [b - a for a, b in itertools.pairwise(shown)]
    assert max(steps) - min(steps) <= 1e-6 * width
    assert len(set(ticks.tick_labels(shown))) == len(shown)


@pytest.mark.parametrize("log", [True, False])
@pytest.mark.parametrize("width", [400, 680])
@pytest.mark.parametrize(
    "limits", [(1e4, 1e6), (1.1e6, 1.45e6), (1e12, 1e20), (0.0015, 0.006), (2.1, 3.4), (9e11, 2e13)]
)
def test_drawn_labels_never_touch(limits, width, log):
    figure = Figure(figsize=(width / 72, 300 / 72), dpi=72)
    axes = figure.add_subplot()
    axes.tick_params(labelsize=ticks.FONT_SIZE)
    for which in "xy":
        ticks.apply(axes, which, log)
    axes.set(xlim=limits, ylim=limits)
    figure.draw_without_rendering()
    boxes = [label.get_window_extent() for label in axes.get_xticklabels() if label.get_text()]
    assert len(boxes) >= 3
    assert all(b.x0 - a.x1 > 5 for a, b in itertools.pairwise(boxes))
    heights = [label.get_window_extent() for label in axes.get_yticklabels() if label.get_text()]
    assert len(heights) >= 3
    assert all(b.y0 - a.y1 > 2 for a, b in itertools.pairwise(heights))
    assert not any(label.get_text() for label in axes.get_xticklabels(minor=True))


@given(st.floats(-6, 6), st.floats(0.001, 8), st.booleans())
def test_contour_levels_cover_the_heights_and_are_not_too_many(start, decades, log):
    low, high = 10**start, 10 ** (start + decades)
    levels = ticks.levels(low, high, log)
    assert levels[0] <= low * (1 + 1e-9) and high * (1 - 1e-9) <= levels[-1]
    assert 7 <= len(levels) <= 15
    assert all(b > a for a, b in itertools.pairwise(levels))


def test_a_flat_surface_still_has_levels_about_it():
    assert ticks.levels(2.0, 2.0, log=True) == [1.5, 2.5]
