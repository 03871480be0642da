"""What to buy: training and inference compute for a score over a lifetime of problems, at the least cost.

Minimise p_tr C_tr + p_inf V C_inf along the isoquant P = y. Inside the measured piece the optimum has spend on inference /
spend on training = eta, and is one only if d eta / d ln C_inf < eta (1 + eta); else the best point is an end of the piece.
Shapes: V points along the isoquant, D draws.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

from scaling.errors import InputError
from scaling.exchange.surface import Surfaces
from scaling.fitting import checks
from scaling.fitting.parts import Estimate
from scaling.laws.base import Array

if TYPE_CHECKING:
    from scaling.exchange.result import Exchange
    from scaling.exchange.support import Span

POINTS = 2001
"""Points along an isoquant among which the cheapest is looked for."""
Kind = Literal["interior", "least training", "least inference"]


@dataclass(frozen=True)
class Purchase:
    """The cheapest training and inference for a score."""

    at: float
    volume: float
    """Problems over the lifetime, V."""
    kind: Kind
    """`interior`, or the corner of the measured piece at which the cost still falls: the true optimum may lie beyond."""
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
    prices = (checks.number("train_price", train_price), checks.number("infer_price", infer_price))
    volume = checks.number("volume", volume, " of problems")
    span = _span(found, at)
    v = _allowed(found, at, span, most_tokens)
    best = _cheapest(found.surface, at, v, volume, prices)
    if not len(best):
        raise InputError(f"at {at:g} the surface has no isoquant within the measured piece")
    point = best[0]
    drawn = point[None] if found.draws is None else _cheapest(found.draws, at, v, volume, prices)
    u, w, cost, share = (_estimate(point[k], drawn[:, k], float(found.interval["level"])) for k in range(4))
    kind: Kind = "interior"
    if point[1] <= v[0] + 1e-12:
        kind = "least inference"
    elif point[1] >= v[-1] - 1e-12:
        kind = "least training"
    eta, steepening = _rate_at(found.surface, at, float(point[1]))
    return Purchase(at, volume, kind, _power(u), _power(w), _power(cost), share, eta, steepening)


def _span(found: Exchange, at: float) -> Span:
    from scaling.exchange.support import span_of

    span = span_of(found.surface, found.design, at)
    if span is None:
        raise InputError(f"no measured isoquant at {at:g}; choose a score that cells bracket")
    return span


def _allowed(found: Exchange, at: float, span: Span, most_tokens: float | None) -> Array:
    """Inference computes to choose from, (V,)."""
    v = np.linspace(span.low, span.high, POINTS)
    if most_tokens is None:
        return v
    if found.latency is None:
        raise InputError("a cap on tokens one after the other needs a column tokens; the table has none")
    u = found.surface.isoquant(at, v)[0]
    a, b, c = found.latency
    keep = a + b * u + c * v <= np.log10(checks.number("most_tokens", most_tokens)) + 1e-12
    if not keep.any():
        least = 10 ** float(np.nanmin(a + b * u + c * v))
        raise InputError(
            f"most_tokens is {most_tokens:g}; the least on the isoquant of {at:g} is {least:.3g}"
        )
    return np.asarray(v[keep])


def _cheapest(surfaces: Surfaces, at: float, v: Array, volume: float, prices: tuple[float, float]) -> Array:
    """u, v, log10 cost and training's share of it (D, 4) at the cheapest point of each draw that has one."""
    u = surfaces.isoquant(at, v)
    train, infer = np.log10(prices[0]) + u, np.log10(prices[1] * volume) + v
    with np.errstate(invalid="ignore"):
        cost = np.maximum(train, infer) + np.log10(1 + 10 ** -np.abs(train - infer))
    able = np.isfinite(cost).all(axis=1)
    u, cost, train = u[able], cost[able], train[able]
    k = np.argmin(cost, axis=1)
    row = np.arange(len(k))
    return np.stack([u[row, k], v[k], cost[row, k], 10 ** (train[row, k] - cost[row, k])], axis=1)


def _rate_at(surface: Surfaces, at: float, v: float) -> tuple[float, float]:
    """The local rate at a point of the isoquant, and its derivative by ln C_inf."""
    step = 1e-3
    u = surface.isoquant(at, v + step * np.array([-1.0, 0.0, 1.0]))[0]
    eta = (u[0] - u[2]) / (2 * step)
    return float(eta), float(-(u[0] - 2 * u[1] + u[2]) / step**2 / np.log(10))


def _estimate(value: float, draws: Array, level: float) -> Estimate:
    if len(draws) < 2:
        return Estimate(float(value))
    tail = 0.5 * (1 - level)
    low, high = np.quantile(draws, [tail, 1 - tail])
    return Estimate(float(value), float(min(low, value)), float(max(high, value)))


def _power(one: Estimate) -> Estimate:
    low, high = (None if end is None else 10.0**end for end in (one.low, one.high))
    return Estimate(10.0**one.value, low, high)


@dataclass(frozen=True)
class BreakEven:
    """From how many problems on the better-trained of two checkpoints is the cheaper one."""

    volume: Estimate | None
    """V; None where one of the two is cheaper at every volume, or does not reach the score."""
    reason: str
    """Why there is none."""
    infer: tuple[float, float]
    """Inference compute a problem at which either reaches the score, less trained first; NaN where it does not."""


def break_even(
    train: tuple[float, float],
    infer: tuple[float, float],
    *,
    train_price: float = 1.0,
    infer_price: float = 1.0,
) -> float:
    """V = p_tr (C_B - C_A) / (p_inf (c_A - c_B)) for models A and B (checkpoints, or sizes) that reach one score.

    `train` are C_A and C_B, `infer` the inference compute a problem. Infinite where A, the cheaper to train, is no dearer
    to run. Raises InputError for numbers that are not positive.
    """
    for name, pair in (("train", train), ("infer", infer)):
        checks.positive(name, pair)
    more, saved = train[1] - train[0], infer[0] - infer[1]
    if more < 0:
        return break_even(train[::-1], infer[::-1], train_price=train_price, infer_price=infer_price)
    if saved <= 0:
        return 0.0 if more == 0 else np.inf
    return train_price * more / (infer_price * saved)


def break_even_levels(
    found: Exchange,
    at: float,
    less: int,
    more: int,
    *,
    train_price: float = 1.0,
    infer_price: float = 1.0,
    most_tokens: float | None = None,
) -> BreakEven:
    """The break-even volume of two training levels, counted from 0 in order of compute, at a score.

    Either needs the inference compute at which its own curve on the surface reaches the score, within what was measured at
    that level (and under the cap of tokens).
    """
    level_u, level_v, _ = found.design.level_curves()
    order = np.argsort(level_u)
    if not 0 <= less < more < len(order):
        raise InputError(
            f"levels are {less} and {more}; give two of 0 to {len(order) - 1}, the less trained first"
        )
    u = level_u[order[[less, more]]]
    ends = [(float(np.nanmin(level_v[k])), float(np.nanmax(level_v[k]))) for k in order[[less, more]]]
    needs = np.array([_needed(found.surface, at, u[k], ends[k]) for k in range(2)])
    for k, name in enumerate(("less", "better")):
        if not np.isfinite(needs[k, 0]):
            return BreakEven(
                None, f"the {name} trained one does not reach {at:g} at a budget measured", (np.nan, np.nan)
            )
        if most_tokens is not None and _tokens(found, u[k], needs[k, 0]) > most_tokens:
            return BreakEven(None, f"the {name} trained one is past {most_tokens:g} tokens", (np.nan, np.nan))
    infer = (float(10 ** needs[0, 0]), float(10 ** needs[1, 0]))
    if infer[0] <= infer[1]:
        return BreakEven(
            None, "the less trained one is no dearer to run: it is cheaper at every volume", infer
        )
    train = (float(10 ** u[0]), float(10 ** u[1]))
    value = break_even(train, infer, train_price=train_price, infer_price=infer_price)
    draws = []
    if found.draws is not None:
        drawn = np.stack([_needed(found.draws, at, u[k], ends[k]) for k in range(2)])
        saved = 10 ** drawn[0] - 10 ** drawn[1]
        with np.errstate(invalid="ignore", divide="ignore"):
            volumes = train_price * (train[1] - train[0]) / (infer_price * saved)
        draws = np.where(saved > 0, volumes, np.inf)[np.isfinite(saved)].tolist()
    return BreakEven(_estimate(value, np.array(draws), float(found.interval["level"])), "", infer)


def _needed(surfaces: Surfaces, at: float, u: float, ends: tuple[float, float]) -> Array:
    """log10 inference compute (D,) at which a level reaches a score; NaN where it does not between the ends."""
    v = np.linspace(*ends, POINTS)
    over = surfaces.score(np.full(POINTS, u), v) >= at
    first = np.argmax(over, axis=1)
    return np.where(over.any(axis=1) & (first > 0), v[first], np.nan)


def _tokens(found: Exchange, u: float, v: float) -> float:
    if found.latency is None:
        raise InputError("a cap on tokens one after the other needs a column tokens; the table has none")
    a, b, c = found.latency
    return float(10 ** (a + b * u + c * v))
