"""Laws that are a floor plus terms, whose derivatives are known in closed form.

Shapes: B problems fitted side by side, P parameters, n rows.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from scaling.laws.base import Array, Law, diagonal, lower_products


@dataclass(frozen=True, kw_only=True)
class SeparableLaw(Law):
    """A law that is a floor plus terms: linear in floor and coefficients given the exponents.

    L = E + sum_k coefficient_k exp(-exponent_k feature_k), power terms where the features are logarithms. The
    state planes are log L and the shares of the floor, if there is one, and of each term in L.
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
    def evaluate(cls, theta_BP: Array, x: Sequence[Array]) -> Array:
        """State planes: log L, then the share of the floor, if there is one, and of each term."""
        terms = len(cls.terms)
        state = np.empty((terms + (2 if cls.floor else 1), len(theta_BP), len(x[0])))
        total = state[0]
        total[:] = 0.0
        if cls.floor:
            state[1] = total[:] = np.exp(theta_BP[:, cls.position(cls.floor)])[:, None]
        for plane, term in zip(state[-terms:], cls.terms, strict=True):
            exponent = np.exp(theta_BP[:, cls.position(term.exponent)])
            np.multiply(-exponent[:, None], x[cls.feature_names().index(term.feature)], out=plane)
            plane += theta_BP[:, cls.position(term.coefficient)][:, None]
            np.exp(plane, out=plane)
            total += plane
        state[1:] *= 1.0 / total
        np.log(total, out=total)
        return state

    @classmethod
    def slopes(cls, theta_BP: Array, state: Array) -> Array:
        """The shares of floor and terms in L."""
        return state[1:]

    @classmethod
    def curvatures(
        cls,
        theta_BP: Array,
        x: Sequence[Array],
        state: Array,
        slopes: Array,
        outer: Array,
        inner: Array | None,
    ) -> Array:
        """Softmax: d2 log L / du_i du_j = share_i (i == j) - share_i share_j."""
        planes = lower_products((outer if inner is None else outer - inner) * slopes, slopes)
        if inner is not None:
            planes[diagonal(len(slopes))] += inner * slopes
        return planes
