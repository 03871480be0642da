"""pass@k without what a guesser gets, which grows with k, and what is left of a cell's weight.

Where a sample knows the answer with probability q and else guesses, 1 - pass@k = (1 - q)^k (1 - chance)^k, of a problem and
in the mean: (score - guessed) / (1 - guessed) with guessed = 1 - (1 - chance)^k is the share that knows. Noise grows by
1 / (1 - guessed). Shapes: n rows, K checkpoints, B budgets.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from scaling.errors import FitError
from scaling.exchange.rows import checkpoint_keys
from scaling.fitting.parts import Warned
from scaling.fitting.rows import number_column

if TYPE_CHECKING:
    import pandas as pd

    from scaling.exchange.design import Design

MOST_ERROR = 0.1
"""Standard error of a corrected cell from which its k is left out: guessers solve nearly all there."""
PROBLEMS = 100.0
"""Problems of a cell where nothing says how many."""


def without_chance(
    built: pd.DataFrame, chance: float
) -> tuple[pd.DataFrame, npt.NDArray[np.bool_], Mapping[Any, float], tuple[Warned, ...]]:
    """Rows with corrected scores, which rows stayed (n,), what a guesser scores at each budget, and what was left out.

    Raises FitError where no k is left.
    """
    from scaling.samples import chance_at_k, chance_corrected

    k, score = number_column(built, "k"), number_column(built, "score")
    known = np.isfinite(k) & np.isfinite(score)
    guessed = np.where(known, chance_at_k(chance, np.where(known, k, 1), "pass"), 0.0)
    error = _errors(built, score, guessed)
    swamped = sorted({int(one) for one in k[known & (error > MOST_ERROR)]})
    keep = ~np.isin(k, swamped)
    if not keep.any():
        raise FitError(
            f"a guesser scores {guessed.min():.0%} or more at every k, and of so few problems nothing can be told from that"
        )
    corrected = np.where(known, chance_corrected(np.where(known, score, 0.0), guessed), np.nan)
    warned: tuple[Warned, ...] = ()
    if swamped:
        least = float(guessed[np.isin(k, swamped)].min())
        warned = (
            Warned(
                "guessing",
                f"k = {', '.join(map(str, swamped))} left out: a guesser passes {least:.0%} or more there, and what is "
                f"above has a standard error over {MOST_ERROR:g}; more problems would tell, or answers that are harder to "
                "guess",
            ),
        )
    if "budget" not in built:
        built = built.assign(budget=built["k"])
    built = built.assign(score=corrected)[keep]
    return built, keep, dict(zip(built["budget"], guessed[keep].tolist(), strict=True)), warned


def _errors(built: pd.DataFrame, score: npt.NDArray[Any], guessed: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Standard error of the corrected cell at each row's k, (n,): the median over checkpoints, binomial in problems."""
    told = number_column(built, "n_problems") if "n_problems" in built else np.full(len(built), np.nan)
    single = "problem" in built
    keys = checkpoint_keys(built, "k")
    rows = built[keys].assign(
        score=score, guessed=guessed, count=1.0 if single else np.where(np.isfinite(told), told, PROBLEMS)
    )
    cells = rows.groupby(keys, dropna=False).agg(
        score=("score", "mean"), guessed=("guessed", "first"), count=("count", "sum" if single else "mean")
    )
    share = (cells["score"] * cells["count"] + 1) / (cells["count"] + 2)
    cells["error"] = np.sqrt(share * (1 - share) / cells["count"]) / (1 - cells["guessed"])
    by_k = cells.groupby("k")["error"].median()
    return built["k"].map(by_k).fillna(0.0).to_numpy(dtype=np.float64)


def weighed(design: Design, guessed: Mapping[Any, float]) -> Design:
    """The design with the trials that its corrected cells are worth.

    A corrected cell P of N trials varies by raw (1 - raw) / (N (1 - guessed)^2), raw = guessed + (1 - guessed) P, as a plain
    one of N P (1 - guessed) / raw trials would.
    """
    floor = np.array([guessed[name] for name in design.budgets])
    share = np.clip(np.nan_to_num(design.means, nan=0.5), 0.02, 1.0)
    return replace(
        design,
        cell_weight=design.cell_weight * share * (1 - floor) / (floor + (1 - floor) * share),
        guessed=tuple(floor.tolist()),
    )
