"""Right answers by total budget, RL share, run and problem: a table checked and laid out as arrays.

Shapes: S shares, R runs, P problems.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from scaling.errors import InputError
from scaling.fitting import checks
from scaling.fitting.rows import number_column

if TYPE_CHECKING:
    import pandas as pd

    from scaling.laws.base import Array

NUMBERS = ("total", "share", "train_flops", "pretrain_flops", "n", "c")
COLUMNS = (*NUMBERS, "run", "problem")
LEAST_SHARES = 3
"""Shares above 0 that a curve with a top takes."""


@dataclass(frozen=True)
class Budget:
    """What was measured at one total."""

    total: float
    """Training FLOPs planned for pretraining and RL together."""
    shares: Array
    """Planned RL shares, ascending, (S,)."""
    scores: Array
    """Share of right samples, (S, R, P)."""
    samples: Array
    """Samples behind each share, (S,)."""
    rl_flops: Array
    """Realised FLOPs of RL, (S, R)."""
    pretrain_flops: Array
    """Realised FLOPs before it, (S, R)."""

    @property
    def realised(self) -> Array:
        """Realised RL shares, means over runs weighted by their totals, (S,)."""
        spent = self.rl_flops.sum(axis=1)
        return np.asarray(spent / (spent + self.pretrain_flops.sum(axis=1)))

    @property
    def totals(self) -> Array:
        """Realised training FLOPs, means over runs, (S,)."""
        return np.asarray((self.rl_flops + self.pretrain_flops).mean(axis=1))


@dataclass(frozen=True)
class Grid:
    """All totals, with the same runs and problems."""

    budgets: tuple[Budget, ...]
    """Ascending totals."""
    runs: tuple[str, ...]
    """Names of the runs, (R,)."""
    left_out: tuple[str, ...]
    """Runs that lack a share of some total, with what they lack."""
    read: int
    """Rows in the table."""


def grid_of(frame: pd.DataFrame) -> Grid:
    """Return the table's arrays; a run without all shares of all totals is left out of all.

    Columns as `best_split` takes. Raises InputError, one line, for a column or cell that is missing or cannot be meant, a
    row that occurs twice, problems that differ between shares or runs, and fewer than 3 shares above 0 at a total.
    """
    rows = _checked(frame)
    whole = rows[["total", "share"]].drop_duplicates()
    cells = rows[["total", "share", "run"]].drop_duplicates()
    held = cells.groupby("run").size()
    lacking = sorted(held.index[held < len(whole)])
    runs = sorted(held.index[held == len(whole)])
    if not runs:
        raise InputError(
            "no run has all shares of all totals; runs are compared with themselves, so give each run (seed) every share"
        )
    kept = rows[rows["run"].isin(runs)]
    budgets = tuple(_budget(total, part, runs) for total, part in kept.groupby("total", sort=True))
    problems = {one.scores.shape[2] for one in budgets}
    if len(problems) > 1 or kept["problem"].nunique() not in problems:
        raise InputError("totals were asked different problems; give all shares of all totals the same ones")
    reasons = tuple(f"{run} ({_lacks(run, cells, whole)})" for run in lacking)
    return Grid(budgets, tuple(runs), reasons, len(frame))


def _checked(frame: Any) -> pd.DataFrame:
    """The columns with numbers as floats and names as text."""
    import pandas as pd

    checks.table(frame, ", ".join(COLUMNS), "one row a total, share, run and problem")
    if gone := [name for name in COLUMNS if name not in frame.columns]:
        raise InputError(f"the table has no column {gone[0]}; give {', '.join(COLUMNS)}")
    if not len(frame):
        raise InputError("the table has no rows; give one row a total, share, run and problem")
    rows = pd.DataFrame({name: number_column(frame, name) for name in NUMBERS}, index=frame.index)
    for name in ("run", "problem"):
        if frame[name].isna().any():
            raise InputError(f"column {name} has an empty cell; name every row's {name}")
        rows[name] = frame[name].astype(str)
    none = rows["share"].eq(0)
    _refuse(rows, "total", ~(rows["total"] > 0) | np.isinf(rows["total"]), "a positive number of FLOPs")
    _refuse(rows, "share", ~rows["share"].between(0, 1, inclusive="left"), "a share from 0 to below 1")
    _refuse(rows, "n", ~(rows["n"] >= 1) | (rows["n"] % 1 != 0), "a whole number of samples, 1 or more")
    _refuse(
        rows, "c", ~(rows["c"].between(0, rows["n"])) | (rows["c"] % 1 != 0), "a whole number from 0 to n"
    )
    _refuse(
        rows,
        "pretrain_flops",
        ~(rows["pretrain_flops"] > 0) | np.isinf(rows["pretrain_flops"]),
        "FLOPs above 0",
    )
    wrong = ~np.where(
        none, rows["train_flops"].eq(0), (rows["train_flops"] > 0) & ~np.isinf(rows["train_flops"])
    )
    _refuse(rows, "train_flops", wrong, "the FLOPs of RL, 0 at share 0 and above 0 elsewhere")
    keys = ["total", "share", "run", "problem"]
    if (twice := rows.duplicated(keys)).any():
        one = rows[twice].iloc[0]
        raise InputError(
            f"run {one['run']}, problem {one['problem']} occurs twice at share {one['share']:g} of total {one['total']:g}; "
            "add up n and c first"
        )
    return rows


def _refuse(rows: pd.DataFrame, name: str, wrong: Any, expected: str) -> None:
    """Refuse the first cell of a column that cannot be meant."""
    bad = np.asarray(wrong, dtype=bool)
    if bad.any():
        at = int(bad.argmax())
        raise InputError(f"column {name}, row {rows.index[at]}: {rows[name].iloc[at]:g}; expected {expected}")


def _budget(total: Any, rows: pd.DataFrame, runs: list[str]) -> Budget:
    """The arrays of one total."""
    shares = np.unique(rows["share"])
    problems = np.unique(rows["problem"])
    where = f"total {float(total):g}"
    if (shares > 0).sum() < LEAST_SHARES:
        raise InputError(
            f"{where} has {(shares > 0).sum()} shares above 0; a curve with a top takes {LEAST_SHARES} or more"
        )
    if len(rows) != len(shares) * len(runs) * len(problems):
        raise InputError(
            f"{where}: not every share and run was asked the same problems; give all the same ones"
        )
    if len(problems) < 2:
        raise InputError(f"{where} has one problem; intervals leave out problems, so give 2 or more")
    rows = rows.sort_values(["share", "run", "problem"], kind="stable")
    shape = (len(shares), len(runs), len(problems))

    def laid(name: str) -> Array:
        return rows[name].to_numpy(dtype=float).reshape(shape)

    for name in ("train_flops", "pretrain_flops"):
        if np.ptp(laid(name), axis=2).any():
            raise InputError(
                f"{where}: {name} differs between problems of one run and share; it is of the run"
            )
    found = Budget(
        total=float(total),
        shares=shares,
        scores=laid("c") / laid("n"),
        samples=laid("n").sum(axis=(1, 2)),
        rl_flops=laid("train_flops")[:, :, 0],
        pretrain_flops=laid("pretrain_flops")[:, :, 0],
    )
    if (np.diff(found.realised) <= 0).any():
        told = ", ".join(f"{a:g} as {b:.3g}" for a, b in zip(shares, found.realised, strict=True))
        raise InputError(
            f"{where}: realised shares do not rise with planned ones ({told}); correct the FLOPs or shares"
        )
    return found


def _lacks(run: str, cells: pd.DataFrame, whole: pd.DataFrame) -> str:
    """What a run lacks, in words."""
    own = {(a, b) for a, b in cells.loc[cells["run"] == run, ["total", "share"]].itertuples(index=False)}
    gone = sorted(set(whole.itertuples(index=False, name=None)) - own)
    return ", ".join(f"no share {share:g} of total {total:g}" for total, share in gone)
