"""Why published exchange rates differ, in plain words with the numbers filled in."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from scaling.exchange.summary import eta_shown, factor
from scaling.reporting import numbers
from scaling.reporting.document import Section, Table

if TYPE_CHECKING:
    from scaling.exchange import Paired, Rate
    from scaling.study import Analysis


def differences(analysis: Analysis) -> Section:
    """Return, in plain words, why the numbers differ."""
    fits = analysis.fits
    o1, known = fits["o1"], fits["published"]
    paired, flat = fits["R1-Zero"], fits["R1-Zero, a sample as one price"]
    middle = next(
        k for k, rate in enumerate(paired.rates) if rate.eta is not None and abs(rate.at - 0.5) < 1e-9
    )
    eta = _eta(paired.rates[middle])
    smooth, steps = paired.crossings[middle], paired.interpolated[middle]
    rows = pd.DataFrame(
        [{"share": share, "eta": share * eta, "ten": 10 ** (share * eta)} for share in known.shares]
    )
    assert smooth is not None and steps is not None and o1.segments is not None
    return Section(
        "Why the numbers differ",
        (
            "**Method.** Search, longer thinking and votes are different things to buy. "
            f"{factor(10**known.eta_hex)} is what ten times the search of Hex is worth; {paired.budgets[1]} "
            f"votes of R1-Zero are worth {factor(10**smooth.saved)} its RL compute at "
            f"{numbers.percent(paired.rates[middle].at)}; more votes were not measured, and a vote cannot pass what "
            "most samples say.",
            "**Slices against a grid.** A grid sees how training and inference interact. Two slices cannot: o1's "
            f"{eta_shown(o1.rate)} is right if gains add up along straight lines; local slopes give anything from "
            f"{numbers.plain(o1.segments[0], 2)} to {numbers.plain(o1.segments[1], 2)}.",
            "**Which compute.** All of these leave pretraining out. Where a stage is a share s of all training "
            "compute, η_total = s × η: a stage that is a small add-on has a large rate of its own and hardly one in "
            "total. The table below shows what R1-Zero's rate would become.",
            "**Oracle against deployable.** Coverage (pass@k) counts a problem as solved if any sample is "
            "right, which takes somebody who knows the answer; votes and verifiers do not. Coverage prices "
            "luck: rates of Pythia's coverage, in refit_public, are not rates of anything that can be deployed "
            "without a verifier.",
            f"**What a sample costs.** Counted as {paired.budgets[1]} equal samples, R1-Zero's rate at "
            f"{numbers.percent(paired.rates[middle].at)} is {numbers.plain(_eta(flat.rates[middle]), 2)}; by the "
            f"tokens really spent it is {numbers.plain(eta, 2)}, as the later checkpoint thinks longer.",
            "**Estimator against estimator.** The same points give "
            f"{numbers.plain(eta, 2)} through smooth curves and {numbers.plain(steps.eta, 2)} through isotonic "
            f"ones{_apart(paired, middle)}.",
            "**One run.** None of the charts has a second seed, so that no interval here holds what other seeds "
            "would do.",
        ),
        tables=(
            Table(
                "total",
                "R1-Zero's rate in the middle, if its RL were a share of all training compute: η_total = share × η.",
                rows,
                headings={"share": "RL's share of all training", "eta": "η_total", "ten": "10^η_total"},
                formats={
                    "share": lambda x: numbers.percent(float(x)),
                    "eta": lambda x: numbers.plain(float(x), 2),
                    "ten": lambda x: factor(float(x)),
                },
            ),
        ),
    )


def _apart(paired: Paired, middle: int) -> str:
    """At which score both ways to draw a curve are furthest apart, against the smooth one's interval."""
    both = [
        (abs(rate.eta.value - steps.value), rate, steps)
        for rate, steps in zip(paired.rates, paired.steps, strict=True)
        if rate.eta is not None and steps is not None and rate is not paired.rates[middle]
    ]
    if not both:
        return ""
    _, rate, steps = max(both, key=lambda one: one[0])
    assert rate.eta is not None
    inside = (
        rate.eta.low is not None
        and rate.eta.high is not None
        and rate.eta.low <= steps.value <= rate.eta.high
    )
    return (
        f"; at {numbers.percent(rate.at)} they are furthest apart, {numbers.plain(rate.eta.value, 2)} and "
        f"{numbers.plain(steps.value, 2)}, {'within' if inside else 'outside'} the interval of the smooth ones: how a curve "
        "is drawn through one run is part of the answer"
    )


def _eta(rate: Rate) -> float:
    return np.nan if rate.eta is None else rate.eta.value
