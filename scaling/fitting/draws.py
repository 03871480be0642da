"""Bootstrap draws for a fit: which resampling the rows call for, and the draws fitted."""

from typing import Literal, get_args

import numpy as np
import numpy.typing as npt

from scaling import resampling
from scaling.errors import InputError
from scaling.fitting.design import Design
from scaling.fitting.engine import is_rough, search, smoothed
from scaling.fitting.objective import Mask, Objective
from scaling.fitting.problems import Problems
from scaling.fitting.rows import Rows, number_column
from scaling.laws import SeparableLaw
from scaling.laws.base import Array

Resample = Literal["pairs", "clusters", "trunks"]

THESE_RUNS = "these runs only"


def draw(
    rows: Rows, how: Resample | None, cluster: str | None, draws: int, seed: int
) -> resampling.Resamples:
    """Draws by the design asked for; None takes what the columns call for.

    `trunks` needs a column trunk_id and takes sizes by their N (or the law's x); with one trunk a size it falls
    back on pairs, labelled as speaking of these runs only, and where no two trunks of a size share a duration on
    clusters by trunk. `clusters` keeps the rows of one `cluster` together.
    None means clusters where `cluster` is given, trunks where a trunk_id repeats, pairs elsewhere.
    """
    rng = np.random.default_rng(seed)
    how = how or _called_for(rows, cluster)
    if how not in get_args(Resample):
        raise InputError(f"no resampling is called {how!r}; known: {', '.join(get_args(Resample))}")
    if how == "clusters":
        return resampling.clusters(_column(rows, cluster or "run_id"), draws, rng)
    if how == "trunks":
        trunk = _column(rows, "trunk_id")
        size, duration = (_levels(_axis(rows, names)) for names in (("N",), ("D", "C")))
        if one_trunk_a_size(rows):
            drawn = resampling.pairs(len(rows.loss), draws, rng)
            return resampling.Resamples(f"pairs, {THESE_RUNS}", None, weights=drawn.weights)
        if resampling.trunk_freedom(trunk, size, duration) < 1:
            return resampling.clusters(trunk, draws, rng)
        return resampling.trunks_within_size(np.log(rows.loss), trunk, size, duration, draws, rng)
    return resampling.pairs(len(rows.loss), draws, rng)


def one_trunk_a_size(rows: Rows) -> bool:
    """Whether runs are known by trunk and no size has a second one."""
    sizes = _axis(rows, ("N",), otherwise=False)
    if "trunk_id" not in rows.frame or rows.frame["trunk_id"].isna().any() or sizes is None:
        return False
    try:
        trunk, size = _column(rows, "trunk_id").tolist(), _levels(sizes).tolist()
    except InputError:  # cells that cannot label rows say nothing of trunks
        return False
    return len(set(zip(trunk, size, strict=True))) == len(set(size))


def _axis(rows: Rows, names: tuple[str, ...], *, otherwise: bool = True) -> Array | None:
    """The first of the names that all rows have, as an input, as C or in the table; else the law's first input."""
    for name in names:
        if name in rows.inputs:
            return rows.inputs[name]
        if name == "C" and rows.C is not None and np.isfinite(rows.C).all():
            return rows.C
        if name in rows.frame:
            values = number_column(rows.frame, name)
            if np.all(np.isfinite(values) & (values > 0)):
                return values
    return next(iter(rows.inputs.values())) if otherwise else None


def _levels(values: Array | None) -> Array:
    """Positive numbers as labels, those within a relative 1e-6 taken as one."""
    assert values is not None
    return np.asarray(np.round(np.log(values), 6), dtype=np.float64)


def fit_draws(
    design: Design, objective: Objective, drawn: resampling.Resamples, minima: Array
) -> tuple[Array, Mask]:
    """Parameters (B, P) of the lowest minimum of each draw, and whether each converged (B,).

    Every draw has its own starts; where the law is not separable or the objective rough it also starts from the
    `minima` (thetas) of all rows, and from the minima of a smoother objective where that is cheap. A law that is
    not separable is always fitted with E = 0 too, since along its flat ridges a floor may take long to vanish.
    """
    log_y = drawn.values
    weights = drawn.weights
    if weights is None:
        assert log_y is not None
        weights = np.ones_like(log_y)
    problems = Problems.of(design, objective, weights, log_y)
    separable = issubclass(design.law, SeparableLaw)
    rough = is_rough(Problems.of(design, objective, np.ones((1, design.rows))), minima[0])
    found = search(
        problems,
        most=2,
        warm=minima[:3] if rough or not separable else None,
        floor_at_zero=not separable or bool(np.isneginf(minima).any()),
    )
    if rough and separable and objective.loss == "huber":
        found += smoothed(problems, most=2)
    best = found.best(len(weights))[1]
    return design.values(best.theta), best.converged


def _called_for(rows: Rows, cluster: str | None) -> Resample:
    if cluster is not None:
        return "clusters"
    if "trunk_id" in rows.frame and not rows.frame["trunk_id"].isna().any():
        return "trunks" if rows.frame["trunk_id"].duplicated().any() else "pairs"
    return "pairs"


def _column(rows: Rows, name: str) -> npt.NDArray[np.intp]:
    """A column of labels, numbered."""
    import pandas as pd

    if name not in rows.frame:
        raise InputError(f"no column is called {name}; the draws need it to know which rows belong together")
    if rows.frame[name].isna().any():
        raise InputError(f"column {name} has missing labels; give every row one, or draw pairs")
    try:
        return pd.factorize(rows.frame[name])[0]
    except TypeError as error:
        raise InputError(
            f"column {name} holds {type(rows.frame[name].iloc[0]).__name__} cells, which cannot label rows; give "
            "texts or numbers"
        ) from error
