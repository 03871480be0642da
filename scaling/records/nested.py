"""Nested values by flat names: ``{"a": {"b": 1}}`` holds a value called a.b."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from scaling.errors import InputError

MOST_LEVELS = 40
"""How deep one row may be nested: a few lines of YAML can stand for more than any memory holds."""


def leaves(found: Mapping[Any, Any], prefix: str = "", level: int = 0) -> Iterator[tuple[str, Any]]:
    """Yield the values in nested mappings with their names joined by dots; ``InputError`` where they are too deep."""
    if level > MOST_LEVELS:
        raise InputError(f"an entry is nested more than {MOST_LEVELS} levels deep; expected numbers by name")
    for key, value in found.items():
        name = f"{prefix}{str(key).strip()}"
        if isinstance(value, Mapping):
            yield from leaves(value, f"{name}.", level + 1)
        else:
            yield name, value
