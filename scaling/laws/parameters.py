"""What a law is made of: parameters, terms, and the coordinates of its derivatives."""

import dataclasses
import math
from dataclasses import dataclass
from typing import Any, Literal

Scale = Literal["log", "linear"]


@dataclass(frozen=True)
class Parameter:
    """One parameter of a law: what it may be and what it means."""

    name: str
    """The field of the law, for example `alpha`."""
    low: float
    """Smallest admissible value."""
    high: float
    """Largest admissible value."""
    scale: Scale
    """The scale a fit moves on: `log` for what is positive, `linear` for what may have either sign."""
    unit: str
    """Unit in terms of the loss and of the inputs; 1 for a pure number."""
    meaning: str
    """One line for a reader."""
    trials: tuple[float, ...] = ()
    """Values that a fit starts from; for a location, shares of the way through its feature's range."""
    location: str | None = None
    """The feature that the parameter is a place on, for example the input where a curve breaks."""


@dataclass(frozen=True)
class Term:
    """A term coefficient / input^exponent: the three belong together when the input changes its unit."""

    coefficient: str
    """Parameter name of the coefficient, for example `A`."""
    exponent: str
    """Parameter name of the exponent, for example `alpha`."""
    feature: str
    """Feature that the exponent multiplies, for example `N`, whose logarithm that is."""


@dataclass(frozen=True)
class Coordinate:
    """What a law's derivatives are taken by: a parameter, or log coefficient - exponent x feature."""

    level: int
    """Position of the parameter, or of the coefficient."""
    exponent: int | None = None
    """Position of the exponent."""
    feature: int | None = None
    """Position of the feature."""


def parameter(
    meaning: str,
    *,
    unit: str = "1",
    low: float = 0.0,
    high: float = math.inf,
    scale: Scale = "log",
    trials: tuple[float, ...] = (),
    location: str | None = None,
) -> Any:
    """A dataclass field that carries what `Parameter` says of a parameter."""
    about = {"meaning": meaning, "unit": unit, "low": low, "high": high, "scale": scale, "trials": trials}
    return dataclasses.field(metadata=about | {"location": location})
