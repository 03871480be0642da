"""Fits repeated without some of their rows, all in one call of the engine.

Shapes: G groups of rows, n rows, P parameters.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from scaling.errors import InputError
from scaling.fitting.draws import fit_draws
from scaling.fitting.isoflop_rows import SPREAD, budgets_by_gap
from scaling.fitting.objective import Mask
from scaling.fitting.result import Fit
from scaling.fitting.table_doubts import levels
from scaling.laws.base import Array
from scaling.resampling import Resamples

BLOCK = 2_000_000
"""Groups x rows that are worked on together."""
By = str | Mapping[str, Sequence[Any]]
"""What rows stay together: `row`, `run`, `budget`, a column, or named sets of row labels."""


@dataclass(frozen=True)
class Groups:
    """Rows of a fit sorted into groups."""

    by: str
    """What they were sorted by."""
    labels: tuple[Any, ...]
    """Name of each group, (G,)."""
    members: Mask
    """Which rows belong to each, (G, n)."""


def groups_of(fit: Fit, by: By) -> Groups:
    """Sort the rows of a fit: by `row`, by `run` (column run_id, else each row), by `budget` or by a column.

    Budgets are the values of a column `budget`, else groups of C without a gap of more than .1 decades. A mapping
    names sets of row labels, which may overlap.
    Raises InputError for an unknown column, labels that are no rows, and fewer than two groups.
    """
    if not isinstance(by, str):
        return _named(fit, by)
    frame = fit.rows.frame
    column = "run_id" if by == "run" and "run_id" in frame else by
    if by in ("row", "run") and column not in frame:
        return Groups("row", tuple(frame.index.tolist()), np.eye(len(frame), dtype=np.bool_))
    if column in frame:
        import pandas as pd

        try:
            codes, found = pd.factorize(frame[column], use_na_sentinel=False)
        except TypeError as error:
            raise InputError(
                f"column {column} holds lists or objects, which cannot label rows; give texts or numbers"
            ) from error
        labels = found.tolist()
    elif by == "budget":
        if fit.rows.C is None or not np.isfinite(fit.rows.C).all():
            raise InputError("leaving out budgets needs C for every row, or N and D; name another column")
        budgets, codes = np.unique(budgets_by_gap(fit.rows.C), return_inverse=True)
        labels = budgets.tolist()
        log_C = np.log10(fit.rows.C)
        spans = [float(np.ptp(log_C[codes == k])) for k in range(len(budgets))]
        if max(spans) > SPREAD:
            raise InputError(
                f"the compute of these rows forms no budgets: {int(np.sum(codes == np.argmax(spans)))} rows without a gap "
                f"span {max(spans):.2g} decades, more than {SPREAD}; name a column"
            )
    else:
        names = ", ".join(map(str, frame.columns[:12]))
        raise InputError(
            f"no column is called {by} (the table has {names}); give row, run, budget or a column"
        )
    if len(labels) < 2:
        raise InputError(f"all rows have one {by}; leaving it out leaves nothing to fit")
    return Groups(by, tuple(labels), np.equal.outer(np.arange(len(labels)), codes))


def _named(fit: Fit, sets: Mapping[str, Sequence[Any]]) -> Groups:
    index = fit.rows.frame.index
    members = np.zeros((len(sets), len(index)), dtype=np.bool_)
    for k, (name, labels) in enumerate(sets.items()):
        unknown = [label for label in labels if label not in index]
        if unknown or not len(labels):
            what = f"row {unknown[0]!r} is not among the rows in use" if unknown else "it names no rows"
            raise InputError(f"set {name!r}: {what}; give labels of the fit's rows")
        members[k] = index.isin(list(labels))
    if not len(members):
        raise InputError("no sets of rows were given; name at least one, {'name': labels}")
    return Groups("sets", tuple(sets), members)


def without(fit: Fit, groups: Groups) -> tuple[Array, list[str]]:
    """Parameters (G, P) of the fit without each group, NaN where the other rows have no answer, and each group's status.

    The status is `ok`, `not converged`, or why there is no answer.
    """
    reasons = [_refused(fit, ~out) for out in groups.members]
    possible = np.flatnonzero([not reason for reason in reasons])
    values = np.full((len(reasons), len(fit.law.values())), np.nan)
    values[possible], converged = refits(fit, ~groups.members[possible])
    status = np.array(reasons, dtype=object)
    status[possible] = np.where(converged, "ok", "not converged")
    return values, status.tolist()


def refits(fit: Fit, counts: Array | Mask) -> tuple[Array, Mask]:
    """Parameters (G, P) of the same law and objective with each row counted as often as counts (G, n) say.

    Also whether each converged, (G,). Weights of the fit multiply the counts.
    """
    design, theta = fit.design, fit.theta
    size = max(1, BLOCK // design.rows)
    values, converged = np.empty((len(counts), theta.shape[1])), np.zeros(len(counts), dtype=np.bool_)
    for k in range(0, len(counts), size):
        drawn = Resamples("weights", None, weights=counts[k : k + size].astype(np.float64))
        block = slice(k, k + size)
        values[block], converged[block] = fit_draws(design, fit.objective, drawn, theta)
    return values, converged


def _refused(fit: Fit, kept: Mask) -> str:
    """Why the rows kept have no answer, or nothing."""
    free = len(fit.parameters) - len(fit.fixed)
    if kept.sum() < free:
        return f"{int(kept.sum())} rows left for {free} parameters"
    for name, values in fit.rows.inputs.items():
        if levels(values[kept]) < 2:
            return f"one {name} left"
    return ""
