"""Column names inside an expression: what stands in backticks, and names that Python would spell otherwise."""

from __future__ import annotations

import re

_PARTS = re.compile(r"""'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*"|`([^`]*)`|(?<!\w)([^\W\d]\w*)|\#""")
"""Quoted text, a name in backticks, a bare name, and the sign at which Python would stop to read."""


def with_stand_ins(text: str) -> tuple[str, dict[str, str]]:
    """Return the expression as Python can parse it, and the column of each name that stands in for one.

    Names in backticks may hold anything. Bare names beyond ASCII are taken as they are written, where Python would
    read ℕ as N. Raises ``ValueError`` for a # outside of a name, after which Python would drop the rest.
    """
    stand_in = "column"
    while stand_in in text:
        stand_in += "_"
    found: dict[str, str] = {}

    def keep(match: re.Match[str]) -> str:
        quoted, bare = match[1], match[2]
        if match[0] == "#":
            raise ValueError("holds a # outside of a name")
        if quoted is None and (bare is None or bare.isascii()):
            return match[0]
        name = f"{stand_in}{len(found)}_"
        found[name] = bare or quoted.strip()
        return f" {name} "

    return _PARTS.sub(keep, text).strip(), found
