"""Derivatives of an objective by theta, from a law's planes and sums over the rows.

Shapes: B problems, P parameters, n rows; a Hessian is (P, P, B), a gradient (P, B).
"""

from dataclasses import dataclass
from functools import cache, cached_property

import numpy as np
import numpy.typing as npt

from scaling.fitting.objective import Mask
from scaling.laws.base import Array, Law
from scaling.laws.parameters import Coordinate

SMALL = 2000
"""Problems x rows up to which one large product is faster than many small ones."""


@dataclass(frozen=True)
class Derivatives:
    """A law at the features of some rows."""

    law: type[Law]
    """The law."""
    x: tuple[Array, ...]
    """Its features, each (n,)."""

    @cached_property
    def _coordinates(self) -> list[tuple[Coordinate, Array]]:
        """The law's coordinates, each with its columns: 1, and the feature that the exponent multiplies, (n, 1 or 2)."""
        one = np.ones((len(self.x[0]), 1))
        both = [np.concatenate([one, x[:, None]], axis=1) for x in self.x]
        return [
            (found, one if found.feature is None else both[found.feature]) for found in self.law.coordinates()
        ]

    @cached_property
    def _products(self) -> list[Array]:
        """Columns of coordinate i times columns of coordinate j <= i, row by row, each (n, 1, 2 or 4)."""
        columns = [c for _, c in self._coordinates]
        return [
            columns[j]
            if i.shape[1] == 1
            else (i[:, :, None] * columns[j][:, None, :]).reshape(len(self.x[0]), -1)
            for k, i in enumerate(columns)
            for j in range(k + 1)
        ]

    @cached_property
    def _monomials(self) -> Array:
        """1, each feature, and each product of two, (n, 1 + F + F (F + 1) / 2)."""
        x = [np.ones(len(self.x[0])), *self.x]
        return np.stack([x[i] * x[j] for i, j in _pairs(len(self.x))], axis=1)

    def jacobian(self, theta_BP: Array, state: Array) -> Array:
        """Derivatives d log L / d theta, (B, n, P)."""
        slopes = self.law.slopes(theta_BP, state)
        jacobian = np.zeros((*slopes.shape[1:], theta_BP.shape[1]))
        for (found, columns), slope in zip(self._coordinates, slopes, strict=True):
            jacobian[:, :, found.level] += slope
            if found.exponent is not None:
                pull = np.exp(theta_BP[:, found.exponent, None])
                jacobian[:, :, found.exponent] -= pull * slope * columns[:, 1]
        return jacobian

    def curvature(
        self, theta_BP: Array, state: Array, first: Array, second: Array, newton: Mask
    ) -> tuple[Array, Array]:
        """Gradient and Hessian by theta of sum_i phi_i(log L_i), from phi' (`first`) and phi'' (`second`), (B, n).

        gradient = sum phi' d; Hessian = sum phi'' d d^T, plus sum phi' d2 where `newton` (B,) holds.
        """
        slopes = self.law.slopes(theta_BP, state)
        some = np.count_nonzero(newton)
        bending = (first if some == len(newton) else first * newton[:, None]) if some else None
        planes = self.law.curvatures(theta_BP, self.x, state, slopes, second, bending)
        B, P = theta_BP.shape
        if B * len(self.x[0]) <= SMALL:
            gather, monomials = _gather_all(self.law), self._monomials
            every = np.concatenate([first * slopes, planes]).reshape(-1, len(self.x[0]))
            every_sum = (every @ monomials).reshape(-1, B, monomials.shape[1])
            totals = gather @ every_sum.transpose(0, 2, 1).reshape(gather.shape[1], B)
        else:
            sums = [
                (first * slope) @ columns
                for (_, columns), slope in zip(self._coordinates, slopes, strict=True)
            ]
            sums += [plane @ product for plane, product in zip(planes, self._products, strict=True)]
            with np.errstate(
                invalid="ignore"
            ):  # of a trial beyond the formula's range, which no step accepts
                totals = _gather(self.law) @ np.concatenate(sums, axis=1).T
        gradient, hessian = totals[:P], totals[P:].reshape(P, P, B)
        # By an exponent's logarithm, log L moves -exponent times as fast as by its feature.
        exponents = _exponents(self.law)
        factors = np.ones((P, B))
        factors[exponents] = -np.exp(theta_BP.T[exponents])
        gradient *= factors
        hessian *= factors[:, None] * factors
        hessian[exponents, exponents] += gradient[exponents] * newton
        return gradient, hessian


@cache
def _exponents(law: type[Law]) -> npt.NDArray[np.intp]:
    """Positions of the exponents, each once."""
    found = {c.exponent for c in law.coordinates() if c.exponent is not None}
    return np.array(sorted(found), dtype=np.intp)


@cache
def _gather(law: type[Law]) -> Array:
    """Which sums over columns, then over pairs of columns, add up to each derivative, (P + P P, sums)."""
    P, coordinates = len(law.parameter_names()), law.coordinates()
    entries = []
    for own in coordinates:
        entries += [[k] for k in (own.level, own.exponent) if k is not None]
    for i, own in enumerate(coordinates):
        for j, other in enumerate(coordinates[: i + 1]):
            for row in (own.level, own.exponent):
                for column in (other.level, other.exponent):
                    if row is not None and column is not None:
                        # Of two coordinates a pair of columns stands for an entry and its mirror.
                        mirror = [] if i == j else [P + column * P + row]
                        entries.append([P + row * P + column, *mirror])
    gather = np.zeros((P + P * P, len(entries)))
    for k, places in enumerate(entries):
        for place in places:
            gather[place, k] += 1.0
    return gather


def _pairs(features: int) -> list[tuple[int, int]]:
    """Factors i <= j of the monomials of up to two features, of which 0 is the number 1."""
    return [(i, j) for i in range(features + 1) for j in range(i, features + 1)]


@cache
def _gather_all(law: type[Law]) -> Array:
    """`_gather` for the sums of every plane times every monomial, plane by plane, (P + P P, planes monomials)."""
    coordinates, pairs = law.coordinates(), _pairs(len(law.feature_names()))

    def factors(own: Coordinate) -> list[int]:
        return [0] if own.feature is None else [0, own.feature + 1]

    used = [[(0, k) for k in factors(own)] for own in coordinates]
    for i, own in enumerate(coordinates):
        used += [[(k, m) for k in factors(own) for m in factors(other)] for other in coordinates[: i + 1]]
    few = _gather(law)
    every = np.zeros((len(few), len(used) * len(pairs)))
    columns = iter(few.T)
    for plane, places in enumerate(used):
        for k, m in places:
            every[:, plane * len(pairs) + pairs.index((min(k, m), max(k, m)))] += next(columns)
    return every
