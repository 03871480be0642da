"""A method's rows arranged as a grid: which run, checkpoint, level, budget and problem each is of.

Shapes: n rows, K checkpoints, B budgets, P problems.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from scaling.errors import FitError, InputError
from scaling.exchange.design import Design, Whole
from scaling.fitting.rows import number_column
from scaling.laws.base import Array

if TYPE_CHECKING:
    import pandas as pd

SAME_LEVEL = 0.02
"""Decades of training compute within which checkpoints of different runs are one level."""
SAME_CHECKPOINT = 0.004
"""Decades of training compute within which rows of one run are of one checkpoint: what is realised differs a little."""
ROUNDING = 1e-9
WEIGHT = 100.0
"""Trials that a cell counts where nothing says how many it holds."""


def design_of(
    frame: pd.DataFrame,
    training: Array,
    inference: Array,
    *,
    read: int,
    dropped: tuple[tuple[Any, str], ...] = (),
    unbounded: bool = False,
    corrected: bool = False,
    stage: Array | None = None,
) -> Design:
    """Arrange rows as a grid.

    `frame` has a column score, and where the table tells: run, budget, problem, trials, n_problems. `training` and
    `inference` are the rows' compute (n,). Rows with a missing or impossible number are dropped with the reason. Without
    `run`, `seed` numbers the runs of each level; without either, rows of one training compute are one run. Without `budget`,
    equal inference compute is one budget. `stage` tells levels apart where `training` counts more, in which it may hide.
    `unbounded` takes scores that are no shares, such as Elo; `corrected` ones below 0, which chance was taken out of.

    Raises InputError for scores outside [0, 1] and for a cell given twice; FitError where no row is left.
    """
    reasons = np.full(len(frame), "", dtype=object)
    score = frame["score"].to_numpy(dtype=np.float64, na_value=np.nan)
    for name, values in (("training compute", training), ("inference compute", inference)):
        reasons[(reasons == "") & np.isnan(values)] = f"{name} is missing"
        reasons[(reasons == "") & ~((values > 0) & np.isfinite(values))] = f"{name} is not a positive number"
    reasons[(reasons == "") & ~np.isfinite(score)] = "score is missing"
    keep = reasons == ""
    lost = tuple(zip(frame.index[~keep].tolist(), reasons[~keep].tolist(), strict=True))
    if not keep.any():
        first = f": row {lost[0][0]}, {lost[0][1]}" if lost else ""
        raise FitError(f"none of the {len(frame)} rows can be used{first}")
    frame, score = frame[keep], score[keep]
    if not unbounded:  # sums of weights that make 1 end a rounding off it
        score = np.where((score > 1) & (score < 1 + ROUNDING), 1.0, score)
    outside = (score > 1) | ((score < 0) & (not corrected))
    if not unbounded and outside.any():
        at = int(np.argmax(outside))
        raise InputError(
            f"row {frame.index[at]} has score {score[at]:g}; expected a share from 0 to 1 (of percent, "
            "--map score='COLUMN / 100'), or --link linear for other scales"
        )
    told = training if stage is None else stage
    key = np.log10(np.where(told[keep] > 0, told[keep], training[keep]))
    bounded = corrected or not outside.any()
    return _arrange(
        frame, np.log10(training[keep]), key, inference[keep], score, read, (*dropped, *lost), bounded
    )


def _arrange(
    frame: pd.DataFrame,
    u: Array,
    key: Array,
    spent: Array,
    score: Array,
    read: int,
    dropped: tuple[tuple[Any, str], ...],
    bounded: bool,
) -> Design:
    v = np.log10(spent)
    told = "run" in frame or "seed" in frame
    run, run_names = _runs(frame, key)
    checkpoint, first = _checkpoints(run, key)
    per = np.bincount(checkpoint)
    u, key = np.bincount(checkpoint, weights=u) / per, np.bincount(checkpoint, weights=key) / per
    budget, budgets = _budgets(frame, checkpoint, v)
    problem, problems = (
        _codes(frame["problem"]) if "problem" in frame else (np.zeros(len(v), dtype=np.intp), None)
    )
    shape = (len(first), len(budgets), 1 if problems is None else len(problems))
    place = np.ravel_multi_index((checkpoint, budget, problem), shape)
    if len(np.unique(place)) < len(place):
        twice = int(np.flatnonzero(np.bincount(place) > 1)[0])
        rows = frame.index[place == twice].tolist()
        what = (
            "problem of one checkpoint at one budget" if problems is not None else "checkpoint at one budget"
        )
        raise InputError(f"rows {rows[0]} and {rows[1]} are the same {what}; {_apart(frame)}")
    group, strata = _strata(frame, problem, shape[2])
    scores = np.full(np.prod(shape), np.nan)
    scores[place] = score
    trials = None
    if "trials" in frame:
        trials = np.full(np.prod(shape), np.nan)
        trials[place] = number_column(frame, "trials")
    total, count = (
        np.bincount(place // shape[2], weights=w, minlength=shape[0] * shape[1])
        for w in (spent, np.ones_like(spent))
    )
    with np.errstate(invalid="ignore", divide="ignore"):
        cell_v = np.log10(np.where(count > 0, total / count, np.nan)).reshape(shape[:2])
    return Design(
        u=u,
        v=cell_v,
        run=run[first],
        level=_levels(key, run[first]),
        scores=scores.reshape(shape),
        trials=None if trials is None else trials.reshape(shape),
        cell_weight=_cell_weights(
            frame,
            checkpoint,
            budget,
            shape,
            count.reshape(shape[:2]).astype(np.float64),
            problems is not None,
        ),
        run_names=tuple(run_names),
        budgets=tuple(budgets),
        problem_names=None if problems is None else tuple(problems),
        problem_group=group,
        stratum_names=strata,
        runs_told=told,
        read=read,
        dropped=dropped,
        bounded=bounded,
    )


def _codes(labels: Any) -> tuple[Whole, list[Any]]:
    import pandas as pd

    column = pd.Series(labels)
    codes, names = pd.factorize(column, sort=False)
    if (codes < 0).any():
        at = int(np.argmax(codes < 0))
        raise InputError(
            f"row {column.index[at]} names no {column.name}; fill the cell, or leave the row out with --where"
        )
    return codes.astype(np.intp), list(names)


def _strata(frame: pd.DataFrame, problem: Whole, problems: int) -> tuple[Whole, tuple[str, ...]]:
    """The stratum of each problem, by a column difficulty, and their names; problems without one are stratum 0."""
    import pandas as pd

    group = np.zeros(problems, dtype=np.intp)
    if "difficulty" not in frame:
        return group, ()
    codes, names = pd.factorize(frame["difficulty"], sort=True)
    group[problem] = codes + 1
    return group, tuple(map(str, names))


def _apart(frame: pd.DataFrame) -> str:
    """What may tell rows apart that look the same."""
    mixed = [
        name
        for name in ("temperature", "top_p", "task")
        if name in frame and len(frame[name].dropna().unique()) > 1
    ]
    if mixed:
        return f"the column {mixed[0]} differs: choose one of its values with --where"
    return "name columns run, budget and problem that tell them apart, or give the method by which samples are put together"


def _runs(frame: pd.DataFrame, key: Array) -> tuple[Whole, list[Any]]:
    """The run of each row: by its column, by its seed at a level, or one for each training compute."""
    if "run" in frame:
        return _codes(frame["run"])
    if "seed" not in frame:
        return _codes(_near(key, SAME_CHECKPOINT))
    level = _near(key, SAME_LEVEL)
    seed, names = _codes(frame["seed"])
    codes, pairs = _codes(level * (int(seed.max()) + 1) + seed)
    return codes, [
        f"level {pair // (int(seed.max()) + 1)}, seed {names[pair % (int(seed.max()) + 1)]}" for pair in pairs
    ]


def _near(key: Array, tolerance: float) -> Whole:
    """Groups of rows whose key lies within a tolerance of the lowest of the group, (n,), in rising order."""
    values, place = np.unique(np.round(key, 9), return_inverse=True)
    group, start = np.zeros(len(values), dtype=np.intp), values[0]
    for k in range(1, len(values)):
        new = values[k] - start > tolerance
        group[k] = group[k - 1] + new
        start = values[k] if new else start
    return np.asarray(group[place.ravel()], dtype=np.intp)


def _checkpoints(run: Whole, key: Array) -> tuple[Whole, Whole]:
    """The checkpoint of each row, and the first row of each checkpoint, in order of run and compute."""
    pairs, place = np.unique(
        np.stack([run.astype(np.float64), np.round(key, 9)], axis=1), axis=0, return_inverse=True
    )
    code, start = np.zeros(len(pairs), dtype=np.intp), pairs[0, 1]
    for k in range(1, len(pairs)):
        new = pairs[k, 0] != pairs[k - 1, 0] or pairs[k, 1] - start > SAME_CHECKPOINT
        code[k] = code[k - 1] + new
        start = pairs[k, 1] if new else start
    checkpoint = code[place.ravel()]
    _, first = np.unique(checkpoint, return_index=True)
    return checkpoint, first


def _budgets(frame: pd.DataFrame, checkpoint: Whole, v: Array) -> tuple[Whole, list[Any]]:
    """The budget of each row: by its column, else by the inference compute."""
    import pandas as pd

    labels = frame["budget"] if "budget" in frame else pd.Series(np.round(v, 9))
    codes, names = pd.factorize(labels, sort=True)
    if (codes < 0).any():
        at = int(np.argmax(codes < 0))
        raise InputError(
            f"row {frame.index[at]} names no budget; fill the cell, or leave the row out with --where"
        )
    if "budget" in frame:
        order = np.argsort([v[codes == k].mean() for k in range(len(names))], kind="stable")
        rank = np.argsort(order)
        return rank[codes].astype(np.intp), [names[k] for k in order]
    return codes.astype(np.intp), [float(10.0**name) for name in names]


def _levels(u: Array, run: Whole) -> Whole:
    """The training level of each checkpoint: neighbours within SAME_LEVEL, of different runs."""
    level = np.empty(len(u), dtype=np.intp)
    members: set[int] = set()
    current, start = -1, -np.inf
    for k in np.argsort(u, kind="stable"):
        if u[k] - start > SAME_LEVEL or int(run[k]) in members:
            current, members, start = current + 1, set(), u[k]
        members.add(int(run[k]))
        level[k] = current
    return level


def _cell_weights(
    frame: pd.DataFrame,
    checkpoint: Whole,
    budget: Whole,
    shape: tuple[int, ...],
    count: Array,
    problems: bool,
) -> Array:
    if problems:
        return np.where(count > 0, count, 0.0)
    weight = np.where(count > 0, WEIGHT, 0.0)
    for name in ("n_problems", "trials"):
        if name in frame:
            told = number_column(frame, name)
            if (told <= 0).any():
                at = int(np.argmax(told <= 0))
                raise InputError(
                    f"row {frame.index[at]}: {name} is {told[at]:g}; expected how many a score is the mean of"
                )
            weight[checkpoint, budget] = np.where(np.isfinite(told), told, WEIGHT)
            break
    return weight
