"""Rows of a plain table as entries of a log: their cells, their steps, and which column tells runs apart."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterator, Sequence
from typing import TYPE_CHECKING

from scaling.errors import InputError
from scaling.importers.flat import Cell, flattened
from scaling.importers.log import Step, whole
from scaling.records.cells import number, shown

if TYPE_CHECKING:
    import pandas as pd

RUN_COLUMNS = ("run_id", "run", "run_name")
STEP_COLUMNS = ("step", "_step", "global_step", "iteration", "Step")
"""Names that are taken for the column in question where the caller names none."""


def cells_of(frame: pd.DataFrame, without: Collection[str] = ()) -> Iterator[dict[str, Cell]]:
    """Yield the cells of each row that are not empty, nested ones flattened."""
    columns = [name for name in frame.columns if name not in without]
    lists = [frame[name].astype(object).tolist() for name in columns]
    for values in zip(*lists, strict=True) if lists else ((),) * len(frame):
        yield flattened({n: v for n, v in zip(columns, values, strict=True) if not _is_missing(v)})


def steps_of(frame: pd.DataFrame, column: str | None) -> list[Step]:
    """Return the step of each row, None where it has none; ``InputError`` for text."""
    if column is None:
        return [None] * len(frame)
    return [whole(value) for value in number(frame[column]).tolist()]


def chosen(frame: pd.DataFrame, asked: str | None, usual: Sequence[str], flag: str) -> str | None:
    """Return the column that was asked for, else the first of the usual ones that is there, else None."""
    if asked is None:
        return next((name for name in usual if name in frame.columns), None)
    if asked not in frame.columns:
        names = ", ".join(map(shown, frame.columns[:12]))
        raise InputError(f"{flag} {shown(asked)}: no such column; the table has {names}")
    return asked


def _is_missing(value: object) -> bool:
    return value is None or (isinstance(value, float) and math.isnan(value))
