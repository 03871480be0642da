"""What doubts look at: a result, and the rows of the user's table that it rests on.

Shapes: n rows, L training levels, B budgets.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from scaling.exchange.rows import finished, right
from scaling.exchange.table import METHODS

if TYPE_CHECKING:
    import pandas as pd

    from scaling.exchange.design import Design, Whole
    from scaling.exchange.paired import Paired
    from scaling.exchange.result import Exchange
    from scaling.laws.base import Array

YES = frozenset({"true", "1", "1.0", "yes"})
"""Cells that say yes, in any case."""


@dataclass(frozen=True)
class Evidence:
    """A result and its rows."""

    found: Exchange | Paired
    rows: pd.DataFrame
    """The user's rows of the method, of runs that finished: a problem, a cell or a sample each."""

    @classmethod
    def of(cls, found: Exchange | Paired, frame: pd.DataFrame) -> Evidence:
        """Leave out rows of other methods and of runs that did not finish."""
        keep = finished(frame)
        if "method" in frame:
            keep = keep & (frame["method"].astype(str) == found.method).to_numpy()
        return cls(found, frame[keep])

    @property
    def grid(self) -> Exchange:
        """The result, where it is of a grid: some doubts have no meaning for two curves."""
        from scaling.exchange.result import Exchange

        assert isinstance(self.found, Exchange)
        return self.found

    @property
    def design(self) -> Design:
        """The grid."""
        return self.found.design

    @property
    def together(self) -> bool:
        """Whether samples were put together, so that a row is of all budgets."""
        return self.found.method in METHODS[1:] and "method" not in self.rows

    @property
    def shares(self) -> bool:
        """Whether scores are shares of right answers."""
        _, _, score, _ = self.design.cells
        return bool(score.min() >= 0 and score.max() <= 1)

    @cached_property
    def problems(self) -> int:
        """Problems of the benchmark, by their names or the column n_problems; 0 where neither tells."""
        if self.design.problems or "n_problems" not in self.rows:
            return self.design.problems
        told = self.numbers("n_problems")
        return int(np.nanmax(told)) if np.isfinite(told).any() else 0

    def numbers(self, name: str) -> Array:
        """A column as floats (n,); NaN for what is none."""
        import pandas as pd

        found: Array = pd.to_numeric(self.rows[name], errors="coerce").to_numpy(np.float64, na_value=np.nan)
        return found

    def yes(self, name: str) -> npt.NDArray[np.bool_]:
        """Which cells of a column say yes, (n,)."""
        said = self.rows[name].astype(str).str.strip().str.casefold()
        return np.asarray(said.isin(YES).to_numpy(), dtype=bool)

    @cached_property
    def score(self) -> Array | None:
        """Score of each row (n,); None where none is told."""
        if "score" in self.rows:
            return self.numbers("score")
        if "n" in self.rows and "c" in self.rows:
            n = self.numbers("n")
            return self.numbers("c") / np.where(n > 0, n, np.nan)
        return right(self.rows) if "correct" in self.rows else None

    @cached_property
    def level(self) -> Whole:
        """Training level of each row (n,); -1 where its compute is missing."""
        centres, _, _ = self.design.level_curves()
        spent = self.found.ledger.training(self.rows)
        known = np.isfinite(spent) & (spent > 0)
        u = np.log10(np.where(known, spent, 1.0))
        return np.where(known, np.abs(u[:, None] - centres).argmin(axis=1), -1).astype(np.intp)

    @cached_property
    def budget(self) -> Whole:
        """Budget of each row (n,); -1 where it has none of its own."""
        if self.together:
            return np.full(len(self.rows), -1, dtype=np.intp)
        if "budget" in self.rows:
            place = {name: b for b, name in enumerate(self.design.budgets)}
            told = self.rows["budget"].map(place)
            return told.fillna(-1).to_numpy().astype(np.intp)
        spent = self.found.ledger.inference(self.rows)
        known = np.isfinite(spent) & (spent > 0)
        v = np.log10(np.where(known, spent, 1.0))
        named = np.log10(np.array(self.design.budgets, dtype=np.float64))
        return np.where(known, np.abs(v[:, None] - named).argmin(axis=1), -1).astype(np.intp)

    def by_cell(self, values: Array) -> Array:
        """Mean of rows' values (n,) at each level and budget (L, B); NaN where there is none."""
        L, B = self.design.levels, len(self.design.budgets)
        known = np.isfinite(values) & (self.level >= 0) & (self.together | (self.budget >= 0))
        place = self.level[known] * B + np.maximum(self.budget[known], 0)
        count = np.bincount(place, minlength=L * B)
        with np.errstate(invalid="ignore"):
            mean = np.bincount(place, weights=values[known], minlength=L * B) / count
        cells = mean.reshape(L, B)
        return np.repeat(cells[:, :1], B, axis=1) if self.together else cells
