"""How many seeds and problems an interval of a width takes, from where the variance of a measured rate comes from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from scaling.errors import InputError
from scaling.exchange.uncertainty import Components
from scaling.fitting import checks

if TYPE_CHECKING:
    import pandas as pd

    from scaling.exchange.result import Exchange, Rate

MOST = 100_000
FURTHEST = 300.0
"""Half the width of an interval of ln eta beyond which it says nothing."""


@dataclass(frozen=True)
class Plan:
    """Widths of the interval of log10 of a rate (a factor) at another design."""

    at: float
    run: float
    """Variance of ln eta from one run a level."""
    run_freedom: float
    """Degrees of freedom of that, a run beyond the first at each level."""
    problem: float
    """Variance of ln eta from one problem."""
    level: float
    eta: float

    def width(self, seeds: int, problems: int) -> float:
        """The interval's width in eta with so many runs a level and problems, or with some of the problems if that is less.

        Fewer problems can give a narrower interval where runs are few: Student's quantile falls as the part of the
        variance with many degrees of freedom grows.
        """
        return min(
            self._width(seeds, problems / 2**halving)
            for halving in range(10)
            if halving == 0 or problems >= 2**halving * 10
        )

    def _width(self, seeds: int, problems: float) -> float:
        parts = Components(
            self.run / seeds,
            self.run_freedom * (seeds - 1),
            self.problem / problems,
            max(problems - 1.0, 1.0),
        )
        reach = min(parts.reach(self.level), FURTHEST)
        return float(self.eta * (np.exp(reach) - np.exp(-reach)))

    def seeds_for(self, width: float, problems: int) -> int | None:
        """Fewest runs a level, 2 or more, for an interval of at most `width` in eta; None where problems alone exceed it."""
        checks.number("width", width)
        if self.width(MOST, problems) > width:
            return None
        low, high = 2, MOST
        while low < high:
            middle = (low + high) // 2
            low, high = (low, middle) if self.width(middle, problems) <= width else (middle + 1, high)
        return low


def plan(found: Exchange, rate: Rate) -> Plan:
    """What the components of a rate say of other designs with the same levels and budgets.

    Raises InputError for a rate without components of log eta, and a design without two runs a level.
    """
    parts, design = rate.components, found.design
    if parts is None or rate.eta is None or not parts.total:
        raise InputError(f"the rate at {rate.at:g} has no variance to plan from")
    if not parts.of_log:
        raise InputError(
            f"the rate at {rate.at:g} is not surely positive, and widths are planned as factors of it; choose a score at "
            "which it is"
        )
    seeds = float(design.seeds.mean())
    if seeds < 2 or not design.problems:
        raise InputError("planning takes at least two runs a level and problems told apart")
    return Plan(
        rate.at,
        parts.run * seeds,
        parts.run_freedom / (seeds - 1),
        parts.problem * design.problems,
        float(found.interval["level"]),
        rate.eta.value,
    )


def planning_table(found: Exchange, rate: Rate) -> pd.DataFrame:
    """The width of the interval by runs a level and problems."""
    import pandas as pd

    one = plan(found, rate)
    seeds = sorted({2, 3, 5, 8, 12, 20, int(found.design.seeds.min())} - {1})
    problems = sorted({30, 128, 500, 2000, found.design.problems})
    return pd.DataFrame([{"seeds": s} | {f"{p} problems": one.width(s, p) for p in problems} for s in seeds])
