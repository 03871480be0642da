"""The best learning rate and batch size of each model and duration, from a sweep of both.

Shapes: n runs of one sweep, K knobs.
"""

from dataclasses import dataclass
from numbers import Real
from typing import TYPE_CHECKING

import numpy as np

from scaling.errors import FitError, InputError
from scaling.fitting import checks
from scaling.fitting.rows import FINISHED, Excluded, number_column
from scaling.laws.base import Array

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class SweepOptima:
    """The optimum of each sweep that has one inside it."""

    frame: "pd.DataFrame"
    """One row a sweep: N, D, the best value of each knob, runs (of the sweep), near (runs that the paraboloid rests on),
    spread (root mean square of log loss about it; missing where the best run itself is taken)."""
    excluded: Excluded
    """(sweep, reason) of the others."""
    dropped: Excluded = ()
    """(row, reason) of rows that entered no sweep."""


def sweep_optima(
    frame: "pd.DataFrame", knobs: tuple[str, ...] = ("lr", "batch_tokens"), *, within: float | None = 0.01
) -> SweepOptima:
    """Find the knobs' best values at each pair of N and D.

    log loss = paraboloid in the knobs' logarithms, by least squares over the runs whose loss is within the share
    `within` of the sweep's lowest: far from the optimum loss rises faster on one side, and runs there would shift
    the vertex. `within=None` takes the run of lowest loss itself. A sweep is left out where that run has the lowest
    or highest value of a knob, and where the paraboloid has no minimum inside the sweep or rests on fewer than two
    runs more than it has coefficients.

    Raises InputError for what is no table, missing columns or text, FitError when no sweep has an optimum.
    """
    import pandas as pd

    names = ("N", "D", *knobs, "loss")
    checks.table(frame, ", ".join(names), "sweep_optima(frame)")
    if missing := [name for name in names if name not in frame.columns]:
        raise InputError(f"no column is called {missing[0]}; a sweep needs {', '.join(names)}")
    if not knobs or (within is not None and not (isinstance(within, Real) and within > 0)):
        raise InputError(
            f"knobs are {knobs} and within is {within}; give a knob or more and a positive share"
        )
    table = pd.DataFrame({name: number_column(frame, name) for name in names})
    reasons = _reasons(frame, table)
    dropped = [(row, why) for row, why in zip(frame.index.tolist(), reasons, strict=True) if why]
    table = table[[not why for why in reasons]]
    found, excluded = [], []
    for (N, D), sweep in table.groupby(["N", "D"]):
        logs = np.log(sweep[list(knobs)].to_numpy())
        answer = _optimum(logs, np.log(sweep["loss"].to_numpy()), knobs, within)
        if isinstance(answer, str):
            excluded.append((f"N = {N:.4g}, D = {D:.4g}", answer))
            continue
        best, near, spread = answer
        tuned = dict(zip(knobs, np.exp(best).tolist(), strict=True))
        found.append({"N": N, "D": D} | tuned | {"runs": len(sweep), "near": near, "spread": spread})
    if not found:
        why = excluded[0][1] if excluded else "no row has positive numbers"
        raise FitError(f"no sweep has an optimum, the first because {why}; widen the sweeps")
    return SweepOptima(pd.DataFrame(found), tuple(excluded), tuple(dropped))


def _reasons(frame: "pd.DataFrame", table: "pd.DataFrame") -> list[str]:
    """Why each row enters no sweep; empty for those that do."""
    bad = ~((table > 0) & np.isfinite(table))
    reasons = [
        f"{table.columns[int(np.argmax(row))]} is missing or not positive" if row.any() else ""
        for row in bad.to_numpy()
    ]
    if "status" in frame.columns:
        for k, status in enumerate(frame["status"].tolist()):
            if isinstance(status, str) and status.strip().lower() not in FINISHED:
                reasons[k] = f"status is {status}"
    return reasons


def _optimum(
    logs: Array, log_loss: Array, knobs: tuple[str, ...], within: float | None
) -> tuple[Array, int, float] | str:
    """Logarithms of the best values (K,), runs used and their spread; or why there is none."""
    best = int(log_loss.argmin())
    low, high = logs.min(axis=0), logs.max(axis=0)
    for k, knob in enumerate(knobs):
        if logs[best, k] in (low[k], high[k]):
            end = "smallest" if logs[best, k] == low[k] else "largest"
            return f"the lowest loss has the {end} {knob} of the sweep"
    if within is None:
        return logs[best], 1, float("nan")
    near = log_loss <= log_loss[best] + np.log1p(within)
    i, j = np.tril_indices(len(knobs))
    t = logs[near] - logs[best]
    X = np.column_stack([np.ones(len(t)), t, t[:, i] * t[:, j]])
    if len(t) < X.shape[1] + 2 or np.linalg.matrix_rank(X) < X.shape[1]:
        return f"{len(t)} runs within {100 * within:g} % of the lowest loss fix no paraboloid"
    coefficients = np.linalg.lstsq(X, log_loss[near], rcond=None)[0]
    curvature = np.zeros((len(knobs), len(knobs)))
    curvature[i, j] = coefficients[1 + len(knobs) :]
    curvature = (
        curvature + curvature.T
    )  # a square's coefficient is half its second derivative, a product's all
    if np.linalg.eigvalsh(curvature)[0] <= 0:
        return "the paraboloid has no minimum"
    vertex = logs[best] - np.linalg.solve(curvature, coefficients[1 : 1 + len(knobs)])
    if np.any((vertex <= low) | (vertex >= high)):
        return "the paraboloid's minimum lies outside the sweep"
    spread = float(np.sqrt(np.mean((log_loss[near] - X @ coefficients) ** 2)))
    return vertex, int(near.sum()), spread
