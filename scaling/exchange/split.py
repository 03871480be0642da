"""One training budget split between pretraining and RL: which share of RL is best, by total.

At each total the score is a parabola in the log-odds of the share (`split_curve`), as an isoFLOP parabola is one in log N:
what counts is the ratio of RL to pretraining, steps from .05 to .1 and from .2 to .4 are alike, and three coefficients are
what a handful of shares can tell. No RL has no log-odds; it is kept apart and compared with the curve's top. Since the form
moves the top, the interval also holds what powers of each stage's compute say.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from scaling.exchange.split_curve import PARABOLA, POWERS, Curve, Jackknife, curve_of
from scaling.exchange.split_doubts import doubts, of_grid
from scaling.exchange.split_status import Status, judged
from scaling.exchange.split_table import Budget, grid_of
from scaling.fitting import checks
from scaling.fitting.parts import Estimate, Warned

if TYPE_CHECKING:
    import pandas as pd

INTERVAL = "jackknife, runs and problems"


@dataclass(frozen=True, repr=False)
class Split:
    """The best RL share of one total. Shares are realised ones unless they are called planned."""

    total: float
    """Training FLOPs planned, pretraining and RL together."""
    status: Status
    """`ok`; `at an edge`: the best share measured is the least or the greatest tried, so that only a bound is known;
    `not identified`: these data cannot tell."""
    reason: str
    """Why the status is what it is, in words; empty for ok."""
    best: Estimate | None
    """The share at which the curve is highest; low is 0 where no RL may be as good, high is 1 where more than was tried may
    be better. None unless ok."""
    bound: tuple[float, float] | None
    """Shares between which the best one lies if scores rise to one top and fall after it; None unless at an edge."""
    planned: tuple[float, ...]
    """Shares tried, (S,)."""
    realised: tuple[float, ...]
    """The same as they came out, means over runs, (S,)."""
    scores: tuple[Estimate, ...]
    """Mean score of each share, (S,)."""
    by_run: tuple[tuple[float, ...], ...]
    """Score of each share and run, (S, R)."""
    measured: int
    """Which share has the highest mean score."""
    over_none: Estimate | None
    """Score of the best share less that of no RL: the curve's top if ok and no share is missed, else of the best share
    measured. None where that is no RL, or no RL was not tried."""
    over_most: Estimate | None
    """Score of the best share less that of the greatest tried; None where that is the best measured."""
    p_value: float
    """Of no differences between shares."""
    missed: float | None
    """Most by which the curve misses a share, in score, where that is more than noise."""
    curves: tuple[Curve, ...] = field(compare=False)
    """A parabola, and powers of each stage's compute."""
    jackknife: Jackknife = field(compare=False)
    warnings: tuple[Warned, ...] = ()

    def __repr__(self) -> str:
        """One line."""
        return f"<Split of {self.total:g} FLOPs: {self.status}, {self.best or self.bound or self.reason}>"

    def to_json(self) -> dict[str, Any]:
        """Its numbers, for programs."""
        return {
            "total_flops": self.total,
            "status": self.status,
            "reason": self.reason,
            "best_share": _told(self.best),
            "bound": None if self.bound is None else list(self.bound),
            "best_measured_share": self.realised[self.measured],
            "gain_over_no_rl": _told(self.over_none),
            "gain_over_greatest_share": _told(self.over_most),
            "p_value_alike": self.p_value,
            "curve_misses_by": self.missed,
            "shares": [
                {"planned": planned, "realised": realised, "score": score.to_json(), "by_run": list(runs)}
                for planned, realised, score, runs in zip(
                    self.planned, self.realised, self.scores, self.by_run, strict=True
                )
            ],
            "warnings": [{"code": one.code, "message": one.message} for one in self.warnings],
        }


@dataclass(frozen=True)
class Move:
    """Whether the best share moves from the least total to the greatest."""

    status: Status
    reason: str
    """Why it is not identified; empty for ok."""
    moved: Estimate | None
    """Best share of the greatest total less that of the least; None where not identified."""

    def to_json(self) -> dict[str, Any]:
        """Its numbers."""
        return {"status": self.status, "reason": self.reason, "moved": _told(self.moved)}


@dataclass(frozen=True, repr=False)
class Splits:
    """Best shares by total."""

    totals: tuple[Split, ...]
    """Ascending."""
    move: Move | None
    """None of a single total."""
    level: float
    runs: tuple[str, ...]
    problems: int
    read: int
    """Rows in the table."""
    warnings: tuple[Warned, ...]
    """What holds of all totals."""

    def __repr__(self) -> str:
        """One line."""
        return f"<Splits: {', '.join(f'{one.total:g} {one.status}' for one in self.totals)}>"

    def to_json(self) -> dict[str, Any]:
        """Schema scaling.split/1."""
        return {
            "schema": "scaling.split/1",
            "totals": [one.to_json() for one in self.totals],
            "move": None if self.move is None else self.move.to_json(),
            "interval": {"method": INTERVAL, "level": self.level},
            "design": {"runs": len(self.runs), "problems": self.problems, "rows": self.read},
            "warnings": [{"code": one.code, "message": one.message} for one in self.warnings],
        }


def best_split(frame: pd.DataFrame, *, level: float = 0.95) -> Splits:
    """Find the RL share of a total that scores best, by total, from counts of right answers.

    Columns: total (FLOPs planned for pretraining and RL together), share (planned RL share of them, 0 to below 1),
    train_flops (realised FLOPs of the RL stage, 0 at share 0), pretrain_flops (realised FLOPs before it), run (the seed that
    all shares have in common), problem, n (samples) and c (right ones). Every total needs 3 or more shares above 0.

    Half a right and half a wrong sample are added to each share before its log-odds are taken, so that shares that are never
    or always right stay finite, and a share weighs n P (1 - P), so that such ones weigh little. The interval holds shares at
    which the slope of either curve is within Student's reach of 0 (Fieller 1954), with jackknife variances over runs and
    problems and Satterthwaite's degrees of freedom; `split_status` says when it is wider. Raises InputError, one line, for a
    table that cannot be meant.
    """
    checks.level(level)
    grid = grid_of(frame)
    found = tuple(_split(budget, level) for budget in grid.budgets)
    return Splits(
        totals=found,
        move=_move(found[0], found[-1]) if len(found) > 1 else None,
        level=level,
        runs=grid.runs,
        problems=grid.budgets[0].scores.shape[2],
        read=grid.read,
        warnings=of_grid(grid),
    )


def _split(budget: Budget, level: float) -> Split:
    jackknife = Jackknife.of(budget.scores, level)
    curves = tuple(curve_of(form, budget, jackknife) for form in (PARABOLA, POWERS))
    said = judged(budget, jackknife, curves)
    return Split(
        total=budget.total,
        status=said.answer.status,
        reason=said.answer.reason,
        best=said.answer.best,
        bound=said.answer.bound,
        planned=tuple(budget.shares.tolist()),
        realised=tuple(budget.realised.tolist()),
        scores=tuple(jackknife.score(values) for values in jackknife.tables.T),
        by_run=tuple(map(tuple, budget.scores.mean(axis=2).tolist())),
        measured=said.measured,
        over_none=said.over_none,
        over_most=said.over_most,
        p_value=said.p_value,
        missed=said.missed,
        curves=curves,
        jackknife=jackknife,
        warnings=doubts(budget, jackknife, said),
    )


def _move(first: Split, last: Split) -> Move:
    """The difference of the first curves' tops, by leaving out the same runs and problems at both totals.

    The interval holds those of all curves' differences.
    """
    for which, one in (("least", first), ("greatest", last)):
        if one.status != "ok":
            return Move("not identified", f"at the {which} total the best share is {one.status}", None)
    found: list[Estimate] = []
    ends: list[float] = []
    for before, after in zip(first.curves, last.curves, strict=True):
        moved = after.tops - before.tops
        if not np.isfinite(moved).all():
            why = "a curve, or one without some run or problem, has no top, so that the curve's form decides"
            return Move("not identified", why, None)
        found.append(first.jackknife.estimate(moved))
        ends += first.jackknife.interval(moved)
    return Move("ok", "", replace(found[0], low=min(ends), high=max(ends)))


def _told(found: Estimate | None) -> dict[str, float | None] | None:
    return None if found is None else found.to_json()
