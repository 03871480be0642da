"""A table as text cells: what a reader sees of a frame."""

from __future__ import annotations

import numbers as number_types
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from scaling.reporting import numbers

if TYPE_CHECKING:
    from pandas import DataFrame

    from scaling.reporting.document import Table


@dataclass(frozen=True)
class Grid:
    """Headings and cells, ready to be laid out."""

    headings: tuple[str, ...]
    """One a column."""
    numeric: tuple[bool, ...]
    """Whether a column is set flush right."""
    rows: tuple[tuple[str, ...], ...]
    """The rows shown."""
    hidden: int
    """How many more rows the data have."""


def of_table(table: Table) -> Grid:
    """A table's cells: its formats, its estimates with their intervals, its first rows."""
    merged = {end for ends in table.estimates.values() for end in ends}
    columns = [name for name in table.frame.columns if name not in merged]
    shown = table.frame.head(table.rows_shown)
    cells = [_column(shown, name, table.formats, table.estimates.get(name)) for name in columns]
    return Grid(
        headings=tuple(table.headings.get(name, str(name)) for name in columns),
        numeric=tuple(_is_numeric(table.frame, name) for name in columns),
        rows=tuple(zip(*cells, strict=True)),
        hidden=len(table.frame) - len(shown),
    )


def of_frame(frame: DataFrame, rows_shown: int) -> Grid:
    """The first rows of a figure's data, four digits a number."""
    shown = frame.head(rows_shown)
    return Grid(
        headings=tuple(str(name) for name in frame.columns),
        numeric=tuple(_is_numeric(frame, name) for name in frame.columns),
        rows=tuple(zip(*(_column(shown, name, {}, None) for name in frame.columns), strict=True)),
        hidden=len(frame) - len(shown),
    )


def _column(
    frame: DataFrame, name: str, formats: Mapping[str, Callable[[Any], str]], ends: tuple[str, str] | None
) -> list[str]:
    if ends:
        triples = frame[[name, *ends]].to_numpy(dtype=float)
        return [numbers.estimate(*triple) for triple in triples.tolist()]
    if name in formats:
        return [formats[name](value) for value in frame[name]]
    return [_text(value) for value in frame[name]]


def _text(value: Any) -> str:
    from pandas import isna

    if value is None or (not isinstance(value, (list, tuple, dict)) and isna(value)):
        return numbers.MISSING
    if isinstance(value, bool) or type(value).__name__ == "bool":
        return "yes" if value else "no"
    if isinstance(value, number_types.Integral):
        return f"{int(value):,}".replace(",", "\u202f") if abs(int(value)) >= 10_000 else str(int(value))
    if isinstance(value, number_types.Real):
        return numbers.plain(float(value))
    return str(value)


def _is_numeric(frame: DataFrame, name: str) -> bool:
    from pandas.api.types import is_bool_dtype, is_numeric_dtype

    return is_numeric_dtype(frame[name]) and not is_bool_dtype(frame[name])
