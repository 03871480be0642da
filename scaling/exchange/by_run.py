"""Rates run by run, where every run was measured at several levels and budgets: each run's own surface, then their mean.

Runs that leave one trunk share its luck: all their scores come early or late together. A surface through the means over such
runs is flatter than any run's, and how flat goes by which runs there are; each run's own isoquant is as steep as it is, and
the shift is not in its slope. Shapes: R runs, F folds of problems.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from scaling.errors import InputError
from scaling.exchange import forms, links
from scaling.exchange.fitter import Fitter
from scaling.exchange.one_rate import jackknifed, ratio_told, slopes_of
from scaling.exchange.ratio import at_least
from scaling.exchange.result import Rate
from scaling.exchange.support import LEVELS, Span, bracketed, lacking, span_of
from scaling.exchange.uncertainty import LeftOut, left_out

if TYPE_CHECKING:
    import pandas as pd

    from scaling.exchange.design import Design
    from scaling.exchange.forms import Form
    from scaling.exchange.links import Link
    from scaling.exchange.result import Exchange
    from scaling.exchange.surface import Surfaces

SHORTEST = 0.1
"""Decades of inference that the runs' measured pieces must share."""


@dataclass(frozen=True)
class ByRun:
    """Rates that are means of the runs' own."""

    rates: tuple[Rate, ...]
    """One a score; the span is what all runs measured of inference, and the mean training that it replaces."""
    etas: dict[float, dict[str, float]]
    """Each run's own rate along that span, by score and run; none where a run has none."""

    def to_json(self, command: str = "") -> dict[str, Any]:
        """The rates, and each run's own."""
        del command
        return {
            "rates": [rate.to_json() for rate in self.rates],
            "runs": {f"{at:g}": found for at, found in self.etas.items()},
        }

    def table(self) -> pd.DataFrame:
        """Return one row a score and run: at, run, eta."""
        import pandas as pd

        rows = [
            {"at": at, "run": run, "eta": eta}
            for at, found in self.etas.items()
            for run, eta in found.items()
        ]
        return pd.DataFrame(rows, columns=["at", "run", "eta"])


def rates_by_run(found: Exchange) -> ByRun:
    """Return the rates of `found` at its scores, run by run, with Student's interval over runs and problems.

    Raises InputError for fewer than two runs, and for a run with checkpoints at fewer than three levels.
    """
    design, link, form = found.design, links.find(found.link), forms.find(found.form)
    level = float(found.interval["level"])
    pairs = [by_run(design, link, form, rate.at, found.chance, level) for rate in found.rates]
    named = [{str(design.run_names[k]): eta for k, eta in enumerate(etas)} for _, etas in pairs]
    return ByRun(
        tuple(rate for rate, _ in pairs),
        {rate.at: names for (rate, _), names in zip(pairs, named, strict=True)},
    )


def runs_apart(found: Exchange) -> ByRun | None:
    """Return the rates run by run; None where there is one run, or a run has too few levels."""
    try:
        return rates_by_run(found)
    except InputError:
        return None


def by_run(
    design: Design, link: Link, form: Form, y: float, floor: float, level: float
) -> tuple[Rate, list[float]]:
    """Return the rate at one score, and the runs' own; none of these where a run has none."""
    parts = [_of_run(design, run) for run in range(len(design.run_names))]
    if len(parts) < 2 or min(part.levels for part in parts) < LEVELS:
        raise InputError(
            f"rates run by run take 2 or more runs with checkpoints at {LEVELS} or more training levels each; here are "
            f"{len(parts)} runs, with {min(part.levels for part in parts)} levels at the least"
        )
    lacks = [reason for part in parts if (reason := lacking(part, y)) is not None]
    if lacks:
        return Rate(y, "not identified", f"in {len(lacks)} of {len(parts)} runs {lacks[0]}", None, None), []
    fits = [_fitted(part, link, form, floor) for part in parts]
    spans = [span_of(whole, part, y) for part, (whole, _, _) in zip(parts, fits, strict=True)]
    held = [
        _between_budgets(span, part, y) for part, span in zip(parts, spans, strict=True) if span is not None
    ]
    low, high = max((low for low, _ in held), default=0.0), min((high for _, high in held), default=0.0)
    if len(held) < len(parts) or high - low < SHORTEST:
        return Rate(
            y, "not identified", "the runs' measured pieces of the isoquant share too little", None, None
        ), []
    etas = np.array([whole.rate(y, low, high)[0] for whole, _, _ in fits])
    folds = np.mean([less.rate(y, low, high) for _, less, _ in fits], axis=0)
    without = replace(fits[0][2], runs=np.zeros((len(etas), 0)), group=np.zeros(len(etas), dtype=np.intp),
                      members=np.full(len(etas), len(etas), dtype=np.intp))  # fmt: skip
    others = (etas.sum() - etas) / (len(etas) - 1)
    values = np.concatenate([others, folds])
    if not np.isfinite(values).all():
        why = "without one of its problems a run's isoquant leaves the cells"
        return Rate(y, "not identified", why, None, None), []
    ends = np.array([whole.isoquant(y, np.array([low, high]))[0] for whole, _, _ in fits])
    pieces = [Span(low, high, float(last), float(first)) for first, last in ends]
    span = Span(low, high, float(ends[:, 1].mean()), float(ends[:, 0].mean()))
    slopes = np.array([slopes_of(whole, piece)[0] for (whole, _, _), piece in zip(fits, pieces, strict=True)])
    folded = np.mean(
        [slopes_of(less, piece) for (_, less, _), piece in zip(fits, pieces, strict=True)], axis=0
    )
    told = ratio_told(
        slopes.mean(axis=0), (slopes.sum(axis=0) - slopes) / (len(slopes) - 1), folded, without, level
    )
    if told is not None:
        status, why, bound = told
        eta = None if bound is None else at_least(float(etas.mean()), bound)
        return Rate(y, status, why, eta, span), etas.tolist() if eta else []
    estimate, components = jackknifed(float(etas.mean()), values, without, level)
    return Rate(y, "ok", "", estimate, span, None, components), etas.tolist()


def _between_budgets(span: Span, part: Design, y: float) -> tuple[float, float]:
    """Return where a run's piece begins and ends if it reaches no further than budgets at which training brackets the score.

    Beyond them an isoquant follows the highest training level measured, and a plateau there is as long as noise makes it.
    """
    v = bracketed(part, y)
    return max(span.low, float(v.min())), min(span.high, float(v.max()))


def _fitted(part: Design, link: Link, form: Form, floor: float) -> tuple[Surfaces, Surfaces, LeftOut]:
    """Return a run's surface, and its surfaces without each fold of problems."""
    u, v, score, weight = part.cells
    fit = Fitter(form, u, v, weight, link, floor)
    whole, without = fit.first(score), left_out(part)
    return whole, fit(without.problems), without


def _of_run(design: Design, run: int) -> Design:
    """Return the design with the checkpoints of one run alone."""
    at = np.flatnonzero(design.run == run)
    return replace(
        design,
        u=design.u[at],
        v=design.v[at],
        run=np.zeros(len(at), dtype=np.intp),
        level=np.unique(design.level[at], return_inverse=True)[1].astype(np.intp),
        scores=design.scores[at],
        trials=None if design.trials is None else design.trials[at],
        cell_weight=design.cell_weight[at],
        run_names=(design.run_names[run],),
    )
