"""How often intervals of a design hold the truth: simulated under four truths, with runs of their own and shared ones.

The truth is the additive, single-index, saturating or bilinear surface nearest to the measured one (`simulation` draws grids
about it).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from scaling.errors import FitError, InputError
from scaling.exchange import forms, links
from scaling.exchange.simulation import Setting, nearest, setting_of, simulated, true_rate, with_runs
from scaling.exchange.surface import Surfaces

if TYPE_CHECKING:
    import pandas as pd

    from scaling.exchange.design import Design
    from scaling.exchange.one_rate import IntervalKind
    from scaling.exchange.result import Exchange, Rate

TRUTHS = ("additive", "single_index", "saturating", "bilinear")
REPETITIONS = 100
"""Simulated grids of each setting, where nobody says how many."""


@dataclass(frozen=True)
class Coverage:
    """What became of the intervals under one truth."""

    truth: str
    shared: bool
    """Whether the checkpoints of all levels are of the same runs."""
    seeds: int
    repetitions: int
    given: int
    """Repetitions in which there was an interval with two ends."""
    held: int
    """Of these, how many held the truth."""
    bias: float
    """Mean estimate less truth."""
    width: float
    """Median width."""

    @property
    def share(self) -> float:
        """Of the intervals given, those that held the truth."""
        return self.held / self.given if self.given else np.nan

    @property
    def error(self) -> float:
        """Standard error of the share."""
        share = self.share
        return (
            float(np.sqrt(max(share * (1 - share), 1 / (self.given + 2)) / self.given))
            if self.given
            else np.nan
        )


def calibrate(
    found: Exchange, *, at: float | None = None, repetitions: int | None = None, seed: int = 0
) -> tuple[Coverage, ...]:
    """Coverage of the intervals that `found` was given, at its own design: four truths, independent and shared runs.

    `at` is one of the scores; by default the one in the middle of those that have a rate. Raises InputError where no rate
    was identified, or nothing was left out to make an interval from.
    """
    known = [rate for rate in found.rates if rate.eta is not None and rate.status in ("ok", "this run")]
    if not known:
        raise InputError("no rate was identified at any score: there is no interval to calibrate")
    if found.design.seeds.max() < 2 and not found.design.problems:
        raise InputError("one run a level and no problems: there is nothing to make an interval from")
    y = known[len(known) // 2].at if at is None else at
    setting = setting_of(found)
    rng = np.random.default_rng(seed)
    repetitions = REPETITIONS if repetitions is None else repetitions
    out = []
    for shared in (False, True):
        laid = replace(setting, design=with_runs(setting.design, shared))
        for truth in TRUTHS:
            surface = nearest(truth, found.design, setting)
            out.append(coverage(laid, truth, surface, y, as_measured(found, y, rng), repetitions, rng))
    return tuple(out)


def as_measured(found: Exchange, y: float, rng: np.random.Generator) -> Callable[[Design], Rate]:
    """Return what measures another design at a score the way that `found` was."""
    from scaling.exchange.measure import measured_rate

    kind: IntervalKind = "bootstrap" if found.interval["method"].startswith("bootstrap") else "jackknife"
    draws = int(found.interval["draws"]) if kind == "bootstrap" else 0
    level, form, link = float(found.interval["level"]), forms.find(found.form), links.find(found.link)
    return lambda design: measured_rate(design, link, form, y, found.chance, kind, level, draws, rng)


def coverage(
    setting: Setting,
    truth: str,
    surface: Surfaces,
    y: float,
    measure: Callable[[Design], Rate],
    repetitions: int,
    rng: np.random.Generator,
) -> Coverage:
    """Simulate, measure, and count."""
    held = given = 0
    off, widths = [], []
    for design in simulated(setting, surface, repetitions, rng):
        try:
            rate = measure(design)
        except FitError:
            continue
        if rate.eta is None or rate.span is None or rate.eta.low is None or rate.eta.high is None:
            continue
        right = true_rate(setting, surface, y, rate.span.low, rate.span.high)
        if not np.isfinite(right) or not np.isfinite(rate.eta.high):
            continue
        given += 1
        held += rate.eta.low <= right <= rate.eta.high
        off.append(rate.eta.value - right)
        widths.append(rate.eta.high - rate.eta.low)
    design = setting.design
    return Coverage(
        truth, design.shared, int(design.seeds.min()), repetitions, given, held,
        float(np.mean(off)) if off else np.nan, float(np.median(widths)) if widths else np.nan,
    )  # fmt: skip


def table(found: Sequence[Coverage]) -> pd.DataFrame:
    """One row a truth."""
    import pandas as pd

    return pd.DataFrame(
        [
            {
                "truth": one.truth, "runs": "shared" if one.shared else "independent", "seeds": one.seeds,
                "coverage": one.share, "error": one.error, "bias": one.bias, "width": one.width,
                "without interval": one.repetitions - one.given,
            }
            for one in found
        ]
    )  # fmt: skip


def calibration_summary(found: Sequence[Coverage], level: float) -> str:
    """The table for a terminal."""
    lines = [
        f"coverage of {100 * level:g} % intervals, simulated at this design ({found[0].repetitions} repetitions "
        "each):"
    ]
    for one in found:
        runs = "the same runs at all levels" if one.shared else "runs of each level's own"
        none = one.repetitions - one.given
        lines.append(
            f"  {one.truth:<13} {runs:<28} {100 * one.share:5.1f} % +- {100 * one.error:.1f}"
            + (f", {none} without an interval" if none else "")
        )
    return "\n".join(lines)
