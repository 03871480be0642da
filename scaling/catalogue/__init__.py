"""Runs that others made: a catalogue of sources with hashes, fetched once and read as tables for laws.

data/catalogue.toml lists them. A file is taken from the folder that SCALING_DATA_MIRROR names, else from the cache
(``$SCALING_CACHE``, else the user's cache folder, under ``data``), else fetched into the cache; its hash is checked
wherever it comes from.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from scaling.catalogue.entries import Entry, File, find, read
from scaling.catalogue.places import locate, state
from scaling.errors import InputError

if TYPE_CHECKING:
    import pandas as pd

    from scaling.records.reading import Reading


def dataset(name: str, where: str | None = None) -> pd.DataFrame:
    """Return the rows of a data set with the columns of laws (N, D, C, loss), fetched first if need be.

    ``where`` chooses rows in place of the customary ones; ``scaling data list`` shows the names. All columns of the
    file are there too. Raises ``InputError`` for an unknown name, for a data set without such columns and for one that
    cannot be had.
    """
    return reading(find(name), where).frame


def reading(entry: Entry, where: str | None = None) -> Reading:
    """Return the rows of a data set as ``dataset`` does, with the account of the rows left out and the file's hash."""
    from scaling.records.reading import read_table

    if entry.columns is None or (len(entry.files) > 1 and entry.from_name is None):
        raise InputError(
            f"{entry.name} is no single table with columns that a law takes; `scaling data fetch {entry.name}` "
            "gives its files as they are"
        )
    paths: list[str | Path] = [*locate(entry)]
    given = paths[0] if entry.from_name is None else paths
    return read_table(given, entry.columns, where or entry.where, entry.from_name)


__all__ = ["Entry", "File", "dataset", "find", "locate", "read", "reading", "state"]
