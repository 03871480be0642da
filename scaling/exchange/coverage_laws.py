"""Two laws of coverage in the number of samples, fitted to counts, and how far each was off at samples held out.

Shapes: P problems, K numbers of samples, B draws, T thinnings.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from scaling.errors import InputError
from scaling.laws import BetaBinomial, Coverage
from scaling.laws.base import Array
from scaling.samples import checks, pass_at_k
from scaling.samples.checks import Whole

LEAST_SQUARES, LIKELIHOOD = "coverage", "beta_binomial"
LAWS = (LEAST_SQUARES, LIKELIHOOD)
"""exp(-a k^-b) by least squares on log(-log pass@k); the beta-binomial by maximum likelihood. Names of the laws."""
HELD = 10
"""Of so many samples one is kept in a backtest."""
THINNINGS = 20


@dataclass(frozen=True)
class Backtest:
    """Both laws fitted to fewer samples and asked for pass@k up to all samples."""

    kept: int
    """Fewest samples of a problem after thinning."""
    k: Whole
    """Numbers of samples asked for, all above `kept`, the last is the fewest samples of a problem, (K,)."""
    unbiased: Array
    """pass@k of all samples, the yardstick, (K,)."""
    errors: Mapping[str, Array]
    """Law to predicted minus unbiased, (T, K)."""
    failed: int
    """Thinnings in which a law could not be fitted: nothing right, or too few numbers of samples."""

    @property
    def thinnings(self) -> int:
        """T, without those that failed."""
        return len(self.errors[LIKELIHOOD])

    def mean_error(self, law: str) -> float:
        """Mean absolute error in pass@k, over thinnings and k; NaN where every thinning failed."""
        return float(np.mean(np.abs(self.errors[law]))) if self.thinnings else np.nan

    def last_error(self, law: str) -> float:
        """The same at the largest k alone."""
        return float(np.mean(np.abs(self.errors[law][:, -1]))) if self.thinnings else np.nan

    def bias(self, law: str) -> float:
        """Mean error at the largest k, with its sign."""
        return float(np.mean(self.errors[law][:, -1])) if self.thinnings else np.nan

    @property
    def best(self) -> str | None:
        """The law with the lower mean absolute error; None where every thinning failed."""
        return min(LAWS, key=self.mean_error) if self.thinnings else None

    def wins(self, law: str) -> float:
        """Share of the thinnings in which a law has the lower mean absolute error."""
        (other,) = (one for one in LAWS if one != law)
        own, theirs = (np.abs(self.errors[one]).mean(axis=1) for one in (law, other))
        return float(np.mean(own < theirs)) if self.thinnings else np.nan

    def to_json(self) -> dict[str, Any]:
        """Its numbers by law."""
        by_law = {
            law: {
                "mean_absolute_error": self.mean_error(law),
                "at_largest_k": self.last_error(law),
                "bias_at_largest_k": self.bias(law),
                "wins": self.wins(law),
            }
            for law in LAWS
        }
        common = {"kept": self.kept, "k": self.k.tolist(), "unbiased": self.unbiased.tolist()}
        return common | {"thinnings": self.thinnings, "failed": self.failed, "errors": by_law}


def backtest_coverage(
    n: Any, c: Any, *, samples: int | None = None, thinnings: int = THINNINGS, seed: int = 0
) -> Backtest:
    """Return how far both laws are off at numbers of samples that they have not seen.

    n samples of which c are right, a problem each, (P,). Each problem keeps `samples` of them, or a tenth, drawn without
    replacement: the right ones left are hypergeometric. Both laws are fitted to what is left and asked for
    k = m, m/2, m/4, ... above it, m the fewest samples; the yardstick is the unbiased pass@k of all samples, which has an
    error of its own. Thinnings share the problems: their scatter is that of samples alone.

    Raises InputError for no counts, and where fewer than two or no fewer samples would be left.
    """
    n, c = checks.counts(n, c)
    n, c = n.ravel(), c.ravel()
    kept = n // HELD
    if samples is not None:
        kept = np.full(len(n), checks.whole("samples", samples, "give a whole number, or None for a tenth"))
    fewest, least = int(n.min()), int(kept.min())
    if not 2 <= least < fewest:
        raise InputError(
            f"{least} of {fewest:,} samples would be left to fit; give problems {2 * HELD} samples or more, and "
            "samples from 2 to below the fewest"
        )
    k = np.unique((fewest / 2.0 ** np.arange(np.ceil(np.log2(fewest / least)))).astype(np.int64))
    truth = pass_at_k(n, c, k).mean(axis=0)
    rng = np.random.default_rng(checks.seed(seed))
    errors: dict[str, list[Array]] = {law: [] for law in LAWS}
    for _ in range(thinnings):
        left = rng.hypergeometric(c, n - c, kept)
        fits = {LEAST_SQUARES: squares_of(kept, left), LIKELIHOOD: likelihood_of(kept, left)}
        if all(fit is not None for fit in fits.values()):
            for law, fit in fits.items():
                errors[law].append(predicted(law, np.asarray(fit)[None], k)[0] - truth)
    stacked = {law: np.reshape(found, (-1, len(k))) for law, found in errors.items()}
    return Backtest(least, k, truth, stacked, thinnings - len(stacked[LIKELIHOOD]))


def doublings(fewest: int) -> Whole:
    """The k that least squares takes: 1, 2, 4, ... up to the fewest samples."""
    sizes: Whole = 2 ** np.arange(int(np.log2(fewest)) + 1, dtype=np.int64)
    return sizes


def squares(k: Whole, shares: Array) -> Array:
    """A and b (B, 2) by least squares of log(-log share) = log a - b log k, for curves (B, K).

    Shares of 0 and 1 are left out; NaN where fewer than two others are left.
    """
    inside = (shares > 0) & (shares < 1)
    x = np.broadcast_to(np.log(k), shares.shape)
    y = np.log(-np.log(np.where(inside, shares, 0.5)))
    count = np.where(inside.sum(axis=1) > 1, inside.sum(axis=1), np.nan)
    mean_x, mean_y = ((inside * z).sum(axis=1) / count for z in (x, y))
    dx, dy = inside * (x - mean_x[:, None]), inside * (y - mean_y[:, None])
    b = -(dx * dy).sum(axis=1) / (dx**2).sum(axis=1)
    return np.stack([np.exp(mean_y + b * mean_x), np.maximum(b, 0.0)], axis=1)


def squares_of(n: Whole, c: Whole) -> Array | None:
    """A and b of `coverage` for counts, (2,); None where fewer than two shares lie inside (0, 1)."""
    k = doublings(int(n.min()))
    found: Array = squares(k, pass_at_k(n, c, k).mean(axis=0)[None])[0]
    return found if np.isfinite(found).all() else None


def likelihood_of(n: Whole, c: Whole) -> Array | None:
    """A and b of `beta_binomial` for counts, (2,); None where all or no samples are right."""
    from scaling.fitting.beta_likelihood import maximum

    if not 0 < c.sum() < n.sum() or n.max() < 2:
        return None
    unique, position = np.unique(np.stack([n, c], axis=1), axis=0, return_inverse=True)
    found: Array = maximum(unique, np.bincount(position.ravel())[None].astype(np.float64))[0][0]
    return found


def predicted(law: str, values: Array, k: Whole) -> Array:
    """pass@k (B, K) of a law with parameters (B, 2); NaN where these are."""
    known = np.isfinite(values).all(axis=1)
    kind = {LEAST_SQUARES: Coverage, LIKELIHOOD: BetaBinomial}[law]
    shares = np.full((len(values), len(k)), np.nan)
    if known.any():
        shares[known] = kind.from_values(values[known]).predict(k=k)
    return shares
