"""The interactive page, in a real browser: its numbers against numpy, its controls by keyboard, its looks."""

import json
import math

import numpy as np
import pytest
from explorer_case import make_data, rate

from scaling.errors import InputError
from scaling.reporting.document import Report, Section, write
from scaling.sections.explorer import check, explorer, script

ID = "interactive-explorer"


def value(page, role: str) -> float:
    """A number behind the text."""
    return float(page(f"document.querySelector('[data-role={role}]').value"))


def text(page, part: str) -> str:
    return page(f"document.querySelector('[data-part={part}]').innerText").replace("\u00a0", " ")


def change(page, field: str, to: object) -> None:
    page(f"""(() => {{ const control = [...document.querySelectorAll('[data-field="{field}"]')].at(-1);
             control.value = {json.dumps(to)};
             control.dispatchEvent(new Event("input", {{bubbles: true}})) }})()""")
    page.settle()


def choose(page, key: str, choice: str) -> None:
    page(f"""document.querySelector('[data-key="{key}"][value="{choice}"]').click()""")
    page.settle()


def go(page, query: str) -> None:
    page(f"location.hash = '{ID}?{query}'")
    page.settle()


def call(page, function: str, *arguments: object):
    return page(f"exchange.{function}(...{json.dumps(arguments)})")


def test_the_words_carry_the_numbers_and_the_interval_of_the_draws(page):
    surface = make_data()["surfaces"][0]
    draws = [rate(surface, 0.6, p) for p in surface["draws"]]
    change(page, "target", 60)
    change(page, "volume", 3e8)
    assert value(page, "eta") == pytest.approx(rate(surface, 0.6), abs=1e-6)
    assert value(page, "eta-low") == pytest.approx(np.quantile(draws, 0.025), abs=1e-6)
    assert value(page, "eta-high") == pytest.approx(np.quantile(draws, 0.975), abs=1e-6)
    best = call(page, "optimum", surface, 0.6, 3e8, 1.0)
    assert value(page, "share") == pytest.approx(best["share"], abs=1e-9)
    assert value(page, "training") == pytest.approx(10 ** best["u"], rel=1e-9)
    said = text(page, "rate")
    assert "in these draws" in said and "10× inference = 10η" in said
    assert "Status: this run." in said and "Three <i>seeds</i>." in said
    assert "an interior optimum" in text(page, "optimum") and "V* (problems) =" in text(page, "breakeven")


def test_the_keyboard_alone_changes_the_volume_and_what_to_buy(page):
    before, share = text(page, "optimum"), value(page, "share")
    for _ in range(30):
        if page("document.activeElement.dataset?.field") == "volume-log":
            break
        page.press("Tab")
    for _ in range(5):
        page.press("ArrowRight")
    page.settle()
    assert page("document.querySelector('[data-field=volume]').value") == "3.16e8"
    assert text(page, "optimum") != before and value(page, "share") < share
    assert page("getComputedStyle(document.activeElement).outlineStyle") == "solid"
    assert "volume=316000000" in page("location.hash")


def test_method_and_switches_change_the_surface(page):
    first = value(page, "eta")
    choose(page, "train", "total")
    second = value(page, "eta")
    assert "assumes additivity" in text(page, "rate") and second != first
    choose(page, "verifier", "in")
    assert text(page, "rate").endswith("Not measured for this method with these choices.")
    assert page("document.querySelector('[data-part=drawings]').hidden") and text(page, "optimum") == ""
    choose(page, "train", "stage")
    assert value(page, "eta") == pytest.approx(rate(make_data()["surfaces"][2], 0.5), abs=1e-6)
    choose(page, "verifier", "out")
    change(page, "method", "think")
    assert value(page, "eta") == pytest.approx(0.19 / 0.2, abs=1e-9)
    assert "Longer thinking <b>" in text(page, "settings")


def test_an_address_restores_the_view_that_it_was_taken_from(page, url):
    choose(page, "train", "total")
    change(page, "target", 42.5)
    change(page, "volume", 12345678)
    change(page, "price-log", 0.5)
    page("document.querySelector('[data-field=capped]').click()")
    change(page, "cap-log", 3.4)
    change(page, "a", "step 562")
    page.settle()
    parts = ("rate", "optimum", "breakeven", "settings")
    said, address = [text(page, part) for part in parts], page("location.href")
    page.open(address)
    assert [text(page, part) for part in parts] == said
    assert page("document.querySelector('[data-field=volume]').value") == "1.2345678e7"
    page.open(url + "#" + ID + "?method=nonsense&target=-3&volume=x&choice.train=no&cap=-1")
    page.open(url)
    assert value(page, "eta") == pytest.approx(rate(make_data()["surfaces"][0], 0.5), abs=1e-6)


def test_what_is_undefined_or_a_corner_says_so(page):
    change(page, "target", 86.7)
    assert "undefined: above this method's ceiling (86.7 %)" in text(page, "rate")
    assert "Undefined" in text(page, "optimum") and "outside what this method can score" in text(
        page, "breakeven"
    )
    change(page, "target", 2)
    assert "floor" in text(page, "rate")
    change(page, "target", 86.69)
    assert "above what this method reaches in the measured span" in text(page, "rate")
    change(page, "target", 50)
    change(page, "volume", 1e3)
    assert "a corner: all the inference and as little training as the measured span allows" in text(
        page, "optimum"
    )
    change(page, "volume", 1e15)
    assert "a corner: all the training and as little inference" in text(page, "optimum")
    change(page, "b", "step 100000")
    assert "step 100000 reaches the target with less inference than was measured" in text(page, "breakeven")
    page("document.querySelector('[data-field=capped]').click()")
    change(page, "cap-log", 0.1)
    assert "serial tokens" in text(page, "rate") and "undefined" in text(page, "rate")
    change(page, "cap-log", 3.6)
    change(page, "volume", 1e3)
    assert "as the latency cap allows" in text(page, "optimum")


def test_less_than_a_decade_is_no_tenfold_and_a_half_typed_number_changes_nothing(page):
    change(page, "target", 13)
    assert "Less than one decade" in text(page, "rate") and "10×" not in text(page, "rate")
    said = text(page, "rate")
    for wrong in ("", "0", "-5", "100"):
        change(page, "target", 13)
        page("document.querySelector('input[type=number][data-field=target]').focus()")
        page(f"""(() => {{ const c = document.activeElement; c.value = "{wrong}";
                 c.dispatchEvent(new Event("input", {{bubbles: true}})) }})()""")
        assert page("document.activeElement.getAttribute('aria-invalid')") == "true"
        assert text(page, "rate") == said


def test_the_page_asks_for_nothing_and_reports_no_error(page, url):
    choose(page, "train", "total")
    change(page, "method", "oracle")
    asked = [
        e["params"]["request"]["url"] for e in page.events if e.get("method") == "Network.requestWillBeSent"
    ]
    assert asked and {address.partition("#")[0] for address in asked} == {url}
    wrong = ("Runtime.exceptionThrown", "Runtime.consoleAPICalled", "Log.entryAdded")
    assert not [e for e in page.events if e.get("method") in wrong]


VIEWS = (
    "target=50",
    "target=13",
    "method=oracle&target=30&volume=1e5",
    "method=think&target=86",
    "method=beam&volume=1e7",
    "choice.train=total&price=0.01",
)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [320, 380, 700, 1200])
def test_nothing_overflows_or_overlaps_in_light_and_dark_narrow_and_wide(page, width, scheme):
    page.send(
        "Emulation.setDeviceMetricsOverride", width=width, height=800, deviceScaleFactor=1, mobile=False
    )
    page.send("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme}])
    for view in VIEWS:
        go(page, view)
        assert page("document.scrollingElement.scrollWidth <= innerWidth"), view
        boxes = page("""[...document.querySelectorAll('.drawing div > svg')].map((svg) => [svg.getBoundingClientRect(),
            ...[...svg.querySelectorAll('text')].map((t) => t.getBoundingClientRect())].map(
            (b) => [b.left, b.top, b.right, b.bottom]))""")
        assert len(boxes) == 2
        for frame, *texts in boxes:
            assert len(texts) > 6
            for place, (left, top, right, bottom) in enumerate(texts):
                assert left >= frame[0] - 1 and right <= frame[2] + 1 and top >= frame[1] - 3, view
                assert bottom <= frame[3] + 1
                for other in texts[:place]:
                    apart = (
                        left >= other[2]
                        or right <= other[0]
                        or top + 4 >= other[3] - 1
                        or bottom - 1 <= other[1] + 4
                    )
                    assert apart, (view, place)
    ink = page("getComputedStyle(document.querySelector('.tick-x').parentElement).fill")
    assert ink == ("rgb(34, 39, 46)" if scheme == "light" else "rgb(228, 231, 235)")


def test_in_print_the_drawing_and_the_words_stay_and_the_controls_go(page):
    page.send("Emulation.setEmulatedMedia", media="print")
    shown = "(name) => getComputedStyle(document.querySelector(name)).display !== 'none'"
    names = [".controls", ".fallback", ".answers", ".drawing svg"]
    assert page(f"{json.dumps(names)}.map({shown})") == [False, True, True, True]


def test_every_control_has_a_name(page):
    nodes = page.send("Accessibility.getFullAXTree")["nodes"]
    roles = {"combobox", "radio", "slider", "spinbutton", "checkbox", "ComboBox"}
    found = [
        (n["role"]["value"], n["name"]["value"]) for n in nodes if n.get("role", {}).get("value") in roles
    ]
    assert len(found) >= 13 and all(name for _, name in found)


def test_two_explorers_of_one_page_move_apart(page, tmp_path):
    both = (explorer(make_data()), explorer(make_data(), "other"))
    page.open(
        write(Report("Page", "Which?", (Section("A", interactives=both),), {}, {}), tmp_path / "out").as_uri()
    )
    read = "[...document.querySelectorAll('[data-role=eta]')].map((one) => one.value)"
    before = page(read)
    choose(page, "train", "total")
    assert before[0] == before[1] == page(read)[1] != page(read)[0]
    ids = page("[...document.querySelectorAll('[id]')].map((one) => one.id)")
    assert len(ids) == len(set(ids))


def test_without_draws_there_is_no_interval(page, tmp_path):
    report = Report("Page", "Which?", (Section("A", interactives=(explorer(make_data(0)),)),), {}, {})
    page.open(write(report, tmp_path / "out").as_uri())
    assert "(no draws, so no interval)" in text(page, "rate") and "[" not in text(page, "rate")


@pytest.mark.parametrize(("path", "value", "words"), [
    ("train_unit", None, "lacks train_unit"),
    ("surfaces.0.latency", None, r"surfaces\[0\] lacks latency"),
    ("surfaces.1.choice.verifier", None, r"surfaces\[1\].choice lacks verifier"),
    ("surfaces.0.method", "x", "method is 'x', expected one of vote"),
    ("surfaces.0.link", "probit", "expected one of logit, cloglog, linear"),
    ("surfaces.0.ceiling", 0.01, "expected a lower and a higher number"),
    ("surfaces.0.predictor.a", [1.0, math.nan], "expected 2 finite numbers"),
    ("surfaces.5.predictor.b", [1.0, 2.0, 3.0], "predictor.b: expected 4 finite numbers"),
    ("surfaces.0.predictor.d", None, "predictor lacks d"),
    ("surfaces.0.origin", [1.0], "origin: expected 2"),
    ("surfaces.0.knots", [1.0], "knots: expected two or more"),
    ("surfaces.5.knots", [0.0, 1.0, 1.0, 2.0], "knots: expected rising numbers"),
    ("surfaces.2.draws.3.a", [1.0], r"draws\[3\].a: expected 2"),
    ("surfaces.2.draws.3.ceiling", 0.0, r"draws\[3\]: expected a lower and a higher number"),
    ("surfaces.0.support.by_level", [], "by_level: expected a row for each level"),
    ("surfaces.0.support.by_level", [{"u": 1.0, "v": [2.0, 1.0]}], "least is above the most"),
    ("surfaces.0.support.by_level", [{"u": 1.0, "v": [1, 2]}] * 2, "by_level: expected rising numbers"),
    ("surfaces.0.support.u", [3.0, 3.0], "support.u"),
    ("surfaces.0.cells.0.v", None, "lacks v"),
    ("surfaces.1.choice.train", "stage", "two have method and choices"),
    ("surfaces.0.rates", [{"target": 0.5, "v": None}], r"rates\[0\] lacks status, note"),
    ("surfaces.0.rates", [{"target": 0.5, "v": [2.0, 1.0], "status": "", "note": ""}], r"rates\[0\].v: expected a lower"),
    ("surfaces.0.identified", [0.5], "identified: expected 2"),
    ("methods", [], "one or more"),
    ("defaults.method", "none", "defaults.method"),
    ("defaults.target", 1.5, "target in"),
])  # fmt: skip
def test_data_that_cannot_be_drawn_are_refused_and_the_place_is_named(path, value, words):
    data = make_data(5) | {}
    at = data
    *way, last = [int(key) if key.isdigit() else key for key in path.split(".")]
    data["surfaces"] = json.loads(json.dumps(data["surfaces"]))
    for key in way:
        at = at[key]
    if value is None:
        del at[last]
    else:
        at[last] = value
    with pytest.raises(InputError, match=words):
        check(data)


def test_the_script_and_the_contract_travel_with_the_package():
    assert script().count('"use strict"') == 1 and "http" not in script()
    item = explorer(make_data())
    assert "6 fitted surfaces" in item.fallback and "Longer thinking" in item.fallback
