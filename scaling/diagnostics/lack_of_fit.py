"""Whether a law misses more than runs of the same size and duration miss each other: the F test of lack of fit."""

import dataclasses
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from scaling.errors import InputError
from scaling.fitting.design import Design
from scaling.fitting.minima import at_bounds, local_minima
from scaling.fitting.objective import Objective
from scaling.fitting.result import Fit
from scaling.laws.base import Array
from scaling.reporting.numbers import plain

Positions = npt.NDArray[np.intp]
"""Positions of rows, or the cell of each."""


@dataclass(frozen=True)
class LackOfFit:
    """The spread of cells about the law against the spread of replicates within cells.

    Normal theory on log residuals: it takes for granted that runs at the same inputs scatter the log loss normally,
    independently and alike at all sizes. Branches of one trunk are not independent.
    """

    F: float
    """(lack of fit / its freedom) / (spread of replicates / its freedom); infinite where replicates do not spread."""
    freedom_fit: int
    """Cells minus free parameters."""
    freedom_replicates: int
    """Rows minus cells."""
    p_value: float
    """Chance of an F at least this large if the law holds."""
    spread_fit: float
    """Root mean square of the cells' means about the law, per degree of freedom, in units of a single run's log loss."""
    spread_replicates: float
    """Standard deviation of log loss between runs at the same inputs."""
    cells: int
    """Distinct inputs."""
    replicated: int
    """Cells with more than one row."""
    repeats: int
    """Rows left out because they repeat another's inputs and loss to the last digit: one measurement twice."""

    @property
    def text(self) -> str:
        """The test in a sentence."""
        return (
            f"F({self.freedom_fit}, {self.freedom_replicates}) = {plain(self.F, 3)}, p = {plain(self.p_value, 2)} "
            f"(normal theory on log residuals): the law misses by {plain(100 * self.spread_fit, 2)} % where runs of "
            f"the same inputs differ by {plain(100 * self.spread_replicates, 2)} %"
        )

    def to_json(self) -> dict[str, Any]:
        """Its numbers, for programs; an infinite F is null."""
        return dataclasses.asdict(self) | {"F": self.F if np.isfinite(self.F) else None}


def lack_of_fit(fit: Fit) -> LackOfFit | None:
    """Test the law of a fit against replicates: rows with the same inputs.

    F = [(S - R) / (c - p)] / [R / (n - c)], with S the weighted sum of squared log residuals at the law's own least
    squares (whatever the fit minimised: the test is one of squares), R that of rows about their cell's mean, c cells, p
    parameters that moved, n rows. F follows its distribution where the law holds, up to the law's curvature over the
    noise (Draper and Smith 1998, Applied Regression Analysis, section 2.1).

    Returns None where no inputs come twice, or no more cells than parameters remain.
    Raises InputError for a law of a score, whose logarithm has no common spread.
    """
    from scipy.special import fdtrc

    law = type(fit.law)
    if law.target == "score":
        raise InputError(
            f"{law.name} predicts a score; the test is for losses, whose logarithms scatter alike"
        )
    kept, cell = _cells(fit)
    n, cells = len(kept), int(cell.max()) + 1
    rows = fit.rows
    inputs = {name: values[kept] for name, values in rows.inputs.items()}
    design = Design.of(
        law,
        inputs,
        rows.loss[kept],
        weights=rows.weights[kept],
        known=dataclasses.replace(fit.known, priors={}),
    )
    theta, value, _ = local_minima(design, Objective("mse"))
    moved = int(design.free.sum()) - len(at_bounds(design, theta[0]))
    freedom = cells - moved, n - cells
    if min(freedom) < 1:
        return None
    within = _within(np.log(rows.loss[kept]), rows.weights[kept], cell)
    lack = max(float(value[0]) - within, 0.0)
    means = lack / freedom[0], within / freedom[1]
    F = means[0] / means[1] if means[1] > 0 else np.inf if means[0] > 0 else 0.0
    return LackOfFit(
        F=float(F),
        freedom_fit=freedom[0],
        freedom_replicates=freedom[1],
        p_value=float(fdtrc(*freedom, F)) if np.isfinite(F) else 0.0,
        spread_fit=float(np.sqrt(means[0])),
        spread_replicates=float(np.sqrt(means[1])),
        cells=cells,
        replicated=int(np.sum(np.bincount(cell) > 1)),
        repeats=len(rows.loss) - n,
    )


def _cells(fit: Fit) -> tuple[Positions, Positions]:
    """Positions of the rows that are no repeats, and the cell of each: inputs within a relative 1e-6 are the same."""
    columns = np.column_stack(list(fit.rows.inputs.values()))
    exact = np.column_stack([columns, fit.rows.loss])
    kept = np.sort(np.unique(exact, axis=0, return_index=True)[1])
    cell = np.unique(np.round(np.log(columns[kept]), 6), axis=0, return_inverse=True)[1]
    return kept, np.ravel(cell).astype(np.intp)


def _within(log_loss: Array, weights: Array, cell: Positions) -> float:
    """Weighted sum of squares about the cells' weighted means."""
    mean = np.bincount(cell, weights=weights * log_loss) / np.bincount(cell, weights=weights)
    return float(np.sum(weights * (log_loss - mean[cell]) ** 2))
