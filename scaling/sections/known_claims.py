"""What others wrote of exchange rates, as numbers, and verdicts on it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from scaling.exchange.summary import eta_shown, factor, multiple
from scaling.reporting import numbers
from scaling.reporting.document import Verdict

if TYPE_CHECKING:
    from scaling.exchange import Paired, Slices


@dataclass(frozen=True)
class Published:
    """What others wrote, as numbers."""

    test_per_train: float = -1.2
    """Jones 2021 (arXiv:2104.03113), 9x9 Hex: log10 test compute = -1.2 log10 train compute + .004 Elo + 29."""
    incline: tuple[float, float, float] = (510.0, -430.0, -4400.0)
    """Jones 2021: Elo a decade of compute, a board size, and the constant of the incline."""
    plateau: tuple[float, float] = (-270.0, 570.0)
    """Jones 2021: Elo a board size, and the constant, of untrained play."""
    per_size: float = 7.0
    """Jones 2021: times the compute a board size."""
    thinking: float = 20.0
    """The essay: times the RL compute that 10x inference is worth for o1 on AIME, eyeballed off the two panels."""
    search: float = 7.0
    """The essay: the same for AlphaGo-like search."""
    shares: tuple[float, ...] = (0.01, 0.1, 0.5, 1.0)
    """Shares of all training compute that a stage may be, for the table of conventions."""

    @property
    def eta_hex(self) -> float:
        """-1 / test_per_train: decades of training that a decade of search replaces."""
        return -1.0 / self.test_per_train

    def to_json(self) -> dict[str, Any]:
        """Its numbers."""
        return {
            "hex_test_per_train": self.test_per_train,
            "hex_eta": self.eta_hex,
            "hex_incline": list(self.incline),
            "hex_plateau": list(self.plateau),
            "hex_times_a_size": self.per_size,
            "essay_thinking": self.thinking,
            "essay_search": self.search,
        }


@dataclass(frozen=True)
class Rows:
    """Rows as read."""

    frame: pd.DataFrame

    def to_json(self) -> dict[str, int]:
        """How many there are."""
        return {"rows": len(self.frame)}


def thinking(o1: Slices, known: Published) -> Verdict:
    """The 20x beside the interval of the slopes and the range of local ones."""
    rate, claim = o1.rate, np.log10(known.thinking)
    assert rate.eta is not None and rate.eta.low is not None and rate.eta.high is not None
    assert rate.multiplier is not None and o1.segments is not None
    inside = rate.eta.low <= claim <= rate.eta.high
    local = o1.segments[0] <= claim <= o1.segments[1]
    where = "inside" if inside else "outside"
    rest = (
        f"but inside what local slopes give, η from {numbers.plain(o1.segments[0], 2)} to "
        f"{numbers.plain(o1.segments[1], 2)}: it is not excluded, as two slices do not measure an interaction"
        if local and not inside
        else "and the local slopes do not change that"
    )
    text = (
        f"o1 on AIME: the essay's {factor(known.thinking)} (η = {numbers.plain(claim, 3)}) lies {where} the "
        f"interval of straight lines, η = {eta_shown(rate)} or {multiple(rate.multiplier)}, {rest}."
    )
    return Verdict(text, "supported" if inside else "not identified" if local else "contradicted")


def search(known: Published) -> Verdict:
    """Return the essay's number for games beside the published one for Hex."""
    eta, claim = known.eta_hex, np.log10(known.search)
    close = abs(10**eta / known.search - 1) < 0.1
    text = (
        f"Games: the essay's {factor(known.search)} is the {factor(10**eta)} (η = {numbers.plain(eta, 2)}) of "
        f"the law published for Hex on 9x9, log10 test = {numbers.plain(known.test_per_train, 2)} log10 train + "
        "..., rounded; it was printed without an interval, for Hex, and is no measurement of AlphaGo."
    )
    if not close:
        said = f"{factor(known.search)} (η = {numbers.plain(claim, 2)})"
        text = f"Games: the essay's {said} is not the published {factor(10**eta)}."
    return Verdict(text, "supported" if close else "contradicted")


def votes(paired: Paired) -> Verdict:
    """Return the rates of votes on R1-Zero."""
    measured = [rate for rate in paired.rates if rate.eta is not None]
    told = ", ".join(f"{eta_shown(rate)} at {numbers.percent(rate.at)}" for rate in measured)
    return Verdict(
        f"DeepSeek-R1-Zero, {paired.budgets[1]} votes against one sample, one run: η = {told}; undefined above "
        f"{numbers.percent(paired.ceiling, 4)}, which the votes do not pass.",
        "measured",
    )
