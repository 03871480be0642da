"""Doubts about scores that fall as more is spent on inference, and about answers that were cut off.

Shapes: L training levels, B budgets, P problems.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from scaling.fitting.parts import Warned
from scaling.laws.base import Array
from scaling.reporting.numbers import percent, plain

if TYPE_CHECKING:
    from scaling.exchange.evidence import Evidence

SIGNIFICANT = 0.025
"""Probability of a fall by chance, on one side, shared over all falls that are looked at."""
TRUNCATED = 0.05
"""Share of answers cut off from which a cell's score is that of the cut."""


@dataclass(frozen=True)
class Fall:
    """A curve that is lower at `budget` than at its peak."""

    level: int | None
    """None: the mean of all levels."""
    peak: int
    budget: int
    """The first that is significantly lower."""
    last: int
    before: float
    after: float
    """Scores at the peak and at the last budget."""


def falls(e: Evidence) -> list[Fall]:
    """Significant falls along inference, of each level and of the mean of levels.

    Paired over problems (Student's t of the differences) where they are told, binomial errors else; the probability of a
    false alarm is shared over all curves and pairs of budgets (Bonferroni): the peak is found in the same data.
    """
    design = e.design
    by_problem = design.by_level(np.moveaxis(design.scores, 2, 0))
    curves = np.concatenate([by_problem, by_problem.mean(axis=1, keepdims=True)], axis=1)
    weight = np.stack([design.cell_weight[design.level == k].sum(axis=0) for k in range(design.levels)])
    weight = np.concatenate([weight, weight.sum(axis=0, keepdims=True)])
    _, L, B = curves.shape
    found = []
    for k in range(L):
        known = np.isfinite(curves[:, k])
        with np.errstate(invalid="ignore"):
            mean = np.where(known, curves[:, k], 0.0).sum(axis=0) / known.sum(axis=0)
        if np.isfinite(mean).sum() < 2:
            continue
        peak, last = int(np.nanargmax(mean)), int(np.flatnonzero(np.isfinite(mean))[-1])
        for b in range(peak + 1, B):
            chance = (
                _paired(curves[:, k, b] - curves[:, k, peak])
                if design.problems > 1
                else _binomial(mean[[peak, b]], weight[k, [peak, b]])
            )
            if chance < SIGNIFICANT / (L * B * (B - 1) / 2):
                level = None if k == L - 1 else k
                found.append(Fall(level, peak, b, last, float(mean[peak]), float(mean[last])))
                break
    return found


def _paired(differences: Array) -> float:
    """Probability of a mean difference so low by chance, from its spread over problems (P,)."""
    from scipy.special import stdtr

    known = differences[np.isfinite(differences)]
    if len(known) < 2 or known.mean() >= 0:
        return 1.0
    error = known.std(ddof=1) / np.sqrt(len(known))
    return float(stdtr(len(known) - 1, known.mean() / error)) if error else 0.0


def _binomial(share: Array, n: Array) -> float:
    """Probability of a second share so far below the first by chance, (2,) each."""
    from scipy.special import ndtr

    if not np.isfinite(share).all() or share.min() < 0 or share.max() > 1 or (n <= 0).any():
        return 1.0
    error = np.sqrt((share * (1 - share) / n).sum())
    return float(ndtr((share[1] - share[0]) / error)) if error else 1.0


def falling(e: Evidence) -> Iterator[Warned]:
    """Scores that fall as more is spent on inference, and answers that were cut off, which may be why."""
    share, found = _truncated_share(e), falls(e)
    cut = [fall for fall in found if share is not None and _cut_off(share, fall)]
    turned = [fall for fall in found if fall not in cut]
    if turned:
        yield _turns_over(e, turned)
    if share is not None and np.nanmax(share, initial=0.0) > TRUNCATED:
        yield _truncated(e, share, cut)


def _turns_over(e: Evidence, turned: list[Fall]) -> Warned:
    budgets, worst = e.design.budgets, max(turned, key=lambda fall: fall.before - fall.after)
    levels = sum(fall.level is not None for fall in turned)
    where = f"at {levels} of {e.design.levels} training levels" if levels else "in the mean of levels"
    return Warned(
        "turns_over",
        f"scores of {e.found.method} fall {where} as more is spent, from {percent(worst.before, 3)} at budget "
        f"{_told(budgets[worst.peak])} to {percent(worst.after, 3)} at {_told(budgets[worst.last])}, "
        f"significantly from {_told(budgets[worst.budget])} on: the rate is negative there; leave out budgets "
        "beyond the peak",
    )


def _truncated(e: Evidence, share: Array, cut: list[Fall]) -> Warned:
    level, budget = np.unravel_index(int(np.nanargmax(share)), share.shape)
    at = "" if e.together else f" and budget {_told(e.design.budgets[int(budget)])}"
    told = "their score is that of a cut, not of the method; allow longer answers"
    if cut:
        worst = max(cut, key=lambda fall: fall.before - fall.after)
        told = (
            f"the score falls where they are many, from {percent(worst.before, 3)} to {percent(worst.after, 3)}: "
            "that is truncation, not overthinking; allow longer answers, or leave these budgets out"
        )
    return Warned(
        "truncated",
        f"up to {percent(float(share[level, budget]))} of answers were cut off (training level {level + 1}{at}): "
        f"{told}",
    )


def _truncated_share(e: Evidence) -> Array | None:
    if "truncated_share" in e.rows:
        return e.by_cell(e.numbers("truncated_share"))
    return e.by_cell(e.yes("truncated").astype(np.float64)) if "truncated" in e.rows else None


def _cut_off(share: Array, fall: Fall) -> bool:
    """Whether many answers are cut off where a curve has fallen, and more than at its peak."""
    row = share.mean(axis=0) if fall.level is None else share[fall.level]
    return bool(row[fall.budget] > TRUNCATED and row[fall.budget] > row[fall.peak])


def _told(budget: object) -> str:
    return plain(budget, 3) if isinstance(budget, float) else str(budget)


ALL = (falling,)
