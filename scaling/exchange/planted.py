"""A known rate planted in a measured design: how often the shipped analysis finds it, and how often it gives an interval.

Where `calibrate` simulates about the measured surface, this plants rates that nobody measured, and so says of a design
without an identified rate what it could have told.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from scaling.exchange import forms, links
from scaling.exchange.by_run import by_run
from scaling.exchange.calibration import Coverage, as_measured, coverage
from scaling.exchange.simulation import nearest, predictor_at, setting_of
from scaling.exchange.support import passes

if TYPE_CHECKING:
    import pandas as pd

    from scaling.exchange.design import Design
    from scaling.exchange.result import Exchange, Rate
    from scaling.exchange.simulation import Setting
    from scaling.exchange.surface import Surfaces

ETAS = (0.25, 1.0, 2.0)
"""Rates that are planted where nobody says which."""


@dataclass(frozen=True)
class Planted:
    """What became of one planted rate."""

    at: float
    """Score at which it was measured."""
    eta: float
    found: Coverage


def planted(
    found: Exchange,
    at: float,
    *,
    etas: Sequence[float] = ETAS,
    repetitions: int = 100,
    by_runs: bool = False,
    seed: int = 0,
) -> tuple[Planted, ...]:
    """Plant each rate in the design of `found`, everywhere the same, and measure it as `found` was, at score `at`.

    The truth is additive on the link's scale: as steep along training as the design's own nearest additive surface, `eta`
    times as steep along inference, and at `at` where the measured scores are, on average over the budgets at which training
    passes it (in the middle of the design where it does at none). Runs, problems and samples are drawn anew as
    `simulation` says, with the spreads and likenesses that `found` shows. `by_runs` measures run by run.
    """
    setting = setting_of(found)
    rng = np.random.default_rng(seed)
    measure = _by_runs(found, at) if by_runs else as_measured(found, at, rng)
    out = []
    for eta in etas:
        surface = planted_surface(found, setting, at, eta)
        out.append(
            Planted(at, eta, coverage(setting, f"eta {eta:g}", surface, at, measure, repetitions, rng))
        )
    return tuple(out)


def _by_runs(found: Exchange, at: float) -> Callable[[Design], Rate]:
    level, form, link = float(found.interval["level"]), forms.find(found.form), links.find(found.link)
    return lambda design: by_run(design, link, form, at, found.chance, level)[0]


def planted_surface(found: Exchange, setting: Setting, at: float, eta: float) -> Surfaces:
    """Return the additive surface of a rate, with score `at` where training passes it in the measured design."""
    surface = nearest("additive", found.design, setting)
    steep = abs(float(surface.beta[0, 1])) or 1.0
    points = passes(found.design, at)
    u, v = points.mean(axis=0) - surface.centre if len(points) else (0.0, 0.0)
    return replace(
        surface, beta=np.array([[predictor_at(setting, at) - steep * (u + eta * v), steep, eta * steep]])
    )


def table(rows: Sequence[Planted]) -> pd.DataFrame:
    """One row a planted rate."""
    import pandas as pd

    return pd.DataFrame(
        [
            {
                "at": one.at, "planted": one.eta, "coverage": one.found.share, "error": one.found.error,
                "bias": one.found.bias, "width": one.found.width, "with interval": one.found.given / one.found.repetitions,
            }
            for one in rows
        ]
    )  # fmt: skip
