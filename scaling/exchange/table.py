"""A user's table as the rows of one method's grid: samples put together, compute counted, one row a problem or a cell."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from scaling.errors import InputError
from scaling.exchange import ledger as ledgers
from scaling.exchange.arrange import design_of
from scaling.exchange.design import Design
from scaling.exchange.guessing import weighed, without_chance
from scaling.exchange.ledger import Ledger
from scaling.exchange.rows import COSTS, Behind, checkpoint_keys, finished, right, rows_behind
from scaling.exchange.together import put_together
from scaling.fitting.parts import Warned
from scaling.fitting.rows import number_column
from scaling.laws.base import Array
from scaling.records.cells import shown

if TYPE_CHECKING:
    import pandas as pd

METHODS = ("budget", "pass", "majority", "best_of")
"""Ways to spend inference: a budget that each row names, or k samples put together in one of three ways."""
SAME_CHANCE = 1e-6
PASS = ("pass", "coverage")
"""How methods are named by which a problem is solved if one sample of k is right: guesses add up."""


@dataclass(frozen=True)
class Prepared:
    """One method's rows, before compute is counted."""

    frame: pd.DataFrame
    """One row a problem (or a cell) at a budget: score, costs of one sample, and samples taken."""
    samples: Array | None
    """Samples that each row's budget takes, (n,), where samples were put together and costs are of one."""
    method: str
    chance: float
    """Score of a blind guess; 0 where no column chance_score says."""
    read: int
    dropped: tuple[tuple[Any, str], ...]
    behind: Behind = None
    """Rows of the user's table behind each row; None where they are the same."""
    guessed: Mapping[Any, float] | None = None
    """What a guesser scores at each budget, where it was taken out of the scores."""
    warnings: tuple[Warned, ...] = ()

    @property
    def corrected(self) -> bool:
        """Whether chance was taken out of the scores."""
        return self.guessed is not None

    def design(self, ledger: Ledger, *, unbounded: bool = False) -> Design:
        """The grid under a convention."""
        found = design_of(
            self.frame,
            ledger.training(self.frame),
            ledger.inference(self.frame, self.samples),
            read=self.read,
            unbounded=unbounded,
            corrected=self.corrected,
            stage=number_column(self.frame, ledgers.TRAIN) if ledgers.TRAIN in self.frame else None,
        )
        lost = found.dropped
        if self.behind is not None:
            lost = tuple({row: (row, why) for one, why in lost for row in self.behind[one]}.values())
        found = replace(found, dropped=(*self.dropped, *lost))
        return found if self.guessed is None else weighed(found, self.guessed)

    def latency(self, ledger: Ledger) -> tuple[float, float, float] | None:
        """a, b, c of log10 tokens = a + b log10 C_train + c log10 C_infer over the rows, by least squares."""
        if ledgers.TOKENS not in self.frame:
            return None
        logs = [ledger.training(self.frame), ledger.inference(self.frame, self.samples)]
        with np.errstate(invalid="ignore", divide="ignore"):
            u, v, t = (np.log10(values) for values in (*logs, number_column(self.frame, ledgers.TOKENS)))
        known = np.isfinite(u) & np.isfinite(v) & np.isfinite(t)
        if not known.any():
            return None
        basis = np.stack([np.ones(known.sum()), u[known], v[known]], axis=1)
        a, b, c = np.linalg.lstsq(basis, t[known], rcond=1e-9)[0].tolist()
        return a, b, c


def prepare(
    frame: pd.DataFrame,
    method: str | None = None,
    k: Sequence[int] | None = None,
    *,
    excluded: tuple[tuple[Any, str], ...] = (),
    seed: int = 0,
) -> Prepared:
    """Return the rows of one method.

    A table with a column `method` holds finished scores: `method` chooses among its values. Else `method` says what rows
    are: `budget` (the default), each row scored at its own inference compute; `pass`, `majority` or `best_of`, one row a
    sample (or counts n, c for `pass`), put together for each `k`.

    Raises InputError for methods that would be pooled, columns that are missing and counts that are none.
    """
    frame, chosen, dropped = _chosen(frame, method)
    read = len(frame) + len(dropped) + len(excluded)
    frame, dropped = _finished(frame, (*excluded, *dropped))
    chance = _chance(frame)
    samples = None
    if chosen in METHODS[1:] and "method" not in frame:
        built, samples, behind = put_together(frame, chosen, k, seed)
    else:
        if k is not None:
            raise InputError(
                f"k counts samples that are put together, and method {chosen} has none; leave k out"
            )
        built, behind, dropped = _scored(frame, dropped)
    if not (chance and "k" in built and chosen.casefold().startswith(PASS)):
        return Prepared(built, samples, chosen, chance, read, dropped, behind)
    built, keep, guessed, warnings = without_chance(built, chance)
    if samples is not None and behind is not None:
        samples, built = samples[keep], built.reset_index(drop=True)
        behind = tuple(rows for rows, kept in zip(behind, keep, strict=True) if kept)
    else:
        lost = [row for row, kept in zip(frame.index, keep, strict=True) if not kept]
        dropped = (*dropped, *((row, "a guesser passes nearly all at this k") for row in lost))
    return Prepared(built, samples, chosen, 0.0, read, dropped, behind, guessed, warnings)


def _chosen(frame: pd.DataFrame, method: str | None) -> tuple[pd.DataFrame, str, tuple[tuple[Any, str], ...]]:
    if "method" not in frame:
        if method is not None and method not in METHODS:
            raise InputError(
                f"method is {method!r}; give {', '.join(METHODS)}, or a value of a column method"
            )
        return frame, method or "budget", ()
    known = [str(name) for name in frame["method"].dropna().unique()]
    if method is None:
        if len(known) > 1:
            raise InputError(
                f"the table has {len(known)} methods ({', '.join(map(shown, known[:6]))}), which are never pooled; "
                "give --method with one of them"
            )
        method = known[0] if known else "budget"
    if method not in known:
        raise InputError(f"no row has method {method!r}; the table has {', '.join(map(shown, known[:8]))}")
    keep = (frame["method"].astype(str) == method).to_numpy()
    lost = tuple((row, f"method is not {method}") for row in frame.index[~keep].tolist())
    return frame[keep], method, lost


def _finished(
    frame: pd.DataFrame, dropped: tuple[tuple[Any, str], ...]
) -> tuple[pd.DataFrame, tuple[tuple[Any, str], ...]]:
    """Without rows of runs that did not finish."""
    if "status" not in frame:
        return frame, dropped
    status, keep = frame["status"].astype(str).str.lower(), finished(frame)
    lost = tuple(
        (row, f"status is {word}")
        for row, word in zip(frame.index[~keep].tolist(), status[~keep], strict=True)
    )
    return frame[keep], (*dropped, *lost)


def _chance(frame: pd.DataFrame) -> float:
    if "chance_score" not in frame:
        return 0.0
    values = number_column(frame, "chance_score")
    values = values[np.isfinite(values)]
    if len(values) and (values.min() < 0 or values.max() >= 1):
        raise InputError(
            f"chance_score is {values.max():g}; expected the score of a blind guess, from 0 to below 1"
        )
    if len(values) and np.ptp(values) > SAME_CHANCE:
        raise InputError(
            f"chance_score goes from {values.min():g} to {values.max():g}: one surface has one floor; choose "
            "tasks of one chance with --where, or leave the column out"
        )
    return float(values.mean()) if len(values) else 0.0


def _scored(
    frame: pd.DataFrame, dropped: tuple[tuple[Any, str], ...]
) -> tuple[pd.DataFrame, Behind, tuple[tuple[Any, str], ...]]:
    """Rows with a score: as given, c of n, or the mean of the samples of a problem; samples without a mark are dropped."""
    if "correct" not in frame or "score" in frame or {"n", "c"} <= set(frame):
        return _told(frame), None, dropped
    marks = right(frame)
    keep = np.isfinite(marks)
    lost = tuple((row, "correct is missing") for row in frame.index[~keep].tolist())
    return *_averaged(frame[keep].assign(correct=marks[keep])), (*dropped, *lost)


def _told(frame: pd.DataFrame) -> pd.DataFrame:
    """Rows with the score that they tell, or c of n."""
    if "score" in frame:
        built = frame.assign(score=number_column(frame, "score"))
        return built.assign(trials=number_column(frame, "n")) if "n" in frame else built
    if "n" in frame and "c" in frame:
        n, c = number_column(frame, "n"), number_column(frame, "c")
        wrong = (c < 0) | (c > n)
        if wrong.any():
            at = int(np.argmax(wrong))
            raise InputError(
                f"row {frame.index[at]} has {c[at]:g} right of {n[at]:g}; expected c between 0 and n"
            )
        with np.errstate(invalid="ignore", divide="ignore"):
            return frame.assign(score=np.where(n > 0, c / n, np.nan), trials=n)
    raise InputError(
        "the table has no score: expected a column score (a share), n and c (right ones of n), or correct (one row a "
        "sample); give --map score=EXPR"
    )


def _averaged(frame: pd.DataFrame) -> tuple[pd.DataFrame, Behind]:
    """One row a problem at a budget, from one row a sample, and the samples behind each."""
    more = ["budget"] if "budget" in frame else [ledgers.INFER]
    keys = checkpoint_keys(frame, *more, "problem")
    numbers = {name: number_column(frame, name) for name in COSTS if name in frame and name not in keys}
    if "difficulty" in frame and "problem" in frame:
        keys = [*keys, "difficulty"]
    held = frame[keys].assign(score=frame["correct"], trials=1.0, **numbers)
    aggregated = dict.fromkeys(("score", *numbers), "mean") | {"trials": "sum"}
    grouped = held.groupby(keys, sort=False, dropna=False)
    return grouped.agg(aggregated).reset_index(), rows_behind(frame, grouped.ngroup().tolist())
