"""MLflow's SQLite store: runs, parameters and metrics, opened for reading only."""

from __future__ import annotations

import contextlib
import math
import sqlite3
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote

from scaling.errors import InputError
from scaling.importers.flat import Cell, cell
from scaling.importers.importer import Choices, Imported, Importer
from scaling.importers.log import Log
from scaling.importers.paths import found, reading

ENDINGS = (".db", ".sqlite", ".sqlite3")
RUNS = """
    SELECT run_uuid, runs.name, status, runs.lifecycle_stage, experiments.name
    FROM runs LEFT JOIN experiments USING (experiment_id) ORDER BY start_time, run_uuid
"""
PARAMS = "SELECT run_uuid, key, value FROM params ORDER BY rowid"
TAGS = "SELECT run_uuid, key, value FROM tags WHERE key NOT LIKE 'mlflow.%' ORDER BY rowid"
METRICS = "SELECT run_uuid, key, value, step, is_nan FROM metrics ORDER BY timestamp, rowid"
INFINITE = sys.float_info.max
"""What MLflow writes for an infinite number."""


def _read(paths: Sequence[Path], choices: Choices) -> Imported:
    """Read every store; a run that was deleted is left out, with its values counted."""
    log = Log(unit="values")
    for file in found(paths, lambda name: name.endswith(ENDINGS), "MLflow SQLite stores (mlflow.db)"):
        log.files.append(file)
        try:
            with reading(file, "MLflow store"), contextlib.closing(_opened(file)) as store:
                _read_store(log, file, store)
        except sqlite3.Error as error:
            raise InputError(
                f"{file} is no readable MLflow store ({error}); give the file of a sqlite:/// tracking URI"
            ) from error
    return log.imported(choices)


def _opened(file: Path) -> sqlite3.Connection:
    store = sqlite3.connect(f"file:{quote(str(file.absolute()))}?mode=ro", uri=True)
    store.execute("PRAGMA trusted_schema = OFF")  # a file from elsewhere calls no function by its views
    return store


def _read_store(log: Log, file: Path, store: sqlite3.Connection) -> None:
    facts: dict[str, dict[str, Cell]] = {}
    for prefix, query in (("config/", PARAMS), ("tags/", TAGS)):
        for run_id, key, value in store.execute(query):
            if value is not None:
                facts.setdefault(run_id, {})[f"{prefix}{key}"] = cell(value)
    stages = {}
    for run_id, name, status, stage, experiment in store.execute(RUNS):
        stages[run_id] = stage
        if stage != "deleted":
            own = {"experiment": experiment, "status": status}
            known = {key: cell(value) for key, value in own.items() if value is not None}
            log.run(run_id, str(name or run_id), known | facts.get(run_id, {}), file)
    left_out: dict[str, int] = {}
    for run_id, key, value, step in _metrics(store):
        if stages.get(run_id, "deleted") == "deleted":
            left_out[run_id] = left_out.get(run_id, 0) + 1
        else:
            log.add(run_id, step, {key: value})
    for run_id, count in left_out.items():
        log.skip(f"{file}, run {run_id}", "the run was deleted", count)


def _metrics(store: sqlite3.Connection) -> Iterator[tuple[str, str, float, int]]:
    for run_id, key, value, step, is_nan in store.execute(METRICS):
        yield str(run_id), str(key), math.nan if is_nan else _number(value), int(step)


def _number(value: Any) -> float:
    found = float(value)
    return math.copysign(math.inf, found) if abs(found) >= INFINITE else found


MLFLOW = Importer(
    "mlflow", "an MLflow store in SQLite (mlflow.db): runs, parameters as config, metrics", _read
)
