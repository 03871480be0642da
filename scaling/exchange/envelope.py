"""The best of several methods at each cost, honestly: chosen on one half of the problems, scored on the other.

Choosing and scoring on the same problems overstates the best, the more so the fewer problems and the more methods. Who can
afford a cost can afford less: a method stays in the choice beyond its own dearest budget, with the best that it had. Shapes:
L levels, X costs, K offers (a method at a cost), P problems.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from scaling.errors import InputError
from scaling.exchange.arrange import SAME_LEVEL
from scaling.exchange.design import Design
from scaling.laws.base import Array

if TYPE_CHECKING:
    import pandas as pd

SPLITS = 50
"""Random halvings of the problems."""
COSTS = 25
"""Inference computes at which methods are compared."""
ROUNDING = 1e-9
"""Decades by which an offer may be dearer than a cost that affords it."""


@dataclass(frozen=True)
class _Offers:
    """What can be bought at one training level, cheapest first."""

    method: npt.NDArray[np.intp]
    """Which method, (K,)."""
    v: Array
    """Logarithm of its inference compute, (K,)."""
    scores: Array
    """Means over runs, (K, P); NaN where a problem is not known."""
    by_run: Array
    """Means of each run over problems, (K, R); NaN where a method has fewer runs."""


def envelope(designs: Mapping[str, Design], *, splits: int = SPLITS, seed: int = 0) -> pd.DataFrame:
    """One row a training level and inference compute: the method chosen, what it scores on problems that did not choose it.

    Columns train, infer, methods (how many can be had for so much), method (the one chosen most often), chosen (how often),
    spent (what its offer costs, the median of those chosen), score (of all that were chosen), score_se (of the offer chosen
    most often, over problems, and over runs where there are several), same_half (the score on the problems that chose,
    always higher on average). On offer is every measured budget that costs no more than ``infer``, and between budgets a
    method's score interpolated in log compute. Raises InputError for designs of other levels or problems.
    """
    import pandas as pd

    names = list(designs)
    if len(names) < 2:
        raise InputError("an envelope takes two methods or more")
    level_u = _common_levels(designs)
    ends = [(np.nanmin(one.v), np.nanmax(one.v)) for one in designs.values()]
    v = np.linspace(min(low for low, _ in ends), max(high for _, high in ends), COSTS)
    problems = next(iter(designs.values())).problems
    if problems < 4:
        raise InputError("an envelope halves the problems; rows must tell at least 4 apart")
    rng = np.random.default_rng(seed)
    halves = []
    for _ in range(splits):
        order = rng.permutation(problems)
        one, other = order[: problems // 2], order[problems // 2 :]
        halves += [(one, other), (other, one)]
    rows = []
    for level, u in enumerate(level_u):
        offers = _offers(designs, level, v)
        within = np.searchsorted(offers.v, v + ROUNDING, side="right")  # offers that each cost affords
        means = [(_mean(offers.scores[:, a]), _mean(offers.scores[:, b])) for a, b in halves]
        picks = np.stack([_best_so_far(choosing) for choosing, _ in means])
        own, judged = (np.stack(half) for half in zip(*means, strict=True))
        for j in np.flatnonzero(within):
            best = picks[:, within[j] - 1]
            every = np.flatnonzero((best >= 0) & np.isfinite(judged[np.arange(len(best)), best]))
            if not len(every):  # no offer is known in both halves
                continue
            best = best[every]
            counts = np.bincount(offers.method[best], minlength=len(names))
            most = int(counts.argmax())
            bought = best[offers.method[best] == most]
            usual = np.bincount(bought).argmax()
            rows.append(
                {
                    "train": 10**u, "infer": 10 ** v[j], "methods": len(set(offers.method[: within[j]])),
                    "method": names[most], "chosen": counts[most] / len(best),
                    "spent": 10 ** float(np.median(offers.v[bought])), "score": float(judged[every, best].mean()),
                    "score_se": float(np.hypot(_error(offers.scores[usual]), _error(offers.by_run[usual]))),
                    "same_half": float(own[every, best].mean()),
                }
            )  # fmt: skip
    return pd.DataFrame(rows)


def _best_so_far(means: Array) -> npt.NDArray[np.intp]:
    """Which of the offers up to each scores best, (K,), of their means (K,); the cheapest of equals; -1 if none is known."""
    known = np.where(np.isfinite(means), means, -np.inf)
    rises = known > np.concatenate([[-np.inf], np.maximum.accumulate(known)[:-1]])
    return np.maximum.accumulate(np.where(rises, np.arange(len(means)), -1))


def _error(values: Array) -> float:
    """Standard error of the mean of those that are known; 0 of one."""
    known = values[np.isfinite(values)]
    return float(known.std(ddof=1) / np.sqrt(len(known))) if len(known) > 1 else 0.0


def _mean(values: Array) -> Array:
    """Mean over problems of those that are known; NaN where none is."""
    known = np.isfinite(values)
    with np.errstate(invalid="ignore"):
        return np.asarray(np.where(known, values, 0.0).sum(axis=-1) / known.sum(axis=-1))


def _common_levels(designs: Mapping[str, Design]) -> Array:
    """Logarithms of the training levels, the same for all methods; InputError where they or the problems are not."""
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
    return level_u


def _offers(designs: Mapping[str, Design], level: int, v: Array) -> _Offers:
    """All methods at one level: at their budgets, means over runs, and interpolated at computes ``v`` between them."""
    names = next(iter(designs.values())).problem_names or ()
    parts: list[tuple[Array, ...]] = []
    most = max(int((one.level == level).sum()) for one in designs.values())
    for m, one in enumerate(designs.values()):
        place = [(one.problem_names or ()).index(name) for name in names]
        at = one.level == level
        mean_v = _mean(one.v[at].T)
        known = np.argsort(mean_v)[: np.isfinite(mean_v).sum()]
        own = mean_v[known]
        x = np.union1d(own, v[(v > own.min()) & (v < own.max())])
        problems = _mean(np.moveaxis(one.scores[at], 0, -1))[known][:, place]
        runs = np.full((len(known), most), np.nan)
        runs[:, : at.sum()] = _mean(one.scores[at]).T[known]
        between = [
            np.stack([np.interp(x, own, column) for column in table.T], axis=-1) for table in (problems, runs)
        ]
        parts.append((np.full(len(x), m), x, *between))
    method, costs, scores, by_run = (np.concatenate(part) for part in zip(*parts, strict=True))
    order = np.argsort(costs, kind="stable")
    return _Offers(method[order], costs[order], scores[order], by_run[order])
