"""The parts of an answer: numbers with intervals, minima, predictions and warnings."""

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field

from scaling.laws import Law
from scaling.laws.base import Array


@dataclass(frozen=True)
class Estimate:
    """A number with its interval."""

    value: float
    """The point estimate."""
    low: float | None = None
    """Lower end of the interval; None without one."""
    high: float | None = None
    """Upper end of the interval."""
    se: float | None = None
    """Standard deviation of the bootstrap draws."""

    def to_json(self) -> dict[str, float | None]:
        """Its four numbers, for programs."""
        return dataclasses.asdict(self)


@dataclass(frozen=True)
class Interval:
    """How the intervals were made."""

    method: str | None
    """In words, for example `percentile, pairs`; None without draws."""
    level: float
    """Nominal coverage."""
    draws: int
    """Bootstrap draws that were fitted."""
    clusters: int | None = None
    """Independent units that were drawn from, where these are not the rows."""
    reason: str = ""
    """Why these draws and no others, in words."""


@dataclass(frozen=True)
class Warned:
    """Something a reader of the fit must know."""

    code: str
    """A fixed word for programs."""
    message: str
    """A sentence for people."""


@dataclass(frozen=True)
class Minimum:
    """A local minimum of the objective."""

    value: float
    """Objective there."""
    law: Law
    """The law with the parameters there."""
    predictions: Mapping[str, float] = field(default_factory=dict)
    """What it says at the compute asked for: N_optimal, D_optimal, tokens_per_param, loss_optimal."""


@dataclass(frozen=True)
class Sensitivity:
    """The answer with all priors of another width."""

    width: float
    """Factor on their standard deviations; infinite without them."""
    law: Law
    """The law then."""


@dataclass(frozen=True)
class Prediction:
    """A law's values with their intervals: of the law, or of a new run, which has its own noise too."""

    value: Array
    """Predicted loss, of the shape of the inputs."""
    low: Array | None
    """Lower ends; None without draws."""
    high: Array | None
    """Upper ends; None without draws."""
