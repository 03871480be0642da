"""What a cell holds: a number, text, true or false, or one of the words by which tables say that it is missing."""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING

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
            "number; correct the cell, map another column, or leave the row out (in --where, what follows `and` "
            "sees only the rows kept so far)"
        )
    return numbers


def floats(series: pd.Series) -> pd.Series:
    """Return a column as floats: NaN for text and dates, infinite for digits beyond what a float holds."""
    import pandas as pd

    if pd.api.types.is_datetime64_any_dtype(series) or pd.api.types.is_timedelta64_dtype(series):
        return pd.Series(math.nan, index=series.index, name=series.name)
    try:
        return pd.to_numeric(series, errors="coerce").astype(float)
    except (OverflowError, TypeError):  # whole numbers of hundreds of digits; nested cells
        return series.map(_as_float).astype(float)


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
    """Return a column with its missing cells empty, and as floats where nothing but numbers is left."""
    if _has_no_words(series):
        return series
    emptied = series.astype(object).mask(missing(series))
    return floats(series) if holds_numbers(series) or emptied.isna().all() else emptied


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


def _as_float(cell: object) -> float:
    try:
        return float(cell)  # type: ignore[arg-type]  # anything may stand in a cell: what is no number raises
    except OverflowError:
        return math.inf
    except (TypeError, ValueError):
        return math.nan
