"""Nested values as flat cells: names joined by dots, lists as their JSON text, text that every file can hold."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import Any

from scaling.errors import InputError
from scaling.records.nested import leaves

Cell = bool | int | float | str
MOST_CELLS, MOST_LETTERS = 20_000, 2_000
"""What one row may unfold to: a few lines of YAML can stand for more than any memory holds."""


def flattened(found: Mapping[Any, Any], prefix: str = "") -> dict[str, Cell]:
    """Return the cells of nested mappings, ``{"a": {"b": 1}}`` as ``{"a.b": 1}``; None is no cell.

    Raises ``InputError`` for more cells or levels than a log of numbers has.
    """
    cells: dict[str, Cell] = {}
    for name, value in leaves(found, prefix):
        if value is not None:
            cells[clean(name)] = cell(value)
        if len(cells) > MOST_CELLS:
            raise InputError(f"one entry unfolds to more than {MOST_CELLS} values; expected numbers by name")
    return cells


def cell(value: object) -> Cell:
    """Return what a table's cell can hold: a truth value, a number or text."""
    if isinstance(value, bool | float):
        return value
    if isinstance(value, int):
        return value if abs(value) < 2**63 else float(value) if abs(value) < 10**308 else math.inf
    if isinstance(value, str):
        return clean(value)
    return clean(_text(value))


def clean(text: str) -> str:
    """Return text without halves of characters, which no file in UTF-8 can hold."""
    return text.encode("utf-8", "replace").decode()


def _text(value: object) -> str:
    """Return a list's JSON, cut where it is long: what a list shares with itself is never unfolded whole."""
    written, length = [], 0
    try:
        for part in json.JSONEncoder(default=str, check_circular=True).iterencode(value):
            written.append(part)
            length += len(part)
            if length > MOST_LETTERS:
                return "".join(written)[:MOST_LETTERS] + "..."
    except (ValueError, TypeError, RecursionError):
        return f"({type(value).__name__})"
    return "".join(written)
