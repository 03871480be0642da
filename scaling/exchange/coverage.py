"""Coverage beyond the samples taken: two laws, a backtest that chooses between them, and a mark on what is extrapolated.

Shapes: P problems, K numbers of samples, B draws.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from scaling.errors import InputError
from scaling.exchange.coverage_laws import (
    HELD,
    LAWS,
    LEAST_SQUARES,
    LIKELIHOOD,
    Backtest,
    backtest_coverage,
    doublings,
    predicted,
    squares,
)
from scaling.exchange.coverage_result import CoverageCurve, CoveragePoint
from scaling.fitting import checks as options
from scaling.fitting import fit_counts
from scaling.fitting.derived import estimates
from scaling.fitting.parts import Estimate, Warned
from scaling.laws import Coverage, Law
from scaling.laws.base import Array
from scaling.resampling import pairs
from scaling.samples import adaptive, checks, pass_at_k
from scaling.samples.checks import Whole


def extrapolate_coverage(
    n: Any,
    c: Any,
    k: Any,
    *,
    backtest: bool = True,
    level: float = 0.95,
    bootstrap: int = 1000,
    seed: int = 0,
) -> CoverageCurve:
    """Return pass@k at k, a whole number or several, also beyond the fewest samples: then marked, and by two laws.

    n samples of which c are right, a problem each, (P,). The laws are exp(-a k^-b), by least squares on log(-log pass@k)
    at k = 1, 2, 4, ... up to the fewest samples, and the beta-binomial 1 - Beta(a, b + k) / Beta(a, b), by maximum
    likelihood. The likelihood is better where success rates are beta distributed, least squares where they spread over
    decades or some problems are never solved, so each is fitted to a tenth of the samples and asked for the rest
    (`backtest_coverage`); the one with the lower mean absolute error is chosen, both are kept. Where the samples went with
    the outcome (`adaptive`) pass@k is biased, the yardstick too, and the likelihood is chosen. Intervals are of problems
    drawn anew, bias-corrected and accelerated.

    Raises InputError for counts that are none and k that are no whole numbers from 1.
    Source: Brown et al. 2024 (arXiv:2407.21787), section 3.1; Schaeffer et al. 2025 (arXiv:2502.17578), section 3.
    """
    options.level(level)
    options.draws(bootstrap)
    seed = checks.seed(seed)
    n, c = checks.counts(n, c)
    n, c = n.ravel(), c.ravel()
    sizes = _sizes(k)
    measured = sizes[sizes <= n.min()]
    fits = _Fits(n, c, level, bootstrap, seed)
    why = fits.lacking
    told = _backtest(n, c, seed) if backtest and not why else None
    uneven = adaptive(n, c)
    chosen, reason = (None, why) if why else _choice(told, uneven, backtest)
    known = dict(zip(measured.tolist(), fits.unbiased(measured), strict=True))
    by_law = {law: fits.by_law(law, sizes) for law in LAWS} if not why else {}
    points = []
    for at, size in enumerate(sizes.tolist()):
        laws = {law: found[at] for law, found in by_law.items()}
        value = known.get(size, laws.get(chosen or ""))
        points.append(CoveragePoint(size, size not in known, value, laws))
    return CoverageCurve(
        points=tuple(points),
        laws=fits.laws,
        chosen=chosen,
        why=reason,
        status="not identified" if chosen is None else "ok",
        backtest=told,
        problems=len(n),
        fewest=int(n.min()),
        interval={"method": "bca, problems" if bootstrap else None, "level": level, "draws": bootstrap},
        warnings=(*_warnings(points, uneven, why), *fits.warnings),
    )


class _Fits:
    """Both laws with draws and jackknife of the same problems; the curve without a law likewise."""

    def __init__(self, n: Whole, c: Whole, level: float, bootstrap: int, seed: int) -> None:
        import pandas as pd

        self.n, self.c, self.level = n, c, level
        self.weights = np.empty((0, len(n)))
        if bootstrap and len(n) > 1:
            drawn = pairs(len(n), bootstrap, np.random.default_rng(seed)).weights
            assert drawn is not None
            self.weights = np.asarray(drawn, dtype=np.float64)
        self.lacking = _lacking(n, c)
        self.laws: dict[str, Law] = {}
        self.warnings: tuple[Warned, ...] = ()
        if self.lacking:
            return
        k = doublings(int(n.min()))
        curves = self._curves(k)
        fit = fit_counts(pd.DataFrame({"n": n, "c": c}), bootstrap=bootstrap, level=level, seed=seed)
        self.values = {LEAST_SQUARES: squares(k, curves[0])[0], LIKELIHOOD: fit.law.values()}
        if not np.isfinite(self.values[LEAST_SQUARES]).all():
            self.lacking = "fewer than two numbers of samples have a pass@k between 0 and 1"
            return
        self.laws = {LEAST_SQUARES: Coverage.from_values(self.values[LEAST_SQUARES]), LIKELIHOOD: fit.law}
        self.draws = {LEAST_SQUARES: squares(k, curves[1]), LIKELIHOOD: fit.draws}
        self.without = {LEAST_SQUARES: squares(k, curves[2]), LIKELIHOOD: fit.jackknife}
        self.warnings = fit.warnings

    def _curves(self, k: Whole) -> tuple[Array, Array, Array]:
        """Mean pass@k of all problems (1, K), of draws (B, K), without each problem (P, K)."""
        share = pass_at_k(self.n, self.c, k)
        total, count = share.sum(axis=0), len(share)
        return total[None] / count, self.weights @ share / count, (total - share) / max(count - 1, 1)

    def unbiased(self, k: Whole) -> list[Estimate]:
        """pass@k without a law; no interval where all problems agree, since their draws do too."""
        if not k.size:
            return []
        value, draws, without = self._curves(k)
        if not 0 < self.c.sum() < self.n.sum():
            draws = draws[:0]
        return self._estimates(value[0], draws, without)

    def by_law(self, law: str, k: Whole) -> list[Estimate]:
        """pass@k by a law."""
        value, draws = predicted(law, self.values[law][None], k)[0], predicted(law, self.draws[law], k)
        without = self.without[law]
        return self._estimates(value, draws, None if without is None else predicted(law, without, k))

    def _estimates(self, value: Array, draws: Array, without: Array | None) -> list[Estimate]:
        names = tuple(str(at) for at in range(len(value)))
        return list(estimates(names, value, draws, self.level, without).values())


def _sizes(k: Any) -> Whole:
    expected = "give whole numbers of samples, 1 or more"
    sizes = np.atleast_1d(checks.whole("k", k, expected))
    if sizes.ndim > 1 or not sizes.size or sizes.min() < 1:
        came = f"has shape {sizes.shape}" if sizes.ndim > 1 or not sizes.size else f"is {sizes.min()}"
        raise InputError(f"k {came}; {expected}")
    return sizes


def _lacking(n: Whole, c: Whole) -> str:
    """Why no law can be fitted; empty where both can."""
    if len(n) < 2:
        return "one problem does not tell how problems differ"
    if not 0 < c.sum() < n.sum():
        what = "no sample is right" if not c.sum() else "every sample is right"
        return f"{what} in {len(n)} problems: how coverage goes on cannot be told"
    if n.min() < 2:
        return "a problem has one sample: a curve in k takes two"
    return ""


def _backtest(n: Whole, c: Whole, seed: int) -> Backtest | None:
    return backtest_coverage(n, c, seed=seed) if n.min() >= 2 * HELD else None


def _choice(told: Backtest | None, uneven: str | None, asked: bool) -> tuple[str | None, str]:
    """The law that is taken beyond the samples, and why."""
    if uneven:
        return LIKELIHOOD, "samples went with the outcome, which biases least squares and the backtest"
    if not asked:
        return None, "no backtest was asked for: nothing says which law goes on rightly"
    if told is None:
        return None, f"fewer than {2 * HELD} samples of a problem: too few to hold nine tenths out"
    if told.best is None:
        return None, "a tenth of the samples does not fit both laws: the backtest says nothing"
    (other,) = (law for law in LAWS if law != told.best)
    return told.best, (
        f"fitted to {told.kept:,} samples and asked for up to {told.k[-1]:,} it was off by "
        f"{told.mean_error(told.best):.3f} on average, {other} by {told.mean_error(other):.3f}"
    )


def _warnings(points: list[CoveragePoint], uneven: str | None, lacking: str) -> list[Warned]:
    warned = [Warned("adaptive_n", uneven)] if uneven else []
    if lacking:
        warned.append(Warned("no_law", lacking))
    far = [point for point in points if point.extrapolated]
    if far:
        apart = [point for point in far if point.spread is not None]
        widest = max(apart, key=lambda point: point.spread or 0.0, default=None)
        told = "" if widest is None else f"; the laws differ by {widest.spread:.3f} at k = {widest.k:,}"
        warned.append(
            Warned("extrapolated", f"{len(far)} of {len(points)} k are above the samples of a problem{told}")
        )
    return warned
