"""Exports from W&B's pages or its API, CSV or JSON: a table of runs, the data of a chart, a run's history."""

from __future__ import annotations

import ast
import re
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from scaling.importers.flat import flattened
from scaling.importers.importer import Choices, Imported, Importer
from scaling.importers.log import Log
from scaling.importers.paths import found, reading, run_ids
from scaling.importers.rows import cells_of, chosen
from scaling.importers.table import KINDS, add_rows, table
from scaling.importers.wide import melt

if TYPE_CHECKING:
    import pandas as pd

RUN_COLUMNS = ("ID", "id", "Name", "name")
STATE_COLUMNS = ("State", "state")
BETWEEN = " - "
"""What stands between a run's name and a metric in the header of a chart's data."""
_NO_LITERAL = re.compile(r"(?<=[:,\[ ])(?:nan|-?inf)(?=[,}\]])")


def _read(paths: Sequence[Path], choices: Choices) -> Imported:
    """Read each file as what its columns show it to be."""
    files = found(paths, lambda name: Path(name).suffix.lower() in KINDS, f"exports ({', '.join(KINDS)})")
    names = run_ids(files)
    log = Log()
    for file in files:
        log.files.append(file)
        frame = table(log, file)
        if all(BETWEEN in name for name in frame.columns[1:]) and len(frame.columns) > 1:
            log.unit = "cells"
            melt(
                log, file, frame, frame.columns[0] if choices.step is None else _step(frame, choices), _parts
            )
        elif "_step" in frame.columns:
            add_rows(log, file, names[file], frame, choices)
        else:
            with reading(file, "export"):
                _add_runs(log, file, frame, choices)
    return log.imported(choices)


def _step(frame: pd.DataFrame, choices: Choices) -> str:
    return chosen(frame, choices.step, (), "--step") or ""


def _parts(column: str) -> tuple[str, str, str]:
    """Return run, its name and metric of a chart's column; a run's name may hold what stands between."""
    run, _, metric = column.rpartition(BETWEEN)
    return run, run, metric


def _add_runs(log: Log, file: Path, frame: pd.DataFrame, choices: Choices) -> None:
    """Add a table of runs: every row is a run without a history, its columns are facts."""
    by = chosen(frame, choices.run, RUN_COLUMNS, "--run")
    state = chosen(frame, None, STATE_COLUMNS, "")
    known: set[str] = set()
    for row, cells in enumerate(cells_of(frame)):
        if not cells:
            log.skip(f"{file}, row {row}", "it holds no value")
            continue
        name = str(cells.get(by, "")) if by is not None else ""
        run_id = name or f"{file.stem}, row {row}"
        if run_id in known:
            run_id = f"{run_id} (row {row})"
        known.add(run_id)
        facts: dict[str, Any] = {k: _unfolded(v) for k, v in cells.items() if k != by}
        if state is not None and "status" not in facts and state in cells:
            facts["status"] = cells[state]
        log.run(run_id, name or run_id, flattened(facts), file)
        log.keep()


def _unfolded(cell: object) -> object:
    """Return the mapping that a cell's text stands for, as where columns of them were written to CSV."""
    if not (isinstance(cell, str) and cell.startswith("{") and cell.endswith("}")):
        return cell
    try:
        found = ast.literal_eval(_NO_LITERAL.sub("None", cell))
    except (ValueError, SyntaxError, TypeError, RecursionError, MemoryError):
        return cell
    return found if isinstance(found, dict) else cell


WANDB_EXPORT = Importer(
    "wandb_export",
    "CSV or JSON exported from W&B: a table of runs, the data of a chart, or the history of a run",
    _read,
    frozenset({"run", "step"}),
)
