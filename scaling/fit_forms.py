"""The other form of a loss law in N and D on the same rows: no interval of one form knows of the other."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

import pandas as pd

from scaling import laws
from scaling.errors import FitError, InputError
from scaling.fitting.fitted import fit_rows
from scaling.reporting import numbers
from scaling.reporting.document import Section, Table, Verdict
from scaling.sections.law import shown

if TYPE_CHECKING:
    from scaling.fitting import Fit

OTHER = {"chinchilla": "p_norm", "p_norm": "chinchilla"}
"""The form that stands beside each."""
WORDS = {"chinchilla": "additive", "p_norm": "p-norm"}
"""What the forms are called."""
DRAWS, MOST_ROWS = 300, 5000
"""Most draws of the other form, and rows above which it would take minutes."""


def other_form(fit: Fit) -> Fit | None:
    """Return the fit of the other form to the same rows, all else alike; None where there is none to set beside."""
    if fit.law.name not in OTHER or fit.known.anything or len(fit.rows.loss) > MOST_ROWS:
        return None
    options = dataclasses.replace(fit.options, bootstrap=min(fit.options.bootstrap, DRAWS))
    try:
        return fit_rows(laws.find(OTHER[fit.law.name]), fit.rows, options, fit.convention)
    except (FitError, InputError):  # fewer rows than it has parameters
        return None


def in_other_form(other: Fit) -> str:
    """Return the sentence that qualifies the first verdict."""
    return f"The {WORDS[other.law.name]} form gives a = {shown(other, 'N_exponent')} on the same rows."


def forms_section(fit: Fit, other: Fit) -> Section:
    """Return both forms side by side."""
    rows = []
    for name in (*fit.parameters, *fit.derived):
        mine, theirs = ({**one.parameters, **one.derived}.get(name) for one in (fit, other))
        if mine is None or theirs is None or name in ("A", "B"):
            continue
        rows.append({"quantity": name, fit.law.name: shown(fit, name), other.law.name: shown(other, name)})
    lower = fit.value > other.value
    share = abs(other.value / fit.value - 1) if fit.value > 0 else 0.0
    better = (
        f"{numbers.percent(share)} {'below' if lower else 'above'} that of the {WORDS[fit.law.name]} form"
    )
    return Section(
        "The other form",
        (
            "An interval takes its law's form for granted. The p-norm has a parameter more and holds the additive law as "
            "p = 1, so that a lower objective alone says little; what it predicts beyond the rows says more.",
        ),
        (
            Verdict(
                f"The {WORDS[other.law.name]} form's objective is {better}. {in_other_form(other)}",
                "measured",
            ),
        ),
        tables=(
            Table(
                "forms",
                f"What both forms say, with {100 * fit.intervals.level:g} % intervals; A and B differ in meaning.",
                pd.DataFrame(rows),
                headings=WORDS,
            ),
        ),
    )
