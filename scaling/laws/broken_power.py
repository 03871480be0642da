"""Power laws that bend: between breaks the curve is straight in log-log axes."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, final

import numpy as np

from scaling.laws.base import Array, Law
from scaling.laws.general import GeneralLaw
from scaling.laws.parameters import Term, parameter

SOURCE = "Caballero et al. 2022 (arXiv:2210.14891), eq. 1"


def _exponent(meaning: str) -> Any:
    return parameter(
        meaning, scale="linear", low=-100.0, high=100.0, trials=(-0.5, 0.0, 0.2, 0.5, 1.0, 2.0, 5.0)
    )


def _place(meaning: str) -> Any:
    return parameter(meaning, unit="x", location="x", trials=(0.1, 0.25, 0.4, 0.55, 0.7, 0.85))


def _width(meaning: str) -> Any:
    return parameter(meaning, low=1e-3, high=100.0, trials=(0.03, 0.1, 0.3, 1.0))


@dataclass(frozen=True, kw_only=True)
class BrokenPower(GeneralLaw):
    """L = E + A x^-c0 prod_i (1 + (x / d_i)^(1 / f_i))^(-c_i f_i)."""

    source: ClassVar[str] = SOURCE
    inputs: ClassVar[tuple[str, ...]] = ("x",)
    terms: ClassVar[tuple[Term, ...]] = (Term("A", "c0", "x"),)
    linear: ClassVar[tuple[str, ...]] = ("E", "A")
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
