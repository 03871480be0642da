"""Scores at every k of one simulated pool have the mean asked for, the variance stated, and one luck."""

import numpy as np
import pytest

from scaling.exchange import exchange_rate
from scaling.exchange.pools import Pool, pool_of
from scaling.samples import majority_at_k, pass_at_k
from scaling.samples.votes import Votes
from tests.exchange.test_spreads import counted, sampled

SIZES = (1, 2, 4, 8, 16)


@pytest.mark.parametrize("method", ["pass", "majority", "best_of"])
def test_scores_have_the_mean_that_is_asked_for_and_the_variance_that_is_told(method: str) -> None:
    guessed = np.array([0.1, 0.19, 0.3, 0.4, 0.5]) if method == "pass" else np.zeros(5)
    pool = Pool(method, SIZES, guessed)
    shares = np.broadcast_to(np.array([0.1, 0.2, 0.5, 0.6, 0.9])[:, None], (2, 5, 20_000))
    n = np.where(np.arange(20_000) % 2, 16, 24) * np.ones((2, 1), dtype=int)
    scores = pool.drawn(shares, n, np.random.default_rng(0))
    for size in (16, 24):
        for budget, share in enumerate(shares[0, :, 0]):
            off = scores[:, budget, n[0] == size].ravel() - share
            assert abs(off.mean()) < 4 * off.std() / np.sqrt(len(off))
            expected = float(pool.variance(budget, size, np.array([share]))[0])
            assert abs(np.mean(off**2) - expected) < 4 * np.std(off**2) / np.sqrt(len(off))


def test_one_chance_at_all_k_gives_the_scores_of_one_count() -> None:
    """Brute force: the counts behind k = 1, put through pass@k and a vote between two answers."""
    q, n = np.full((1, 300), 0.3), np.full((1, 300), 16)
    shares = np.stack([1 - (1 - q) ** k for k in SIZES], axis=1)
    scores = Pool("pass", SIZES, np.zeros(5)).drawn(shares, n, np.random.default_rng(0))
    right = np.round(scores[0, 0] * 16).astype(int)
    assert len(np.unique(right)) > 5
    np.testing.assert_allclose(scores[0].T, pass_at_k(16, right, SIZES), atol=1e-9)

    count = np.stack([right, 16 - right], axis=1)
    marks = np.broadcast_to([True, False], count.shape)
    order = np.argsort(-count, axis=1, kind="stable")
    count, marks = (np.take_along_axis(one, order, axis=1) for one in (count, marks))
    kept = count > 0
    votes = Votes(np.nonzero(kept)[0], count[kept], marks[kept], np.zeros(300, int), np.arange(300))
    pool = Pool("majority", SIZES, np.zeros(5))
    mean = np.array([[(count * marks).sum(axis=1).mean() / 16]])
    assert mean[0, 0] == pytest.approx(0.3, abs=0.03)
    won = np.array([0.3, 0.3, 0.216, 0.126036, 0.0500126])  # 1 - I_.7(m, m) at m = (k + 1) // 2
    drawn = pool.drawn(np.broadcast_to(won[:, None], (5, 300))[None].copy(), n, np.random.default_rng(0))
    np.testing.assert_array_equal(np.round(drawn[0, 0] * 16), right)
    np.testing.assert_allclose(drawn[0].T, majority_at_k(votes, SIZES)[0], atol=1e-9)


def test_a_pool_is_behind_methods_by_k_alone() -> None:
    found = exchange_rate(sampled(), at=[0.5], method="pass", bootstrap=0, backtested=False)
    pool = pool_of(found)
    assert pool is not None
    assert (pool.method, pool.sizes) == ("pass", (1, 2, 4, 8, 16, 32))
    assert pool.guessed.tolist() == [0.0] * 6
    guessing = sampled().assign(chance_score=0.01)
    pool = pool_of(exchange_rate(guessing, at=[0.5], method="pass", bootstrap=0, backtested=False))
    assert pool is not None
    np.testing.assert_allclose(pool.guessed, 1 - 0.99 ** np.array(pool.sizes))
    assert pool_of(exchange_rate(counted(), at=[0.5], bootstrap=0, backtested=False)) is None
