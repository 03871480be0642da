"""The tables as frames: checked so that a wrong cell is named by row and column, written so that none is half-made.

Missing is missing, never 0. A failed or excluded row stays, with its status and reason.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, fields
from typing import TYPE_CHECKING, Any

from scaling.errors import InputError
from scaling.records.columns import SAMPLES, TABLES, Column, Kind, Table

if TYPE_CHECKING:
    from pathlib import Path

    import pandas as pd

_DTYPES: dict[Kind, Any] = {"text": "string", "integer": "Int64", "number": "Float64", "flag": "boolean"}
"""How pandas holds each kind of cell, with missing values."""


def empty(table: Table) -> pd.DataFrame:
    """Return the table without rows."""
    import pandas as pd

    return pd.DataFrame({c.name: pd.array([], dtype=_DTYPES[c.kind]) for c in table.columns})


def no_records() -> Records:
    """Return the tables without rows."""
    return Records(**{table.name: empty(table) for table in TABLES})


def records_of(**rows: list[dict[str, Any]] | pd.DataFrame) -> Records:
    """Return the tables with the rows given by table, as dictionaries or as a frame; the others without rows."""
    import pandas as pd

    return Records(
        **{t.name: pd.DataFrame(rows[t.name]) if len(rows.get(t.name, ())) else empty(t) for t in TABLES}
    )


def check(table: Table, frame: pd.DataFrame) -> pd.DataFrame:
    """Return ``frame`` with the table's columns, order and types; ``InputError`` names row and column.

    Columns that are absent are filled with missing values unless they are required; unknown ones are refused.
    """
    import pandas as pd

    known = [c.name for c in table.columns]
    if unknown := [str(name) for name in frame.columns if name not in known]:
        raise InputError(f"{table.name}: unknown column {unknown[0]!r}; known are {', '.join(known)}")
    out = pd.DataFrame({c.name: _typed(table, c, frame) for c in table.columns})
    for column in table.columns:
        _check_values(table, column, out[column.name])
    twice = out.duplicated(list(table.key))
    if twice.any():
        row = int(twice.to_numpy().argmax())
        raise InputError(
            f"{table.name}: row {row} repeats the key {tuple(out.loc[row, list(table.key)])}; keep one"
        )
    return out


def _typed(table: Table, column: Column, frame: pd.DataFrame) -> pd.Series:
    import pandas as pd

    if column.name not in frame.columns:
        return pd.Series(pd.array([pd.NA] * len(frame), dtype=_DTYPES[column.kind]))
    values = frame[column.name].reset_index(drop=True)
    try:
        return values.astype(_DTYPES[column.kind])
    except (ValueError, TypeError) as error:
        row = next(i for i, value in enumerate(values) if not _castable(value, column.kind))
        raise InputError(
            f"{table.name}: row {row}, column {column.name}: {values[row]!r} is no {column.kind}; "
            "correct or remove the cell"
        ) from error


def _castable(value: object, kind: Kind) -> bool:
    import pandas as pd

    try:
        pd.Series([value]).astype(_DTYPES[kind])
    except (ValueError, TypeError):
        return False
    return True


def _check_values(table: Table, column: Column, values: pd.Series) -> None:
    def refuse(bad: pd.Series, expected: str) -> None:
        wrong = bad.fillna(False).to_numpy(dtype=bool)
        if wrong.any():
            row = int(wrong.argmax())
            shown = repr(values[row]) if isinstance(values[row], str) else str(values[row])
            raise InputError(
                f"{table.name}: row {row}, column {column.name}: got {shown}, expected {expected}"
            )

    if column.required:
        refuse(values.isna(), "a value")
    if column.positive:
        refuse(values <= 0, "a value above 0")
    if column.low is not None:
        refuse(values < column.low, f"a value of at least {column.low:g}")
    if column.choices:
        refuse(~values.isin([*column.choices]) & values.notna(), f"one of {', '.join(column.choices)}")


@dataclass(frozen=True)
class Records:
    """The tables of a set of runs, checked."""

    runs: pd.DataFrame
    """One row a run."""
    checkpoints: pd.DataFrame
    """One row a saved point."""
    steps: pd.DataFrame
    """One row a logged step."""
    evals: pd.DataFrame
    """One row an evaluation."""
    samples: pd.DataFrame = field(default_factory=lambda: empty(SAMPLES))
    """One row a sampled completion."""

    def map(self, change: Callable[[Table, pd.DataFrame], pd.DataFrame]) -> Records:
        """Return records with ``change`` applied to each table."""
        return Records(**{t.name: change(t, getattr(self, t.name)) for t in TABLES})

    def save(self, directory: Path) -> None:
        """Write one parquet file a table, each by an atomic rename; none for an optional table without rows."""
        directory.mkdir(parents=True, exist_ok=True)
        for table in self.filled():
            write_parquet(check(table, getattr(self, table.name)), directory / f"{table.name}.parquet")

    def filled(self) -> list[Table]:
        """Return the tables that have a file: all but optional ones without rows."""
        return [table for table in TABLES if not table.optional or len(getattr(self, table.name))]

    @classmethod
    def load(cls, directory: Path) -> Records:
        """Read and check the tables that ``save`` wrote."""
        return cls(**{f.name: _read(table, directory) for f, table in zip(fields(cls), TABLES, strict=True)})


def write_parquet(frame: pd.DataFrame, path: Path) -> None:
    """Write a frame to a neighbour of ``path`` and rename it into place; an ``OSError`` names the file."""
    partial = path.with_suffix(".partial")
    try:
        frame.to_parquet(partial, index=False, compression="zstd")
        partial.replace(path)
    except OSError as error:
        error.filename, error.filename2 = str(path), None
        raise
    finally:
        partial.unlink(missing_ok=True)


def _read(table: Table, directory: Path) -> pd.DataFrame:
    import pandas as pd
    import pyarrow as pa

    path = directory / f"{table.name}.parquet"
    try:
        frame = pd.read_parquet(path)
    except FileNotFoundError as error:
        if table.optional:
            return empty(table)
        raise InputError(f"{path} is missing; a records folder holds {len(TABLES)} parquet tables") from error
    except (pa.ArrowInvalid, OSError) as error:
        raise InputError(f"{path} is no readable parquet file ({error}); restore it or run again") from error
    return check(table, frame)
