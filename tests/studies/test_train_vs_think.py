"""The report of train_vs_think on its published records, with few draws: every method has a status, every check is there."""

import math

import pytest

from scaling.records import archive
from scaling.reporting.document import Report
from scaling.study import Analysis, analyse, bundled, document
from scaling.study_files import find

pytestmark = pytest.mark.prove

METHODS = {"longer thinking", "majority of k", "best of k, learned", "best of k, oracle"}


@pytest.fixture(scope="module")
def analysis() -> Analysis:
    study = find("train_vs_think")
    module = study.fits.__globals__
    module["DRAWS"], module["PLANTED"] = 20, 1
    records = archive.load(bundled("data") / "studies" / "train_vs_think" / "cpu").records
    return analyse(study, "cpu", records, {}, {})


@pytest.fixture(scope="module")
def report(analysis: Analysis) -> Report:
    return document(analysis)


def table(report: Report, name: str):
    return next(one.frame for section in report.sections for one in section.tables if one.name == name)


def test_every_method_has_a_status_at_every_score(report: Report) -> None:
    for axis, methods in (("a6", METHODS), ("b6", METHODS - {"longer thinking"})):
        rows = table(report, f"rates-{axis}")
        assert set(rows["method"]) == methods
        assert rows.groupby("method")["at"].apply(list).map(tuple).unique().tolist() == [
            (0.25, 0.5, 0.75, 0.9)
        ]
        assert set(rows["status"]) <= {"ok", "one-sided", "not identified", "undefined"}
        known = rows["status"].eq("ok")
        assert (rows.loc[known, "eta"] != "–").all()


def test_longer_thinking_is_worth_more_than_votes_where_both_are_known(report: Report) -> None:
    """The finding of the published records: its interval lies above theirs at .25."""
    rows = table(report, "rates-a6").query("at == 0.25").set_index("method")["eta"]
    low = float(rows["longer thinking"].partition("[")[2].partition(",")[0])
    high = float(rows["majority of k"].partition(", ")[2].rstrip("]"))
    assert low > high


def test_no_case_is_pooled_with_its_control(analysis: Analysis, report: Report) -> None:
    rows = table(report, "settings")
    assert not rows.duplicated(["kind", "step", "difficulty", "setting"]).any()
    assert rows["runs"].eq(3).all()
    design = analysis.fits["A6: longer thinking"].design
    assert design.trials is not None
    assert set(design.trials[~(design.trials != design.trials)].tolist()) == {64.0}


def test_what_guesses_and_planted_rates_say_stands_beside_the_rates(report: Report) -> None:
    assert {"out", "in"} <= set(table(report, "guesses").columns)
    planted = table(report, "planted")
    assert planted["method"].str.endswith("by run").any()
    assert planted["coverage"].dropna().between(0, 1).all()
    assert math.isfinite(planted["planted"].sum())
    assert not any(
        "stage_only" in str(one.frame.to_dict())
        for s in report.sections
        for one in s.tables
        if one.name.startswith("a6")
    )


def test_verdicts_on_top_are_few(report: Report) -> None:
    assert 4 <= len(report.verdicts) <= 7
