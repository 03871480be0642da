"""The published charts on the interactive page: o1's slices as one additive surface, R1-Zero's two curves as one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from scaling.exchange.summary import eta_shown
from scaling.reporting import numbers
from scaling.reporting.document import Section
from scaling.sections.explorer import explorer

if TYPE_CHECKING:
    from scaling.exchange import Paired, Slices
    from scaling.laws.base import Array
    from scaling.study import Analysis

DRAWS = 100
LEVELS = 22
"""Checkpoints of R1-Zero to choose from."""
DIGITS = 6
PRICE = {"tokens": "by the tokens it took", "flat": "one price for all"}
"""What a sample costs: a switch of the page."""


def explore(analysis: Analysis) -> Section:
    """Return the page of both charts."""
    o1, votes = analysis.fits["o1, logit"], analysis.fits["R1-Zero"]
    surfaces = [_thinking(o1, price) for price in PRICE] + [_votes(votes, price) for price in PRICE]
    data = {
        "train_unit": "relative units",
        "infer_unit": "relative units a problem",
        "methods": [
            {"key": "votes", "label": "R1-Zero: majority of up to 16"},
            {"key": "thinking", "label": "o1: longer thinking"},
        ],
        "switches": [
            {
                "key": "price",
                "label": "A sample costs",
                "choices": [{"key": k, "label": w} for k, w in PRICE.items()],
            }
        ],
        "surfaces": surfaces,
        "defaults": {"method": "votes", "target": 0.5, "volume": 1e3, "price_ratio": 1.0},
    }
    rates = ", ".join(
        f"{eta_shown(rate)} at {numbers.percent(rate.at)}" for rate in votes.rates if rate.eta is not None
    )
    return Section(
        "What to buy, on the published charts",
        (
            "Move the score, the lifetime's volume, the price and what a sample costs, and see isoquants, the "
            "cheapest mix and the break-even volume move. Computes are in each chart's own relative units, so "
            "volumes and costs are too: the page shows how the optimum moves, not what to pay. For grids of "
            "your own, `scaling exchange TABLE --report DIR` makes the same page with their units and "
            "conventions.",
            "One surface stands for each chart. o1's adds up, as its two slices take for granted, with the "
            "inference panel taken to be of the last training point. R1-Zero's goes through both of its "
            "curves, so that its rates differ a little from the table's, which come from two separate ones. By the "
            f"table: {rates}.",
        ),
        interactives=(
            explorer(
                data,
                name="known-explorer",
                fallback=f"Rates by the table: R1-Zero {rates}; o1 {eta_shown(o1.rate)} at any score.",
            ),
        ),
    )


def _thinking(found: Slices, price: str) -> dict[str, Any]:
    """The additive surface of two slices."""
    train, infer = found.train, found.infer
    rng = np.random.default_rng(0)
    last = float(train.x.max())

    def predictor(slope: float, gain: float, level: float) -> dict[str, Any]:
        # level: the inference line at v0; u counts from the last training point, which that line is of
        return {
            "a": [round(level + gain * (v - v0), DIGITS) for v in ends],
            "b": [round(slope, DIGITS)] * 2,
            "d": 0.0,
        }

    v0 = float(infer.x.mean())
    ends = [float(infer.x.min()) - 1.0, float(infer.x.max()) + 1.0]
    level = infer.intercept + infer.slope.value * v0
    at = (train.intercept + train.slope.value * last - level) / infer.slope.value + v0
    slopes = train.slope.value + (train.slope.se or 0) * rng.standard_t(train.freedom, DRAWS)
    gains = infer.slope.value + (infer.slope.se or 0) * rng.standard_t(infer.freedom, DRAWS)
    levels = level + infer.rms / np.sqrt(len(infer.x)) * rng.standard_t(infer.freedom, DRAWS)
    return {
        "method": "thinking",
        "choice": {"price": price},
        "link": found.link,
        "floor": 0.0,
        "ceiling": 1.0,
        "origin": [last, 0.0],
        "knots": ends,
        "predictor": predictor(train.slope.value, infer.slope.value, level),
        "support": {"u": [float(train.x.min()), last], "v": [float(infer.x.min()), float(infer.x.max())]},
        "levels": _levels(train.x),
        "cells": [
            {"u": float(u), "v": float(at), "score": float(s)}
            for u, s in zip(train.x, train.score, strict=True)
        ]
        + [{"u": last, "v": float(v), "score": float(s)} for v, s in zip(infer.x, infer.score, strict=True)],
        "draws": [predictor(*map(float, one)) for one in zip(slopes, gains, levels, strict=True)],
        "latency": None,
        "status": found.rate.status,
        "note": "Two slices: that gains add up is taken for granted, between the points as well.",
    }


def _votes(found: Paired, price: str) -> dict[str, Any]:
    """One surface through both curves, in samples or in the tokens that they took."""
    u0 = float(found.u.mean())
    u = found.u - u0
    spent = (
        found.v
        if price == "tokens"
        else np.log10(np.array(found.budgets, dtype=np.float64))[:, None] + 0.0 * found.v
    )
    ends = [float(spent.min()), float(spent.max())]

    def predictor(curves: Array) -> dict[str, Any]:
        """From the quadratics (4, 3): the score's on the link's scale and log10 of the tokens, little and much."""
        x, tokens = (
            np.stack([np.polyval(curve, found.u) for curve in pair]) for pair in (curves[:2], curves[2:])
        )
        v = tokens if price == "tokens" else spent
        both = np.broadcast_to(u, v.shape)
        columns = np.stack([np.ones_like(v), v, both, both * v, both**2], axis=-1).reshape(-1, 5)
        a, by, b, tilt, d = np.linalg.lstsq(columns, x.ravel(), rcond=None)[0].tolist()
        return {
            "a": [round(a + by * end, DIGITS) for end in ends],
            "b": [round(b + tilt * end, DIGITS) for end in ends],
            "d": round(d, DIGITS),
        }

    by_level = [
        {"u": float(x), "v": [float(low), float(high)]} for x, low, high in zip(found.u, *spent, strict=True)
    ]
    few = np.unique(np.linspace(0, len(found.u) - 1, LEVELS).round().astype(int))
    return {
        "method": "votes",
        "choice": {"price": price},
        "link": found.link,
        "floor": 0.0,
        "ceiling": 1.0,
        "origin": [u0, 0.0],
        "knots": ends,
        "predictor": predictor(found.curves),
        "support": {
            "u": [float(found.u.min()), float(found.u.max())],
            "v": [float(spent.min()), float(spent.max())],
            "by_level": by_level,
        },
        "identified": [float(found.scores[1].min()), found.highest],
        "levels": _levels(found.u[few]),
        "cells": [
            {"u": float(x), "v": float(v), "score": float(s)}
            for row in range(2)
            for x, v, s in zip(found.u, spent[row], found.scores[row], strict=True)
        ],
        "draws": [predictor(one) for one in found.draws[:DRAWS]],
        "latency": None,
        "status": "this run",
        "note": f"One run. Votes do not pass {numbers.percent(found.ceiling, 4)}, which the surface does not know.",
    }


def _levels(u: Array) -> list[dict[str, Any]]:
    found: dict[str, float] = {}
    for x in np.sort(u):
        found[f"training {numbers.quantity(10.0**x)}"] = float(x)
    return [{"label": label, "u": x} for label, x in found.items()]
