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
from scaling.exchange.support import LEVELS, power_of_ten
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
    train) with low and high from the jackknife, and note: empty; `beyond` where no level scores so much at the least budget,
    `below` where all score more, and times is a bound then; `wide` where the interval is wider than all levels, and times is
    not given. At the least budget the scores, made to rise with training (isotonic regression), are interpolated in
    log compute on the link's scale. InputError for fewer than 3 levels or 2 budgets, and where scores do not rise.
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

    def reaches(self, wanted: Array) -> Array:
        """log10 training compute (D,) from which each table has its own score (D,); infinite if off `u` or unknown."""
        over = self.x >= wanted[:, None] - ROUNDING
        first = np.argmax(over, axis=1)
        row, last = np.arange(len(over)), np.maximum(first - 1, 0)
        rise = self.x[row, first] - self.x[row, last]
        part = np.clip((wanted - self.x[row, last]) / np.where(rise > 0, rise, 1.0), 0.0, 1.0)
        at = self.u[last] + part * (self.u[first] - self.u[last])
        return np.where(over.any(axis=1), np.where(first > 0, at, -np.inf), np.inf)


def _row(along: Along, scores: Array, u: float, without: LeftOut, level: float) -> dict[str, object]:
    """What a budget replaces, from the scores (D,) of its cell, on the link's scale, on all tables."""
    least, most = along.ends
    nothing = {"same_as": np.nan, "times": np.nan, "low": np.nan, "high": np.nan}
    reached = along.reaches(scores)
    if reached[0] > most + 1e-9:
        return nothing | {"times": 10 ** (most - u), "note": "beyond"}
    if reached[0] < least - 1e-9:
        return nothing | {"times": 10 ** (least - u), "note": "below"}
    gain = reached - u
    found = nothing | {"same_as": 10 ** reached[0], "times": 10 ** gain[0], "note": ""}
    if len(gain) == 1:
        return found
    if not np.isfinite(gain).all():
        return nothing | {"note": "wide"}
    runs = len(without.runs)
    parts = components(without, gain[1 : 1 + runs], gain[1 + runs :])
    reach = parts.reach(level)
    if reach > most - least:
        return nothing | {"note": "wide"}
    if parts.total:
        found |= {"low": power_of_ten(gain[0] - reach), "high": power_of_ten(gain[0] + reach)}
    return found
