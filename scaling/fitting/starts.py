"""Where the polish starts: variable projection over a grid of the parameters that are not linear.

At each point of the grid the linear parameters follow from weighted least squares in closed form; the grid's local
minima are the starts. All problems share the grid, so that their moments are matrix products.

Shapes: B problems, n rows, G grid points in all, on one axis for each parameter that is tried.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from scaling.fitting.grid import Grid
from scaling.fitting.problems import Problems
from scaling.fitting.projection import Moments, moments, project
from scaling.laws.base import Array

BLOCK = 150_000
"""Problems x grid points that are worked on together."""
ROWS_BLOCK = 4_000_000
"""Problems x rows that are worked on together."""


@dataclass(frozen=True)
class Starts:
    """Starts of many problems, in any number each."""

    problem: npt.NDArray[np.intp]
    """Which problem each start belongs to, (S,)."""
    theta: Array
    """(S, P)."""


def starts(
    problems: Problems,
    grid: Grid,
    *,
    most: int,
    floor: float | Array | None = None,
    known: Moments | None = None,
) -> Starts:
    """Up to `most` grid-local minima of each problem, the lowest first.

    With `floor` None the floor is free (and positive); otherwise it is held at that value, one for all or (B,).
    The squares are relative, 1/y^2, for log residuals, and plain for raw ones. `known` saves working out the moments of
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
            mine, grid, known or moments(mine, grid), most, None if held is None else held[block]
        )
        parts.append(part if size >= B else Starts(part.problem + k, part.theta))
    if len(parts) == 1:
        return parts[0]
    return Starts(np.concatenate([p.problem for p in parts]), np.concatenate([p.theta for p in parts]))


def moments_of(problems: Problems, grid: Grid) -> Moments | None:
    """What the starts of these problems need whatever their floor, or None where it is too much to keep."""
    return moments(problems, grid) if len(problems.weights) <= _block(problems, grid) else None


def _block(problems: Problems, grid: Grid) -> int:
    """Problems that are worked on together."""
    return max(1, min(BLOCK // len(grid.theta), ROWS_BLOCK // problems.design.rows))


def _starts_block(problems: Problems, grid: Grid, known: Moments, most: int, held: Array | None) -> Starts:
    law = problems.design.law
    rss, factors, columns = project(grid, known, held)
    B = len(rss)
    chosen, at = _lowest(rss, _local_minima(rss.reshape(B, *grid.shape)).reshape(B, -1), most)
    theta = grid.theta[at]
    for factor, column in zip(factors, columns, strict=True):
        found_factor = _over(factor, (B, *grid.shape)).reshape(B, -1)[chosen, at]
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


def _lowest(
    rss: Array, minima: npt.NDArray[np.bool_], most: int
) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.intp]]:
    """Rows and columns of up to `most` minima of each row, the lowest first, of RSS (B, G)."""
    row, column = np.nonzero(minima)
    order = np.lexsort((rss[row, column], row))
    row, column = row[order], column[order]
    kept = np.arange(len(row)) - np.searchsorted(row, row) < most
    return row[kept], column[kept]


def _over(part: Array, shape: tuple[int, ...]) -> Array:
    """The array, broadcast where it is not yet of that shape."""
    return part if part.shape == shape else np.broadcast_to(part, shape)


def _last_resort(problems: Problems, lost: npt.NDArray[np.intp], held: Array | None) -> Array:
    """Plain starts (len(lost), P) for problems that no grid point fits with positive terms."""
    design = problems.design
    law = design.law
    lowest = np.maximum(problems.log_y[lost].min(axis=1), design.lowest)
    theta = np.zeros((len(lost), len(law.parameter_names())))
    for term in law.terms:
        theta[:, law.position(term.coefficient)] = lowest - 1.5
        theta[:, law.position(term.exponent)] = np.log(0.3)
    if law.floor is not None:
        with np.errstate(divide="ignore"):
            theta[:, law.position(law.floor)] = lowest - 0.7 if held is None else np.log(held[lost])
    return np.where(np.isnan(design.pinned), theta, design.pinned)


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
