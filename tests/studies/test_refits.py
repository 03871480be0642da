"""Studies of public runs: what must come out of them."""

import json
import os
from pathlib import Path

import pytest

from scaling import road
from scaling.records.tables import no_records
from scaling.study import Analysis, analyse, document
from scaling.study_files import find

pytestmark = pytest.mark.target


@pytest.fixture(scope="module")
def refit() -> Analysis:
    if not os.environ.get("SCALING_DATA_MIRROR"):
        pytest.skip("SCALING_DATA_MIRROR is not set: no outside data")
    return analyse(find("chinchilla_refit"), "cpu", no_records(), {}, {})


def test_the_replication_is_the_minimum_of_absolute_deviations(refit: Analysis) -> None:
    first = document(refit).verdicts[0]
    assert first.status == "supported"
    assert refit.fits["fit: Huber, delta 1e-3"].value == pytest.approx(0.001018274017800599, rel=1e-9)
    assert refit.fits["fit: Huber, all rows"].parameters["beta"].value == pytest.approx(0.4530493, rel=1e-6)


def test_five_points_and_the_form_are_what_the_answer_hangs_on(refit: Analysis) -> None:
    verdicts = [verdict.text for verdict in document(refit).verdicts]
    assert any(
        "5 of 245 points, the five highest losses, decide beta" in text and "0.3672 without" in text
        for text in verdicts
    )
    assert any(
        "Outside the 95 % set of the exponents lie: Hoffmann et al. 2022." in text for text in verdicts
    )
    assert any("p_norm" in text and "predicts best" in text for text in verdicts)


def test_the_published_report_holds_none_of_the_sources_points(refit: Analysis, tmp_path: Path) -> None:
    study = find("chinchilla_refit")
    written = road.rebuild(study, study.preset(None), out=tmp_path / "rep")
    losses = refit.fits["fit: Huber, all rows"].rows.loss
    text = (tmp_path / "rep" / "results.json").read_text() + "".join(
        path.read_text() for path in (tmp_path / "rep" / "tables").glob("*.csv")
    )
    assert not [loss for loss in losses.tolist() if repr(loss) in text]
    assert json.loads((tmp_path / "rep" / "results.json").read_text())["results"]["published"]
    assert written.path.is_file()
