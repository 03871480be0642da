"""Best of k is the mean correctness of the highest score over all subsets, ties by their expected value."""

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scaling.errors import InputError
from scaling.samples import best_of_k, pass_at_k


def brute(right: list[bool], score: list[float], k: int) -> float:
    means = []
    for subset in combinations(range(len(right)), k):
        most = max(score[i] for i in subset)
        means.append(np.mean([right[i] for i in subset if score[i] == most]))
    return float(np.mean(means))


@settings(max_examples=150, deadline=None)
@given(
    st.lists(st.tuples(st.booleans(), st.sampled_from([-np.inf, 0.0, 0.5, 1.0, 2.0])), min_size=1, max_size=8)
)
def test_it_is_the_mean_over_all_subsets(samples: list[tuple[bool, float]]) -> None:
    right, score = [list(part) for part in zip(*samples, strict=True)]
    sizes = np.arange(1, len(right) + 1)
    found = best_of_k(right, score, sizes)
    np.testing.assert_allclose(found, [brute(right, score, k) for k in sizes], atol=1e-13)
    assert found[0] == pytest.approx(np.mean(right), abs=1e-15)


def test_verifiers_that_know_all_and_nothing() -> None:
    rng = np.random.default_rng(0)
    right = rng.random((20, 300)) < rng.random((20, 1))
    sizes = [1, 2, 50, 299, 300]
    np.testing.assert_allclose(
        best_of_k(right, right.astype(float), sizes), pass_at_k(300, right.sum(axis=1), sizes), atol=1e-12
    )
    blind = best_of_k(right, np.zeros(right.shape), sizes)
    np.testing.assert_allclose(blind, right.mean(axis=1, keepdims=True) * np.ones(5), atol=1e-12)


def test_order_changes_nothing_and_k_is_n_takes_the_highest() -> None:
    rng = np.random.default_rng(1)
    right, score = rng.random((3, 4, 50)) < 0.4, rng.integers(0, 20, (3, 4, 50))
    mixed = rng.permutation(50)
    found = best_of_k(right, score, [1, 7, 50])
    assert found.shape == (3, 4, 3)
    np.testing.assert_allclose(found, best_of_k(right[..., mixed], score[..., mixed], [1, 7, 50]), atol=1e-13)
    distinct = score + rng.random(score.shape) / 2
    last = np.take_along_axis(right, distinct.argmax(axis=-1)[..., None], axis=-1)[..., 0]
    np.testing.assert_array_equal(best_of_k(right, distinct, 50), last)


def test_blocks_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(2)
    right, score = rng.random((9, 11)) < 0.4, rng.integers(0, 4, (9, 11))
    whole = best_of_k(right, score, [1, 3])
    monkeypatch.setattr("scaling.samples.best.BLOCK", 25)
    np.testing.assert_allclose(best_of_k(right, score, [1, 3]), whole, atol=1e-15)


@pytest.mark.parametrize(
    ("call", "line"),
    [
        (lambda: best_of_k([1, 0], [1.0, np.nan], 1), "verifier_score is missing in 1 of 2 samples; drop"),
        (lambda: best_of_k([1, 0], ["a", "b"], 1), "verifier_score holds what is no number"),
        (lambda: best_of_k([1, 0], [1.0], 1), "give (..., n) twice"),
        (lambda: best_of_k([1, 3], [1.0, 2.0], 1), "correct is 3; give true or false"),
        (lambda: best_of_k([1, 0], [1.0, 2.0], 3), "k is 3; give a whole number from 1 to 2"),
    ],
)
def test_what_means_nothing_is_refused(call: object, line: str) -> None:
    with pytest.raises(InputError) as caught:
        call()  # type: ignore[operator]
    assert line in str(caught.value)
