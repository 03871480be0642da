"""Whether one rate serves a whole surface: P = g(log C_train + eta log C_infer) with g monotone, against the cells.

The curvature of P alone does not refute a constant rate: g takes it up. Shapes: D draws, M cells.
"""

from dataclasses import replace

import numpy as np

from scaling.exchange.forms import SingleIndex
from scaling.exchange.links import Link
from scaling.exchange.result import Constancy
from scaling.exchange.surface import ASYMPTOTE, fit_surfaces
from scaling.laws.base import Array

TRIALS = 41
"""Rates that are tried."""
REACH = 5.0
"""Factor about the mean rate within which a constant one is looked for."""
FEWEST, MOST = 5, 10
"""Pieces of g: half as many as cells, between these. Where cells are precise, a curve that few pieces cannot follow would
look like no constant rate."""
FINER = 4
"""Rates on either side of the best that are tried between its neighbours, and again between theirs: one that lies between
two that are tried would look like none."""


def constancy(
    u: Array, v: Array, score: Array, weight: Array, draws: Array, link: Link, floor: float, around: float
) -> Constancy:
    """Likelihood ratio of a constant rate against the cells themselves, with its distribution from `draws` (D, M).

    The draws' deviations are set upon the surface with the best constant rate, which is fitted again to each: what other
    runs and problems do to the ratio where the rate is constant. `around` is a rate near which to look.
    """
    pieces = min(max(len(u) // 2, FEWEST), MOST)
    rates = max(around, 0.02) * np.geomspace(1 / REACH, REACH, TRIALS)
    best = fit_surfaces(SingleIndex(rates, pieces=pieces), u, v, score[None], weight, link, floor=floor)
    candidates, step = list(best.candidates), rates[1] / rates[0]
    for _ in range(2):
        rates = best.shape[0] * np.geomspace(1 / step, step, 2 * FINER + 1)
        form, ceiling = SingleIndex(rates, pieces=pieces), float(best.ceiling[0])
        best = fit_surfaces(form, u, v, score[None], weight, link, floor=floor, ceiling=ceiling)
        candidates += [replace(one, penalty=ASYMPTOTE * (ceiling < 1)) for one in best.candidates]
        step = step ** (1 / FINER)
    expected = best.score(u, v)[0]
    simulated = expected + draws - score
    if link.name != "linear":
        simulated = np.clip(simulated, 0.0, 1.0)
    again = fit_surfaces(best.form, u, v, simulated, weight, link, floor=floor, candidates=candidates)
    statistic = float(best.deviance[0])
    beyond = int(np.sum(again.deviance >= statistic))
    return Constancy((beyond + 1) / (len(draws) + 1), float(best.shape[0]), statistic)
