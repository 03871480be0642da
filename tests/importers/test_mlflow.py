"""A SQLite store that MLflow wrote."""

import math
import sqlite3
from pathlib import Path

import pytest

SCRIPT = """
import math
import mlflow
mlflow.set_tracking_uri("sqlite:///mlflow.db")
mlflow.set_experiment("scaling")
for number in range(3):
    with mlflow.start_run(run_name=f"run-{number}") as run:
        mlflow.log_params({"N": 1000 * (number + 1), "optimizer": "adam", "resume": "None"})
        mlflow.set_tag("family", "x")
        for step in range(4):
            mlflow.log_metric("loss", 5 / (step + 1), step=step)
        mlflow.log_metrics({"eval loss": math.nan, "far": -math.inf, "tokens": 1e9}, step=3)
        mlflow.log_metric("loss", 7.0, step=3)
mlflow.delete_run(run.info.run_id)
try:
    with mlflow.start_run(run_name="failed"):
        mlflow.log_metric("loss", 1.0, step=0)
        raise RuntimeError
except RuntimeError:
    pass
"""


@pytest.fixture(scope="module")
def store(written) -> Path:
    return written(SCRIPT, "mlflow", "sqlalchemy", "alembic") / "mlflow.db"


def test_runs_parameters_and_metrics_are_read(store: Path, bring) -> None:
    found = bring("mlflow", store)
    runs = found.runs.set_index("name")
    assert runs.index.tolist() == ["run-0", "run-1", "failed"]
    assert runs["status"].tolist() == ["FINISHED", "FINISHED", "FAILED"]
    assert runs["config/N"].tolist()[:2] == [1000, 2000]
    assert runs["config/optimizer"].tolist()[:2] == ["adam", "adam"]
    assert runs["tags/family"].tolist()[:2] == ["x", "x"]
    assert runs["summary/loss"].tolist() == [7, 7, 1]
    history = found.history[found.history["run_id"] == runs["run_id"]["run-0"]]
    assert history["step"].tolist() == [0, 1, 2, 3, 3]
    assert history["loss"].tolist() == [5, 5 / 2, 5 / 3, 5 / 4, 7]
    at_three = history.iloc[3]
    assert at_three["tokens"] == 1e9
    assert at_three["far"] == -math.inf
    assert math.isnan(at_three["eval loss"])
    assert any("2 rows repeat a step with other values" in note for note in found.notes)


def test_a_deleted_run_is_left_out_and_counted(store: Path, bring) -> None:
    found = bring("mlflow", store.parent)
    assert [(skipped.reason, skipped.count) for skipped in found.skipped] == [("the run was deleted", 8)]
    assert found.read == 3 * 8 + 1


def test_the_store_is_not_changed(store: Path, bring) -> None:
    before = store.read_bytes()
    store.chmod(0o400)
    bring("mlflow", store)
    assert store.read_bytes() == before
    assert [path.name for path in store.parent.glob("mlflow.db*")] == ["mlflow.db"]


def test_other_databases_and_files_are_refused_in_one_line(bring, refused, tmp_path: Path) -> None:
    path = tmp_path / "odd?#%.db"
    path.write_bytes(b"x" * 5000)
    assert "file is not a database" in refused(lambda: bring("mlflow", path))
    path.unlink()
    path.write_bytes(b"")
    assert "no such table" in refused(lambda: bring("mlflow", tmp_path))
    with sqlite3.connect(path) as other:
        other.execute(
            "CREATE TABLE runs (run_uuid, name, status, lifecycle_stage, experiment_id, start_time)"
        )
        other.execute("CREATE TABLE experiments (experiment_id, name)")
        other.execute("CREATE TABLE params (run_uuid, key, value)")
        other.execute("CREATE TABLE tags (run_uuid, key, value)")
        other.execute("CREATE TABLE metrics (run_uuid, key, value, step, is_nan, timestamp)")
        other.execute("INSERT INTO runs VALUES ('a', 'a', 'FINISHED', 'active', 1, 0)")
        other.execute("INSERT INTO metrics VALUES ('a', 'loss', 'x', 0, 0, 0)")
    other.close()
    assert "no readable MLflow store" in refused(lambda: bring("mlflow", path))
