"""The rows of one fit as the engine sees them, and the derivatives of an objective on them.

Shapes: B problems, P parameters, n rows; a Hessian is (P, P, B), a gradient (P, B).
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from scaling.fitting.derivatives import Derivatives
from scaling.fitting.known import Known
from scaling.fitting.objective import Mask
from scaling.laws.base import Array, Law

FEW_ROWS = 3
"""Rows a parameter below which an interval means little."""
FAR = 100.0
"""Largest logarithm of a coefficient that stands at an input of 1, far from the rows."""


@dataclass(frozen=True)
class Design:
    """Inputs and losses of the rows in use, shared by all problems (draws, starts) of a fit."""

    law: type[Law]
    """The law to fit."""
    inputs: Mapping[str, Array]
    """The law's inputs as they were given, each (n,)."""
    x: tuple[Array, ...]
    """Features of the law, each (n,), centred where a term or a location refers to them."""
    centre: tuple[float, ...]
    """The means that were taken off."""
    log_y: Array
    """Logarithm of what was measured, (n,); -inf for a score of 0."""
    weights: Array
    """How much each row counts, (n,)."""
    known: Known
    """What is known of the parameters beforehand."""

    @classmethod
    def of(
        cls,
        law: type[Law],
        inputs: Mapping[str, Array],
        y: Array,
        *,
        weights: Array | None = None,
        known: Known | None = None,
    ) -> "Design":
        """Design from the law's inputs and the measured losses or scores, each (n,)."""
        known = known or Known()
        fixed, own = known.fixed, known.coefficients
        features = law.features(**{name: inputs[name] for name in law.inputs})
        # A coefficient of which something is known must stand at x = 1, where it is one number, unless its whole term is.
        known_terms = [
            t for t in law.terms if t.coefficient in own and not {t.coefficient, t.exponent} <= {*fixed}
        ]
        locations = {about.name: about.location for about in law.parameters() if about.location}
        used = {t.feature for t in law.terms} | set(locations.values())
        used -= {t.feature for t in known_terms} | {
            locations[name] for name in own - {*fixed} if name in locations
        }
        x, centre = [], []
        for name in law.feature_names():
            centre.append(float(np.mean(features[name])) if name in used else 0.0)
            x.append(features[name] - centre[-1])
        with np.errstate(divide="ignore"):
            log_y = np.log(y)
        weights = np.ones(len(y)) if weights is None else weights
        return cls(law, dict(inputs), tuple(x), tuple(centre), log_y, weights, known)

    def holding(self, fixed: Mapping[str, float]) -> "Design":
        """The same rows with further parameters that a fit does not move."""
        y = np.exp(self.log_y)
        return Design.of(self.law, self.inputs, y, weights=self.weights, known=self.known.holding(fixed))

    def of_law(self, law: type[Law]) -> "Design":
        """The same rows for another law that takes inputs and parameters of the same names."""
        y = np.exp(self.log_y)
        return Design.of(law, self.inputs, y, weights=self.weights, known=self.known.of(law))

    @property
    def fixed(self) -> Mapping[str, float]:
        """Parameters that a fit does not move, by name."""
        return self.known.fixed

    @cached_property
    def pinned(self) -> Array:
        """Theta of the parameters that a fit does not move, NaN for the others, (P,)."""
        names = self.law.parameter_names()
        values = np.array([self.fixed.get(name, 1.0) for name in names])
        theta = self.law.to_theta(values, self.centre)
        return np.where([name in self.fixed for name in names], theta, np.nan)

    @cached_property
    def free(self) -> Mask:
        """Which parameters a fit moves, (P,)."""
        return np.isnan(self.pinned)

    def values(self, theta: Array) -> Array:
        """Parameters (.., P) of theta (.., P); pinned ones to the digit."""
        values = self.law.from_theta(self.law.canonical(theta), self.centre)
        for name, value in self.fixed.items():
            values[..., self.law.position(name)] = value
        for name, (low, high) in self.known.bounds.items():  # an exponential may round to beyond the end
            k = self.law.position(name)
            values[..., k] = np.clip(values[..., k], low, high)
        return values

    @cached_property
    def lowest(self) -> float:
        """Logarithm of the smallest loss or score above 0; 0 where all are 0."""
        seen = self.log_y[np.isfinite(self.log_y)]
        return float(seen.min()) if seen.size else 0.0

    @property
    def rows(self) -> int:
        """Number of rows."""
        return len(self.log_y)

    def parts(self, size: int) -> list[tuple[slice, "Design"]]:
        """Slices of at most `size` rows, each with its design; bounds are not theirs to ask for."""
        if size not in self._parts:
            slices = [slice(k, k + size) for k in range(0, self.rows, size)]
            self._parts[size] = [
                (rows, replace(self, x=tuple(x[rows] for x in self.x), log_y=self.log_y[rows]))
                for rows in slices
            ]
        return self._parts[size]

    def grouped(self, means: Callable[[Array], Array]) -> "Design":
        """The design of group means of the rows; weights and inputs stay those of the rows and are not its own."""
        return replace(self, x=tuple(means(x) for x in self.x), log_y=means(self.log_y))

    @cached_property
    def _parts(self) -> dict[int, list[tuple[slice, "Design"]]]:
        return {}

    @property
    def has_few_rows(self) -> bool:
        """Whether there are fewer than FEW_ROWS rows a parameter."""
        return self.rows < FEW_ROWS * int(self.free.sum())

    @cached_property
    def bounds(self) -> tuple[Array, Array]:
        """Smallest and largest theta, each (P,).

        Parameters keep the law's bounds, with 1e-3 for 0 on a log scale. A floor or a term below 1e-7 of the smallest
        loss is no longer seen by any data, and a term above 1e7 times the largest has no business there; nor has a
        location more than the range of its feature beyond its ends.
        """
        law = self.law
        low, high = np.empty(len(law.parameters())), np.empty(len(law.parameters()))
        for k, about in enumerate(law.parameters()):
            if about.location is not None:
                x = self.x[law.feature_names().index(about.location)]
                low[k], high[k] = 2 * x.min() - x.max(), 2 * x.max() - x.min()
            elif about.scale == "log":
                low[k], high[k] = np.log(max(about.low, 1e-3)), np.log(about.high)
            else:
                low[k], high[k] = about.low, about.high
        seen = self.log_y[np.isfinite(self.log_y)]
        for name in (law.floor, *(term.coefficient for term in law.terms)):
            if name is not None:
                low[law.position(name)] = seen.min(initial=0.0) - 16.0
                high[law.position(name)] = seen.max(initial=0.0) + 16.0
        for term in law.terms:
            if (
                self.centre[law.feature_names().index(term.feature)] == 0.0
            ):  # the term stands far from its rows
                low[law.position(term.coefficient)], high[law.position(term.coefficient)] = -FAR, FAR
        for name, ends in self.known.bounds.items():
            k = law.position(name)
            with np.errstate(divide="ignore"):
                least, most = np.log(ends) if law.parameters()[k].scale == "log" else ends
            low[k], high[k] = max(low[k], least), min(high[k], most)
        return low, high

    def within(self, k: int, trials: Array) -> Array:
        """Trial values of the theta at position k that lie in its range, or its pinned value alone."""
        if not np.isnan(self.pinned[k]):
            return self.pinned[k : k + 1]
        if self.law.parameter_names()[k] not in self.known.bounds:
            return trials
        inside: Array = np.unique(np.clip(trials, self.bounds[0][k], self.bounds[1][k]))
        return inside

    @cached_property
    def _derivatives(self) -> Derivatives:
        return Derivatives(self.law, self.x)

    def jacobian(self, theta_BP: Array, state: Array) -> Array:
        """Derivatives d log L / d theta, (B, n, P)."""
        return self._derivatives.jacobian(theta_BP, state)

    def curvature(
        self, theta_BP: Array, state: Array, first: Array, second: Array, newton: Mask
    ) -> tuple[Array, Array]:
        """Gradient (P, B) and Hessian (P, P, B) by theta of a sum over the rows; see `Derivatives`."""
        return self._derivatives.curvature(theta_BP, state, first, second, newton)
