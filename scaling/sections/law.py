"""The fitted law in two forms: exponents with intervals, what is identified whatever the form, and every warning."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from scaling.fitting.summary import known_words
from scaling.reporting import numbers
from scaling.reporting.document import Section, Table, Verdict

if TYPE_CHECKING:
    from scaling.fitting import Estimate, Fit
    from scaling.study import Analysis

DERIVED = {
    "N_exponent": "a in N_opt ~ C^a, C = 6 N D",
    "D_exponent": "b in D_opt ~ C^b, C = 6 N D",
    "N_optimal": "parameters of the best model for the compute asked for",
    "D_optimal": "its training tokens",
    "tokens_per_param": "D / N of that model",
    "loss_optimal": "its loss",
    "N_served": "parameters of the model of that loss that is cheapest to train and serve",
    "D_served": "its training tokens",
    "tokens_per_param_served": "D / N of that model",
    "serving_saving": "share of all FLOPs that it saves",
}
"""What numbers are that follow from a law."""
UNSAFE = frozenset(
    {
        "too_few_rows",
        "repeated_rows",
        "not_best_values",
        "prior_decides",
        "bound_hit",
        "competing_minima",
        "flat_valley",
        "not_converged",
        "draws_not_converged",
        "one_D_cannot_identify_E",
        "N_and_D_move_together",
        "few_clusters",
    }
)
"""Warnings that put the exponents themselves in doubt, and not the floor alone."""
WIDE = 3.0
"""An interval whose ends differ by more than this factor fixes no exponent."""
FORMS = {"law": "additive", "p_norm": "p-norm"}
"""The two fits and what their forms are called."""


def law(analysis: Analysis) -> Section:
    """Return the fits named ``law`` (additive) and ``p_norm`` with their verdicts on exponents and floor."""
    fits: dict[str, Fit] = {words: analysis.fits[name] for name, words in FORMS.items()}
    additive = fits["additive"]
    return Section(
        "The law",
        (*_prose(additive), _spread(additive)),
        (_exponents(fits), _floor(fits)),
        tables=tuple(
            table
            for name, fit in zip(FORMS, fits.values(), strict=True)
            for table in (
                parameter_table(f"{name.replace('_', '-')}-parameters", fit),
                *_warning_table(name, fit),
            )
        ),
    )


def parameter_table(name: str, fit: Fit) -> Table:
    """Return a fit's parameters and derived quantities with their intervals, one a row."""
    about = {p.name: p.meaning for p in type(fit.law).parameters()}
    about |= DERIVED
    estimates = {**fit.parameters, **fit.derived}
    frame = pd.DataFrame(
        {
            "quantity": list(estimates),
            "meaning": [about.get(key, "") + known_words(fit, key) for key in estimates],
            "value": [e.value for e in estimates.values()],
            "low": [e.low for e in estimates.values()],
            "high": [e.high for e in estimates.values()],
        }
    )
    caption = f"`{type(fit.law).formula}`, {len(fit.rows.loss)} rows; {interval_words(fit)}."
    return Table(name, caption, frame, estimates={"value": ("low", "high")}, headings={"value": "estimate"})


def interval_words(fit: Fit) -> str:
    """Return how a fit's intervals were made, in words."""
    interval = fit.intervals
    if interval.method is None:
        return "no intervals"
    units = f", {interval.clusters} units" if interval.clusters else ""
    return f"{100 * interval.level:g} % intervals: {interval.method}, {interval.draws} draws{units}"


def text(found: Estimate) -> str:
    """Return an estimate with its interval."""
    ends = (np.nan if end is None else end for end in (found.low, found.high))
    low, high = ends
    return numbers.estimate(found.value, low, high)


def shown(fit: Fit, name: str) -> str:
    """Return a parameter or derived quantity of a fit as text with its interval."""
    return text({**fit.parameters, **fit.derived}[name])


def _prose(fit: Fit) -> tuple[str, ...]:
    objective = fit.objective
    delta = f" (delta {objective.delta:g})" if objective.loss == "huber" else ""
    residual = "log residuals" if objective.residual == "log" else "residuals"
    reasons = pd.Series([reason for _, reason in fit.rows.excluded], dtype=object).value_counts().sort_index()
    left = "; ".join(f"{count} {reason}" for reason, count in reasons.items())
    return (
        f"Two forms are fitted to {len(fit.rows.loss)} of {fit.rows.read} checkpoints by {objective.loss}{delta} on the "
        f"{residual}, summed{f' (left out: {left})' if left else ''}. The additive form lets size and data fail "
        "independently; the p-norm contains it at p = 1 and says how they really join. Where the forms disagree, the "
        "data do not say which is right, and no single interval is the truth. N counts the parameters of matrix products.",
    )


def _spread(fit: Fit) -> str:
    """How far apart the trunks of a size lie, since the intervals take for granted that all sizes are alike."""
    rows = fit.rows.frame.assign(log_loss=np.log(fit.rows.loss))
    cells = rows.groupby(["N", "D"])["log_loss"].agg(["std", "size"]).reset_index()
    cells = cells[cells["size"] > 1]
    if cells.empty:
        return "No size has two runs of one length: nothing here tells how other seeds would fall."
    by_size = {
        N: 100 * float(np.sqrt(np.mean(cells.loc[cells["N"] == N, "std"] ** 2)))
        for N in cells["N"].unique().tolist()
    }
    low, high = min(by_size, key=lambda N: by_size[N]), max(by_size, key=lambda N: by_size[N])
    pooled = (
        "The intervals pool that spread over all sizes, so they are wide for quiet sizes and narrow for noisy ones. "
        if fit.intervals.method is not None and "trunks within size" in fit.intervals.method
        else ""
    )
    return (
        f"Two trunks of a size differ by a standard deviation of {numbers.plain(by_size[low], 2)} % of the loss at "
        f"N = {numbers.quantity(low)} and of {numbers.plain(by_size[high], 2)} % at N = {numbers.quantity(high)}. {pooled}"
        "All runs are scored on one held-out sample, whose own error moves E and leaves the exponents."
    )


def _exponents(fits: dict[str, Fit]) -> Verdict:
    parts = []
    for words, fit in fits.items():
        parts.append(
            f"{words}: alpha = {shown(fit, 'alpha')}, beta = {shown(fit, 'beta')}, best size N ~ C^a with "
            f"a = {shown(fit, 'N_exponent')}"
        )
    doubts = [f"{words}: {doubt}" for words, fit in fits.items() for doubt in unsafe(fit)]
    doubts += [
        f"additive: {name} is not fixed within a factor of {WIDE:g}"
        for name in ("alpha", "beta")
        if _is_wide(fits["additive"], name)
    ]
    level = f"{100 * fits['additive'].intervals.level:g} % intervals"
    claim = f"Loss falls as N^-alpha and D^-beta. {'; '.join(parts)} ({level}, C = 6 N D)."
    if doubts:
        return Verdict(f"{claim} Not to be relied on: {'; '.join(doubts)}.", "not identified")
    return Verdict(claim, "measured")


def unsafe(fit: Fit) -> list[str]:
    """Return the warnings of a fit that put its exponents and predictions in doubt."""
    return [warned.message for warned in fit.warnings if warned.code in UNSAFE]


def _is_wide(fit: Fit, name: str) -> bool:
    found = fit.parameters[name]
    return found.low is not None and found.high is not None and found.high > WIDE * found.low


def _floor(fits: dict[str, Fit]) -> Verdict:
    each = "; ".join(f"{words} form: E = {shown(fit, 'E')}" for words, fit in fits.items())
    codes = ("floor_not_identified", "floor_at_zero")
    doubts = [
        f"{words}: {fit.warning(code)}" for words, fit in fits.items() for code in codes if fit.warning(code)
    ]
    doubts += [f"{words}: {doubt}" for words, fit in fits.items() for doubt in unsafe(fit)]
    if doubts:
        return Verdict(
            f"The floor E is not identified ({each}; nats/token). {'; '.join(dict.fromkeys(doubts))}.",
            "not identified",
        )
    low = max(fit.parameters["E"].low or 0.0 for fit in fits.values())
    high = min(fit.parameters["E"].high or np.inf for fit in fits.values())
    if low > high:
        return Verdict(f"The floor E depends on the form ({each}; nats/token).", "not identified")
    return Verdict(f"The floor lies where both forms put it ({each}; nats/token).", "measured")


def _warning_table(name: str, fit: Fit) -> list[Table]:
    if not fit.warnings:
        return []
    rows = pd.DataFrame([{"code": w.code, "message": w.message} for w in fit.warnings])
    return [Table(f"{name.replace('_', '-')}-warnings", f"What the {FORMS[name]} fit says of itself.", rows)]
