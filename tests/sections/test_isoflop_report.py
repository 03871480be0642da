"""The isoFLOP report on runs that obey a known law: what it says is what is true, and nothing is typed in."""

import dataclasses
from pathlib import Path

import pytest

from scaling.laws import Chinchilla
from scaling.records.tables import Records
from scaling.reporting.document import write
from scaling.sections import hyperparameters, law
from scaling.study import Analysis, Study, analyse, document
from scaling.study_files import find


@pytest.fixture(scope="module")
def study() -> Study:
    return find("isoflop")


@pytest.fixture(scope="module")
def analysis(study: Study, records: Records) -> Analysis:
    return analyse(study, "cpu", records, {}, {"study": "isoflop"})


def test_intervals_hold_the_truth(analysis: Analysis, truth: Chinchilla) -> None:
    fit = analysis.fits["law"]
    for name in ("alpha", "beta", "E"):
        found = fit.parameters[name]
        assert found.low <= getattr(truth, name) <= found.high, name
    found = fit.derived["N_exponent"]
    assert found.low <= truth.N_exponent <= found.high
    assert fit.intervals.clusters == 12, "trunks, not rows, are the units"


def test_every_budget_has_its_optimum_inside(analysis: Analysis) -> None:
    budgets = analysis.fits["isoflop"].budgets
    assert [b.status for b in budgets] == ["interior"] * 3
    assert [b.C for b in budgets] == pytest.approx([1e12, 3.2e12, 1e13], rel=0.01)


def test_held_out_budget_is_predicted_within_the_noise(analysis: Analysis) -> None:
    held = analysis.fits["holdout"]
    assert held.frame["C"].min() > held.cut_C
    assert held.rms_error < 0.01


def test_verdicts_take_their_numbers_from_the_fits(study: Study, analysis: Analysis) -> None:
    verdicts = " ".join(v.text for v in document(analysis).verdicts)
    fit = analysis.fits["law"]
    for name in ("alpha", "beta", "N_exponent"):
        assert law.shown(fit, name) in verdicts
    half = analysis.records.checkpoints["loss_nats"].mean()
    moved = analysis.records.checkpoints.assign(
        loss_nats=lambda t: t["loss_nats"] + 0.1 * (t["loss_nats"] - half)
    )
    changed = analyse(study, "cpu", dataclasses.replace(analysis.records, checkpoints=moved), {}, {})
    assert " ".join(v.text for v in document(changed).verdicts) != verdicts


def test_without_learning_rate_arms_the_report_says_so(analysis: Analysis) -> None:
    section = hyperparameters.hyperparameters(analysis)
    assert not section.verdicts
    assert "tune" in section.prose[0]


def test_the_report_is_written_whole(analysis: Analysis, tmp_path: Path) -> None:
    write(document(analysis), tmp_path / "report")
    figures = {path.stem for path in (tmp_path / "report" / "figures").glob("*.svg")}
    assert {
        "isoflop-curves",
        "optimal-size",
        "surface",
        "residuals-n",
        "residuals-d",
        "held-out",
        "fan",
    } <= figures
