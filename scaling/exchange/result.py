"""The answer of an exchange rate: rates with intervals, spans and statuses, and what they rest on."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Literal, TypeVar, get_args

from scaling.errors import FitError, InputError
from scaling.exchange.schema import of_design, schema
from scaling.exchange.support import Span, power_of_ten
from scaling.fitting.parts import Estimate, Warned

if TYPE_CHECKING:
    from scaling.exchange.design import Design
    from scaling.exchange.ledger import Ledger
    from scaling.exchange.surface import Surfaces
    from scaling.exchange.uncertainty import Components

T = TypeVar("T")

Status = Literal["ok", "this run", "undefined", "not identified", "assumes additivity", "one-sided"]
STATUSES: tuple[Status, ...] = get_args(Status)
"""`ok`; `this run`: one run a level, so that other seeds may differ; `undefined`: the score is above the method's ceiling;
`not identified`: the design cannot tell; `assumes additivity`: from two slices; `one-sided`: a lower bound only, since the
gain from training may be nil."""


@dataclass(frozen=True)
class Rate:
    """What inference compute is worth in training compute at one score."""

    at: float
    """The score, y."""
    status: Status
    reason: str
    """Why the status is what it is, in words; empty for ok."""
    eta: Estimate | None
    """-d log C_train / d log C_infer, its mean along the measured piece of the isoquant; None where undefined or not
    identified."""
    span: Span | None
    """The measured piece of the isoquant."""
    local: tuple[float, float] | None = None
    """The rate at the piece's ends, from little inference to much."""
    components: Components | None = None
    """Where the variance (of log eta, where it is surely positive) comes from."""

    @property
    def multiplier(self) -> Estimate | None:
        """10^eta: the training compute that ten times the inference replaces; None where 10x was not measured."""
        if self.eta is None or self.span is None or self.span.infer < 1 - 1e-6:
            return None
        low, high = (None if end is None else power_of_ten(end) for end in (self.eta.low, self.eta.high))
        return Estimate(power_of_ten(self.eta.value), low, high)

    def to_json(self) -> dict[str, Any]:
        """The keys of schema scaling.exchange/1, and the ends of the local rate."""
        eta, ten, span = self.eta, self.multiplier, self.span
        return {
            "at": None if self.at != self.at else self.at,
            "eta": None if eta is None else eta.value,
            "low": None if eta is None else eta.low,
            "high": None if eta is None else eta.high,
            "multiplier_10x": None if ten is None else ten.value,
            "span_train_decades": None if span is None else span.train,
            "span_infer_decades": None if span is None else span.infer,
            "status": self.status,
            "reason": self.reason,
            "local": None if self.local is None else list(self.local),
        }


@dataclass(frozen=True)
class Constancy:
    """The test of one rate for the whole surface: P = g(log C_train + eta log C_infer), g monotone."""

    p_value: float
    """Share of draws under a constant rate that lie as far from one."""
    eta: float
    """The rate that fits best if there is one."""
    statistic: float
    """Deviance of that fit."""

    def to_json(self) -> dict[str, float]:
        """Its numbers."""
        return asdict(self)


@dataclass(frozen=True)
class Unmeasured:
    """A method without rates, and why."""

    method: str
    reason: str

    def to_json(self, command: str = "") -> dict[str, Any]:
        """The method and the reason."""
        del command
        return {"method": self.method, "rates": [], "reason": self.reason}


def or_unmeasured(method: str, measure: Callable[[], T]) -> T | Unmeasured:
    """Return what ``measure`` returns, or why the data of a method do not allow it."""
    try:
        return measure()
    except (FitError, InputError) as error:
        return Unmeasured(method, str(error))


@dataclass(frozen=True, repr=False)
class Exchange:
    """Exchange rates of one method under one convention."""

    method: str
    link: str
    form: str
    rates: tuple[Rate, ...]
    constancy: Constancy | None
    design: Design
    surface: Surfaces
    """The fitted surface; one draw."""
    draws: Surfaces | None
    """Surfaces of other runs and problems, for bands."""
    ledger: Ledger
    floor: float
    """Score below which cells do not fall: that of a blind guess, or a fitted asymptote."""
    ceiling: float
    """Score that the method does not pass, however much is spent: a fitted asymptote; infinite under the linear link."""
    interval: Mapping[str, Any]
    """method, level, draws."""
    warnings: tuple[Warned, ...]
    backtest: Mapping[str, float]
    """Form to root mean square error in score at a training level that was left out."""
    chance: float = 0.0
    corrected: bool = False
    """Whether scores were corrected for chance, k by k: pass@k of a guesser grows with k."""
    latency: tuple[float, float, float] | None = None
    """a, b, c of log10 tokens one after the other = a + b log10 C_train + c log10 C_infer; None without a column tokens."""
    counted: str = ""
    """What counts as training and inference compute, in words."""
    seed: int = 0
    sha256: str = ""

    def __repr__(self) -> str:
        """One line."""
        return f"<Exchange of {self.method}: {len(self.rates)} rates>"

    def __str__(self) -> str:
        """The summary."""
        return self.summary()

    def summary(self) -> str:
        """Rates, design, convention and doubts, for a terminal."""
        from scaling.exchange.summary import exchange_summary

        return exchange_summary(self)

    def rate(self, at: float) -> Rate:
        """The rate at a score that was asked for."""
        return next(rate for rate in self.rates if abs(rate.at - at) < 1e-12)

    def to_json(self, command: str = "") -> dict[str, Any]:
        """Schema scaling.exchange/1."""
        return schema(
            method=self.method, link=self.link, surface=self.form, rates=self.rates,
            p_value=None if self.constancy is None else self.constancy.p_value, design=of_design(self.design),
            convention=self.ledger.to_json(), interval=self.interval, warnings=self.warnings, sha256=self.sha256,
            command=command, seed=self.seed,
        )  # fmt: skip

    def details(self) -> dict[str, Any]:
        """What the schema has no key for: ceiling, errors by form, the constant rate, variance components."""
        return {
            "floor": self.floor,
            "ceiling": self.ceiling,
            "backtest": dict(self.backtest),
            "constancy": None if self.constancy is None else self.constancy.to_json(),
            "variance": [
                {"at": rate.at, "runs": parts.run, "problems": parts.problem, "freedom": parts.freedom}
                for rate in self.rates
                if (parts := rate.components) is not None
            ],
        }
