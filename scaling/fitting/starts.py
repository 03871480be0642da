"""Where the polish starts: variable projection over a grid of the parameters that are not linear.

At each point of the grid the floor and the coefficients follow from weighted least squares in closed form; the
grid's local minima are the starts. All problems share the grid, so that their moments are matrix products.

Shapes: B problems, n rows, J (and K) grid points of the first (and second) term, G grid points in all.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from scaling.fitting.design import Design
from scaling.fitting.problems import Problems
from scaling.laws.base import Array, SeparableLaw

EXPONENTS = np.geomspace(0.03, 3.0, 24)
"""Grid of each exponent of a separable law."""
COARSE_EXPONENTS = np.geomspace(0.06, 1.5, 8)
"""Grid of each exponent where other parameters need a grid of their own."""
BALANCES = np.linspace(-4.5, 4.5, 7)
"""Grid of the log ratio of the terms at the centre of the data, for laws that are not separable."""
BLOCK = 150_000
"""Problems x grid points that are worked on together."""


@dataclass(frozen=True)
class Grid:
    """Trial shapes of a law: theta without floor and scale, and the curves they give."""

    theta: Array
    """(G, P) with the coefficients at log 1 (or at their balance) and the floor at -inf."""
    columns: tuple[Array, ...]
    """Curves: one array (n, G), or two arrays (n, J) and (n, K) whose combinations are the grid."""
    shape: tuple[int, ...]
    """Shape of the grid, for its neighbours; its product is G."""
    coefficients: tuple[tuple[int, ...], ...]
    """For each array of curves, positions in theta that its fitted scale multiplies."""


@dataclass(frozen=True)
class Starts:
    """Starts of many problems, in any number each."""

    problem: npt.NDArray[np.intp]
    """Which problem each start belongs to, (S,)."""
    theta: Array
    """(S, P)."""


def grid_of(design: Design) -> Grid:
    """The grid of the design's law: over the exponents, and balance and shape where it is not separable."""
    law = design.law
    P = len(law.parameter_names())
    exponent_at = [law.position(term.exponent) for term in law.terms]
    coefficient_at = [law.position(term.coefficient) for term in law.terms]
    if issubclass(law, SeparableLaw) and len(law.terms) <= 2:
        axes = [EXPONENTS] * len(law.terms)
        theta = np.zeros((len(EXPONENTS) ** len(axes), P))
        for at, mesh in zip(exponent_at, np.meshgrid(*axes, indexing="ij"), strict=True):
            theta[:, at] = np.log(mesh.ravel())
        columns = tuple(
            np.exp(-np.outer(design.x[law.inputs.index(term.input)], EXPONENTS)) for term in law.terms
        )
        grid = Grid(theta, columns, tuple(map(len, axes)), tuple((at,) for at in coefficient_at))
    else:
        trials = {about.name: about.trials for about in law.parameters()}
        shape_at = [law.position(name) for name in law.shape_names()]
        axes = [np.log(COARSE_EXPONENTS)] * len(exponent_at) + [BALANCES] * (len(coefficient_at) - 1)
        axes += [np.log(trials[name]) for name in law.shape_names()]
        theta = np.zeros((int(np.prod([len(axis) for axis in axes])), P))
        for at, mesh in zip(
            exponent_at + coefficient_at[1:] + shape_at, np.meshgrid(*axes, indexing="ij"), strict=True
        ):
            theta[:, at] = mesh.ravel()
        if law.floor is not None:
            theta[:, law.position(law.floor)] = -np.inf
        curves = np.exp(law.evaluate(theta, design.x)[0]).T
        grid = Grid(theta, (curves,), tuple(map(len, axes)), (tuple(coefficient_at),))
    return grid


def starts(problems: Problems, grid: Grid, *, most: int, floor: float | Array | None = None) -> Starts:
    """Up to `most` grid-local minima of each problem, the lowest first.

    With `floor` None the floor is free (and positive); otherwise it is held at that value, one for all or (B,).
    The squares are relative, 1/y^2, for log residuals, and plain for raw ones.
    """
    parts = []
    size = max(1, BLOCK // len(grid.theta))
    B = len(problems.weights)
    held = None if floor is None else np.broadcast_to(np.asarray(floor, dtype=np.float64), (B,))
    for k in range(0, B, size):
        block = slice(k, k + size)
        part = _starts_block(problems.take(block), grid, most, None if held is None else held[block])
        parts.append(Starts(part.problem + k, part.theta))
    return Starts(np.concatenate([p.problem for p in parts]), np.concatenate([p.theta for p in parts]))


def _starts_block(problems: Problems, grid: Grid, most: int, held: Array | None) -> Starts:
    law, weights = problems.design.law, problems.weights
    y = np.exp(problems.log_y)
    squares = weights / y**2 if problems.objective.residual == "log" else weights
    target = y if held is None else y - held[:, None]
    rss, floor, scales = _project(grid.columns, squares, squares * target, target, free=held is None)
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
    for scale, places in zip(scales, grid.coefficients, strict=True):
        theta[:, places] += np.log(scale[chosen, at])[:, None]
    if law.floor is not None:
        value = floor[chosen, at] if held is None else held[chosen]
        with np.errstate(divide="ignore"):
            theta[:, law.position(law.floor)] = np.log(value)
    lost = np.setdiff1d(np.arange(B), chosen)
    return Starts(np.concatenate([chosen, lost]), np.concatenate([theta, _last_resort(problems, lost, held)]))


def _last_resort(problems: Problems, lost: npt.NDArray[np.intp], held: Array | None) -> Array:
    """Plain starts (len(lost), P) for problems that no grid point fits with positive terms."""
    law = problems.design.law
    theta = np.zeros((len(lost), len(law.parameter_names())))
    lowest = problems.log_y[lost].min(axis=1) if len(lost) else np.empty(0)
    for term in law.terms:
        theta[:, law.position(term.coefficient)] = lowest - 1.5
        theta[:, law.position(term.exponent)] = np.log(0.3)
    if law.floor is not None:
        with np.errstate(divide="ignore"):
            theta[:, law.position(law.floor)] = lowest - 0.7 if held is None else np.log(held[lost])
    return theta


def _project(
    columns: Sequence[Array], squares: Array, weighted: Array, target: Array, *, free: bool
) -> tuple[Array, Array, list[Array]]:
    """Least squares of the target on (1 and) the curves: RSS, floor and scales, each (B, G).

    RSS is infinite where a scale or the floor is not positive or the curves are collinear.
    """
    total = np.einsum("bn,bn->b", weighted, target)
    weight, mean = squares.sum(axis=1), weighted.sum(axis=1)
    sums = [squares @ u for u in columns]
    lengths = [squares @ (u * u) for u in columns]
    hits = [weighted @ u for u in columns]
    if free:
        total = total - mean**2 / weight
        lengths = [a - s * s / weight[:, None] for a, s in zip(lengths, sums, strict=True)]
        hits = [h - s * (mean / weight)[:, None] for h, s in zip(hits, sums, strict=True)]
    B = len(total)
    with np.errstate(divide="ignore", invalid="ignore"):
        if len(columns) == 1:
            scale = hits[0] / lengths[0]
            rss, scales = total[:, None] - scale * hits[0], [scale]
            good = scale > 0
            explained = scale * sums[0]
        else:
            u, v = columns
            cross = (squares @ (u[:, :, None] * v[:, None, :]).reshape(len(u), -1)).reshape(
                B, u.shape[1], v.shape[1]
            )
            sum_u, sum_v = sums[0][:, :, None], sums[1][:, None, :]
            if free:
                cross -= sum_u * (sum_v / weight[:, None, None])
            uu, vv = lengths[0][:, :, None], lengths[1][:, None, :]
            hit_u, hit_v = hits[0][:, :, None], hits[1][:, None, :]
            room = uu * vv
            determinant = room - cross * cross
            scale_u = (vv * hit_u - cross * hit_v) / determinant
            scale_v = (uu * hit_v - cross * hit_u) / determinant
            rss = total[:, None, None] - scale_u * hit_u - scale_v * hit_v
            good = (scale_u > 0) & (scale_v > 0) & (determinant > 1e-9 * room)
            explained = scale_u * sum_u + scale_v * sum_v
            scales = [scale_u.reshape(B, -1), scale_v.reshape(B, -1)]
            rss, good, explained = rss.reshape(B, -1), good.reshape(B, -1), explained.reshape(B, -1)
        floor = (mean[:, None] - explained) / weight[:, None] if free else np.zeros_like(rss)
        rss = np.where(good & (floor > 0) if free else good, rss, np.inf)
    return rss, floor, scales


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
