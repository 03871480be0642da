"""The catalogue as it stands in data/catalogue.toml: one table a source, each key checked when it is read."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

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


_ENTRY: dict[str, type] = {
    "about": str,
    "licence": str,
    "repository": str,
    "commit": str,
    "branch": str,
    "folder": str,
    "files": list,
    "expect": str,
    "derived": bool,
    "reason": str,
    "law": str,
    "map": dict,
    "where": str,
    "cluster": str,
}
_ENTRY_NEEDS = ("about", "licence", "repository", "commit", "folder", "files", "expect")
_FILE: dict[str, type] = {"path": str, "url": str, "name": str, "sha256": str, "bytes": int, "rows": int}
_FILE_NEEDS = ("sha256", "bytes")


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
    if not re.fullmatch(r"[a-z][a-z0-9_]*", name):
        raise InputError(f"{where}: a name has small letters, digits and _ only; rename it")
    _check_keys(where, table, _ENTRY, _ENTRY_NEEDS)
    derived = table.get("derived", False)
    if derived != bool(table.get("reason")):
        raise InputError(f"{where}: derived = true and reason go together; give both or neither")
    _check_commit(where, table)
    if any(not isinstance(text, str) or not text for text in table.get("map", {}).values()):
        raise InputError(f"{where}: map has a value that is no text; give NAME = 'EXPR', as --map takes it")
    if not table["files"]:
        raise InputError(f"{where}: files is empty; give at least one")
    _check_plain(where, "folder", table["folder"])
    files = tuple(_file(f"{where}, file {n}", table, one) for n, one in enumerate(table["files"], start=1))
    return Entry(
        name,
        table["about"],
        table["licence"],
        table["folder"],
        files,
        table["expect"],
        table.get("reason", ""),
        table.get("law"),
        table.get("map"),
        table.get("where"),
        table.get("cluster"),
    )


def _file(where: str, entry: dict[str, Any], table: Any) -> File:
    _check_keys(where, table, _FILE, _FILE_NEEDS)
    derived = entry.get("derived", False)
    path, url = table.get("path"), table.get("url")
    name = table.get("name") or (path or url or "").rpartition("/")[2]
    if not re.fullmatch(r"[0-9a-f]{64}", table["sha256"]):
        raise InputError(f"{where}: sha256 is {table['sha256']!r}, expected 64 digits of 0-9a-f; correct it")
    if table["bytes"] <= 0 or table.get("rows", 1) <= 0:
        raise InputError(f"{where}: bytes and rows count from 1 on; correct them")
    _check_plain(where, "name", name)
    if derived == bool(path or url):
        wrong = "a derived table has no path or url" if derived else "needs path (in the repository), or url"
        raise InputError(f"{where}: {wrong}; correct it")
    if url and not re.match(r"https?://[^/]", url):
        raise InputError(f"{where}: url is {url!r}, expected https://...; correct it")
    refs = [entry["commit"], *([entry["branch"]] if "branch" in entry else [])]
    raw = "https://raw.githubusercontent.com"
    found = [url] if url else [f"{raw}/{entry['repository']}/{ref}/{quote(path)}" for ref in refs if path]
    return File(name, table["sha256"], table["bytes"], table.get("rows"), tuple(found))


def _check_keys(where: str, table: Any, known: dict[str, type], needed: tuple[str, ...]) -> None:
    if not isinstance(table, dict):
        raise InputError(f"{where} is {table!r:.40}, expected a table of keys; correct it")
    for key, value in table.items():
        if key not in known:
            raise InputError(f"{where}: key {key!r} is unknown; known are {', '.join(known)}")
        if type(value) is not known[key] or value == "":
            raise InputError(f"{where}: {key} is {value!r:.40}, expected {_EXPECTED[known[key]]}; correct it")
    if missing := [key for key in needed if key not in table]:
        raise InputError(f"{where}: {missing[0]} is missing; add it")


_EXPECTED = {
    str: "some text",
    int: "a whole number",
    bool: "true or false",
    list: "a list of tables",
    dict: "a table",
}


def _check_commit(where: str, table: dict[str, Any]) -> None:
    """Fewer than forty digits are a stopgap, and fewer than eight no address at the host of the files."""
    least = 7 if table.get("derived") else 8
    if not re.fullmatch(rf"[0-9a-f]{{{least},40}}", table["commit"]):
        raise InputError(
            f"{where}: commit is {table['commit']!r}, expected 40 digits of 0-9a-f (at least {least}); correct it"
        )
    if not re.fullmatch(r"[\w.-]+/[\w.-]+", table["repository"]):
        raise InputError(f"{where}: repository is {table['repository']!r}, expected OWNER/NAME; correct it")


def _check_plain(where: str, key: str, value: str) -> None:
    """Keep what the catalogue names inside the mirror and the cache."""
    if not re.fullmatch(r"\w[\w.+-]*", value):
        raise InputError(
            f"{where}: {key} is {value!r}, expected the name of one file or folder (letters, digits, . + - _)"
        )
