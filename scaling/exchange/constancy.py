"""Whether one rate serves a whole surface: P = g(log C_train + eta log C_infer) with g monotone, against the cells.

The curvature of P alone does not refute a constant rate: g takes it up. Shapes: D draws, M cells.
"""

import numpy as np

from scaling.exchange.forms import SingleIndex
from scaling.exchange.links import Link
from scaling.exchange.result import Constancy
from scaling.exchange.surface import fit_surfaces
from scaling.laws.base import Array

TRIALS = 41
"""Rates that are tried."""
REACH = 5.0
"""Factor about the mean rate within which a constant one is looked for."""


def constancy(
    u: Array, v: Array, score: Array, weight: Array, draws: Array, link: Link, floor: float, around: float
) -> Constancy:
    """Likelihood ratio of a constant rate against the cells themselves, with its distribution from `draws` (D, M).

    The draws' deviations are set upon the surface with the best constant rate, which is fitted again to each: what other
    runs and problems do to the ratio where the rate is constant. `around` is a rate near which to look.
    """
    rates = max(around, 0.02) * np.geomspace(1 / REACH, REACH, TRIALS)
    fitted = fit_surfaces(SingleIndex(rates), u, v, score[None], weight, link, floor=floor)
    expected = fitted.score(u, v)[0]
    simulated = expected + draws - score
    if link.name != "linear":
        simulated = np.clip(simulated, 0.0, 1.0)
    again = fit_surfaces(
        SingleIndex(rates), u, v, simulated, weight, link, floor=floor, candidates=fitted.candidates
    )
    statistic = float(fitted.deviance[0])
    beyond = int(np.sum(again.deviance >= statistic))
    return Constancy((beyond + 1) / (len(draws) + 1), float(fitted.shape[0]), statistic)
