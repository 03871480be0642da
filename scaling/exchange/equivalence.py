"""Named points that stand in for each other: a checkpoint with more inference, and the training it replaces.

`checkpoint A + majority@16 = checkpoint B` says: A at a larger budget scores what a run trained to B does at the least.
"""

from __future__ import annotations

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

    from scaling.exchange.result import Exchange


def equivalences(found: Exchange) -> pd.DataFrame:
    """One row a training level and budget above the least: the training that the budget replaces.

    Columns train, budget, score, same_as (training compute that scores the same at the least budget), times (same_as /
    train) with low and high from the jackknife, and note: `beyond` where no level gets there, then times is a lower bound.
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
    surfaces = fit(scores)
    top, rows = float(u.max()), []
    level_u, level_v, level_score = design.level_curves()
    for k in np.argsort(level_u):
        base = np.nanargmin(level_v[k]) if np.isfinite(level_v[k]).any() else 0
        for b in range(level_v.shape[1]):
            if b == base or not np.isfinite(level_score[k, b]):
                continue
            cell = int(np.flatnonzero((u == level_u[k]) & (v == level_v[k, b]))[0])
            values = _training(surfaces, scores[:, cell], float(np.nanmin(level_v)))
            rows.append(
                {"train": 10 ** level_u[k], "budget": design.budgets[b], "score": level_score[k, b]}
                | _row(values - level_u[k], float(level_u[k]), top, without, float(found.interval["level"]))
            )
    return pd.DataFrame(rows)


def _training(surfaces: Surfaces, scores: Array, v: float) -> Array:
    """log10 training compute (D,) at which each surface has its own score at v."""
    x = surfaces.link.scale((scores - surfaces.floor) / (surfaces.ceiling - surfaces.floor))
    at = np.array([v - surfaces.centre[1]])
    return np.asarray(surfaces.form.training(surfaces.beta, surfaces.shape, x, at)[:, 0] + surfaces.centre[0])


def _row(gain: Array, u: float, top: float, without: LeftOut, level: float) -> dict[str, object]:
    """What a budget replaces, from decades of training as measured and without each run and problem."""
    if not np.isfinite(gain[0]) or u + gain[0] > top + 1e-9:
        return {"same_as": np.nan, "times": 10 ** (top - u), "low": np.nan, "high": np.nan, "note": "beyond"}
    found = {
        "same_as": 10 ** (u + gain[0]),
        "times": 10 ** gain[0],
        "low": np.nan,
        "high": np.nan,
        "note": "",
    }
    if len(gain) > 1 and np.isfinite(gain).all():
        runs = len(without.runs)
        parts = components(without, gain[1 : 1 + runs], gain[1 + runs :])
        if parts.total:
            reach = parts.reach(level)
            found |= {"low": power_of_ten(gain[0] - reach), "high": power_of_ten(gain[0] + reach)}
    return found
