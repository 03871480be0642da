"""Named points that stand in for each other: a checkpoint with more inference, and the training it replaces.

`checkpoint A + majority@16 = checkpoint B` says: A at a larger budget scores what a run trained to B does at the least one,
at what that costs there. Shapes: D tables of scores, the measured one first; U training computes along the least budget.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from scaling.errors import InputError
from scaling.exchange import forms, links
from scaling.exchange.fitter import Fitter
from scaling.exchange.support import LEVELS, power_of_ten
from scaling.exchange.surface import Surfaces
from scaling.exchange.uncertainty import LeftOut, components, left_out
from scaling.laws.base import Array

if TYPE_CHECKING:
    import pandas as pd

    from scaling.exchange.design import Design
    from scaling.exchange.result import Exchange

POINTS = 801
BEYOND = 1.0
"""Decades beyond the levels up to which tables without a run or problem are followed."""


def equivalences(found: Exchange) -> pd.DataFrame:
    """One row a training level and budget other than the least: the training that the budget replaces.

    Columns train, budget, score, same_as (training compute that scores the same at the least budget), times (same_as /
    train) with low and high from the jackknife, and note: empty; `beyond` where no level scores so much at the least budget,
    `below` where all score more, and times is a bound then; `wide` where the interval is wider than all levels, and times is
    not given. InputError for fewer than 3 levels or 2 budgets, and where scores do not rise with training.
    """
    import pandas as pd

    design, link = found.design, links.find(found.link)
    if len(design.budgets) < 2 or design.levels < LEVELS:
        raise InputError(
            f"{design.levels} training levels at {len(design.budgets)} budgets; what stands in for what takes "
            f"{LEVELS} levels and 2 budgets"
        )
    u, v, score, weight = design.cells
    fit = Fitter(forms.find(found.form), u, v, weight, link, found.chance)
    fit.first(score)
    without = left_out(design)
    scores = np.concatenate([score[None], without.runs, without.problems])
    along, least = _least_budget(design, fit(scores))
    rise = np.interp(along.ends[1], along.u, along.x[0]) - np.interp(along.ends[0], along.u, along.x[0])
    if rise <= 0:
        raise InputError(
            "scores do not rise with training at the least budget, so that no training stands in for anything"
        )
    level_u, _, level_score = design.level_curves()
    cells = np.full(design.there.shape, -1)
    cells[design.there] = np.arange(len(u))
    rows = []
    for k in np.argsort(level_u):
        for b in range(len(design.budgets)):
            if b == least or cells[k, b] < 0:
                continue
            rows.append(
                {"train": 10 ** level_u[k], "budget": design.budgets[b], "score": level_score[k, b]}
                | _row(
                    along, scores[:, cells[k, b]], float(level_u[k]), without, float(found.interval["level"])
                )
            )
    return pd.DataFrame(rows)


@dataclass(frozen=True)
class Along:
    """Surfaces along the least budget."""

    u: Array
    """log10 training compute, (U,)."""
    x: Array
    """The link's scale, (D, U)."""
    surfaces: Surfaces
    ends: tuple[float, float]
    """Least and most training compute measured."""

    def reaches(self, scores: Array) -> Array:
        """log10 training compute (D,) from which each surface has its own score (D,); infinite where it is off `u`."""
        floor, ceiling = self.surfaces.floor, self.surfaces.ceiling
        wanted = self.surfaces.link.scale((scores - floor) / (ceiling - floor))
        over = self.x >= wanted[:, None]
        first = np.argmax(over, axis=1)
        row, last = np.arange(len(over)), np.maximum(first - 1, 0)
        rise = self.x[row, first] - self.x[row, last]
        part = (wanted - self.x[row, last]) / np.where(rise > 0, rise, 1.0)
        at = self.u[last] + part * (self.u[1] - self.u[0])
        return np.where(over.any(axis=1), np.where(first > 0, at, -np.inf), np.inf)


def _least_budget(design: Design, surfaces: Surfaces) -> tuple[Along, int]:
    """The surfaces along the budget that costs least, at what it costs at each level, and which budget that is."""
    level_u, level_v, _ = design.level_curves()
    least = int(np.argmin(np.nanmean(level_v, axis=0)))
    order = np.argsort(level_u)
    known = order[np.isfinite(level_v[order, least])]
    ends = float(level_u.min()), float(level_u.max())
    u = np.linspace(ends[0] - BEYOND, ends[1] + BEYOND, POINTS)
    return Along(
        u, surfaces.predictor(u, np.interp(u, level_u[known], level_v[known, least])), surfaces, ends
    ), least


def _row(along: Along, scores: Array, u: float, without: LeftOut, level: float) -> dict[str, object]:
    """What a budget replaces, from the scores (D,) of its cell as measured and without each run and problem."""
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
