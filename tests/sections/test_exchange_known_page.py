"""The published charts' page in a browser: rates near the tables', controls that move them, a ceiling that is said."""

from collections.abc import Callable

import pytest
from browser import Browser

from scaling.records.tables import no_records
from scaling.reporting.document import write
from scaling.study import Analysis, document
from scaling.study_files import find


@pytest.fixture(scope="module")
def open_at(chromium: Browser, tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Browser]:
    study = find("exchange_known")
    report = document(Analysis(study, "cpu", no_records(), study.fits(no_records())))
    address = write(report, tmp_path_factory.mktemp("known") / "out").as_uri()

    def opened(view: str) -> Browser:
        chromium.open(f"{address}#interactive-known-explorer?{view}")
        return chromium

    return opened


def eta(page: Browser) -> float:
    return float(page("document.querySelector('[data-role=eta]').value"))


@pytest.mark.parametrize(("target", "expected"), [(30, 0.53), (50, 0.67), (75, 0.82)])
def test_votes_by_tokens_are_near_the_rates_of_two_separate_curves(
    open_at, target: int, expected: float
) -> None:
    assert eta(open_at(f"method=votes&choice.price=tokens&target={target}")) == pytest.approx(
        expected, abs=0.02
    )


def test_what_a_sample_costs_moves_the_rate(open_at) -> None:
    by_tokens = eta(open_at("method=votes&choice.price=tokens&target=50"))
    flat = eta(open_at("method=votes&choice.price=flat&target=50"))
    assert flat == pytest.approx(0.51, abs=0.02)
    assert by_tokens > flat + 0.1


def test_thinking_has_the_rate_of_the_logit_lines_at_every_score(open_at) -> None:
    for target in (40, 55, 65):
        page = open_at(f"method=thinking&choice.price=flat&target={target}")
        assert eta(page) == pytest.approx(2.16, abs=0.005)
    assert "assumes additivity" in page("document.querySelector('[data-part=rate]').innerText")


def test_above_what_one_sample_reaches_the_page_gives_no_rate(open_at) -> None:
    page = open_at("method=votes&choice.price=tokens&target=87")
    assert page("document.querySelector('[data-role=eta]')") is None
    assert "86.67" in page("document.querySelector('[data-part=rate]').innerText")
