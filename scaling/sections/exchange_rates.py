"""What inference is worth in training compute: the rates of a grid, in words and as a table."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from scaling.exchange.summary import eta_shown, factor, multiple
from scaling.reporting import numbers
from scaling.reporting.document import Section, Status, Table, Verdict
from scaling.sections.known_rates import known_rates

if TYPE_CHECKING:
    from scaling.exchange import Exchange, Rate
    from scaling.fitting.parts import Warned

DEFINITION = (
    "The exchange rate is η = − d log C_train / d log C_infer at constant score: ten times the inference "
    "replaces 10^η times the training. Given here is its mean along the measured piece of each isoquant: "
    "decades of training replaced over decades of inference spent."
)
STATUS: dict[str, Status] = {
    "ok": "measured",
    "this run": "measured",
    "assumes additivity": "measured",
    "one-sided": "measured",
    "undefined": "not identified",
    "not identified": "not identified",
}


def rates_section(found: Exchange) -> Section:
    """Return the rates of a grid with their verdicts, what to know of them, and what others found."""
    design = found.design
    seeds = sorted({int(design.seeds.min()), int(design.seeds.max())})
    problems = (
        f"{design.problems} problems, drawn jointly for all cells" if design.problems else "whole cells"
    )
    prose = (
        DEFINITION,
        f"Method: {found.method}. Design: {design.levels} training levels x {len(design.budgets)} budgets, "
        f"{' to '.join(map(str, seeds))} run{'s' * (seeds != [1])} a level"
        f"{', with the same runs at all levels' if design.shared else ''}; {problems}. Counted: {found.counted}. "
        f"Interval: {numbers.percent(float(found.interval['level']))}, {found.interval['method']}.",
    )
    return Section(
        "What inference is worth",
        prose,
        tuple(verdict(rate, found.method) for rate in found.rates),
        tables=(rates_table(found.rates), *doubts_table(found.warnings), known_rates()),
    )


def verdict(rate: Rate, method: str) -> Verdict:
    """Return the rate at a score as a sentence."""
    at = "" if np.isnan(rate.at) else f" at a score of {numbers.plain(rate.at)}"
    if rate.eta is None or rate.span is None:
        return Verdict(f"{method}{at}: {rate.status}, since {rate.reason}.", STATUS[rate.status])
    ten = rate.multiplier
    if rate.status == "one-sided":
        means = rate.reason
    elif ten is not None and ten.low is not None:
        means = f"ten times the inference is worth {multiple(ten)} of training compute"
    elif ten is not None:
        means = f"ten times the inference is worth {factor(ten.value)} of training compute"
    else:
        means = (
            f"{factor(10**rate.span.infer)} inference are worth {factor(10**rate.span.train)} of training compute "
            "(ten times were not measured)"
        )
    doubt = "" if rate.status in ("ok", "one-sided") else f"; {rate.status}: {rate.reason}"
    return Verdict(f"{method}{at}: η = {eta_shown(rate)}; {means}{doubt}.", STATUS[rate.status])


def rates_table(rates: Iterable[Rate], name: str = "rates") -> Table:
    """Return one row a score."""
    rows = pd.DataFrame(
        [
            {
                "at": None if np.isnan(rate.at) else rate.at,
                "eta": np.nan if rate.eta is None else rate.eta.value,
                "low": np.nan if rate.eta is None or rate.eta.low is None else rate.eta.low,
                "high": np.nan if rate.eta is None or rate.eta.high is None else rate.eta.high,
                "ten": ten_shown(rate),
                "train": np.nan if rate.span is None else rate.span.train,
                "infer": np.nan if rate.span is None else rate.span.infer,
                "local": "" if rate.local is None else " to ".join(numbers.plain(x, 2) for x in rate.local),
                "status": rate.status,
            }
            for rate in rates
        ]
    )
    return Table(
        name,
        "η by score; 10x =: what ten times the inference is worth; training, inference: decades of the piece; local: "
        "η over its first and its last third.",
        rows,
        headings={
            "at": "score", "eta": "η", "ten": "10x =", "train": "training", "infer": "inference",
        },
        formats=dict.fromkeys(("train", "infer"), lambda x: numbers.plain(float(x), 2)),
        estimates={"eta": ("low", "high")},
    )  # fmt: skip


def ten_shown(rate: Rate) -> str:
    """Return what ten times the inference is worth, empty where ten times were not measured."""
    ten = rate.multiplier
    if ten is None or rate.status == "one-sided":
        return ""
    return multiple(ten) if ten.low is not None else factor(ten.value)


def doubts_table(warnings: Iterable[Warned], name: str = "to-know") -> list[Table]:
    """Return what a reader must know, if anything."""
    rows = pd.DataFrame([{"what": one.code, "why": one.message} for one in warnings])
    return [Table(name, "What to know of these numbers.", rows)] if len(rows) else []
