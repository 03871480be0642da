"""A data set fitted as it customarily is: which fits there are, their rows, and the fit."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from scaling.catalogue import Entry, reading
from scaling.errors import InputError
from scaling.fitting import Excluded, Fit, fit, sweep_optima

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class Table:
    """The rows of one customary fit."""

    name: str
    """The entry's name, or the experiment's where an entry has several."""
    entry: Entry
    """How they are fitted."""
    frame: pd.DataFrame
    """Rows in use, with the columns of laws; the optima of sweeps where knobs were swept."""
    excluded: Excluded
    """(row, reason) of the others."""
    sha256: str
    """Hash of the file."""

    def fit(self, **options: Any) -> Fit:
        """Fit the law that is customarily fitted; ``options`` are those of ``scaling.fit``."""
        if self.entry.law is None:
            raise InputError(f"{self.entry.name} has no customary law; give scaling.fit one")
        chosen = {"excluded": self.excluded, "sha256": self.sha256} | self.objective | options
        return fit(self.entry.law, self.frame, cluster=self.entry.cluster, fix=self.entry.fix, **chosen)

    @property
    def objective(self) -> dict[str, Any]:
        """What is minimised, as ``scaling.fit`` takes it."""
        return {"loss": self.entry.loss, "residual": self.entry.residual}


def tables(entry: Entry) -> Iterator[Table]:
    """Yield the rows of each customary fit of an entry: its own, its further ones, each experiment by itself.

    Raises ``InputError`` for a data set that cannot be had.
    """
    for one in (entry, *entry.also):
        if one.law is not None:
            yield from _experiments(one) if one.by else [_whole(one)]


def _whole(entry: Entry) -> Table:
    found = reading(entry)
    if not entry.tuned:
        return Table(entry.name, entry, found.frame, found.excluded, found.sha256)
    optima = sweep_optima(found.frame, entry.tuned)
    return Table(entry.name, entry, optima.frame, optima.excluded, found.sha256)


def _experiments(entry: Entry) -> Iterator[Table]:
    """The account of each experiment is of its own rows alone."""
    chosen, every = reading(entry), reading(replace(entry, where=None))
    for value, rows in every.frame.groupby(entry.by):
        kept = chosen.frame.loc[chosen.frame.index.isin(rows.index)]
        excluded = tuple((row, reason) for row, reason in chosen.excluded if row in rows.index)
        yield Table(str(value), entry, kept, excluded, chosen.sha256)
