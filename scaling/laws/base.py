"""What a law is: a list of parameters, one formula, and the derivatives that a fit needs.

Shapes: B problems fitted side by side (bootstrap draws, starts), P parameters, n rows.
theta_BP holds the parameters as a fit sees them (logarithms, inputs centred), x is one (n,) array of centred
log inputs for each input of the law.
"""

import dataclasses
import math
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, ClassVar, Self

import numpy as np
import numpy.typing as npt

from scaling.errors import InputError

Array = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Parameter:
    """One parameter of a law: what it may be and what it means."""

    name: str
    """The field of the law, for example `alpha`."""
    low: float
    """Smallest admissible value."""
    high: float
    """Largest admissible value."""
    scale: str
    """The scale a fit moves on: `log` for all of today's laws."""
    unit: str
    """Unit in terms of the loss and of the inputs; 1 for a pure number."""
    meaning: str
    """One line for a reader."""
    trials: tuple[float, ...] = ()
    """Values that a fit starts from, for a parameter that is neither floor nor part of a term."""


@dataclass(frozen=True)
class Term:
    """A term coefficient / input^exponent: the three belong together when the input changes its unit."""

    coefficient: str
    """Parameter name of the coefficient, for example `A`."""
    exponent: str
    """Parameter name of the exponent, for example `alpha`."""
    input: str
    """Input that is raised to the exponent, for example `N`."""


def parameter(
    meaning: str,
    *,
    unit: str = "1",
    low: float = 0.0,
    high: float = math.inf,
    trials: tuple[float, ...] = (),
) -> Any:
    """A dataclass field that carries bounds, scale, unit, meaning and trial values of a parameter."""
    about = {"meaning": meaning, "unit": unit, "low": low, "high": high, "scale": "log", "trials": trials}
    return dataclasses.field(metadata=about)


@dataclass(frozen=True, kw_only=True)
class Law(ABC):
    """A scaling law; an instance is a fitted law: its fields are the parameters.

    A subclass is final and states `name`, `summary`, `formula`, `inputs` and `terms`, the formula as
    `predict`, and the derivatives of log L by the coordinates below for the fits.

    Coordinates of the derivatives, in this order: log E when the law has a floor, then for each term
    u_k = log coefficient_k - exponent_k x_k, then the logarithm of each remaining parameter.
    """

    name: ClassVar[str]
    """The word a user types after --law."""
    summary: ClassVar[str]
    """One line for `scaling list laws`."""
    formula: ClassVar[str]
    """The formula in plain text."""
    source: ClassVar[str]
    """Paper and equation."""
    inputs: ClassVar[tuple[str, ...]]
    """Names of the inputs, columns of the table that is fitted."""
    terms: ClassVar[tuple[Term, ...]]
    """The power terms, one for each input."""
    floor: ClassVar[str | None] = "E"
    """The parameter that the loss tends to without limit on any input."""

    def __post_init__(self) -> None:
        """Refuse a parameter outside its bounds."""
        for about in self.parameters():
            value = np.asarray(getattr(self, about.name), dtype=np.float64)
            outside = ~((value >= about.low) & (value <= about.high))
            if np.any(outside):
                raise InputError(
                    f"{self.name}: {about.name} = {value[outside].flat[0]:g} is outside "
                    f"[{about.low:g}, {about.high:g}]; give a value inside"
                )

    @abstractmethod
    def predict(self, *args: Any, **inputs: Any) -> Array:
        """Loss at the inputs, which broadcast; same unit as the floor."""

    @classmethod
    @abstractmethod
    def evaluate(cls, theta_BP: Array, x: Sequence[Array]) -> Array:
        """State planes (k, B, n): plane 0 is log L, the others are what `slopes` and `curvatures` need."""

    @classmethod
    @abstractmethod
    def slopes(cls, theta_BP: Array, state: Array) -> list[Array]:
        """First derivatives of log L by each coordinate, planes (B, n)."""

    @classmethod
    @abstractmethod
    def curvatures(
        cls, theta_BP: Array, state: Array, slopes: list[Array], outer: Array, inner: Array | None
    ) -> list[list[Array]]:
        """Planes outer s_i s_j + inner d2 log L / du_i du_j for coordinates i and j <= i, each (B, n).

        `inner` None leaves the second derivatives out.
        """

    @classmethod
    def parameters(cls) -> tuple[Parameter, ...]:
        """Parameters in the order of the fields."""
        return _parameters(cls)

    @classmethod
    def parameter_names(cls) -> tuple[str, ...]:
        """Names of the parameters in the order of the fields."""
        return tuple(about.name for about in _parameters(cls))

    @classmethod
    def position(cls, name: str) -> int:
        """Position of a parameter among the fields."""
        return _positions(cls)[name]

    @classmethod
    def shape_names(cls) -> tuple[str, ...]:
        """Parameters that are neither the floor nor part of a power term."""
        known = {cls.floor} | {t.coefficient for t in cls.terms} | {t.exponent for t in cls.terms}
        return tuple(name for name in cls.parameter_names() if name not in known)

    @classmethod
    def from_values(cls, values: npt.ArrayLike) -> Self:
        """The law with the parameters (P,) in field order, or a stack of laws from (B, P).

        A stack has (B, 1) arrays for fields, so that `predict` on (n,) inputs gives (B, n).
        """
        table = np.asarray(values, dtype=np.float64)
        columns = [float(v) for v in table] if table.ndim == 1 else [c[:, None] for c in table.T]
        return cls(**dict(zip(cls.parameter_names(), columns, strict=True)))

    def values(self) -> Array:
        """The parameters (P,) in field order."""
        return np.array([getattr(self, name) for name in self.parameter_names()], dtype=np.float64)

    @classmethod
    def to_theta(cls, values: Array, centre: Sequence[float]) -> Array:
        """Logarithms of the parameters (.., P) for log inputs centred at `centre`; E = 0 becomes -inf."""
        values = np.asarray(values, dtype=np.float64)
        with np.errstate(divide="ignore"):
            theta: Array = np.log(values)
        for term in cls.terms:
            shift = values[..., cls.position(term.exponent)] * centre[cls.inputs.index(term.input)]
            theta[..., cls.position(term.coefficient)] -= shift
        return theta

    @classmethod
    def from_theta(cls, theta: Array, centre: Sequence[float]) -> Array:
        """Parameters (.., P) from logarithms that belong to log inputs centred at `centre`."""
        theta = theta.copy()
        for term in cls.terms:
            exponent = np.exp(theta[..., cls.position(term.exponent)])
            theta[..., cls.position(term.coefficient)] += exponent * centre[cls.inputs.index(term.input)]
        # The exponential of a bound's logarithm may land a rounding outside the bound.
        bounds = np.array([(about.low, about.high) for about in cls.parameters()])
        values: Array = np.clip(np.exp(theta), bounds[:, 0], bounds[:, 1])
        return values


@cache
def _parameters(law: type[Law]) -> tuple[Parameter, ...]:
    return tuple(Parameter(name=field.name, **field.metadata) for field in dataclasses.fields(law))


@cache
def _positions(law: type[Law]) -> dict[str, int]:
    return {about.name: k for k, about in enumerate(_parameters(law))}


@dataclass(frozen=True, kw_only=True)
class SeparableLaw(Law):
    """A law that is a floor plus power terms: linear in floor and coefficients given the exponents.

    L = E + sum_k coefficient_k input_k^-exponent_k. The state planes are log L, 1/L and the share of each
    term in L.
    """

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
            np.multiply(-exponent[:, None], x[cls.inputs.index(term.input)], out=plane)
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
        cls, theta_BP: Array, state: Array, slopes: list[Array], outer: Array, inner: Array | None
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
