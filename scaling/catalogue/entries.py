"""The catalogue as it stands in data/catalogue.toml: one table a source, each key checked when it is read."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any
from urllib.parse import quote

from scaling.catalogue.checks import (
    ALSO,
    ENTRY,
    ENTRY_NEEDS,
    FILE,
    FILE_NEEDS,
    FIT,
    check_commit,
    check_fit,
    check_keys,
    check_name,
    check_plain,
)
from scaling.errors import InputError
from scaling.study import bundled


@dataclass(frozen=True)
class File:
    """One file of a source."""

    name: str
    """Its name in a mirror and in the cache."""
    sha256: str
    """Hash of its bytes: nothing else is ever taken for it."""
    bytes: int
    """Its size."""
    rows: int | None = None
    """Rows of a table."""
    urls: tuple[str, ...] = ()
    """Addresses that give these bytes, best first; none for a derived table."""


@dataclass(frozen=True)
class Entry:
    """One source of runs that were made elsewhere."""

    name: str
    """What commands call it."""
    about: str
    """One line: what it is."""
    licence: str
    """SPDX identifier, or ``none stated``."""
    folder: str
    """Folder of its files in a mirror and in the cache."""
    files: tuple[File, ...]
    """Its files."""
    expect: str
    """What a correct fit finds, or what the table is good for."""
    reason: str = ""
    """Why a derived table has no address of its own; empty for files as their source has them."""
    law: str | None = None
    """Law that is customarily fitted to its rows."""
    columns: Mapping[str, str] | None = None
    """Names of laws to its columns, as ``--map`` takes them; None where it has no such columns."""
    where: str | None = None
    """Rows that are customarily used."""
    cluster: str | None = None
    """Column whose equal values stay together in the draws."""
    from_name: str | None = None
    """Columns from the files' names, as ``--from-name`` takes them."""
    held: str | None = None
    """Rows that the fit is customarily asked to predict."""
    by: str | None = None
    """Column whose values are fitted one by one: experiments that share nothing but the file."""
    tuned: tuple[str, ...] = ()
    """Columns that were swept at each N and D: the law is fitted to their best values there."""
    fix: Mapping[str, float] = field(default_factory=dict)
    """Parameters that are held."""
    loss: str = "huber"
    """What is customarily minimised."""
    residual: str = "log"
    """Of what."""
    published: Mapping[str, float] = field(default_factory=dict)
    """Parameters, or what follows from them, as the source printed them."""
    also: tuple[Entry, ...] = ()
    """Further fits of the same files."""

    @property
    def expected(self) -> dict[str, float]:
        """Parameters that ``expect`` says come out, by name."""
        return {name: float(value) for name, value in re.findall(r"(\w+) = (\.?\d[\d.]*\d)", self.expect)}

    @property
    def one_command(self) -> bool:
        """Whether one call of ``scaling fit`` makes the fit."""
        return self.law is not None and self.by is None and not self.tuned


def read(path: Path | None = None) -> dict[str, Entry]:
    """Return the entries of a catalogue by name, by default of the suite's own; ``InputError`` names what is wrong."""
    path = path or bundled("data") / "catalogue.toml"
    try:
        tables = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise InputError(
            f"catalogue {path} cannot be read ({error.strerror}); give the path of a .toml file"
        ) from error
    except ValueError as error:  # not TOML, or not text
        raise InputError(f"catalogue {path} is not TOML ({error}); correct the file") from error
    return {name: _entry(f"catalogue {path}, [{name}]", name, table) for name, table in tables.items()}


def find(name: str, path: Path | None = None) -> Entry:
    """Return the entry of a name; ``InputError`` lists the known ones."""
    known = read(path)
    if name not in known:
        raise InputError(f"no data set is called {name!r}; known are {', '.join(known)}")
    return known[name]


def _entry(where: str, name: str, table: Any) -> Entry:
    check_name(where, name)
    check_keys(where, table, ENTRY, ENTRY_NEEDS)
    derived = table.get("derived", False)
    if derived != bool(table.get("reason")):
        raise InputError(f"{where}: derived = true and reason go together; give both or neither")
    check_commit(where, table)
    check_fit(where, table)
    if not table["files"]:
        raise InputError(f"{where}: files is empty; give at least one")
    check_plain(where, "folder", table["folder"])
    files = tuple(_file(f"{where}, file {n}", table, one) for n, one in enumerate(table["files"], start=1))
    entry = Entry(
        name=name,
        files=files,
        **{key: table[key] for key in ("about", "licence", "folder", "expect")},
        **{key: table[key] for key in ("reason",) if key in table},
        **_fit(table),
    )
    further = enumerate(table.get("also", ()), start=1)
    return replace(entry, also=tuple(_further(f"{where}, also {n}", entry, one) for n, one in further))


def _further(where: str, entry: Entry, table: Any) -> Entry:
    """The entry with other options of its fit; what it does not give is the entry's."""
    check_keys(where, table, ALSO, ("name", "expect"))
    check_name(where, table["name"])
    check_fit(where, table)
    name = f"{entry.name}_{table['name']}"
    return replace(entry, **{"published": {}} | _fit(table) | {"name": name, "expect": table["expect"]})


def _fit(table: dict[str, Any]) -> dict[str, Any]:
    """The options of a fit that a table gives, by the entry's fields."""
    names = {"map": "columns"}
    found = {names.get(key, key): table[key] for key in FIT if key in table}
    return found | ({"tuned": tuple(table["tuned"])} if "tuned" in table else {})


def _file(where: str, entry: dict[str, Any], table: Any) -> File:
    check_keys(where, table, FILE, FILE_NEEDS)
    derived = entry.get("derived", False)
    path, url = table.get("path"), table.get("url")
    name = table.get("name") or (path or url or "").rpartition("/")[2]
    if not re.fullmatch(r"[0-9a-f]{64}", table["sha256"]):
        raise InputError(f"{where}: sha256 is {table['sha256']!r}, expected 64 digits of 0-9a-f; correct it")
    if table["bytes"] <= 0 or table.get("rows", 1) <= 0:
        raise InputError(f"{where}: bytes and rows count from 1 on; correct them")
    check_plain(where, "name", name)
    if derived == bool(path or url):
        wrong = "a derived table has no path or url" if derived else "needs path (in the repository), or url"
        raise InputError(f"{where}: {wrong}; correct it")
    if url and not re.match(r"https?://[^/]", url):
        raise InputError(f"{where}: url is {url!r}, expected https://...; correct it")
    refs = [entry["commit"], *([entry["branch"]] if "branch" in entry else [])]
    raw = "https://raw.githubusercontent.com"
    found = [url] if url else [f"{raw}/{entry['repository']}/{ref}/{quote(path)}" for ref in refs if path]
    return File(name, table["sha256"], table["bytes"], table.get("rows"), tuple(found))
