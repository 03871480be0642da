"""Where the files of the catalogue are: in a mirror, in data/external, in the cache, or at their source, in this order."""

from __future__ import annotations

import errno
import os
from pathlib import Path

from scaling.catalogue.download import Refused, Unreachable, download, hash_of
from scaling.catalogue.entries import Entry, File
from scaling.corpora.cache import cache_root
from scaling.errors import InputError
from scaling.study import bundled

MIRROR = "SCALING_DATA_MIRROR"
"""Names a folder that has files of the catalogue as ``<folder>/<name>``."""


def locate(entry: Entry) -> list[Path]:
    """Return the paths of an entry's files, fetched first where neither mirror nor cache has them.

    Whatever is returned has the catalogue's hash, and is the mirror's own file where the mirror has it. Raises
    ``InputError`` for a file that the mirror has with other bytes, a derived table that it lacks, an address that
    does not give the file, and a cache that cannot be written; the exit status is 1 where only the network or room
    on the disk is missing.
    """
    return [
        _mirrored(entry, file) or _carried(entry, file) or _cached(entry, file) or _fetched(entry, file)
        for file in entry.files
    ]


def state(entry: Entry) -> str:
    """Return in a word or two where an entry's files are; ``InputError`` where the mirror is no folder."""
    mirror()
    states = [_state(entry, file) for file in entry.files]
    if len(set(states)) == 1:
        return states[0]
    here = sum(one in ("mirrored", "carried", "cached") for one in states)
    return next((one for one in states if one.startswith("damaged")), f"{here} of {len(states)} here")


def _state(entry: Entry, file: File) -> str:
    try:
        if _mirrored(entry, file):
            return "mirrored"
    except InputError:
        return "damaged in the mirror"
    if _carried(entry, file):
        return "carried"
    if _cached(entry, file):
        return "cached"
    return "mirror only" if entry.reason else "not fetched"


def mirror() -> Path | None:
    """Return the folder that SCALING_DATA_MIRROR names; ``InputError`` if it is none."""
    chosen = os.environ.get(MIRROR)
    if chosen and not Path(chosen).is_dir():
        raise InputError(f"{MIRROR} is {chosen}, which is no folder; correct it or unset it")
    return Path(chosen) if chosen else None


def _mirrored(entry: Entry, file: File) -> Path | None:
    folder = mirror()
    path = folder and folder / entry.folder / file.name
    if path is None or not path.exists():
        return None
    try:
        found = hash_of(path)
    except OSError as error:
        raise InputError(
            f"cannot read {path} ({error.strerror}); make it readable or unset {MIRROR}"
        ) from error
    if found != file.sha256:
        raise InputError(
            f"{path} has sha256 {found[:12]}..., expected {file.sha256[:12]}... as {entry.name} has in the "
            f"catalogue; replace the file or unset {MIRROR}"
        )
    return path


def _target(entry: Entry, file: File) -> Path:
    return cache_root() / "data" / entry.folder / file.name


def _carried(entry: Entry, file: File) -> Path | None:
    """Return the file that the project carries itself, where it may."""
    path = bundled("data") / "external" / entry.folder / file.name
    return path if path.is_file() and hash_of(path) == file.sha256 else None


def _cached(entry: Entry, file: File) -> Path | None:
    """Return the cached file; one that is damaged counts as missing, as it can be fetched again."""
    path = _target(entry, file)
    try:
        return path if hash_of(path) == file.sha256 else None
    except OSError:
        return None


def _fetched(entry: Entry, file: File) -> Path:
    target = _target(entry, file)
    here = f"{entry.folder}/{file.name}"
    if not file.urls:
        raise InputError(
            f"{entry.name} has no address ({entry.reason}); set {MIRROR} to a folder that has {here}"
        )
    try:
        failures = _download(entry, file, target)
    except OSError as error:
        raise InputError(
            f"cannot write the data cache {target.parent}: {error.strerror or error}; make room there, or set "
            "SCALING_CACHE to a folder that can be written"
        ) from error
    if not failures:
        return target
    tried = "; then ".join(f"{url}: {error}" for url, error in failures.items())
    refused = any(isinstance(error, Refused) for error in failures.values())
    away = OSError(errno.ENETUNREACH, os.strerror(errno.ENETUNREACH))
    raise InputError(
        f"cannot fetch {entry.name}: {tried}; set {MIRROR} to a folder that has {here}, or save the file as {target}"
    ) from (None if refused else away)


def _download(entry: Entry, file: File, target: Path) -> dict[str, Exception]:
    """Try the addresses in turn; return the failures by address, none when the file is there.

    A second process that wants the file waits for the first and takes its copy.
    """
    from filelock import FileLock

    target.parent.mkdir(parents=True, exist_ok=True)
    failures: dict[str, Exception] = {}
    with FileLock(f"{target}.lock"):
        if _cached(entry, file):
            return {}
        for url in file.urls:
            try:
                download(url, target, file.sha256, file.bytes)
            except (Refused, Unreachable) as error:
                failures[url] = error
            else:
                return {}
    return failures
