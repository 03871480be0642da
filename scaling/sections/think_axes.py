"""One axis of training against inference on own runs: figures, equivalences, what to buy, which method."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

import pandas as pd

from scaling.exchange import Exchange
from scaling.exchange.result import Unmeasured
from scaling.exchange.summary import eta_shown
from scaling.reporting import numbers, plots
from scaling.reporting.document import Figure, Section, Verdict
from scaling.reporting.style import Groups
from scaling.sections.exchange_buy import Terms, buy_section, rate_bought
from scaling.sections.exchange_explore import explore_section
from scaling.sections.exchange_figures import figures
from scaling.sections.exchange_rates import doubts_table, rates_table
from scaling.sections.exchange_trust import equivalences_section, trust_section
from scaling.sections.think_compare import comparisons
from scaling.sections.think_rates import rates_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from matplotlib.axes import Axes

    from scaling.exchange import Rate
    from scaling.exchange.by_run import ByRun
    from scaling.exchange.design import Design
    from scaling.study import Analysis

UNITS = ("FLOPs", "FLOPs a problem")
SURFACE = (
    "η by score of one surface through the means over runs; 10x =: what ten times the inference is worth; training, "
    "inference: decades of the piece; local: η over its first and its last third."
)
"""What is said of rates that may differ from those run by run."""
HELD_OUT = "No training asked any of the words; as beginnings of longer ones their products occur in its worked problems."
"""What is held out of words in a group."""
NO_PURCHASE = (
    "Run by run no rate is identified here of: {}. What follows of these is of one surface through the means over runs, to "
    "look at and not to decide by; what to buy by them is left out."
)
EXPLORED = (
    "Surfaces here are through the means over runs. Where a rate run by run, in the first tables, is none or another one, "
    "the optimum here is nothing to decide by."
)
"""What is said of interactive surfaces whose runs were taken apart."""


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
    unrated = [method for method in measured if _is_without_rate(analysis, axis, method)]
    tables = [rates, *doubts_table(chosen.warnings, f"{code}-to-know")]
    sections = [
        Section(
            title,
            (
                *prose,
                f"The figures are of {main}.",
                *((NO_PURCHASE.format("; ".join(unrated)),) if unrated else ()),
            ),
            figures=(*pictures, _methods(code, measured)),
            tables=tuple(tables),
        )
    ]
    rest = [one for one in measured.values() if one is not chosen]
    explored = explore_section(chosen, UNITS, Terms(), [chosen, *rest])
    if explored is not None and f"by run: {axis}: {main}" in analysis.fits:
        explored = dataclasses.replace(explored, prose=(*explored.prose, EXPLORED))
    more = [explored, trust_section(chosen)]
    return (
        sections
        + [
            part
            for method, one in measured.items()
            for part in _of_method(analysis, axis, title, method, one)
        ]
        + [_named(one, code, title) for one in more if one is not None]
        + [_named(one, code, title) for one in comparisons(_designs(analysis, axis, measured))]
    )


def _designs(analysis: Analysis, axis: str, measured: Mapping[str, Exchange]) -> Mapping[str, Design]:
    """Return the designs in which methods are compared: those made for it, else those of their rates."""
    made = analysis.fits.get(f"compared: {axis}")
    designs = {method: one.design for method, one in measured.items()} if made is None else made.designs
    return {method: one for method, one in designs.items() if "oracle" not in method}


def _of_method(analysis: Analysis, axis: str, title: str, method: str, found: Exchange) -> list[Section]:
    """Return what stands in for what by one method, and what to buy where it has a rate."""
    own: ByRun | None = analysis.fits.get(f"by run: {axis}: {method}")
    parts = [equivalences_section(found, UNITS[0])]
    bought = None if _is_without_rate(analysis, axis, method) else buy_section(found, Terms(), UNITS)
    parts.append(bought if bought is None or own is None else _beside_runs(bought, found, own))
    code = f"{axis.lower()}-{'-'.join(method.replace(',', '').split())}"
    made = [_named(one, code, title) for one in parts if one is not None]
    return [dataclasses.replace(one, title=f"{one.title} ({method})") for one in made]


def _beside_runs(section: Section, found: Exchange, own: ByRun) -> Section:
    """Return what to buy by one surface with what the runs say of its rate; no advice where the two do not agree."""
    rate = rate_bought(found)
    assert rate is not None, "or there would be no section"
    mine = next(one for one in own.rates if one.at == rate.at)
    at, by_runs = numbers.plain(rate.at), "not identified" if mine.eta is None else eta_shown(mine)
    said = f"of one surface through the means over runs, whose η at {at} is {eta_shown(rate)}; run by run it is {by_runs}"
    if agree(rate, mine):
        return dataclasses.replace(section, prose=(*section.prose, f"All of this is {said}."))
    verdict = Verdict(
        f"What to buy for a score of {at} is not identified: the cheapest points below are {said}.",
        "not identified",
    )
    return dataclasses.replace(section, verdicts=(verdict,))


def agree(one: Rate, other: Rate) -> bool:
    """Return whether two rates are surely positive, and each lies in the other's interval."""
    for rate, beside in ((one, other), (other, one)):
        if rate.eta is None or beside.eta is None or rate.eta.low is None or rate.eta.high is None:
            return False
        if not 0 < rate.eta.low <= beside.eta.value <= rate.eta.high:
            return False
    return True


def _is_without_rate(analysis: Analysis, axis: str, method: str) -> bool:
    """Return whether a method's runs were taken apart and have no rate at any score."""
    own = analysis.fits.get(f"by run: {axis}: {method}")
    return own is not None and all(one.eta is None for one in own.rates)


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
