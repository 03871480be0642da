"""Scores at several k drawn anew, all of one pool of samples of a problem at a checkpoint, as measured ones are.

Each k has the chance q_k of a sample at which the method's expected score is what it should be; q_k is one number where
samples alone decide, and what is planted may ask for others. `pass` (`pass_at_k`) and `majority` (against one other answer;
more than half win, a tie scores a half) count the right samples of the pool: binomial at each k, all at one quantile.
`best_of` ranks the samples (`rank_weights`), and sample i is right at k where u_i < q_k, with one uniform u_i for all k.
Shapes: K checkpoints, B budgets, P problems, n samples, Q pools.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from scaling.exchange.design import Whole
from scaling.exchange.table import METHODS
from scaling.laws.base import Array
from scaling.samples import pass_at_k
from scaling.samples.best import rank_weights

if TYPE_CHECKING:
    from scaling.exchange.result import Exchange

CHANCES = np.linspace(0.0, 1.0, 4001)
"""Chances of a sample between which those of a vote are interpolated."""
QUANTILES = 1024
"""Quantiles of counts that are drawn from."""


@dataclass(frozen=True)
class Pool:
    """How scores at every k come of a pool."""

    method: str
    """`pass`, `majority` or `best_of`."""
    sizes: tuple[int, ...]
    """k of each budget, (B,)."""
    guessed: Array
    """What a guesser scores at each budget, which is taken out of the scores, (B,)."""

    def chance(self, budget: int, share: Array) -> Array:
        """Chance of a sample at which the expected score, chance taken out, is `share`."""
        raw, k = self.guessed[budget] + (1 - self.guessed[budget]) * share, self.sizes[budget]
        if self.method == "pass":
            with np.errstate(divide="ignore"):
                return np.asarray(-np.expm1(np.log1p(-raw) / k))
        return np.asarray(np.interp(raw, _won(k), CHANCES)) if self.method == "majority" else raw

    def variance(self, budget: int, n: int, share: Array) -> Array:
        """Variance of the score of n samples about `share`."""
        from scipy.stats import binom

        q, k = self.chance(budget, share), self.sizes[budget]
        if self.method == "best_of":
            raw = q * (1 - q) * np.sum(rank_weights(n, np.array([k])) ** 2)
        else:
            score = _scores(self.method, n, k)
            likely = binom.pmf(np.arange(n + 1), n, q[..., None])
            raw = likely @ score**2 - (likely @ score) ** 2
        return np.asarray(raw / (1 - self.guessed[budget]) ** 2)

    def drawn(self, shares: Array, n: Whole, rng: np.random.Generator) -> Array:
        """Scores (K, B, P) of pools of n samples (K, P) with expected scores `shares`."""
        scores = np.empty(shares.shape)
        for size in np.unique(n).tolist():
            at = n == size
            luck = _luck(self.method, size, int(at.sum()), rng)
            for budget, k in enumerate(self.sizes):
                right = luck < self.chance(budget, shares[:, budget][at]).astype(np.float32)[:, None]
                scores[:, budget][at] = _scored(self.method, right, k)
        return np.asarray((scores - self.guessed[:, None]) / (1 - self.guessed[:, None]))


def pool_of(found: Exchange) -> Pool | None:
    """The pool behind a measurement by k; None where each budget has samples of its own."""
    design = found.design
    if found.method not in METHODS[1:] or design.trials is None or not design.problems:
        return None
    whole = all(isinstance(name, int | np.integer) for name in design.budgets)
    if not whole or max(design.budgets) > np.nanmin(design.trials):
        return None
    guessed = np.array(design.guessed) if design.guessed else np.zeros(len(design.budgets))
    return Pool(found.method, tuple(map(int, design.budgets)), guessed)


def _scored(method: str, right: np.ndarray, k: int) -> Array:
    """Scores (Q,) of samples that are right or wrong, (Q, n)."""
    n = right.shape[1]
    if method == "best_of":
        return np.asarray(right @ rank_weights(n, np.array([k]))[:, 0])
    return np.asarray(_scores(method, n, k)[np.count_nonzero(right, axis=1)])


def _luck(method: str, n: int, pools: int, rng: np.random.Generator) -> np.ndarray:
    """Chances from which on the samples of each pool are right, (pools, n)."""
    if method == "best_of":
        return rng.random((pools, n), dtype=np.float32)
    return _orders(n)[rng.integers(QUANTILES, size=pools)]


@lru_cache(maxsize=16)
def _orders(n: int) -> np.ndarray:
    """Quantiles of the order statistics of n uniform numbers, all of one probability in a row, (QUANTILES, n)."""
    from scipy.special import betaincinv

    place, probability = np.arange(1, n + 1), (np.arange(QUANTILES)[:, None] + 0.5) / QUANTILES
    return np.asarray(betaincinv(place, n + 1 - place, probability), dtype=np.float32)


@lru_cache(maxsize=256)
def _scores(method: str, n: int, k: int) -> Array:
    """Score at k of 0 to n right ones of n, (n + 1,)."""
    from scipy.stats import hypergeom

    right = np.arange(n + 1)
    if method == "pass":
        return pass_at_k(n, right, k)
    tied = 0.5 * hypergeom.pmf(k // 2, n, right, k) if k % 2 == 0 else 0.0
    return np.asarray(hypergeom.sf(k // 2, n, right, k) + tied)


@lru_cache(maxsize=256)
def _won(k: int) -> Array:
    """Chance that right samples win a vote of k, at `CHANCES`: even k are as the odd one below."""
    from scipy.special import betainc

    half = (k + 1) // 2
    return np.asarray(betainc(half, half, CHANCES))
