"""Several files read as one table: which ones are meant, how their rows are called, and one hash for all."""

from __future__ import annotations

import glob
import hashlib
import warnings
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from scaling.errors import InputError
from scaling.records.cells import exact, shown
from scaling.records.naming import name_columns, searched

if TYPE_CHECKING:
    import pandas as pd

Given = str | Path | Sequence[str | Path]
"""A path or a glob, or several of them."""


def expand(given: Given) -> list[Path]:
    """Return the paths that paths and globs name: a glob's in the order of their names, none twice.

    What exists is meant as it is written, also where its name holds a bracket; ``InputError`` for a glob that
    finds nothing. A path without glob signs is returned whether or not it exists.
    """
    found: dict[Path, Path] = {}
    for text in map(str, _listed(given)):
        paths = [Path(text)] if _exists(text) or not glob.has_magic(text) else _matches(text)
        for path in paths:
            found.setdefault(path.resolve() if path.exists() else path, path)
    return list(found.values())


def once(given: Given) -> list[Path]:
    """Return what ``expand`` does; ``InputError`` for a file that is named twice, whose rows may be meant twice.

    Globs may overlap, with each other and with names.
    """
    named = [Path(text).resolve() for text in map(str, _listed(given)) if _exists(text)]
    for place, path in enumerate(named):
        if path in named[:place]:
            raise InputError(f"{shown(path.name)} is given twice, and a file is read once; give it once")
    return expand(given)


def is_one(given: Given) -> bool:
    """Return whether one path is meant, and no glob: its rows are called by their number alone."""
    texts = [str(path) for path in _listed(given)]
    return len(texts) == 1 and (_exists(texts[0]) or not glob.has_magic(texts[0]))


def short_names(paths: Sequence[Path]) -> list[str]:
    """Return the shortest ends of paths that tell them apart: file names, with as many folders as that takes."""
    parts = [path.parts for path in paths]
    for length in range(1, max(map(len, parts), default=1) + 1):
        names = ["/".join(part[-length:]) for part in parts]
        if len(set(names)) == len(names):
            return names
    return [str(path) for path in paths]


def read_joined(
    paths: Sequence[Path], load: Callable[[Path], pd.DataFrame], pattern: str | None
) -> pd.DataFrame:
    """Return the rows of all files, labelled FILE:ROW with rows counted from 0 in each file.

    A column that a file lacks is missing there. Adds a column ``file`` (a table's own column of that name stays)
    and the named groups of ``pattern``. Raises ``InputError`` for files of several kinds, and for a group whose
    name is a column already.
    """
    import pandas as pd

    if len(endings := sorted({path.suffix.lower() for path in paths})) > 1:
        raise InputError(f"the files are of several kinds ({', '.join(endings)}); give files of one kind")
    named = None if pattern is None else name_columns(pattern, [searched(path, pattern) for path in paths])
    frames = []
    for number, (path, name) in enumerate(zip(paths, short_names(paths), strict=True)):
        frame = load(path)
        new = {} if "file" in frame.columns else {"file": name}
        for group, cells in [] if named is None else named.items():
            if group in frame.columns or group == "file":
                raise InputError(
                    f"--from-name gives a column {group!r}, which {shown(path)} has; name the group otherwise"
                )
            new[str(group)] = cells.iloc[number]
        labels = [f"{name}:{row}" for row in range(len(frame))]
        kept = {column: object for column in frame if exact(frame[column]) is not None}
        frames.append(frame.astype(kept).assign(**new).set_axis(labels, axis=0))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)  # of columns that are empty in one of the files
        return pd.concat(frames, sort=False)


def hashed(paths: Iterable[Path], one: bool) -> str:
    """Return the hash of a file, or of the list of all files' hashes in order."""
    hashes = [hashlib.sha256(path.read_bytes()).hexdigest() for path in paths]
    return hashes[0] if one else hashlib.sha256("\n".join(hashes).encode()).hexdigest()


def _listed(given: Given) -> Sequence[str | Path]:
    return [given] if isinstance(given, str | Path) else given


def _exists(text: str) -> bool:
    try:
        return Path(text).exists()
    except (OSError, ValueError):  # too long a name, or a NUL in it
        return False


def _matches(text: str) -> list[Path]:
    found = sorted(glob.glob(text, recursive=True))  # noqa: PTH207 - it may be absolute
    if not found:
        raise InputError(
            f"no file matches {text!r}; correct the path, or quote a glob so that it arrives whole"
        )
    return [Path(path) for path in found]
