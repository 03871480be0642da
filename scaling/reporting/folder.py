"""A report's folder: replaced as a whole, and never at the cost of somebody else's files."""

import json
import os
import re
import shutil
import time
from collections.abc import Mapping
from pathlib import Path

from scaling.errors import InputError

SCHEMA = "scaling.report/1"
"""Stands in a report's results.json and so tells its folder from others."""

_OURS = re.compile(r"index\.html|index\.md|results\.json|figures/[\w-]+\.svg|tables/[\w-]+\.(?:csv|json)")
_STAGING = ".writing-"
_ABANDONED_SECONDS = 600.0


def check(directory: Path) -> None:
    """Refuse a path where a report cannot go.

    Raises:
        InputError: it is a file, or a folder with files but no report.
    """
    try:
        if directory.exists() and not directory.is_dir():
            raise InputError(f"{directory} is a file, a report needs a folder: give another path")
        if _old_files(directory) is None:
            raise InputError(
                f"{directory} has files but no report ({SCHEMA} in results.json): give a new or empty folder"
            )
    except OSError as error:
        raise _unwritable(directory, error) from error


def replace(directory: Path, files: Mapping[str, str]) -> Path:
    """Write all files aside, then move them into place and remove the old report's other files.

    Args:
        directory: made where it is missing.
        files: text by relative path; "results.json" lists them all under "files".

    Raises:
        InputError: the folder cannot be written; the old report is then as it was.
    """
    staging = directory / f"{_STAGING}{os.getpid()}"
    try:
        directory.mkdir(parents=True, exist_ok=True)
        _sweep(directory)
        for name, text in files.items():
            path = staging / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(text.encode())
        stale = (_old_files(directory) or set()) - set(files)
        for parent in {(directory / name).parent for name in files}:
            parent.mkdir(exist_ok=True)
        for name in sorted(files, key=lambda name: (name == "results.json", name)):
            (staging / name).replace(directory / name)
        for name in stale:
            (directory / name).unlink(missing_ok=True)
        _drop_empty(directory)
    except OSError as error:
        raise _unwritable(directory, error) from error
    finally:
        shutil.rmtree(staging, ignore_errors=True)
    return directory


def _old_files(directory: Path) -> set[str] | None:
    """Files of the report in a folder; none in an empty or missing one; None where no report is."""
    if not directory.exists() or all(path.name.startswith(_STAGING) for path in directory.iterdir()):
        return set()
    try:
        results = json.loads((directory / "results.json").read_text(encoding="utf-8"))
        listed = results["files"] if results["schema"] == SCHEMA else None
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return None if listed is None else {name for name in listed if _OURS.fullmatch(name)}


def _sweep(directory: Path) -> None:
    """Remove what writers left that were killed: staging folders that nobody touched for a while."""
    for path in directory.glob(f"{_STAGING}*"):
        if time.time() - path.stat().st_mtime > _ABANDONED_SECONDS:
            shutil.rmtree(path, ignore_errors=True)


def _drop_empty(directory: Path) -> None:
    for name in ("figures", "tables"):
        path = directory / name
        if path.is_dir() and not any(path.iterdir()):
            path.rmdir()


def _unwritable(directory: Path, error: OSError) -> InputError:
    reason = error.strerror or str(error)
    return InputError(
        f"cannot write the report to {directory}: {reason}; make room there or give another folder"
    )
