"""The best of several methods at each cost, honestly: chosen on one half of the problems, scored on the other.

Choosing and scoring on the same problems overstates the best, the more so the fewer problems and the more methods. Shapes:
L levels, X costs, P problems.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from scaling.errors import InputError
from scaling.exchange.arrange import SAME_LEVEL
from scaling.exchange.design import Design
from scaling.laws.base import Array

if TYPE_CHECKING:
    import pandas as pd

SPLITS = 50
"""Random halvings of the problems."""
COSTS = 9
"""Inference computes at which methods are compared."""


def envelope(designs: Mapping[str, Design], *, splits: int = SPLITS, seed: int = 0) -> pd.DataFrame:
    """One row a training level and inference compute: the method chosen, what it scores on problems that did not choose it.

    Columns train, infer, method (the one chosen most often), chosen (how often), score, score_se (over problems), same_half
    (the score on the problems that chose, always higher on average). Between budgets a method's score is interpolated in
    log compute; beyond them it is out. Raises InputError for designs of other levels or problems.
    """
    import pandas as pd

    names = list(designs)
    if len(names) < 2:
        raise InputError("an envelope takes two methods or more")
    curves, level_u, v = _curves(designs)
    problems = curves.shape[-1]
    if problems < 4:
        raise InputError("an envelope halves the problems; rows must tell at least 4 apart")
    rng = np.random.default_rng(seed)
    picks, scores, own = [], [], []
    for _ in range(splits):
        order = rng.permutation(problems)
        for chooses, judges in (
            (order[: problems // 2], order[problems // 2 :]),
            (order[problems // 2 :], order[: problems // 2]),
        ):
            means = _mean(curves[..., chooses])
            best = np.argmax(np.where(np.isfinite(means), means, -np.inf), axis=0)
            picks.append(best)
            scores.append(_taken(_mean(curves[..., judges]), best))
            own.append(_taken(means, best))
    counts = np.stack([(np.stack(picks) == k).mean(axis=0) for k in range(len(names))])
    most = np.argmax(counts, axis=0)
    told = np.isfinite(curves).sum(axis=-1)
    off = np.where(np.isfinite(curves), curves - _mean(curves)[..., None], 0.0)
    spread = np.sqrt((off**2).sum(axis=-1) / np.maximum(told - 1, 1) / np.maximum(told, 1))
    return pd.DataFrame(
        [
            {
                "train": 10 ** level_u[i], "infer": 10 ** v[j], "method": names[most[i, j]],
                "chosen": float(counts[most[i, j], i, j]), "score": float(np.mean([s[i, j] for s in scores])),
                "score_se": float(spread[most[i, j], i, j]), "same_half": float(np.mean([s[i, j] for s in own])),
            }
            for i in range(len(level_u))
            for j in range(len(v))
            if np.isfinite(curves[:, i, j]).any()
        ]
    )  # fmt: skip


def _mean(values: Array) -> Array:
    """Mean over problems of those that are known; NaN where none is."""
    known = np.isfinite(values)
    with np.errstate(invalid="ignore"):
        return np.asarray(np.where(known, values, 0.0).sum(axis=-1) / known.sum(axis=-1))


def _taken(means: Array, best: Any) -> Array:
    return np.asarray(np.take_along_axis(means, best[None], axis=0)[0])


def _curves(designs: Mapping[str, Design]) -> tuple[Array, Array, Array]:
    """Scores (methods, L, X, P) at common inference computes, with the levels' and those computes' logarithms."""
    first = next(iter(designs.values()))
    level_u = first.level_curves()[0]
    for name, one in designs.items():
        if one.problem_names is None or set(one.problem_names) != set(first.problem_names or ()):
            raise InputError(
                f"method {name} has other problems than the first; an envelope compares on the same ones"
            )
        if one.levels != first.levels:
            raise InputError(f"method {name} has {one.levels} training levels and the first {first.levels}")
        apart = np.abs(one.level_curves()[0] - level_u)
        if apart.max() > SAME_LEVEL:
            at = 10 ** level_u[apart.argmax()]
            raise InputError(f"method {name} has no training level at {at:.3g}, which the first has")
    ends = [(np.nanmin(one.v), np.nanmax(one.v)) for one in designs.values()]
    v = np.linspace(min(low for low, _ in ends), max(high for _, high in ends), COSTS)
    found = np.full((len(designs), first.levels, COSTS, first.problems), np.nan)
    for m, one in enumerate(designs.values()):
        place = [(one.problem_names or ()).index(name) for name in first.problem_names or ()]
        for level in range(one.levels):
            at = one.level == level
            mean_v = _mean(one.v[at].T)
            scores = _mean(np.moveaxis(one.scores[at], 0, -1))[:, place]
            known = np.flatnonzero(np.isfinite(mean_v))
            inside = (v >= mean_v[known].min() - 1e-9) & (v <= mean_v[known].max() + 1e-9)
            for p in range(first.problems):
                found[m, level, inside, p] = np.interp(v[inside], mean_v[known], scores[known, p])
    return found, level_u, v
