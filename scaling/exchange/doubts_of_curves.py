"""Doubts about the shape of scores along both axes: ceilings, guessing floors, growing length, short or bent pieces.

Shapes: L training levels, B budgets, P problems, n checkpoints.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from scaling.fitting.parts import Warned
from scaling.laws.base import Array
from scaling.reporting.numbers import percent, plain

if TYPE_CHECKING:
    from scaling.exchange.evidence import Evidence
    from scaling.fitting.parts import Estimate

POINT = 0.01
"""Range of scores that count as one where the number of problems is not known."""
STANDS = 3
"""Levels that a ceiling takes."""
LONGER = 1.5
"""Factor from which one sample is not one price."""
BENT = 2.0
"""Factor between local rates from which one number hides something."""


def ceiling(e: Evidence) -> Iterator[Warned]:
    """The largest budget stands still over the upper levels, while the smallest still rises."""
    _, _, score = e.design.level_curves()
    enough = np.flatnonzero(np.isfinite(score).sum(axis=0) >= STANDS)
    if not e.shares or len(enough) < 2:
        return
    little, much = score[:, enough[0]], score[:, enough[-1]]
    both = np.isfinite(little) & np.isfinite(much)
    grain = max(1 / e.problems, POINT) if e.problems else POINT
    yield from stuck(much[both], little[both], grain, "training levels")


def stuck(much: Array, little: Array, grain: float = POINT, what: str = "checkpoints") -> list[Warned]:
    """Whether the curve with much inference stands still while the one with little still rises, (n,) each, by training.

    It stands still where its last values, at least three, lie within a `grain`, at the top of what it reaches, and rise by
    less than half of what the other does in logits: nearing 1 is no ceiling.
    """
    stands = 0
    while stands < len(much) and np.ptp(much[len(much) - stands - 1 :]) <= grain:
        stands += 1
    if stands < STANDS:
        return []
    tail, rises = much[-stands:], little[-1] - little[-stands]
    if tail.max() < much.max() - grain or rises <= 2 * grain:
        return []
    if _logits(tail[[0, -1]], grain) > 0.5 * _logits(little[[-stands, -1]], grain):
        return []
    top = percent(float(np.median(tail)), 3)
    return [
        Warned(
            "ceiling",
            f"with most inference scores stand still at {top} over the last {stands} of {len(much)} {what}, while "
            f"with least they rise from {percent(float(little[-stands]), 3)} to {percent(float(little[-1]), 3)}: a "
            f"ceiling; rates above {top} are undefined, and just below it they lean on few {what}",
        )
    ]


def _logits(ends: Array, grain: float) -> float:
    """Rise in logits from the first to the second score."""
    inside = np.clip(ends, grain, 1 - grain)
    return float(np.diff(np.log(inside / (1 - inside)))[0])


def at_chance(e: Evidence) -> Iterator[Warned]:
    """Cells that score no more than a blind guess."""
    design = e.design
    _, _, score, weight = design.cells
    if not e.shares:
        return
    chance = e.grid.chance
    error = np.sqrt(chance * (1 - chance) / np.maximum(weight, 1))
    if design.problems > 1 and chance:
        by_problem = design.by_level(np.moveaxis(design.scores, 2, 0))[:, design.there]
        n = np.isfinite(by_problem).sum(axis=0)
        error = np.where(n > 1, np.nanstd(by_problem, axis=0) / np.sqrt(np.maximum(n - 1, 1)), error)
    low = int((score <= chance + 2 * error).sum())
    if low:
        guess = f"at chance ({percent(chance)}, within 2 standard errors)" if chance else "0"
        yield Warned(
            "at_chance",
            f"{low} of {len(score)} cells score {guess}: they tell nothing of training or inference, and rates near "
            "there rest on the others",
        )


def length(e: Evidence) -> Iterator[Warned]:
    """The price of one sample along the training axis: its tokens where they are told, else what a budget costs."""
    level_u, v, _ = e.design.level_curves()
    if "tokens" in e.rows:
        with np.errstate(invalid="ignore", divide="ignore"):
            v = np.log10(e.by_cell(e.numbers("tokens")))
    columns = [np.isfinite(v[:, b]) for b in range(v.shape[1])]
    found = [length_grows(level_u[known], v[known, b]) for b, known in enumerate(columns)]
    grown = [(np.ptp(v[columns[b], b]), one) for b, one in enumerate(found) if one]
    if grown:
        yield from max(grown, key=lambda one: one[0])[1]


def length_grows(u: Array, v: Array) -> list[Warned]:
    """Whether one sample costs more and more along the training axis: log10 costs `v` (n,) at `u` (n,)."""
    if len(u) < 2:
        return []
    order = np.argsort(u)
    first, last = v[order[0]], v[order[-1]]
    rises = np.corrcoef(u, v)[0, 1] > 0.5 if np.ptp(u) and np.ptp(v) else False
    if not rises or last - first <= np.log10(LONGER):
        return []
    return [
        Warned(
            "length_grows",
            f'one sample costs {plain(10 ** float(last - first), 2)}x as much at the end of training as at its start: "one '
            'sample" is not one price; the rate takes the compute realised, and one at equal samples would be another',
        )
    ]


def short_span(e: Evidence) -> Iterator[Warned]:
    """Rates on less than a decade of inference."""
    spans = {
        rate.at: rate.span.infer for rate in e.grid.rates if rate.eta and rate.span and not rate.multiplier
    }
    if spans:
        yield Warned(
            "short_span",
            f"at {', '.join(map(plain, spans))} less than a decade of inference was measured along the isoquant "
            f"(at most {plain(max(spans.values()), 2)}): what 10x inference is worth there would be extrapolated, and is "
            "not said; widen the budgets",
        )


def not_constant(e: Evidence) -> Iterator[Warned]:
    """Rates that differ over the surface, or along one piece of an isoquant."""
    test = e.grid.constancy
    said = []
    if test is not None and test.p_value < 0.05:
        said.append(f"a constant rate is refuted (p = {plain(test.p_value, 2)})")
    bent = [
        (rate.at, *rate.local)
        for rate in e.grid.rates
        if rate.eta and rate.local and _bent(rate.eta, *rate.local)
    ]
    if bent:
        at, low, high = max(bent, key=lambda one: _apart(*one[1:]))
        said.append(
            f"at {plain(at)} eta goes from {plain(low, 2)} at little inference to {plain(high, 2)} at much"
        )
    if said:
        yield Warned(
            "not_constant",
            f"{' and '.join(said)}: one number is a mean that holds at no budget in particular; read the local "
            "rates, and do not carry it beyond the span",
        )


def dips(e: Evidence) -> Iterator[Warned]:
    """A smooth curve through the budgets that dips between two of them, as it does where scores step from flat to steep."""
    level_u, level_v, _ = e.design.level_curves()
    if not e.shares:
        return
    from scaling.exchange.summary import budget_name

    worst: tuple[float, int, int] | None = None
    for u, v in zip(level_u, level_v, strict=True):
        order = np.argsort(v)[: int(np.isfinite(v).sum())]
        for a, b in pairwise(order.tolist()):
            path = np.linspace(v[a], v[b], 9)
            score = e.grid.surface.score(np.full(9, u), path)[0]
            depth = float(min(score[0], score[-1]) - score.min())
            if depth > POINT and (worst is None or depth > worst[0]):
                worst = (depth, a, b)
    if worst is not None:
        depth, a, b = worst
        yield Warned(
            "between_budgets",
            f"between budgets {' and '.join(budget_name(e.design.budgets[k]) for k in (a, b))} the smooth curve falls "
            f"{plain(100 * depth, 2)} points below both, as one does that steps from flat to steep: local rates there are "
            "the curve's and not the scores'; a budget in between would tell, and --surface bilinear draws none",
        )


def _bent(eta: Estimate, low: float, high: float) -> bool:
    """Whether local rates are further apart than the ends of the interval of their mean."""
    known = eta.low is not None and eta.high is not None
    width = _apart(eta.low or 0.0, eta.high or 0.0) if known else 1.0
    return bool(np.isfinite(low) and np.isfinite(high) and _apart(low, high) > max(BENT, width))


def _apart(low: float, high: float) -> float:
    least, most = sorted((low, high))
    return most / least if least > 0 else np.inf


ALL = (ceiling, at_chance, length, short_span, not_constant, dips)
