"""A guesser scores nothing above chance, by simulation and in closed form."""

import numpy as np
import pytest

from scaling.errors import InputError
from scaling.samples import best_of_k, chance_at_k, chance_corrected, count_votes, majority_at_k, pass_at_k


def test_guesses_score_chance_by_each_method() -> None:
    """2000 problems, 12 guesses each among 4 answers: standard errors below .012."""
    rng = np.random.default_rng(0)
    guess = rng.integers(0, 4, (2000, 12))
    right, sizes = guess == 0, np.array([1, 3, 8])
    votes = count_votes(np.repeat(np.arange(2000), 12), guess.ravel(), right.ravel())
    scores = {
        "pass": pass_at_k(12, right.sum(axis=1), sizes),
        "majority": majority_at_k(votes, sizes)[0],
        "best_of": best_of_k(right, rng.random(guess.shape), sizes),
    }
    for method, score in scores.items():
        expected = chance_at_k(0.25, sizes, method)  # type: ignore[arg-type]
        assert np.abs(score.mean(axis=0) - expected).max() < 0.04
        assert np.abs(chance_corrected(score.mean(axis=0), expected)[:2]).max() < 0.08


def test_who_knows_or_guesses_is_left_with_what_is_known() -> None:
    q, chance, k = 0.1, 0.25, np.array([1, 2, 10, 30])
    scored = 1 - ((1 - q) * (1 - chance)) ** k
    known = chance_corrected(scored, chance_at_k(chance, k, "pass"))
    np.testing.assert_allclose(known, 1 - (1 - q) ** k, rtol=1e-10)


def test_ends_and_that_nothing_is_cut_off() -> None:
    np.testing.assert_allclose(chance_corrected([0.25, 1.0, 0.0], 0.25), [0.0, 1.0, -1 / 3], atol=1e-15)
    np.testing.assert_array_equal(chance_corrected([0.2, 0.7], 0.0), [0.2, 0.7])
    assert chance_at_k(0.0, 5, "pass") == 0


@pytest.mark.parametrize(
    ("call", "line"),
    [
        (lambda: chance_corrected(0.5, 1.0), "chance is 1; give a share below 1"),
        (lambda: chance_corrected(50, 0.1), "score is 50; give a share from 0 to 1"),
        (lambda: chance_corrected(0.5, -0.1), "chance is -0.1; give"),
        (lambda: chance_corrected(np.nan, 0.1), "score is nan; give"),
        (lambda: chance_corrected([0.5, 0.5], [0.1, 0.1, 0.1]), "give one chance for each score"),
        (lambda: chance_at_k(0.2, 0, "pass"), "k is 0; give a whole number, 1 or more"),
        (lambda: chance_at_k(0.2, 1, "vote"), "method is 'vote'; give pass, majority or best_of"),
    ],
)
def test_what_means_nothing_is_refused(call: object, line: str) -> None:
    with pytest.raises(InputError) as caught:
        call()  # type: ignore[operator]
    assert line in str(caught.value)
