"""Training against inference on own runs: every method's rates in one table, then axis by axis with figures."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

import pandas as pd

from scaling.errors import FitError, InputError
from scaling.exchange import Exchange
from scaling.exchange.result import Unmeasured
from scaling.exchange.summary import eta_shown
from scaling.reporting import numbers, plots
from scaling.reporting.document import Figure, Section, Table, Verdict
from scaling.reporting.style import Groups
from scaling.sections.exchange_buy import Terms, buy_section
from scaling.sections.exchange_envelope import envelope_section
from scaling.sections.exchange_explore import explore_section
from scaling.sections.exchange_figures import figures
from scaling.sections.exchange_rates import DEFINITION, doubts_table, rates_table, ten_shown, verdict
from scaling.sections.exchange_trust import equivalences_section, trust_section
from scaling.sections.known_rates import known_rates

if TYPE_CHECKING:
    from collections.abc import Mapping

    from matplotlib.axes import Axes

    from scaling.exchange import Rate
    from scaling.exchange.by_run import ByRun
    from scaling.study import Analysis

UNITS = ("FLOPs", "FLOPs a problem")
BY_RUN = (
    "Every run of an axis has checkpoints at all its levels, and some runs learn early, others late. η is measured in each "
    "run by its own surface, along the inference that all runs measured, and the mean over runs is given; beside it stands "
    "η of one surface through the means over runs, which is flatter than any run's where runs are shifted. The surface was "
    "the first way, and runs were taken apart after a first look at what it said; both are planted and measured below."
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
        rows: list[dict[str, object]] = []
        for method, found in rates_of(analysis, axis).items():
            own = analysis.fits.get(f"by run: {axis}: {method}")
            rows += _rows(method, found, own)
            verdicts.append(_verdict(words, method, found, own))
        tables += _tables(axis, words, pd.DataFrame(rows))
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


def _tables(axis: str, words: str, rows: pd.DataFrame) -> list[Table]:
    """Return the rates of an axis, and why some are none."""
    if rows.empty:
        return []
    missing = (
        rows[rows["why"] != ""].groupby(["method", "why"], as_index=False, sort=False).agg(at=("at", _listed))
    )
    made = [
        Table(
            f"rates-{axis.lower()}",
            f"η against {words}; decades: of training replaced and of inference spent along the measured piece.",
            rows.drop(columns="why"),
            headings={"at": "score", "eta": "η", "ten": "10x inference =", "surface": "η of the surface"},
        )
    ]
    if len(missing):
        made.append(
            Table(
                f"rates-{axis.lower()}-why",
                f"Why a rate against {words} is not simply measured.",
                missing[["method", "at", "why"]],
                headings={"at": "scores"},
            )
        )
    return made


def _listed(scores: pd.Series) -> str:
    return ", ".join(numbers.plain(float(score)) for score in scores.dropna())


def _rows(method: str, found: Exchange | Unmeasured, own: ByRun | None) -> list[dict[str, object]]:
    if isinstance(found, Unmeasured):
        return [{"method": method, "at": None, "status": "not identified", "why": found.reason}]
    return [
        {
            "method": method, "at": rate.at, "eta": _eta(rate), "ten": ten_shown(rate), "decades": _decades(rate),
            **({} if own is None else {"surface": _eta(surface)}),
            "status": rate.status, "why": rate.reason,
        }
        for rate, surface in zip(found.rates if own is None else own.rates, found.rates, strict=True)
    ]  # fmt: skip


def _decades(rate: Rate) -> str:
    if rate.span is None:
        return "–"
    return f"{numbers.plain(rate.span.train, 2)} / {numbers.plain(rate.span.infer, 2)}"


def _eta(rate: Rate) -> str:
    return "–" if rate.eta is None else eta_shown(rate)


def _verdict(words: str, method: str, found: Exchange | Unmeasured, own: ByRun | None) -> Verdict:
    """Return the verdict at the score in the middle of those with a rate, else why there is none."""
    what = f"{method[0].upper()}{method[1:]} against {words}"
    if isinstance(found, Unmeasured):
        return Verdict(f"{what}: not identified, since {found.reason}.", "not identified")
    rates = found.rates if own is None else own.rates
    rated = [rate for rate in rates if rate.eta is not None]
    chosen = rated[len(rated) // 2] if rated else rates[len(rates) // 2]
    return verdict(chosen, what)


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
        equivalences_section(chosen),
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
    """Return a section whose title, verdicts, and names of figures and tables say of which axis it is."""
    return dataclasses.replace(
        section,
        verdicts=tuple(dataclasses.replace(one, text=f"{title}: {one.text}") for one in section.verdicts),
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
