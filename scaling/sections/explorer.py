"""An interactive page of training against inference compute: isoquants, exchange rates, what to buy, break-even.

`explorer(data)` checks the data and hands the scripts beside this file to the page. The data:

    train_unit, infer_unit   texts, the units of 10^u and 10^v: "FLOP", "FLOP per problem"
    methods                  [{key, label}]
    switches                 [{key, label, choices: [{key, label}]}], the conventions of the ledger: training of this
                             stage or in total, verifier in or out, FLOPs or device seconds; may be empty
    surfaces                 one for each combination of method and choices that exists; others show "not measured":
        method               a method's key
        choice               {switch key: choice key}, of every switch
        link                 "logit", "cloglog" or "linear": h(x) = 1/(1 + e^-x), 1 - exp(-e^x), x
        floor, ceiling       scores; floor < ceiling
        origin               [u0, v0], from which u and v of the next three are counted
        knots                [v], two or more, rising: a and b are linear between them and straight on beyond
        predictor            {a: [one per knot], b: [one per knot], d} of P = floor + (ceiling - floor) h(x),
                             x = a(v) + b(v) u + d u^2, u = log10 training compute, v = log10 inference compute
                             per problem
        support              {u: [low, high], v: [low, high]}, what was measured; optional by_level: [{u, v: [low, high]}],
                             rising in u, where levels of training differ in it: between two it is interpolated
        identified           optional: [low, high], the scores between which the design tells the rate, [] for nowhere;
                             elsewhere the page gives none
        rates                optional: [{target, v: [low, high] or None, status, note}], what a report says at some targets:
                             the measured piece of the isoquant, which is then the page's, status and note; with status
                             "undefined" or "not identified" the page gives no rate either
        levels               [{label, u}], checkpoints along training; labels differ
        cells                [{u, v, score}], measured points
        draws                [{a, b, d}], of the bootstrap, for bands and intervals: 50 to 200, or none; optional floor
                             and ceiling where they are not the surface's. Their numbers are along the surface's own
                             measured isoquant
        latency              None, or [a0, au, av] of log10 serial tokens a problem = a0 + au u + av v
        status               "ok", or what to doubt: "this run", "assumes additivity"
        note                 a sentence, or ""
        train_unit, infer_unit   optional: where a choice of currency changes the units
    defaults                 {method, target, volume, price_ratio}: a method's key, a score in (0, 1), problems, and
                             the price of a unit of inference over one of training; the choices shown at first are
                             those of the method's first surface
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from importlib.resources import files
from itertools import pairwise
from typing import Any

from scaling.errors import InputError
from scaling.reporting.document import Interactive

SCRIPTS = ("numbers", "words", "drawing", "cost", "controls", "")
"""The parts of the page's script, in order: `explorer_<part>.js`, last `explorer.js`."""
LINKS = ("logit", "cloglog", "linear")
"""Links from the linear form to a score."""

_CAPTION = (
    "Inference against training compute at equal score. Move the target, the lifetime volume and the price to see the "
    "exchange rate η = − d log C_train / d log C_infer, the cheapest mix, and intervals over the draws of the surface "
    "where there are any. "
    "Outside the measured span a line is an extrapolation and enters no number."
)
_ALT = "Controls and two drawings of training against inference compute"


def explorer(
    data: Mapping[str, Any],
    name: str = "explorer",
    caption: str = _CAPTION,
    alt: str = _ALT,
    fallback: str | None = None,
) -> Interactive:
    """Return the interactive page of fitted surfaces.

    Args:
        data: as this module's docstring says.
        name: file name without ending, unique in its report.
        caption: what to see in it.
        alt: names it for those who cannot see it.
        fallback: what it shows, in words, for print and Markdown; a list of its surfaces where none is given.

    Raises:
        InputError: something in the data is missing or cannot be drawn; says where.
    """
    check(data)
    return Interactive(name, caption, script(), data, alt, _listed(data) if fallback is None else fallback)


def script() -> str:
    """The page's JavaScript: the parts beside this file in a scope of their own."""
    folder = files("scaling.sections")
    names = [f"explorer_{part}.js" if part else "explorer.js" for part in SCRIPTS]
    parts = [(folder / name).read_text(encoding="utf-8") for name in names]
    return '(() => {\n"use strict";\n' + "\n".join(parts) + "})();"


def check(data: Mapping[str, Any]) -> None:
    """Refuse data that the page cannot draw.

    Raises:
        InputError: says what is missing or wrong, and where.
    """
    _need(data, "data", ("train_unit", "infer_unit", "methods", "switches", "surfaces", "defaults"))
    methods = _keys(data["methods"], "methods")
    switches = {}
    for place, switch in enumerate(data["switches"]):
        _need(switch, f"switches[{place}]", ("key", "label", "choices"))
        switches[switch["key"]] = _keys(switch["choices"], f"switches[{place}].choices")
    seen = [
        _surface(surface, f"surfaces[{i}]", methods, switches) for i, surface in enumerate(data["surfaces"])
    ]
    if twice := [key for key in seen if seen.count(key) > 1]:
        raise InputError(f"surfaces: two have method and choices {twice[0]}: give one for each combination")
    _defaults(data["defaults"], {key[0] for key in seen})


def _surface(
    surface: Mapping[str, Any], at: str, methods: Sequence[str], switches: Mapping[str, Sequence[str]]
) -> tuple[str, ...]:
    """Check a surface; its method and choices."""
    _need(surface, at, ("method", "choice", "link", "floor", "ceiling", "origin", "knots", "predictor", "support",
                        "levels", "cells", "draws", "latency", "status", "note"))  # fmt: skip
    _among(surface["method"], methods, f"{at}.method")
    _need(surface["choice"], f"{at}.choice", switches)
    for key, choices in switches.items():
        _among(surface["choice"][key], choices, f"{at}.choice.{key}")
    _among(surface["link"], LINKS, f"{at}.link")
    _rising((surface["floor"], surface["ceiling"]), f"{at}: floor and ceiling")
    _numbers(surface["origin"], 2, f"{at}.origin")
    knots = surface["knots"]
    if len(knots) < 2:
        raise InputError(f"{at}.knots: expected two or more, got {list(knots)}")
    _ordered(knots, f"{at}.knots")
    _predictor(surface["predictor"], len(knots), f"{at}.predictor")
    for place, draw in enumerate(surface["draws"]):
        _predictor(draw, len(knots), f"{at}.draws[{place}]")
        _rising([draw.get(end, surface[end]) for end in ("floor", "ceiling")], f"{at}.draws[{place}]")
    _support(surface["support"], f"{at}.support")
    for place, row in enumerate(surface.get("rates", ())):
        _need(row, f"{at}.rates[{place}]", ("target", "v", "status", "note"))
        _numbers([row["target"]], 1, f"{at}.rates[{place}].target")
        if row["v"] is not None:
            _rising(row["v"], f"{at}.rates[{place}].v")
    if surface.get("identified"):
        _numbers(surface["identified"], 2, f"{at}.identified")
    if surface["latency"] is not None:
        _numbers(surface["latency"], 3, f"{at}.latency")
    for field, numbers in (("levels", ("u",)), ("cells", ("u", "v", "score"))):
        for place, row in enumerate(surface[field]):
            _need(row, f"{at}.{field}[{place}]", numbers)
            _numbers([row[key] for key in numbers], len(numbers), f"{at}.{field}[{place}]")
    _keys(surface["levels"], f"{at}.levels", "label")
    return (surface["method"], *(surface["choice"][key] for key in switches))


def _predictor(predictor: Mapping[str, Any], knots: int, at: str) -> None:
    _need(predictor, at, ("a", "b", "d"))
    for key in ("a", "b"):
        _numbers(predictor[key], knots, f"{at}.{key}")
    _numbers([predictor["d"]], 1, f"{at}.d")


def _support(support: Mapping[str, Any], at: str) -> None:
    _need(support, at, ("u", "v"))
    for axis in ("u", "v"):
        _rising(support[axis], f"{at}.{axis}")
    rows = support.get("by_level")
    if rows is None:
        return
    for place, row in enumerate(rows):
        _need(row, f"{at}.by_level[{place}]", ("u", "v"))
        _numbers(row["v"], 2, f"{at}.by_level[{place}].v")
        if row["v"][0] > row["v"][1]:
            raise InputError(f"{at}.by_level[{place}].v: the least is above the most: {list(row['v'])}")
    if not rows:
        raise InputError(f"{at}.by_level: expected a row for each level, got none")
    _ordered([row["u"] for row in rows], f"{at}.by_level")


def _defaults(defaults: Mapping[str, Any], measured: Iterable[str]) -> None:
    _need(defaults, "defaults", ("method", "target", "volume", "price_ratio"))
    _among(defaults["method"], sorted(measured), "defaults.method")
    _numbers([defaults[key] for key in ("target", "volume", "price_ratio")], 3, "defaults")
    if not (0 < defaults["target"] < 1 and defaults["volume"] > 0 and defaults["price_ratio"] > 0):
        raise InputError(
            f"defaults: give a target in (0, 1), a volume and a price_ratio > 0, got {dict(defaults)}"
        )


def _need(mapping: Any, at: str, keys: Iterable[str]) -> None:
    if not isinstance(mapping, Mapping):
        raise InputError(f"{at}: expected a mapping, got {type(mapping).__name__}")
    if absent := [key for key in keys if key not in mapping]:
        raise InputError(f"{at} lacks {', '.join(absent)}: see the docstring of scaling.sections.explorer")


def _keys(items: Sequence[Mapping[str, Any]], at: str, field: str = "key") -> list[str]:
    """The distinct keys of options that have labels."""
    for place, item in enumerate(items):
        _need(item, f"{at}[{place}]", dict.fromkeys((field, "label")))
    keys = [item[field] for item in items]
    if len(set(keys)) < max(len(keys), 1):
        raise InputError(f"{at}: expected one or more, each with its own {field}, got {keys}")
    return keys


def _among(value: Any, known: Sequence[str], at: str) -> None:
    if value not in known:
        raise InputError(f"{at} is {value!r}, expected one of {', '.join(known)}")


def _numbers(values: Sequence[Any], count: int, at: str) -> None:
    if len(values) != count or not all(math.isfinite(x) for x in values):
        raise InputError(f"{at}: expected {count} finite numbers, got {list(values)}")


def _ordered(values: Sequence[Any], at: str) -> None:
    _numbers(values, len(values), at)
    if any(one >= other for one, other in pairwise(values)):
        raise InputError(f"{at}: expected rising numbers, got {list(values)}")


def _rising(ends: Sequence[Any], at: str) -> None:
    _numbers(ends, 2, at)
    if not ends[0] < ends[1]:
        raise InputError(f"{at}: expected a lower and a higher number, got {list(ends)}")


def _listed(data: Mapping[str, Any]) -> str:
    labels = {method["key"]: method["label"] for method in data["methods"]}
    measured = dict.fromkeys(labels[surface["method"]] for surface in data["surfaces"])
    count = len(data["surfaces"])
    return (
        "The page (`index.html`, with JavaScript) lets a reader move the target, the volume and the price over "
        f"{count} fitted {'surface' if count == 1 else 'surfaces'} of {', '.join(measured)}; its numbers are in "
        "the data beside it."
    )
