"""Cells to frames: each column of one type, missing where nothing was logged."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from scaling.importers.flat import Cell
from scaling.records.cells import floats, holds_numbers

if TYPE_CHECKING:
    import pandas as pd

OURS = ("run_id", "name", "file", "step", "last")
"""Columns that the tables have by themselves."""
LOGGED = "logged/"
"""What stands before a logged name that the tables have a column for."""


def framed(rows: Sequence[Mapping[str, Cell]]) -> pd.DataFrame:
    """Return rows as a frame; a column holds truth values, numbers (also written ones), or else text."""
    import pandas as pd

    frame = pd.DataFrame(list(rows), index=range(len(rows)))
    return pd.DataFrame({name: _typed(frame[name]) for name in frame.columns}, index=frame.index)


def renamed(names: Iterable[str], taken: Iterable[str]) -> dict[str, str]:
    """Return new names for those that are taken, none of which is taken or another's."""
    names, taken = list(names), set(taken)
    used, changed = taken | set(names), {}
    for name in names:
        if name in taken:
            new = LOGGED + name
            while new in used:
                new = LOGGED + new
            changed[name] = new
            used.add(new)
    return changed


def _typed(column: pd.Series) -> pd.Series:
    import pandas as pd

    if column.dtype != object and not pd.api.types.is_string_dtype(column):
        return column
    there = column.dropna()
    if not len(there):
        return column.astype(float)
    if all(isinstance(value, bool) for value in there.tolist()):
        return column.astype("boolean")
    if holds_numbers(column):
        return floats(column)
    return column.map(str, na_action="ignore").astype("string")
