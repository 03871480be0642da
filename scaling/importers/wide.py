"""Wide tables: a column of steps, and one column a run."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from scaling.errors import InputError
from scaling.importers.importer import Choices, Imported, Importer
from scaling.importers.log import Log
from scaling.importers.paths import found, run_ids
from scaling.importers.rows import STEP_COLUMNS, chosen, steps_of
from scaling.importers.table import KINDS, table
from scaling.records.cells import holds_numbers, missing, number, shown

if TYPE_CHECKING:
    import pandas as pd

VALUE = "value"
"""What the cells of a wide table are called."""


def _read(paths: Sequence[Path], choices: Choices) -> Imported:
    """Make wide tables long: each cell is a row with its column's name as the run; an empty cell is none."""
    files = found(paths, lambda name: Path(name).suffix.lower() in KINDS, f"tables ({', '.join(KINDS)})")
    names = run_ids(files)
    log = Log(unit="cells")
    for file in files:
        log.files.append(file)
        frame = table(log, file)
        step = chosen(frame, choices.step, STEP_COLUMNS, "--step")
        if step is None:
            first = ", ".join(map(shown, frame.columns[:12]))
            raise InputError(f"{file} has no column of steps; name one of {first} with --step")
        melt(log, file, frame, step, partial(_parts, f"{names[file]}/" if len(files) > 1 else ""))
    return log.imported(choices)


def _parts(before: str, column: str) -> tuple[str, str, str]:
    return before + column, column, VALUE


def melt(
    log: Log, file: Path, frame: pd.DataFrame, step: str, parts: Callable[[str], tuple[str, str, str]]
) -> None:
    """Add each cell beside ``step``; ``parts`` gives a column's run, the run's name, and what is measured."""
    steps = steps_of(frame, step)
    kept = {} if step in STEP_COLUMNS else {step: steps}  # an axis that is no count of steps is a value too
    for column in frame.columns.drop(step):
        cells = frame[column]
        there = ~missing(cells)
        if not there.any():
            log.notes.append(f"column {shown(column)!r} is empty")
            continue
        if not holds_numbers(cells):
            log.skip(f"{file}, column {shown(column)!r}", "the column holds text", int(there.sum()))
            continue
        run_id, name, metric = parts(column)
        log.run(run_id, name, {}, file)
        for row, value in enumerate(number(cells).tolist()):
            if there[row]:
                axis = {name: at[row] for name, at in kept.items() if at[row] is not None}
                log.add(run_id, steps[row], axis | {metric: value})


WIDE = Importer(
    "wide",
    "a table with one column a run, such as a chart's data: --step COLUMN, and each other cell becomes a row",
    _read,
    frozenset({"step"}),
)
