"""Scaling laws and train-against-inference compute tradeoffs, with honest intervals.

import scaling
fit = scaling.fit("chinchilla", frame)      # frame: a DataFrame with N, D (or C) and loss
print(fit.summary())
rate = scaling.exchange_rate(table)         # table: train_flops, infer_flops_per_problem, score (or n, c), run, problem
print(rate.summary())
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from scaling.catalogue import dataset
    from scaling.errors import FitError, InputError
    from scaling.exchange import Exchange, exchange_paired, exchange_rate, exchange_slices
    from scaling.fitting import (
        Chain,
        CountsFit,
        Fit,
        Holdout,
        IsoflopFit,
        chain,
        fit,
        fit_counts,
        fit_isoflop,
        holdout,
        sweep_optima,
    )
    from scaling.records.frame import frame
    from scaling.records.reading import read_table
    from scaling.records.tables import Records
    from scaling.samples import pass_at_k

_HOMES = {
    "Chain": "scaling.fitting",
    "CountsFit": "scaling.fitting",
    "Exchange": "scaling.exchange",
    "Fit": "scaling.fitting",
    "FitError": "scaling.errors",
    "Holdout": "scaling.fitting",
    "InputError": "scaling.errors",
    "IsoflopFit": "scaling.fitting",
    "Records": "scaling.records.tables",
    "chain": "scaling.fitting",
    "dataset": "scaling.catalogue",
    "exchange_paired": "scaling.exchange",
    "exchange_rate": "scaling.exchange",
    "exchange_slices": "scaling.exchange",
    "fit": "scaling.fitting",
    "fit_counts": "scaling.fitting",
    "fit_isoflop": "scaling.fitting",
    "frame": "scaling.records.frame",
    "holdout": "scaling.fitting",
    "pass_at_k": "scaling.samples",
    "read_table": "scaling.records.reading",
    "sweep_optima": "scaling.fitting",
}
"""The public names and where they live; each is imported when it is first asked for."""

__all__ = [
    "Chain",
    "CountsFit",
    "Exchange",
    "Fit",
    "FitError",
    "Holdout",
    "InputError",
    "IsoflopFit",
    "Records",
    "chain",
    "dataset",
    "exchange_paired",
    "exchange_rate",
    "exchange_slices",
    "fit",
    "fit_counts",
    "fit_isoflop",
    "frame",
    "holdout",
    "pass_at_k",
    "read_table",
    "sweep_optima",
]


_ROOMS = ("diagnostics", "exchange", "fitting", "laws", "samples")
"""Rooms that are there after ``import scaling``; each is imported when it is first asked for."""


def __getattr__(name: str) -> Any:
    if name in _ROOMS:
        return import_module(f"scaling.{name}")
    if name not in _HOMES:
        raise AttributeError(f"module 'scaling' has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return sorted([*globals(), *_HOMES, *_ROOMS])
