"""Reading a user's table: columns mapped to the names of laws, rows chosen, every drop with its reason."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from scaling.errors import InputError
from scaling.records import expression

if TYPE_CHECKING:
    import pandas as pd

SUFFIXES = (".csv", ".tsv", ".jsonl", ".parquet")


@dataclass(frozen=True)
class Reading:
    """A user's table after mapping and choice of rows."""

    frame: pd.DataFrame
    """Original and mapped columns of the chosen rows; the index is the row's number in the file, from 0."""
    read: int
    """Rows in the file."""
    excluded: tuple[tuple[int, str], ...]
    """(row, reason) of the rows that were left out."""
    sha256: str
    """Hash of the file."""


def read_table(path: Path, map: Mapping[str, str] | None = None, where: str | None = None) -> Reading:  # noqa: A002
    """Return the rows of a csv, tsv, jsonl or parquet file, with columns added by ``map`` and kept by ``where``.

    Each entry of ``map`` is NAME=EXPR: an exact column name wins, otherwise an arithmetic expression (see
    ``scaling.records.expression.value``). ``where`` is a condition over original and mapped names; where a
    mapped name hides an original one, the mapped one counts; a comparison with a missing value is false. Rows used plus rows excluded are always the rows read. Raises ``InputError`` with one
    line for a file that cannot be read, a column that is not there, and text in a column of numbers.
    """
    import pandas as pd

    raw = _load(path)
    columns: dict[str, pd.Series] = {str(name): raw[name] for name in raw.columns}
    added: dict[str, pd.Series] = {}
    for name, text in (map or {}).items():
        if text in columns:
            added[name] = columns[text].rename(name)
        else:
            added[name] = pd.Series(expression.value(text, columns), index=raw.index, name=name, dtype=float)
    frame = raw.assign(**added)
    keep = np.ones(len(frame), dtype=bool)
    if where is not None:
        found = expression.condition(where, {str(name): frame[name] for name in frame.columns})
        if not isinstance(found, pd.Series):
            raise InputError(f'--where {where!r} names no column; give a condition such as "loss < 4"')
        keep = found.fillna(False).to_numpy(dtype=bool)
    excluded = tuple((int(row), f"not {where}") for row in frame.index[~keep])
    return Reading(frame[keep], len(frame), excluded, hashlib.sha256(path.read_bytes()).hexdigest())


def _load(path: Path) -> pd.DataFrame:
    import pandas as pd
    import pyarrow as pa

    if path.is_dir():
        raise InputError(f"{path} is a folder, expected a table file ({', '.join(SUFFIXES)})")
    if path.suffix not in SUFFIXES:
        raise InputError(f"{path.name!r} has no known ending; expected one of {', '.join(SUFFIXES)}")
    try:
        match path.suffix:
            case ".parquet":
                frame = pd.read_parquet(path)
            case ".jsonl":
                lines = path.read_text(encoding="utf-8").splitlines()
                frame = pd.DataFrame([json.loads(line) for line in lines if line.strip()])
            case suffix:
                frame = pd.read_csv(path, sep="," if suffix == ".csv" else "\t", low_memory=False)
    except FileNotFoundError as error:
        raise InputError(f"{path} does not exist; give the path of a table file") from error
    except pd.errors.EmptyDataError as error:
        raise InputError(f"{path} is empty; expected a header and rows") from error
    except (pd.errors.ParserError, pa.ArrowInvalid, UnicodeError, ValueError, OSError) as error:
        reason = (str(error).splitlines() or [type(error).__name__])[0][:120]
        raise InputError(
            f"{path} is not a readable {path.suffix[1:]} table ({reason}); export it again"
        ) from error
    if frame.empty:
        raise InputError(f"{path} has no rows; expected at least one run a row")
    return frame.reset_index(drop=True)
