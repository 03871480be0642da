"""What a catalogue may say: its keys, the type of each, and one line for what is wrong."""

from __future__ import annotations

import re
from typing import Any

from scaling.errors import InputError

FIT: dict[str, type] = {
    "law": str,
    "map": dict,
    "from_name": str,
    "where": str,
    "held": str,
    "by": str,
    "tuned": list,
    "cluster": str,
    "fix": dict,
    "loss": str,
    "residual": str,
    "published": dict,
}
"""How rows are fitted."""
ALSO: dict[str, type] = {"name": str, "expect": str} | FIT
"""A further fit of an entry's files."""
ENTRY: dict[str, type] = {
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
    "also": list,
} | FIT
"""One source."""
ENTRY_NEEDS = ("about", "licence", "repository", "commit", "folder", "files", "expect")
FILE: dict[str, type] = {"path": str, "url": str, "name": str, "sha256": str, "bytes": int, "rows": int}
"""One of its files."""
FILE_NEEDS = ("sha256", "bytes")
_EXPECTED = {
    str: "some text",
    int: "a whole number",
    bool: "true or false",
    list: "a list",
    dict: "a table",
}


def check_keys(where: str, table: Any, known: dict[str, type], needed: tuple[str, ...]) -> None:
    """Raise InputError for keys that are unknown, missing or of another type."""
    if not isinstance(table, dict):
        raise InputError(f"{where} is {table!r:.40}, expected a table of keys; correct it")
    for key, value in table.items():
        if key not in known:
            raise InputError(f"{where}: key {key!r} is unknown; known are {', '.join(known)}")
        if type(value) is not known[key] or value == "":
            raise InputError(f"{where}: {key} is {value!r:.40}, expected {_EXPECTED[known[key]]}; correct it")
    if missing := [key for key in needed if key not in table]:
        raise InputError(f"{where}: {missing[0]} is missing; add it")


def check_name(where: str, name: str) -> None:
    """Raise InputError for a name that commands could not take."""
    if not re.fullmatch(r"[a-z][a-z0-9_]*", name):
        raise InputError(f"{where}: a name has small letters, digits and _ only; rename it")


def check_fit(where: str, table: dict[str, Any]) -> None:
    """Raise InputError for options of a fit whose values are of the wrong kind."""
    for text in table.get("map", {}).values():
        if not isinstance(text, str) or not text:
            raise InputError(
                f"{where}: map has a value that is no text; give NAME = 'EXPR', as --map takes it"
            )
    for key in ("fix", "published"):
        for name, value in table.get(key, {}).items():
            if not isinstance(value, int | float) or isinstance(value, bool):
                raise InputError(f"{where}: {key} has {name} = {value!r:.40}, expected a number; correct it")
    if any(not isinstance(column, str) or not column for column in table.get("tuned", ())):
        raise InputError(f"{where}: tuned has a value that is no text; give the names of mapped columns")


def check_commit(where: str, table: dict[str, Any]) -> None:
    """Fewer than forty digits are a stopgap, and fewer than eight no address at the host of the files."""
    least = 7 if table.get("derived") else 8
    if not re.fullmatch(rf"[0-9a-f]{{{least},40}}", table["commit"]):
        raise InputError(
            f"{where}: commit is {table['commit']!r}, expected 40 digits of 0-9a-f (at least {least}); correct it"
        )
    if not re.fullmatch(r"[\w.-]+/[\w.-]+", table["repository"]):
        raise InputError(f"{where}: repository is {table['repository']!r}, expected OWNER/NAME; correct it")


def check_plain(where: str, key: str, value: str) -> None:
    """Keep what the catalogue names inside the mirror and the cache."""
    if not re.fullmatch(r"\w[\w.+-]*", value):
        raise InputError(
            f"{where}: {key} is {value!r}, expected the name of one file or folder (letters, digits, . + - _)"
        )
