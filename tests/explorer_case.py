"""Made-up surfaces for the explorer's tests, and what numpy and scipy find on them, on a grid and by roots.

A surface p is here what its coefficients say of raw u and v: (b0, bu, bv, buv), or Bent where a(v) has knots.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import optimize

SUPPORT = {"u": [17.0, 20.0], "v": [9.5, 12.2]}
LATENCY = [-2.0, 0.05, 0.45]
ORIGIN = (18.5, 10.8)


@dataclass(frozen=True)
class Bent:
    """x = a(v - v0) + b(v - v0) (u - u0) + d (u - u0)^2 with a and b linear between knots."""

    knots: tuple[float, ...]
    a: tuple[float, ...]
    b: tuple[float, ...]
    d: float

    def terms(self, v):
        """a and b at raw v, straight on beyond the knots."""
        from_origin = np.asarray(v) - ORIGIN[1]
        k = np.clip(np.searchsorted(self.knots, from_origin, side="right") - 1, 0, len(self.knots) - 2)
        knots = np.asarray(self.knots)
        part = (from_origin - knots[k]) / (knots[k + 1] - knots[k])
        return tuple(np.asarray(y)[k] * (1 - part) + np.asarray(y)[k + 1] * part for y in (self.a, self.b))


FREE = Bent((-1.0, -0.4, 0.3, 1.1), (-1.0, -0.1, 0.25, 0.95), (1.0, 0.95, 0.93, 0.8), -0.06)
SURFACES = (
    ("vote", "stage", "out", "logit", 0.02, 0.867, (-30.5, 0.9, 0.85, 0.03), LATENCY, "this run"),
    ("vote", "total", "out", "logit", 0.02, 0.867, (-39.0, 1.4, 0.85, 0.03), LATENCY, "assumes additivity"),
    ("vote", "stage", "in", "logit", 0.02, 0.867, (-31.5, 0.9, 0.85, 0.03), LATENCY, "ok"),
    ("oracle", "stage", "out", "cloglog", 0.0, 1.0, (-39.77, 1.58, 2.65, -0.1), None, "ok"),
    ("think", "stage", "out", "linear", 0.1, 0.9, (-5.2, 0.2, 0.19, 0.0), LATENCY, "ok"),
    ("beam", "stage", "out", "logit", 0.02, 0.95, FREE, LATENCY, "ok"),
)


def make_data(draws: int = 100) -> dict[str, Any]:
    """The data of a page."""
    return {
        "train_unit": "FLOP",
        "infer_unit": "FLOP per problem",
        "methods": [
            {"key": "vote", "label": "Majority of k"},
            {"key": "oracle", "label": "pass@k (oracle)"},
            {"key": "think", "label": "Longer thinking <b>"},
            {"key": "beam", "label": "Beam search"},
        ],
        "switches": [
            {"key": "train", "label": "Training compute", "choices": [
                {"key": "stage", "label": "this stage alone"}, {"key": "total", "label": "with pretraining"}]},
            {"key": "verifier", "label": "Verifier", "choices": [
                {"key": "out", "label": "not counted"}, {"key": "in", "label": "counted"}]},
        ],
        "surfaces": [_surface(*surface, draws=draws) for surface in SURFACES],
        "defaults": {"method": "vote", "target": 0.5, "volume": 1e8, "price_ratio": 1.0},
    }  # fmt: skip


def _surface(method, train, verifier, link, floor, ceiling, b, latency, status, draws) -> dict[str, Any]:
    noise = np.random.default_rng(len(method + train + verifier))
    drawn = [_drawn(b, noise) for _ in range(draws)]
    grid = [(u, v) for u in np.linspace(17, 20, 5) for v in np.linspace(9.5, 12.2, 4)]
    return {
        "method": method, "choice": {"train": train, "verifier": verifier}, "link": link, "floor": floor,
        "ceiling": ceiling, **predictor(b), "support": SUPPORT,
        "levels": [{"label": f"step {round(10 ** (u - 15))}", "u": float(u)} for u in np.linspace(17, 20, 5)],
        "cells": [{"u": float(u), "v": float(v), "score": float(score(link, floor, ceiling, b, u, v))} for u, v in grid],
        "draws": [predictor(one)["predictor"] for one in drawn], "latency": latency,
        "status": status, "note": "Three <i>seeds</i>.",
    }  # fmt: skip


def _drawn(p, noise):
    if isinstance(p, Bent):
        a = np.array(p.a) + 0.06 * noise.standard_normal(len(p.a))
        b = np.array(p.b) * (1 + 0.06 * noise.standard_normal())
        return Bent(p.knots, tuple(a), tuple(b), p.d + 0.02 * noise.standard_normal())
    drawn = np.array(p) * (1 + 0.06 * noise.standard_normal(4))
    centre = np.array([*ORIGIN, ORIGIN[0] * ORIGIN[1]])
    drawn[0] = p[0] + np.dot(p[1:], centre) - np.dot(drawn[1:], centre) + 0.1 * noise.standard_normal()
    return tuple(drawn)


def predictor(p, origin=ORIGIN, knots=(-1.0, 1.0)) -> dict[str, Any]:
    """The page's origin, knots and predictor of coefficients (b0, bu, bv, buv), or of a Bent."""
    if isinstance(p, Bent):
        return {
            "origin": list(ORIGIN),
            "knots": list(p.knots),
            "predictor": {"a": list(p.a), "b": list(p.b), "d": p.d},
        }
    v = np.array(knots) + origin[1]
    a, b = p[0] + p[1] * origin[0] + (p[2] + p[3] * origin[0]) * v, p[1] + p[3] * v
    return {
        "origin": list(origin),
        "knots": list(knots),
        "predictor": {"a": a.tolist(), "b": b.tolist(), "d": 0.0},
    }


def coefficients(surface, p=None):
    """What numpy works with, (b0, bu, bv, buv) or a Bent, from the page's predictor."""
    p = p or surface["predictor"]
    knots = surface["knots"]
    if len(knots) > 2 or p["d"]:
        return Bent(tuple(knots), tuple(p["a"]), tuple(p["b"]), p["d"])
    u0, v0 = surface["origin"]
    da, buv = (np.diff(p[key])[0] / np.diff(knots)[0] for key in ("a", "b"))
    bu = p["b"][0] - buv * (knots[0] + v0)
    bv = da - buv * u0
    return (p["a"][0] - bu * u0 - da * (knots[0] + v0), bu, bv, buv)


def x_of(p, u, v):
    """The predictor at raw u and v."""
    if isinstance(p, Bent):
        a, b = p.terms(v)
        return a + b * (u - ORIGIN[0]) + p.d * (u - ORIGIN[0]) ** 2
    return p[0] + p[1] * u + p[2] * v + p[3] * u * v


def score(link, floor, ceiling, p, u, v):
    """The score of a surface, in numpy."""
    x = x_of(p, u, v)
    h = {
        "logit": lambda: 1 / (1 + np.exp(-x)),
        "cloglog": lambda: 1 - np.exp(-np.exp(x)),
        "linear": lambda: x,
    }
    return floor + (ceiling - floor) * h[link]()


def inverse(link: str, p: float) -> float:
    return {"logit": np.log(p / (1 - p)), "cloglog": np.log(-np.log1p(-p)), "linear": p}[link]


def isoquant(p, g, v):
    """u at which the predictor is g and rises with u; NaN where it does not."""
    if isinstance(p, Bent):
        a, b = p.terms(v)
        if p.d == 0:
            return np.where(b > 0, (g - a) / b, np.nan) + ORIGIN[0]
        with np.errstate(invalid="ignore"):
            return (-b + np.sqrt(b**2 + 4 * p.d * (g - a))) / (2 * p.d) + ORIGIN[0]
    return (g - p[0] - p[2] * v) / (p[1] + p[3] * v)


def supported(surface, y, cap=None, count=200_001):
    """The points (u, v) of the isoquant on a grid of v that are measured ground, and their level."""
    b = coefficients(surface)
    g = inverse(surface["link"], (y - surface["floor"]) / (surface["ceiling"] - surface["floor"]))
    v = np.linspace(*surface["support"]["v"], count)
    u = isoquant(b, g, v)
    step = 1e-4
    good = x_of(b, u + step, v) > x_of(b, u - step, v)
    good &= (u >= surface["support"]["u"][0]) & (u <= surface["support"]["u"][1])
    if cap and surface["latency"]:
        a = surface["latency"]
        good &= a[0] + a[1] * u + a[2] * v <= np.log10(cap)
    return u[good], v[good], g


def edges(surface, y):
    """The lower and upper end of the supported isoquant, by root finding from the grid."""
    _, v, g = supported(surface, y)
    b, (low, high) = coefficients(surface), surface["support"]["v"]
    ends = [v[0], v[-1]]
    for side, (start, limit) in enumerate(((v[0], low), (v[-1], high))):
        if abs(start - limit) > 1e-9:
            step = (high - low) / 200_000 * (1 if side else -1)
            bound = surface["support"]["u"][int(isoquant(b, g, start) > np.mean(surface["support"]["u"]))]
            ends[side] = optimize.brentq(
                lambda x, bound=bound: isoquant(b, g, x) - bound, start - 1e-9 * step, start + step
            )
    return (*ends, g)


def rate(surface, y, draw=None):
    """The rate along the surface's own piece; of a draw, along that same piece."""
    low, high, g = edges(surface, y)
    p = coefficients(surface, draw)
    return (isoquant(p, g, low) - isoquant(p, g, high)) / (high - low)
