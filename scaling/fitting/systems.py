"""Many small symmetric systems at once."""

import math
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
    if matrix.shape[2] == 1:
        one = _solve_one(matrix[:, :, 0].tolist(), right[:, 0].tolist(), least)
        return np.array(one or right[:, 0].tolist())[:, None], np.array([one is not None])
    if matrix.shape[2] <= FEW:
        rows = matrix.transpose(2, 0, 1)
        try:
            factor = np.linalg.cholesky(rows)
        except np.linalg.LinAlgError:
            pass  # one of them is not positive: sort out which
        else:
            pivots = factor.diagonal(axis1=1, axis2=2)
            if (pivots * pivots > least * rows.diagonal(axis1=1, axis2=2)).all():
                x = np.asarray(np.linalg.solve(rows, right.T[:, :, None])[:, :, 0].T, dtype=np.float64)
                every: Mask = np.ones(matrix.shape[2], dtype=np.bool_)
                return x, every
    factor, positive = _cholesky(matrix, least)
    return _substitute(factor, right), positive


def _solve_one(rows: list[list[float]], right: list[float], least: float) -> list[float] | None:
    """The solution of one system, or None where it is not positive definite: on so few numbers Python is fastest."""
    P = len(right)
    factor: list[list[float]] = []
    x: list[float] = []
    for i, row in enumerate(rows):
        own: list[float] = []
        for j in range(i):
            rest, other = row[j], factor[j]
            for k in range(j):
                rest -= own[k] * other[k]
            own.append(rest / other[j])
        pivot, value = row[i], right[i]
        for k in range(i):
            pivot -= own[k] * own[k]
            value -= own[k] * x[k]
        if not pivot > least * abs(row[i]):
            return None
        own.append(math.sqrt(pivot))
        x.append(value / own[i])
        factor.append(own)
    for i in reversed(range(P)):
        value = x[i]
        for k in range(i + 1, P):
            value -= factor[k][i] * x[k]
        x[i] = value / factor[i][i]
    return x


def _cholesky(matrix: Array, least: float) -> tuple[Array, Mask]:
    """Lower factors (P, P, K) and whether each matrix is positive definite; a pivot that counts as 0 becomes 1."""
    P = len(matrix)
    factor = np.zeros_like(matrix)
    positive = np.ones(matrix.shape[2], dtype=np.bool_)
    for j in range(P):
        pivot = matrix[j, j] - np.einsum("kb,kb->b", factor[j, :j], factor[j, :j])
        positive &= pivot > least * np.abs(matrix[j, j])
        root = np.sqrt(np.where(positive, pivot, 1.0))
        factor[j, j] = root
        if j + 1 < P:
            rest = matrix[j + 1 :, j] - np.einsum("ikb,kb->ib", factor[j + 1 :, :j], factor[j, :j])
            factor[j + 1 :, j] = rest / root
    return factor, positive


def _substitute(factor: Array, right: Array) -> Array:
    """Solutions x (P, K) of factor factor^T x = right."""
    P = len(right)
    x = right.copy()
    with np.errstate(all="ignore"):  # where a matrix is not positive the numbers mean nothing
        for j in range(P):
            x[j] = (x[j] - np.einsum("kb,kb->b", factor[j, :j], x[:j])) / factor[j, j]
        for j in reversed(range(P)):
            x[j] = (x[j] - np.einsum("kb,kb->b", factor[j + 1 :, j], x[j + 1 :])) / factor[j, j]
    return x


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
