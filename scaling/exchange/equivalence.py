"""Named points that stand in for each other: a checkpoint with more inference, and the training it replaces.

`checkpoint A + majority@16 = checkpoint B` says: A at a larger budget scores what a run trained to B does at the least one,
at what that costs there. Scores at the least budget are interpolated between the levels measured, by no surface: two votes,
which are one sample's worth, must come out as 1x. Shapes: D tables of scores, the measured one first; U levels of the least
budget, and an end to either side.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from scaling.errors import InputError
from scaling.exchange import links
from scaling.exchange.support import LEVELS, SLACK, power_of_ten
from scaling.exchange.uncertainty import LeftOut, components, left_out
from scaling.laws.base import Array

if TYPE_CHECKING:
    import pandas as pd

    from scaling.exchange.links import Link
    from scaling.exchange.result import Exchange

BEYOND = 1.0
"""Decades beyond the levels up to which tables without a run or problem are followed, at the slope of the last two."""
ROUNDING = 1e-12
"""By which a score on the link's scale may miss the one it is to reach."""


def equivalences(found: Exchange) -> pd.DataFrame:
    """One row a training level and budget other than the least: the training that the budget replaces.

    Columns train, budget, score, same_as (training compute that scores the same at the least budget), times (same_as /
    train) with low and high from the jackknife, and note: empty; `beyond` where surely no level scores so much at the least
    budget, `below` where surely all score more, and times is a bound then; `wide` where neither is sure or the interval is
    wider than all levels, and times is not given. At the least budget the scores, made to rise with training (isotonic
    regression), are interpolated in log compute on the link's scale. InputError for fewer than 3 levels or 2 budgets, and
    where scores do not rise.
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
    x = _scaled(scores, links.find(found.link), found.chance)
    along = Along(level_u[order], x[:, cells[order, least]])
    if along.x[0, -2] <= along.x[0, 1]:
        raise InputError(
            "scores do not rise with training at the least budget, so that no training stands in for anything"
        )
    rows = []
    for k in np.argsort(level_u):
        for b in range(len(design.budgets)):
            if b == least or cells[k, b] < 0:
                continue
            rows.append(
                {"train": 10 ** level_u[k], "budget": design.budgets[b], "score": level_score[k, b]}
                | _row(along, x[:, cells[k, b]], float(level_u[k]), without, float(found.interval["level"]))
            )
    return pd.DataFrame(rows)


def _scaled(scores: Array, link: Link, chance: float) -> Array:
    """Scores on the link's scale; those of a guesser and of a perfect solver as half the next ones' distance to them."""
    if link is links.LINEAR:
        return scores
    shares = (scores - chance) / (1 - chance)
    inside = shares[(shares > 0) & (shares < 1)]
    low, high = (inside.min() / 2, (1 - inside.max()) / 2) if len(inside) else (0.5, 0.5)
    return link.scale(np.clip(shares, low, 1 - high))


class Along:
    """What the least budget scores, level by level, made to rise."""

    def __init__(self, u: Array, x: Array) -> None:
        """Scores on the link's scale (D, U - 2), NaN where missing, at log10 training computes, ascending, (U - 2,)."""
        from scipy.optimize import isotonic_regression

        self.ends = float(u[0]), float(u[-1])
        known = np.isfinite(x).all(axis=1)
        rising = np.full_like(x, np.nan)
        rising[known] = [isotonic_regression(one).x for one in x[known]]
        slope = np.diff(rising, axis=1) / np.diff(u)
        self.u = np.concatenate([[u[0] - BEYOND], u, [u[-1] + BEYOND]])
        first, last = rising[:, 0] - BEYOND * slope[:, 0], rising[:, -1] + BEYOND * slope[:, -1]
        self.x = np.concatenate([first[:, None], rising, last[:, None]], axis=1)

    def reaches(self, wanted: Array, own: float) -> Array:
        """log10 training compute (D,) at which each table has its own score (D,); where many have, the nearest to `own`.

        Infinite where it is off `u`, NaN where a score is missing.
        """
        last = -_first(-self.u[::-1], -self.x[:, ::-1], -wanted)
        return np.minimum(np.maximum(own, _first(self.u, self.x, wanted)), last)


def _first(u: Array, x: Array, wanted: Array) -> Array:
    """Where rising x (D, U) at u (U,) first has the values wanted (D,): -inf if before u, inf if beyond it."""
    over = x >= wanted[:, None] - ROUNDING
    after = np.argmax(over, axis=1)
    row, before = np.arange(len(x)), np.maximum(after - 1, 0)
    rise = x[row, after] - x[row, before]
    part = np.clip((wanted - x[row, before]) / np.where(rise > 0, rise, 1.0), 0.0, 1.0)
    at = u[before] + part * (u[after] - u[before])
    found = np.where(over.any(axis=1), np.where(after > 0, at, -np.inf), np.inf)
    return np.where(np.isfinite(wanted) & np.isfinite(x).all(axis=1), found, np.nan)


def _row(along: Along, scores: Array, u: float, without: LeftOut, level: float) -> dict[str, object]:
    """What a budget replaces, from the scores (D,) of its cell, on the link's scale, on all tables."""
    least, most = along.ends
    nothing = {"same_as": np.nan, "times": np.nan, "low": np.nan, "high": np.nan}
    runs = len(without.runs)

    def reach(values: Array) -> float:
        """Half the interval of an estimate by its values on the tables; 0 where nothing can be left out."""
        return (
            components(without, values[1 : 1 + runs], values[1 + runs :]).reach(level)
            if len(values) > 1
            else 0.0
        )

    reached = along.reaches(scores, u)
    for off, over, end in ((1, scores - along.x[:, -2], most), (-1, along.x[:, 1] - scores, least)):
        if off * (reached[0] - end) > SLACK:
            if not over[0] > reach(over):  # told from the highest level's score, or the lowest's
                return nothing | {"note": "wide"}
            return nothing | {"times": 10 ** (end - u), "note": "beyond" if off > 0 else "below"}
    gain = reached - u
    if not np.isfinite(gain).all() or reach(gain) > most - least:
        return nothing | {"note": "wide"}
    found = nothing | {"same_as": 10 ** reached[0], "times": 10 ** gain[0], "note": ""}
    if len(gain) > 1:
        found |= {"low": power_of_ten(gain[0] - reach(gain)), "high": power_of_ten(gain[0] + reach(gain))}
    return found
