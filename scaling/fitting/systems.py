"""Many small symmetric systems at once."""

from collections.abc import Sequence

import numpy as np

from scaling.fitting.objective import Mask
from scaling.laws.base import Array

FEW = 8
"""Systems below which one call of LAPACK is faster than a loop over rows for all systems together."""


def solve_positive(matrix: Array, right: Array, least: float = 1e-14) -> tuple[Array, Mask]:
    """Solutions x (P, K) of K systems matrix (P, P, K) x = right (P, K), and which are positive definite, (K,).

    A pivot of the Cholesky factor below `least` times its diagonal entry counts as 0; where one does, x means nothing.
    """
    if matrix.shape[2] <= FEW:
        rows = np.moveaxis(matrix, 2, 0)
        try:
            factor = np.linalg.cholesky(rows)
        except np.linalg.LinAlgError:
            pass  # one of them is not positive: sort out which
        else:
            pivots = np.square(np.diagonal(factor, axis1=1, axis2=2))
            if (pivots > least * np.diagonal(rows, axis1=1, axis2=2)).all():
                x: Array = np.asarray(np.linalg.solve(rows, right.T[:, :, None])[:, :, 0].T, dtype=np.float64)
                every: Mask = np.ones(matrix.shape[2], dtype=np.bool_)
                return x, every
    found, positive = solve_broadcast(matrix, right, least)
    solved: Array = np.stack(found)
    return solved, positive


def solve_broadcast(
    matrix: Sequence[Sequence[Array]] | Array, right: Sequence[Array] | Array, least: float = 1e-14
) -> tuple[list[Array], Mask]:
    """Solutions of systems whose entries matrix[i][j] (j <= i is read) and right[i] broadcast to one shape.

    Entries that do not vary along an axis are worked on once. See `solve_positive` for what comes back.
    """
    P = len(right)
    factor: list[list[Array]] = [[] for _ in range(P)]
    positive: Mask = np.ones(1, dtype=np.bool_)
    x = list(right)
    with np.errstate(all="ignore"):  # where a matrix is not positive the numbers mean nothing
        for i in range(P):
            for j in range(i + 1):
                rest = matrix[i][j]
                for k in range(j):
                    rest = rest - factor[i][k] * factor[j][k]
                if i == j:
                    good = rest > least * np.abs(matrix[i][i])
                    positive = positive & good
                    factor[i].append(np.sqrt(np.where(good, rest, 1.0)))
                else:
                    factor[i].append(rest / factor[j][j])
        for i in range(P):
            for k in range(i):
                x[i] = x[i] - factor[i][k] * x[k]
            x[i] = x[i] / factor[i][i]
        for i in reversed(range(P)):
            for k in range(i + 1, P):
                x[i] = x[i] - factor[k][i] * x[k]
            x[i] = x[i] / factor[i][i]
    return x, positive
