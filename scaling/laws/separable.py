"""Laws that are a floor plus terms, whose derivatives are known in closed form.

Shapes: B problems fitted side by side, P parameters, n rows.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from scaling.laws.base import Array, Law


@dataclass(frozen=True, kw_only=True)
class SeparableLaw(Law):
    """A law that is a floor plus terms: linear in floor and coefficients given the exponents.

    L = E + sum_k coefficient_k exp(-exponent_k feature_k), power terms where the features are logarithms. The
    state planes are log L, 1/L and the share of each term in L.
    """

    def at(self, x: Mapping[str, Array]) -> Array:
        """The floor plus the terms."""
        total = 0.0 if self.floor is None else getattr(self, self.floor)
        for term in self.terms:
            total = total + getattr(self, term.coefficient) * np.exp(
                -getattr(self, term.exponent) * x[term.feature]
            )
        return np.asarray(total, dtype=np.float64)

    @classmethod
    def linear_names(cls) -> tuple[str, ...]:
        """The parameters that L is linear in, given the others."""
        floor = () if cls.floor is None else (cls.floor,)
        return floor + tuple(term.coefficient for term in cls.terms)

    @classmethod
    def evaluate(cls, theta_BP: Array, x: Sequence[Array]) -> Array:
        """State planes: log L, 1/L, then the share of each term."""
        B, n = len(theta_BP), len(x[0])
        state = np.empty((2 + len(cls.terms), B, n))
        total, inverse = state[0], state[1]
        total[:] = np.exp(theta_BP[:, cls.position(cls.floor)])[:, None] if cls.floor else 0.0
        for plane, term in zip(state[2:], cls.terms, strict=True):
            exponent = np.exp(theta_BP[:, cls.position(term.exponent)])
            np.multiply(-exponent[:, None], x[cls.feature_names().index(term.feature)], out=plane)
            plane += theta_BP[:, cls.position(term.coefficient)][:, None]
            np.exp(plane, out=plane)
            total += plane
        np.divide(1.0, total, out=inverse)
        np.log(total, out=total)
        state[2:] *= inverse
        return state

    @classmethod
    def slopes(cls, theta_BP: Array, state: Array) -> list[Array]:
        """The shares of floor and terms in L."""
        if cls.floor is None:
            return list(state[2:])
        floor = np.exp(theta_BP[:, cls.position(cls.floor)])[:, None] * state[1]
        return [floor, *state[2:]]

    @classmethod
    def curvatures(
        cls,
        theta_BP: Array,
        x: Sequence[Array],
        state: Array,
        slopes: list[Array],
        outer: Array,
        inner: Array | None,
    ) -> list[list[Array]]:
        """Softmax: d2 log L / du_i du_j = share_i (i == j) - share_i share_j."""
        planes = []
        weight = outer if inner is None else outer - inner
        for i, share in enumerate(slopes):
            weighted = weight * share
            row = [weighted * other for other in slopes[: i + 1]]
            if inner is not None:
                row[i] += inner * share
            planes.append(row)
        return planes
