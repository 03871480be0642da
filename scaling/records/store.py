"""The store: one folder per run, written so that a kill at any moment loses no finished work.

    <store>/<run_id>/spec.json            what is run
                     state-<step>.pt      where branches leave (training writes and reads these)
                     resume.pt            the rolling state of an unfinished run
                     *.parquet            the run's rows, written when it ends
                     done.json            written last: the run is finished

Every file appears by an atomic rename; ``done.json`` holds the hash of each table, so a folder that was damaged
later is noticed and named.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from scaling.errors import InputError
from scaling.records.columns import TABLES, Table
from scaling.records.spec import Spec, from_json, spec_id, to_json
from scaling.records.tables import Records, check, empty

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class Store:
    """A folder of run folders."""

    root: Path
    """The store's folder."""

    def open(self) -> Store:
        """Create the store's folder if need be; ``InputError`` where a file is in the way."""
        make_folder(self.root)
        return self

    def folder(self, run_id: str) -> Path:
        """Return the folder of a run (it may not exist)."""
        return self.root / run_id

    def add(self, spec: Spec) -> Path:
        """Create the folder of a spec's run, with the spec in it, and return it."""
        folder = make_folder(self.folder(spec_id(spec)))
        if not (folder / "spec.json").is_file():
            write_text(folder / "spec.json", to_json(spec))
        return folder

    def spec(self, run_id: str) -> Any:
        """Return the spec stored in a run's folder; ``InputError`` if it is missing or was altered."""
        path = self.folder(run_id) / "spec.json"
        try:
            spec = from_json(path.read_text(encoding="utf-8"))
        except (OSError, UnicodeDecodeError, InputError) as error:
            raise _corrupt(self.folder(run_id), f"spec.json: {error}") from error
        if spec_id(spec) != run_id:
            raise _corrupt(self.folder(run_id), "spec.json does not hash to the folder's name")
        return spec

    def is_done(self, run_id: str) -> bool:
        """Return whether a run has finished (well or badly)."""
        return (self.folder(run_id) / "done.json").is_file()

    def finish(self, run_id: str, rows: Records) -> None:
        """Write a run's rows, then mark it finished."""
        folder = self.folder(run_id)
        rows.save(folder)
        hashes = {t.name: _sha256(folder / f"{t.name}.parquet") for t in rows.filled()}
        write_text(folder / "done.json", json.dumps({"tables": hashes}, sort_keys=True))

    def verify(self, run_ids: Iterable[str]) -> None:
        """Check what is there of the given runs; ``InputError`` names the first damaged folder."""
        for run_id in run_ids:
            if self.folder(run_id).is_file():
                make_folder(self.folder(run_id))  # says what is in the way
            if (self.folder(run_id) / "spec.json").exists():
                self.spec(run_id)
            if self.is_done(run_id):
                self._check_tables(run_id)

    def _check_tables(self, run_id: str) -> None:
        folder = self.folder(run_id)
        if not self.is_done(run_id):
            raise InputError(
                f"run {run_id} in {self.root} has not finished; run the same command again to finish it"
            )
        try:
            hashes = json.loads((folder / "done.json").read_text(encoding="utf-8"))["tables"]
            for table in (table for table in TABLES if table.name in hashes or not table.optional):
                if _sha256(folder / f"{table.name}.parquet") != hashes[table.name]:
                    raise _corrupt(folder, f"{table.name}.parquet is not what the run wrote")
        except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
            if isinstance(error, InputError):
                raise
            raise _corrupt(folder, f"done.json or a table: {error}") from error

    def gather(self, run_ids: Iterable[str]) -> Records:
        """Return the rows of finished runs, in the given order; ``InputError`` names one unfinished or damaged."""
        import pyarrow as pa
        import pyarrow.parquet as pq

        folders = [self.folder(run_id) for run_id in run_ids]
        if not folders:
            raise InputError(f"no runs to gather from {self.root}")
        for folder in folders:
            self._check_tables(folder.name)

        def joined(table: Table) -> pd.DataFrame:
            # one conversion for all runs: a grid may hold thousands of them
            files = [folder / f"{table.name}.parquet" for folder in folders]
            parts = [pq.read_table(file) for file in files if not table.optional or file.is_file()]
            if not parts:
                return empty(table)
            return check(table, pa.concat_tables(parts, promote_options="default").to_pandas())

        return Records(**{table.name: joined(table) for table in TABLES})

    def rows(self, run_id: str) -> Records:
        """Return the rows of one finished run."""
        return self.gather([run_id])


def branch_state(folder: Path, step: int | str) -> Path:
    """Return where a trunk's folder keeps the state that a branch at ``step`` leaves from."""
    return folder / f"state-{step}.pt"


def make_folder(path: Path) -> Path:
    """Create a folder and its parents if need be; ``InputError`` names a file that is in the way."""
    try:
        path.mkdir(parents=True, exist_ok=True)
    except (FileExistsError, NotADirectoryError) as error:
        found = next((p for p in (path, *path.parents) if p.exists() and not p.is_dir()), path)
        raise InputError(
            f"{found} is a file where a folder should be; move it away or give another folder"
        ) from error
    return path


def write_text(path: Path, text: str) -> None:
    """Write a text file as UTF-8; see ``write_bytes``."""
    write_bytes(path, text.encode("utf-8"))


def write_bytes(path: Path, content: bytes) -> None:
    """Write a file by an atomic rename; see ``write_together``."""
    write_together({path: content})


def write_together(contents: Mapping[Path, bytes]) -> None:
    """Write files that belong together: none is replaced before all are on the disk, each by an atomic rename.

    A link stays and leads to the new content; what is no file, such as a device or a pipe, is written into. An
    ``OSError`` names the file and leaves the old ones whole.
    """
    partials: dict[Path, Path] = {}
    path = Path()
    try:
        for path, content in contents.items():
            if path.exists() and not path.is_file():
                path.write_bytes(content)
                continue
            real = Path(os.path.realpath(path))
            partials[path] = real.with_name(f"{real.name}.{os.getpid()}.partial")
            partials[path].write_bytes(content)
        for path, partial in partials.items():
            partial.replace(os.path.realpath(path))
    except OSError as error:
        error.filename, error.filename2 = str(path), None
        raise
    finally:
        for partial in partials.values():
            partial.unlink(missing_ok=True)


def _corrupt(folder: Path, what: str) -> InputError:
    return InputError(f"run folder {folder} is damaged ({what}); delete the folder and run again to redo it")


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
