"""Where the score of one method overtakes that of another as inference grows, at each training level.

Scores are means over runs, interpolated in log inference compute between a method's budgets; no interval holds what that may
miss, so that budgets should lie close: of samples, take many k. Shapes: D tables of scores, the measured one first, then
without each run and each group of problems; X computes that both methods have.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from scaling.errors import InputError
from scaling.exchange.arrange import SAME_LEVEL
from scaling.exchange.support import power_of_ten
from scaling.exchange.uncertainty import LeftOut, components, left_out
from scaling.laws.base import Array

if TYPE_CHECKING:
    import pandas as pd

    from scaling.exchange.design import Design

POINTS = 401


def crossings(first: Design, second: Design, *, level: float = 0.95) -> pd.DataFrame:
    """One row a training level: how far the second method scores above the first, and where they change places.

    Columns train; low_infer and high_infer, the least and the most inference compute that both have; low_gap and high_gap,
    score of the second less that of the first there, each with _low and _high from the jackknife over runs and problems (NaN
    where none can be left out); times, how often they change places between; infer, where, of the only time, with infer_low
    and infer_high: NaN unless the gaps at both ends are surely of different signs, and the interval lies between.
    Levels without common computes are left out. Raises InputError for designs of other levels, runs or problems.
    """
    import pandas as pd

    second = _ordered(second, first)
    level_u = first.level_curves()[0]
    if first.levels != second.levels or np.abs(second.level_curves()[0] - level_u).max() > SAME_LEVEL:
        raise InputError("crossings compare methods at the same training levels")
    if _checkpoints(first) != _checkpoints(second):
        raise InputError("crossings compare methods on the same runs at every training level")
    without, tables = left_out(first), [_tables(one) for one in (first, second)]
    rows = []
    for k in np.argsort(level_u):
        curves = [_curve(one, table, int(k)) for one, table in zip((first, second), tables, strict=True)]
        low, high = max(v[0] for v, _ in curves), min(v[-1] for v, _ in curves)
        if high <= low:
            continue
        x = np.linspace(low, high, POINTS)
        before, after = (np.array([np.interp(x, v, one) for one in scores]) for v, scores in curves)
        most = 1.0 if first.bounded and second.bounded else np.inf
        rows.append({"train": 10 ** level_u[k], **_row(x, after - before, without, level, most)})
    return pd.DataFrame(rows)


def _ordered(design: Design, like: Design) -> Design:
    """Return a design with runs and problems in another's order."""
    names = [(one.run_names, one.problem_names or ()) for one in (design, like)]
    if any(set(own) != set(other) for own, other in zip(*names, strict=True)):
        raise InputError("crossings compare methods on the same runs and problems")
    (runs, problems), (like_runs, like_problems) = names
    place = [problems.index(name) for name in like_problems] or [0]
    return replace(
        design,
        run=np.array([like_runs.index(name) for name in runs], dtype=np.intp)[design.run],
        run_names=like_runs,
        scores=design.scores[:, :, place],
        trials=None if design.trials is None else design.trials[:, :, place],
        problem_names=like.problem_names,
        problem_group=like.problem_group,
    )


def _checkpoints(design: Design) -> list[tuple[int, int]]:
    """Level and run of each checkpoint, in order."""
    return sorted(zip(design.level.tolist(), design.run.tolist(), strict=True))


def _tables(design: Design) -> Array:
    """Scores of a design's cells as measured and without each run and problem, (D, M)."""
    without = left_out(design)
    return np.concatenate([design.cells[2][None], without.runs, without.problems])


def _curve(design: Design, tables: Array, level: int) -> tuple[Array, Array]:
    """log10 inference compute of a level's budgets, ascending, (B,), and scores there, (D, B)."""
    cells = np.full(design.there.shape, -1)
    cells[design.there] = np.arange(tables.shape[1])
    own = cells[level][cells[level] >= 0]
    own = own[np.argsort(design.cells[1][own])]
    return design.cells[1][own], tables[:, own]


def _row(x: Array, gap: Array, without: LeftOut, level: float, most: float) -> dict[str, float]:
    """The gaps at both ends and the crossing, from gaps (D, X) at computes (X,), which cannot be beyond ``most``."""
    found = {"low_infer": 10 ** x[0], "high_infer": 10 ** x[-1]}
    for name, at in (("low", 0), ("high", -1)):
        reach = _reach(gap[:, at], without, level)
        found |= {
            f"{name}_gap": float(gap[0, at]), f"{name}_gap_low": float(np.maximum(gap[0, at] - reach, -most)),
            f"{name}_gap_high": float(np.minimum(gap[0, at] + reach, most)),
        }  # fmt: skip
    places = _changes(x, gap[0])
    found |= {"times": float(len(places)), "infer": np.nan, "infer_low": np.nan, "infer_high": np.nan}
    if len(places) != 1:
        return found
    found["infer"] = 10 ** places[0]
    each = [_changes(x, one) for one in gap]
    first, last = (_side(found[f"{end}_gap_low"], found[f"{end}_gap_high"]) for end in ("low", "high"))
    if first * last < 0 and all(len(one) for one in each):
        values = np.array([one[np.abs(one - places[0]).argmin()] for one in each])
        low, high = places[0] + np.array([-1, 1]) * _reach(values, without, level)
        if x[0] <= low and high <= x[-1]:
            found |= {"infer_low": power_of_ten(low), "infer_high": power_of_ten(high)}
    return found


def _side(low: float, high: float) -> int:
    """On which side of none an interval lies: 1 above, -1 below, 0 where it holds none or is not known."""
    return int(low > 0) - int(high < 0)


def _reach(values: Array, without: LeftOut, level: float) -> float:
    """Half the interval of an estimate by its values on the tables, (D,); NaN where there is the measured one alone."""
    runs = len(without.runs)
    if len(values) == 1:
        return np.nan
    return components(without, values[1 : 1 + runs], values[1 + runs :]).reach(level)


def _changes(x: Array, gap: Array) -> Array:
    """Where a gap (X,) changes its sign, interpolated; touching 0 is no change."""
    apart = np.flatnonzero(gap != 0)
    turns = np.flatnonzero(np.diff(np.sign(gap[apart])))
    a, b = apart[turns], apart[turns + 1]
    return np.asarray(x[a] - gap[a] * (x[b] - x[a]) / (gap[b] - gap[a]))
