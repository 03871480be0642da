"""What samples are worth in training, from counts at several checkpoints: samples for one coverage, and rates between.

Shapes: L checkpoints, P problems, B draws.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

from scaling.errors import InputError
from scaling.exchange.ledger import TRAIN
from scaling.exchange.result import Rate
from scaling.exchange.support import Span
from scaling.fitting import CountsFit, checks, fit_counts
from scaling.fitting.counts import log_samples
from scaling.fitting.derived import estimates
from scaling.fitting.parts import Estimate
from scaling.laws.base import Array
from scaling.samples import pass_at_k

if TYPE_CHECKING:
    import pandas as pd

PLACES = 200
"""Numbers of samples at which the curve without a law is looked at."""
COLUMNS = (TRAIN, "problem", "n", "c")


@dataclass(frozen=True)
class Needed:
    """What one checkpoint takes to reach the coverage."""

    train: float
    """Training compute, in the unit of the table."""
    fit: CountsFit
    """The beta-binomial of its problems."""
    log_k: Estimate
    """log10 of the samples at which the law reaches the coverage."""
    unbiased: float | None
    """log10 of those at which pass@k without a law does; None where that is above the samples taken."""

    @property
    def extrapolated(self) -> bool:
        """Whether the law's answer is above the fewest samples of a problem."""
        return bool(self.log_k.value > np.log10(self.fit.n.min()))

    def to_json(self) -> dict[str, Any]:
        """train, log10_k with its interval, log10_k_unbiased, extrapolated, a, b, fewest_samples."""
        return {
            "train": self.train,
            "log10_k": self.log_k.to_json(),
            "log10_k_unbiased": self.unbiased,
            "extrapolated": self.extrapolated,
            "law": {name: found.to_json() for name, found in self.fit.parameters.items()},
            "fewest_samples": int(self.fit.n.min()),
        }


@dataclass(frozen=True)
class CoverageRates:
    """Rates between neighbouring checkpoints at one coverage."""

    at: float
    """The coverage."""
    levels: tuple[Needed, ...]
    """Checkpoints by training, (L,)."""
    steps: tuple[Estimate, ...]
    """Decades of samples saved from each to the next, (L - 1,)."""
    rates: tuple[Rate, ...]
    """Decades of training over decades of samples saved, (L - 1,)."""
    bounds: tuple[float | None, ...]
    """The lower end of each rate if training never asks for more samples; None where nothing bounds it."""
    unbiased: tuple[float | None, ...]
    """The same rates from curves without a law."""
    level: float
    """Nominal coverage of the intervals."""
    problems: int
    """P, the same at each checkpoint."""

    def to_json(self) -> dict[str, Any]:
        """at, level, problems, levels, and rates with steps_decades, lower_bound and unbiased."""
        parts = zip(self.rates, self.steps, self.bounds, self.unbiased, strict=True)
        return {
            "at": self.at,
            "level": self.level,
            "problems": self.problems,
            "levels": [one.to_json() for one in self.levels],
            "rates": [
                rate.to_json() | {"steps_decades": step.to_json(), "lower_bound": bound, "unbiased": free}
                for rate, step, bound, free in parts
            ],
        }


def coverage_rates(
    frame: pd.DataFrame, *, at: float = 0.3, level: float = 0.95, bootstrap: int = 1000, seed: int = 0
) -> CoverageRates:
    """Return eta = d log C_train / -d log k at one coverage, between neighbouring checkpoints of one run.

    A row is a problem at a checkpoint: train_flops (any unit: ratios count), problem, n, c. Each checkpoint's k is where
    its beta-binomial reaches the coverage; an inference costs k equal samples. Problems are drawn jointly at all
    checkpoints, since they are the same, and intervals of log k and of its differences are bias-corrected and accelerated;
    those of eta follow, as the training is known. Where the samples saved may be none, eta is not identified. One run: other
    seeds are not in the intervals.

    Raises InputError for columns that are missing, problems that differ between checkpoints, and fewer than two of these.
    """
    checks.table(frame, "train_flops, problem, n and c", "coverage_rates(frame)")
    checks.share("at", at, "a coverage between 0 and 1")
    checks.draws(bootstrap, least=2)
    tables = _tables(frame)
    fits = [fit_counts(rows, bootstrap=bootstrap, level=level, seed=seed) for _, rows in tables]
    # the same seed and order of problems: row b of each fit's draws is of the same problems
    value, draws, without = (
        np.stack(part, axis=1) for part in zip(*(_logs(fit, at) for fit in fits), strict=True)
    )
    names = tuple(str(train) for train, _ in tables)
    log_k = estimates(names, value[0], draws, level, without)
    steps = estimates(names[1:], -np.diff(value[0]), -np.diff(draws), level, -np.diff(without))
    free = [_without_a_law(fit, at) for fit in fits]
    levels = tuple(
        Needed(train, fit, log_k[name], crossing)
        for (train, _), name, fit, crossing in zip(tables, names, fits, free, strict=True)
    )
    pairs = list(pairwise(levels))
    rates = [_rate(at, *pair, step) for pair, step in zip(pairs, steps.values(), strict=True)]
    return CoverageRates(
        at=at,
        levels=levels,
        steps=tuple(steps.values()),
        rates=tuple(rate for rate, _ in rates),
        bounds=tuple(bound for _, bound in rates),
        unbiased=tuple(_between(*pair) for pair in pairs),
        level=level,
        problems=len(tables[0][1]),
    )


def _tables(frame: pd.DataFrame) -> list[tuple[float, pd.DataFrame]]:
    """Training compute and the rows of each checkpoint, problems in one order."""
    for name in COLUMNS:
        if name not in frame.columns:
            raise InputError(f"the table has no column {name}; give {', '.join(COLUMNS)}")
    checks.positive(TRAIN, frame[TRAIN])
    tables = [
        (float(np.asarray(train)), rows.sort_values("problem", kind="stable").reset_index(drop=True))
        for train, rows in frame.groupby(TRAIN, sort=True)
    ]
    if len(tables) < 2:
        raise InputError(f"the table has {len(tables)} checkpoint; a rate is between two, give more")
    first = tables[0][1]["problem"]
    for train, rows in tables:
        if rows["problem"].duplicated().any() or not rows["problem"].equals(first):
            raise InputError(
                f"the checkpoint at {train:g} has other problems than that at {tables[0][0]:g}, or one twice; "
                "give the problems that all have, once each"
            )
    return tables


def _logs(fit: CountsFit, at: float) -> tuple[Array, Array, Array]:
    """log10 of the samples for a coverage: of the fit (1,), its draws (B,), without each problem (P,)."""
    assert fit.jackknife is not None
    value, draws, without = (
        log_samples(values, at) / np.log(10) for values in (fit.law.values()[None], fit.draws, fit.jackknife)
    )
    return value, draws, without


def _without_a_law(fit: CountsFit, at: float) -> float | None:
    """log10 of k where pass@k reaches the coverage, straight in log k between places."""
    k = np.unique(np.geomspace(1, fit.n.min(), PLACES).astype(np.int64))
    shares = pass_at_k(fit.n, fit.c, k).mean(axis=0)
    if not shares[0] < at <= shares[-1]:
        return None
    return float(np.interp(at, shares, np.log10(k)))


def _between(before: Needed, after: Needed) -> float | None:
    if before.unbiased is None or after.unbiased is None or before.unbiased == after.unbiased:
        return None
    return float(np.log10(after.train / before.train) / (before.unbiased - after.unbiased))


def _rate(at: float, before: Needed, after: Needed, step: Estimate) -> tuple[Rate, float | None]:
    """The rate of a step, and its lower end if training never asks for more samples."""
    trained = float(np.log10(after.train / before.train))
    assert step.low is not None
    assert step.high is not None
    bound = trained / step.high if step.high > 0 else None
    at_once = [one for one in (before, after) if one.log_k.value < 0]
    if at_once:
        why = f"the checkpoint at {at_once[0].train:g} passes {at:g} with one sample, and none takes fewer"
        return Rate(at, "not identified", why, None, None), None
    span = Span(
        after.log_k.value, before.log_k.value, float(np.log10(before.train)), float(np.log10(after.train))
    )
    if step.low <= 0:
        least = "" if bound is None else f"; if training never asks for more, eta is at least {bound:.2g}"
        saved = f"{step.value:.2g} [{step.low:.2g}, {step.high:.2g}]"
        why = f"{trained:.2g} decades of training may save no samples: they save {saved} decades"
        return Rate(at, "not identified", why + least, None, span), bound
    eta = Estimate(trained / step.value, trained / step.high, trained / step.low)
    why = "one run: its checkpoints and problems like these are in the interval, other seeds are not"
    return Rate(at, "this run", why, eta, span), bound
