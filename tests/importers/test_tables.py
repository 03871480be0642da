"""Plain and wide tables: which column is what, what nested cells become, and what joins into table.parquet."""

import json
import math
from pathlib import Path

import pandas as pd
import pytest

from scaling.importers.tables import joined, save

CHECKPOINTS = [
    {"run": "a", "step": 10, "config": {"N": 1e6, "optim": {"lr": 0.1}}, "eval": {"loss": 3.5, "by": [1, 2]}},
    {"run": "a", "step": 20, "config": {"N": 1e6, "optim": {"lr": 0.1}}, "eval": {"loss": 3.0}},
    {"run": "b", "step": 10, "config": {"N": 2e6}, "eval": None, "note": "x\ud800"},
    {"run": None, "step": 10, "eval": {"loss": 1}},
    {"run": "b", "step": 20},
]


@pytest.fixture
def checkpoints(tmp_path: Path) -> Path:
    path = tmp_path / "checkpoints.jsonl"
    path.write_text("\n".join(map(json.dumps, CHECKPOINTS)) + '\n[1]\n{"run": "b", "st')
    return path


def test_nested_objects_become_columns_and_bad_lines_are_counted(checkpoints: Path, bring) -> None:
    found = bring("table", checkpoints)
    assert (found.read, found.kept) == (7, 3)
    assert sorted((skipped.where.rpartition(", ")[2], skipped.reason) for skipped in found.skipped) == [
        ("line 6", "it is no JSON object"),
        ("line 7", "it is no JSON object"),
        ("row 3", "column 'run' names no run"),
        ("row 4", "it holds no value"),
    ]
    history = found.history
    assert [*history.columns] == [
        "run_id",
        "step",
        "config.N",
        "config.optim.lr",
        "eval.loss",
        "eval.by",
        "note",
    ]
    assert history["run_id"].tolist() == ["a", "a", "b"]
    assert history["eval.loss"].tolist()[:2] == [3.5, 3.0]
    assert history["eval.by"][0] == "[1, 2]"
    assert history["note"][2] == "x?"


@pytest.mark.parametrize("ending", ["csv", "tsv", "parquet", "jsonl", "json"])
def test_kinds_of_files_agree(bring, tmp_path: Path, ending: str) -> None:
    frame = pd.DataFrame({"_step": [1, 2, 3], "loss": [3.0, None, 2.0], "eval/loss": [None, 2.5, None]})
    path = tmp_path / f"run.{ending}"
    if ending == "parquet":
        frame.to_parquet(path)
    elif "json" in ending:
        frame.to_json(path, orient="records", lines=ending == "jsonl")
    else:
        frame.to_csv(path, index=False, sep="," if ending == "csv" else "\t")
    history = bring("table", path).history
    expected = pd.DataFrame(
        {"run_id": "run", "step": [1, 2, 3], "loss": frame["loss"], "eval/loss": frame["eval/loss"]}
    )
    pd.testing.assert_frame_equal(history, expected, check_dtype=False)


def test_files_are_runs_with_columns_from_their_names(bring, tmp_path: Path) -> None:
    for folder, size in (("x", 190), ("y", 190), ("y", 370)):
        (tmp_path / folder).mkdir(exist_ok=True)
        (tmp_path / folder / f"{size}M.csv").write_text(f"step,loss\n1,{size}\n")
    runs = bring("table", tmp_path, from_name=r"(?P<set>[xy])/(?P<size>\d+)M").runs
    assert runs["run_id"].tolist() == ["x/190M", "y/190M", "y/370M"]
    assert runs["set"].tolist() == ["x", "y", "y"]
    assert runs["size"].tolist() == [190, 190, 370]


def test_asked_columns_are_used_or_named(bring, refused, tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text("model,epoch,step,loss\nm1,1,5,3\nm2,1,6,2\n")
    found = bring("table", path, run="model", step="epoch")
    assert found.runs["run_id"].tolist() == ["m1", "m2"]
    assert found.history["step"].tolist() == [1, 1]
    assert found.history["logged/step"].tolist() == [5, 6]
    assert "no such column; the table has model, epoch" in refused(lambda: bring("table", path, run="size"))
    assert "--step size" in refused(lambda: bring("table", path, step="size"))


def test_rows_without_steps_keep_their_order(bring, tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text("tokens,loss\n3,1\n1,3\n2,2\n")
    found = bring("table", path)
    assert found.history["tokens"].tolist() == [3, 1, 2]
    assert joined(found)["last"].tolist() == [False, False, True]


def test_a_wide_table_becomes_long(bring, refused, tmp_path: Path) -> None:
    path = tmp_path / "wide.csv"
    path.write_text("Step,0.6b,14b,note,empty\n0,.1,.7,x,\n1,,.8,,\n2,.2,,,\n")
    found = bring("wide", path, from_name="(?P<billions>[0-9.]+)b")
    assert (found.read, found.kept) == (5, 4)
    assert [(skipped.reason, skipped.count) for skipped in found.skipped] == [("the column holds text", 1)]
    assert found.history.to_numpy().tolist() == [
        ["0.6b", 0, 0.1],
        ["0.6b", 2, 0.2],
        ["14b", 0, 0.7],
        ["14b", 1, 0.8],
    ]
    assert found.runs["billions"].tolist() == [0.6, 14]
    path.write_text("a,b\n1,2\n")
    assert "no column of steps; name one of a, b with --step" in refused(lambda: bring("wide", path))
    assert bring("wide", path, step="a").history["a"].tolist() == [1]


@pytest.mark.target
def test_a_published_wide_export_becomes_long(bring, mirror: Path) -> None:
    found = bring("wide", mirror / "josancamon19_rl" / "export.csv", from_name="(?P<b>[0-9.]+)b")
    assert found.runs["b"].tolist() == [0.6, 14, 8, 4, 1.7]
    raw = pd.read_csv(mirror / "josancamon19_rl" / "export.csv", index_col="Step")
    assert found.kept == raw.notna().to_numpy().sum()
    table = joined(found)
    assert table.loc[table["last"], "value"].tolist() == [raw[name].dropna().iloc[-1] for name in raw]


def test_last_marks_one_row_a_run_and_carry_fills_from_before(bring, tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text("run,step,tokens,eval\na,1,10,\na,2,,3\na,3,30,\nb,1,,5\nb,2,20,4\nc,1,1,\n")
    found = bring("table", path)
    assert joined(found)["last"].tolist() == [False, False, True, False, True, True]
    table = joined(found, "eval", ["tokens"])
    assert table["last"].tolist() == [False, True, False, False, True, False]
    assert table.loc[table["last"], "tokens"].tolist() == [10, 20]
    assert math.isnan(table["tokens"][3])
    assert found.history["tokens"].isna().sum() == 2


def test_a_metric_to_mark_by_must_be_there(bring, refused, checkpoints: Path) -> None:
    found = bring("table", checkpoints)
    assert "--last loss: no such metric; the history has config.N" in refused(lambda: joined(found, "loss"))
    assert "--carry tokens: no such metric" in refused(lambda: joined(found, None, ["tokens"]))


def test_a_file_that_is_read_is_never_replaced(bring, refused, checkpoints: Path, tmp_path: Path) -> None:
    found = bring("table", checkpoints)
    save(tmp_path / "out", found, joined(found))
    before = {path.name: path.read_bytes() for path in (tmp_path / "out").iterdir()}
    again = bring("table", tmp_path / "out" / "history.parquet")
    assert "a file that is read" in refused(lambda: save(tmp_path / "out", again, joined(again)))
    assert {path.name: path.read_bytes() for path in (tmp_path / "out").iterdir()} == before
