"""The files that a format keeps, found below the paths that the caller gives."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from scaling.errors import InputError
from scaling.records.files import short_names


def found(paths: Sequence[Path], is_one: Callable[[str], bool], expected: str) -> list[Path]:
    """Return the files given and, below the folders given, those whose names ``is_one`` accepts, in order of path.

    Raises ``InputError`` for a path that does not exist and for folders that hold none; links to folders are not
    followed. ``expected`` says in words what was looked for.
    """
    files: dict[Path, Path] = {}
    for path in paths:
        if not path.exists():
            raise InputError(f"{path} does not exist; expected {expected}")
        below = sorted(_below(path, is_one)) if path.is_dir() else [path]
        if not below:
            raise InputError(f"{path} holds no {expected}; give the folder or file that the tool wrote")
        for file in below:
            files.setdefault(file.resolve(), file)
    return list(files.values())


def run_ids(places: Sequence[Path]) -> dict[Path, str]:
    """Return a name for each place: the shortest end of its path that tells it from the others, without ending."""
    bare = [place if place.is_dir() else place.with_suffix("") for place in places]
    whole = [Path(os.path.abspath(place)) for place in bare]  # noqa: PTH100 - resolve() would follow links
    names = short_names(whole)
    if len(set(whole)) < len(whole):  # two endings of one name
        names = short_names([*places])
    return dict(zip(places, names, strict=True))


def folders_of(files: Iterable[Path]) -> dict[Path, list[Path]]:
    """Return files by their folder."""
    by_folder: dict[Path, list[Path]] = {}
    for file in files:
        by_folder.setdefault(file.parent, []).append(file)
    return by_folder


@contextmanager
def reading(path: Path, what: str) -> Iterator[None]:
    """Turn what damaged files raise into one line; errors that are one line already pass."""
    try:
        yield
    except InputError as error:
        if str(path) in str(error):
            raise
        raise InputError(f"{path}: {error}") from error
    except OSError:
        raise
    except (ValueError, TypeError, RecursionError, OverflowError, MemoryError) as error:
        why = " ".join(str(error).split())[:120] or type(error).__name__
        raise InputError(f"{path} is no readable {what} ({why}); copy it again, or leave it out") from error


def _below(folder: Path, is_one: Callable[[str], bool]) -> Iterator[Path]:
    for parent, _, names in os.walk(folder):
        yield from (Path(parent) / name for name in names if is_one(name))
