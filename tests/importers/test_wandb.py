"""Runs that wandb itself logged offline, a field-number check against its own schema, and exports of its pages.

The exports are laid out by hand: W&B's pages write them, and no package does.
"""

import json
import math
import shutil
from pathlib import Path

import pandas as pd
import pytest

from scaling.importers import wandb as reader

SCRIPT = """
import json, math
import wandb
from wandb.proto import wandb_internal_pb2 as schema
for number in range(2):
    config = {"N": 1000 * (number + 1), "optim": {"lr": 0.001, "betas": [0.9, 0.95]}, "note": "none"}
    run = wandb.init(project="p", name=f"run - {number}", id=f"id{number}", config=config, group="g")
    for step in range(300):
        run.log({"train/loss": 5 / (step + 1), "train/tokens": 100 * step, "nested": {"a": step}, "pad": "x" * 300})
    run.log({"eval/loss": 4.0, "gone": math.nan, "far": math.inf, "hist": wandb.Histogram([1, 2, 3])})
    run.summary["best"] = 3.0
    run.config.update({"late": 1})
    run.finish(exit_code=number)
numbers = {
    "Record": ("history", "summary", "config", "run", "exit"), "HistoryRecord": ("item", "step"),
    "HistoryStep": ("num",), "HistoryItem": ("key", "nested_key", "number", "value_json"),
    "SummaryRecord": ("update", "remove"), "RunExitRecord": ("exit_code",),
    "RunRecord": ("run_id", "config", "display_name", "project", "run_group", "job_type"),
}
found = {
    m: [getattr(schema, m).DESCRIPTOR.fields_by_name[f].number for f in names] for m, names in numbers.items()
}
json.dump(found, open("numbers.json", "w"))
"""


@pytest.fixture(scope="module")
def logged(written) -> Path:
    return written(SCRIPT, "wandb")


def test_an_offline_run_is_read_whole(logged: Path, bring) -> None:
    found = bring("wandb", logged / "wandb", from_name="- (?P<number>[0-9])")
    assert found.read == found.kept == 2 * 301
    runs = found.runs.set_index("run_id")
    assert runs["name"].to_dict() == {"id0": "run - 0", "id1": "run - 1"}
    assert runs["number"].tolist() == [0, 1]
    assert runs["status"].tolist() == ["finished", "ended with exit code 1"]
    assert runs["config/N"].tolist() == [1000, 2000]
    assert runs["config/optim.lr"].tolist() == [0.001] * 2
    assert runs["config/optim.betas"].tolist() == ["[0.9, 0.95]"] * 2
    assert runs["config/note"].tolist() == ["none"] * 2
    assert runs["config/late"].tolist() == [1, 1]
    assert runs["summary/best"].tolist() == [3, 3]
    assert runs["summary/eval/loss"].tolist() == [4, 4]
    assert not any("_wandb" in name or "hist" in name for name in runs.columns)


def test_every_logged_value_is_in_the_history(logged: Path, bring) -> None:
    found = bring("wandb", *sorted(logged.rglob("*.wandb")))
    history = found.history[found.history["run_id"] == "id1"]
    assert history["step"].tolist() == list(range(301))
    assert history["train/loss"].tolist()[:300] == [5 / (step + 1) for step in range(300)]
    assert history["train/tokens"].tolist()[:300] == [100 * step for step in range(300)]
    assert history["nested.a"].tolist()[:300] == list(range(300))
    last = history.iloc[-1]
    assert last["eval/loss"] == 4
    assert math.isinf(last["far"])
    assert pd.isna(last["gone"])
    assert pd.isna(last["train/loss"])
    assert any("media or tables, not numbers: hist" in note for note in found.notes)


def test_field_numbers_are_those_of_wandb(logged: Path) -> None:
    assert json.loads((logged / "numbers.json").read_text()) == {
        "Record": [
            reader.RECORD_HISTORY,
            reader.RECORD_SUMMARY,
            reader.RECORD_CONFIG,
            reader.RECORD_RUN,
            reader.RECORD_EXIT,
        ],
        "HistoryRecord": [reader.HISTORY_ITEM, reader.HISTORY_STEP],
        "HistoryStep": [reader.STEP_NUM],
        "HistoryItem": [reader.ITEM_KEY, reader.ITEM_NESTED_KEY, reader.ITEM_NUMBER, reader.ITEM_JSON],
        "SummaryRecord": [reader.UPDATE, reader.REMOVE],
        "RunExitRecord": [reader.EXIT_CODE],
        "RunRecord": [reader.RUN_ID, reader.RUN_CONFIG, reader.RUN_DISPLAY_NAME, *reader.RUN_FACTS],
    }


def test_a_run_that_was_killed_is_read_up_to_there(logged: Path, bring, tmp_path: Path) -> None:
    content = next(logged.rglob("run-id0.wandb")).read_bytes()
    (tmp_path / "run-id0.wandb").write_bytes(content[: len(content) // 2])
    found = bring("wandb", tmp_path)
    assert 50 < found.kept < 301
    assert found.runs["status"].tolist() == ["not ended"]
    assert "the file ends inside a record" in found.skipped[0].reason
    damaged = bytearray(content)
    damaged[len(content) // 2] ^= 1
    (tmp_path / "run-id0.wandb").write_bytes(damaged)
    assert "is damaged" in bring("wandb", tmp_path).skipped[0].reason


def test_a_downloaded_run_is_its_summary_and_config(bring, tmp_path: Path) -> None:
    folder = tmp_path / "run-20260101_000000-abcd" / "files"
    folder.mkdir(parents=True)
    summary = {
        "eval/loss": 3.5,
        "_step": 9,
        "_wandb": {"runtime": 1},
        "h": {"_type": "histogram", "bins": []},
    }
    (folder / "wandb-summary.json").write_text(json.dumps(summary))
    (folder / "config.yaml").write_text(
        "wandb_version: 1\n_wandb:\n  value: {}\nN:\n  desc: null\n  value: 1000\noptim:\n  value:\n    lr: 0.1\n"
    )
    runs = bring("wandb", tmp_path).runs
    assert runs.drop(columns=["file", "name"]).to_dict("records") == [
        {"run_id": "abcd", "config/N": 1000, "config/optim.lr": 0.1, "summary/eval/loss": 3.5}
    ]


def test_a_run_folder_that_also_has_a_summary_is_one_run(logged: Path, bring, tmp_path: Path) -> None:
    folder = next(logged.rglob("run-id0.wandb")).parent
    shutil.copytree(folder, tmp_path / folder.name)
    (tmp_path / folder.name / "files" / "wandb-summary.json").write_text("{}")
    assert len(bring("wandb", tmp_path).runs) == 1


def test_the_data_of_a_chart_becomes_long(bring, tmp_path: Path) -> None:
    path = tmp_path / "chart.csv"
    path.write_text(
        '"Step","a - b - eval/loss","a - b - eval/loss__MIN","a - b - eval/loss__MAX","c - eval/loss"\n'
        '"10","3.5","3.4","3.6",""\n"20","3.0","3.0","3.0","2.5"\n'
    )
    found = bring("wandb_export", path)
    assert (found.unit, found.read) == ("cells", 7)
    assert found.runs["name"].tolist() == ["a - b", "c"]
    assert found.history["step"].tolist() == [10, 20, 20]
    assert found.history["eval/loss"].tolist() == [3.5, 3.0, 2.5]
    assert found.history["eval/loss__MIN"].tolist()[:2] == [3.4, 3.0]


def test_a_chart_over_tokens_keeps_its_axis(bring, tmp_path: Path) -> None:
    path = tmp_path / "chart.csv"
    path.write_text("train/tokens,a - loss,a - _step\n1.5,3.5,10\n2.5,3.0,20\n")
    history = bring("wandb_export", path).history
    assert history["train/tokens"].tolist() == [1.5, 2.5]
    assert history["_step"].tolist() == [10, 20]


def test_a_table_of_runs_is_a_run_a_row(bring, tmp_path: Path) -> None:
    path = tmp_path / "runs.csv"
    frame = pd.DataFrame(
        {
            "Name": ["a", "a", "b"],
            "State": ["finished", "crashed", "finished"],
            "name": ["x", "y", "z"],
            "loss": [1.0, None, 3.0],
        }
    )
    frame.to_csv(path, index=False)
    runs = bring("wandb_export", path).runs
    assert runs["run_id"].tolist() == ["a", "a (row 1)", "b"]
    assert runs["status"].tolist() == ["finished", "crashed", "finished"]
    assert runs["logged/name"].tolist() == ["x", "y", "z"]


@pytest.mark.parametrize("kind", ["csv", "json", "columns.json", "jsonl"])
def test_runs_as_the_api_gives_them(bring, tmp_path: Path, kind: str) -> None:
    """The three columns of the recipe in W&B's manual, as pandas writes them."""
    frame = pd.DataFrame(
        {
            "summary": [{"eval/loss": 3.5, "gone": math.nan}, {"eval/loss": 3.0}],
            "config": [{"N": 10, "optim": {"lr": 0.1}}, {"N": 20}],
            "name": ["a", "b"],
        }
    )
    path = tmp_path / f"runs.{kind}"
    if kind == "csv":
        frame.to_csv(path)
    else:
        frame.to_json(path, orient="columns" if "columns" in kind else "records", lines=kind == "jsonl")
    runs = bring("wandb_export", path).runs.set_index("run_id")
    assert runs["summary.eval/loss"].to_dict() == {"a": 3.5, "b": 3.0}
    assert runs["config.N"].to_dict() == {"a": 10, "b": 20}
    assert runs["config.optim.lr"].to_dict() == {"a": 0.1, "b": pytest.approx(math.nan, nan_ok=True)}


def test_a_history_is_read_by_its_steps(bring, tmp_path: Path) -> None:
    path = tmp_path / "history.json"
    pd.DataFrame({"_step": [0, 5], "loss": [2.0, 1.0], "_runtime": [0.1, 0.2]}).to_json(path)
    found = bring("wandb_export", path)
    assert found.history["step"].tolist() == [0, 5]
    assert found.history["loss"].tolist() == [2, 1]
    assert found.runs["run_id"].tolist() == ["history"]
