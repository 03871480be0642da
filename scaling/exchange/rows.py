"""Rows of a user's table: which finished, which samples are right, which columns tell checkpoints apart."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from scaling.errors import InputError
from scaling.exchange import ledger as ledgers
from scaling.fitting.rows import FINISHED, number_column
from scaling.laws.base import Array
from scaling.records.cells import missing, truths

if TYPE_CHECKING:
    import pandas as pd

COSTS = (
    ledgers.TRAIN,
    ledgers.BEFORE,
    ledgers.TRAIN_SECONDS,
    ledgers.INFER,
    *ledgers.PARTS,
    ledgers.TOKENS,
    ledgers.SECONDS,
)
Behind = tuple[tuple[Any, ...], ...] | None


def finished(frame: pd.DataFrame) -> np.ndarray[Any, np.dtype[np.bool_]]:
    """Which rows are of runs that finished, (n,): all, where no column status tells."""
    if "status" not in frame:
        return np.ones(len(frame), dtype=np.bool_)
    said = frame["status"].astype(str).str.lower()
    return np.asarray((said.isin(FINISHED) | frame["status"].isna()).to_numpy(), dtype=np.bool_)


def right(frame: pd.DataFrame) -> Array:
    """Which samples are right, (n,): 1 or 0 by the column correct, NaN where it is empty.

    Raises InputError for anything but 0, 1, true and false.
    """
    said = truths(frame["correct"])
    if said is not None:
        return np.where(missing(frame["correct"]), np.nan, said)
    found = number_column(frame, "correct")
    wrong = np.isfinite(found) & (found != 0) & (found != 1)
    if wrong.any():
        at = int(np.argmax(wrong))
        raise InputError(f"row {frame.index[at]}: correct is {found[at]:g}; expected 0 or 1 (or true, false)")
    return found


def checkpoint_keys(frame: pd.DataFrame, *more: str) -> list[str]:
    """Columns that tell checkpoints (and `more`) apart."""
    names = [name for name in (ledgers.TRAIN, ledgers.TRAIN_SECONDS, "run", "seed") if name in frame]
    return [*names, *(name for name in more if name in frame)]


def rows_behind(frame: pd.DataFrame, group: Sequence[int]) -> tuple[tuple[Any, ...], ...]:
    """Rows of each group, which are numbered from 0."""
    rows: list[list[Any]] = [[] for _ in range(max(group, default=-1) + 1)]
    for row, one in zip(frame.index.tolist(), group, strict=True):
        rows[one].append(row)
    return tuple(map(tuple, rows))
