"""What a law is: a list of parameters, one formula, and the derivatives that a fit needs.

Shapes: B problems fitted side by side (bootstrap draws, starts), P parameters, n rows.
theta_BP holds the parameters as a fit sees them (logarithms of positive ones, features centred), x is one (n,)
array for each feature of the law. A feature is what the formula takes of the inputs, mostly an input's logarithm.
"""

import dataclasses
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import ClassVar, Self

import numpy as np
import numpy.typing as npt

from scaling.errors import InputError
from scaling.laws.parameters import Coordinate, Parameter, Term

Array = npt.NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class Law(ABC):
    """A scaling law; an instance is a fitted law: its fields are the parameters.

    A subclass is final and states `name`, `summary`, `formula`, `inputs` and `terms`, the formula as
    `at`, and the derivatives of log L by the coordinates below for the fits.

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
    target: ClassVar[str] = "loss"
    """What the law predicts, the column that it is fitted to: `loss`, or `score` between 0 and 1."""
    terms: ClassVar[tuple[Term, ...]]
    """The terms coefficient x exp(-exponent x feature); two terms may share an exponent."""
    floor: ClassVar[str | None] = "E"
    """The parameter that the loss tends to without limit on any input."""
    rows_per_parameter: ClassVar[int] = 3
    """Rows a parameter below which an interval means little, by the coverage in benchmarks/README.md."""

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

    def predict(self, **inputs: npt.ArrayLike) -> Array:
        """What the law says at its inputs, positive numbers that broadcast; in the unit of the floor.

        Raises InputError when the inputs are not the law's.
        """
        if set(inputs) != set(self.inputs):
            given = ", ".join(inputs) or "nothing"
            raise InputError(f"{self.name} predicts from {', '.join(self.inputs)}, not from {given}")
        return self.at(self.features(**inputs))

    @abstractmethod
    def at(self, x: Mapping[str, Array]) -> Array:
        """The formula at the law's features."""

    @classmethod
    @abstractmethod
    def evaluate(cls, theta_BP: Array, x: Sequence[Array]) -> Array:
        """State planes (k, B, n): plane 0 is log L, the others are what `slopes` and `curvatures` need."""

    @classmethod
    @abstractmethod
    def slopes(cls, theta_BP: Array, state: Array) -> Array:
        """First derivatives of log L by each of the K coordinates, (K, B, n)."""

    @classmethod
    @abstractmethod
    def curvatures(
        cls,
        theta_BP: Array,
        x: Sequence[Array],
        state: Array,
        slopes: Array,
        outer: Array,
        inner: Array | None,
    ) -> Array:
        """Planes outer s_i s_j + inner d2 log L / du_i du_j, (K (K + 1) / 2, B, n): pairs j <= i of coordinates, row by row.

        `inner` None leaves the second derivatives out.
        """

    @classmethod
    def feature_names(cls) -> tuple[str, ...]:
        """Names of the features, in the order of `features`; the inputs' own where these are their logarithms."""
        return cls.inputs

    @classmethod
    def features(cls, **inputs: npt.ArrayLike) -> dict[str, Array]:
        """What the formula takes of the inputs, by name: their logarithms, unless a law says otherwise."""
        return {name: np.log(np.asarray(inputs[name], dtype=np.float64)) for name in cls.inputs}

    @classmethod
    def coordinates(cls) -> tuple[Coordinate, ...]:
        """What `slopes` and `curvatures` differentiate by, in their order."""
        floor = () if cls.floor is None else (Coordinate(cls.position(cls.floor)),)
        terms = [
            Coordinate(
                cls.position(term.coefficient),
                cls.position(term.exponent),
                cls.feature_names().index(term.feature),
            )
            for term in cls.terms
        ]
        return (*floor, *terms, *(Coordinate(cls.position(name)) for name in cls.shape_names()))

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
        """Parameters (.., P) as a fit sees them, for features centred at `centre`; E = 0 becomes -inf."""
        theta: Array = np.array(values, dtype=np.float64)
        logs = _on_log_scale(cls)
        with np.errstate(divide="ignore"):
            theta[..., logs] = np.log(theta[..., logs])
        for term in cls.terms:
            shift = np.asarray(values)[..., cls.position(term.exponent)] * cls._centre_of(
                term.feature, centre
            )
            theta[..., cls.position(term.coefficient)] -= shift
        for k, about in enumerate(cls.parameters()):
            if about.location is not None:
                theta[..., k] -= cls._centre_of(about.location, centre)
        return theta

    @classmethod
    def from_theta(cls, theta: Array, centre: Sequence[float]) -> Array:
        """Parameters (.., P) from theta for features centred at `centre`."""
        values: Array = theta.copy()
        logs = _on_log_scale(cls)
        for term in cls.terms:
            k = cls.position(term.exponent)
            exponent = np.exp(theta[..., k]) if logs[k] else theta[..., k]
            values[..., cls.position(term.coefficient)] += exponent * cls._centre_of(term.feature, centre)
        for k, about in enumerate(cls.parameters()):
            if about.location is not None:
                values[..., k] += cls._centre_of(about.location, centre)
        values[..., logs] = np.exp(values[..., logs])
        # The exponential of a bound's logarithm may land a rounding outside the bound.
        bounds = np.array([(about.low, about.high) for about in cls.parameters()])
        return np.clip(values, bounds[:, 0], bounds[:, 1])

    @classmethod
    def canonical(cls, values: Array) -> Array:
        """The same laws (.., P) in the one order of exchangeable parts that counts; theta or parameters."""
        return values

    @classmethod
    def _centre_of(cls, feature: str, centre: Sequence[float]) -> float:
        return centre[cls.feature_names().index(feature)]


def lower_products(left: Array, right: Array) -> Array:
    """left_i right_j for j <= i, row by row: (K (K + 1) / 2, B, n) from (K, B, n) each."""
    K = len(left)
    products = np.empty((K * (K + 1) // 2, *left.shape[1:]))
    at = 0
    for i in range(K):
        np.multiply(left[i], right[: i + 1], out=products[at : at + i + 1])
        at += i + 1
    return products


@cache
def diagonal(K: int) -> npt.NDArray[np.intp]:
    """Where the pairs i = j stand among pairs j <= i, row by row, (K,)."""
    return np.cumsum(np.arange(1, K + 1)) - 1


@cache
def _on_log_scale(law: type[Law]) -> npt.NDArray[np.bool_]:
    """Which parameters a fit moves on the log scale, (P,)."""
    return np.array([about.scale == "log" for about in law.parameters()])


@cache
def _parameters(law: type[Law]) -> tuple[Parameter, ...]:
    return tuple(Parameter(name=field.name, **field.metadata) for field in dataclasses.fields(law))


@cache
def _positions(law: type[Law]) -> dict[str, int]:
    return {about.name: k for k, about in enumerate(_parameters(law))}
