"""The exchange rate from two slices: training varied at one inference budget, inference varied at one checkpoint.

eta = slope in log C_infer / slope in log C_train of the linked score. Two slices say nothing of how the two interact: the
rate assumes that gains add up and are linear, and its interval holds the scatter about two lines alone.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from scaling.errors import FitError, InputError
from scaling.exchange import ledger as ledgers
from scaling.exchange import links
from scaling.exchange.ledger import Ledger
from scaling.exchange.ratio import at_least, ratio_of_students
from scaling.exchange.result import Rate
from scaling.exchange.schema import of_rows, schema
from scaling.exchange.slice_lines import Line, line_through, local_rates
from scaling.exchange.support import Span
from scaling.fitting import checks
from scaling.fitting.parts import Estimate, Warned

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, repr=False)
class Slices:
    """An exchange rate from two slices."""

    link: str
    train: Line
    infer: Line
    rate: Rate
    within: tuple[float, float] | None
    """Scores that rows were chosen by; None for all."""
    common: Rate | None
    """The rate from the rows of either slice that score within the other's range; None where that leaves too few."""
    robust: float
    """eta from Theil's and Sen's slopes."""
    segments: tuple[float, float] | None
    """Least and most eta of local slopes, each through three neighbouring points, where both slices have the same score."""
    warnings: tuple[Warned, ...]
    interval: dict[str, Any]
    read: int
    excluded: tuple[tuple[Any, str], ...]
    sha256: str = ""

    def __repr__(self) -> str:
        """One line."""
        return f"<Slices: eta = {self.rate.eta}>"

    def __str__(self) -> str:
        """The summary."""
        return self.summary()

    @property
    def rates(self) -> tuple[Rate, ...]:
        """The one rate."""
        return (self.rate,)

    def summary(self) -> str:
        """Slopes, rate and doubts, for a terminal."""
        from scaling.exchange.summary import slices_summary

        return slices_summary(self)

    def to_json(self, command: str = "") -> dict[str, Any]:
        """Schema scaling.exchange/1, with the slopes."""
        points = {"train": len(self.train.x), "infer": len(self.infer.x)}
        design = dict.fromkeys(("levels", "budgets", "runs", "seeds", "problems", "samples"))
        return schema(
            method="slices", link=self.link, surface="two slices, additive", rates=self.rates, p_value=None,
            design={**design, "points": points, "rows": of_rows(self.read, self.excluded)}, convention=Ledger().to_json(),
            interval=self.interval, warnings=self.warnings, sha256=self.sha256, command=command, seed=None,
        )  # fmt: skip

    def details(self) -> dict[str, Any]:
        """What the schema has no key for: slopes, the rate on common scores, by robust slopes, by local ones."""
        slopes = {name: line.slope.to_json() for name, line in (("train", self.train), ("infer", self.infer))}
        return {
            "slopes": slopes,
            "common_support": None if self.common is None else self.common.to_json(),
            "robust_eta": self.robust,
            "local_segments": None if self.segments is None else list(self.segments),
        }


def exchange_slices(
    train: pd.DataFrame,
    infer: pd.DataFrame,
    *,
    link: str = "linear",
    within: tuple[float, float] | None = None,
    level: float = 0.95,
    read: int | None = None,
    excluded: tuple[tuple[Any, str], ...] = (),
    sha256: str = "",
) -> Slices:
    """Measure eta from rows where training alone varies and rows where inference alone does.

    `train` has train_flops and score, `infer` infer_flops_per_problem and score; computes may be in relative units. `within`
    keeps rows that score between two values. eta is the ratio of least-squares slopes, and its interval the central part of
    the ratio of both slopes' Student distributions. Raises InputError for missing columns and fewer than 3 points a slice.
    """
    checks.level(level)
    if len(train) and train.index.equals(infer.index) and train.equals(infer):
        raise InputError(
            f"both slices are the same {len(train)} rows: in one training alone varies, in the other inference alone"
        )
    chosen = links.find(link)
    lines = [
        line_through(frame, column, name, chosen, within, level)
        for frame, column, name in ((train, ledgers.TRAIN, "train"), (infer, ledgers.INFER, "infer"))
    ]
    first, second = lines
    rate = _rate(first, second, level)
    found = Slices(
        link=link,
        train=first,
        infer=second,
        rate=rate,
        within=within,
        common=_common(train, infer, link, within, first, second, level),
        robust=second.robust.value / first.robust.value if first.robust.value else np.nan,
        segments=local_rates(first, second, chosen),
        warnings=(),
        interval={
            "method": "ratio of two Student distributions, scatter about both lines alone",
            "level": level,
            "draws": 0,
        },
        read=len(train) + len(infer) if read is None else read,
        excluded=excluded,
        sha256=sha256,
    )
    return replace(found, warnings=_warnings(found))


def _rate(train: Line, infer: Line, level: float) -> Rate:
    low, high = ratio_of_students(infer.slope, infer.freedom, train.slope, train.freedom, level)
    span = Span(float(infer.x.min()), float(infer.x.max()), float(train.x.min()), float(train.x.max()))
    eta = infer.slope.value / train.slope.value
    assert train.slope.low is not None and train.slope.high is not None and infer.slope.low is not None
    if train.slope.low > 0:
        why = "two slices do not say how training and inference interact"
        return Rate(np.nan, "assumes additivity", why, Estimate(eta, low, high), span)
    if train.slope.high < 0:
        return Rate(np.nan, "not identified", "the score falls with training", None, span)
    if infer.slope.low <= 0:
        why = "neither the gain from training nor that from inference can be told from none"
        return Rate(np.nan, "not identified", why, None, span)
    why = "the gain from training cannot be told from none, so that only a lower end is known"
    return Rate(np.nan, "one-sided", why, at_least(eta, low), span)


def _common(
    train: pd.DataFrame,
    infer: pd.DataFrame,
    link: str,
    within: tuple[float, float] | None,
    first: Line,
    second: Line,
    level: float,
) -> Rate | None:
    """The rate within the scores that both slices reach; None where that is what was asked, or too little is left."""
    lows, highs = zip(*((one.score.min(), one.score.max()) for one in (first, second)), strict=True)
    if within is not None or (np.ptp(lows) == 0 and np.ptp(highs) == 0):
        return None
    try:
        chosen, inside = links.find(link), (float(max(lows)), float(min(highs)))
        one = line_through(train, ledgers.TRAIN, "train", chosen, inside, level)
        other = line_through(infer, ledgers.INFER, "infer", chosen, inside, level)
        return _rate(one, other, level)
    except (InputError, FitError):
        return None


def _warnings(found: Slices) -> tuple[Warned, ...]:
    warned = [
        Warned(
            "assumes_additivity",
            "two slices measure no interaction: if more training makes inference worth more (or less), this rate "
            "is of neither; a grid of at least 3 levels x 3 budgets would tell",
        ),
        Warned(
            "regression_error_only",
            "the interval holds scatter about two lines; seeds and problems are not in it",
        ),
    ]
    if found.segments is not None and found.segments[1] > 2 * found.segments[0]:
        low, high = found.segments
        warned.append(
            Warned(
                "not_constant",
                f"local slopes, three points each, give eta from {low:.2g} to {high:.2g}; one number hides this",
            )
        )
    if found.common is not None and found.common.eta is not None and found.rate.eta is not None:
        inside, whole = found.common.eta.value, found.rate.eta.value
        if abs(inside / whole - 1) > 0.1:
            warned.append(
                Warned(
                    "support",
                    f"within the scores that both slices reach eta is {inside:.3g}, over all rows {whole:.3g}",
                )
            )
    ten, span = found.rate.multiplier, found.rate.span
    if (
        ten is not None
        and span is not None
        and found.rate.eta is not None
        and found.rate.eta.value > span.train
    ):
        warned.append(
            Warned(
                "extrapolated",
                f"ten times the inference would replace {ten.value:.3g}x of training, and the training slice holds "
                f"{10**span.train:.3g}x: that its line goes on is taken for granted too",
            )
        )
    for name, line in (("train", found.train), ("infer", found.infer)):
        if len(line.x) < 10:
            warned.append(Warned("few_points", f"the {name} slice has {len(line.x)} points"))
    return tuple(warned)
