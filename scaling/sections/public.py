"""Public sets of runs through one table: what each fit says, how sure it is, and which sets are not here."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from scaling.fitting import Objective
from scaling.reporting import numbers, plots
from scaling.reporting.document import Figure, Section, Table, Verdict
from scaling.sections.law import text

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from scaling.diagnostics import LackOfFit, Rollout
    from scaling.fitting import Estimate, Fit
    from scaling.study import Analysis

SAME = 0.9
"""Share of common rows from which two sets count as one."""


@dataclass(frozen=True)
class Refit:
    """One customary fit of one set."""

    name: str
    """The set, or the experiment where it has several."""
    fit: Fit
    """The fit."""
    known: Mapping[str, float]
    """What was published, by the names of the fit's parameters and of what follows from them."""
    rollout: Rollout | None
    """Predictions beyond compute cuts."""
    no_rollout: str
    """Why there are none."""
    held: tuple[int, float] | None
    """Rows that the fit is customarily asked to predict, and the root mean square of its log errors there."""
    lack: LackOfFit | None
    """The test against replicates, where there are any."""

    def score(self, law: str | None = None) -> float:
        """Root mean square log error beyond the cuts, of the fit's own law or another; NaN where there is none."""
        law = law or self.fit.law.name
        rows = None if self.rollout is None else self.rollout.ranking.query("law == @law")
        return float(rows["score"].iloc[0]) if rows is not None and len(rows) else np.nan

    def estimates(self) -> dict[str, Estimate]:
        """Exponents and shapes, which compare between sets: all but floors, coefficients and what was held."""
        law = type(self.fit.law)
        apart = {law.floor, *(term.coefficient for term in law.terms), *self.fit.fixed}
        return {name: found for name, found in self.fit.parameters.items() if name not in apart}

    def to_json(self) -> dict[str, Any]:
        """The fit with its rows counted by reason, what was published, and the predictions beyond the rows."""
        found = self.fit.to_json()
        counts: dict[str, int] = {}
        for _, reason in self.fit.rows.excluded:
            counts[reason] = counts.get(reason, 0) + 1
        found["rows"] |= {"excluded": counts}
        found |= {"published_or_expected": dict(self.known), "no_rollout": self.no_rollout}
        found["rollout"] = None if self.rollout is None else self.rollout.to_json()
        found["held"] = None if self.held is None else {"rows": self.held[0], "rms_log": self.held[1]}
        return found | {"lack_of_fit": None if self.lack is None else self.lack.to_json()}


@dataclass(frozen=True)
class Sets:
    """Which sets could not be had, and which hold the same rows."""

    missing: Mapping[str, str] = field(default_factory=dict)
    """Set to the reason in one line."""
    shared: tuple[tuple[str, str, float], ...] = ()
    """Pairs with the share of the smaller one's rows that the other has too."""

    def to_json(self) -> dict[str, Any]:
        """Both, for programs."""
        return {
            "missing": dict(self.missing),
            "shared": [{"one": a, "other": b, "share": share} for a, b, share in self.shared],
        }


def refits(analysis: Analysis) -> list[Refit]:
    """Return the fits in the order of the catalogue."""
    return [found for found in analysis.fits.values() if isinstance(found, Refit)]


def overview(analysis: Analysis) -> Section:
    """Return one row a fit, the size exponents side by side, and what is not here."""
    found, sets = refits(analysis), analysis.fits["sets"]
    tables = [_overview(found), _objectives(found)] if found else []
    if sets.missing:
        rows = pd.DataFrame([{"set": name, "why": why} for name, why in sets.missing.items()])
        tables.insert(0, Table("not-had", "Sets that could not be had; the others are fitted.", rows))
    return Section(
        "Every set through one table",
        (
            "Each set is fitted the way that is customary for it, as the catalogue says: rows, loss, what is held. The "
            "objective is a sum over the rows, the lowest of many starts, and intervals are percentiles of bootstrap "
            "draws, by run where a run gives several checkpoints. Beyond the rows: the law fitted below each compute cut "
            "and asked for the runs above, root mean square error as a share of the loss (of what is fitted).",
            *_no_cuts(found),
        ),
        (*_missing(sets), *([_exponents(found)] if found else []), *_shared(sets)),
        figures=_forests(found),
        tables=tuple(tables),
    )


def _missing(sets: Sets) -> list[Verdict]:
    if not sets.missing:
        return []
    names = ", ".join(sets.missing)
    return [
        Verdict(f"Not in this report, as they could not be had: {names}; reasons below.", "not identified")
    ]


def _no_cuts(found: list[Refit]) -> list[str]:
    reasons: dict[str, list[str]] = {}
    for one in found:
        if one.rollout is None:
            reasons.setdefault(one.no_rollout, []).append(one.name)
    told = "; ".join(f"{', '.join(names)} ({why})" for why, names in reasons.items())
    return [f"Not asked beyond their rows: {told}."] if told else []


def _exponents(found: list[Refit]) -> Verdict:
    sizes = {one.name: one.fit.derived["N_exponent"] for one in found if _has_size(one)}
    if not sizes:
        return Verdict("No set here has a law with a best size.", "not identified")
    if len(sizes) == 1:
        name, e = next(iter(sizes.items()))
        return Verdict(f"N ~ C^a is best with a = {text(e)} on the one set here, {name}.", "measured")
    low, high = (pick(sizes, key=lambda name: sizes[name].value) for pick in (min, max))
    half = [name for name, e in sizes.items() if e.low is not None and e.low <= 0.5 <= (e.high or np.inf)]
    return Verdict(
        f"N ~ C^a is best with a from {text(sizes[low])} ({low}) to {text(sizes[high])} ({high}) over {len(sizes)} fits of "
        f"laws with a term in N and one in D; {len(half)} of the intervals hold 1/2.",
        "measured",
    )


def _has_size(one: Refit) -> bool:
    """Whether the law leaves the exponent of the best size open."""
    return "N_exponent" in one.fit.derived and {"alpha", "beta"} <= set(one.estimates())


def _shared(sets: Sets) -> list[Verdict]:
    same = [(a, b, share) for a, b, share in sets.shared if share >= SAME]
    if not same:
        return []
    pairs = "; ".join(f"{a} and {b} ({numbers.percent(share)})" for a, b, share in same)
    return [
        Verdict(
            f"These sets are no independent evidence, since the rows of one are those of the other: {pairs}.",
            "measured",
        )
    ]


def _overview(found: list[Refit]) -> Table:
    """What each set says, and how far it can be trusted."""
    rows = []
    for one in found:
        size = one.fit.derived.get("N_exponent") if _has_size(one) else None
        rows.append(
            {
                "set": one.name,
                "N_exponent": "" if size is None else text(size),
                "exponents": "; ".join(f"{name} = {text(e)}" for name, e in one.estimates().items()),
                "beyond": numbers.percent(one.score()) if one.rollout else "",
                "warnings": ", ".join(dict.fromkeys(w.code for w in one.fit.warnings)),
            }
        )
    return Table(
        "overview",
        "One row a fit: a in N ~ C^a and the law's exponents with 95 % intervals, the error beyond compute cuts, and "
        "warnings.",
        pd.DataFrame(rows),
        headings={"N_exponent": "a"},
        formats={"set": on_one_line, "warnings": spaced},
    )


def _objectives(found: list[Refit]) -> Table:
    """How each answer was reached."""
    rows = []
    for one in found:
        fit, told = one.fit, {**one.estimates(), **one.fit.derived}
        known = {name: value for name, value in one.known.items() if name in told}
        units = f", {fit.intervals.clusters} runs" if fit.intervals.clusters else ""
        rows.append(
            {
                "set": one.name,
                "law": fit.law.name,
                "rows": f"{len(fit.rows.loss)} of {fit.rows.read}{units}",
                "objective": numbers.plain(fit.value, 6) + _loss(fit),
                "published": "; ".join(
                    f"{name} = {numbers.plain(value, 4)}" for name, value in known.items()
                ),
            }
        )
    return Table(
        "objectives",
        "How each was reached: rows in use of those in the file (a sweep is a row where knobs were swept), the lowest "
        f"objective (Huber's loss of log residuals with delta {Objective().delta:g}, unless another is named), and what was "
        "printed elsewhere; "
        "results.json has gradients and other minima.",
        pd.DataFrame(rows),
        headings={"published": "published or expected"},
        formats={"set": on_one_line, "law": spaced},
    )


def on_one_line(name: object) -> str:
    """Return a set's name as figures have it, for a table."""
    return short(str(name)).replace("\n", " ")


def spaced(name: object) -> str:
    """Return a name with spaces, where lines may break."""
    return str(name).replace("__", " ").replace("_", " ")


def _loss(fit: Fit) -> str:
    """The loss in a word or two, unless it is the usual one."""
    objective = fit.objective
    if objective == Objective():
        return ""
    delta = f" {objective.delta:g}" if objective.loss == "huber" else ""
    return f" ({objective.loss}{delta}{'' if objective.residual == 'log' else ', ' + objective.residual})"


def _forests(found: list[Refit]) -> tuple[Figure, ...]:
    sized = [one for one in found if _has_size(one)]
    if not sized:
        return ()
    size = forest(
        "size-exponents",
        "a in N ~ C^a",
        {one.name: one.fit.derived["N_exponent"] for one in sized},
        {"1/2": 0.5},
    )
    others = [
        forest(f"{name}s", meaning, {one.name: one.fit.parameters[name] for one in sized})
        for name, meaning in (("alpha", "alpha, the exponent of N"), ("beta", "beta, the exponent of D"))
    ]
    return (size, *others)


def forest(
    name: str, meaning: str, found: Mapping[str, Estimate], references: Mapping[str, float] | None = None
) -> Figure:
    """Return estimates of one quantity below each other, without those whose interval spans a decade."""
    told = {key: e for key, e in found.items() if not (e.low and e.high and e.high > 10 * e.low)}
    frame = pd.DataFrame(
        [{"set": key, "value": e.value, "low": e.low, "high": e.high} for key, e in told.items()]
    )
    frame[["value", "low", "high"]] = frame[["value", "low", "high"]].astype(float)
    left = [key for key in found if key not in told]
    without = f" Not shown, as the interval spans a factor of ten: {', '.join(left)}." if left else ""
    labels = [short(key) for key in told]
    shown = frame.assign(set=labels)
    height = 90 + sum(16 + 15 * (1 + label.count("\n")) for label in labels)

    def draw(axes: Axes) -> None:
        plots.scales(axes, meaning, "")
        plots.forest(axes, shown, "set", "value", "low", "high", references=references)
        plots.legend(axes)

    return Figure(
        name,
        f"{meaning}, with 95 % intervals.{without}",
        draw,
        frame,
        "Estimates with intervals, one a line.",
        height,
    )


def short(name: str) -> str:
    """Return a set's name for a figure, in lines that a phone has room for."""
    method = name.partition(" ")[2]
    parts = [*name.partition(" ")[0].split("__")[:2], method]
    return "\n".join(textwrap.wrap(" ".join(parts).replace("_", " "), 18))
