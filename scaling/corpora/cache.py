"""The cache of built corpora: one folder an entry, made whole or not at all, checked whenever it is opened."""

import contextlib
import hashlib
import json
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from scaling.corpora.build import FORMAT, HEAVIEST_SHARE, HELD_OUT, TRAIN
from scaling.corpora.text import ReadyText
from scaling.errors import InputError


def cache_root() -> Path:
    """Folder of the cache: $SCALING_CACHE, else the platform's folder for a user's caches."""
    if chosen := os.environ.get("SCALING_CACHE"):
        return Path(chosen)
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Caches" / "scaling-suite"
    local = os.environ.get("LOCALAPPDATA" if sys.platform == "win32" else "XDG_CACHE_HOME")
    return (Path(local) if local else Path.home() / ".cache") / "scaling-suite"


def fingerprint(files: list[tuple[str, Path]], *options: str) -> str:
    """Names an entry by what its sources look like from outside: labels, sizes and times of change.

    Raises InputError for a file that cannot be looked at.
    """
    digest = hashlib.sha256(repr((FORMAT, HEAVIEST_SHARE, options)).encode())
    for label, path in sorted(files):
        try:
            stat = path.stat()
        except OSError as error:
            raise InputError(
                f"cannot read {path}: {error.strerror}; make it readable or leave it out"
            ) from error
        digest.update(repr((label, stat.st_size, stat.st_mtime_ns)).encode())
    return digest.hexdigest()[:20]


def cached(name: str, key: str, build: Callable[[Path], None], cache: Path | None) -> ReadyText:
    """The ready corpus of entry `key`, built first if it is missing or damaged.

    build(folder) fills an empty folder beside the entry, which then takes the entry's place in one rename: a
    reader never sees half an entry, and two processes may build at once, as both make the same bytes.
    Raises InputError when the cache cannot be written.
    """
    root = (cache or cache_root()) / "corpora"
    entry = root / key
    ready = _open(name, entry)
    if ready is not None:
        return ready
    try:
        root.mkdir(parents=True, exist_ok=True)
        _sweep(root)
        with tempfile.TemporaryDirectory(dir=root, prefix=f"{key}-building-") as folder:
            built = Path(folder, "entry")
            built.mkdir()
            build(built)
            return _install(name, built, entry)
    except OSError as error:
        raise InputError(
            f"cannot write the corpus cache {root}: {error.strerror or error}; free space there or set "
            "SCALING_CACHE to a folder that can be written"
        ) from error


def _install(name: str, built: Path, entry: Path) -> ReadyText:
    """Move a built entry into place; where another process was first, take that one."""
    for attempt in range(20):
        with contextlib.suppress(OSError):  # the other process may move between any two of these lines
            if entry.exists():  # damaged, or made by another process meanwhile: ours is the same
                entry.rename(built.with_name(f"replaced-{attempt}"))
            built.rename(entry)
        if (ready := _open(name, entry)) is not None:
            return ready
        time.sleep(0.05)
    raise OSError(f"{entry} is made and lost again and again")


def _open(name: str, entry: Path) -> ReadyText | None:
    """The entry as a ready corpus, None if it is missing, damaged or cut short: every byte is checked."""
    try:
        manifest: dict[str, Any] = json.loads((entry / "manifest.json").read_text(encoding="utf-8"))
        sides = {
            side: np.memmap(entry / f"{side}.bin", dtype=np.uint8, mode="r") for side in (TRAIN, HELD_OUT)
        }
        if any(hashlib.sha256(sides[s].data).hexdigest() != manifest["sides"][s]["sha256"] for s in sides):
            return None
        sha256 = str(manifest["sha256"])
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return ReadyText(
        name=name,
        sha256=sha256,
        vocabulary=256,
        train_tokens=len(sides[TRAIN]),
        bytes_per_token=1.0,
        train=sides[TRAIN],
        held=sides[HELD_OUT],
    )


def _sweep(root: Path) -> None:
    """Remove what builds that were killed more than a day ago left behind."""
    for folder in root.glob("*-building-*"):
        if time.time() - folder.stat().st_mtime > 86400:
            shutil.rmtree(folder, ignore_errors=True)
