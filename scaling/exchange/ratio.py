"""A bound for a ratio whose denominator may be nil (Fieller 1954)."""

import numpy as np

from scaling.exchange.uncertainty import LeftOut, components
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
