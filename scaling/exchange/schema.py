"""The keys of scaling.exchange/1, the same for grids, slices and paired curves."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from scaling.exchange.design import Design
    from scaling.exchange.result import Rate
    from scaling.fitting.parts import Warned

Dropped = tuple[tuple[Any, str], ...]


def schema(
    *, method: str, link: str, surface: str, rates: Iterable[Rate], p_value: float | None, design: Mapping[str, Any],
    convention: Mapping[str, str], interval: Mapping[str, Any], warnings: Iterable[Warned], sha256: str, command: str,
    seed: int | None,
) -> dict[str, Any]:  # fmt: skip
    """The result as nested values."""
    from importlib.metadata import version

    return {
        "schema": "scaling.exchange/1",
        "method": method,
        "link": link,
        "surface": surface,
        "rates": [rate.to_json() for rate in rates],
        "constancy": {"p_value": p_value},
        "design": dict(design),
        "convention": dict(convention),
        "interval": dict(interval),
        "warnings": [{"code": one.code, "message": one.message} for one in warnings],
        "provenance": {
            "sha256": sha256,
            "version": version("scaling-suite"),
            "command": command,
            "seed": seed,
        },
    }


def of_rows(read: int, dropped: Dropped) -> dict[str, Any]:
    """How many rows were read, and why some were left out."""
    return {"read": read, "excluded": [{"row": row, "reason": why} for row, why in dropped]}


def of_design(design: Design) -> dict[str, Any]:
    """What was measured, by number."""
    seeds, trials = design.seeds, design.trials
    told = trials is not None and bool(np.isfinite(trials).any())
    return {
        "levels": design.levels,
        "budgets": len(design.budgets),
        "runs": len(design.run_names),
        "seeds": [int(seeds.min()), int(seeds.max())],
        "shared_runs": design.shared,
        "problems": design.problems or None,
        "samples": [int(np.nanmin(trials)), int(np.nanmax(trials))] if told and trials is not None else None,
        "rows": of_rows(design.read, design.dropped),
    }
