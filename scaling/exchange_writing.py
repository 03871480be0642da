"""Write the report of the rates of a user's own table, with the table's other conventions and methods beside them."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from scaling.errors import FitError, InputError
from scaling.records.reading import read_table

if TYPE_CHECKING:
    import pandas as pd

    from scaling.exchange import Exchange
    from scaling.exchange.calibration import Coverage
    from scaling.exchange.design import Design
    from scaling.exchange_tables import Asked, Measured

EXPLORED = 100
"""Draws of each convention's surface, for the page that one explores."""


def write_report(
    folder: Path,
    found: Measured,
    tables: Sequence[str],
    command: str,
    asked: Asked,
    *,
    volume: float | None,
    infer_price: float,
    most_tokens: float | None,
    covered: Sequence[Coverage],
) -> Path:
    """Write the report of the rates and return the path of its page."""
    from scaling import exchange_report
    from scaling.exchange import Exchange
    from scaling.reporting.document import write

    name = Path(tables[0]).name + (f" and {len(tables) - 1} more" if len(tables) > 1 else "")
    more: dict[str, Any] = {}
    if isinstance(found, Exchange):
        frame = read_table(list(tables), asked.mapping, asked.where, asked.from_name).frame
        more = {
            "conventions": _conventions(frame, found, asked),
            "methods": _designs(frame, asked),
            "others": _others(frame, found, asked),
        }
    made = exchange_report.report(
        found,
        name,
        command,
        volume=volume,
        infer_price=infer_price,
        most_tokens=most_tokens,
        coverage=covered,
        **more,
    )
    return write(made, folder)


def _names(frame: pd.DataFrame) -> list[str]:
    """The methods that a column names."""
    return list(map(str, frame["method"].dropna().unique())) if "method" in frame else []


def _designs(frame: pd.DataFrame, asked: Asked) -> dict[str, Design]:
    """The designs of all methods of a table that names them in a column; `_others` says which cannot be measured."""
    from scaling.exchange.table import prepare

    found = {}
    for name in _names(frame):
        with contextlib.suppress(InputError, FitError):
            found[name] = prepare(frame, name).design(asked.ledger)
    return found


def _others(frame: pd.DataFrame, found: Exchange, asked: Asked) -> dict[str, Exchange | str]:
    """The rates of the table's other methods at the same scores, or why there are none."""
    from scaling.exchange import exchange_rate

    measured: dict[str, Exchange | str] = {}
    for name in _names(frame):
        if name == found.method:
            continue
        try:
            measured[name] = exchange_rate(
                frame, at=[rate.at for rate in found.rates], method=name, link=asked.link, surface=asked.surface,
                ledger=found.ledger, level=asked.level, bootstrap=EXPLORED, backtested=False, seed=asked.seed,
            )  # fmt: skip
        except (InputError, FitError) as error:
            measured[name] = str(error)
    return measured


def _conventions(frame: pd.DataFrame, found: Exchange, asked: Asked) -> tuple[pd.DataFrame, list[Exchange]]:
    """The same rows under every convention that their columns tell apart."""
    from scaling.exchange.sensitivity import sensitivity

    return sensitivity(
        frame, [rate.at for rate in found.rates], method=asked.method, k=asked.k, link=asked.link,
        surface=asked.surface, level=asked.level, bootstrap=EXPLORED, seed=asked.seed,
    )  # fmt: skip
