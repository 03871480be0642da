"""One axis of training against inference on own runs: figures, equivalences, what to buy, which method."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

import pandas as pd

from scaling.errors import FitError, InputError
from scaling.exchange import Exchange
from scaling.exchange.result import Unmeasured
from scaling.reporting import plots
from scaling.reporting.document import Figure, Section
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
    tables = [rates_table(chosen.rates, f"{code}-rates"), *doubts_table(chosen.warnings, f"{code}-to-know")]
    sections = [
        Section(
            title,
            (*prose, f"The figures are of {main}."),
            figures=(*pictures, _methods(code, measured)),
            tables=tuple(tables),
        )
    ]
    rest = [one for one in measured.values() if one is not chosen]
    more = [
        equivalences_section(chosen, UNITS[0]),
        buy_section(chosen, Terms(), UNITS),
        explore_section(chosen, UNITS, Terms(), [chosen, *rest]),
        trust_section(chosen),
    ]
    return (
        sections
        + [_named(one, code, title) for one in more if one is not None]
        + _envelope(measured, code, title)
    )


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
