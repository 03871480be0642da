"""Published charts through the ruler: o1's panels, R1-Zero's votes and the frontier of Hex give what is known of them."""

from typing import Any

import numpy as np
import pytest

from scaling.exchange import Paired, Slices
from scaling.exchange.change_point import ChangePoint
from scaling.exchange.summary import eta_shown
from scaling.records.tables import no_records
from scaling.reporting.document import Section
from scaling.sections.known_rates import ROWS
from scaling.study import Analysis, document
from scaling.study_files import find

pytestmark = pytest.mark.target


@pytest.fixture(scope="module")
def known() -> dict[str, Any]:
    return dict(find("exchange_known").fits(no_records()))


@pytest.mark.parametrize(
    ("name", "eta", "low", "high"),
    [("o1", 2.03, 1.64, 2.56), ("o1, logit", 2.16, 1.77, 2.73), ("o1, common scores", 2.65, None, None)],
)
def test_the_panels_of_o1(
    known: dict[str, Any], name: str, eta: float, low: float | None, high: float | None
) -> None:
    found: Slices = known[name]
    rate = found.rate
    assert rate.status == "assumes additivity"
    assert rate.eta is not None
    assert rate.eta.value == pytest.approx(eta, abs=0.006)
    if low is not None and high is not None:
        assert (rate.eta.low, rate.eta.high) == pytest.approx((low, high), abs=0.01)
    assert "assumes_additivity" in [one.code for one in found.warnings]


def test_the_slopes_of_o1_in_points_a_decade(known: dict[str, Any]) -> None:
    found: Slices = known["o1"]
    assert 100 * found.train.slope.value == pytest.approx(17.20, abs=0.005)
    assert 100 * found.infer.slope.value == pytest.approx(34.90, abs=0.005)
    assert (len(found.train.x), len(found.infer.x)) == (8, 7)
    assert found.rate.multiplier is not None
    assert found.rate.multiplier.value == pytest.approx(107, abs=0.5)
    assert found.read == 22
    assert len(found.excluded) == 7


@pytest.mark.parametrize(
    ("at", "eta", "low", "high"), [(0.3, 0.53, 0.35, 0.75), (0.5, 0.67, None, None), (0.75, 0.82, 0.64, 0.99)]
)
def test_the_votes_of_r1_zero(
    known: dict[str, Any], at: float, eta: float, low: float | None, high: float | None
) -> None:
    found: Paired = known["R1-Zero"]
    rate = next(rate for rate in found.rates if rate.at == at)
    assert rate.status == "this run"
    assert rate.eta is not None
    assert rate.eta.value == pytest.approx(eta, abs=0.005)
    if low is not None and high is not None:
        assert (rate.eta.low, rate.eta.high) == pytest.approx((low, high), abs=0.05)


def test_sixteen_votes_are_eight_times_the_tokens_and_worth_four_times_the_training(
    known: dict[str, Any],
) -> None:
    found: Paired = known["R1-Zero"]
    crossing = found.crossings[1]
    assert crossing is not None
    assert 10**crossing.saved == pytest.approx(4.1, abs=0.05)
    assert 10**crossing.spent == pytest.approx(8, abs=0.2)


def test_isotonic_rates_where_a_sample_is_one_price(known: dict[str, Any]) -> None:
    found: Paired = known["R1-Zero, a sample as one price"]
    etas = [one.eta for one in found.interpolated if one is not None]
    assert etas == pytest.approx([0.54, 0.47, 0.40], abs=0.005)
    for steps in found.steps[:3]:
        assert steps is not None
        assert steps.low is not None
        assert steps.high is not None
        assert steps.low <= steps.value <= steps.high


def test_above_the_ceiling_a_rate_is_undefined(known: dict[str, Any]) -> None:
    found: Paired = known["R1-Zero"]
    assert found.ceiling == pytest.approx(0.8667, abs=5e-5)
    rate = found.rates[-1]
    assert (rate.at, rate.status, rate.eta) == (0.87, "undefined", None)
    codes = [one.code for one in found.warnings]
    assert "ceiling" in codes
    assert any("24x" in one.message for one in found.warnings if one.code == "length_grows")


def test_the_frontier_of_hex(known: dict[str, Any]) -> None:
    found: ChangePoint = known["Hex"]
    values = [one.value for one in found.parameters.values()]
    assert values == pytest.approx([506, -430, -4399, -268, 575], abs=0.6)
    assert found.per_size.value == pytest.approx(7.09, abs=0.005)
    for one in (*found.parameters.values(), found.per_size):
        assert one.low is not None
        assert one.high is not None
        assert one.low < one.value < one.high


def test_the_essay_stands_beside_the_ruler_with_a_verdict(known: dict[str, Any]) -> None:
    study = find("exchange_known")
    report = document(Analysis(study, "cpu", no_records(), known))
    thinking, search, votes = report.verdicts[:3]
    assert thinking.status == "not identified"
    assert "the essay's 20x (η = 1.3) lies outside the interval" in thinking.text
    assert "it is not excluded" in thinking.text
    assert search.status == "supported"
    assert "7x is the 6.8x" in search.text
    assert "undefined above 86.67%" in votes.text
    why: Section = report.sections[-1]
    words = " ".join(why.prose)
    for topic in (
        "Method",
        "Slices against a grid",
        "Which compute",
        "Oracle against deployable",
        "Estimator",
    ):
        assert topic in words
    assert known["published"].eta_hex == pytest.approx(0.83, abs=0.005)
    assert np.log10(known["published"].thinking) == pytest.approx(1.30, abs=0.005)


def test_the_reference_rows_of_every_report_are_what_the_study_finds(known: dict[str, Any]) -> None:
    rows = {what: (eta, ten) for what, _, eta, ten, _ in ROWS}
    paired: Paired = known["R1-Zero"]
    for rate, at in zip(paired.rates, ("30 %", "50 %", "75 %"), strict=False):
        assert rows[f"AIME, R1-Zero at {at}: 16 votes"][0] == eta_shown(rate)
    assert rows["AIME, o1: longer thinking"][0] == eta_shown(known["o1"].rate)
    assert rows["Hex on 9x9, AlphaZero: search"] == (f"{known['published'].eta_hex:.2f}", "6.8x")
