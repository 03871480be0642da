"""Power laws that bend: between breaks the curve is straight in log-log axes."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations, product
from typing import Any, ClassVar, final

import numpy as np
import numpy.typing as npt

from scaling.laws.base import Array, Law
from scaling.laws.general import GeneralLaw
from scaling.laws.parameters import Term, parameter

SOURCE = "Caballero et al. 2022 (arXiv:2210.14891), eq. 1"

PLACES = 16
"""Places, evenly many rows apart, that own starts bend at."""
FLOORS = (0.3, 0.7, 0.9, 0.97, 0.995)
"""Floors of own starts, in units of the smallest loss."""
WIDTHS = (0.05, 0.2, 0.6, 1.5)
"""Widths of their bends."""
KEPT = 3
"""Subsets of places that are kept for each floor and width."""


def _exponent(meaning: str) -> Any:
    return parameter(
        meaning, scale="linear", low=-100.0, high=100.0, trials=(-0.5, 0.0, 0.2, 0.5, 1.0, 2.0, 5.0)
    )


def _place(meaning: str) -> Any:
    return parameter(meaning, unit="x", location="x", trials=(0.1, 0.25, 0.4, 0.55, 0.7, 0.85))


def _width(meaning: str) -> Any:
    return parameter(meaning, low=1e-3, high=100.0, trials=(0.03, 0.1, 0.3, 1.0))


def _best_columns(
    basis: Array, z: Array, weights: Array, columns: npt.NDArray[np.intp]
) -> tuple[Array, npt.NDArray[np.intp]]:
    """Least squares of z (n,) on subsets of the columns of a basis (n, m): factors of the KEPT best, and which they are."""
    gram, hits = (basis.T * weights) @ basis, (basis.T * weights) @ z
    part = gram[columns[:, :, None], columns[:, None, :]]
    part = part + 1e-10 * np.einsum("kii->ki", part)[:, :, None] * np.eye(part.shape[1])
    factors = np.linalg.solve(part, hits[columns][:, :, None])[:, :, 0]
    best = np.argsort(-np.einsum("ki,ki->k", factors, hits[columns]))[:KEPT]
    return factors[best], best


@dataclass(frozen=True, kw_only=True)
class BrokenPower(GeneralLaw):
    """L = E + A x^-c0 prod_i (1 + (x / d_i)^(1 / f_i))^(-c_i f_i)."""

    source: ClassVar[str] = SOURCE
    inputs: ClassVar[tuple[str, ...]] = ("x",)
    terms: ClassVar[tuple[Term, ...]] = (Term("A", "c0", "x"),)
    linear: ClassVar[tuple[str, ...]] = ("E", "A")
    rows_per_parameter: ClassVar[int] = 6
    breaks: ClassVar[int]
    """Number of breaks."""

    E: float = parameter("loss without limit on x", unit="loss")
    A: float = parameter("size of the part that x removes", unit="loss x^c0")
    c0: float = _exponent("exponent before the first break")

    @classmethod
    def curve(cls, p: Any, x: Mapping[str, Array]) -> Any:
        """The formula, through logarithms."""
        exponent = p.c0 * x["x"]
        for i in range(1, cls.breaks + 1):
            c, d, f = (getattr(p, f"{name}{i}") for name in "cdf")
            exponent = exponent + c * f * np.logaddexp(0.0, (x["x"] - d) / f)
        return p.E + p.A * np.exp(-exponent)

    @classmethod
    def own_starts(cls, x: Sequence[Array], log_y: Array, weights: Array) -> Array:
        """The best bends at some places, for some floors and widths.

        Given floor, places and widths, log(L - E) = log A - c0 log x - sum_i c_i f_i log(1 + (x / d_i)^(1 / f_i)) is
        linear in all others: weighted least squares with the weights ((L - E) / L)^2 that turn errors of log(L - E) into
        those of log L. All subsets of PLACES are tried at the cost of one Gram matrix for each floor and width.
        """
        u, y = x[0], np.exp(log_y)
        places = np.unique(np.quantile(u, np.linspace(0, 1, PLACES + 2)[1:-1]))
        chosen = np.array(list(combinations(range(len(places)), cls.breaks)), dtype=np.intp)
        if not len(chosen) or not np.all(np.isfinite(log_y)):
            return super().own_starts(x, log_y, weights)
        columns = np.hstack([np.tile([0, 1], (len(chosen), 1)), 2 + chosen])
        found = []
        for floor, f in product(FLOORS, WIDTHS):
            E = floor * y.min()
            bends = f * np.logaddexp(0.0, (u[:, None] - places) / f)
            basis = np.column_stack([np.ones_like(u), -u, -bends])
            factors, best = _best_columns(basis, np.log(y - E), weights * ((y - E) / y) ** 2, columns)
            for c, k in zip(factors, best, strict=True):
                start = {"E": np.log(E), "A": c[0], "c0": c[1]}
                for i in range(cls.breaks):
                    start |= {
                        f"c{i + 1}": c[2 + i],
                        f"d{i + 1}": places[chosen[k, i]],
                        f"f{i + 1}": np.log(f),
                    }
                found.append([start[name] for name in cls.parameter_names()])
        return np.array(found)

    @classmethod
    def canonical(cls, values: Array) -> Array:
        """Breaks in the order of their places."""
        at = np.array([[cls.position(f"{name}{i}") for name in "cdf"] for i in range(1, cls.breaks + 1)])
        order = np.argsort(values[..., at[:, 1]], axis=-1, kind="stable")
        ordered = values.copy()
        for column in at.T:
            ordered[..., column] = np.take_along_axis(values[..., column], order, axis=-1)
        return ordered


@final
@dataclass(frozen=True, kw_only=True)
class BrokenPower1(BrokenPower):
    """A power law with one break."""

    name: ClassVar[str] = "broken_power_1"
    summary: ClassVar[str] = "power law with a floor and one break"
    formula: ClassVar[str] = "L = E + A x^-c0 (1 + (x/d1)^(1/f1))^(-c1 f1)"
    breaks: ClassVar[int] = 1

    c1: float = _exponent("exponent that the break adds")
    d1: float = _place("where the break is")
    f1: float = _width("how wide it is, in log x")


@final
@dataclass(frozen=True, kw_only=True)
class BrokenPower2(BrokenPower):
    """A power law with two breaks."""

    name: ClassVar[str] = "broken_power_2"
    summary: ClassVar[str] = "power law with a floor and two breaks"
    formula: ClassVar[str] = "L = E + A x^-c0 prod_i (1 + (x/d_i)^(1/f_i))^(-c_i f_i), i = 1, 2"
    breaks: ClassVar[int] = 2
    simpler: ClassVar[type[Law] | None] = BrokenPower1

    c1: float = _exponent("exponent that the first break adds")
    d1: float = _place("where the first break is")
    f1: float = _width("how wide it is, in log x")
    c2: float = _exponent("exponent that the second break adds")
    d2: float = _place("where the second break is")
    f2: float = _width("how wide it is, in log x")


@final
@dataclass(frozen=True, kw_only=True)
class BrokenPower3(BrokenPower):
    """A power law with three breaks."""

    name: ClassVar[str] = "broken_power_3"
    summary: ClassVar[str] = "power law with a floor and three breaks"
    formula: ClassVar[str] = "L = E + A x^-c0 prod_i (1 + (x/d_i)^(1/f_i))^(-c_i f_i), i = 1, 2, 3"
    breaks: ClassVar[int] = 3
    simpler: ClassVar[type[Law] | None] = BrokenPower2

    c1: float = _exponent("exponent that the first break adds")
    d1: float = _place("where the first break is")
    f1: float = _width("how wide it is, in log x")
    c2: float = _exponent("exponent that the second break adds")
    d2: float = _place("where the second break is")
    f2: float = _width("how wide it is, in log x")
    c3: float = _exponent("exponent that the third break adds")
    d3: float = _place("where the third break is")
    f3: float = _width("how wide it is, in log x")
