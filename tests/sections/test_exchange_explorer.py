"""From a table to the page: measured rates, their data, and what a browser shows."""

import json

import numpy as np
import pandas as pd
import pytest

from scaling.errors import InputError
from scaling.exchange import Ledger, exchange_rate
from scaling.exchange.purchase import purchase
from scaling.reporting.document import Report, Section, write
from scaling.sections.exchange_explorer import explorer_data
from scaling.sections.explorer import explorer

AT = (0.35, 0.45, 0.55)
ASKED = {
    "train_unit": "FLOP",
    "infer_unit": "FLOP per problem",
    "target": 0.45,
    "volume": 1e9,
    "price_ratio": 1.0,
}


def grid(method: str, gain: float, before: float = 2e18) -> pd.DataFrame:
    """Five levels of two runs, after as much training before; six budgets that grow with the level."""
    noise = np.random.default_rng(len(method))
    rows = []
    for level, u in enumerate(np.linspace(18.0, 20.0, 5)):
        for seed in range(2):
            luck = 0.03 * noise.standard_normal()
            for budget, v in enumerate(np.linspace(9.0, 11.0, 6) + 0.1 * level):
                x = 0.9 * (u - 19) + gain * (v - 10) - 0.15 * (v - 10) ** 2 + luck
                score = noise.binomial(400, 0.9 / (1 + np.exp(-x))) / 400
                rows.append((method, 10**u, before, 10**v, seed, budget, score, 10 ** (0.4 * v - 1), 400))
    names = ["method", "train_flops", "pretrain_flops", "infer_flops_per_problem", "seed", "budget", "score"]
    return pd.DataFrame(rows, columns=[*names, "tokens", "n_problems"])


@pytest.fixture(scope="module")
def found():
    """Two methods under two conventions."""
    frame = pd.concat([grid("vote", 0.8), grid("think", 0.5)], ignore_index=True)
    return [
        exchange_rate(frame, at=AT, method=method, ledger=Ledger(train=train), bootstrap=150)
        for method in ("vote", "think")
        for train in ("stage", "total")
    ]


@pytest.fixture(scope="module")
def data(found):
    return explorer_data(found, labels={"vote": "Majority of k"}, **ASKED)


def test_the_data_hold_methods_switches_that_differ_and_each_surface(found, data):
    assert data["methods"] == [{"key": "vote", "label": "Majority of k"}, {"key": "think", "label": "think"}]
    assert [one["key"] for one in data["switches"]] == ["train"]
    assert [c["label"] for c in data["switches"][0]["choices"]] == [
        "this stage alone",
        "with all training before it",
    ]
    for one, surface in zip(found, data["surfaces"], strict=True):
        assert surface["choice"] == {"train": one.ledger.train} and surface["method"] == one.method
        assert len(surface["draws"]) == 100 and len(surface["levels"]) == 5 and len(surface["cells"]) == 30
        assert surface["latency"] == pytest.approx(one.latency) and surface["status"] == one.rate(0.45).status
        if one.ledger.train == "stage":
            assert [level["label"] for level in surface["levels"]][:2] == ["1e18 FLOP", "3.16e18 FLOP"]
        rows = surface["support"]["by_level"]
        assert rows[0]["v"] == pytest.approx([9.0, 11.0]) and rows[-1]["v"] == pytest.approx([9.4, 11.4])
    alone = explorer_data(found[:1], **ASKED)
    assert alone["switches"] == [] and alone["surfaces"][0]["choice"] == {}


def test_a_draws_rate_in_the_data_is_the_surfaces(found, data):
    one, surface = found[0], data["surfaces"][0]
    span, knots = one.rate(0.45).span, np.array(surface["knots"])
    taken = np.linspace(0, 149, 100).round().astype(int)
    expected = one.draws.rate(0.45, span.low, span.high)[taken]
    for p, rate in zip(surface["draws"], expected, strict=True):
        share = (0.45 - p["floor"]) / (p["ceiling"] - p["floor"])
        g = np.log(share / (1 - share))
        at = np.array([span.low, span.high]) - surface["origin"][1]
        a, b = np.interp(at, knots, p["a"]), np.interp(at, knots, p["b"])
        u = 2 * (g - a) / (b + np.sqrt(b**2 + 4 * p["d"] * (g - a)))
        assert (u[0] - u[1]) / (at[1] - at[0]) == pytest.approx(rate, abs=1e-5)


def test_the_page_says_the_rates_that_were_measured(found, data, chromium, tmp_path):
    page = chromium
    report = Report("Page", "Which?", (Section("A", interactives=(explorer(data),)),), {}, {})
    address = write(report, tmp_path / "out").as_uri()
    page.send("Emulation.clearDeviceMetricsOverride")
    for one in found:
        for y in AT:
            page.open(
                f"{address}#interactive-explorer?method={one.method}&choice.train={one.ledger.train}&target={100 * y:g}"
            )
            eta = one.rate(y).eta.value
            role = "document.querySelector('[data-role=eta]')"
            said, value = page(f"{role}.innerText"), float(page(f"{role}.value"))
            assert said == f"{eta:.{len(said.partition('.')[2])}f}" and "." in said
            assert value == pytest.approx(eta, abs=1e-9)
            best = purchase(one, y, 1e9)
            share = float(page("document.querySelector('[data-role=share]').value"))
            # the page's isoquant is a chain of chords, whose cheapest point is mostly one of their ends
            assert share == pytest.approx(best.train_share.value, abs=6e-3)
            words = page("document.querySelector('[data-part=rate]').innerText")
            assert f"Status: {one.rate(y).status}." in words


def test_where_the_design_cannot_tell_the_rate_the_page_gives_none(chromium, tmp_path):
    one = exchange_rate(grid("vote", 0.8), at=[0.45], bootstrap=20)
    low, high = explorer_data([one], **ASKED)["surfaces"][0]["identified"]
    short = exchange_rate(grid("vote", 0.8, 2e19), at=[0.45], ledger=Ledger(train="total"), bootstrap=20)
    none = explorer_data([short], **ASKED)
    assert short.rate(0.45).status == none["surfaces"][0]["status"] == "not identified"
    for data, y, known in (
        (none, 0.45, False),
        (explorer_data([one], **ASKED), low - 0.01, False),
        (explorer_data([one], **ASKED), high + 0.01, False),
        (explorer_data([one], **ASKED), low + 0.01, True),
    ):
        folder = tmp_path / f"{y}{known}{len(data['surfaces'][0]['identified'])}"
        report = Report("Page", "Which?", (Section("A", interactives=(explorer(data),)),), {}, {})
        chromium.open(f"{write(report, folder).as_uri()}#interactive-explorer?target={100 * y}")
        words = chromium("document.querySelector('[data-part=rate]').innerText")
        assert ("not identified: the design has too few" in words) != known
        assert (chromium("document.querySelector('[data-role=eta]')") is None) != known
    assert "surface needs 1" in none["surfaces"][0]["note"]


def test_between_the_scores_asked_for_the_page_finds_the_piece_itself(found, data, page):
    for one, surface in zip(found, data["surfaces"], strict=True):
        bare = {key: value for key, value in surface.items() if key != "rates"}
        for y in AT:
            ((low, high),) = page(f"exchange.pieces({json.dumps(bare)}, {y})")
            rate = page(f"exchange.span({json.dumps(bare)}, {y}).rate")
            assert rate == pytest.approx(one.surface.rate(y, low, high)[0], abs=1e-9)
            span = one.rate(y).span
            assert (span.low, span.high) == pytest.approx((low, high), abs=1e-8)


def test_the_page_gives_no_rate_where_the_report_gives_none(data, chromium, tmp_path):
    changed = json.loads(json.dumps(data))
    row = changed["surfaces"][0]["rates"][1]
    row |= {"status": "not identified", "note": "Without one of its runs it leaves the cells."}
    report = Report("Page", "Which?", (Section("A", interactives=(explorer(changed),)),), {}, {})
    address = write(report, tmp_path / "out").as_uri()
    for target, known in ((45, False), (45.5, True), (55, True)):
        chromium.open(f"{address}#interactive-explorer?target={target}")
        words = chromium("document.querySelector('[data-part=rate]').innerText")
        assert ("is not identified. Status: not identified. Without one of its runs" in words) != known
        assert (chromium("document.querySelector('[data-role=eta]')") is None) != known


def test_what_the_page_cannot_draw_is_refused(found):
    with pytest.raises(InputError, match="one or more"):
        explorer_data([], **ASKED)
    with pytest.raises(InputError, match="two have method and choices"):
        explorer_data([found[0], found[0]], **ASKED)
    spline = exchange_rate(grid("vote", 0.8), at=[0.45], surface="spline", bootstrap=0)
    with pytest.raises(InputError, match="draws no spline surface"):
        explorer_data([spline], **ASKED)


def test_status_and_note_are_those_of_the_rate_nearest_to_the_target(data):
    frame = grid("vote", 0.8)
    halves = [frame.assign(problem=half, score=(frame["score"] + 0.02 * half).clip(0, 1)) for half in (0, 1)]
    single = exchange_rate(pd.concat(halves).query("seed == 0"), at=[0.45, 0.95], bootstrap=20)
    surface = explorer_data([single], **ASKED)["surfaces"][0]
    assert surface["status"] == "this run" and "other seeds may differ" in surface["note"]
    assert len(surface["draws"]) == 20
    above = explorer_data([single], **ASKED | {"target": 0.95})["surfaces"][0]
    assert above["status"] == "this run"  # of the rate that there is
    middle, high = surface["rates"]
    assert (middle["status"], middle["note"]) == (surface["status"], surface["note"])
    assert high["v"] is None and high["status"] in ("undefined", "not identified") and "0.95" in high["note"]
    saturating = exchange_rate(frame, at=[0.45], surface="saturating", bootstrap=5)
    assert len(explorer_data([saturating], **ASKED)["surfaces"][0]["knots"]) > 100


def test_another_currency_brings_its_units_where_there_are_two():
    frame = grid("vote", 0.8)
    ledgers = (Ledger(), Ledger(currency="critical_tokens"))
    found = [exchange_rate(frame, at=[0.45], ledger=one, bootstrap=0) for one in ledgers]
    flops, tokens = explorer_data(found, **ASKED)["surfaces"]
    assert "infer_unit" not in flops and tokens["infer_unit"] == "tokens one after the other per problem"
    assert flops["choice"] == {"currency": "flops"} and flops["draws"] == []
    assert "infer_unit" not in explorer_data(found[1:], **ASKED)["surfaces"][0]
