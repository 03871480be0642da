import csv
import json
import os
import re
import subprocess
import sys
from dataclasses import replace
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path
from xml.etree import ElementTree

import pandas as pd
import pytest

from scaling.errors import InputError
from scaling.reporting.document import Figure, Section, Table, Verdict, write

VOID = {"meta", "link", "br", "img", "hr", "input"}


class Page(HTMLParser):
    """Tags with attributes in order, and the text; fails on a tag that closes another."""

    def __init__(self, html: str):
        super().__init__()
        self.tags, self.text, self.open = [], "", []
        self.feed(html)
        assert not self.open

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text += data if self.open[-1:] != ["style"] else ""


@pytest.fixture(scope="module")
def folder(report, tmp_path_factory) -> Path:
    return write(report, tmp_path_factory.mktemp("report") / "out").parent


@pytest.fixture(scope="module")
def page(folder) -> Page:
    return Page((folder / "index.html").read_text())


def read_all(folder: Path) -> dict[str, bytes]:
    return {str(p.relative_to(folder)): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()}


def test_the_folder_holds_exactly_the_files_that_it_lists(folder):
    assert set(read_all(folder)) == {
        "index.html", "index.md", "results.json", "figures/curves.svg", "figures/forest.svg",
        "tables/curves.csv", "tables/fits.csv", "tables/forest.csv",
    }  # fmt: skip
    assert json.loads((folder / "results.json").read_text())["files"] == sorted(read_all(folder))


def test_ids_are_unique_and_every_reference_leads_somewhere(page, folder):
    ids = [attrs["id"] for _, attrs in page.tags if "id" in attrs]
    assert len(ids) == len(set(ids)) > 10
    text = (folder / "index.html").read_text()
    for target in re.findall(r'(?:href="|url\()#([^")]+)', text):
        assert target in ids
    files = [a["href"] for tag, a in page.tags if tag == "a" and not a["href"].startswith("#")]
    assert len(files) > 3
    assert all((folder / file).is_file() for file in files)


def test_the_page_needs_nothing_from_elsewhere(page, folder):
    text = (folder / "index.html").read_text()
    assert "http" not in text and "@import" not in text and "<script" not in text
    assert not [tag for tag, attrs in page.tags if "src" in attrs or tag in ("link", "script", "img")]


def test_a_verdict_of_its_section_alone_is_not_on_top(report, tmp_path):
    verdicts = (Verdict("On top too.", "measured"), Verdict("Of the section.", "measured", on_top=False))
    written = write(replace(report, sections=(Section("One", verdicts=verdicts),)), tmp_path / "own").parent
    assert Page((written / "index.html").read_text()).text.count("On top too.") == 2
    for name in ("index.html", "index.md"):
        text = (written / name).read_text()
        assert text.count("Of the section.") == 1
    assert [one["text"] for one in json.loads((written / "results.json").read_text())["verdicts"]] == [
        "On top too."
    ]


def test_headings_descend_one_step_at_a_time_and_verdicts_stand_before_the_first_section(page):
    levels = [int(tag[1]) for tag, _ in page.tags if re.fullmatch("h[1-6]", tag)]
    assert levels[0] == 1 and levels.count(1) == 1
    assert all(b - a <= 1 for a, b in pairwise(levels))
    order = [
        page.text.index(part) for part in ("Does N grow", "It does: a = 0.514", "No floor.", "A paragraph")
    ]
    assert order == sorted(order)


def test_every_drawing_has_a_role_and_a_text_for_those_who_cannot_see_it(page):
    drawings = [attrs for tag, attrs in page.tags if tag == "svg"]
    assert [attrs["aria-label"] for attrs in drawings] == ['Two falling "curves"'] * 2 + ["Two rows"] * 2
    assert {attrs["role"] for attrs in drawings} == {"img"}
    assert [attrs["class"] for attrs in drawings] == ["plot wide", "plot narrow"] * 2
    cells = [attrs for tag, attrs in page.tags if tag == "th"]
    assert all(attrs["scope"] == "col" for attrs in cells)


def test_what_the_prose_says_is_never_taken_for_html(page):
    assert (
        "<script>alert(1)</script>" in page.text and "Compute & <data>" in page.text and "a <b>" in page.text
    )
    tags = [tag for tag, _ in page.tags]
    assert {"ul", "pre", "code", "strong", "em"} <= set(tags)


def test_light_and_dark_come_from_variables_and_files_stand_on_white(folder):
    drawings = re.findall(r"<svg.*?</svg>", (folder / "index.html").read_text(), re.DOTALL)
    for drawing in drawings:
        assert "var(--ink)" in drawing and "var(--paper)" in drawing
        assert not re.search("#ffffff|#22272e|#5b6571|#dfe3e8", drawing)
    for path in (folder / "figures").iterdir():
        root = ElementTree.fromstring(path.read_text())
        assert root.attrib["width"] == "680" and "var(" not in path.read_text()
        first = next(element for element in root.iter() if element.tag.endswith("path"))
        assert first.attrib["style"] == "fill: #ffffff"


def test_the_markdown_twin_shows_the_same_and_links_files_that_exist(folder):
    text = (folder / "index.md").read_text()
    links = re.findall(r"\]\(([^)]+)\)", text)
    assert {"figures/curves.svg", "tables/fits.csv"} <= set(links)
    assert all((folder / link).is_file() for link in links)
    assert r"| b\|c | not identified |" in text and r"| a \<b> | 0.514 [0.475, 0.553] |" in text
    assert "&lt;script>" in text and r"\$1" in text and "`a < b`" in text


def test_results_come_back_as_they_were_with_null_for_what_is_not_finite(folder, report):
    text = (folder / "results.json").read_text()
    document = json.loads(text)
    assert document["results"]["exponent"] == {"value": 0.1 + 0.2, "low": None, "high": None}
    assert document["results"]["counts"] == report.results["counts"].tolist()
    assert document["verdicts"][1] == {"text": "No floor.", "status": "not identified"}
    assert text == json.dumps(document, sort_keys=True, indent=2, ensure_ascii=False) + "\n"


def test_tables_carry_every_digit(folder, report):
    rows = list(csv.reader((folder / "tables/curves.csv").read_text().splitlines()))
    frame = report.sections[0].figures[0].data
    assert rows[0] == list(frame.columns)
    assert [[float(cell) for cell in row] for row in rows[1:]] == frame.to_numpy().tolist()


def test_a_long_table_is_cut_on_the_page_and_whole_in_its_csv(report, tmp_path):
    frame = pd.DataFrame({"row": range(50), "ok": [True] * 50, "count": [12345] * 50})
    section = Section("Rows", tables=(Table("rows", "Rows.", frame, headings={"row": "Row"}, rows_shown=3),))
    page = Page(write(replace(report, sections=(section,)), tmp_path / "out").read_text())
    assert sum(tag == "tr" for tag, _ in page.tags) == 4
    assert "First 3 of 50 rows." in page.text and "12\u202f345" in page.text and "yes" in page.text
    assert len((tmp_path / "out/tables/rows.csv").read_text().splitlines()) == 51
    assert "47 more rows" in (tmp_path / "out/index.md").read_text()


def test_a_table_of_contents_appears_once_it_helps(report, page, tmp_path):
    assert "nav" not in [tag for tag, _ in page.tags]
    sections = tuple(Section(f"Part {number}") for number in range(4))
    long = Page(write(replace(report, sections=sections), tmp_path / "out").read_text())
    anchors = [attrs["href"] for tag, attrs in long.tags if tag == "a" and attrs["href"].startswith("#")]
    assert anchors == ["#section-1", "#section-2", "#section-3", "#section-4", "#provenance"]


BUILD = """
import sys; sys.path.insert(0, sys.argv[1])
from conftest import make_report
from scaling.reporting.document import write
write(make_report(), sys.argv[2])
"""


@pytest.mark.parametrize(
    ("zone", "locale", "seed"), [("Asia/Tokyo", "C", "1"), ("America/Lima", "de_DE.UTF-8", "77")]
)
def test_the_bytes_do_not_depend_on_folder_zone_locale_or_hash_seed(zone, locale, seed, folder, tmp_path):
    (tmp_path / "matplotlibrc").write_text("axes.grid: False\nfont.size: 30\nlines.linewidth: 9\n")
    environment = os.environ | {"TZ": zone, "LC_ALL": locale, "PYTHONHASHSEED": seed, "PYTHONUTF8": "0"}
    command = [sys.executable, "-c", BUILD, str(Path(__file__).parent), "here/report"]
    done = subprocess.run(command, check=False, cwd=tmp_path, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert read_all(tmp_path / "here/report") == read_all(folder)


def test_importing_the_room_stays_cheap():
    code = (
        "import sys, scaling.reporting.document, scaling.reporting.plots, scaling.reporting.numbers;"
        "print(sorted({'matplotlib', 'jinja2', 'pandas'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


@pytest.mark.parametrize("name", ["Bad Name", "../up", "", "a/b", "1st"])
def test_a_name_that_is_no_file_name_is_refused(report, name):
    figure = Figure(name, "", lambda axes: None, pd.DataFrame(), "")
    with pytest.raises(InputError, match="use lower-case letters"):
        replace(report, sections=(Section("One", figures=(figure,)),))


def test_a_name_used_twice_is_refused(report):
    with pytest.raises(InputError, match="'curves' occurs twice"):
        replace(report, sections=(report.sections[0], report.sections[0]))
