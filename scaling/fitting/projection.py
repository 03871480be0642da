"""Variable projection: the linear parameters at every point of a grid, by weighted least squares in closed form.

Shapes: B problems, n rows, G grid points in all.
"""

from dataclasses import dataclass

import numpy as np

from scaling.fitting.grid import Column, Grid
from scaling.fitting.problems import Problems
from scaling.fitting.systems import solve_broadcast
from scaling.laws.base import Array

FEW = 16
"""Problems below which moments of two columns are products problem by problem."""


@dataclass(frozen=True)
class Moments:
    """Sums over the rows that least squares on a grid's columns need; arrays broadcast to (B, *grid.shape)."""

    own: Array
    """Of squares (y - offset)^2."""
    hits: list[Array]
    """Of squares (y - offset) times each column."""
    gram: list[list[Array]]
    """Of squares times column i times column j <= i."""


def moments(problems: Problems, grid: Grid) -> Moments:
    """The sums for each problem; squares are relative, 1/y^2, for log residuals, and plain for raw ones."""
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


def project(
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
    rss = np.where(regular, rss, np.inf)
    if rss.shape != shape:
        rss = np.broadcast_to(rss, shape)
    return rss.reshape(len(own), -1), factors, columns
