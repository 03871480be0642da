"""What a cell holds: a number, text, true or false, or one of the words by which tables say that it is missing."""

from __future__ import annotations

import math
import re
from numbers import Number
from typing import TYPE_CHECKING, Any

import numpy as np

from scaling.errors import InputError

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

MISSING = frozenset({"", "-", "nan", "-nan", "na", "n/a", "#n/a", "#na", "<na>", "none", "null"})
"""Words, in any case, that stand for a missing cell wherever a column is not compared with text."""


def number(series: pd.Series) -> pd.Series:
    """Return a column as floats, missing cells as NaN; ``InputError`` names the first cell that holds text."""
    if truths(series) is not None and not missing(series).all():
        raise InputError(
            f"column {shown(series.name)!r} holds true/false, expected numbers; map another column"
        )
    numbers = floats(series)
    wrong = numbers.isna().to_numpy() & ~missing(series)
    if wrong.any():
        where = int(wrong.argmax())
        raise InputError(
            f"column {shown(series.name)!r}, row {series.index[where]}: {str(series.iloc[where])[:40]!r} is no "
            "number; correct the cell, map another column, or leave the row out"
            f"{leaving_out(str(series.name), str(series.iloc[where]))} (in --where, what follows `and` sees only the "
            "rows kept so far)"
        )
    return numbers


def leaving_out(name: str, cell: str) -> str:
    """Return the option that leaves rows with this cell out, where the cell is a plain word or number."""
    if not re.fullmatch(r"[\w ,.:/+-]{1,40}", cell) or "`" in name:
        return ""
    column = name if name.isidentifier() and name.isascii() else f"`{name}`"
    return f" with --where '{column} != \"{cell.strip()}\"'"


def floats(series: pd.Series) -> pd.Series:
    """Return a column as floats: NaN for text, dates and true/false, infinite for digits beyond what a float holds."""
    import pandas as pd

    kinds = pd.api.types
    if any(
        is_kind(series)
        for is_kind in (kinds.is_datetime64_any_dtype, kinds.is_timedelta64_dtype, kinds.is_bool_dtype)
    ):
        return pd.Series(math.nan, index=series.index, name=series.name)
    if series.dtype == object:
        said = [isinstance(cell, bool | np.bool_) for cell in series.tolist()]
        series = series.mask(np.array(said, dtype=bool))
    try:
        return pd.to_numeric(series, errors="coerce").astype(float)
    except (OverflowError, TypeError):  # whole numbers of hundreds of digits; nested cells
        return series.map(_as_float).astype(float)


def exact(series: pd.Series) -> list[Any] | None:
    """Return the cells as whole numbers where floats, which tell them apart up to 2^53, would not; else None."""
    numbers = floats(series).to_numpy()
    large = np.flatnonzero((np.abs(numbers) >= 2**53) & np.isfinite(numbers)).tolist()
    rounded: list[float] = numbers.tolist()
    cells = series.tolist() if large else []
    found: list[Any] = [*rounded]
    for place in large:
        found[place] = _whole(cells[place], rounded[place])
    return found if any(found[place] != rounded[place] for place in large) else None


def told_apart(*sides: pd.Series | int) -> list[NDArray[np.object_]] | None:
    """Return columns of numbers and whole numbers exactly, to be compared; None where floats tell them apart."""
    columns = [None if isinstance(side, int) else number(side) for side in sides]
    exactly = [side if isinstance(side, int) else exact(side) for side in sides]
    if not any(isinstance(e, list) or (e is not None and float(e) != e) for e in exactly):
        return None
    pairs = zip(columns, exactly, strict=True)
    return [np.array(c.tolist() if c is not None and e is None else e, dtype=object) for c, e in pairs]


def missing(series: pd.Series) -> NDArray[np.bool_]:
    """Return which cells are missing: empty ones, and the words of MISSING."""
    empty: NDArray[np.bool_] = series.isna().to_numpy(dtype=bool)
    if _has_no_words(series):
        return empty
    words = [isinstance(cell, str) and cell.strip().casefold() in MISSING for cell in series.tolist()]
    found: NDArray[np.bool_] = empty | np.array(words, dtype=bool)
    return found


def truth(cell: object) -> bool | None:
    """Return what a cell says of true or false; None where it says neither."""
    if isinstance(cell, bool | np.bool_):
        return bool(cell)
    return {"true": True, "false": False}.get(cell.strip().casefold()) if isinstance(cell, str) else None


def truths(series: pd.Series) -> NDArray[np.bool_] | None:
    """Return which cells are true, missing ones not; None for a column that holds anything but true and false."""
    absent = missing(series)
    found = [gone or truth(cell) for cell, gone in zip(series.tolist(), absent.tolist(), strict=True)]
    return None if None in found else np.array(found, dtype=bool) & ~absent


def texts(series: pd.Series) -> NDArray[np.object_]:
    """Return the cells as they are written, without surrounding spaces; None where they are empty."""
    empty = series.isna().to_numpy(dtype=bool)
    written = [
        None if gone else str(cell).strip()
        for cell, gone in zip(series.tolist(), empty.tolist(), strict=True)
    ]
    return np.array(written, dtype=object)


def holds_numbers(series: pd.Series) -> bool:
    """Return whether a column holds numbers and, apart from missing cells, nothing else."""
    absent = missing(series)
    if absent.all() or truths(series) is not None:
        return False
    return not (floats(series).isna().to_numpy() & ~absent).any()


def settled(series: pd.Series) -> pd.Series:
    """Return a column with its missing cells empty, and as floats where nothing but numbers is left.

    Whole numbers beyond 2^53, which may be names, stay as they are where floats would make two of them one.
    """
    if _has_no_words(series):
        return series
    emptied = series.astype(object).mask(missing(series))
    numbers = emptied.isna().all() or (holds_numbers(series) and exact(series) is None)
    return floats(series) if numbers else emptied


def shown(name: object) -> str:
    """Return a name with its invisible characters written out, so that a reader can tell it from its twin."""
    return re.sub(r"[^ -~]", lambda c: c[0] if c[0].isprintable() else ascii(c[0])[1:-1], str(name))


def _has_no_words(series: pd.Series) -> bool:
    import pandas as pd

    kinds = (
        pd.api.types.is_numeric_dtype,
        pd.api.types.is_datetime64_any_dtype,
        pd.api.types.is_timedelta64_dtype,
    )
    return any(is_kind(series) for is_kind in kinds)


def _whole(cell: object, otherwise: float) -> float:
    """Return a cell's whole number, or what its float is."""
    try:
        return int(cell) if isinstance(cell, int | np.integer | str) else otherwise
    except ValueError:
        return otherwise


def _as_float(cell: object) -> float:
    if not isinstance(cell, str | Number) or (isinstance(cell, str) and re.search(r"[^ -~\s]|_", cell)):
        return math.nan  # Python takes 1_000 and digits of other scripts, pandas does not
    try:
        return float(cell)  # type: ignore[arg-type]  # anything may stand in a cell: what is no number raises
    except OverflowError:
        return math.inf
    except (TypeError, ValueError):
        return math.nan
