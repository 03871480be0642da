import itertools
import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from matplotlib.figure import Figure

from scaling.reporting import plots, style
from scaling.reporting.style import Groups

RUNS = pd.DataFrame({
    "C": [1e12, 1e13, 1e12, 1e13], "N": [4e4, 2e5, 1e4, math.nan], "loss": [2.4, 2.1, 2.5, 2.0],
    "low": [2.3, 2.0, 2.4, 1.9], "high": [2.5, 2.2, 2.6, 2.1],
})  # fmt: skip


@pytest.fixture
def axes():
    return Figure(figsize=(style.WIDTH / 72, style.HEIGHT / 72), dpi=72).add_subplot()


def drawn(axes) -> dict[str, list]:
    """The x-y data of each named line."""
    return {line.get_label(): line.get_xydata().tolist() for line in axes.lines}


def test_points_are_the_rows_that_have_both_values_in_their_groups(axes):
    plots.points(
        axes, RUNS, "N", "loss", low="low", high="high", groups=Groups.of(RUNS, "C", name="{:.0e}".format)
    )
    assert drawn(axes) == {"1e+12": [[4e4, 2.4], [1e4, 2.5]], "1e+13": [[2e5, 2.1]]}
    bars = [segment.tolist() for bars in axes.collections for segment in bars.get_segments()]
    assert [[4e4, 2.3], [4e4, 2.5]] in bars and len(bars) == 3


def test_curves_run_from_left_to_right_inside_their_band(axes):
    plots.curves(axes, RUNS, "N", "loss", low="low", high="high", label="fit")
    assert drawn(axes) == {"fit": [[1e4, 2.5], [4e4, 2.4], [2e5, 2.1]]}
    band = axes.collections[0].get_paths()[0].vertices
    assert band[:, 1].min() == 2.0 and band[:, 1].max() == 2.6


def test_optima_have_bars_across(axes):
    frame = pd.DataFrame({"N": [100.0], "loss": [2.0], "low": [90.0], "high": [115.0]})
    plots.optima(axes, frame, "N", "loss", low="low", high="high")
    assert drawn(axes) == {"Optimum": [[100, 2]]}
    assert axes.collections[0].get_segments()[0].tolist() == [[90, 2], [115, 2]]


def test_residuals_lie_about_zero_with_their_root_mean_square(axes):
    frame = pd.DataFrame({"D": [1.0, 2.0], "residual": [0.03, -0.04]})
    plots.residuals(axes, frame, "D", "residual")
    low, high = axes.get_ylim()
    assert low == -high and high > 0.04
    band = next(patch for patch in axes.patches if "root mean square" in patch.get_label())
    assert band.get_height() / 2 == pytest.approx(math.sqrt(np.mean([0.03**2, 0.04**2])))


def test_a_forest_prints_each_estimate_and_points_to_infinite_ends(axes):
    frame = pd.DataFrame({"name": ["one", "two", "three"], "value": [0.5, math.nan, 0.6],
                          "low": [0.4, math.nan, 0.5], "high": [0.61, math.nan, math.inf]})  # fmt: skip
    plots.forest(axes, frame, "name", "value", "low", "high", references={"Equal": 0.55})
    assert [text.get_text() for text in axes.texts] == [
        "0.50 [0.40, 0.61]",
        "not identified",
        "0.60 [0.50, ∞)",
    ]
    assert [label.get_text() for label in axes.get_yticklabels()] == ["one", "two", "three"]
    assert axes.get_ylim()[0] > axes.get_ylim()[1]
    assert [line.get_marker() for line in axes.lines].count(">") == 1
    assert drawn(axes)["Equal"] == [[0.55, 0], [0.55, 1]]


def test_contours_cover_the_grid_from_lowest_to_highest(axes):
    x, y = np.meshgrid([1.0, 2.0, 3.0], [10.0, 20.0])
    frame = pd.DataFrame({"x": x.ravel(), "y": y.ravel(), "z": (x + y).ravel()})
    plots.contours(axes, frame, "x", "y", "z", label="Height")
    filled = axes.collections[0]
    assert filled.levels[0] <= 11 and filled.levels[-1] >= 23
    assert axes.get_xlim() == (1, 3) and axes.get_ylim() == (10, 20)
    assert axes.get_title("right") == "Colour: Height"


def test_references_and_regions_are_named(axes):
    plots.reference(axes, "floor", y=1.4)
    plots.reference(axes, "budget", x=3.0)
    plots.region(axes, "fitted", 1.0, 2.0)
    plots.legend(axes, title="Lines")
    legend = axes.figure.legends[0]
    assert {text.get_text() for text in legend.get_texts()} == {"floor", "budget", "fitted"}
    assert drawn(axes) == {"floor": [[0, 1.4], [1, 1.4]], "budget": [[3, 0], [3, 1]]}


def test_layers_of_one_name_share_an_entry_and_the_legend_stays_outside_the_axes():
    def draw(axes):
        groups = Groups.of(RUNS, "C", name="budget {:.0e} of a long name".format)
        plots.curves(axes, RUNS, "N", "loss", groups=groups)
        plots.points(axes, RUNS, "N", "loss", groups=groups)
        plots.legend(axes)
        axes.figure.draw_without_rendering()
        (legend,) = axes.figure.legends
        assert len(legend.get_texts()) == 2
        box = legend.get_window_extent()
        assert box.y0 > axes.get_window_extent().y1 and box.x1 <= axes.figure.bbox.width

    for width in (style.WIDTH, style.NARROW):
        style.draw_svg(draw, "x", width)


def test_a_legend_is_read_along_its_rows(axes):
    names = [f"entry {index} with a long name" for index in range(5)]
    for name in names:
        axes.plot([1, 2], label=name)
    plots.legend(axes)
    legend = axes.figure.legends[0]
    axes.figure.draw_without_rendering()
    places = {text.get_text(): text.get_window_extent() for text in legend.get_texts()}
    assert sorted(names, key=lambda name: (-round(places[name].y0), places[name].x0)) == names


def test_ends_are_named_without_touching_even_where_lines_meet():
    def draw(axes):
        frame = pd.DataFrame(
            {"run": list("abcd") * 2, "x": [1.0] * 4 + [2.0] * 4, "y": [1, 2, 3, 4, 2.5, 2.5, 2.51, 2.49]}
        )
        plots.scales(axes, "x", "y", log="xy")
        plots.curves(axes, frame, "x", "y", groups=Groups.of(frame, "run"))
        plots.reference(axes, "floor", y=2.5)
        plots.name_ends(axes)
        axes.figure.draw_without_rendering()
        boxes = sorted((text.get_window_extent() for text in axes.texts), key=lambda box: box.y0)
        assert len(boxes) == 5
        assert all(above.y0 >= below.y1 - 1 for below, above in itertools.pairwise(boxes))
        assert all(box.x0 > axes.get_window_extent().x1 for box in boxes)
        assert max(box.x1 for box in boxes) <= axes.figure.bbox.width

    style.draw_svg(draw, "x")


@given(st.lists(st.floats(0, 1), min_size=1, max_size=9), st.floats(0.01, 0.1))
def test_spread_heights_keep_their_order_and_their_distance(heights, gap):
    moved = plots._spread(sorted(heights), gap)
    assert all(b - a >= gap - 1e-9 for a, b in itertools.pairwise(moved))
    assert min(moved) >= 0 and max(moved) <= 1 + 1e-9


def test_heights_with_room_stay_and_touching_ones_part_evenly():
    assert plots._spread([0.1, 0.5, 0.9], 0.05) == pytest.approx([0.1, 0.5, 0.9])
    assert plots._spread([0.1, 0.5, 0.5], 0.05) == pytest.approx([0.1, 0.475, 0.525])
    assert plots._spread([0.99, 1.0], 0.05) == pytest.approx([0.95, 1.0])


def test_rows_that_a_log_axis_cannot_show_are_left_out(axes):
    plots.scales(axes, "x", "y", log="x")
    plots.points(axes, pd.DataFrame({"x": [0.0, -1.0, 5.0], "y": [1.0, 2.0, -3.0]}), "x", "y", label="rows")
    assert drawn(axes) == {"rows": [[5, -3]]}


def test_empty_frames_draw_nothing_and_break_nothing(axes):
    empty = RUNS.iloc[:0]
    plots.points(axes, empty, "N", "loss", low="low", high="high", groups=Groups.of(empty, "C"))
    plots.curves(axes, empty, "N", "loss")
    plots.residuals(axes, empty, "N", "loss")
    plots.forest(axes, empty.assign(name="x"), "name", "loss", "low", "high")
    plots.contours(axes, empty, "C", "N", "loss", label="Loss")
    plots.legend(axes)
    plots.name_ends(axes)
    assert all("unnamed" not in str(line.get_label()) for line in axes.lines)
