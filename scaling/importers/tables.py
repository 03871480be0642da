"""What was imported as tables on disk: runs, history, and the two joined for a fit."""

from __future__ import annotations

import os
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from scaling.errors import InputError
from scaling.importers.importer import Imported
from scaling.records.cells import shown
from scaling.records.store import make_folder
from scaling.records.tables import write_parquet

if TYPE_CHECKING:
    import pandas as pd

FILES = ("runs.parquet", "history.parquet", "table.parquet")


def joined(found: Imported, last: str | None = None, carry: Sequence[str] = ()) -> pd.DataFrame:
    """Return the history with the columns of its runs and a column ``last``; a run without a history is one row.

    ``last`` is true in each run's last row that has a value of the metric ``last``, by default of any metric.
    Empty cells of the metrics ``carry`` take the last value that the run logged before. Raises ``InputError`` for
    a metric that is not there.
    """
    import pandas as pd

    history = found.history
    metrics = [name for name in history.columns if name not in ("run_id", "step")]
    for flag, name in [*(("--carry", name) for name in carry), *((("--last", last),) if last else ())]:
        if name not in metrics:
            known = ", ".join(map(shown, metrics[:12])) + (
                f" and {len(metrics) - 12} more" if metrics[12:] else ""
            )
            raise InputError(f"{flag} {shown(name)}: no such metric; the history has {known or 'none'}")
    there = history[[last] if last else metrics].notna().any(axis=1)
    marked = there & ~history["run_id"].where(there).duplicated(keep="last")
    carried = history[[*carry]].groupby(history["run_id"], sort=False).ffill()
    history = history.assign(last=marked, **{name: carried[name] for name in carried.columns})
    table = history.merge(found.runs, on="run_id", how="outer", sort=False)
    order = pd.Series(range(len(found.runs)), index=found.runs["run_id"])
    table = table.iloc[table["run_id"].map(order).argsort(kind="stable")].reset_index(drop=True)
    bare = ~table["run_id"].isin(set(history["run_id"]))
    table["last"] = table["last"].astype("boolean").mask(bare, True).fillna(False)
    ours = ["run_id", "name", "step", "last"]
    return table[[*ours, *table.columns.drop(ours)]]


def save(directory: Path, found: Imported, table: pd.DataFrame) -> list[Path]:
    """Write the three tables aside, then move them into place; ``InputError`` where one would replace an input.

    An ``OSError`` while they are written, as on a full disk, leaves older tables as they were.
    """
    make_folder(directory)
    targets = [directory / name for name in FILES]
    for target in targets:
        if target.exists() and any(file.exists() and target.samefile(file) for file in found.files):
            raise InputError(
                f"--out {directory}: {target.name} there is a file that is read; give another folder"
            )
    aside = directory / f".writing-{os.getpid()}"
    try:
        make_folder(aside)
        for target, frame in zip(targets, (found.runs, found.history, table), strict=True):
            write_parquet(frame, aside / target.name)
        for target in targets:
            (aside / target.name).replace(target)
    finally:
        shutil.rmtree(aside, ignore_errors=True)
    return targets
