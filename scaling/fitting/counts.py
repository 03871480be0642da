"""Right answers among many samples, problem by problem: how pass@k grows, and how many samples a coverage takes.

Shapes: B draws, G distinct pairs of counts, M points.
"""

from dataclasses import dataclass
from numbers import Real
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import numpy.typing as npt

from scaling.errors import FitError, InputError
from scaling.fitting import checks
from scaling.fitting.beta_likelihood import maximum
from scaling.fitting.derived import ends, estimates
from scaling.fitting.parts import Estimate, Interval, Prediction, Warned
from scaling.fitting.rows import number_column
from scaling.laws import BetaBinomial
from scaling.laws.base import Array
from scaling.resampling import pairs
from scaling.samples import pass_at_k

if TYPE_CHECKING:
    import pandas as pd

MISFIT = 1e-3
"""Probability of counts as far from the fitted distribution, below which the form is doubted."""
FEW_PROBLEMS = 60
"""Problems below which intervals are too short. Simulated with three pairs of a and b and 64 to 200 samples, 150 sets:
95 % intervals by bca held b in 87-91 % with 30 problems, 87-92 % with 60, 93-95 % with 128, by percentiles in 83-87, 83-91
and 90-92 %; a, pass@10 and the samples for half of the problems in 90-98 %."""
EVEN = 1e5
"""Sum of a and b from which success rates are all the same."""
NODES = 400
"""Success rates that stand for their distribution."""


@dataclass(frozen=True, repr=False)
class CountsFit:
    """A beta-binomial law of pass@k fitted to counts."""

    law: BetaBinomial
    """The fitted law: `fit.law.predict(k=)`."""
    parameters: dict[str, Estimate]
    """a and b."""
    value: float
    """Negative log-likelihood at the answer, without the binomial coefficients."""
    draws: Array
    """a and b of each draw, (B, 2)."""
    jackknife: Array | None
    """a and b without each problem, (problems, 2), for `bca`; None for percentiles."""
    intervals: Interval
    """How the intervals were made."""
    warnings: tuple[Warned, ...]
    """What to doubt."""
    n: npt.NDArray[np.int64]
    """Samples of each problem."""
    c: npt.NDArray[np.int64]
    """Right ones among them."""
    dropped: tuple[tuple[Any, str], ...]
    """(row, reason) of the rows that were not used."""

    def __repr__(self) -> str:
        """One line; `str` and `print` give the summary."""
        return f"<CountsFit of {len(self.n)} problems: {self.law}>"

    def __str__(self) -> str:
        """The summary."""
        return self.summary()

    def summary(self) -> str:
        """Parameters, pass@1 and what to doubt, for a terminal."""
        from scaling.fitting.summary import counts_summary

        return counts_summary(self)

    def pass_at(self, k: npt.ArrayLike, *, level: float | None = None) -> Prediction:
        """pass@k with the interval of the mean over such problems; k broadcasts and may be a fraction."""
        k = checks.positive("k", k)
        level = self.intervals.level if level is None else level
        checks.level(level)
        value = self.law.predict(k=k)
        if not len(self.draws):
            return Prediction(value, None, None)

        def at(values: Array) -> Array:
            return BetaBinomial.from_values(values).predict(k=k.ravel())

        low, high = ends(
            at(self.law.values()[None])[0],
            at(self.draws),
            level,
            None if self.jackknife is None else at(self.jackknife),
        )
        return Prediction(value, low.reshape(k.shape), high.reshape(k.shape))

    def samples_for(self, coverage: float) -> Estimate:
        """The number of samples k at which pass@k reaches a coverage, with its interval; a real number above 0.

        Raises InputError for a coverage outside (0, 1).
        """
        checks.share("the coverage", coverage, "a share between 0 and 1")

        def samples(values: Array) -> Array:
            return np.exp(log_samples(values, coverage))

        value, draws = samples(self.law.values()[None]), samples(self.draws)[:, None]
        without = None if self.jackknife is None else samples(self.jackknife)[:, None]
        return estimates(("k",), value, draws, self.intervals.level, without)["k"]

    def unbiased(self, k: int) -> tuple[float, float]:
        """The mean over problems of 1 - C(n - c, k) / C(n, k), and its standard error; k up to the fewest samples.

        Chen et al. 2021 (arXiv:2107.03374), eq. 1: no law is assumed.
        """
        if not isinstance(k, Real) or k % 1 or not 1 <= k <= self.n.min():
            raise InputError(
                f"k is {k}; give a whole number up to the fewest samples of a problem, {self.n.min()}"
            )
        share = pass_at_k(self.n, self.c, k)
        return float(share.mean()), float(share.std(ddof=1) / np.sqrt(len(share))) if len(share) > 1 else 0.0


def fit_counts(
    frame: "pd.DataFrame",
    *,
    bootstrap: int = 1000,
    interval: Literal["percentile", "bca"] = "bca",
    level: float = 0.95,
    seed: int = 0,
) -> CountsFit:
    """Fit a beta distribution of success rates to counts by maximum likelihood.

    One row a problem: n samples of which c were right; n may differ between problems, as where hard ones were sampled
    on. The likelihood of a row is B(a + c, b + n - c) / B(a, b). Intervals are of draws of problems, which are taken
    for a sample of such problems: bias-corrected and accelerated, or percentiles.

    Raises InputError for what is no table, columns that are not counts, and a level or count that means nothing;
    FitError where every sample is right, or none is.
    """
    checks.table(frame, "n and c", "fit_counts(frame)")
    checks.draws(bootstrap)
    checks.level(level)
    checks.seed(seed)
    if interval not in ("percentile", "bca"):
        raise InputError(f"interval is {interval!r}; give percentile or bca")
    n, c, dropped = _counts(frame)
    if not 0 < c.sum() < n.sum():
        what = "no sample is right" if c.sum() == 0 else "every sample is right"
        raise FitError(f"{what} in {len(n)} problems: how far their difficulties spread cannot be told")
    if n.max() < 2:
        raise FitError(
            f"{len(n)} problems with one sample each do not tell how their difficulties spread; sample more"
        )
    unique, position = np.unique(np.stack([n, c], axis=1), axis=0, return_inverse=True)
    position = position.ravel()
    whole = np.bincount(position)[None, :].astype(np.float64)
    values, value = maximum(unique, whole)
    draws, without = np.empty((0, 2)), None
    if bootstrap:
        weights = pairs(len(n), bootstrap, np.random.default_rng(seed)).weights
        assert weights is not None
        grouped = np.zeros((bootstrap, len(unique)))
        np.add.at(grouped.T, position, weights.T)
        draws = maximum(unique, grouped, start=np.log(values[0]))[0]
        if interval == "bca":
            less = whole - np.eye(len(unique))
            without = maximum(unique, less, start=np.log(values[0]))[0][position]
    law = BetaBinomial.from_values(values[0])
    found = CountsFit(
        law=law,
        parameters=estimates(("a", "b"), values[0], draws, level, without),
        value=float(value[0]),
        draws=draws,
        jackknife=without,
        intervals=Interval(f"{interval}, problems" if bootstrap else None, level, bootstrap),
        warnings=(),
        n=n,
        c=c,
        dropped=dropped,
    )
    return CountsFit(**{**found.__dict__, "warnings": _warnings(found)})


def _counts(
    frame: "pd.DataFrame",
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64], tuple[tuple[Any, str], ...]]:
    """Samples and right ones of the rows that have them, and the other rows with the reason."""
    for name in ("n", "c"):
        if name not in frame.columns:
            raise InputError(
                f"the table has no column {name}; a row is a problem, with n samples of which c are right"
            )
    n, c = number_column(frame, "n"), number_column(frame, "c")
    missing = ~(np.isfinite(n) & np.isfinite(c))
    whole = (n == np.floor(n)) & (c == np.floor(c)) & (c >= 0) & (c <= n)
    if not whole[~missing].all():
        at = int(np.flatnonzero(~missing & ~whole)[0])
        raise InputError(
            f"row {frame.index[at]} has {c[at]:g} right of {n[at]:g} samples; expected whole numbers, c between 0 and n"
        )
    none = ~missing & (n == 0)
    dropped = [(row, "n or c is missing") for row in frame.index[missing].tolist()]
    dropped += [(row, "n is 0") for row in frame.index[none].tolist()]
    keep = ~missing & ~none
    if not keep.any():
        raise FitError(f"none of the {len(frame)} rows has samples")
    return n[keep].astype(np.int64), c[keep].astype(np.int64), tuple(dropped)


def log_samples(values: Array, coverage: float) -> Array:
    """Log k at which the laws (B, 2) reach a coverage, (B,), by bisection; infinite where e^300 samples do not."""
    laws = BetaBinomial.from_values(values)
    low, high = np.full(len(values), -300.0), np.full(len(values), 300.0)
    for _ in range(70):
        middle = 0.5 * (low + high)
        with np.errstate(all="ignore"):
            reached = laws.at({"k": middle[:, None]})[:, 0] >= coverage
        low, high = np.where(reached, low, middle), np.where(reached, middle, high)
    return np.where(high > 299.0, np.inf, high)


def _warnings(found: CountsFit) -> tuple[Warned, ...]:
    warned = []
    if min(found.law.a, found.law.b) < 1 / EVEN:
        warned.append(
            Warned(
                "all_or_none",
                "problems are solved always or never: a and b are not told, nor samples for a coverage",
            )
        )
    elif found.law.a + found.law.b > EVEN:
        warned.append(
            Warned(
                "no_spread",
                "the counts scatter no more than those of equally hard problems: a and b are not told",
            )
        )
    p_value = _misfit(found)
    if p_value is not None and p_value < MISFIT:
        warned.append(
            Warned(
                "beta_misfit",
                f"success rates are not beta distributed (Kolmogorov-Smirnov p = {p_value:.1g}): pass@k beyond the samples "
                "taken rests on the form",
            )
        )
    if len(found.n) < FEW_PROBLEMS:
        warned.append(
            Warned(
                "few_problems",
                f"{len(found.n)} problems tell little of how difficulties spread: counted at 95 %, intervals of so few "
                "held the truth in 9 of 10 cases",
            )
        )
    return tuple(warned)


def _misfit(found: CountsFit) -> float | None:
    """The Kolmogorov-Smirnov p-value of the counts' places in the fitted distribution, ties parted at random.

    Conservative, since a and b were fitted. None where problems have unequal samples: their number often depends on
    what was solved, and then places are not uniform though the law holds.
    """
    from scipy.special import bdtr, betaincinv
    from scipy.stats import kstest

    if len(set(found.n.tolist())) > 1:
        return None
    rates = betaincinv(found.law.a, found.law.b, (np.arange(NODES) + 0.5) / NODES)
    n = int(found.n[0])
    below = np.where(found.c > 0, bdtr(np.maximum(found.c - 1.0, 0.0)[:, None], n, rates).mean(axis=1), 0.0)
    upto = bdtr(found.c[:, None].astype(np.float64), n, rates).mean(axis=1)
    places = below + np.random.default_rng(0).uniform(size=len(found.c)) * (upto - below)
    return float(kstest(places, "uniform").pvalue)
