"""Plain tables: one file is one run, or a column tells runs apart; nested objects become columns with dots."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from scaling.errors import InputError
from scaling.importers.importer import Choices, Imported, Importer
from scaling.importers.log import Log
from scaling.importers.paths import found, reading, run_ids
from scaling.importers.rows import RUN_COLUMNS, STEP_COLUMNS, cells_of, chosen, steps_of
from scaling.records.cells import shown
from scaling.records.reading import SUFFIXES, load

if TYPE_CHECKING:
    import pandas as pd

KINDS = (*SUFFIXES, ".json")


def _read(paths: Sequence[Path], choices: Choices) -> Imported:
    """Read each row as a logged step; without a column of steps, rows keep the order of the file."""
    files = found(paths, lambda name: Path(name).suffix.lower() in KINDS, f"tables ({', '.join(KINDS)})")
    names = run_ids(files)
    log = Log()
    for file in files:
        log.files.append(file)
        frame = table(log, file)
        add_rows(log, file, names[file], frame, choices)
    return log.imported(choices)


def add_rows(log: Log, file: Path, name: str, frame: pd.DataFrame, choices: Choices) -> None:
    """Add a table's rows to a log."""
    by = chosen(frame, choices.run, RUN_COLUMNS, "--run")
    step = chosen(frame, choices.step, STEP_COLUMNS, "--step")
    ids = [name] * len(frame) if by is None else [_run_id(value) for value in frame[by].tolist()]
    if by is not None and choices.run is None:
        _note_once(log, f"runs are told apart by column {shown(by)!r}; --run names another")
    steps = steps_of(frame, step)
    own = [column for column in (by, step) if column is not None]
    with reading(file, "table"):
        for row, (run_id, at, cells) in enumerate(zip(ids, steps, cells_of(frame, own), strict=True)):
            if run_id is None:
                log.skip(f"{file}, row {row}", f"column {shown(by)!r} names no run")
            elif not cells:
                log.skip(f"{file}, row {row}", "it holds no value")
            else:
                log.run(run_id, file.absolute() if by is None else run_id, {}, file)
                log.add(run_id, at, cells)


def table(log: Log, file: Path) -> pd.DataFrame:
    """Return a table file; of jsonl, lines that are no object are left out, as where a run was killed."""
    import pandas as pd

    ending = file.suffix.lower()
    if ending not in (".jsonl", ".json"):
        return load(file)
    with reading(file, ending[1:]):
        content = file.read_text(encoding="utf-8-sig")
        rows = _lines(log, file, content) if ending == ".jsonl" else _json_rows(file, json.loads(content))
    frame = pd.DataFrame(
        {name: pd.Series([row.get(name) for row in rows], dtype=object) for name in _keys(rows)}
    )
    return frame.reindex(range(len(rows)))


def _lines(log: Log, file: Path, content: str) -> list[dict[str, Any]]:
    rows = []
    for number, line in enumerate(content.split("\n"), start=1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except (ValueError, RecursionError):
            row = None
        if isinstance(row, dict):
            rows.append(row)
        else:
            log.skip(f"{file}, line {number}", "it is no JSON object")
    return rows


def _json_rows(file: Path, found: Any) -> list[dict[str, Any]]:
    """Return the rows of a list of objects, or of columns of equal length, by position or by label as pandas writes."""
    if isinstance(found, list) and all(isinstance(row, dict) for row in found):
        return found
    if isinstance(found, dict) and found:
        columns = [list(c.values()) if isinstance(c, dict) else c for c in found.values()]
        if all(isinstance(c, list) and len(c) == len(columns[0]) for c in columns):
            return [dict(zip(found, row, strict=True)) for row in zip(*columns, strict=True)]
    raise InputError(
        f"{file} holds neither a list of JSON objects nor columns of equal length; give one object a row"
    )


def _keys(rows: Sequence[dict[str, Any]]) -> list[str]:
    return list(dict.fromkeys(key for row in rows for key in row))


def _run_id(value: object) -> str | None:
    text = "" if value is None or value != value else str(value).strip()
    return text or None


def _note_once(log: Log, note: str) -> None:
    if note not in log.notes:
        log.notes.append(note)


TABLE = Importer(
    "table",
    "csv, tsv, jsonl, json or parquet, a logged step or checkpoint a row; one file is one run, or --run COLUMN",
    _read,
    frozenset({"run", "step"}),
)
