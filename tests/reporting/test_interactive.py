import json
import re
from dataclasses import replace
from html.parser import HTMLParser

import numpy as np
import pytest

from scaling.errors import InputError
from scaling.reporting import page
from scaling.reporting.document import Interactive, Section, write

SCRIPT = 'document.querySelectorAll(`[data-script="${document.currentScript.dataset.script}"]`);'
HOSTILE = {
    "text": "</script><script>alert(1)</script><!-- <script>",
    "é": [1.5, np.float64(0.1), float("nan")],
}


class Scripts(HTMLParser):
    """The attributes and texts of the script elements, as a browser ends them."""

    def __init__(self, html: str):
        super().__init__()
        self.found, self.inside = [], False
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        self.inside = tag == "script"
        if self.inside:
            self.found.append([dict(attrs), ""])

    def handle_endtag(self, tag):
        self.inside = False

    def handle_data(self, data):
        if self.inside:
            self.found[-1][1] += data


def item(name: str, script: str = SCRIPT, **fields) -> Interactive:
    return Interactive(
        name, "Move *it* & see.", script, fields or HOSTILE, 'A "moving" picture', "What it <shows>: `x`."
    )


@pytest.fixture(scope="module")
def moving(report):
    items = (item("one"), item("two", a=1), item("three", "other()", a=2))
    return replace(report, sections=(*report.sections, Section("Explore", interactives=items)))


@pytest.fixture(scope="module")
def texts(moving) -> dict[str, str]:
    return page.files(moving)


def test_data_come_back_whole_and_nothing_in_them_leaves_their_element(texts):
    data = [(attrs, text) for attrs, text in Scripts(texts["index.html"]).found if "type" in attrs]
    assert [attrs["id"] for attrs, _ in data] == ["data-one", "data-two", "data-three"]
    assert {attrs["type"] for attrs, _ in data} == {"application/json"}
    assert json.loads(data[0][1]) == {"text": HOSTILE["text"], "é": [1.5, 0.1, None]}
    assert not any("<" in text for _, text in data)
    assert json.loads(texts["tables/one.json"]) == json.loads(data[0][1])


def test_each_script_stands_once_after_what_it_fills(texts):
    html = texts["index.html"]
    run = [(attrs, text.strip()) for attrs, text in Scripts(html).found if "type" not in attrs]
    assert run == [({"data-script": "1"}, SCRIPT), ({"data-script": "2"}, "other()")]
    assert re.findall(r'id="interactive-(\w+)" data-script="(\d)"', html) == [
        ("one", "1"),
        ("two", "1"),
        ("three", "2"),
    ]
    assert html.rindex('class="interactive"') < html.index('<script data-script="1">')


def test_without_a_script_the_words_are_there_in_the_page_and_in_markdown(texts):
    assert (
        texts["index.html"].count('<div class="fallback"><p>What it &lt;shows&gt;: <code>x</code>.</p></div>')
        == 3
    )
    assert 'aria-label="A &#34;moving&#34; picture"' in texts["index.html"]
    assert (
        "**Interactive 2.** Move *it* &amp; see. ([data](tables/two.json))\n\nWhat it &lt;shows>"
        in texts["index.md"]
    )


def test_a_report_without_any_has_no_script_no_style_of_theirs_and_the_numbers_of_before(report, texts):
    plain = page.files(report)
    assert "<script" not in plain["index.html"] and ".interactive" not in plain["index.html"]
    same = [name for name in plain if name.startswith(("figures", "tables"))]
    assert all(plain[name] == texts[name] for name in same)


def test_the_files_are_listed_equal_each_time_and_go_with_the_report(moving, report, texts, tmp_path):
    folder = write(moving, tmp_path / "out").parent
    assert {"tables/one.json"} <= set(json.loads((folder / "results.json").read_text())["files"])
    assert page.files(moving) == texts
    assert (folder / "tables/three.json").is_file()
    write(report, folder)
    assert [p.name for p in folder.rglob("*.json")] == ["results.json"]


@pytest.mark.parametrize("script", ["x = '</script>'", "x = '</SCRIPT '", "// <!-- x", "'<script>'"])
def test_a_script_that_would_end_its_element_is_refused(report, script):
    with pytest.raises(InputError, match="the script of 'one' holds"):
        page.files(replace(report, sections=(Section("A", interactives=(item("one", script),)),)))


def test_names_are_shared_with_figures_and_tables(report):
    with pytest.raises(InputError, match="'curves' occurs twice"):
        replace(report, sections=(*report.sections, Section("A", interactives=(item("curves"),))))
    with pytest.raises(InputError, match="use lower-case letters"):
        replace(report, sections=(Section("A", interactives=(item("A b"),)),))
