"""The fitted law: its parameters and exponents with intervals, what is identified, and every warning."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from scaling.reporting import numbers
from scaling.reporting.document import Section, Table, Verdict

if TYPE_CHECKING:
    from scaling.fitting import Fit
    from scaling.study import Analysis


def law(analysis: Analysis) -> Section:
    """Return the table of the fit named ``law``, with its verdicts: the exponents, and the floor or why not."""
    fit: Fit = analysis.fits["law"]
    return Section(
        "The law",
        _prose(fit),
        (_exponents(fit), _floor(fit)),
        tables=(parameter_table("law-parameters", fit), *_warning_table(fit)),
    )


def parameter_table(name: str, fit: Fit) -> Table:
    """Return a fit's parameters and derived quantities with their intervals, one a row."""
    about = {p.name: (p.meaning, p.unit) for p in type(fit.law).parameters()}
    about |= {
        "N_exponent": ("a in N_opt ~ C^a", "1"),
        "D_exponent": ("b in D_opt ~ C^b", "1"),
    }
    estimates = {**fit.parameters, **fit.derived}
    frame = pd.DataFrame(
        {
            "quantity": list(estimates),
            "meaning": [about.get(key, ("", ""))[0] for key in estimates],
            "value": [e.value for e in estimates.values()],
            "low": [e.low for e in estimates.values()],
            "high": [e.high for e in estimates.values()],
            "se": [e.se for e in estimates.values()],
        }
    )
    caption = f"`{type(fit.law).formula}`, {len(fit.rows.loss)} rows; {interval_words(fit)}."
    return Table(
        name,
        caption,
        frame,
        estimates={"value": ("low", "high")},
        headings={"value": "estimate", "se": "s.e."},
    )


def interval_words(fit: Fit) -> str:
    """Return how a fit's intervals were made, in words."""
    interval = fit.interval
    if interval.method is None:
        return "no intervals"
    units = f", {interval.clusters} clusters" if interval.clusters else ""
    return f"{100 * interval.level:g} % intervals: {interval.method}, {interval.draws} draws{units}"


def shown(fit: Fit, name: str) -> str:
    """Return a parameter or derived quantity of a fit as text with its interval."""
    found = {**fit.parameters, **fit.derived}[name]
    if found.low is None or found.high is None:
        return numbers.estimate(found.value)
    return numbers.estimate(found.value, found.low, found.high)


def _prose(fit: Fit) -> tuple[str, ...]:
    objective = fit.objective
    delta = f" (delta {objective.delta:g})" if objective.loss == "huber" else ""
    residual = "log residuals" if objective.residual == "log" else "residuals"
    return (
        f"The form is `{type(fit.law).formula}`, fitted to {len(fit.rows.loss)} of {fit.rows.read} checkpoints by "
        f"{objective.loss}{delta} on the {residual}, summed; the others are listed with the ledger or were not "
        "annealed. N counts the parameters of matrix products, head included and embedding not.",
    )


def _exponents(fit: Fit) -> Verdict:
    known = [name for name in ("alpha", "beta", "N_exponent") if name in {**fit.parameters, **fit.derived}]
    words = {"alpha": "N^-{}", "beta": "D^-{}", "N_exponent": "the best size grows as C^{}"}
    parts = [words[name].format(shown(fit, name)) for name in known]
    level = f"{100 * fit.interval.level:g} % intervals"
    return Verdict(f"Loss falls as {', '.join(parts)} ({level}).", "measured")


def _floor(fit: Fit) -> Verdict:
    doubt = fit.warning("floor_not_identified") or fit.warning("floor_at_zero")
    if doubt:
        return Verdict(f"The floor E is not identified: {doubt}", "not identified")
    return Verdict(f"The floor is E = {shown(fit, 'E')} nats/token.", "measured")


def _warning_table(fit: Fit) -> list[Table]:
    if not fit.warnings:
        return []
    rows = pd.DataFrame([{"code": w.code, "message": w.message} for w in fit.warnings])
    return [Table("law-warnings", "What the fit says of itself.", rows)]
