"""The rate on easy and hard problems apart: by the difficulties that a column tells, else by thirds."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from scaling.errors import FitError, InputError
from scaling.exchange import forms, links
from scaling.exchange.design import Design, Whole, subset

if TYPE_CHECKING:
    from scaling.exchange.result import Exchange

PARTS = ("hard", "middling", "easy")
MOST = 12
"""Difficulties beyond which a row each is no help."""
LEAST = 30
"""Problems a part below which none is made."""


def parts(design: Design) -> dict[str, Whole]:
    """Problems of each part, by place: by the column difficulty, else thirds by mean score over all cells.

    Raises InputError where there are not two difficulties of 30 problems, nor 90 problems in all.
    """
    told = {
        name: np.flatnonzero(design.problem_group == k + 1) for k, name in enumerate(design.stratum_names)
    }
    told = {name: places for name, places in told.items() if len(places) >= LEAST}
    if 1 < len(told) <= MOST:
        return told
    if design.problems < LEAST * len(PARTS):
        raise InputError(f"{design.problems} problems make no three parts of {LEAST}")
    order = np.argsort(np.nanmean(design.scores, axis=(0, 1)), kind="stable").astype(np.intp)
    return dict(zip(PARTS, np.array_split(order, len(PARTS)), strict=True))


def by_difficulty(found: Exchange) -> pd.DataFrame:
    """One row a part of the problems: part, problems, mean score, at, eta, low, high, status.

    The score at which a part is asked is the middle of its own cells. Thirds are chosen and measured on the same samples,
    which flattens the difference between them where samples are few. InputError as `parts`.
    """
    from scaling.exchange.measure import measured_rate

    design = found.design
    rows = []
    for name, chosen in parts(design).items():
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
