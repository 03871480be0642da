"""The data of the interactive page from measured exchange rates: methods x conventions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from scaling.errors import InputError
from scaling.exchange import Exchange, Rate
from scaling.exchange.design import Design
from scaling.exchange.ledger import WORDS
from scaling.exchange.support import lacking
from scaling.exchange.surface import Surfaces
from scaling.exchange.tabulated import tabulated
from scaling.sections.explorer import check

DRAWS = 100
"""Most draws of a surface in the page."""
DIGITS = 6
"""Digits after the point of a draw's numbers, which are on the link's scale."""
MARGIN = 0.15
"""Part of what was measured that is tabulated beyond it, on either side: the page shows some of that."""
DOUBTS = 2
"""Most warnings in a note."""
SWITCHES = {
    "train": "Training compute",
    "verifier": "Verifier",
    "prefill": "Prefill",
    "currency": "What is counted",
}
UNITS = {
    "critical_tokens": {"infer_unit": "tokens one after the other per problem"},
    "device_seconds": {"train_unit": "device seconds", "infer_unit": "device seconds per problem"},
}
"""Units of a currency beside which there is another."""


def explorer_data(
    exchanges: Sequence[Exchange],
    *,
    train_unit: str,
    infer_unit: str,
    target: float,
    volume: float,
    price_ratio: float,
    labels: Mapping[str, str] | None = None,
) -> dict[str, Any]:
    """The data of `explorer` from the rates of methods under conventions.

    Args:
        exchanges: one for each method and ledger; the switches of the ledger that differ among them are shown.
        train_unit: unit of training compute, where FLOPs are counted or only one currency is.
        infer_unit: unit of inference compute a problem.
        target: the score at first.
        volume: problems over the lifetime, at first.
        price_ratio: price of a unit of inference over one of training, at first.
        labels: what to call a method, or a switch by its name in the ledger.

    Raises:
        InputError: no exchange, two of one method and convention, or a surface that the page cannot draw.
    """
    if not exchanges:
        raise InputError("exchanges: expected one or more, got none")
    named = SWITCHES | dict(labels or {})
    choices = {
        name: [key for key in words if any(one.ledger.to_json()[name] == key for one in exchanges)]
        for name, words in WORDS.items()
    }
    shown = {name: keys for name, keys in choices.items() if len(keys) > 1}
    methods = list(dict.fromkeys(one.method for one in exchanges))
    data: dict[str, Any] = {
        "train_unit": train_unit,
        "infer_unit": infer_unit,
        "methods": [{"key": method, "label": named.get(method, method)} for method in methods],
        "switches": [
            {
                "key": name,
                "label": named[name],
                "choices": [{"key": key, "label": WORDS[name][key]} for key in keys],
            }
            for name, keys in shown.items()
        ],
        "surfaces": [_surface(one, shown, target, train_unit) for one in exchanges],
        "defaults": {
            "method": methods[0],
            "target": target,
            "volume": float(f"{volume:.3g}"),
            "price_ratio": price_ratio,
        },
    }
    check(data)
    return data


def _surface(
    found: Exchange, shown: Mapping[str, Sequence[str]], target: float, train_unit: str
) -> dict[str, Any]:
    level_u, level_v, _ = found.design.level_curves()
    order = np.argsort(level_u)
    low, high = np.nanmin(level_v, axis=1)[order], np.nanmax(level_v, axis=1)[order]
    beyond = MARGIN * max(float(high.max() - low.min()), 1.0)
    v_range = (float(low.min()) - beyond, float(high.max()) + beyond)
    ends = [end for rate in found.rates if rate.span is not None for end in (rate.span.low, rate.span.high)]
    table = tabulated(found.surface, v_range, also=ends)
    if table is None:
        raise InputError(
            f"the page draws no {found.form} surface: measure {found.method} with surface='free', or another that "
            "scaling.exchange.tabulated takes"
        )
    choice = found.ledger.to_json()
    units = UNITS.get(choice["currency"], {}) if "currency" in shown else {}
    u, v, score, _ = found.design.cells
    status, note = _status(found, target)
    return {
        "method": found.method,
        "choice": {name: choice[name] for name in shown},
        "link": found.link,
        "floor": float(found.surface.floor[0]),
        "ceiling": float(found.surface.ceiling[0]),
        "origin": table["origin"],
        "knots": table["knots"],
        "predictor": table["predictors"][0],
        "support": {
            "u": [float(level_u.min()), float(level_u.max())],
            "v": [float(low.min()), float(high.max())],
            "by_level": [
                {"u": float(level), "v": [float(least), float(most)]}
                for level, least, most in zip(level_u[order], low, high, strict=True)
            ],
        },
        "identified": _identified(found.design),
        "rates": [_reported(found, rate) for rate in found.rates],
        "levels": _levels(found.design, units.get("train_unit", train_unit)),
        "cells": [
            {"u": float(x), "v": float(y), "score": float(z)} for x, y, z in zip(u, v, score, strict=True)
        ],
        "draws": [] if found.draws is None else _draws(found.draws, v_range, ends),
        "latency": None if found.latency is None else list(found.latency),
        "status": status,
        "note": note,
        **units,
    }


def _draws(draws: Surfaces, v_range: tuple[float, float], ends: list[float]) -> list[dict[str, Any]]:
    """At most `DRAWS` of them, evenly taken."""
    count = len(draws.beta)
    taken = np.unique(np.linspace(0, count - 1, min(count, DRAWS)).round().astype(np.intp))
    names = ("beta", "shape", "floor", "ceiling", "deviance")
    table = tabulated(
        replace(draws, **{name: getattr(draws, name)[taken] for name in names}), v_range, also=ends
    )
    assert table is not None
    return [
        {key: np.round(value, DIGITS).tolist() for key, value in one.items()}
        | {"floor": float(floor), "ceiling": float(ceiling)}
        for one, floor, ceiling in zip(
            table["predictors"], draws.floor[taken], draws.ceiling[taken], strict=True
        )
    ]


def _identified(design: Design) -> list[float]:
    """Least and most score at which the design can identify a rate; they are scores of cells."""
    known = [float(y) for y in np.unique(design.cells[2]) if lacking(design, float(y)) is None]
    return [min(known), max(known)] if known else []


def _levels(design: Design, unit: str) -> list[dict[str, Any]]:
    """Training levels, named by their compute."""
    found: dict[str, float] = {}
    for u in np.sort(design.level_curves()[0]):
        digits = 3
        while (label := f"{10.0**u:.{digits}g} {unit}".replace("e+", "e")) in found:
            digits += 1
        found[label] = float(u)
    return [{"label": label, "u": u} for label, u in found.items()]


def _status(found: Exchange, target: float) -> tuple[str, str]:
    """Status and note of the rate nearest to the target, of those that there are if any is."""
    if not found.rates:
        return "not asked", ""
    spoken = [rate for rate in found.rates if rate.eta is not None]
    near = min(spoken or found.rates, key=lambda rate: abs(rate.at - target))
    return near.status, _note(found, near)


def _reported(found: Exchange, rate: Rate) -> dict[str, Any]:
    v = None if rate.span is None else [rate.span.low, rate.span.high]
    return {"target": rate.at, "v": v, "status": rate.status, "note": _note(found, rate)}


def _note(found: Exchange, rate: Rate) -> str:
    """Why its status is what it is; else what there is to doubt."""
    said = [rate.reason] if rate.reason else [one.message for one in found.warnings[:DOUBTS]]
    return " ".join(map(_sentence, said))


def _sentence(words: str) -> str:
    words = words.strip()
    return words[:1].upper() + words[1:] + ("" if not words or words.endswith(".") else ".")
