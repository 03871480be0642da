"""Methods of one axis side by side: where they change places, and which is best at a cost."""

from __future__ import annotations

from itertools import combinations
from typing import TYPE_CHECKING

import pandas as pd

from scaling.errors import FitError, InputError
from scaling.exchange.crossings import crossings
from scaling.exchange.ledger import Ledger
from scaling.exchange.table import prepare
from scaling.reporting import numbers
from scaling.reporting.document import Section, Table
from scaling.sections.exchange_envelope import envelope_section

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from scaling.exchange.design import Design

CLOSE = {
    "majority": (1, 3, 5, 7, 9, 11, 15, 21, 31, 45, 63),
    "best_of": (1, 2, 3, 4, 5, 6, 7, 8, 11, 16, 23, 32, 45, 64),
}
"""Numbers of samples at which methods are compared, by how samples are put together; between them scores are interpolated.
An even number of votes is hardly better than one fewer: ties go by lot."""


class Compared:
    """Designs of methods that can be had, at close budgets."""

    def __init__(self, frames: Mapping[str, tuple[pd.DataFrame, str]]) -> None:
        """Tables by method, each with what ``exchange_rate`` calls the method."""
        self.designs = {method: _design(*table) for method, table in frames.items()}

    def to_json(self) -> dict[str, Any]:
        """Return the budgets by method."""
        return {method: [str(one) for one in design.budgets] for method, design in self.designs.items()}


def _design(frame: pd.DataFrame, how: str) -> Design:
    close = CLOSE.get(how)
    if close is not None:
        most = frame.groupby(["run", "train_flops", "problem"]).size().min()
        close = tuple(k for k in close if k <= most)
    return prepare(frame, how, close).design(Ledger())


def comparisons(designs: Mapping[str, Design]) -> list[Section]:
    """Return where each two methods change places, at every training level, and which is best at a cost."""
    made = [_crossings_section(designs)]
    try:
        made.append(envelope_section(designs))
    except (InputError, FitError) as error:
        made.append(Section("Which method", (f"Not told: {error}.",)) if len(designs) > 1 else None)
    return [one for one in made if one is not None]


def _crossings_section(designs: Mapping[str, Design]) -> Section | None:
    tables, without = [], []
    for (first, one), (second, other) in combinations(designs.items(), 2):
        pair = f"{second} over {first}"
        try:
            rows = crossings(one, other)
        except InputError as error:
            without.append(f"Not compared is {pair}: {error}.")
            continue
        if rows.empty:
            without.append(
                f"Not here is {pair}: at no training level do they have inference compute in common."
            )
        else:
            tables.append(_crossings(pair, rows))
    if not tables and not without:
        return None
    alone = all(len(one.run_names) == 1 for one in designs.values())
    prose = (
        "Gaps are of one method's score over another's, in points, at the least and at the most inference compute that both "
        "were measured at; where they change places once between, the better way to spend inference changes. Scores between "
        "budgets are interpolated in log compute, and no interval holds what that misses: samples are put together at close "
        "numbers for it. A place has an interval where the gaps at both ends are told from none, one each way.",
        "Intervals are 95 %, from leaving out problems: of this run alone."
        if alone
        else "Intervals are 95 %, from leaving out runs and problems, the same of both methods.",
        *without,
    )
    return Section("Where methods cross", prose, tables=tuple(tables))


def _crossings(pair: str, rows: pd.DataFrame) -> Table:
    """Return where two methods cross, a row a training level."""
    shown = pd.DataFrame(
        {
            "train": rows["train"],
            "from": rows["low_infer"],
            "low": [_gap(row, "low") for _, row in rows.iterrows()],
            "to": rows["high_infer"],
            "high": [_gap(row, "high") for _, row in rows.iterrows()],
            "where": [_where(row) for _, row in rows.iterrows()],
        }
    )
    return Table(
        f"crossings-{'-'.join(pair.replace(',', '').split())}",
        f"{pair[0].upper()}{pair[1:]}: gaps in points by training level.",
        shown,
        headings={"train": "C_train", "low": "gap there", "high": "gap there", "where": "they cross at"},
        formats=dict.fromkeys(("train", "from", "to"), lambda x: numbers.quantity(float(x))),
    )


def _gap(row: pd.Series, end: str) -> str:
    gap, low, high = (100 * float(row[f"{end}_gap{which}"]) for which in ("", "_low", "_high"))
    return numbers.plain(gap, 2) if low != low else numbers.estimate(gap, low, high)


def _where(row: pd.Series) -> str:
    times = int(row["times"])
    if times != 1:
        return f"{times} places" if times else "–"
    if pd.isna(row["infer_low"]):
        return f"{numbers.quantity(float(row['infer']))} [–]"
    value, low, high = (numbers.quantity(float(row[name])) for name in ("infer", "infer_low", "infer_high"))
    return f"{value} [{low}, {high}]"
