"""The report of one fit of a user's own table: what it says, what to doubt, and the figures that people expect."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from scaling.errors import InputError
from scaling.fit_evidence import evidence
from scaling.fit_forms import forms_section, in_other_form, other_form
from scaling.fitting import figures
from scaling.laws import LossInND
from scaling.reporting import numbers
from scaling.reporting.document import Figure, Report, Section, Table, Verdict
from scaling.sections.law import UNSAFE, parameter_table, shown

if TYPE_CHECKING:
    from scaling.fitting import Calibration, Fit


def report(fit: Fit, table: str, command: str, calibration: Calibration | None = None) -> Report:
    """Return the report of a fit to the rows of a table; ``command`` and the table's hash are its provenance."""
    law, other = fit.law, other_form(fit)
    sections = [
        _answer(fit, other),
        _data(fit),
        _uncertainty(fit, calibration),
        *([] if other is None else [forms_section(fit, other)]),
        *evidence(fit),
        *_beyond(fit),
        _rows(fit),
    ]
    return Report(
        title=f"{law.name} · {table}",
        question=f"What do {len(fit.rows.loss)} rows of {table} say about {law.formula}?",
        sections=tuple(sections),
        provenance={
            "table": table,
            "table (sha256)": fit.rows.sha256,
            "command": command,
            "version": fit.to_json()["provenance"]["version"],
            "seed": str(fit.options.seed),
        },
        results={"fit": fit.to_json(command)},
    )


def _answer(fit: Fit, other: Fit | None) -> Section:
    return Section(
        "What the fit says",
        (f"`{fit.law.formula}` ({fit.law.source}).", _objective(fit)),
        (_verdict(fit, other),),
        tables=(parameter_table("parameters", fit), *_doubts(fit)),
    )


def _verdict(fit: Fit, other: Fit | None) -> Verdict:
    """The numbers that people fit a law for: exponents and shapes, the best size, and what puts them in doubt."""
    law = type(fit.law)
    coefficients = {term.coefficient for term in law.terms}
    names = [name for name in fit.parameters if name not in coefficients and name not in fit.fixed]
    parts = [f"{name} = {shown(fit, name)}" for name in names]
    if isinstance(fit.law, LossInND):
        parts.append(f"the best size grows as N ~ C^a with a = {shown(fit, 'N_exponent')}")
    if fit.compute is not None and "N_optimal" in fit.derived:
        parts.append(
            f"for C = {numbers.quantity(fit.compute)} FLOP it is N = {shown(fit, 'N_optimal')} with D = "
            f"{shown(fit, 'D_optimal')}, at a loss of {shown(fit, 'loss_optimal')}"
        )
    sure = f" ({100 * fit.intervals.level:g} % intervals)" if fit.intervals.method else ""
    claim = f"{'; '.join(parts)}{sure}."
    if other is not None:
        claim += f" {in_other_form(other)}"
    unsafe = [warned.message for warned in fit.warnings if warned.code in UNSAFE]
    if unsafe:
        return Verdict(f"{claim} Not to be relied on: {'; '.join(unsafe)}.", "not identified")
    floor = fit.warning("floor_not_identified") or fit.warning("floor_at_zero")
    return Verdict(f"{claim} The floor is not identified: {floor}." if floor else claim, "measured")


def _objective(fit: Fit) -> str:
    objective = fit.objective
    delta = f" (delta {objective.delta:g})" if objective.loss == "huber" else ""
    residual = "log residuals" if objective.residual == "log" else "residuals"
    norm = "" if fit.gradient_norm is None else f", gradient norm {numbers.plain(fit.gradient_norm, 2)}"
    minima = len(fit.minima)
    others = (
        "no other local minimum within half of it"
        if minima == 1
        else f"{minima - 1} other local minima near it"
    )
    return (
        f"The sum of {objective.loss}{delta} losses of the {residual} is {numbers.plain(fit.value, 8)} at the lowest "
        f"minimum found{norm}; {others}."
    )


def _doubts(fit: Fit) -> list[Table]:
    tables = []
    if fit.warnings:
        rows = pd.DataFrame([{"code": w.code, "message": w.message} for w in fit.warnings])
        tables.append(Table("warnings", "What the fit says of itself.", rows))
    names = fit.law.parameter_names()
    if fit.sensitivity:
        others = [
            (f"{one.width:g} times as wide" if np.isfinite(one.width) else "none", one.law)
            for one in fit.sensitivity
        ]
        shown_laws = [("as given", fit.law), *others]
        priors = pd.DataFrame(
            [{"priors": what} | dict(zip(names, law.values(), strict=True)) for what, law in shown_laws]
        )
        tables.append(Table("priors", "The answer with the priors narrower, wider and gone.", priors))
    if len(fit.minima) > 1:
        minima = pd.DataFrame(
            [
                {"objective": m.value} | dict(zip(names, m.law.values(), strict=True)) | dict(m.predictions)
                for m in fit.minima
            ]
        )
        tables.append(
            Table("minima", "Local minima, the lowest first, with what each would predict.", minima)
        )
    return tables


def _data(fit: Fit) -> Section:
    shown_figures: list[Figure] = [figures.data_and_law(fit)]
    if isinstance(fit.law, LossInND):
        shown_figures.append(figures.surface(fit))
    shown_figures += [figures.residuals(fit, axis) for axis in fit.law.inputs]
    return Section(
        "Data, law and residuals",
        ("A law that fits leaves residuals without a pattern along any axis.",),
        figures=tuple(shown_figures),
    )


def _uncertainty(fit: Fit, calibration: Calibration | None) -> Section:
    interval = fit.intervals
    if interval.method is None:
        return Section("How sure", ("No draws were made, so nothing here tells how sure these numbers are.",))
    why = f" ({interval.reason})" if interval.reason else ""
    prose = [f"Intervals are {interval.method}{why}, from {interval.draws} draws."]
    tables = []
    if calibration is not None:
        prose.append(
            f"Their true coverage was measured on {calibration.simulations} simulated tables of this design, "
            f"{calibration.noise}, with the fitted law as the truth: an interval that says {100 * interval.level:g} % "
            "should hold it as often."
        )
        percent = dict.fromkeys(("covered", "covered_se"), numbers.percent)
        heads = {"covered_se": "± s.e."}
        tables.append(
            Table(
                "calibration",
                "How often intervals hold the truth.",
                calibration.frame,
                heads,
                formats=percent,
            )
        )
    law = type(fit.law)
    free = [name for name in law.parameter_names() if name not in fit.fixed]
    clouds = (figures.cloud(fit),) if len(fit.draws) and len(free) > 1 else ()
    return Section("How sure", tuple(prose), figures=clouds, tables=tuple(tables))


def _beyond(fit: Fit) -> list[Section]:
    if not isinstance(fit.law, LossInND):
        return []
    title = "Past the largest run"
    try:
        figure = figures.fan(fit)
    except InputError as error:
        return [Section(title, (f"Not drawn: {error}.",))]
    prose = (
        "The band is that of the fitted curve, not of a new run, and takes the form of the law for granted."
    )
    return [Section(title, (prose,), figures=(figure,))]


def _rows(fit: Fit) -> Section:
    used = pd.DataFrame({**fit.rows.inputs, fit.law.target: fit.rows.loss})
    used["predicted"] = fit.law.predict(**fit.rows.inputs)
    used["residual"] = fit.residuals
    used.insert(0, "row", [str(label) for label in fit.rows.frame.index])
    tables = [
        Table(
            "rows",
            "Rows in use, with what the law says.",
            used,
            formats=dict.fromkeys(fit.law.inputs, numbers.quantity)
            | {"residual": lambda r: numbers.plain(r, 2)},
        )
    ]
    if fit.rows.excluded:
        left = pd.DataFrame([{"row": str(row), "reason": reason} for row, reason in fit.rows.excluded])
        tables.append(Table("excluded", "Rows left out, each with its reason.", left))
    return Section(
        "Rows",
        (
            f"{len(fit.rows.loss)} rows of {fit.rows.read} read are in use, {len(fit.rows.excluded)} are left out.",
        ),
        tables=tuple(tables),
    )
