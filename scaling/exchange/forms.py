"""Forms of the surface P(u, v): which columns a linear predictor has in u = log10 C_train and v = log10 C_infer.

Each form turns (u, v) into a basis; a form with a shape (the scale of a saturation, the rate of a single index) has one
basis for each of its candidate shapes. Shapes: M cells, p columns, D draws, V points along an isoquant.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable
from itertools import pairwise
from typing import ClassVar, final

import numpy as np
import numpy.typing as npt

from scaling.errors import InputError
from scaling.laws.base import Array

REACH = 6.0
"""Decades beyond the middle of the cells within which an isoquant is looked for."""
ROUNDING = 1e-9
"""Part of a slope that may be rounding."""


class Form(ABC):
    """A form of the surface."""

    name: ClassVar[str]
    formula: ClassVar[str]

    def spanning(self, u: Array, v: Array) -> "Form":
        """The form for cells at u and v (M,), where it has pieces that these decide."""
        return self

    def shapes(self, u: Array, v: Array) -> Array:
        """Candidate shapes, (K,); one that says nothing where a form has none."""
        return np.zeros(1)

    @abstractmethod
    def basis(self, u: Array, v: Array, shape: Array) -> Array:
        """Columns (..., p) at points u, v (...) broadcast with shape."""

    def positive(self, columns: int) -> npt.NDArray[np.bool_]:
        """Which coefficients must be 0 or above."""
        return np.zeros(columns, dtype=np.bool_)

    def training(self, beta: Array, shape: Array, x: Array, v: Array) -> Array:
        """U (D, V) at which draws with coefficients (D, p) and shapes (D,) have predictor x (D,) at v (V,).

        NaN where the predictor does not rise with u there, or does not get to x.
        """
        a, b, d = self.quadratic(beta, shape, v)
        with np.errstate(divide="ignore", invalid="ignore"):
            slope = np.sqrt(b**2 + 4 * d * (x[:, None] - a))  # dx/du where it rises
            found = 2 * (x[:, None] - a) / (b + slope)
        # a falling line has b + slope = 0 but for rounding
        rises = (slope > 0) & (np.abs(b + slope) > ROUNDING * (np.abs(b) + slope))
        return np.where(rises & np.isfinite(found), found, np.nan)

    def quadratic(self, beta: Array, shape: Array, v: Array) -> tuple[Array, Array, Array]:
        """a, b, d (D, V) of the predictor a + b u + d u^2 at v (V,)."""
        points = np.broadcast_to(v, (len(beta), len(v)))
        at = [
            (self.basis(np.full(points.shape, u), points, shape[:, None]) @ beta[:, :, None])[..., 0]
            for u in (-1.0, 0.0, 1.0)
        ]
        return at[1], 0.5 * (at[2] - at[0]), 0.5 * (at[2] + at[0]) - at[1]


@final
class Additive(Form):
    """x = b0 + bu u + bv v: one rate everywhere, bv / bu."""

    name = "additive"
    formula = "b0 + bu u + bv v"

    def basis(self, u: Array, v: Array, shape: Array) -> Array:
        """1, u, v."""
        return np.stack([np.ones_like(u), u, v], axis=-1)


@final
class Bilinear(Form):
    """x = b0 + bu u + bv v + buv u v: the rate moves along the isoquant and between isoquants."""

    name = "bilinear"
    formula = "b0 + bu u + bv v + buv u v"

    def basis(self, u: Array, v: Array, shape: Array) -> Array:
        """1, u, v, u v."""
        return np.stack([np.ones_like(u), u, v, u * v], axis=-1)


@final
class Saturating(Form):
    """x = b0 + bu u - bs 10^(-v / shape): inference helps less and less, towards a limit that training sets."""

    name = "saturating"
    formula = "b0 + bu u - bs 10^(-(v - v0) / s)"

    def shapes(self, u: Array, v: Array) -> Array:
        """Decades over which what is left to gain falls tenfold."""
        span = max(float(np.ptp(v)), 1e-6)
        return np.asarray(span * np.geomspace(0.3, 8.0, 12))

    def basis(self, u: Array, v: Array, shape: Array) -> Array:
        """1, u, -10^(-v / s)."""
        gone = np.exp(-np.log(10.0) * np.clip(v / shape, -60.0, 60.0))
        return np.stack([np.ones_like(u), u, np.broadcast_to(-gone, u.shape)], axis=-1)


@final
class Free(Form):
    """x = a(v) + bu u + buu u^2 + buv u v with a free at each budget: no form in inference is assumed."""

    name = "free"
    formula = "a(v) + bu u + buu u^2 + buv u v, a free at each budget"
    most: ClassVar[int] = 8

    def __init__(self, knots: Array | None = None) -> None:
        """`knots` are the v at which a is free; between them it is a cubic spline."""
        self.knots = knots
        self._splines = None if knots is None else _cardinal(knots)

    def spanning(self, u: Array, v: Array) -> "Free":
        """The form with a knot at each budget; at 8 quantiles of v where there are more."""
        found = np.unique(np.round(v, 6))
        levels = len(np.unique(np.round(u, 6)))
        most = min(self.most, max(2, len(v) // max(levels, 1)))
        if len(found) > most:
            found = np.unique(np.quantile(v, np.linspace(0, 1, most)))
        return Free(found)

    def basis(self, u: Array, v: Array, shape: Array) -> Array:
        """Cubic splines, 1 at one knot and 0 at the others, straight on beyond the ends; then u, u^2, u v."""
        curves = (self._splines or _cardinal(np.unique(v)))(v)
        return np.concatenate([curves, np.stack([u, u**2, u * v], axis=-1)], axis=-1)


def _cardinal(knots: Array) -> Callable[[Array], Array]:
    """Cubic splines (..., K) of v, 1 at one knot and 0 at the others: lines for two knots, parabolas for three."""
    from scipy.interpolate import CubicSpline

    if len(knots) == 1:
        return lambda v: np.ones((*v.shape, 1))
    spline = CubicSpline(knots, np.eye(len(knots)))  # not-a-knot: no bend is presumed at the ends
    slope = spline.derivative()

    def at(v: Array) -> Array:
        inside = np.clip(v, knots[0], knots[-1])
        return np.asarray(spline(inside) + slope(inside) * (v - inside)[..., None])

    return at


@final
class SingleIndex(Form):
    """x = g(u + shape v) with g rising in pieces: one rate everywhere, whatever the curve."""

    name = "single_index"
    formula = "g(u + eta v), g monotone"

    def __init__(
        self, rates: Array | None = None, span: tuple[Array, Array] | None = None, pieces: int = 5
    ) -> None:
        """`rates` are the candidates of eta; `span` the corner values of u and v that the `pieces` cover."""
        self._pieces = pieces
        self._rates = np.concatenate([[0.0], np.geomspace(0.05, 20.0, 59)]) if rates is None else rates
        self._span = span

    def spanning(self, u: Array, v: Array) -> "SingleIndex":
        """The form with pieces over these cells."""
        span = (np.array([u.min(), u.max()]), np.array([v.min(), v.max()]))
        return SingleIndex(self._rates, span, self._pieces)

    def shapes(self, u: Array, v: Array) -> Array:
        """Candidate rates."""
        return self._rates

    def basis(self, u: Array, v: Array, shape: Array) -> Array:
        """1 and ramps between knots of u + eta v."""
        us, vs = (u, v) if self._span is None else self._span
        low = np.min(us) + shape * np.min(vs)
        width = np.maximum(np.max(us) + shape * np.max(vs) - low, 1e-9)
        z = (u + shape * v - low) / width
        return np.stack([np.ones_like(z), *_ramps(z, self._pieces)], axis=-1)

    def positive(self, columns: int) -> npt.NDArray[np.bool_]:
        """All slopes."""
        return np.arange(columns) > 0

    def training(self, beta: Array, shape: Array, x: Array, v: Array) -> Array:
        """U + eta v is the same along an isoquant, so that one point tells all."""
        middle = np.zeros((len(beta), 1))
        at = _bisect(self, beta, shape, x, middle)
        return np.asarray(at - shape[:, None] * v)


@final
class MonotoneSpline(Form):
    """x = b0 + f(u) + g(v), f and g rising in pieces: no curve is assumed, but that gains add up."""

    name = "spline"
    formula = "b0 + f(u) + g(v), f and g monotone"
    pieces: ClassVar[int] = 3

    def __init__(self, span: tuple[Array, Array] | None = None) -> None:
        """`span` are the ends of u and v that the pieces cover."""
        self._span = span

    def spanning(self, u: Array, v: Array) -> "MonotoneSpline":
        """The form with pieces over these cells."""
        return MonotoneSpline((np.array([u.min(), u.max()]), np.array([v.min(), v.max()])))

    def basis(self, u: Array, v: Array, shape: Array) -> Array:
        """1, and ramps in u and in v."""
        us, vs = (u, v) if self._span is None else self._span
        columns = [np.ones_like(u)]
        for values, span in ((u, us), (v, vs)):
            z = (values - np.min(span)) / max(float(np.ptp(span)), 1e-9)
            columns += _ramps(z, self.pieces)
        return np.stack(columns, axis=-1)

    def positive(self, columns: int) -> npt.NDArray[np.bool_]:
        """All slopes."""
        return np.arange(columns) > 0

    def training(self, beta: Array, shape: Array, x: Array, v: Array) -> Array:
        """By bisection."""
        return _bisect(self, beta, shape, x, np.broadcast_to(v, (len(beta), len(v))))


def _ramps(z: Array, pieces: int) -> list[Array]:
    """Pieces of z, which rises by one from the first knot to the last; straight on beyond them."""
    knots = np.linspace(0.0, 1.0, pieces + 1)
    middle = [np.clip(z, low, high) - low for low, high in pairwise(knots[1:-1])]
    return [np.minimum(z, knots[1]), *middle, np.maximum(z, knots[-2]) - knots[-2]]


def _bisect(form: Form, beta: Array, shape: Array, x: Array, v: Array) -> Array:
    """U (D, V) where a rising predictor meets x (D,) at v (D, V); NaN where it does not within `REACH`."""
    low, high = np.full(v.shape, -REACH), np.full(v.shape, REACH)

    def at(u: Array) -> Array:
        return np.asarray((form.basis(u, v, shape[:, None]) @ beta[:, :, None])[..., 0])

    inside = (at(low) < x[:, None]) & (at(high) > x[:, None])
    for _ in range(45):
        middle = 0.5 * (low + high)
        under = at(middle) < x[:, None]
        low, high = np.where(under, middle, low), np.where(under, high, middle)
    return np.where(inside, 0.5 * (low + high), np.nan)


ALL: tuple[type[Form], ...] = (Free, Additive, Bilinear, Saturating, SingleIndex, MonotoneSpline)


def find(name: str) -> Form:
    """Return the form of a name.

    Raises InputError for another name.
    """
    for form in ALL:
        if form.name == name:
            return form()
    raise InputError(f"surface is {name!r}; give {', '.join(form.name for form in ALL)}")
