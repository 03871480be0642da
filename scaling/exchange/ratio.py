"""Intervals for a ratio whose denominator may be nil: Fieller's (1954), and that of two Student distributions."""

import numpy as np

from scaling.exchange.uncertainty import LeftOut, components
from scaling.fitting.parts import Estimate
from scaling.laws.base import Array


def fieller(
    top: float, bottom: float, top_var: float, bottom_var: float, covariance: float, reach: float
) -> tuple[float, float]:
    """Roots r of (top - r bottom)^2 = reach^2 Var(top - r bottom), the lower first; NaN where there are none.

    Where bottom differs from 0 by more than `reach` standard errors they are the ends of the interval; else the set lies
    outside of them, and the higher root bounds a ratio with a positive denominator from below.
    """
    a = bottom**2 - reach**2 * bottom_var
    b = top * bottom - reach**2 * covariance
    c = top**2 - reach**2 * top_var
    inside = b**2 - a * c
    if inside < 0 or a == 0:
        return np.nan, np.nan
    roots = sorted(((b - np.sqrt(inside)) / a, (b + np.sqrt(inside)) / a))
    return float(roots[0]), float(roots[1])


def lower_bound(slopes: Array, runs: Array, problems: Array, without: LeftOut, level: float) -> float | None:
    """The lower end of eta = slope in v over slope in u (2,), from both without each run and problem; None without one."""
    top, bottom, both = (
        components(without, of_runs, of_problems)
        for of_runs, of_problems in (
            (runs[:, 0], problems[:, 0]),
            (runs[:, 1], problems[:, 1]),
            (runs.sum(axis=1), problems.sum(axis=1)),
        )
    )
    if slopes[0] < top.reach(level):
        return None
    covariance = 0.5 * (both.total - top.total - bottom.total)
    freedom = min(top.freedom, bottom.freedom)
    from scipy.special import stdtrit

    reach = float(stdtrit(freedom, 0.5 * (1 + level)))
    _, low = fieller(float(slopes[0]), float(slopes[1]), top.total, bottom.total, covariance, reach)
    return low if np.isfinite(low) and low > 0 else None


def at_least(value: float, low: float) -> Estimate:
    """A ratio of which a lower end alone is known; its value is infinite where the denominator came out nil or negative."""
    return Estimate(value if value >= low else np.inf, low, np.inf)


NODES = 1001
"""Equally likely values of the denominator over which the ratio's distribution is a mean."""


def ratio_of_students(
    top: Estimate, top_freedom: int, bottom: Estimate, bottom_freedom: int, level: float
) -> tuple[float, float]:
    """The central `level` of T / B, each value + se t(freedom) and independent; a B of 0 or less is an infinite ratio.

    P(T / B < r) = E[P(T < r B); B > 0] + P(T < 0) P(B <= 0). An end is infinite where that much of the ratio is.
    """
    from scipy.optimize import brentq
    from scipy.special import stdtr, stdtrit

    tiny = np.finfo(float).tiny
    shares = (np.arange(NODES) + 0.5) / NODES
    bottoms = bottom.value + (bottom.se or 0.0) * stdtrit(bottom_freedom, shares)
    width = max(top.se or 0.0, tiny, abs(top.value) * 1e-12)
    below = float(stdtr(top_freedom, -top.value / width)) * float((bottoms <= 0).mean())
    bottoms = bottoms[bottoms > 0]

    def lacks(angle: float, share: float) -> float:
        at = np.tan(angle) * bottoms
        return float(stdtr(top_freedom, (at - top.value) / width).sum()) / NODES + below - share

    tail, end = 0.5 * (1 - level), 0.5 * np.pi - 1e-9
    ends = []
    for share in (tail, 1 - tail):
        if lacks(-end, share) >= 0:
            ends.append(-np.inf)
        elif lacks(end, share) <= 0:
            ends.append(np.inf)
        else:
            ends.append(float(np.tan(brentq(lacks, -end, end, args=(share,), xtol=1e-12))))
    return ends[0], ends[1]
