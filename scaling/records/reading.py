"""Reading a user's table: columns mapped to the names of laws, rows chosen, every drop with its reason."""

from __future__ import annotations

import json
import warnings
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from scaling.errors import InputError
from scaling.records import expression
from scaling.records.cells import exact, settled, shown
from scaling.records.files import Given, hashed, is_one, once, read_joined
from scaling.records.nested import leaves

if TYPE_CHECKING:
    import pandas as pd

SUFFIXES = (".csv", ".tsv", ".jsonl", ".parquet")


@dataclass(frozen=True)
class Reading:
    """A user's table after mapping and choice of rows."""

    frame: pd.DataFrame
    """Original and mapped columns of the chosen rows; the index is the row's number in the file, from 0, or
    FILE:ROW where several files are read as one table."""
    read: int
    """Rows in the file or files."""
    excluded: tuple[tuple[int | str, str], ...]
    """(row, reason) of the rows that were left out."""
    sha256: str
    """Hash of the file, or of the files' hashes in order."""


def read_table(
    path: Given,
    map: Mapping[str, str] | None = None,  # noqa: A002 - the option is --map
    where: str | None = None,
    from_name: str | None = None,
) -> Reading:
    """Return the rows of a csv, tsv, jsonl or parquet file, with columns added by ``map`` and kept by ``where``.

    Nested objects of jsonl and structs of parquet are columns with dots: ``{"config": {"n": 1}}`` has config.n.
    ``path`` may be a glob or several paths: files of one kind are read as one table, with a column ``file``.
    ``from_name`` is a regular expression whose named groups are columns, taken from each file's name (from its
    whole path if the expression has a /).
    Each entry of ``map`` is NAME=EXPR: an exact column name wins, otherwise an arithmetic expression (see
    ``scaling.records.expression.value``). ``where`` is a condition over original and mapped names; where a
    mapped name hides an original one, the mapped one counts. ``where`` chooses first, so that rows which it leaves
    out may hold anything; words such as NA or None, which it sees as text, are missing cells in the result. Rows
    used plus rows excluded are always the rows read. Raises ``InputError`` with one line for a file that cannot be
    read or is given twice, a column that is not there, and text in a column of numbers.
    """
    import pandas as pd

    paths, one = once(path), is_one(path) and from_name is None
    raw = load(paths[0]) if one else read_joined(paths, load, from_name)
    columns = expression.Columns(raw, {name: text.strip() for name, text in (map or {}).items()})
    keep = np.ones(len(raw), dtype=bool) if where is None else expression.condition(where, columns)
    kept = columns.at(np.flatnonzero(keep))
    frame = pd.DataFrame({name: settled(kept[name]) for name in kept.names}, index=raw.index[keep])
    excluded = tuple((row, f"not {where}") for row in raw.index[~keep].tolist())
    return Reading(frame, len(raw), excluded, hashed(paths, one))


def load(path: Path) -> pd.DataFrame:
    """Return a table file as it is, rows counted from 0; ``InputError`` says why a file is no table."""
    import pandas as pd
    import pyarrow as pa
    from pyarrow import parquet

    ending = path.suffix.lower()
    if path.is_dir():
        raise InputError(f"{path} is a folder, expected a table file ({', '.join(SUFFIXES)})")
    if ending not in SUFFIXES:
        raise InputError(f"{path.name!r} has no known ending; expected one of {', '.join(SUFFIXES)}")
    try:
        match ending:
            case ".parquet":  # without pandas' metadata an index is a column too
                table = parquet.read_table(path)
                while any(pa.types.is_struct(kind) for kind in table.schema.types):
                    table = table.flatten()
                frame: pd.DataFrame = table.to_pandas(ignore_metadata=True)
                _tell_apart(frame, lambda k: pd.Series(table.column(k).to_pylist(), dtype=object))
            case ".jsonl":
                rows = _objects(path)
                frame = pd.DataFrame(rows)
                _tell_apart(frame, lambda k: _cells_of(rows, frame.columns[k]))
            case _:
                frame = _separated(path, "," if ending == ".csv" else "\t")
    except FileNotFoundError as error:
        raise InputError(f"{path} does not exist; give the path of a table file") from error
    except pd.errors.EmptyDataError as error:
        raise InputError(f"{path} is empty; expected a header and rows") from error
    except InputError:
        raise
    except UnicodeEncodeError as error:
        half = ascii(error.object[error.start : error.end])
        raise InputError(
            f"{path} holds half of a character, {half}, which is no text; write it whole, or leave it out"
        ) from error
    except UnicodeError as error:
        raise InputError(
            f"{path} is not a readable {ending[1:]} table (not UTF-8 text: {error}); save it as UTF-8"
        ) from error
    except (pd.errors.ParserError, pa.ArrowException, ValueError, OSError) as error:
        reason = (str(error).splitlines() or [type(error).__name__])[0][:120]
        raise InputError(
            f"{path} is not a readable {ending[1:]} table ({reason}); export it again"
        ) from error
    if frame.empty:
        raise InputError(f"{path} has no rows; expected at least one run a row")
    frame.columns = _names(path, frame.columns)
    return frame.reset_index(drop=True)


def _separated(path: Path, separator: str) -> pd.DataFrame:
    """Read csv or tsv; a file whose only column holds another separator is named as such."""
    import pandas as pd

    options: dict[str, Any] = {"sep": separator, "skipinitialspace": True, "keep_default_na": False}
    if pd.__version__ < "3":  # later ones read floats exactly and warn of the word
        options["float_precision"] = "round_trip"
    header = pd.read_csv(path, header=None, nrows=1, dtype=str, **options)
    names = _names(path, header.iloc[0])
    other = next((s for s in ";\t,|" if s != separator and s in names[0]), None)
    if len(names) == 1 and other:
        fix = (
            "name the file .tsv"
            if other == "\t"
            else "name the file .csv"
            if other == ","
            else "export it with commas"
        )
        raise InputError(
            f"{path} is separated by {other!r}, and {path.suffix} stands for {separator!r}; {fix}"
        )
    with warnings.catch_warnings():
        warnings.simplefilter(
            "error", pd.errors.ParserWarning
        )  # rows longer than the header would shift columns
        try:
            frame: pd.DataFrame = pd.read_csv(
                path, low_memory=False, index_col=False, na_values=[""], **options
            )
        except pd.errors.ParserWarning as warned:
            raise ValueError(f"rows have more cells than the {len(names)} names of the header") from warned
    texts: dict[str, Any] = {"dtype": str, "index_col": False, "na_values": [""]}
    _tell_apart(frame, lambda k: pd.read_csv(path, usecols=[k], **texts, **options).iloc[:, 0])
    return frame


def _tell_apart(frame: pd.DataFrame, written: Callable[[int], pd.Series]) -> None:
    """Put back whole numbers beyond 2^53, which may be names of runs, in columns that pandas made floats.

    ``written`` returns the column at a position as it stands in the file.
    """
    for k in range(frame.shape[1]):
        column = frame.iloc[:, k]
        if column.dtype == float and (column.abs() >= 2**53).any():
            cells = written(k)
            if exact(cells) is not None:
                frame.isetitem(k, cells.array)


def _cells_of(rows: list[dict[str, Any]], name: str) -> pd.Series:
    import pandas as pd

    return pd.Series([row.get(name) for row in rows], dtype=object)


def _objects(path: Path) -> list[dict[str, Any]]:
    """Return the JSON objects of a file, one a line."""
    found = []
    for number, line in enumerate(path.read_text(encoding="utf-8-sig").split("\n"), start=1):
        if not line.strip():
            continue
        try:
            row = json.loads(line, object_pairs_hook=_object)
            row = _flat(row) if isinstance(row, dict) else row
        except (ValueError, RecursionError) as error:
            raise InputError(
                f"{path} is not a readable jsonl table (line {number}: {error}); give one JSON object a line"
            ) from error
        if not isinstance(row, dict):
            raise InputError(
                f"{path} is not a readable jsonl table (line {number} is {line.strip()[:40]!r}); "
                "give one JSON object a line, names to values"
            )
        found.append(row)
    return found


def _flat(row: dict[str, Any]) -> dict[str, Any]:
    """Return a row whose nested objects are cells called by their path, with dots."""
    if not any(isinstance(value, dict) for value in row.values()):
        return row
    cells = [
        pair
        for name, value in row.items()
        for pair in (leaves(value, f"{name.strip()}.") if isinstance(value, dict) else [(name, value)])
    ]
    return _object(cells)


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        twin = next(name for name in found if [other for other, _ in pairs].count(name) > 1)
        raise ValueError(f"it gives {shown(twin)!r} twice")
    return found


def _names(path: Path, header: Iterable[object]) -> list[str]:
    """Return a header's names without surrounding spaces; ``InputError`` names twins.

    A column without a name is called by its place, "Unnamed: 0" for the first one.
    """
    names = [str(name).strip() or f"Unnamed: {place}" for place, name in enumerate(header)]
    if twins := [name for name in names if names.count(name) > 1]:
        raise InputError(
            f"{path} has {names.count(twins[0])} columns called {shown(twins[0])!r}; rename or remove one"
        )
    return names
