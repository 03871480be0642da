"""A short leg of the whole chain: pretraining on worked words, RL, samples, rates and a report that promises nothing."""

import json
from pathlib import Path

import pytest

from scaling.inference import sampling
from scaling.records.spec import CooldownSpec, spec_id
from scaling.records.store import Store
from scaling.reporting.document import write
from scaling.study import analyse, document, with_parents
from scaling.study_files import find
from scaling.training.work import work


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Store:
    """Return a store with the runs of the smallest preset."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sampling, "PRACTICE", 16)  # a verifier that learned from little serves here
        return filled(Store(tmp_path_factory.mktemp("leg") / "store").open())


def filled(store: Store) -> Store:
    specs = with_parents(find("train_vs_think").preset("smoke").runs())
    steps = [spec.step for spec in specs if isinstance(spec, CooldownSpec)]
    for spec in specs:
        assert work(spec, store, branches=steps)
    return store


def test_every_checkpoint_is_sampled_and_a_leg_too_short_is_called_not_identified(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    study = find("train_vs_think")
    monkeypatch.setitem(study.fits.__globals__, "PLANTED", 3)
    ids = [spec_id(spec) for spec in with_parents(study.preset("smoke").runs())]
    records = store.gather(ids)
    assert set(records.runs["kind"]) == {"pretrain", "cooldown", "rl"}
    assert (records.steps["logprob_gap"].dropna() < 1e-4).all()
    assert len(records.samples) == 16 * 8 * (3 * 5 + 2) + 2 * 8 * 16 * 16
    found = analyse(study, "smoke", records, {}, {"study": "a test"})
    write(document(found), tmp_path / "report")
    told = json.loads((tmp_path / "report" / "results.json").read_text())
    rates = [rate for name, fit in told["results"].items() if name[0] in "AB" for rate in fit["rates"]]
    assert all(rate["status"] in ("not identified", "undefined") for rate in rates)
    text = (tmp_path / "report" / "index.md").read_text()
    assert "Supported" not in text
    for method in ("longer thinking", "majority of k", "best of k, learned", "best of k, oracle"):
        assert method in text
