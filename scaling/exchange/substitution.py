"""A cheap system with much inference in place of a dear one: what one comparison on the same problems says of the rate."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from scaling.errors import InputError
from scaling.exchange.result import Rate
from scaling.exchange.support import Span
from scaling.fitting import checks as options
from scaling.fitting.parts import Estimate
from scaling.samples import checks


@dataclass(frozen=True)
class Substitution:
    """The cheap system against the dear one."""

    difference: Estimate
    """Share right of the cheap system minus that of the dear one."""
    train_ratio: float
    """Training compute of the dear system over that of the cheap one."""
    infer_ratio: float
    """Inference compute of the cheap system over that of the dear one."""
    rate: Rate
    """One-sided where the cheap system is better, else not identified."""
    only_cheap: int
    """Problems that the cheap system alone has right."""
    only_dear: int
    """Problems that the dear one alone has right."""

    def to_json(self) -> dict[str, Any]:
        """The difference with its interval, ratios, discordant problems, and the rate as elsewhere."""
        return {
            "difference": self.difference.to_json(),
            "train_ratio": self.train_ratio,
            "infer_ratio": self.infer_ratio,
            "only_cheap": self.only_cheap,
            "only_dear": self.only_dear,
            "rate": self.rate.to_json(),
        }


def substitution(
    cheap: Any, dear: Any, *, train_ratio: float, infer_ratio: float, level: float = 0.95
) -> Substitution:
    """Return the lower bound of eta = log10(train_ratio) / log10(infer_ratio) where the cheap system is no worse.

    `cheap` and `dear` mark right and wrong on the same problems, (P,). With b problems right for the cheap one alone and d
    for the dear one alone, the difference is (b - d) / P with variance (b + d - (b - d)^2 / P) / (P (P - 1)), normal
    (McNemar's pairs). If the difference is above 0, less inference would have done for the dear system's score: eta, its
    mean on the way from one to the other, is at least the ratio. It holds for these runs, and for the bill as given.

    Raises InputError for marks that are none or not of the same problems, and for ratios that are not above 1.
    """
    options.level(level)
    for name, ratio in (("train_ratio", train_ratio), ("infer_ratio", infer_ratio)):
        if options.number(name, ratio) <= 1:
            raise InputError(
                f"{name} is {ratio:g}; give a ratio above 1, the cheap system trains less and infers more"
            )
    one, other = (checks.flags(name, marks) for name, marks in (("cheap", cheap), ("dear", dear)))
    if one.ndim != 1 or one.shape != other.shape or len(one) < 2:
        raise InputError(
            f"cheap has shape {one.shape} and dear {other.shape}; give two marks for each problem"
        )
    apart = one.astype(np.float64) - other
    difference = _mean(apart, level)
    trained, spent = float(np.log10(train_ratio)), float(np.log10(infer_ratio))
    return Substitution(
        difference, train_ratio, infer_ratio, _rate(float(other.mean()), difference, trained, spent),
        int((apart > 0).sum()), int((apart < 0).sum()),
    )  # fmt: skip


def share_right(marks: Any, level: float = 0.95) -> Estimate:
    """Return the share of problems right, with the normal interval over problems, cut at 0 and 1."""
    options.level(level)
    found = _mean(checks.flags("marks", marks).astype(np.float64), level)
    assert found.low is not None
    assert found.high is not None
    return Estimate(found.value, max(found.low, 0.0), min(found.high, 1.0), found.se)


def _mean(values: Any, level: float) -> Estimate:
    from scipy.special import ndtri

    error = float(values.std(ddof=1) / np.sqrt(len(values)))
    middle, reach = float(values.mean()), float(ndtri(0.5 * (1 + level))) * error
    return Estimate(middle, middle - reach, middle + reach, error)


def _rate(score: float, difference: Estimate, trained: float, spent: float) -> Rate:
    span = Span(0.0, spent, 0.0, trained)
    assert difference.low is not None
    if difference.low <= 0:
        why = "the cheap system is not told to be as good as the dear one: its inference replaces the training or not"
        return Rate(score, "not identified", why, None, span)
    why = "the cheap system is better, so that less inference would have done: a lower end alone"
    return Rate(score, "one-sided", why, Estimate(trained / spent, trained / spent, np.inf), span)
