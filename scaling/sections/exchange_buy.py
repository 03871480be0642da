"""What to buy: the cheapest training and inference for a score against the problems of a lifetime."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from scaling.errors import InputError
from scaling.exchange.break_even import break_even_levels
from scaling.exchange.purchase import LOST, WORDS, Purchase, isoquant
from scaling.reporting import numbers, plots
from scaling.reporting.document import Figure, Section, Table, Verdict
from scaling.reporting.style import CATEGORICAL

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from scaling.exchange import Exchange, Rate

VOLUMES = 49
"""Volumes along the figure."""
REACH = 3.0
"""Decades of volume on either side of where training and inference cost the same."""


@dataclass(frozen=True)
class Terms:
    """At what terms is bought."""

    volume: float | None = None
    """Problems over the lifetime; None for one at which training and inference cost about the same."""
    infer_price: float = 1.0
    """Price of a unit of inference compute over one of training."""
    most_tokens: float | None = None
    """Most tokens one after the other; None for no cap."""


def buy_section(found: Exchange, terms: Terms, units: tuple[str, str]) -> Section | None:
    """Return what to buy at the middle score that has a rate; None where none has."""
    rated, rate = _rated(found), rate_bought(found)
    if rate is None:
        return None
    price = terms.infer_price
    middle = balanced(found, rate, price)
    try:
        along = isoquant(found, rate.at, terms.most_tokens)
        volumes = middle * 10 ** np.linspace(-REACH, REACH, VOLUMES)
        bought = [along.cheapest(float(v), infer_price=price) for v in volumes]
    except InputError:  # the cap rules out all of it
        return None
    middle = middle if terms.volume is None else terms.volume
    chosen = []
    for one in rated:
        with contextlib.suppress(InputError):
            chosen.append(
                isoquant(found, one.at, terms.most_tokens).cheapest(float(middle), infer_price=price)
            )
    cap = (
        ""
        if terms.most_tokens is None
        else f" No more than {numbers.plain(terms.most_tokens)} tokens one after the other."
    )
    return Section(
        "What to buy",
        (
            "A rate without a volume is no advice: training is paid once, inference for every problem. The "
            "cheapest point of an isoquant for V problems has spend on inference / spend on training = η, so "
            "that training's share is 1 / (1 + η), if d η / d ln C_infer < η (1 + η) there; else, and where "
            "the optimum lies beyond what was measured, the cheapest measured point is a corner.",
            f"Prices: a unit of inference compute ({units[1]}) costs {numbers.plain(price, 3)} times a unit of "
            f"training compute ({units[0]}).{cap}",
        ),
        (_verdict(next(one for one in chosen if one.at == rate.at)),),
        figures=(_figure(bought, rate.at),),
        tables=(_purchases(chosen), *_even(found, rate, terms)),
    )


def _rated(found: Exchange) -> list[Rate]:
    return [rate for rate in found.rates if rate.eta is not None and rate.status != "one-sided"]


def rate_bought(found: Exchange) -> Rate | None:
    """Return the rate at the score that is bought: the middle one of those that have one."""
    rated = _rated(found)
    return rated[len(rated) // 2] if rated else None


def balanced(found: Exchange, rate: Rate, infer_price: float) -> float:
    """The volume at which the middle of a rate's piece costs the same to train and to serve; 1e6 without a piece."""
    if rate.span is None:
        return 1e6
    u = 0.5 * (rate.span.train_low + rate.span.train_high)
    v = 0.5 * (rate.span.low + rate.span.high)
    return float(10 ** (u - v) / infer_price)


def _verdict(one: Purchase) -> Verdict:
    return Verdict(
        f"For {numbers.quantity(one.volume)} problems at a score of {numbers.plain(one.at)} the cheapest measured "
        f"point spends {numbers.percent(one.train_share.value)} on training: {WORDS[one.kind]} (local η = "
        f"{numbers.plain(one.eta, 2)}).",
        "measured",
    )


def _figure(bought: list[Purchase], at: float) -> Figure:
    rows = pd.DataFrame(
        [
            {
                "volume": one.volume, "cost": one.cost.value, "low": one.cost.low, "high": one.cost.high,
                "training": one.cost.value * one.train_share.value,
                "inference": one.cost.value * (1 - one.train_share.value), "kind": one.kind,
            }
            for one in bought
        ]
    )  # fmt: skip
    inside = rows[rows["kind"] == "interior"]
    cheapest = "Cheapest, with its interval" if rows["low"].notna().any() else "Cheapest"

    def draw(axes: Axes) -> None:
        plots.scales(
            axes, "Problems over the lifetime V", "Lifetime cost (units of training compute)", log="xy"
        )
        if len(inside):
            plots.region(
                axes,
                "Optimum within what was measured",
                float(inside["volume"].min()),
                float(inside["volume"].max()),
            )
        plots.curves(axes, rows, "volume", "cost", low="low", high="high", label=cheapest)
        plots.curves(
            axes,
            rows,
            "volume",
            "training",
            label="Of it training",
            dashed=True,
            colour=CATEGORICAL[1],
        )
        plots.curves(
            axes,
            rows,
            "volume",
            "inference",
            label="Of it inference",
            dashed=True,
            colour=CATEGORICAL[2],
        )
        plots.legend(axes)

    return Figure(
        "lifetime-cost",
        f"Cost of reaching a score of {numbers.plain(at)} against the lifetime's problems, at the cheapest "
        "measured mix.",
        draw,
        rows,
        "Lifetime cost rising with volume, flat where training dominates.",
    )


def _purchases(chosen: list[Purchase]) -> Table:
    rows = pd.DataFrame(
        [
            {
                "at": one.at, "train": one.train.value, "infer": one.infer.value,
                "share": one.train_share.value, "low": one.train_share.low, "high": one.train_share.high,
                "eta": one.eta, "steepening": one.steepening, "kind": one.kind,
            }
            for one in chosen
        ]
    )  # fmt: skip
    return Table(
        "purchases",
        f"The cheapest measured point for {numbers.quantity(chosen[0].volume)} problems; an optimum inside needs "
        "d η / d ln C_infer below η (1 + η), else it is a corner.",
        rows,
        headings={
            "at": "score", "train": "C_train", "infer": "C_infer", "share": "training's share",
            "eta": "local η", "steepening": "dη/d ln C", "kind": "",
        },
        formats={name: lambda x: numbers.quantity(float(x)) for name in ("train", "infer")}
        | {name: lambda x: numbers.plain(float(x), 2) for name in ("eta", "steepening")},
        estimates={"share": ("low", "high")},
    )  # fmt: skip


def _lost(share: float) -> str:
    return (
        f"{numbers.percent(share)} of the draws, where neither gets there, left out" if share > LOST else ""
    )


def _even(found: Exchange, rate: Rate, terms: Terms) -> list[Table]:
    """From which volume on the next training level pays."""
    level_u = np.sort(found.design.level_curves()[0])
    rows = []
    for k in range(len(level_u) - 1):
        try:
            one = break_even_levels(
                found, rate.at, k, k + 1, infer_price=terms.infer_price, most_tokens=terms.most_tokens
            )
        except InputError:
            continue
        rows.append(
            {
                "less": 10 ** level_u[k], "more": 10 ** level_u[k + 1],
                "volume": np.nan if one.volume is None else one.volume.value,
                "low": np.nan if one.volume is None else one.volume.low,
                "high": np.nan if one.volume is None else one.volume.high,
                "reason": one.reason or _lost(one.lost),
            }
        )  # fmt: skip
    if not rows:
        return []
    return [
        Table(
            "break-even",
            "Problems from which the better trained of two neighbouring levels is the cheaper one, at "
            f"{numbers.plain(rate.at)}: V = (C_B − C_A) / (price × (c_A − c_B)). An end of 0: the less trained one may "
            "not get there at all.",
            pd.DataFrame(rows),
            headings={"less": "A, C_train", "more": "B, C_train", "volume": "V", "reason": ""},
            formats={name: lambda x: numbers.quantity(float(x)) for name in ("less", "more")},
            estimates={"volume": ("low", "high")},
        )
    ]
