"""Made-up surfaces for the explorer's tests, and what numpy and scipy find on them, on a grid and by roots."""

from typing import Any

import numpy as np
from scipy import optimize

SUPPORT = {"u": [17.0, 20.0], "v": [9.5, 12.2]}
LATENCY = [-2.0, 0.05, 0.45]
SURFACES = (
    ("vote", "stage", "out", "logit", 0.02, 0.867, (-30.5, 0.9, 0.85, 0.03), LATENCY, "this run"),
    ("vote", "total", "out", "logit", 0.02, 0.867, (-39.0, 1.4, 0.85, 0.03), LATENCY, "assumes additivity"),
    ("vote", "stage", "in", "logit", 0.02, 0.867, (-31.5, 0.9, 0.85, 0.03), LATENCY, "ok"),
    ("oracle", "stage", "out", "cloglog", 0.0, 1.0, (-39.77, 1.58, 2.65, -0.1), None, "ok"),
    ("think", "stage", "out", "linear", 0.1, 0.9, (-5.2, 0.2, 0.19, 0.0), LATENCY, "ok"),
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
    centre = np.array([0.0, 18.5, 10.8, 18.5 * 10.8])
    found = []
    for _ in range(draws):
        drawn = np.array(b) * (1 + 0.06 * noise.standard_normal(4))
        drawn[0] = (
            np.dot(b, np.r_[1.0, centre[1:]]) - np.dot(drawn[1:], centre[1:]) + 0.1 * noise.standard_normal()
        )
        found.append(drawn.tolist())
    grid = [(u, v) for u in np.linspace(17, 20, 5) for v in np.linspace(9.5, 12.2, 4)]
    return {
        "method": method, "choice": {"train": train, "verifier": verifier}, "link": link, "floor": floor,
        "ceiling": ceiling, "coefficients": list(b), "support": SUPPORT,
        "levels": [{"label": f"step {round(10 ** (u - 15))}", "u": float(u)} for u in np.linspace(17, 20, 5)],
        "cells": [{"u": float(u), "v": float(v), "score": float(score(link, floor, ceiling, b, u, v))} for u, v in grid],
        "draws": found, "latency": latency, "status": status, "note": "Three <i>seeds</i>.",
    }  # fmt: skip


def score(link, floor, ceiling, b, u, v):
    """The score of a surface, in numpy."""
    x = b[0] + b[1] * u + b[2] * v + b[3] * u * v
    h = {
        "logit": lambda: 1 / (1 + np.exp(-x)),
        "cloglog": lambda: 1 - np.exp(-np.exp(x)),
        "linear": lambda: x,
    }
    return floor + (ceiling - floor) * h[link]()


def inverse(link: str, p: float) -> float:
    return {"logit": np.log(p / (1 - p)), "cloglog": np.log(-np.log1p(-p)), "linear": p}[link]


def isoquant(b, g, v):
    return (g - b[0] - b[2] * v) / (b[1] + b[3] * v)


def supported(surface, y, cap=None, count=200_001):
    """The points (u, v) of the isoquant on a grid of v that are measured ground, and their level."""
    b = surface["coefficients"]
    g = inverse(surface["link"], (y - surface["floor"]) / (surface["ceiling"] - surface["floor"]))
    v = np.linspace(*surface["support"]["v"], count)
    u = isoquant(b, g, v)
    good = (b[1] + b[3] * v > 0) & (u >= surface["support"]["u"][0]) & (u <= surface["support"]["u"][1])
    if cap and surface["latency"]:
        a = surface["latency"]
        good &= a[0] + a[1] * u + a[2] * v <= np.log10(cap)
    return u[good], v[good], g


def edges(surface, y):
    """The lower and upper end of the supported isoquant, by root finding from the grid."""
    _, v, g = supported(surface, y)
    b, (low, high) = surface["coefficients"], surface["support"]["v"]
    ends = [v[0], v[-1]]
    for side, (start, limit) in enumerate(((v[0], low), (v[-1], high))):
        if abs(start - limit) > 1e-9:
            step = (high - low) / 200_000 * (1 if side else -1)
            bound = surface["support"]["u"][int(isoquant(b, g, start) > np.mean(surface["support"]["u"]))]
            ends[side] = optimize.brentq(
                lambda x, bound=bound: isoquant(b, g, x) - bound, start - 1e-9 * step, start + step
            )
    return (*ends, g)


def rate(surface, y):
    low, high, g = edges(surface, y)
    b = surface["coefficients"]
    return (isoquant(b, g, low) - isoquant(b, g, high)) / (high - low)
