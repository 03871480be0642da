"""Named points that stand in for each other: a checkpoint with more inference, and the training it replaces.

`checkpoint A + majority@16 = checkpoint B` says: A at a larger budget scores what a run trained to B does at the least one,
at what that costs there. Scores at the least budget are interpolated between the levels measured, by no surface: where a
budget scores what the least one does, it replaces a checkpoint's own training. Shapes: D tables of scores, the measured one
first, then without each run and each group of problems; L levels of the least budget, U training computes between them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from scaling.errors import InputError
from scaling.exchange import links
from scaling.exchange.support import LEVELS
from scaling.exchange.uncertainty import LeftOut, components, left_out
from scaling.laws.base import Array

if TYPE_CHECKING:
    import pandas as pd

    from scaling.exchange.links import Link
    from scaling.exchange.result import Exchange

POINTS = 121
"""Training computes at which scores are compared, besides the levels."""
UNTOLD = 500
"""Trials that a score is taken to be of where the table does not say."""
ROUNDING = 1e-9
"""By which scores on the link's scale may differ and be the same."""


def equivalences(found: Exchange) -> pd.DataFrame:
    """One row a training level and budget other than the least: the training that the budget replaces.

    Columns train, budget, score, same_as (training compute that scores the same at the least budget), times (same_as /
    train), low, high and note. The interval is from the first training whose score at the least budget is not told to be
    less than the row's, to the last that is not told to be more, by Student's interval of the difference with jackknife
    variances over runs and problems (as Fieller 1954). Note is empty; `at least` or `at most` where the highest or the
    lowest level cannot be told from the row, so that an end is open (NaN); `beyond` where the row surely scores more than
    all levels, `below` where surely less, and times is the bound; `wide` where both ends are open.

    At the least budget scores are interpolated in log compute on the link's scale; same_as is where they, made to rise with
    training (isotonic regression), pass the row's. Raises InputError for fewer than 3 levels or 2 budgets, and where scores
    do not rise.
    """
    import pandas as pd

    design = found.design
    level_u, level_v, level_score = design.level_curves()
    least = int(np.argmin(np.nanmean(level_v, axis=0)))
    levels = np.flatnonzero(design.there[:, least])
    if len(design.budgets) < 2 or len(levels) < LEVELS:
        raise InputError(
            f"{len(levels)} training levels at {len(design.budgets)} budgets; what stands in for what takes "
            f"{LEVELS} levels and 2 budgets"
        )
    without = left_out(design)
    scores = np.concatenate([design.cells[2][None], without.runs, without.problems])
    cells = np.full(design.there.shape, -1)
    cells[design.there] = np.arange(scores.shape[1])
    order = levels[np.argsort(level_u[levels])]
    trials = float(np.median(design.cells[3]))
    nearest = 0.5 / (trials if trials > 1 else UNTOLD)
    x = _scaled(scores, links.find(found.link), found.chance, nearest)
    along = Along(level_u[order], x[:, cells[order, least]], without, float(found.interval["level"]))
    if along.rising[-1] <= along.rising[0]:
        raise InputError(
            "scores do not rise with training at the least budget, so that no training stands in for anything"
        )
    return pd.DataFrame(
        [
            {"train": 10 ** level_u[k], "budget": design.budgets[b], "score": level_score[k, b]}
            | along.row(x[:, cells[k, b]], float(level_u[k]))
            for k in np.argsort(level_u)
            for b in range(len(design.budgets))
            if b != least and cells[k, b] >= 0
        ]
    )


def _scaled(scores: Array, link: Link, chance: float, nearest: float) -> Array:
    """Scores on the link's scale, those nearer to a guesser's or to 1 than half a trial taken for that."""
    if link is links.LINEAR:
        return scores
    return link.scale(np.clip((scores - chance) / (1 - chance), nearest, 1 - nearest))


class Along:
    """What the least budget scores, level by level."""

    def __init__(self, u: Array, x: Array, without: LeftOut, level: float) -> None:
        """Scores on the link's scale (D, L) at log10 training computes, ascending, (L,); NaN where a table lacks one."""
        from scipy.optimize import isotonic_regression

        self.u, self.x = u, x
        self.rising = isotonic_regression(x[0]).x
        self.without, self.level = without, level
        self.between = np.union1d(np.linspace(u[0], u[-1], POINTS), u)
        self.curves = np.full((len(x), len(self.between)), np.nan)
        for curve, values, known in zip(self.curves, x, np.isfinite(x), strict=True):
            if known.any():
                curve[:] = np.interp(self.between, u[known], values[known])

    def row(self, scores: Array, own: float) -> dict[str, object]:
        """What a budget replaces, from the scores (D,) of its cell, which is trained to `own`."""
        same = self._same(scores[0], own)
        found: dict[str, object] = {
            "same_as": 10**same,
            "times": 10 ** (same - own),
            "low": np.nan,
            "high": np.nan,
        }
        if len(scores) == 1:
            note = "" if np.isfinite(same) else "beyond" if scores[0] > self.rising[-1] else "below"
            return found | {"note": note} | (self._bound(note, own) if note else {})
        u, curves = self.between, self.curves
        if np.isfinite(same):
            at = np.searchsorted(u, same)
            here = [np.interp(same, u, curve) for curve in curves]
            u, curves = np.insert(u, at, same), np.insert(curves, at, here, axis=1)
        gap = scores[:, None] - curves
        reach = self._reach(gap)
        low, high = _first(u, gap[0] - reach), -_first(-u[::-1], -(gap[0] + reach)[::-1])
        if np.isinf(low) or np.isinf(high):  # the row is told from all levels
            note = "beyond" if np.isinf(low) else "below"
            return found | {"note": note} | self._bound(note, own)
        low, high = np.fmin(low, same), np.fmax(high, same)
        ends = {"low": low if low > u[0] else np.nan, "high": high if high < u[-1] else np.nan}
        note = {(False, False): "", (False, True): "at least", (True, False): "at most"}.get(
            (bool(np.isnan(ends["low"])), bool(np.isnan(ends["high"]))), "wide"
        )
        return found | {name: 10 ** (end - own) for name, end in ends.items()} | {"note": note}

    def _same(self, score: float, own: float) -> float:
        """log10 training compute that scores as much; NaN beyond the levels, and `own` where its level does."""
        inside = self.u[0] <= own <= self.u[-1]
        if inside and abs(score - np.interp(own, self.u, self.x[0])) < ROUNDING:
            return own
        if not self.rising[0] <= score <= self.rising[-1]:
            return np.nan
        after = max(1, int(np.argmax(self.rising >= score)))
        rise = self.rising[after] - self.rising[after - 1]
        part = (score - self.rising[after - 1]) / rise if rise else 0.0
        return float(self.u[after - 1] + part * (self.u[after] - self.u[after - 1]))

    def _bound(self, note: str, own: float) -> dict[str, object]:
        end = self.u[-1] if note == "beyond" else self.u[0]
        return {"same_as": np.nan, "times": 10 ** (end - own)}

    def _reach(self, gaps: Array) -> Array:
        """Half the interval of each difference (D, U), (U,)."""
        runs = len(self.without.runs)
        return np.array(
            [components(self.without, one[1 : 1 + runs], one[1 + runs :]).reach(self.level) for one in gaps.T]
        )


def _first(u: Array, over: Array) -> float:
    """The first of rising u (U,) from which `over` (U,) is not above 0, interpolated; infinite where it always is."""
    under = np.flatnonzero(~(over > 0))
    if not len(under):
        return np.inf
    at = int(under[0])
    if at == 0 or not np.isfinite(over[at]):
        return float(u[at])
    return float(u[at] - (u[at] - u[at - 1]) * over[at] / (over[at] - over[at - 1]))
