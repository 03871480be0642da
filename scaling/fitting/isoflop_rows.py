"""Rows sorted into compute budgets, and the noise about the curves through them."""

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from scaling import resampling
from scaling.fitting.draws import one_trunk_a_size
from scaling.fitting.rows import Excluded, Rows, number_column, rows_of
from scaling.laws import Chinchilla
from scaling.laws.base import Array

if TYPE_CHECKING:
    import pandas as pd

GAP = 0.1
"""Rows whose C is further than this many decades from any other row's begin a new budget."""


SPREAD = 0.2
"""Decades of C beyond which rows without a gap are no budget."""


@dataclass(frozen=True)
class Block:
    """The rows of one budget."""

    C: float
    """Budget [FLOP]."""
    rows: np.ndarray
    """Positions of its rows."""
    usable: bool
    """Whether there are as many sizes as the curve has coefficients."""


@dataclass(frozen=True)
class Budgets:
    """Rows in use and the budget of each."""

    rows: Rows
    """Inputs N and D, losses and the account of rows."""
    budget: Array
    """Budget of each row, (n,) [FLOP]."""
    degree: int = 2
    """Of the curves: 2 for parabolas, 3 for cubics."""

    @cached_property
    def blocks(self) -> tuple[Block, ...]:
        """The budgets, ascending."""
        N = self.rows.inputs["N"]
        found = []
        for C in np.unique(self.budget):
            at = np.flatnonzero(self.budget == C)
            found.append(Block(float(C), at, len(np.unique(size_labels(N[at]))) > self.degree))
        return tuple(found)

    @cached_property
    def curve(self) -> Array:
        """Log loss of each row's fitted curve, (n,); the measured one where a budget has none."""
        curve = np.log(self.rows.loss)
        for block in self.blocks:
            if block.usable:
                curve[block.rows] = _fitted(self, block)
        return curve

    @property
    def one_trunk_a_size(self) -> bool:
        """Whether trunks are known and no size has a second one."""
        return one_trunk_a_size(self.rows)


def size_labels(N: Array) -> Array:
    """One number for each size, (n,): those within a relative 1e-6 are one."""
    return np.asarray(np.round(np.log(N), 6), dtype=np.float64)


def budgets_of(frame: "pd.DataFrame", excluded: Excluded, degree: int = 2) -> Budgets:
    """The usable rows of a table with N, loss and two of N, D, C, sorted into budgets."""
    decides = "budget" if "budget" in frame.columns else "C"
    rows = rows_of(Chinchilla, frame, excluded=excluded, also=(decides,))
    if decides == "budget":
        return Budgets(rows, number_column(rows.frame, "budget"), degree)
    C = rows.C if rows.C is not None else 6.0 * rows.inputs["N"] * rows.inputs["D"]
    return Budgets(rows, budgets_by_gap(C), degree)


def budgets_by_gap(C: Array) -> Array:
    """Budget of each row, (n,) [FLOP]: the geometric mean of a group of C (n,) without a gap of more than GAP.

    NaN where C is no positive number.
    """
    known = np.isfinite(C) & (C > 0)
    if not known.all():
        budgets = np.full(len(C), np.nan)
        budgets[known] = budgets_by_gap(C[known])
        return budgets
    order = np.argsort(C, kind="stable")
    group = np.empty(len(C), dtype=np.intp)
    group[order] = np.concatenate([[0], np.cumsum(np.diff(np.log10(C[order])) > GAP)])[: len(C)]
    mean = np.bincount(group, weights=np.log(C)) / np.bincount(group) if len(C) else np.empty(0)
    found: Array = np.exp(mean)[group]
    return found


def noise(budgets: Budgets) -> tuple[float, int]:
    """Standard deviation of a row's log loss about its curve, and its degrees of freedom.

    The larger of the spread of residuals, which holds lack of fit too, and that of replicates (same size and
    budget); with no degree of freedom for either, (0, 0).
    """
    log_loss, N = np.log(budgets.rows.loss), budgets.rows.inputs["N"]
    residual, replicate = [0.0, 0], [0.0, 0]
    for block in budgets.blocks:
        if not block.usable:
            continue
        residual[0] += float(np.sum((log_loss[block.rows] - budgets.curve[block.rows]) ** 2))
        residual[1] += len(block.rows) - budgets.degree - 1
        label = size_labels(N[block.rows])
        for size in np.unique(label):
            same = log_loss[block.rows[label == size]]
            replicate[0] += float(np.sum((same - same.mean()) ** 2))
            replicate[1] += len(same) - 1
    spreads = [(float(np.sqrt(s / f)), int(f)) for s, f in (residual, replicate) if f > 0]
    return max(spreads) if spreads else (0.0, 0)


def shared_trunks(budgets: Budgets) -> Any:
    """Trunk labels where trunks have several rows and some size has two trunks at one budget, else None.

    Where every trunk has one row, nothing is shared between rows, and the noise about the curves says more.
    """
    frame = budgets.rows.frame
    if "trunk_id" not in frame or frame["trunk_id"].isna().any():
        return None
    trunk = frame["trunk_id"].astype(str).to_numpy()
    shared = frame["trunk_id"].duplicated().any()
    told = shared and resampling.trunk_freedom(trunk, budgets.rows.inputs["N"], budgets.budget) > 0
    return trunk if told else None


def _fitted(budgets: Budgets, block: Block) -> Array:
    """Fitted log loss of a block's rows."""
    t = np.log(budgets.rows.inputs["N"][block.rows])
    t = t - t.mean()
    X = np.vander(t, budgets.degree + 1)
    fitted: Array = X @ (np.linalg.pinv(X) @ np.log(budgets.rows.loss[block.rows]))
    return fitted
