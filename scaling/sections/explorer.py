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
        coefficients         [b0, bu, bv, buv] of P = floor + (ceiling - floor) h(b0 + bu u + bv v + buv u v),
                             u = log10 training compute, v = log10 inference compute per problem
        support              {u: [low, high], v: [low, high]}, what was measured
        levels               [{label, u}], checkpoints along training; labels differ
        cells                [{u, v, score}], measured points
        draws                [[b0, bu, bv, buv]], of the bootstrap, for bands and intervals: 50 to 200, or none
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
from typing import Any

from scaling.errors import InputError
from scaling.reporting.document import Interactive

SCRIPTS = ("numbers", "words", "drawing", "cost", "controls", "")
"""The parts of the page's script, in order: `explorer_<part>.js`, last `explorer.js`."""
LINKS = ("logit", "cloglog", "linear")
"""Links from the linear form to a score."""

_CAPTION = (
    "Inference against training compute at equal score. Move the target, the lifetime volume and the price to see the "
    "exchange rate η = − d log C_train / d log C_infer, the cheapest mix and its interval over the bootstrap draws. "
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
    _need(surface, at, ("method", "choice", "link", "floor", "ceiling", "coefficients", "support", "levels", "cells",
                        "draws", "latency", "status", "note"))  # fmt: skip
    _among(surface["method"], methods, f"{at}.method")
    _need(surface["choice"], f"{at}.choice", switches)
    for key, choices in switches.items():
        _among(surface["choice"][key], choices, f"{at}.choice.{key}")
    _among(surface["link"], LINKS, f"{at}.link")
    _rising((surface["floor"], surface["ceiling"]), f"{at}: floor and ceiling")
    _numbers(surface["coefficients"], 4, f"{at}.coefficients")
    _need(surface["support"], f"{at}.support", ("u", "v"))
    for axis in ("u", "v"):
        _rising(surface["support"][axis], f"{at}.support.{axis}")
    for place, draw in enumerate(surface["draws"]):
        _numbers(draw, 4, f"{at}.draws[{place}]")
    if surface["latency"] is not None:
        _numbers(surface["latency"], 3, f"{at}.latency")
    for field, numbers in (("levels", ("u",)), ("cells", ("u", "v", "score"))):
        for place, row in enumerate(surface[field]):
            _need(row, f"{at}.{field}[{place}]", numbers)
            _numbers([row[key] for key in numbers], len(numbers), f"{at}.{field}[{place}]")
    _keys(surface["levels"], f"{at}.levels", "label")
    return (surface["method"], *(surface["choice"][key] for key in switches))


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


def _rising(ends: Sequence[Any], at: str) -> None:
    _numbers(ends, 2, at)
    if not ends[0] < ends[1]:
        raise InputError(f"{at}: expected a lower and a higher number, got {list(ends)}")


def _listed(data: Mapping[str, Any]) -> str:
    labels = {method["key"]: method["label"] for method in data["methods"]}
    measured = dict.fromkeys(labels[surface["method"]] for surface in data["surfaces"])
    count = len(data["surfaces"])
    return (
        f"The page (`index.html`, with JavaScript) lets a reader move the target, the volume and the price over {count} "
        f"fitted {'surface' if count == 1 else 'surfaces'} of {', '.join(measured)}; its numbers are in the data beside it."
    )
