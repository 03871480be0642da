"""The isoFLOP section of a fit's report: where the rows form budgets, the best size of each and the law through them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from scaling.errors import InputError
from scaling.fitting import fit_isoflop
from scaling.fitting.isoflop_rows import SPREAD, budgets_by_gap
from scaling.fitting.table_doubts import levels
from scaling.laws import LossInND
from scaling.reporting import numbers
from scaling.reporting.document import Section, Verdict
from scaling.sections.isoflop import curves_figure, optima_table, optimal_size_figures
from scaling.sections.law import shown, text

if TYPE_CHECKING:
    import pandas as pd

    from scaling.fit_tries import Tries
    from scaling.fitting import Fit, IsoflopFit

SIZES = 4
"""Sizes from which a budget's parabola leaves something to tell the noise by."""
BUDGETS = 2
"""Budgets from which there is a law through their optima."""


def budgets_section(fit: Fit, tries: Tries) -> Section | None:
    """For loss laws in N and D: parabolas at each budget, and their exponent beside the law's."""
    if not isinstance(fit.law, LossInND):
        return None
    found = tries.of("isoFLOP curves", lambda: _fitted(fit))
    if found is None:
        return None
    inside = sum(budget.status == "interior" for budget in found.budgets)
    many = len(found.budgets)
    prose = (
        f"{len(found.frame)} of the {len(fit.rows.loss)} rows form {many} budgets of at least {SIZES} sizes. At each a "
        f"parabola of log loss in log N passes through the rows; {inside} of {many} optima lie between the sizes measured; "
        f"one at an edge would be refused. The spread about the curves is {numbers.percent(found.noise)} of the loss "
        f"({found.noise_freedom} degrees of freedom)."
    )
    return Section(
        "IsoFLOP curves",
        (prose,),
        (_verdict(fit, found),),
        (curves_figure(found, "Loss"), *optimal_size_figures(found)),
        (optima_table(found),),
    )


def _fitted(fit: Fit) -> IsoflopFit:
    frame = _budget_rows(fit)
    if not fit.options.bootstrap:
        raise InputError("no draws were asked for, and it is draws that tell whether a budget has an optimum")
    return fit_isoflop(
        frame, bootstrap=fit.options.bootstrap, level=fit.intervals.level, seed=fit.options.seed
    )


def _budget_rows(fit: Fit) -> pd.DataFrame:
    """The rows that form budgets: of one value in a column `budget`, or of nearly one C."""
    rows = fit.rows
    C = rows.C if rows.C is not None else 6.0 * rows.inputs["N"] * rows.inputs["D"]
    frame = rows.frame.assign(**rows.inputs, C=C, loss=rows.loss)
    named = "budget" in rows.frame.columns and rows.frame["budget"].notna().all()
    label = frame["budget"].to_numpy() if named else budgets_by_gap(C)  # NaN where C is
    keep = np.zeros(len(frame), dtype=np.bool_)
    kept = 0
    known = np.isfinite(C) & (C > 0)
    frame, label, C, N = frame[known], label[known], C[known], rows.inputs["N"][known]
    keep = keep[known]
    for budget in np.unique(label):
        at = label == budget
        one = named or np.ptp(np.log10(C[at])) <= SPREAD
        if one and levels(N[at]) >= SIZES:
            keep |= at
            kept += 1
    if kept < BUDGETS or keep.sum() < 0.5 * len(rows.loss):
        raise InputError(
            f"the rows form {kept or 'no'} budget{'' if kept == 1 else 's'} of at least {SIZES} sizes within {SPREAD} "
            f"decades of compute, with {keep.sum()} of {len(rows.loss)} rows; {BUDGETS} with half of the rows are needed"
        )
    return frame[keep].drop(columns=[] if named else ["budget"], errors="ignore")


def _verdict(fit: Fit, found: IsoflopFit) -> Verdict:
    if found.law is None:
        return Verdict("Fewer than two budgets have an optimum between their sizes.", "not identified")
    a, other = found.derived["N_exponent"], fit.derived["N_exponent"]
    claim = f"Along the optima the best size grows as N ~ C^a with a = {text(a)}; the law says {shown(fit, 'N_exponent')}"
    ends = (a.low, a.high, other.low, other.high)
    known = [end for end in ends if end is not None and np.isfinite(end)]
    apart = len(known) == len(ends) and (known[1] < known[2] or known[3] < known[0])
    doubts = "; ".join(warned.message for warned in found.warnings)
    if doubts:
        return Verdict(f"{claim}. Not to be relied on: {doubts}.", "not identified")
    return Verdict(f"{claim}{', and the intervals are apart' if apart else ''}.", "measured")
