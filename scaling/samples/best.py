"""Best of k by a verifier: the mean correctness of the sample with the highest score, over all subsets of k.

Shapes: P problems, n samples, K sizes of subsets.
"""

from typing import Any

import numpy as np

from scaling.errors import InputError
from scaling.samples import checks
from scaling.samples.checks import Array, Whole

BLOCK = 2_000_000
"""Samples that are sorted together."""


def best_of_k(correct: Any, verifier_score: Any, k: Any) -> Array:
    """Return the mean over all subsets of k samples of the correctness of the one that scores highest.

    sum_i r_i C(i - 1, k - 1) / C(n, k) over samples ranked from the lowest score, i = 1..n, where r_i is the mean
    correctness of the samples that tie with i: a tie at the top counts its expected value. `correct` and
    `verifier_score` have shape (..., n), k is a whole number or (K,); the result has shape (...) or (..., K). A score may
    be infinite.

    Raises InputError for scores that are missing, marks that are not right or wrong, and k outside 1..n.
    """
    right = checks.flags("correct", correct)
    try:
        score = np.asarray(verifier_score)
        score = score if score.dtype.kind == "f" else score.astype(np.float64)
    except (TypeError, ValueError):
        raise InputError("verifier_score holds what is no number; give one number for each sample") from None
    if score.shape != right.shape or not score.ndim or not score.size:
        raise InputError(
            f"correct has shape {right.shape} and verifier_score {score.shape}; give (..., n) twice"
        )
    missing = int(np.isnan(score).sum())
    if missing:
        raise InputError(
            f"verifier_score is missing in {missing} of {score.size} samples; drop these samples, "
            "or fill in the score that they would have"
        )
    n = score.shape[-1]
    sizes = checks.subset_sizes(k, n)
    weights = rank_weights(n, np.atleast_1d(sizes))
    right, score, shape = right.reshape(-1, n), score.reshape(-1, n), score.shape[:-1]
    rows = max(1, BLOCK // n)
    found = [_ranked(right[i : i + rows], score[i : i + rows]) @ weights for i in range(0, len(score), rows)]
    # the weights sum to 1 but for rounding
    shares: Array = np.clip(np.concatenate(found), 0.0, 1.0).reshape(*shape, -1)
    return shares if sizes.ndim else shares[..., 0]


def rank_weights(n: int, k: Whole) -> Array:
    """Share of subsets of k in which the sample of rank i = 1..n is the highest: C(i - 1, k - 1) / C(n, k), (n, K)."""
    rank = np.arange(n - 1, 0, -1.0)[:, None]
    ratios = np.maximum(rank - (k - 1), 0.0) / rank
    weights: Array = (np.concatenate([np.ones((1, len(k))), np.cumprod(ratios, axis=0)])[::-1]) * (k / n)
    return weights


def _ranked(right: np.ndarray, score: np.ndarray) -> Array:
    """Correctness in the order of scores, the mean of each tie in place of its members, (P, n)."""
    order = np.argsort(score, axis=1)
    score = np.take_along_axis(score, order, axis=1)
    ranked: Array = np.take_along_axis(right, order, axis=1).astype(np.float64)
    new = np.ones(score.shape, dtype=bool)
    new[:, 1:] = score[:, 1:] != score[:, :-1]
    if not new.all():
        first = np.flatnonzero(new)
        sizes = np.diff(np.append(first, new.size))
        ranked = np.repeat(np.add.reduceat(ranked.ravel(), first) / sizes, sizes).reshape(ranked.shape)
    return ranked
