"""What to buy: training and inference compute for a score over a lifetime of problems, at the least cost.

Minimise p_tr C_tr + p_inf V C_inf along the isoquant P = y. Inside the measured piece the optimum has spend on inference /
spend on training = eta, and is one only if d eta / d ln C_inf < eta (1 + eta); else the best point is an end of the piece.
Shapes: V points along the isoquant, D draws.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np
import numpy.typing as npt

from scaling.errors import InputError
from scaling.exchange.support import power_of_ten
from scaling.exchange.surface import Surfaces
from scaling.fitting import checks
from scaling.fitting.parts import Estimate
from scaling.laws.base import Array

if TYPE_CHECKING:
    from scaling.exchange.result import Exchange

POINTS = 601
"""Points along an isoquant among which the cheapest is looked for."""
LOST = 0.05
"""Share of draws left out from which that is said."""
Kind = Literal["interior", "least training", "least inference", "capped"]


@dataclass(frozen=True)
class Purchase:
    """The cheapest training and inference for a score."""

    at: float
    volume: float
    """Problems over the lifetime, V."""
    kind: Kind
    """`interior`, or the corner of the measured piece at which the cost still falls: the true optimum may lie beyond.
    `capped` where it is the cap on tokens that ends the piece."""
    train: Estimate
    """Training compute, C_tr."""
    infer: Estimate
    """Inference compute a problem, C_inf."""
    cost: Estimate
    """p_tr C_tr + p_inf V C_inf."""
    train_share: Estimate
    """Share of the cost that goes into training; 1 / (1 + eta) at an interior optimum."""
    eta: float
    """The local rate there."""
    steepening: float
    """d eta / d ln C_inf there; below eta (1 + eta) at an interior optimum."""


def purchase(
    found: Exchange,
    at: float,
    volume: float,
    *,
    train_price: float = 1.0,
    infer_price: float = 1.0,
    most_tokens: float | None = None,
) -> Purchase:
    """The cheapest point of the measured isoquant of a score for `volume` problems, with intervals from the draws.

    Prices are per unit of either compute. `most_tokens` caps tokens one after the other (latency): points beyond are out.

    Raises InputError for a score without a measured isoquant, prices and volumes that are not positive, a cap where the
    table tells no tokens, and one that rules everything out.
    """
    return isoquant(found, at, most_tokens).cheapest(volume, train_price, infer_price)


@dataclass(frozen=True)
class Isoquant:
    """The measured piece of an isoquant, on a mesh, with its draws."""

    at: float
    v: Array
    """log10 inference compute, (V,)."""
    u: Array
    """log10 training compute, as measured first and then of each draw that gets there all along, (1 + D, V)."""
    surface: Surfaces
    level: float
    capped: tuple[bool, bool] = (False, False)
    """Whether a cap cut the end with the least, and the most inference."""
    lost: float = 0.0
    """Share of the draws that do not get to the score along the whole piece, and are left out."""

    def cheapest(self, volume: float, train_price: float = 1.0, infer_price: float = 1.0) -> Purchase:
        """The point of least cost for `volume` problems."""
        prices = (checks.number("train_price", train_price), checks.number("infer_price", infer_price))
        volume = checks.number("volume", volume, " of problems")
        train, infer = np.log10(prices[0]) + self.u, np.log10(prices[1] * volume) + self.v
        cost = np.maximum(train, infer) + np.log10(1 + 10 ** -np.abs(train - infer))
        k, row = np.argmin(cost, axis=1), np.arange(len(cost))
        found = (self.u[row, k], self.v[k], cost[row, k], 10 ** (train[row, k] - cost[row, k]))
        u, w, total, share = (estimate(values[0], values[1:], self.level) for values in found)
        kind: Kind = "interior"
        if k[0] == 0:
            kind = "capped" if self.capped[0] else "least inference"
        elif k[0] == len(self.v) - 1:
            kind = "capped" if self.capped[1] else "least training"
        eta, steepening = _rate_at(self.surface, self.at, float(self.v[k[0]]))
        return Purchase(self.at, volume, kind, _power(u), _power(w), _power(total), share, eta, steepening)


def isoquant(found: Exchange, at: float, most_tokens: float | None = None) -> Isoquant:
    """The measured isoquant of a score, cut where tokens one after the other pass `most_tokens`; errors as `purchase`."""
    from scaling.exchange.support import lacking, span_of

    unsure = (
        rate.reason
        for rate in found.rates
        if rate.at == at and (rate.eta is None or rate.status == "one-sided")
    )
    why = next(unsure, lacking(found.design, at))
    if why is not None:
        raise InputError(
            f"at {at:g} no rate is identified on both sides, and nothing can be bought by it: {why}"
        )
    span = span_of(found.surface, found.design, at)
    if span is None:
        raise InputError(f"no measured isoquant at {at:g}; choose a score that cells bracket")
    v = np.linspace(span.low, span.high, POINTS)
    u = found.surface.isoquant(at, v)
    capped = (False, False)
    if most_tokens is not None:
        keep = _quick(found, u[0], v, at, most_tokens)
        capped = (not bool(keep[0]), not bool(keep[-1]))
        v, u = v[keep], u[:, keep]
    lost = 0.0
    if found.draws is not None:
        drawn = found.draws.isoquant(at, v)
        able = np.isfinite(drawn).all(axis=1)
        u, lost = np.concatenate([u, drawn[able]]), float(1 - able.mean())
    return Isoquant(at, v, u, found.surface, float(found.interval["level"]), capped, lost)


def _quick(found: Exchange, u: Array, v: Array, at: float, most_tokens: float) -> npt.NDArray[np.bool_]:
    """Which points take no more tokens one after the other than allowed."""
    if found.latency is None:
        raise InputError("a cap on tokens one after the other needs a column tokens; the table has none")
    a, b, c = found.latency
    tokens = a + b * u + c * v
    keep = tokens <= np.log10(checks.number("most_tokens", most_tokens)) + 1e-12
    if not keep.any():
        least = 10 ** float(np.nanmin(tokens))
        raise InputError(
            f"most_tokens is {most_tokens:g}; the least on the isoquant of {at:g} is {least:.3g}"
        )
    return np.asarray(keep)


def _rate_at(surface: Surfaces, at: float, v: float) -> tuple[float, float]:
    """The local rate at a point of the isoquant, and its derivative by ln C_inf."""
    step = 1e-3
    u = surface.isoquant(at, v + step * np.array([-1.0, 0.0, 1.0]))[0]
    eta = (u[0] - u[2]) / (2 * step)
    return float(eta), float(-(u[0] - 2 * u[1] + u[2]) / step**2 / np.log(10))


def estimate(value: float, draws: Array, level: float) -> Estimate:
    """A value with percentiles of its draws (D,), widened to hold it."""
    if len(draws) < 2:
        return Estimate(float(value))
    tail = 0.5 * (1 - level)
    # between two draws at infinity there is no mean
    low, high = np.quantile(
        draws, [tail, 1 - tail], method="linear" if np.isfinite(draws).all() else "nearest"
    )
    return Estimate(float(value), float(min(low, value)), float(max(high, value)))


def _power(one: Estimate) -> Estimate:
    low, high = (None if end is None else power_of_ten(end) for end in (one.low, one.high))
    return Estimate(power_of_ten(one.value), low, high)


def purchase_lines(
    found: Exchange, volume: float, *, infer_price: float = 1.0, most_tokens: float | None = None
) -> list[str]:
    """What to buy at each score that has a rate, a line each, for a terminal."""
    from scaling.exchange.summary import shown
    from scaling.reporting.numbers import percent, plain, scientific

    lines = [
        f"what to buy for {plain(volume, 3)} problems, a unit of inference at {plain(infer_price, 3)} times the price of "
        "one of training:"
    ]
    for rate in found.rates:
        if rate.eta is None:
            continue
        try:
            along = isoquant(found, rate.at, most_tokens)
        except InputError as error:
            lines.append(f"  at {plain(rate.at)}: {error}")
            continue
        one = along.cheapest(volume, infer_price=infer_price)
        mix = f"C_train {scientific(one.train.value)}, C_infer {scientific(one.infer.value)} a problem"
        share = shown(Estimate(100 * one.train_share.value, *_times(one.train_share, 100)))
        lines.append(f"  at {plain(rate.at)}: {mix}, training {share} % of the cost: {WORDS[one.kind]}")
        if along.lost > LOST:
            lines.append(
                f"    {percent(along.lost)} of the draws do not get to {plain(rate.at)} and are not in the interval"
            )
    return lines if len(lines) > 1 else [f"{lines[0]} nothing, as no rate was measured"]


def _times(one: Estimate, factor: float) -> tuple[float | None, float | None]:
    """Both ends times a factor."""
    return (None if one.low is None else factor * one.low, None if one.high is None else factor * one.high)


WORDS: dict[Kind, str] = {
    "interior": "an optimum within what was measured",
    "least training": "a corner: less training and more inference than measured might be cheaper",
    "least inference": "a corner: more training and less inference than measured might be cheaper",
    "capped": "a corner: the cap on tokens keeps it from being cheaper",
}
"""What each kind of purchase says."""
