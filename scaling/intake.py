"""Logs of other tools: read, write the tables, and say what was read, what was left out, and how to fit it."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from scaling.errors import InputError
from scaling.importers import Choices as Choices
from scaling.importers import Imported, find
from scaling.importers.tables import joined, save
from scaling.records.cells import shown
from scaling.records.files import expand

if TYPE_CHECKING:
    import pandas as pd

_GUESSES = {
    "N": r"(^|[^a-z])(n|parameters)$|params",
    "D": r"tokens",
    "loss": r"loss|cross_?entropy",
}
"""How columns of these meanings tend to be called, in lower case."""
_HELD_OUT = r"val|eval|test|held"
_FACTORS = {"k": "1e3", "thousand": "1e3", "m": "1e6", "g": "1e9", "b": "1e9", "t": "1e12"}
"""What a unit that begins like this counts, the longer beginning first."""
_UNIT = re.compile(
    r"[(\[]\s*([kmgbt]|thousands?|millions?|billions?|trillions?)\s*[)\]]$"
    r"|[_ ](thousands?|millions?|billions?|trillions?)$",
    re.IGNORECASE,
)
"""How the name of a column ends that counts in thousands, millions, billions or trillions."""


def bring(
    format_: str,
    paths: Sequence[str],
    out: Path,
    choices: Choices,
    *,
    last: str | None = None,
    carry: Sequence[str] = (),
) -> str:
    """Import logs into ``out`` and return an account of it in a few lines."""
    importer = find(format_)
    for name, value in (("run", choices.run), ("step", choices.step)):
        if value is not None and name not in importer.takes:
            raise InputError(f"{format_} has its own runs and steps; leave --{name} out")
    found = importer.read(expand(paths), choices)
    table = joined(found, last, carry)
    save(out, found, table)
    return "\n".join(_account(format_, out, found, table, last))


def _account(
    format_: str, out: Path, found: Imported, table: pd.DataFrame, last: str | None
) -> Iterator[str]:
    read = f"{found.read} {found.unit} in {_many(len(found.files), 'file')}"
    yield f"{format_}: {read}, {found.kept} kept, {found.read - found.kept} left out"
    counts: dict[str, list[str]] = {}
    amounts: dict[str, int] = {}
    for skipped in found.skipped:
        counts.setdefault(skipped.reason, []).append(skipped.where)
        amounts[skipped.reason] = amounts.get(skipped.reason, 0) + skipped.count
    for reason, places in counts.items():
        yield f"  {amounts[reason]} left out: {reason} ({shown(places[0])}{', ...' * (len(places) > 1)})"
    yield from (f"  note: {note}" for note in found.notes)
    history = found.history
    rows = f"{_many(len(history), 'row')} of history in {len(history.columns)} columns"
    yield f"{_many(len(found.runs), 'run')}, {rows}"
    yield f"written: {out}/runs.parquet, history.parquet, and table.parquet, which joins them"
    yield "columns: " + _columns(table)
    yield from _next(out, table, last)


def _columns(table: pd.DataFrame) -> str:
    names = [shown(name) for name in table.columns if not _is_repeated(table, name)]
    return ", ".join(names[:16]) + (f" and {len(names) - 16} more" if len(names) > 16 else "")


def _is_repeated(table: pd.DataFrame, name: str) -> bool:
    """Return whether a column only sums up another one of the table."""
    return name.startswith("summary/") and name.removeprefix("summary/") in table.columns


def _next(out: Path, table: pd.DataFrame, last: str | None) -> Iterator[str]:
    """Yield a command that fits the table, and what stands in its way."""
    N, D, loss = _guess(table, "N"), _guess(table, "D"), _guess(table, "loss", _HELD_OUT)
    rows = table[table["last"]]
    hints = {"--last": "marks each run's last row that has it"} if last is None else {}
    for name, hint in [(loss, hints), (D, {"--carry": "takes its last value before"})]:
        empty = 0 if name is None else int(rows[name].isna().sum())
        for option, words in hint.items():
            if empty and name is not None:
                yield f"note: {name} is missing in {empty} of {len(rows)} last rows; {shlex.join([option, name])} {words}"
    parts = ["scaling", "fit", str(out / "table.parquet"), "--law", "chinchilla", "--where", "last"]
    for meaning, column in (("N", N), ("D", D), ("loss", loss)):
        parts += ["--map", f"{meaning}={'...' if column is None else _counted(meaning, column)}"]
    yield "fit:  " + shlex.join(parts)


def _counted(meaning: str, column: str) -> str:
    """Return what stands for a column in --map: its name, or for N and D in millions its name times 1e6."""
    unit = None if meaning == "loss" else _UNIT.search(column)
    if unit is None or "`" in column:  # a name with a backtick has no place in an expression
        return column
    said = (unit[1] or unit[2]).lower()
    return f"`{column}` * {next(factor for start, factor in _FACTORS.items() if said.startswith(start))}"


def _guess(table: pd.DataFrame, meaning: str, better: str | None = None) -> str | None:
    """Return a column of numbers whose name speaks of ``meaning``, if possible one that also matches ``better``."""
    import pandas as pd

    known = [
        name
        for name in table.columns
        if re.search(_GUESSES[meaning], name.lower())
        and not _is_repeated(table, name)
        and pd.api.types.is_numeric_dtype(table[name])
    ]
    best = [name for name in known if better and re.search(better, name.lower())]
    return next(iter([*best, *known]), None)


def _many(count: int, what: str) -> str:
    return f"{count} {what}{'s' * (count != 1)}"
