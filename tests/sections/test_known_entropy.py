"""The known-entropy report on a few repetitions: the right form finds the exact law, the controls do not."""

import pandas as pd
import pytest

from scaling import corpora
from scaling.records.spec import CorpusData, Spec, spec_id
from scaling.records.store import Store
from scaling.records.tables import Records
from scaling.sections import coverage as section
from scaling.study import Analysis, analyse, document
from scaling.study_files import find
from scaling.training.work import work

SETS = 3


@pytest.fixture(scope="module")
def analysis(tmp_path_factory: pytest.TempPathFactory, records: Records) -> Analysis:
    """Return the study's analysis of real counting learners; runs of a known law stand in for the transformers."""
    study = find("known_entropy")
    windows = study.fits.__globals__
    text = corpora.load("santa_fe")
    data = CorpusData(text.name, text.sha256)
    specs: list[Spec] = [*windows["WIDE"].specs(data, SETS), *windows["NARROW"].specs(data, SETS)]
    store = Store(tmp_path_factory.mktemp("store")).open()
    for spec in specs:
        work(spec, store)
    counted = store.gather(map(spec_id, specs))

    def joined(name: str) -> pd.DataFrame:
        return pd.concat([getattr(counted, name), getattr(records, name)], ignore_index=True)

    both = Records(*(joined(name) for name in ("runs", "checkpoints", "steps", "evals")))
    return analyse(study, "smoke", both, {}, {})


def estimates(analysis: Analysis, design: str, parameter: str) -> pd.Series:
    frame = analysis.fits[f"coverage: {design}"].frame
    found = frame.loc[frame["parameter"] == parameter, "value"]
    assert len(found) == SETS
    return found


def test_the_right_form_finds_the_exact_law(analysis: Analysis) -> None:
    # the spread of one repetition is .0035, .004 and 1.3e-4: five of them
    assert estimates(analysis, "p-norm, wide window", "alpha").between(0.5 - 0.018, 0.5 + 0.018).all()
    assert estimates(analysis, "p-norm, wide window", "beta").between(1 / 3 - 0.02, 1 / 3 + 0.02).all()
    assert estimates(analysis, "p-norm, wide window", "E").between(1.377664 - 7e-4, 1.377664 + 7e-4).all()


def test_the_controls_fail_with_residuals_that_look_small(analysis: Analysis) -> None:
    assert (estimates(analysis, "additive form, wide window", "alpha") > 0.6).all()
    assert analysis.fits["coverage: additive form, wide window"].frame["rms"].max() < 0.004
    assert (estimates(analysis, "p-norm, narrow window", "alpha") < 0.49).all()
    assert (estimates(analysis, "L(N) at one D", "E") > 1.377664 + 0.003).all()


def test_verdicts_say_so(analysis: Analysis) -> None:
    verdicts = {
        v.text.partition(":")[0]: v.status for v in document(analysis).verdicts if "intervals hold" in v.text
    }
    assert verdicts["p-norm, wide window"] != "contradicted"
    assert verdicts["additive form, wide window"] == "contradicted"
    assert verdicts["L(N) at one D"] == "contradicted"


@pytest.mark.parametrize(
    ("shares", "sets", "status"),
    [
        ([0.95, 0.93, 0.96], 200, "supported"),
        ([1.0, 0.95], 6, "not identified"),
        ([0.95, 0.5], 200, "contradicted"),
        ([1.0, 1.0], 1000, "contradicted"),
    ],
)
def test_status_weighs_the_repetitions(shares: list[float], sets: int, status: str) -> None:
    assert section._status(shares, sets) == status
