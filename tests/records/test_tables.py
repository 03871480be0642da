"""Tables: checks that name row and column, files that say when they were damaged."""

import dataclasses
from pathlib import Path

import pandas as pd
import pytest

from scaling.errors import InputError
from scaling.records import archive
from scaling.records.columns import CHECKPOINTS, EVALS, RUNS, SAMPLES, STEPS, TABLES
from scaling.records.frame import FLOPS, PARAMS, frame
from scaling.records.spec import CorpusData, CountingSpec, spec_id, to_json
from scaling.records.store import Store
from scaling.records.tables import Records, check, empty

SPEC = CountingSpec(CorpusData("santa_fe", "ab" * 32), 3, (100, 1000), 1000, 0)


def run_row(**changes: object) -> dict[str, object]:
    return {
        "run_id": spec_id(SPEC),
        "kind": "counting",
        "status": "done",
        "trunk_id": spec_id(SPEC),
        "params_total": 8,
        "data": "santa_fe",
        "data_sha256": "ab" * 32,
        "tokens_planned": 1000,
        "seed_data": 0,
        "hardware": "x",
        "device_seconds": 1.0,
        "version": "1",
        "spec": to_json(SPEC),
        **changes,
    }


def records() -> Records:
    checkpoints = pd.DataFrame(
        {
            "run_id": spec_id(SPEC),
            "step": [0, 1],
            "tokens_seen": [100, 1000],
            "annealed": True,
            "loss_nats": [2.0, None],
        }
    )
    sample = {
        "eval_id": "e",
        "problem": 1,
        "difficulty": 6,
        "sample": 0,
        "correct": True,
        "tokens": 7,
        "truncated": False,
    }
    return Records(
        pd.DataFrame([run_row()]), checkpoints, empty(STEPS), empty(EVALS), pd.DataFrame([sample])
    ).map(check)  # fmt: skip


def test_samples_have_a_file_only_where_there_are_any(tmp_path: Path) -> None:
    archive.save(tmp_path, "s", "p", records())
    stray = (tmp_path / "samples.parquet").read_bytes()
    archive.save(tmp_path, "s", "p", dataclasses.replace(records(), samples=empty(SAMPLES)))
    assert not (tmp_path / "samples.parquet").exists()
    assert not len(archive.load(tmp_path).records.samples)
    (tmp_path / "samples.parquet").write_bytes(stray)
    with pytest.raises(InputError, match=r"samples\.parquet is not what the manifest says"):
        archive.load(tmp_path)


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"params_total": -5}, "runs: row 0, column params_total: got -5, expected a value above 0"),
        ({"status": "great"}, "runs: row 0, column status: got 'great', expected one of done, diverged"),
        ({"tokens_planned": "many"}, "runs: row 0, column tokens_planned: 'many' is no integer"),
        ({"hardware": None}, "runs: row 0, column hardware: got .*, expected a value"),
        ({"colour": "red"}, "runs: unknown column 'colour'"),
        ({"weight_decay": -0.1}, "column weight_decay: got -0.1, expected a value of at least 0"),
    ],
)
def test_checks_name_row_and_column(changes: dict[str, object], says: str) -> None:
    with pytest.raises(InputError, match=says):
        check(RUNS, pd.DataFrame([run_row(**changes)]))


def test_a_repeated_key_is_refused() -> None:
    with pytest.raises(InputError, match="row 1 repeats the key"):
        check(RUNS, pd.DataFrame([run_row(), run_row()]))


def test_missing_stays_missing() -> None:
    table = check(CHECKPOINTS, records().checkpoints)
    assert table.loss_nats.isna().tolist() == [False, True]
    assert table.lr.isna().all()


def test_every_column_says_what_it_means_once() -> None:
    for table in TABLES:
        names = [c.name for c in table.columns]
        assert len(names) == len(set(names))
        assert all(c.meaning for c in table.columns)
        assert set(table.key) <= set(names)


def test_records_survive_the_disk(tmp_path: Path) -> None:
    archive.save(tmp_path, "s", "p", records())
    found = archive.load(tmp_path)
    for table in TABLES:
        pd.testing.assert_frame_equal(getattr(found.records, table.name), getattr(records(), table.name))


@pytest.mark.parametrize("name", [f"{t.name}.parquet" for t in TABLES])
def test_a_damaged_or_missing_file_is_named(tmp_path: Path, name: str) -> None:
    archive.save(tmp_path, "s", "p", records())
    (tmp_path / name).write_bytes(b"PAR1 no")
    with pytest.raises(InputError, match=name):
        archive.load(tmp_path)
    (tmp_path / name).unlink()
    with pytest.raises(InputError, match=name):
        archive.load(tmp_path)


def test_an_unfinished_archive_is_no_archive(tmp_path: Path) -> None:
    archive.save(tmp_path, "s", "p", records())
    (tmp_path / archive.MANIFEST).unlink()
    with pytest.raises(InputError, match="no complete records"):
        archive.load(tmp_path)


def test_a_store_notices_damage_and_says_what_to_do(tmp_path: Path) -> None:
    store = Store(tmp_path / "store").open()
    run_id = spec_id(SPEC)
    store.add(SPEC)
    assert not store.is_done(run_id)
    store.finish(run_id, records())
    assert store.gather([run_id]).checkpoints.tokens_seen.tolist() == [100, 1000]
    (store.folder(run_id) / "steps.parquet").write_bytes(b"")
    with pytest.raises(InputError, match=r"steps\.parquet is not what the run wrote.*delete the folder"):
        store.gather([run_id])
    (store.folder(run_id) / "spec.json").write_text("{")
    with pytest.raises(InputError, match="damaged"):
        store.spec(run_id)


def test_a_file_where_a_folder_should_be(tmp_path: Path) -> None:
    (tmp_path / "store").write_text("")
    with pytest.raises(InputError, match="is a file where a folder should be"):
        Store(tmp_path / "store").open()
    store = Store(tmp_path / "good").open()
    store.folder(spec_id(SPEC)).write_text("")
    with pytest.raises(InputError, match="is a file where"):
        store.add(SPEC)


@pytest.mark.parametrize("params", PARAMS)
@pytest.mark.parametrize("flops", FLOPS)
def test_a_counter_has_one_size_under_every_convention(params, flops) -> None:
    found = frame(records(), params=params, flops=flops)
    assert found.N.tolist() == [8.0, 8.0]
    assert found.D.tolist() == [100.0, 1000.0]
    assert found.loss.isna().tolist() == [False, True]
    assert found.C.isna().all() == (flops == "exact")


def test_an_unknown_convention_is_refused() -> None:
    with pytest.raises(InputError, match="params='all'"):
        frame(records(), params="all")
