"""Columns from names: a regular expression with named groups, searched in the name of each file or run."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from scaling.errors import InputError
from scaling.records.cells import floats, holds_numbers, shown

if TYPE_CHECKING:
    import pandas as pd

SECONDS = 5.0
"""How long a pattern may search; a repeat inside a repeat can take longer than anyone waits."""
_SEARCH = """
import json, re, sys, warnings
warnings.simplefilter("ignore")
pattern, names = json.load(sys.stdin)
try:
    compiled = re.compile(pattern)
    found = [match and match.groupdict() for match in map(compiled.search, names)]
    answer = {"groups": list(compiled.groupindex), "found": found}
except (re.error, ValueError, OverflowError, RecursionError, MemoryError) as error:
    answer = {"error": str(error) or type(error).__name__}
json.dump(answer, sys.stdout)
"""
"""Runs in a process of its own: nothing else ends a search that does not end by itself, on every platform."""


def searched(path: Path, pattern: str) -> str:
    """Return the part of a path that a pattern is searched in: the last name, or all of it if the pattern has a /."""
    return path.as_posix() if "/" in pattern else path.name


def name_columns(pattern: str, names: Sequence[str]) -> pd.DataFrame:
    """Return one row a name and one column a named group of ``pattern``; columns of numbers hold numbers.

    A group that took no part in a match is missing. Raises ``InputError`` for a pattern that is no regular
    expression, has no named group, does not match one of the names, or takes longer than SECONDS.
    """
    import pandas as pd

    answer = _search(pattern, names)
    if "error" in answer:
        why = " ".join(answer["error"].split())[:120]
        raise InputError(
            f"--from-name {pattern[:80]!r} is no regular expression ({why}); "
            "give one such as '(?P<size>[0-9]+)M'"
        )
    if not answer["groups"]:
        raise InputError(
            f"--from-name {pattern[:80]!r} names no group; give each column as (?P<name>...), such as "
            "'(?P<size>[0-9]+)M'"
        )
    for name, found in zip(names, answer["found"], strict=True):
        if found is None:
            raise InputError(
                f"--from-name {pattern[:80]!r} matches nothing in {shown(name)[:120]!r}; correct the pattern, or "
                "leave that one out (a pattern with a / is searched in the whole path)"
            )
    columns = {group: [found[group] for found in answer["found"]] for group in answer["groups"]}
    return pd.DataFrame({group: _numbers(pd.Series(cells, dtype=object)) for group, cells in columns.items()})


def _search(pattern: str, names: Sequence[str]) -> dict[str, Any]:
    asked = json.dumps([pattern, list(names)])
    try:
        done = subprocess.run(
            [sys.executable, "-I", "-S", "-c", _SEARCH],
            input=asked,
            capture_output=True,
            text=True,
            timeout=SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise InputError(
            f"--from-name {pattern[:80]!r} searched {len(names)} names for more than {SECONDS:g} seconds; give a "
            "simpler pattern, without repeats inside repeats"
        ) from error
    try:
        answer: dict[str, Any] = json.loads(done.stdout)
    except ValueError:
        return {"error": f"the search ended with status {done.returncode}"}
    return answer


def _numbers(cells: pd.Series) -> pd.Series:
    """Return a column of texts as numbers where it holds nothing else; words stay as they are written."""
    return floats(cells) if cells.isna().all() or holds_numbers(cells) else cells
