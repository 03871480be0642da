"""The same table under every convention that its columns tell apart: how far the ledger decides the rate."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import pandas as pd

from scaling.errors import FitError, InputError
from scaling.exchange.ledger import possible
from scaling.exchange.measure import exchange_rate
from scaling.exchange.table import METHODS

if TYPE_CHECKING:
    from scaling.exchange.result import Exchange, Rate


def sensitivity(
    frame: pd.DataFrame,
    at: Sequence[float],
    rates: Callable[[Exchange], Sequence[Rate]] = lambda one: one.rates,
    **options: Any,
) -> tuple[pd.DataFrame, list[Exchange]]:
    """One row a convention and score: train, verifier, prefill, currency, at, eta, low, high, status; and the measurements.

    `rates` says which rates of a measurement count, by default its own. `options` are those of `exchange_rate`, but for
    `ledger`. A convention that cannot be measured has its reason as status.
    """
    rows: list[dict[str, Any]] = []
    found: list[Exchange] = []
    together = options.get("method") in METHODS[1:] and "method" not in frame
    for ledger in possible(frame, together):
        said: dict[str, Any] = dict(ledger.words())
        try:
            one = exchange_rate(frame, at=at, ledger=ledger, backtested=False, **options)
        except (InputError, FitError) as error:
            rows.append(said | {"at": None, "eta": None, "low": None, "high": None, "status": str(error)})
            continue
        found.append(one)
        for rate in rates(one):
            eta = rate.eta
            rows.append(
                said
                | {
                    "at": rate.at,
                    "eta": None if eta is None else eta.value,
                    "low": None if eta is None else eta.low,
                    "high": None if eta is None else eta.high,
                    "status": rate.status,
                }
            )
    return pd.DataFrame(rows), found
