"""A straight line through one slice of a grid, where one of both computes varies alone."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from scaling.errors import InputError
from scaling.exchange.links import LINEAR, Link
from scaling.fitting.parts import Estimate
from scaling.fitting.rows import number_column
from scaling.laws.base import Array

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class Line:
    """A straight line through one slice, on the link's scale."""

    x: Array
    """log10 compute, (n,)."""
    score: Array
    """(n,)."""
    slope: Estimate
    """A decade, with Student's interval of least squares."""
    intercept: float
    robust: Estimate
    """Theil's and Sen's slope, the median over pairs of points, with its interval."""
    rms: float
    """Root mean square residual, on n - 2."""

    @property
    def freedom(self) -> int:
        """N - 2."""
        return len(self.x) - 2


def line_through(
    frame: pd.DataFrame, column: str, name: str, link: Link, within: tuple[float, float] | None, level: float
) -> Line:
    """Return the line through a slice's usable rows; InputError for columns that are missing and fewer than 3 points."""
    from scipy.stats import theilslopes
    from statsmodels.api import OLS, add_constant

    for needed in (column, "score"):
        if needed not in frame:
            raise InputError(f"the {name} slice has no column {needed}; give --map {needed}=EXPR")
    x, score = number_column(frame, column), number_column(frame, "score")
    keep = (x > 0) & np.isfinite(x) & np.isfinite(score)
    if link is not LINEAR and keep.any() and (score[keep].min() <= 0 or score[keep].max() >= 1):
        raise InputError(
            f"the {name} slice has scores from {score[keep].min():g} to {score[keep].max():g}; the {link.name} "
            "link takes shares between 0 and 1: rescale by --map score=EXPR, or give --link linear"
        )
    if within is not None:
        keep &= (score >= within[0]) & (score <= within[1])
    x, score = np.log10(x[keep]), score[keep]
    if len(x) < 3 or np.ptp(x) == 0:
        raise InputError(
            f"the {name} slice has {len(x)} usable points; a slope with its error takes at least 3 computes"
        )
    y = link.scale(score)
    fit = OLS(y, add_constant(x)).fit()
    low, high = fit.conf_int(1 - level)[1]
    sen = theilslopes(y, x, level)
    return Line(
        x,
        score,
        Estimate(float(fit.params[1]), float(low), float(high), float(fit.bse[1])),
        float(fit.params[0]),
        Estimate(float(sen.slope), float(sen.low_slope), float(sen.high_slope)),
        float(np.sqrt(fit.mse_resid)),
    )


def local_rates(train: Line, infer: Line, link: Link) -> tuple[float, float] | None:
    """Least and most ratio of local slopes of both slices at one score."""
    low, high, down = _windows(train, link)
    below, above, up = _windows(infer, link)
    meet = np.maximum.outer(low, below) < np.minimum.outer(high, above)
    there, over = np.nonzero(meet & (down > 0)[:, None] & np.isfinite(up))
    ratios = up[over] / down[there]
    return (float(ratios.min()), float(ratios.max())) if len(ratios) else None


def _windows(line: Line, link: Link) -> tuple[Array, Array, Array]:
    """Lowest and highest score, and slope, of each three neighbours, (n - 2,) each."""
    order = np.argsort(line.x)
    x, score, y = (
        np.lib.stride_tricks.sliding_window_view(one[order], 3)
        for one in (line.x, line.score, link.scale(line.score))
    )
    x = x - x.mean(axis=1, keepdims=True)
    with np.errstate(invalid="ignore", divide="ignore"):
        slope = (x * y).sum(axis=1) / (x * x).sum(axis=1)
    return score.min(axis=1), score.max(axis=1), slope
