"""Samples of a problem put together for each k: pass@k, majority@k, best-of-k."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from scaling.errors import InputError
from scaling.exchange.rows import COSTS, Behind, checkpoint_keys, rows_behind
from scaling.fitting.rows import number_column
from scaling.laws.base import Array

if TYPE_CHECKING:
    import pandas as pd

MOST_K = 20
FEWER = 4
"""Times fewer samples than most problems have from which one problem is not to decide on k."""


def put_together(
    frame: pd.DataFrame, method: str, k: Sequence[int] | None, seed: int
) -> tuple[pd.DataFrame, np.ndarray[Any, np.dtype[np.float64]], Behind]:
    """Samples put together for each k, and the rows behind each."""
    from scaling import samples

    budgets = len(frame["budget"].dropna().unique()) if "budget" in frame else 1
    if budgets > 1:
        raise InputError(
            f"method {method} puts samples of one budget together, and the table has {budgets}; "
            "choose one with --where"
        )
    if "problem" not in frame:
        raise InputError(
            f"method {method} puts the samples of a problem together: the table needs a column problem"
        )
    by = checkpoint_keys(frame)
    if not by:
        raise InputError(
            "training compute needs a column train_flops, and the table has none; give --map train_flops=EXPR"
        )
    chosen = list(k) if k is not None else _powers(frame, by)
    curves = samples.curves(frame, cast(Any, method), chosen, by=by, seed=seed)
    costs = [name for name in COSTS if name in frame and name not in by]
    means = frame[by].assign(**{name: number_column(frame, name) for name in costs})
    spent = means.groupby(by, sort=False).mean().reset_index()
    joined = curves.merge(spent, on=by, how="left").rename(columns={"n": "trials"})
    if "difficulty" in frame:
        joined = joined.assign(
            difficulty=joined["problem"].map(frame.groupby("problem")["difficulty"].first())
        )
    joined = joined.assign(budget=joined["k"])
    pairs = rows_behind(frame, frame.groupby([*by, "problem"], sort=True, observed=True).ngroup().tolist())
    behind = tuple(pairs[row // len(set(chosen))] for row in range(len(joined)))
    return joined, joined["k"].to_numpy(dtype=np.float64), behind


def _powers(frame: pd.DataFrame, by: list[str]) -> list[int]:
    """1, 2, 4, ... up to the fewest samples of a problem."""
    fewest = int(_sizes(frame, by).min())
    typical = float(np.median(_sizes(frame, by)))
    if fewest * FEWER <= typical:
        raise InputError(
            f"a problem has {fewest} samples where most have {typical:.0f}, and no k may be above the fewest: "
            "leave such problems out with --where, or give --k"
        )
    if fewest < 2:
        raise InputError(f"a problem has {fewest} sample; putting samples together needs at least 2 of each")
    return [2**power for power in range(min(MOST_K, fewest.bit_length()))]


def _sizes(frame: pd.DataFrame, by: list[str]) -> Array:
    """Samples of each problem at each checkpoint."""
    if "n" in frame:
        n = number_column(frame, "n")
        return n[np.isfinite(n)]
    return np.asarray(frame.groupby([*by, "problem"], sort=False).size(), dtype=np.float64)
