"""Where the polish starts: variable projection over a grid of the parameters that are not linear.

At each point of the grid the linear parameters follow from weighted least squares in closed form; the grid's local
minima are the starts. All problems share the grid, so that their moments are matrix products.

Shapes: B problems, n rows, G grid points in all, on one axis for each parameter that is tried.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import reduce

import numpy as np
import numpy.typing as npt

from scaling.fitting.design import Design
from scaling.fitting.problems import Problems
from scaling.fitting.systems import solve_broadcast
from scaling.laws.base import Array
from scaling.laws.general import GeneralLaw
from scaling.laws.parameters import Parameter
from scaling.laws.separable import SeparableLaw

EXPONENTS = np.geomspace(0.03, 3.0, 24)
"""Grid of each exponent of a separable law with up to two."""
COARSE_EXPONENTS = np.geomspace(0.06, 1.5, 8)
"""Grid of each exponent where other parameters need a grid of their own."""
BALANCES = np.linspace(-4.5, 4.5, 7)
"""Grid of the log ratio of the terms at the centre of the data, for the p-norm."""
BLOCK = 150_000
"""Problems x grid points that are worked on together."""
ROWS_BLOCK = 4_000_000
"""Problems x rows that are worked on together."""
FEW = 16
"""Problems below which moments of two columns are products problem by problem."""
MANY_ROWS, CELLS = 20_000, 4096
"""Rows from which a grid stands on their sums over cells of the features, and about the most cells."""


@dataclass(frozen=True)
class Column:
    """A part of the law that one factor scales."""

    curve: Array
    """Values at factor 1, (n, ...) over the grid's axes; an axis that it does not vary on may have length 1."""
    scaled: tuple[int, ...]
    """Positions in theta whose parameters the factor multiplies."""
    logs: bool = True
    """Whether these are fitted as logarithms, so that the factor must be positive."""


@dataclass(frozen=True)
class Grid:
    """Trial shapes of a law, and the curves they give."""

    theta: Array
    """(G, P); parameters that a factor scales stand at factor 1."""
    shape: tuple[int, ...]
    """Points on each axis; its product is G."""
    columns: tuple[Column, ...]
    """What least squares combine."""
    offset: Array | None = None
    """What the combination is added to, (n, ...)."""
    floor: int | None = None
    """Which of the columns is the floor's."""
    cells: "Cells | None" = None
    """What the n of curves and offset are, where these are not the rows."""


@dataclass(frozen=True)
class Cells:
    """Rows with about the same features, taken together."""

    order: npt.NDArray[np.intp]
    """The rows, cell by cell, (n,)."""
    first: npt.NDArray[np.intp]
    """Where each cell begins in that order, (cells,)."""

    @classmethod
    def of(cls, x: Sequence[Array]) -> "Cells":
        """Cells that divide the range of each feature evenly."""
        sides = max(2, int(CELLS ** (1 / len(x))))
        label = np.zeros(len(x[0]), dtype=np.intp)
        for values in x:
            low, high = values.min(), values.max()
            step = (high - low) / sides or 1.0
            label = label * sides + np.minimum((values - low) / step, sides - 1).astype(np.intp)
        order = np.argsort(label, kind="stable")
        return cls(order, np.flatnonzero(np.diff(label[order], prepend=-1)))

    def sums(self, planes: Array) -> Array:
        """Sums over each cell of (.., n), (.., cells)."""
        sums: Array = np.add.reduceat(planes[..., self.order], self.first, axis=-1)
        return sums

    def means(self, x: Array) -> Array:
        """The mean of a feature (n,) in each cell, (cells,)."""
        return self.sums(x) / np.diff(self.first, append=len(x))


@dataclass(frozen=True)
class Starts:
    """Starts of many problems, in any number each."""

    problem: npt.NDArray[np.intp]
    """Which problem each start belongs to, (S,)."""
    theta: Array
    """(S, P)."""


def grid_of(design: Design, simpler: Mapping[int, Array] | None = None) -> Grid:
    """The grid of the design's law: exponents of a separable law, else whatever parameters are not linear.

    `simpler` holds theta at minima of a simpler law, by position, each (K,): the grid is theirs times the other trials.
    """
    if design.rows < MANY_ROWS:
        return _grid_on(design, simpler or {})
    cells = Cells.of(design.x)
    return replace(_grid_on(design.grouped(cells.means), simpler or {}), cells=cells)


def _grid_on(design: Design, simpler: Mapping[int, Array]) -> Grid:
    if issubclass(design.law, SeparableLaw):
        return _separable_grid(design)
    if issubclass(design.law, GeneralLaw):
        return _general_grid(design, design.law, simpler)
    return _joined_grid(design)


def starts(
    problems: Problems,
    grid: Grid,
    *,
    most: int,
    floor: float | Array | None = None,
    moments: "Moments | None" = None,
) -> Starts:
    """Up to `most` grid-local minima of each problem, the lowest first.

    With `floor` None the floor is free (and positive); otherwise it is held at that value, one for all or (B,).
    The squares are relative, 1/y^2, for log residuals, and plain for raw ones. `moments` saves working out those of
    the same problems again.
    """
    parts = []
    size = _block(problems, grid)
    B = len(problems.weights)
    held = None if floor is None else np.broadcast_to(np.asarray(floor, dtype=np.float64), (B,))
    for k in range(0, B, size):
        block = slice(k, k + size)
        mine = problems if size >= B else problems.take(block)
        part = _starts_block(
            mine, grid, moments or _moments(mine, grid), most, None if held is None else held[block]
        )
        parts.append(part if size >= B else Starts(part.problem + k, part.theta))
    if len(parts) == 1:
        return parts[0]
    return Starts(np.concatenate([p.problem for p in parts]), np.concatenate([p.theta for p in parts]))


def moments_of(problems: Problems, grid: Grid) -> "Moments | None":
    """What the starts of these problems need whatever their floor, or None where it is too much to keep."""
    return _moments(problems, grid) if len(problems.weights) <= _block(problems, grid) else None


def _block(problems: Problems, grid: Grid) -> int:
    """Problems that are worked on together."""
    return max(1, min(BLOCK // len(grid.theta), ROWS_BLOCK // problems.design.rows))


def _separable_grid(design: Design) -> Grid:
    """Over the exponents; floor and coefficients are linear."""
    law, pinned = design.law, design.pinned
    exponents = list(dict.fromkeys(law.position(term.exponent) for term in law.terms))
    usual = np.log(EXPONENTS if len(exponents) <= 2 else COARSE_EXPONENTS)
    axes = [usual if np.isnan(pinned[k]) else pinned[k : k + 1] for k in exponents]
    columns, offsets, floor = [], [], None
    if law.floor is not None:
        k = law.position(law.floor)
        ones = np.ones((design.rows, *[1] * len(axes)))
        if np.isnan(pinned[k]):
            columns.append(Column(ones, (k,)))
            floor = 0
        else:
            offsets.append(np.exp(pinned[k]) * ones)
    for term in law.terms:
        axis = exponents.index(law.position(term.exponent))
        curve = np.exp(-np.outer(design.x[law.feature_names().index(term.feature)], np.exp(axes[axis])))
        curve = curve.reshape(design.rows, *[-1 if k == axis else 1 for k in range(len(axes))])
        k = law.position(term.coefficient)
        if np.isnan(pinned[k]):
            columns.append(Column(curve, (k,)))
        else:
            offsets.append(np.exp(pinned[k]) * curve)
    return Grid(_mesh(design, exponents, axes), tuple(map(len, axes)), tuple(columns), _total(offsets), floor)


def _joined_grid(design: Design) -> Grid:
    """Over exponents, balance of the terms and shape of a law that scales all its terms together."""
    law, pinned = design.law, design.pinned
    coefficients = [law.position(term.coefficient) for term in law.terms]
    tried = {law.position(term.exponent): np.log(COARSE_EXPONENTS) for term in law.terms}
    together = all(np.isnan(pinned[k]) for k in coefficients)
    tried |= dict.fromkeys(coefficients[1:] if together else [], BALANCES)
    tried |= {law.position(a.name): np.log(a.trials) for a in law.parameters() if a.trials}
    if not together:  # a pinned coefficient is known, the others are tried around the data
        level = float(np.mean(design.log_y)) - 1.5
        tried |= {k: level + BALANCES for k in coefficients if np.isnan(pinned[k])}
    axes = [axis if np.isnan(pinned[k]) else pinned[k : k + 1] for k, axis in tried.items()]
    shape = tuple(map(len, axes))
    theta = _mesh(design, list(tried), axes)
    columns, floor, offsets = [], None, []
    if law.floor is not None:
        k = law.position(law.floor)
        ones = np.ones((design.rows, *[1] * len(axes)))
        theta[:, k] = -np.inf
        if np.isnan(pinned[k]):
            columns.append(Column(ones, (k,)))
            floor = 0
        else:
            offsets.append(np.exp(pinned[k]) * ones)
    curves = np.exp(law.evaluate(theta, design.x)[0]).T.reshape(design.rows, *shape)
    theta = np.where(np.isnan(pinned), theta, pinned)
    if together:
        columns.append(Column(curves, tuple(coefficients)))
    else:
        offsets.append(curves)
    return Grid(theta, shape, tuple(columns), _total(offsets), floor)


def _general_grid(design: Design, law: type[GeneralLaw], simpler: Mapping[int, Array]) -> Grid:
    """Over minima of a simpler law, if there is one, and the trials of all other parameters that are not linear."""
    pinned, linear = design.pinned, [law.position(name) for name in law.linear]
    known = [k for k in simpler if k not in linear]
    tried = {
        k: _trials(design, about)
        for k, about in enumerate(law.parameters())
        if k not in linear and k not in known
    }
    axes = [axis if np.isnan(pinned[k]) else pinned[k : k + 1] for k, axis in tried.items()]
    theta = _mesh(design, list(tried), axes)
    shape = tuple(map(len, axes))
    if known:
        points = np.stack([simpler[k] for k in known], axis=1)
        shape = (len(points), *shape)
        repeats = len(theta)
        theta = np.tile(theta, (len(points), 1))
        theta[:, known] = np.repeat(points, repeats, axis=0)
    off = np.array([-np.inf if about.scale == "log" else 0.0 for about in law.parameters()])
    base = theta.copy()
    base[:, linear] = np.where(np.isnan(pinned[linear]), off[linear], pinned[linear])
    level = law.level(base, design.x)
    columns: list[Column] = []
    floor = None
    for k in linear:
        if np.isnan(pinned[k]):
            one = base.copy()
            one[:, k] = 0.0 if law.parameters()[k].scale == "log" else 1.0
            curve = (law.level(one, design.x) - level).T.reshape(design.rows, *shape)
            if law.parameter_names()[k] == law.floor:
                floor = len(columns)
            columns.append(Column(curve, (k,), law.parameters()[k].scale == "log"))
    theta[:, linear] = np.where(np.isnan(pinned[linear]), 0.0, pinned[linear])
    return Grid(theta, shape, tuple(columns), level.T.reshape(design.rows, *shape), floor)


def _trials(design: Design, about: Parameter) -> Array:
    """Trial values of a parameter, as theta."""
    values = np.array(about.trials)
    if about.location is not None:
        x = design.x[design.law.feature_names().index(about.location)]
        values = x.min() + values * (x.max() - x.min())
    elif about.scale == "log":
        values = np.log(values)
    return np.asarray(values, dtype=np.float64)


def _mesh(design: Design, positions: Sequence[int], axes: Sequence[Array]) -> Array:
    """Theta (G, P) at all combinations of the axes; pinned parameters at their value, the others at 0."""
    known = np.where(np.isnan(design.pinned), 0.0, design.pinned)
    theta = np.empty((*map(len, axes), len(known)))
    theta[:] = known
    for i, (k, axis) in enumerate(zip(positions, axes, strict=True)):
        theta[..., k] = axis.reshape(-1, *[1] * (len(axes) - 1 - i))
    return theta.reshape(-1, len(known))


def _total(parts: list[Array]) -> Array | None:
    return reduce(np.add, parts) if parts else None


def _starts_block(
    problems: Problems, grid: Grid, moments: "Moments", most: int, held: Array | None
) -> Starts:
    law = problems.design.law
    rss, factors, columns = _project(grid, moments, held)
    B = len(rss)
    minima = np.where(_local_minima(rss.reshape(B, *grid.shape)).reshape(B, -1), rss, np.inf)
    problem, point = [], []
    for _ in range(most):
        lowest = np.argmin(minima, axis=1)
        found = np.flatnonzero(np.isfinite(minima[np.arange(B), lowest]))
        if not found.size:
            break
        problem.append(found)
        point.append(lowest[found])
        minima[found, lowest[found]] = np.inf
    chosen = np.concatenate([np.empty(0, dtype=np.intp), *problem])
    at = np.concatenate([np.empty(0, dtype=np.intp), *point])
    theta = grid.theta[at].copy()
    for factor, column in zip(factors, columns, strict=True):
        found_factor = np.broadcast_to(factor, (B, *grid.shape)).reshape(B, -1)[chosen, at]
        for k in column.scaled:
            theta[:, k] = theta[:, k] + np.log(found_factor) if column.logs else found_factor
    if held is not None and law.floor is not None:
        with np.errstate(divide="ignore"):
            theta[:, law.position(law.floor)] = np.log(held[chosen])
    without = np.ones(B, dtype=np.bool_)
    without[chosen] = False
    lost = np.flatnonzero(without)
    if not lost.size:
        return Starts(chosen, theta)
    return Starts(np.concatenate([chosen, lost]), np.concatenate([theta, _last_resort(problems, lost, held)]))


def _last_resort(problems: Problems, lost: npt.NDArray[np.intp], held: Array | None) -> Array:
    """Plain starts (len(lost), P) for problems that no grid point fits with positive terms."""
    design = problems.design
    law = design.law
    lowest = problems.log_y[lost].min(axis=1)
    theta = np.zeros((len(lost), len(law.parameter_names())))
    for term in law.terms:
        theta[:, law.position(term.coefficient)] = lowest - 1.5
        theta[:, law.position(term.exponent)] = np.log(0.3)
    if law.floor is not None:
        with np.errstate(divide="ignore"):
            theta[:, law.position(law.floor)] = lowest - 0.7 if held is None else np.log(held[lost])
    return np.where(np.isnan(design.pinned), theta, design.pinned)


@dataclass(frozen=True)
class Moments:
    """Sums over the rows that least squares on a grid's columns need; arrays broadcast to (B, *grid.shape)."""

    own: Array
    """Of squares (y - offset)^2."""
    hits: list[Array]
    """Of squares (y - offset) times each column."""
    gram: list[list[Array]]
    """Of squares times column i times column j <= i."""


def _moments(problems: Problems, grid: Grid) -> Moments:
    y = np.exp(problems.log_y)
    squares = problems.weights / y**2 if problems.objective.residual == "log" else problems.weights
    weighted = squares * y
    own = np.einsum("bn,bn->b", weighted, y)
    cells = grid.cells
    if cells is not None:
        squares, weighted = cells.sums(squares), cells.sums(weighted)
    own = own.reshape(-1, *[1] * len(grid.shape))
    hits = [_moment(weighted, column.curve) for column in grid.columns]
    if grid.offset is not None:
        own = own - 2 * _moment(weighted, grid.offset) + _moment(squares, grid.offset * grid.offset)
        hits = [h - _moment(squares, c.curve * grid.offset) for h, c in zip(hits, grid.columns, strict=True)]
    gram = [
        [_moment_of_two(squares, one.curve, other.curve) for other in grid.columns[: i + 1]]
        for i, one in enumerate(grid.columns)
    ]
    return Moments(own, hits, gram)


def _moment(weights: Array, curve: Array) -> Array:
    """sum_n weights[b, n] curve[n, ...], (B, ...)."""
    return (weights @ curve.reshape(len(curve), -1)).reshape(len(weights), *curve.shape[1:])


def _moment_of_two(weights: Array, one: Array, other: Array) -> Array:
    """sum_n weights[b, n] one[n, ...] other[n, ...], (B, ...)."""
    if len(weights) <= FEW and one.ndim == 3 and one.shape[1] == 1 and other.shape[2] == 1:
        # two exponents: a product for each problem is less than the products of all their curves
        scaled = weights[:, :, None] * other[None, :, :, 0]
        product: Array = np.matmul(scaled.transpose(0, 2, 1), one[:, 0, :])
        return product
    return _moment(weights, one * other)


def _project(
    grid: Grid, moments: Moments, held: Array | None
) -> tuple[Array, list[Array], tuple[Column, ...]]:
    """Least squares on the columns: RSS (B, G), factors (B, ...) and the columns that were free.

    RSS is infinite where a factor that must be positive is not, or the columns are collinear.
    """
    own, hits, gram, columns = moments.own, moments.hits, moments.gram, grid.columns
    if held is not None and grid.floor is not None:
        k = grid.floor
        kept = [i for i in range(len(columns)) if i != k]
        if held.any():
            level = held.reshape(-1, *[1] * len(grid.shape))
            own = own - 2 * level * hits[k] + level * level * gram[k][k]
            hits = [h - level * gram[max(i, k)][min(i, k)] for i, h in enumerate(hits)]
        columns = tuple(columns[i] for i in kept)
        hits, gram = [hits[i] for i in kept], [[gram[i][j] for j in kept if j <= i] for i in kept]
    factors, regular = solve_broadcast(gram, hits, 1e-9)
    rss = own
    for factor, hit in zip(factors, hits, strict=True):
        rss = rss - factor * hit
    for column, factor in zip(columns, factors, strict=True):
        regular = regular & (factor > 0) if column.logs else regular
    shape = (len(own), *grid.shape)
    rss = np.where(np.broadcast_to(regular, shape), rss, np.inf)
    return rss.reshape(len(own), -1), factors, columns


def _local_minima(rss: Array) -> npt.NDArray[np.bool_]:
    """Finite points of the grid (B, ...) that no neighbour, diagonals included, lies below."""
    lowest = rss
    for axis in range(1, rss.ndim):
        shrunk = lowest.copy()
        ahead, behind = [slice(None)] * rss.ndim, [slice(None)] * rss.ndim
        ahead[axis], behind[axis] = slice(1, None), slice(None, -1)
        np.minimum(shrunk[tuple(ahead)], lowest[tuple(behind)], out=shrunk[tuple(ahead)])
        np.minimum(shrunk[tuple(behind)], lowest[tuple(ahead)], out=shrunk[tuple(behind)])
        lowest = shrunk
    minima: npt.NDArray[np.bool_] = np.isfinite(rss) & (rss <= lowest)
    return minima
