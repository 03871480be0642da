"""The rate at one score: its span, its interval, or why there is none."""

from __future__ import annotations

from dataclasses import replace
from typing import Literal

import numpy as np

from scaling.exchange.design import Design
from scaling.exchange.ratio import at_least, lower_bound
from scaling.exchange.result import Rate, Status
from scaling.exchange.support import Span, lacking, span_of
from scaling.exchange.surface import Surfaces
from scaling.exchange.uncertainty import Components, LeftOut, components
from scaling.fitting.parts import Estimate
from scaling.laws.base import Array

IntervalKind = Literal["jackknife", "bootstrap"]
STEP = 1e-3
"""Decades over which slopes are taken."""


def one_rate(
    design: Design,
    whole: Surfaces,
    jackknife: Surfaces,
    without: LeftOut,
    drawn: Surfaces | None,
    y: float,
    interval: IntervalKind,
    level: float,
    ceiling: float = np.inf,
) -> Rate:
    """The rate at one score, or why there is none; `ceiling` is where scores level off."""
    _, _, score, _ = design.cells
    if y > score.max():
        if y >= ceiling:
            return Rate(y, "undefined", f"{y:g} is above the method's ceiling, {ceiling:.4g}", None, None)
        return Rate(
            y, "not identified", f"no cell is as high as {y:g}; the highest is {score.max():.4g}", None, None
        )
    if y < score.min():
        return Rate(
            y, "not identified", f"no cell is as low as {y:g}; the lowest is {score.min():.4g}", None, None
        )
    why, span = lacking(design, y), span_of(whole, design, y)
    if why is None and span is None:
        u, v, _, _ = design.cells
        steps = np.stack([whole.predictor(u + step, v)[0] for step in (-STEP, STEP)])
        falls = np.median(steps[1] - steps[0]) < 0
        why = "scores fall with training" if falls else f"the isoquant at {y:g} passes the measured cells by"
    if why is not None or span is None:
        return Rate(y, "not identified", why or "", None, span)
    return _interval(design, whole, jackknife, without, drawn, y, span, interval, level)


def _interval(
    design: Design,
    whole: Surfaces,
    jackknife: Surfaces,
    without: LeftOut,
    drawn: Surfaces | None,
    y: float,
    span: Span,
    interval: IntervalKind,
    level: float,
) -> Rate:
    eta = float(whole.rate(y, span.low, span.high)[0])
    local = _local(whole, y, span)
    told = ratio_told(
        slopes_of(whole, span)[0], *_parted(slopes_of(jackknife, span), without), without, level
    )
    if told is not None:
        one_sided, why, bound = told
        if bound is None:
            return Rate(y, one_sided, why, None, span)
        return Rate(y, one_sided, why, at_least(eta, bound), span, local)
    values = jackknife.rate(y, span.low, span.high)
    status: Status = "ok" if design.seeds.min() > 1 else "this run"
    reason = "" if status == "ok" else _alone(design)
    if not np.isfinite(values).all():
        why = "without one of its runs or problems the isoquant leaves the cells"
        return Rate(y, "not identified", why, None, span)
    estimate, parts = jackknifed(eta, values, without, level)
    if interval == "bootstrap" and drawn is not None:
        draws = drawn.rate(y, span.low, span.high)
        known = draws[np.isfinite(draws)]
        if len(known) < max(2, 0.5 * len(draws)):
            why = f"in {len(draws) - len(known)} of {len(draws)} draws the surface has no isoquant along the piece"
            return Rate(y, "not identified", why, None, span)
        tail = 0.5 * (1 - level)
        low, high = np.quantile(known, [tail, 1 - tail])
        estimate = Estimate(eta, float(low), float(high), float(known.std(ddof=1)))
    return Rate(y, status, reason, estimate, span, local, parts)


def jackknifed(
    eta: float, values: Array, without: LeftOut, level: float
) -> tuple[Estimate, Components | None]:
    """An estimate with Student's interval from its values without each run and each group of problems."""
    if not len(values):
        return Estimate(eta), None
    parts = components(without, *_parted(values, without))
    if not parts.total:
        return Estimate(eta), parts
    # an interval of log eta has no way to hold 0: it is for rates that are surely positive
    positive = eta > parts.reach(level) and bool((values > 0).all())
    scale = np.log if positive else np.asarray
    if positive:
        parts = replace(components(without, *_parted(scale(values), without)), of_log=True)
    reach, middle = parts.reach(level), float(scale(np.array(eta)))
    ends = (middle - reach, middle + reach)
    with np.errstate(over="ignore"):
        low, high = (float(np.exp(end)) if positive else end for end in ends)
    error = float(np.sqrt(parts.total)) * (eta if positive else 1.0)
    return Estimate(eta, low, high, error), parts


def _parted(values: Array, without: LeftOut) -> tuple[Array, Array]:
    return values[: len(without.runs)], values[len(without.runs) :]


def ratio_told(
    slopes: Array, runs: Array, problems: Array, without: LeftOut, level: float
) -> tuple[Status, str, float | None] | None:
    """Status, reason and lower end of a rate whose denominator can be nil; None where it surely is not.

    Slopes in v and u (2,), the same without each run and without each group of problems.
    """
    steep = components(without, runs[:, 1], problems[:, 1])
    if not steep.total or slopes[1] >= steep.reach(level):
        return None
    low = lower_bound(slopes, runs, problems, without, level)
    if low is None:
        why = "neither the gain from training nor that from inference can be told from none"
        return "not identified", why, None
    why = "the gain from training cannot be told from none, so that only a lower end is known"
    return "one-sided", why, low


def slopes_of(surfaces: Surfaces, span: Span) -> Array:
    """dx/dv and dx/du (D, 2) in the middle of the piece that the first surface was measured on."""
    v = 0.5 * (span.low + span.high)
    u = 0.5 * (span.train_low + span.train_high)
    us = np.array([u, u, u - STEP, u + STEP])
    width = max(0.25 * span.infer, STEP)
    vs = np.array([v - width, v + width, v, v])
    x = surfaces.predictor(us, vs)
    return np.stack([(x[:, 1] - x[:, 0]) / (2 * width), (x[:, 3] - x[:, 2]) / (2 * STEP)], axis=1)


def _local(whole: Surfaces, y: float, span: Span) -> tuple[float, float]:
    """The mean rate over the first and the last third of the piece."""
    third = span.infer / 3
    first = whole.rate(y, span.low, span.low + third)[0]
    last = whole.rate(y, span.high - third, span.high)[0]
    return float(first), float(last)


def _alone(design: Design) -> str:
    single = int((design.seeds == 1).sum())
    return f"{single} of {design.levels} training levels have one run: other seeds may differ by more than the interval"
