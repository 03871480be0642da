"""The rows of one fit as the engine sees them, and the derivatives of an objective on them.

Shapes: B problems, P parameters, n rows; a Hessian is (P, P, B), a gradient (P, B).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from scaling.fitting.objective import Mask
from scaling.laws.base import Array, Law

FEW_ROWS = 3
"""Rows a parameter below which an interval means little."""


@dataclass(frozen=True)
class Design:
    """Inputs and losses of the rows in use, shared by all problems (draws, starts) of a fit."""

    law: type[Law]
    """The law to fit."""
    x: tuple[Array, ...]
    """Centred logarithms of the law's inputs, each (n,)."""
    centre: tuple[float, ...]
    """The means that were taken off."""
    log_y: Array
    """Logarithm of the measured loss, (n,)."""

    @classmethod
    def of(cls, law: type[Law], inputs: Sequence[Array], loss: Array) -> "Design":
        """Design from positive inputs and losses, each (n,)."""
        logs = [np.log(column) for column in inputs]
        centre = tuple(float(np.mean(column)) for column in logs)
        x = tuple(column - mean for column, mean in zip(logs, centre, strict=True))
        return cls(law=law, x=x, centre=centre, log_y=np.log(loss))

    @property
    def rows(self) -> int:
        """Number of rows."""
        return len(self.log_y)

    @property
    def has_few_rows(self) -> bool:
        """Whether there are fewer than FEW_ROWS rows a parameter."""
        return self.rows < FEW_ROWS * len(self.law.parameter_names())

    @cached_property
    def bounds(self) -> tuple[Array, Array]:
        """Smallest and largest theta, each (P,).

        Exponents keep the law's bounds, with 1e-3 for 0. A floor or a term below 1e-7 of the smallest loss is no
        longer seen by any data, and a term above 1e7 times the largest has no business there.
        """
        law = self.law
        low = np.log([max(about.low, 1e-3) for about in law.parameters()])
        high = np.log([about.high for about in law.parameters()])
        for name in (law.floor, *(term.coefficient for term in law.terms)):
            if name is not None:
                low[law.position(name)] = self.log_y.min() - 16.0
                high[law.position(name)] = self.log_y.max() + 16.0
        return low, high

    @cached_property
    def _coordinates(self) -> list[tuple[tuple[int, int | None], Array]]:
        """For each coordinate of the law: theta positions of level and exponent, and columns (n, 1 or 2)."""
        law, one = self.law, np.ones(self.rows)
        levels: list[tuple[tuple[int, int | None], Array]] = []
        if law.floor is not None:
            levels.append(((law.position(law.floor), None), one[:, None]))
        for term in law.terms:
            columns = np.stack([one, self.x[law.inputs.index(term.input)]], axis=1)
            levels.append(((law.position(term.coefficient), law.position(term.exponent)), columns))
        levels.extend(((law.position(name), None), one[:, None]) for name in law.shape_names())
        return levels

    @cached_property
    def _products(self) -> list[list[Array]]:
        """Columns of coordinate i times columns of coordinate j <= i, each (n, 1, 2 or 4)."""
        columns = [c for _, c in self._coordinates]
        return [
            [(columns[i][:, :, None] * columns[j][:, None, :]).reshape(self.rows, -1) for j in range(i + 1)]
            for i in range(len(columns))
        ]

    def jacobian(self, theta_BP: Array, state: Array) -> Array:
        """Derivatives d log L / d theta, (B, n, P)."""
        slopes = self.law.slopes(theta_BP, state)
        jacobian = np.zeros((*slopes[0].shape, theta_BP.shape[1]))
        for ((level, exponent), columns), slope in zip(self._coordinates, slopes, strict=True):
            jacobian[:, :, level] = slope
            if exponent is not None:
                jacobian[:, :, exponent] = -np.exp(theta_BP[:, exponent, None]) * slope * columns[:, 1]
        return jacobian

    @cached_property
    def _gather(self) -> npt.NDArray[np.intp]:
        """Where entry (P, P) of a Hessian stands among the sums of all pairs of columns, pair by pair."""
        P = len(self.law.parameter_names())
        place = np.empty((P, P), dtype=np.intp)
        k = 0
        for i, (own, _) in enumerate(self._coordinates):
            for other, _ in self._coordinates[: i + 1]:
                for row in own:
                    for column in other:
                        if row is not None and column is not None:
                            place[row, column] = place[column, row] = k
                            k += 1
        return place

    def curvature(
        self, theta_BP: Array, state: Array, first: Array, second: Array, newton: Mask
    ) -> tuple[Array, Array]:
        """Gradient and Hessian by theta of sum_i phi_i(log L_i), from phi' (`first`) and phi'' (`second`), (B, n).

        gradient = sum phi' d; Hessian = sum phi'' d d^T, plus sum phi' d2 where `newton` (B,) holds.
        """
        slopes = self.law.slopes(theta_BP, state)
        bending = (first if newton.all() else first * newton[:, None]) if newton.any() else None
        planes = self.law.curvatures(theta_BP, state, slopes, second, bending)
        sums = [
            planes[i][j] @ product for i, row in enumerate(self._products) for j, product in enumerate(row)
        ]
        # By an exponent's logarithm, log L moves -exponent times as fast as by the column x.
        factors, gradient = np.ones_like(theta_BP.T), np.empty_like(theta_BP.T)
        for ((level, exponent), columns), slope in zip(self._coordinates, slopes, strict=True):
            totals = (first * slope) @ columns
            gradient[level] = totals[:, 0]
            if exponent is not None:
                factors[exponent] = -np.exp(theta_BP[:, exponent])
                gradient[exponent] = totals[:, 1]
        gradient *= factors
        hessian = np.concatenate(sums, axis=1).T[self._gather] * factors[:, None] * factors[None, :]
        for (_, exponent), _ in self._coordinates:
            if exponent is not None:
                hessian[exponent, exponent] += gradient[exponent] * newton
        return gradient, hessian
