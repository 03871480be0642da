"""Majority of k: the mean score of the vote over all subsets of k samples.

Shapes: P problems, K sizes of subsets.
"""

from numbers import Integral, Real
from typing import Any

import numpy as np

from scaling.errors import InputError
from scaling.samples import checks
from scaling.samples.checks import Array, Whole
from scaling.samples.contests import enumerate_subsets
from scaling.samples.drawn import draw_subsets
from scaling.samples.unbiased import pass_at_k
from scaling.samples.votes import Votes

BUDGET = 1e7
"""Multiplications a problem above which subsets are drawn: about a hundredth of a second."""
SUBSETS = 400
"""Subsets drawn: a standard error of at most .025 a problem."""


def majority_at_k(
    votes: Votes, k: Any, *, seed: int = 0, budget: float = BUDGET, subsets: int = SUBSETS
) -> tuple[Array, Array]:
    """Return the mean score of the vote over all subsets of k samples, and its Monte Carlo standard error.

    In a subset the most frequent answer wins; answers that tie win equally often, so that a tie scores the right ones'
    share. An abstention takes its place in the subset and gives no vote; if all abstain, the score is 0. Both results
    have shape (P,), or (P, K) for k of (K,).

    Exact (`enumerated`), with error 0, while C(n, k) is a float and a problem takes at most `budget` multiplications: all k
    up to n of about 1000, k up to about 130 at n of 10,000. The rest is drawn, `subsets` without replacement (`drawn`).

    Raises InputError for k outside 1 to the fewest samples, a budget below 0, fewer than 2 subsets, no seed.
    """
    sizes = checks.subset_sizes(k, votes.samples)
    seed = checks.seed(seed)
    if not isinstance(subsets, Integral) or subsets < 2:
        raise InputError(f"subsets is {checks.said(subsets)}; give a whole number of at least 2")
    if not isinstance(budget, Real) or not budget >= 0:
        raise InputError(f"budget is {checks.said(budget)}; give a number of multiplications, 0 or more")
    each, position = np.unique(sizes, return_inverse=True)
    score, error = _all(votes, each, seed, float(budget), int(subsets))
    score, error = (values[:, position.ravel()] for values in (score, error))
    return (score, error) if sizes.ndim else (score[:, 0], error[:, 0])


def _all(votes: Votes, k: Whole, seed: int, budget: float, subsets: int) -> tuple[Array, Array]:
    """Scores and errors (P, K) at ascending k."""
    right, wrong, samples = votes.total(votes.right), votes.total(~votes.right), votes.samples
    contested = (right > 0) & (wrong > 0)
    score = enumerate_subsets(votes, k, contested, budget)
    score[~contested] = pass_at_k(samples, right, k)[~contested]
    error = np.zeros(score.shape)
    begin = np.searchsorted(votes.problem, np.arange(len(samples) + 1))
    for problem, column in np.argwhere(np.isnan(score)).tolist():
        own = slice(begin[problem], begin[problem + 1])
        score[problem, column], error[problem, column] = draw_subsets(
            votes.count[own], votes.right[own], int(samples[problem]), int(k[column]), subsets, seed
        )
    return np.clip(score, 0.0, 1.0), error
