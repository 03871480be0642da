"""What an importer is: a reader of one outside format, and what it brings."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class Skipped:
    """Entries of a log that were not kept."""

    where: str
    """File, and the place in it where there is one."""
    reason: str
    """Why, in a few words."""
    count: int = 1
    """How many entries."""


@dataclass(frozen=True)
class Imported:
    """What a log holds. ``read`` is always ``kept`` plus the counts of ``skipped``."""

    runs: pd.DataFrame
    """One row a run: run_id, name, file, columns from names, what the log says of the run (config/... where it has
    hyperparameters), summary/... for the last value of each metric."""
    history: pd.DataFrame
    """One row a logged step: run_id, step, metrics; what was not logged is missing."""
    unit: str
    """What an entry of this format is, in the plural: rows, values, cells."""
    read: int
    """Entries in the files."""
    kept: int
    """Entries that are in ``history`` or, for exports of one row a run, in ``runs``."""
    skipped: tuple[Skipped, ...]
    """Entries left out, with reasons."""
    notes: tuple[str, ...]
    """What a reader of the tables should know, a line each."""
    files: tuple[Path, ...]
    """The files that were read."""


@dataclass(frozen=True)
class Choices:
    """What the caller says of the files."""

    run: str | None = None
    """Column that tells runs apart."""
    step: str | None = None
    """Column that counts steps."""
    from_name: str | None = None
    """Regular expression whose named groups are columns, searched in each run's name."""


@dataclass(frozen=True)
class Importer:
    """A format on the shelf: cheap to make, reads nothing before ``read``."""

    name: str
    """What ``scaling import`` calls it."""
    summary: str
    """One line for ``scaling list importers``: what it reads, and which path to give."""
    read: Callable[[Sequence[Path], Choices], Imported]
    """Read files or folders; ``InputError`` with one line where they hold no such log."""
    takes: frozenset[str] = field(default_factory=frozenset)
    """Which of the choices ``run`` and ``step`` the format has a use for."""
