"""Elo on a frontier of training compute, board size by board size: an incline between two ends.

    elo(C, s) = clip(m_C log10 C + m_s s + c, p_s s + p, 0)

with s the board size, the incline linear in log10 C and s, the plateau of untrained play linear in s, and perfect play at
0 (Jones 2021, arXiv:2104.03113, section 3). A board larger by one needs 10^(-m_s / m_C) times the compute.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from scaling.errors import FitError, InputError
from scaling.fitting.parts import Estimate
from scaling.fitting.rows import number_column
from scaling.laws.base import Array

if TYPE_CHECKING:
    import pandas as pd

NAMES = ("incline_compute", "incline_size", "incline_constant", "plateau_size", "plateau_constant")
STARTS = (
    (500.0, -400.0, -4000.0, -250.0, 500.0),
    (300.0, -300.0, -2000.0, -200.0, 300.0),
    (800.0, -600.0, -6000.0, -300.0, 700.0),
)
SCALE = (100.0, 100.0, 1000.0, 100.0, 100.0)


@dataclass(frozen=True)
class ChangePoint:
    """The fitted frontier."""

    parameters: dict[str, Estimate]
    """By name, with Student's interval from leaving out each board size."""
    per_size: Estimate
    """Times the compute that a board larger by one needs."""
    rms: float
    """Root mean square residual, Elo."""
    rows: int
    sizes: int

    def to_json(self) -> dict[str, Any]:
        """Its numbers."""
        return {
            "parameters": {name: one.to_json() for name, one in self.parameters.items()},
            "times_compute_a_size": self.per_size.to_json(),
            "rms_elo": self.rms,
            "rows": self.rows,
            "sizes": self.sizes,
        }

    def predict(self, compute: Array, size: Array) -> Array:
        """Elo at training compute [FLOP] and board size."""
        values = np.array([one.value for one in self.parameters.values()])
        return _curve(values, np.log10(compute), size)


def change_point(frame: pd.DataFrame, *, level: float = 0.95) -> ChangePoint:
    """Fit the law by least squares to columns train_flops, boardsize, elo_frontier.

    Points of a frontier of one size are no independent runs, so intervals come from leaving out whole sizes. Raises
    InputError for a missing column, FitError for fewer than 4 sizes.
    """
    from scipy.special import stdtrit

    for name in ("train_flops", "boardsize", "elo_frontier"):
        if name not in frame:
            raise InputError(
                f"the frontier has no column {name}; give train_flops, boardsize and elo_frontier"
            )
    x, size, elo = (number_column(frame, name) for name in ("train_flops", "boardsize", "elo_frontier"))
    x = np.log10(x)
    sizes = np.unique(size)
    if len(sizes) < 4:
        raise FitError(
            f"{len(sizes)} board sizes do not tell two lines in size with their error; at least 4 are needed"
        )
    whole = _fit(x, size, elo, STARTS)
    without = np.stack([_fit(x[size != s], size[size != s], elo[size != s], (whole,)) for s in sizes])
    reach = float(stdtrit(len(sizes) - 1, 0.5 * (1 + level)))

    def estimate(value: float, others: Array) -> Estimate:
        error = float(np.sqrt((len(sizes) - 1) / len(sizes) * np.sum((others - others.mean()) ** 2)))
        return Estimate(value, value - reach * error, value + reach * error, error)

    decades = estimate(-whole[1] / whole[0], -without[:, 1] / without[:, 0])
    assert decades.low is not None and decades.high is not None
    return ChangePoint(
        parameters={name: estimate(float(whole[k]), without[:, k]) for k, name in enumerate(NAMES)},
        per_size=Estimate(10**decades.value, 10**decades.low, 10**decades.high),
        rms=float(np.sqrt(np.mean((_curve(whole, x, size) - elo) ** 2))),
        rows=len(elo),
        sizes=len(sizes),
    )


def _curve(p: Array, x: Array, size: Array) -> Array:
    return np.asarray(np.clip(p[0] * x + p[1] * size + p[2], p[3] * size + p[4], 0.0))


def _fit(x: Array, size: Array, elo: Array, starts: tuple[Any, ...]) -> Array:
    from scipy.optimize import least_squares

    def residuals(p: Array) -> Array:
        return _curve(p, x, size) - elo

    found = [least_squares(residuals, start, x_scale=SCALE) for start in starts]
    return np.asarray(min(found, key=lambda one: float(one.cost)).x)
