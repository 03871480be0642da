"""What the data commands print: one line a data set, and for a fetched one the command that fits it."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Sequence
from pathlib import Path

from scaling.catalogue.entries import Entry, read
from scaling.catalogue.places import locate, state
from scaling.errors import InputError, machine_failure


def lines(path: Path | None = None) -> Iterator[str]:
    """Yield name, licence, size, whereabouts and description of every data set."""
    known = read(path)
    width = max(map(len, known), default=0)
    for entry in known.values():
        yield f"{entry.name:{width}}  {entry.licence:11}  {_size(entry):>9}  {state(entry):11}  {entry.about}"


def fetch(names: Sequence[str], path: Path | None = None) -> Iterator[str]:
    """Fetch data sets, all when none is named, and yield what to say of each.

    One that cannot be had does not keep the others from being fetched, except where the network is away or the disk
    full: then the rest could not be had either. ``InputError`` at the end says what is missing. A derived table
    that is not in the mirror is passed over unless it is named.
    """
    known = read(path)
    if unknown := [name for name in names if name not in known]:
        raise InputError(f"no data set is called {unknown[0]!r}; known are {', '.join(known)}")
    failures: list[InputError] = []
    for entry in [known[name] for name in dict.fromkeys(names)] if names else known.values():
        if not names and state(entry) == "mirror only":
            yield f"{entry.name}: only from a mirror ({entry.reason})"
            continue
        try:
            yield from _told(entry, locate(entry))
        except InputError as error:
            if machine_failure(error):
                raise
            failures.append(error)
    if failures:
        more = f"{len(failures)} data sets are missing, the first: " if len(failures) > 1 else ""
        raise InputError(f"{more}{failures[0]}") from failures[0]


def fit_command(entry: Entry, *paths: Path) -> str:
    """Return the command that fits the customary law to a table of the entry, ready to paste."""
    words = ["scaling", "fit", *map(str, paths), "--law", entry.law or "LAW"]
    words += ["--from-name", entry.from_name] if entry.from_name else []
    for name, text in (entry.columns or {}).items():
        words += ["--map", f"{name}={text}"]
    for option, chosen in (("--where", entry.where), ("--cluster", entry.cluster)):
        words += [option, chosen] if chosen else []
    for name, value in entry.fix.items():
        words += ["--fix", f"{name}={value!r}"]
    words += [] if entry.loss == "huber" else ["--loss", entry.loss]
    words += [] if entry.residual == "log" else ["--residual", entry.residual]
    return shlex.join(words)


def _told(entry: Entry, paths: list[Path]) -> Iterator[str]:
    yield from (f"{entry.name}: {path}" for path in paths)
    for one in (entry, *entry.also):
        if one.one_command:
            yield f"  {fit_command(one, *paths)}"
        elif one.columns:
            yield f"  columns: {', '.join(f'{name} = {text}' for name, text in one.columns.items())}"
        yield f"  {one.expect}"


def _size(entry: Entry) -> str:
    counts = [file.rows for file in entry.files if file.rows is not None]
    if len(counts) == len(entry.files):
        return f"{sum(counts)} rows"
    return f"{sum(file.bytes for file in entry.files) / 1000:.1f} kB"
