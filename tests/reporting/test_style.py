import itertools

import numpy as np
import pandas as pd
import pytest

from scaling.reporting import style
from scaling.reporting.style import Groups

# Machado, Oliveira & Fernandes 2009, severity 1, on linear RGB
BLINDNESS = {
    "none": np.eye(3),
    "protan": [
        [0.152286, 1.052583, -0.204868],
        [0.114503, 0.786281, 0.099216],
        [-0.003882, -0.048116, 1.051998],
    ],
    "deutan": [
        [0.367322, 0.860646, -0.227968],
        [0.280085, 0.672501, 0.047413],
        [-0.011820, 0.042940, 0.968881],
    ],
    "tritan": [
        [1.255528, -0.076749, -0.178779],
        [-0.078411, 0.930809, 0.147602],
        [0.004733, 0.691367, 0.303900],
    ],
}
XYZ = np.array(
    [[0.4124564, 0.3575761, 0.1804375], [0.2126729, 0.7151522, 0.0721750], [0.0193339, 0.1191920, 0.9503041]]
)
DARK_PAPER = "#15181c"


def linear(colour: str) -> np.ndarray:
    channels = np.array([int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)])
    return np.where(channels <= 0.04045, channels / 12.92, ((channels + 0.055) / 1.055) ** 2.4)


def contrast(one: str, other: str) -> float:
    """WCAG 2 contrast ratio."""
    dim, bright = sorted(float(XYZ[1] @ linear(colour)) for colour in (one, other))
    return (bright + 0.05) / (dim + 0.05)


def lab(rgb: np.ndarray) -> np.ndarray:
    xyz = XYZ @ np.clip(rgb, 0, 1) / np.array([0.95047, 1, 1.08883])
    f = np.where(xyz > 0.008856, np.cbrt(xyz), 7.787 * xyz + 16 / 116)
    return np.array([116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])])


@pytest.mark.parametrize("paper", [style.PAPER, DARK_PAPER])
def test_every_series_colour_reads_on_light_and_dark_paper(paper):
    levels = pd.DataFrame({"level": range(9)})
    ordered = [colour for _, colour, _, _ in Groups.of(levels, "level").parts(levels)]
    assert len(set(ordered)) == 9
    assert all(contrast(colour, paper) >= 3 for colour in [*style.CATEGORICAL, *ordered])


@pytest.mark.parametrize("kind", BLINDNESS)
def test_unordered_colours_stay_apart_under_each_colour_blindness(kind):
    seen = [lab(np.array(BLINDNESS[kind]) @ linear(colour)) for colour in style.CATEGORICAL]
    assert min(np.linalg.norm(a - b) for a, b in itertools.combinations(seen, 2)) > 20


def test_ink_reads_as_text():
    assert contrast(style.INK, style.PAPER) >= 7 and contrast(style.MUTED, style.PAPER) >= 4.5


def test_numbers_are_ordered_and_names_keep_their_order():
    frame = pd.DataFrame({"C": [1e13, 1e12, 1e13], "law": ["b", "a", "b"]})
    assert Groups.of(frame, "C").levels == (1e12, 1e13) and Groups.of(frame, "C").ordered
    by_law = Groups.of(frame, "law", name=str.upper)
    assert by_law.levels == ("b", "a") and by_law.names == ("B", "A") and not by_law.ordered


def test_a_level_looks_the_same_in_every_layer():
    frame = pd.DataFrame({"law": ["a", "b", "c"]})
    groups = Groups.of(frame, "law")
    whole = {name: look for _, *look, name in groups.parts(frame)}
    part = {name: look for _, *look, name in groups.parts(frame[frame.law != "a"])}
    assert part == {name: whole[name] for name in "bc"}
    assert len({tuple(look) for look in whole.values()}) == 3


def test_a_drawing_without_data_says_so():
    assert "No rows to show" in style.draw_svg(lambda axes: None, "x")


def test_drawing_leaves_matplotlibs_settings_alone():
    import matplotlib as mpl

    before = dict(mpl.rcParams)
    style.draw_svg(lambda axes: axes.plot([1, 2]), "x")
    assert dict(mpl.rcParams) == before
