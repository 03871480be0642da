"""Laws that are given by their formula alone; everything a fit needs follows from it.

Shapes: B problems fitted side by side, P parameters, n rows.
"""

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any, ClassVar

import numpy as np

from scaling.laws.base import Array, Law, lower_products
from scaling.laws.dual import Dual
from scaling.laws.parameters import Coordinate

STEP = 1e-6
"""Step of the differences of slopes that give the second derivatives; slopes themselves are exact."""


@dataclass(frozen=True, kw_only=True)
class GeneralLaw(Law):
    """A law stated as one formula in numpy arithmetic; first derivatives by `Dual`, second from their differences.

    The coordinates of its derivatives are the parameters themselves, as a fit sees them. The state planes are
    log L and d log L / d theta.
    """

    linear: ClassVar[tuple[str, ...]] = ()
    """Parameters that L is linear in, given the others: starts take them from least squares."""
    simpler: ClassVar[type[Law] | None] = None
    """A law with some of the parameters, whose minima the starts extend by trials of the others."""

    @classmethod
    @abstractmethod
    def curve(cls, p: Any, x: Mapping[str, Array]) -> Any:
        """L from parameters `p.name` and features `x[name]`.

        A parameter with a location stands in its feature's unit (the logarithm, where the feature is one).
        """

    @classmethod
    def own_starts(cls, x: Sequence[Array], log_y: Array, weights: Array) -> Array:
        """Thetas (S, P) for rows (n,) that a fit of all rows starts from too; none unless a law knows better than trials."""
        return np.empty((0, len(cls.parameters())))

    def at(self, x: Mapping[str, Array]) -> Array:
        """The law's formula at its features."""
        values = {
            about.name: np.log(getattr(self, about.name))
            if about.location and about.scale == "log"
            else getattr(self, about.name)
            for about in self.parameters()
        }
        prediction: Array = self.curve(SimpleNamespace(**values), x)
        return prediction

    @classmethod
    def coordinates(cls) -> tuple[Coordinate, ...]:
        """The parameters one by one."""
        return tuple(Coordinate(k) for k in range(len(cls.parameters())))

    @classmethod
    def level(cls, theta: Array, x: Sequence[Array]) -> Array:
        """L (B, n) at theta (B, P), with -inf for a positive parameter that is 0."""
        p = {}
        for k, about in enumerate(cls.parameters()):
            logarithm = about.scale == "log" and not about.location
            p[about.name] = np.exp(theta[:, k, None]) if logarithm else theta[:, k, None]
        with np.errstate(all="ignore"):
            level: Array = cls.curve(SimpleNamespace(**p), dict(zip(cls.feature_names(), x, strict=True)))
        return level

    @classmethod
    def evaluate(cls, theta_BP: Array, x: Sequence[Array]) -> Array:
        """State planes: log L, then its slope by each parameter."""
        p = {}
        for k, about in enumerate(cls.parameters()):
            theta = theta_BP[:, k, None]
            logarithm = about.scale == "log" and not about.location
            value = np.exp(theta) if logarithm else theta
            p[about.name] = Dual(value, {k: value if logarithm else np.ones_like(value)})
        state = np.zeros((1 + len(p), len(theta_BP), len(x[0])))
        with np.errstate(
            all="ignore"
        ):  # a trial may leave the range of the formula: NaN, which no step accepts
            L = cls.curve(SimpleNamespace(**p), dict(zip(cls.feature_names(), x, strict=True)))
            state[0] = np.log(L.value)
            for k, slope in L.slopes.items():
                state[1 + k] = slope / L.value
        return state

    @classmethod
    def slopes(cls, theta_BP: Array, state: Array) -> Array:
        """First derivatives of log L by each parameter."""
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
        """Products of slopes, and differences of slopes for the second derivatives."""
        planes = lower_products(outer * slopes, slopes)
        if inner is None:
            return planes
        for j in range(len(slopes)):
            moved = theta_BP.copy()
            moved[:, j] += STEP
            by_j = cls.evaluate(moved, x)[1:]
            for i in range(j, len(slopes)):
                planes[i * (i + 1) // 2 + j] += inner * (by_j[i] - slopes[i]) / STEP
        return planes
