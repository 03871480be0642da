"""From how many problems on more training pays: V = p_tr (C_B - C_A) / (p_inf (c_A - c_B)) for two models of one score.

Shapes: D draws.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from scaling.errors import InputError
from scaling.exchange.purchase import POINTS, estimate
from scaling.exchange.surface import Surfaces
from scaling.fitting import checks
from scaling.fitting.parts import Estimate
from scaling.laws.base import Array

if TYPE_CHECKING:
    from scaling.exchange.result import Exchange


@dataclass(frozen=True)
class BreakEven:
    """From how many problems on the better-trained of two checkpoints is the cheaper one."""

    volume: Estimate | None
    """V; None where one of the two is cheaper at every volume, or does not reach the score."""
    reason: str
    """Why there is none."""
    infer: tuple[float, float]
    """Inference compute a problem at which either reaches the score, less trained first; NaN where it does not."""
    lost: float = 0.0
    """Share of the draws in which neither does, which have no volume and are left out of the interval."""


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
                None, f"the {name} trained one {_outside(found.surface, at, u[k], ends[k])}", (np.nan, np.nan)
            )
        if most_tokens is not None and _tokens(found, u[k], needs[k, 0]) > most_tokens:
            return BreakEven(
                None, f"the {name} trained one takes more than {most_tokens:g} tokens", (np.nan, np.nan)
            )
    infer = (float(10 ** needs[0, 0]), float(10 ** needs[1, 0]))
    if infer[0] <= infer[1]:
        return BreakEven(
            None, "the less trained one is no dearer to run: it is cheaper at every volume", infer
        )
    train = (float(10 ** u[0]), float(10 ** u[1]))
    value = break_even(train, infer, train_price=train_price, infer_price=infer_price)
    if found.draws is None:
        return BreakEven(Estimate(value), "", infer)
    draws = _volumes(found.draws, at, u, ends, train_price * (train[1] - train[0]), infer_price)
    known = draws[~np.isnan(draws)]
    return BreakEven(
        estimate(value, known, float(found.interval["level"])), "", infer, 1 - len(known) / len(draws)
    )


def _volumes(
    surfaces: Surfaces, at: float, u: Array, ends: list[tuple[float, float]], more: float, infer_price: float
) -> Array:
    """Break-even volumes (D,) of draws: 0 where the less trained one never gets there, infinite where it is no dearer.

    NaN where neither does. One that passes the score at its least budget needs that budget at most.
    """
    needs = []
    for k in range(2):
        least = surfaces.score(np.array([u[k]]), np.array([ends[k][0]]))[:, 0] >= at
        needs.append(
            np.where(least, ends[k][0], np.nan_to_num(_needed(surfaces, at, u[k], ends[k]), nan=np.inf))
        )
    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
        saved = 10 ** needs[0] - 10 ** needs[1]
        volumes = np.where(saved > 0, more / (infer_price * saved), np.inf)
    return np.where(np.isinf(needs[0]), np.where(np.isinf(needs[1]), np.nan, 0.0), volumes)


def _needed(surfaces: Surfaces, at: float, u: float, ends: tuple[float, float]) -> Array:
    """log10 inference compute (D,) at which a level reaches a score; NaN where it does not between the ends."""
    v = np.linspace(*ends, POINTS)
    scores = surfaces.score(np.full(POINTS, u), v)
    over = scores >= at
    first = np.argmax(over, axis=1)
    row, last = np.arange(len(scores)), np.maximum(first - 1, 0)
    rise = scores[row, first] - scores[row, last]
    part = (at - scores[row, last]) / np.where(rise > 0, rise, 1.0)
    return np.where(over.any(axis=1) & (first > 0), v[last] + part * (v[1] - v[0]), np.nan)


def _outside(surface: Surfaces, at: float, u: float, ends: tuple[float, float]) -> str:
    """Why a level has no point at a score among its budgets."""
    least = float(surface.score(np.array([u]), np.array([ends[0]]))[0, 0])
    return (
        f"passes {at:g} at its least budget already"
        if least >= at
        else f"does not reach {at:g} at any budget measured"
    )


def _tokens(found: Exchange, u: float, v: float) -> float:
    if found.latency is None:
        raise InputError("a cap on tokens one after the other needs a column tokens; the table has none")
    a, b, c = found.latency
    return float(10 ** (a + b * u + c * v))
