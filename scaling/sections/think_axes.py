"""One axis of training against inference on own runs: figures, equivalences, what to buy, which method."""

from __future__ import annotations

import contextlib
import dataclasses
from itertools import combinations
from typing import TYPE_CHECKING

import pandas as pd

from scaling.errors import FitError, InputError
from scaling.exchange import Exchange
from scaling.exchange.crossings import crossings
from scaling.exchange.result import Unmeasured
from scaling.reporting import numbers, plots
from scaling.reporting.document import Figure, Section, Table
from scaling.reporting.style import Groups
from scaling.sections.exchange_buy import Terms, buy_section
from scaling.sections.exchange_envelope import envelope_section
from scaling.sections.exchange_explore import explore_section
from scaling.sections.exchange_figures import figures
from scaling.sections.exchange_rates import doubts_table, rates_table
from scaling.sections.exchange_trust import equivalences_section, trust_section
from scaling.sections.think_rates import rates_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from matplotlib.axes import Axes

    from scaling.study import Analysis

UNITS = ("FLOPs", "FLOPs a problem")
SURFACE = (
    "η by score of one surface through the means over runs; 10x =: what ten times the inference is worth; training, "
    "inference: decades of the piece; local: η over its first and its last third."
)
"""What is said of rates that may differ from those run by run."""
NO_PURCHASE = (
    "Run by run no rate of it is identified here. What follows is of one surface through the means over runs, to look at "
    "and not to decide by; what to buy is left out."
)


def axis_section(
    analysis: Analysis, axis: str, title: str, prose: tuple[str, ...], main: str
) -> list[Section]:
    """Return the sections of one axis: the method ``main`` in figures, the others beside it, and what to buy."""
    found = rates_of(analysis, axis)
    measured = {method: one for method, one in found.items() if isinstance(one, Exchange)}
    chosen = measured.get(main) or next(iter(measured.values()), None)
    if chosen is None:
        reasons = tuple(
            f"{method}: {one.reason}." for method, one in found.items() if isinstance(one, Unmeasured)
        )
        return [Section(title, (*prose, *reasons))]
    code = axis.lower()
    pictures = tuple(dataclasses.replace(one, name=f"{code}-{one.name}") for one in figures(chosen, *UNITS))
    rates = rates_table(chosen.rates, f"{code}-rates")
    if f"by run: {axis}: {main}" in analysis.fits:
        rates = dataclasses.replace(rates, caption=SURFACE)
    tables = [rates, *doubts_table(chosen.warnings, f"{code}-to-know")]
    sections = [
        Section(
            title,
            (
                *prose,
                f"The figures are of {main}.",
                *((NO_PURCHASE,) if _is_without_rate(analysis, axis, main) else ()),
            ),
            figures=(*pictures, _methods(code, measured)),
            tables=tuple(tables),
        )
    ]
    rest = [one for one in measured.values() if one is not chosen]
    more = [explore_section(chosen, UNITS, Terms(), [chosen, *rest]), trust_section(chosen)]
    return (
        sections
        + [
            part
            for method, one in measured.items()
            for part in _of_method(analysis, axis, title, method, one)
        ]
        + [_named(one, code, title) for one in more if one is not None]
        + crossings_section(measured, code, title)
        + _envelope(measured, code, title)
    )


def _of_method(analysis: Analysis, axis: str, title: str, method: str, found: Exchange) -> list[Section]:
    """Return what stands in for what by one method, and what to buy where it has a rate."""
    parts = [equivalences_section(found, UNITS[0])]
    if not _is_without_rate(analysis, axis, method):
        parts.append(buy_section(found, Terms(), UNITS))
    code = f"{axis.lower()}-{'-'.join(method.replace(',', '').split())}"
    made = [_named(one, code, title) for one in parts if one is not None]
    return [dataclasses.replace(one, title=f"{one.title} ({method})") for one in made]


def _is_without_rate(analysis: Analysis, axis: str, method: str) -> bool:
    """Return whether a method's runs were taken apart and have no rate at any score."""
    own = analysis.fits.get(f"by run: {axis}: {method}")
    return own is not None and all(one.eta is None for one in own.rates)


def crossings_section(measured: Mapping[str, Exchange], code: str, title: str) -> list[Section]:
    """Return where methods that can be had change places, at every training level."""
    had = {method: one.design for method, one in measured.items() if "oracle" not in method}
    tables = []
    for (first, one), (second, other) in combinations(had.items(), 2):
        with contextlib.suppress(InputError):
            rows = crossings(one, other)
            if len(rows):  # they have some inference compute in common
                tables.append(_crossings(f"{second} over {first}", rows))
    if not tables:
        return []
    prose = (
        "Gaps are of one method's score over another's, in points, at the least and at the most inference compute that both "
        "were measured at; where they change places once between, the better way to spend inference changes. Intervals are "
        "95 %, from leaving out runs and problems, the same of both methods.",
    )
    return [_named(Section("Where methods cross", prose, tables=tuple(tables)), code, title)]


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
    return numbers.estimate(gap, low, high)


def _where(row: pd.Series) -> str:
    times = int(row["times"])
    if times != 1:
        return f"{times} places" if times else "–"
    if pd.isna(row["infer_low"]):
        return f"{numbers.quantity(float(row['infer']))} [–]"
    value, low, high = (numbers.quantity(float(row[name])) for name in ("infer", "infer_low", "infer_high"))
    return f"{value} [{low}, {high}]"


def _envelope(measured: Mapping[str, Exchange], code: str, title: str) -> list[Section]:
    """Return which method is best at a cost, of those that can be had: an oracle cannot."""
    designs = {method: one.design for method, one in measured.items() if "oracle" not in method}
    try:
        return [_named(envelope_section(designs), code, title)]
    except (InputError, FitError):
        return []


def _named(section: Section, code: str, title: str) -> Section:
    """Return a section whose title and names of figures and tables say of which axis it is; its verdicts stay in it."""
    return dataclasses.replace(
        section,
        verdicts=tuple(dataclasses.replace(one, on_top=False) for one in section.verdicts),
        title=f"{title}: {section.title[0].lower()}{section.title[1:]}",
        figures=tuple(dataclasses.replace(one, name=f"{code}-{one.name}") for one in section.figures),
        tables=tuple(dataclasses.replace(one, name=f"{code}-{one.name}") for one in section.tables),
        interactives=tuple(
            dataclasses.replace(one, name=f"{code}-{one.name}") for one in section.interactives
        ),
    )


def _methods(code: str, measured: Mapping[str, Exchange]) -> Figure:
    """Score against inference at the lowest, a middle and the highest training level, a curve a method."""
    parts = []
    for method, one in measured.items():
        level_u, level_v, score = one.design.level_curves()
        order = level_u.argsort()
        for name, k in (("lowest", order[0]), ("middle", order[len(order) // 2]), ("highest", order[-1])):
            parts.append(
                pd.DataFrame(
                    {"method": f"{method}, {name}", "infer": 10 ** level_v[k], "score": score[k]}
                ).dropna()
            )
    rows = pd.concat(parts, ignore_index=True)
    middle = rows[rows["method"].str.endswith(", middle")].assign(
        method=lambda r: r["method"].str.removesuffix(", middle")
    )
    groups = Groups.of(middle, "method")

    def draw(axes: Axes) -> None:
        plots.scales(axes, "Inference compute a problem (FLOPs)", "Score", log="x")
        plots.curves(axes, middle, "infer", "score", groups=groups)
        plots.points(axes, middle, "infer", "score", groups=groups)
        plots.legend(axes)

    return Figure(
        f"{code}-methods",
        "The methods at the middle training level: where two curves cross, the better way to spend inference changes. The "
        "CSV has the lowest and the highest level too.",
        draw,
        rows,
        "One curve a method, score against inference compute.",
    )
