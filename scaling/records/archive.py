"""A folder of gathered records: the tables of one preset and a manifest that says whose they are."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from scaling.errors import InputError
from scaling.records.columns import TABLES
from scaling.records.store import make_folder, write_text
from scaling.records.tables import Records

MANIFEST = "manifest.json"
SCHEMA = "scaling.records/1"


@dataclass(frozen=True)
class Archive:
    """The records of a finished preset."""

    study: str
    """Study that the runs belong to."""
    preset: str
    """Preset of that study."""
    records: Records
    """The tables."""
    sha256: str
    """Hash over the tables' files."""


def save(directory: Path, study: str, preset: str, records: Records) -> None:
    """Write the tables and the manifest aside, then move them into place: a folder with a manifest is whole.

    An ``OSError`` while they are written, as on a full disk, leaves older records as they were.
    """
    make_folder(directory)
    aside = directory / f".writing-{os.getpid()}"
    try:
        records.save(aside)
        body = {"schema": SCHEMA, "study": study, "preset": preset, "sha256": _hashes(aside)}
        write_text(aside / MANIFEST, json.dumps(body, sort_keys=True, indent=1) + "\n")
        (directory / MANIFEST).unlink(missing_ok=True)
        for table in TABLES:
            if table.optional and table not in records.filled():
                (directory / f"{table.name}.parquet").unlink(missing_ok=True)
        for path in sorted(aside.iterdir(), key=lambda path: path.name == MANIFEST):
            path.replace(directory / path.name)
    finally:
        shutil.rmtree(aside, ignore_errors=True)


def load(directory: Path) -> Archive:
    """Read and check the folder that ``save`` wrote; ``InputError`` says what is wrong with it."""
    path = directory / MANIFEST
    if not directory.is_dir():
        raise InputError(f"{directory} is no folder of records; give the folder that holds {MANIFEST}")
    try:
        body: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        schema, study, preset = (body[key] for key in ("schema", "study", "preset"))
        hashes = {name: body["sha256"][name] for name in _files(body["sha256"])}
    except FileNotFoundError as error:
        raise InputError(
            f"{directory} has no {MANIFEST}: it holds no complete records; run the study to its end"
        ) from error
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        why = f"it lacks {error}" if isinstance(error, KeyError) else error
        raise InputError(f"{path} is damaged ({why}); restore it or run the study again") from error
    if schema != SCHEMA:
        raise InputError(
            f"{path} has schema {schema!r}, expected {SCHEMA!r}; read it with the version that wrote it"
        )
    found = _hashes(directory)
    for name in sorted(hashes.keys() | found.keys()):
        if found.get(name) != hashes.get(name):
            raise InputError(
                f"{directory / name} is not what the manifest says; restore it or run the study again"
            )
    whole = hashlib.sha256(json.dumps(hashes, sort_keys=True).encode()).hexdigest()
    return Archive(study, preset, Records.load(directory), whole)


def provenance(archive: Archive) -> dict[str, str]:
    """Return what the records say of where they come from."""
    runs = archive.records.runs

    def each(column: str) -> str:
        return "; ".join(sorted({str(value) for value in runs[column].dropna()}))

    corpora = sorted(
        {f"{name} {sha[:16]}" for name, sha in zip(runs["data"], runs["data_sha256"], strict=True)}
    )
    ended = runs["status"].value_counts().sort_index()
    return {
        "study": f"{archive.study}, preset {archive.preset}",
        "runs": ", ".join(f"{count} {status}" for status, count in ended.items()),
        "device time": f"{float(runs['device_seconds'].sum()) / 3600:.2f} h",
        "hardware": each("hardware"),
        "versions": each("version"),
        "corpora (sha256)": "; ".join(corpora),
        "seeds": _numbers_in_words(sorted({int(seed) for seed in runs["seed_data"]})),
        "records (sha256)": archive.sha256,
    }


def _numbers_in_words(found: list[int]) -> str:
    """Return a few numbers one by one, many by their count and ends."""
    if len(found) <= 8:
        return ", ".join(map(str, found))
    return f"{len(found)} from {found[0]} to {found[-1]}"


def _files(listed: Mapping[str, str]) -> list[str]:
    """Return the files of tables that a manifest must list, or lists."""
    names = {f"{table.name}.parquet": table.optional for table in TABLES}
    return [name for name, optional in names.items() if name in listed or not optional]


def _hashes(directory: Path) -> dict[str, str]:
    files = [directory / f"{table.name}.parquet" for table in TABLES]
    return {f.name: hashlib.sha256(f.read_bytes()).hexdigest() for f in files if f.is_file()}
