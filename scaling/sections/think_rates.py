"""Training against inference on own runs: every method's rates in one table, then axis by axis with figures."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

import pandas as pd

from scaling.exchange import Exchange
from scaling.exchange.result import Unmeasured
from scaling.exchange.summary import eta_shown, factor
from scaling.reporting import numbers
from scaling.reporting.document import Section, Status, Table, Verdict
from scaling.sections.exchange_rates import DEFINITION, ten_shown
from scaling.sections.known_rates import known_rates

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from scaling.exchange import Rate
    from scaling.exchange.by_run import ByRun
    from scaling.study import Analysis

Measured: TypeAlias = "tuple[Exchange | Unmeasured, ByRun | None]"
"""A method's rates by one surface, or why there are none, and run by run."""
BY_RUN = (
    "Every run of an axis has checkpoints at all its levels, and some runs learn early, others late. η is measured in each "
    "run by its own surface, between budgets at which the training of every run brackets the score, and the mean over runs "
    "is given. Beside it stands η of one surface through the means over runs, which is flatter than any run's where runs "
    "are shifted. The surface was the first way; runs were taken apart, and pieces end at such budgets, after a first look "
    "at what it said. Both ways are planted and measured below."
)
"""What is said of rates that are means of the runs' own."""


def rates_of(analysis: Analysis, axis: str) -> dict[str, Exchange | Unmeasured]:
    """Return the fits of an axis by method: those named "AXIS: METHOD"."""
    named = {name.partition(": "): fit for name, fit in analysis.fits.items()}
    return {
        method: fit
        for (first, _, method), fit in named.items()
        if first == axis and isinstance(fit, Exchange | Unmeasured)
    }


def overview(analysis: Analysis, axes: Mapping[str, str]) -> Section:
    """Return all rates side by side, with a verdict for each axis and method; ``axes`` maps an axis to its words.

    Where there are fits "by run: AXIS: METHOD", these are the rates, and the surface's stand beside them.
    """
    verdicts, tables = [], []
    for axis, words in axes.items():
        found = {
            method: (one, analysis.fits.get(f"by run: {axis}: {method}"))
            for method, one in rates_of(analysis, axis).items()
        }
        if found:
            verdicts.append(_verdict(words, found))
            tables += _tables(axis, words, found)
    several = any(name.startswith("by run: ") for name in analysis.fits)
    return Section(
        "What inference is worth",
        (
            DEFINITION,
            "Methods are never pooled, and every method that was run is here at every score that was asked for before the "
            "runs, identified or not. Intervals are 95 %, from leaving out runs and problems.",
            *((BY_RUN,) if several else ()),
        ),
        tuple(verdicts),
        tables=(*tables, known_rates()),
    )


def _tables(axis: str, words: str, found: Mapping[str, Measured]) -> list[Table]:
    """Return the rates of an axis, why some are none, and each run's own."""
    rows = pd.DataFrame([row for method, pair in found.items() for row in _rows(method, *pair)])
    made = [
        Table(
            f"rates-{axis.lower()}",
            f"η against {words}; 10x =: the training that ten times the inference is worth; decades: of training replaced "
            "and of inference spent along the measured piece.",
            rows.drop(columns="why"),
            headings={"at": "score", "eta": "η", "ten": "10x ="},
        )
    ]
    why = rows[rows["why"] != ""]
    if len(why):
        missing = why.groupby(["method", "why"], as_index=False, sort=False).agg(at=("at", _listed))
        caption = f"Why a rate against {words} is not simply measured."
        made.append(
            Table(
                f"rates-{axis.lower()}-why",
                caption,
                missing[["method", "at", "why"]],
                headings={"at": "scores"},
            )
        )
    return made + _runs(axis, found)


def _runs(axis: str, found: Mapping[str, Measured]) -> list[Table]:
    """Return each run's own rate beside their mean and the surface's, where runs were taken apart."""
    rows = [
        {
            "method": method,
            "at": rate.at,
            "mean": _eta(rate),
            "surface": _eta(surface),
            "runs": ", ".join(f"{round(eta, 3):.2g}" for eta in own.etas[rate.at].values()) or "–",
        }
        for method, (one, own) in found.items()
        if own is not None and isinstance(one, Exchange)
        for rate, surface in zip(own.rates, one.rates, strict=True)
        if rate.eta is not None or surface.eta is not None
    ]
    if not rows:
        return []
    return [
        Table(
            f"rates-{axis.lower()}-runs",
            "η as the mean of runs, of one surface through the means over runs, and of each run.",
            pd.DataFrame(rows),
            headings={"at": "score", "mean": "mean of runs", "surface": "one surface", "runs": "each run"},
        )
    ]


def _listed(scores: pd.Series) -> str:
    return ", ".join(numbers.plain(float(score)) for score in scores.dropna())


def _rows(method: str, found: Exchange | Unmeasured, own: ByRun | None) -> list[dict[str, object]]:
    if isinstance(found, Unmeasured):
        return [{"method": method, "at": None, "status": "not identified", "why": found.reason}]
    return [
        {
            "method": method, "at": rate.at, "eta": _eta(rate), "ten": ten_shown(rate), "decades": _decades(rate),
            "status": rate.status, "why": rate.reason,
        }
        for rate in (found.rates if own is None else own.rates)
    ]  # fmt: skip


def _decades(rate: Rate) -> str:
    if rate.span is None:
        return "–"
    return f"{numbers.plain(rate.span.train, 2)} / {numbers.plain(rate.span.infer, 2)}"


def _eta(rate: Rate) -> str:
    return "–" if rate.eta is None else eta_shown(rate)


def _verdict(words: str, found: Mapping[str, Measured]) -> Verdict:
    """Return an axis in a sentence: each method at the score in the middle of those with a rate, and those without one."""
    told, none = [], []
    for method, (one, own) in found.items():
        rates = () if isinstance(one, Unmeasured) else one.rates if own is None else own.rates
        rate = quoted(rates)
        if rate is None:
            none.append(method)
            continue
        told.append(f"{method} {eta_shown(rate)} at a score of {numbers.plain(rate.at)}{_worth(rate)}")
    text = f"Against {words}, η is " + "; ".join(told) if told else f"Against {words}, no rate is identified"
    if none and told:
        text += f"; of {' and '.join(none)} it is not identified at any score"
    status: Status = "measured" if told else "not identified"
    alone = any(
        rate.status == "this run"
        for one, _ in found.values()
        if isinstance(one, Exchange)
        for rate in one.rates
    )
    return Verdict(f"{text}{' (this run: one seed)' if alone and told else ''}.", status)


def quoted(rates: Sequence[Rate]) -> Rate | None:
    """Return the rate at the score in the middle of those that have one, which a verdict quotes."""
    rated = [rate for rate in rates if rate.eta is not None]
    return rated[len(rated) // 2] if rated else None


def _worth(rate: Rate) -> str:
    """Return what an amount of inference is worth, in brackets: ten times of it, or as much as was measured."""
    if ten := ten_shown(rate):
        return f" (10x inference = {ten} of training)"
    if rate.span is None or rate.status == "one-sided":
        return ""
    worth = factor(10**rate.span.train)
    if rate.eta is not None and rate.eta.low is not None and rate.eta.high is not None:
        ends = (factor(10 ** (end * rate.span.infer)) for end in (rate.eta.low, rate.eta.high))
        worth += f" [{', '.join(ends)}]"
    return f" ({factor(10**rate.span.infer)} inference = {worth} of training)"
