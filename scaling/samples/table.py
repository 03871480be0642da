"""A user's table of counts or of samples, checked, as arrays by group and problem.

Shapes: P pairs of a group and a problem, rows samples or counts.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from scaling.errors import InputError
from scaling.samples import checks
from scaling.samples.checks import Whole

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, eq=False)
class Table:
    """Rows with the problem that each belongs to."""

    rows: "pd.DataFrame"
    """The table as given."""
    keys: "pd.DataFrame"
    """Columns of the groups, and `problem`: one row a pair, ascending, (P,)."""
    which: Whole
    """Position among the pairs of each row, (rows,)."""

    @property
    def pairs(self) -> int:
        """P."""
        return len(self.keys)

    def column(self, name: str) -> Any:
        """A column's values as an array."""
        return self.rows[name].to_numpy()

    def named(self, pair: int) -> str:
        """A pair in words: each column's name and value."""
        return ", ".join(f"{name} {self.keys[name].iloc[pair]}" for name in self.keys.columns)


def table(frame: Any, by: Sequence[str], columns: Sequence[str]) -> Table:
    """Return the table as groups and problems; needs `by`, `problem` and `columns`.

    Raises InputError for what is no table, columns that are missing, a missing group or problem, and a sample that is
    there twice, where there is a column `sample`.
    """
    import pandas as pd

    if not isinstance(frame, pd.DataFrame):
        raise InputError(f"the table is {checks.said(frame)}; give a pandas DataFrame")
    if isinstance(by, str) or not all(isinstance(name, str) for name in by):
        raise InputError(
            f"by is {checks.said(by)}; give a tuple of columns' names, for example ('checkpoint',)"
        )
    names = [*by, "problem"]
    for name in (*names, *columns):
        if name not in frame.columns:
            found = ", ".join(str(column) for column in frame.columns[:12])
            raise InputError(
                f"no column is called {name} (the table has {found or 'none'}); rename the one meant"
            )
    if not len(frame):
        raise InputError("the table has no rows; give at least one problem")
    for name in names:
        missing = int(frame[name].isna().sum())
        if missing:
            raise InputError(f"{name} is missing in {missing} rows; fill it in or leave them out")
    grouped = frame.groupby(names, sort=True, observed=True)
    which = grouped.ngroup().to_numpy(dtype=np.int64)
    keys = frame[names].iloc[np.unique(which, return_index=True)[1]].reset_index(drop=True)
    if "sample" in frame.columns:
        _once(frame, [*names, "sample"])
    return Table(frame, keys, np.asarray(which, dtype=np.int64))


def _once(frame: "pd.DataFrame", names: list[str]) -> None:
    """Refuse a sample that is there twice."""
    twice = frame.duplicated(names)
    if twice.any():
        first = frame.loc[twice, names].iloc[0]
        said = ", ".join(f"{name} {first[name]}" for name in names)
        raise InputError(
            f"{int(twice.sum())} samples are there twice, the first {said}; leave out the copies, or name in by what "
            "tells them apart"
        )


def counted(given: Table) -> tuple[Whole, Whole]:
    """Samples and right ones of each pair, (P,): of a row with n and c, or of rows with `correct`."""
    if "correct" in given.rows.columns:
        right = checks.flags("correct", given.column("correct"))
        n = np.bincount(given.which, minlength=given.pairs)
        c = np.bincount(given.which, weights=right, minlength=given.pairs)
        return n, c.astype(np.int64)
    if len(given.which) > given.pairs:
        said = given.named(int(np.argmax(np.bincount(given.which) > 1)))
        raise InputError(f"{said} has several rows of n and c; give one, or name in by what tells them apart")
    order = np.argsort(given.which)
    n, c = checks.counts(given.column("n"), given.column("c"))
    return n[order], c[order]
