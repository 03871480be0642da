"""What becomes of matplotlib's drawings: nothing that they refer to is lost, and colours follow the page."""

import re
from typing import Any

import pandas as pd
import pytest

from scaling.reporting import plots, style, svg


def drawn() -> str:
    """Return a map whose ground is hatched where no value is."""
    frame = pd.DataFrame(
        [(x, y, x * y if x + y < 5 else None) for x in range(1, 5) for y in range(1, 5)],
        columns=["x", "y", "z"],
    )

    def draw(axes: Any) -> None:
        plots.hatched(axes)
        plots.contours(axes, frame, "x", "y", "z", label="z")

    return style.draw_svg(draw, "salt")


@pytest.mark.parametrize(
    "page", [svg.inline(drawn(), "abcdef", "a map", "wide"), svg.standalone(drawn(), "map", "a map")]
)
def test_hatching_and_clips_are_found_where_they_are_named(page: str) -> None:
    named = set(re.findall(r"url\(#([^)]+)\)", page)) | set(re.findall(r'href="#([^"]+)"', page))
    there = re.findall(r' id="([^"]+)"', page)
    assert named == set(there)
    assert len(there) == len(set(there))
    assert re.search(r"fill: url\(#", page), "the ground is hatched"
    assert "<pattern" in page


def test_a_hatching_in_a_page_has_the_page_s_paper() -> None:
    page = svg.inline(drawn(), "map", "a map", "wide")
    pattern = re.search("<pattern.*</pattern>", page, re.DOTALL)
    assert pattern
    assert "fill: var(--paper)" in pattern[0]
    assert "#" not in pattern[0].partition(">")[2], "a colour of its own"
