"""Bootstrap draws for a fit: which resampling the rows call for, and the draws fitted."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
import numpy.typing as npt

from scaling import resampling
from scaling.errors import InputError
from scaling.fitting.design import Design
from scaling.fitting.engine import grid_for, search
from scaling.fitting.newton import Solutions, join
from scaling.fitting.objective import Mask, Objective
from scaling.fitting.precision import freedom, roots, widened
from scaling.fitting.problems import Problems
from scaling.fitting.rough import is_rough, smoothed
from scaling.fitting.rows import Rows, number_column
from scaling.laws import SeparableLaw
from scaling.laws.base import Array

Resample = Literal["pairs", "clusters", "trunks", "wild", "parametric"]

MOST_UNITS = 200
"""Units that a jackknife leaves out one by one; more are left out in groups."""
BLOCK = 2_000_000
"""Draws x rows that are fitted together."""
THESE_RUNS = "these runs only"
TINY = 1e-30
"""Stands for a score of 0, whose logarithm does not."""


@dataclass(frozen=True)
class Fitted:
    """What draws of new noise take from a fit."""

    L: Array
    """The fitted law at the rows, (n,)."""
    parameters: int
    """Parameters that were fitted."""


@dataclass(frozen=True)
class Drawn(resampling.Resamples):
    """Draws, why these, and the units that they are made of."""

    reason: str = ""
    """Why these draws and no others, in words."""
    units: npt.NDArray[np.intp] | None = None
    """The unit of each row, (n,); None where each row is one."""


def draw(
    rows: Rows,
    fitted: Fitted,
    objective: Objective,
    how: Resample | None,
    cluster: str | None,
    draws: int,
    seed: int,
) -> Drawn:
    """Draws by the design asked for; None takes what the columns call for.

    `trunks` needs a column trunk_id and takes sizes by their N (or the law's x); with one trunk a size it falls
    back on pairs, labelled as speaking of these runs only, and where no two trunks of a size share a duration on
    clusters by trunk. `clusters` keeps the rows of one `cluster` together. `wild` turns residuals up or down,
    those of one `cluster` together (for squares alone), and `parametric` draws normal noise, of the standard deviation
    sigma / sqrt(w) in a row of weight w, with sigma^2 the mean of w r^2; both times sqrt(n / (n - p)), for the p
    parameters that were fitted. Under the binomial loss `parametric` draws new trials.
    None means clusters where `cluster` is given, trunks where a trunk_id repeats, clusters where the table says that
    rows are checkpoints of one run (`shared_column`), pairs elsewhere.
    """
    rng = np.random.default_rng(seed)
    reason = "as asked for" if how else ""
    how = how or _called_for(rows, cluster)
    if how not in get_args(Resample):
        raise InputError(f"no resampling is called {how!r}; known: {', '.join(get_args(Resample))}")
    labels: npt.NDArray[np.intp] | None
    if how == "clusters":
        together = cluster if cluster is not None else shared_column(rows) or "run_id"
        labels = labels_of(rows, together)
        return _of(
            resampling.clusters(labels, draws, rng),
            reason or f"rows of one {together} share their luck",
            labels,
        )
    if how == "trunks":
        return _trunks(rows, draws, rng, reason)
    if how == "wild" and objective.loss != "mse":
        raise InputError(
            f"wild draws turn the signs of residuals, which is right for squares and too narrow for {objective.loss}; give "
            "--loss mse, or --resample parametric"
        )
    if how in ("wild", "parametric"):
        labels = None if cluster is None or how == "parametric" else labels_of(rows, cluster)
        return _of(_noise(rows, fitted, objective, how, labels, draws, rng), reason, labels)
    return _of(resampling.pairs(len(rows.loss), draws, rng), reason or "rows are taken for independent runs")


def _of(drawn: resampling.Resamples, reason: str, units: npt.NDArray[np.intp] | None = None) -> Drawn:
    return Drawn(drawn.method, drawn.clusters, drawn.weights, drawn.values, reason, units)


def _trunks(rows: Rows, draws: int, rng: np.random.Generator, reason: str) -> Drawn:
    trunk = labels_of(rows, "trunk_id")
    size, duration = (_levels(_axis(rows, names)) for names in (("N",), ("D", "C")))
    if one_trunk_a_size(rows):
        drawn = resampling.pairs(len(rows.loss), draws, rng)
        return Drawn(f"pairs, {THESE_RUNS}", None, drawn.weights, None, reason or "no size has a second seed")
    if resampling.trunk_freedom(trunk, size, duration) < 1:
        why = reason or "branches of a trunk share its luck, and no two trunks of a size a duration"
        return _of(resampling.clusters(trunk, draws, rng), why, trunk)
    found = resampling.trunks_within_size(np.log(rows.loss), trunk, size, duration, draws, rng)
    return _of(found, reason or "branches of a trunk share its luck, and sizes have several seeds", trunk)


def _noise(
    rows: Rows,
    fitted: Fitted,
    objective: Objective,
    how: Resample,
    labels: npt.NDArray[np.intp] | None,
    draws: int,
    rng: np.random.Generator,
) -> resampling.Resamples:
    """New noise about the fitted law, on the residual's own scale."""
    n = len(rows.loss)
    if objective.loss == "binomial" and how == "parametric":
        trials = np.round(rows.weights).astype(np.int64)
        scores = rng.binomial(trials, np.clip(fitted.L, 0.0, 1.0), size=(draws, n)) / trials
        return resampling.Resamples("parametric, new trials", None, values=np.log(np.maximum(scores, TINY)))
    logs = objective.residual == "log"
    centre, measured = (np.log(fitted.L), np.log(rows.loss)) if logs else (fitted.L, rows.loss)
    residuals = widened(measured - centre, fitted.parameters)
    if how == "wild":
        drawn = resampling.wild(centre, residuals, labels, draws, rng)
    else:
        root = roots(rows.weights)
        spread = np.sqrt(np.mean((root * residuals) ** 2)) / root
        drawn = resampling.parametric(centre, spread, freedom(n, fitted.parameters), draws, rng)
    assert drawn.values is not None
    values = drawn.values if logs else np.log(np.maximum(drawn.values, TINY))
    return resampling.Resamples(drawn.method, drawn.clusters, values=values)


def one_trunk_a_size(rows: Rows) -> bool:
    """Whether runs are known by trunk and no size has a second one."""
    sizes = _axis(rows, ("N",), otherwise=False)
    if "trunk_id" not in rows.frame or rows.frame["trunk_id"].isna().any() or sizes is None:
        return False
    try:
        trunk, size = labels_of(rows, "trunk_id").tolist(), _levels(sizes).tolist()
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
    design: Design,
    objective: Objective,
    drawn: resampling.Resamples,
    minima: Array,
    seed: int | None = None,
) -> tuple[Array, Mask]:
    """Parameters (B, P) of the lowest minimum of each draw, and whether each converged (B,).

    Every draw has its own starts; where the law is not separable or the objective rough it also starts from the
    `minima` (thetas) of all rows, and from the minima of a smoother objective where that is cheap. A law that is
    not separable is always fitted with E = 0 too, since along its flat ridges a floor may take long to vanish.
    With a `seed` the means of priors are drawn anew too, from the priors.
    """
    separable = issubclass(design.law, SeparableLaw)
    rough = is_rough(Problems.of(design, objective, np.ones((1, design.rows))), minima[0])
    grid = grid_for(design, objective)

    def fitted(problems: Problems) -> Solutions:
        found = search(
            problems,
            most=2,
            warm=minima[:3] if rough or not separable else None,
            floor_at_zero=not separable or bool(np.isneginf(minima).any()),
            grid=grid,
        )
        if rough and separable and objective.loss == "huber":
            found += smoothed(problems, most=2, grid=grid)
        return found.best(len(problems.weights))[1]

    means = None
    if design.known.priors and seed is not None:
        means = design.known.drawn_means(design.law, drawn.draws, np.random.default_rng([seed, 1]))
    best = join([fitted(problems) for problems in _blocks(design, objective, drawn, means)])
    return design.values(best.theta), best.converged


def _blocks(
    design: Design, objective: Objective, drawn: resampling.Resamples, means: Array | None
) -> Iterator[Problems]:
    """The draws as problems, no more at a time than memory bears: their weights and planes take eight bytes a row."""
    weights, values = drawn.weights, drawn.values
    size = max(1, BLOCK // design.rows)
    for k in range(0, drawn.draws, size):
        block = slice(k, k + size)
        own = None if means is None else means[block]
        if weights is not None:
            yield Problems.of(
                design, objective, weights[block], None if values is None else values[block], own
            )
        elif values is not None:
            yield Problems.of(design, objective, np.ones_like(values[block]), values[block], own)


def jackknife(design: Design, objective: Objective, units: npt.ArrayLike | None, minima: Array) -> Array:
    """Parameters (U, P) without each unit: a row, or a cluster; of many rows, without each of MOST_UNITS groups."""
    label = np.arange(design.rows) if units is None else np.unique(units, return_inverse=True)[1]
    count = int(label.max()) + 1
    if count > MOST_UNITS:
        label, count = np.random.default_rng(0).permutation(count)[label] % MOST_UNITS, MOST_UNITS
    kept = (np.arange(count)[:, None] != label).astype(np.int16)
    return fit_draws(design, objective, resampling.Resamples("jackknife", count, weights=kept), minima)[0]


def _called_for(rows: Rows, cluster: str | None) -> Resample:
    if cluster is not None:
        return "clusters"
    if "trunk_id" in rows.frame and not rows.frame["trunk_id"].isna().any():
        return "trunks" if rows.frame["trunk_id"].duplicated().any() else "pairs"
    return "pairs" if shared_column(rows) is None else "clusters"


def shared_luck(rows: Rows, how: Resample | None, cluster: str | None) -> npt.NDArray[np.intp] | None:
    """Labels of the rows that draws keep together, (n,); None where each row is drawn by itself."""
    how = how or _called_for(rows, cluster)
    if how == "trunks":
        return labels_of(rows, "trunk_id")
    if how == "clusters":
        return labels_of(rows, cluster or shared_column(rows) or "run_id")
    return labels_of(rows, cluster) if how == "wild" and cluster else None


def shared_column(rows: Rows) -> str | None:
    """The column that names a run with several rows: run_id where it repeats, else one where each run has one size."""
    frame = rows.frame
    for name in ("run_id", "run", "run_name", "file"):
        if name not in frame or frame[name].isna().any():
            continue
        try:
            codes = labels_of(rows, name)
        except InputError:  # cells that cannot label rows
            continue
        several = codes.max() + 1 < len(codes)
        if name != "run_id" and several:
            several = codes.max() > 0 and _constant_within(codes, rows.inputs.get("N"))
        if several:
            return name
    return None


def _constant_within(codes: npt.NDArray[np.intp], values: Array | None) -> bool:
    """Whether each group has one value."""
    if values is None:
        return False
    first = np.full(codes.max() + 1, np.nan)
    first[codes[::-1]] = values[::-1]
    return bool(np.all(np.abs(np.log(values / first[codes])) < 1e-6))


def labels_of(rows: Rows, name: str) -> npt.NDArray[np.intp]:
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
