"""The rate on easy, middling and hard problems apart."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from scaling.errors import FitError, InputError
from scaling.exchange import forms, links
from scaling.exchange.design import subset

if TYPE_CHECKING:
    from scaling.exchange.result import Exchange

PARTS = ("hard", "middling", "easy")
LEAST = 30
"""Problems a part below which none is made."""


def by_difficulty(found: Exchange) -> pd.DataFrame:
    """One row a third of the problems, by their mean score over all cells: problems, mean score, at, eta, low, high, status.

    The score at which a part is asked is the middle of its own cells. Chosen and measured on the same samples, which
    flattens the difference between parts where samples are few. Raises InputError for fewer than 90 problems.
    """
    from scaling.exchange.measure import measured_rate

    design = found.design
    if design.problems < LEAST * len(PARTS):
        raise InputError(f"{design.problems} problems make no three parts of {LEAST}")
    order = np.argsort(np.nanmean(design.scores, axis=(0, 1)), kind="stable")
    rows = []
    for name, chosen in zip(PARTS, np.array_split(order, len(PARTS)), strict=True):
        part = subset(design, chosen)
        score = part.cells[2]
        at = float(np.median(score))
        row = {"part": name, "problems": len(chosen), "mean": float(score.mean()), "at": at}
        try:
            rate = measured_rate(
                part, links.find(found.link), forms.find(found.form), at, found.chance, "jackknife",
                float(found.interval["level"]), 0, np.random.default_rng(found.seed),
            )  # fmt: skip
        except FitError as error:
            rows.append(row | {"eta": np.nan, "low": np.nan, "high": np.nan, "status": str(error)})
            continue
        eta = rate.eta
        ends = (np.nan, np.nan) if eta is None else (eta.low, eta.high)
        rows.append(
            row
            | {
                "eta": np.nan if eta is None else eta.value,
                "low": ends[0],
                "high": ends[1],
                "status": rate.status,
            }
        )
    return pd.DataFrame(rows)
