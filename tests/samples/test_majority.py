"""The vote's score is its mean over all subsets: brute force, exact arithmetic, and draws within their error."""

from fractions import Fraction
from itertools import combinations
from math import comb
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scaling.errors import InputError
from scaling.samples import Votes, count_votes, majority_at_k, pass_at_k
from scaling.samples.drawn import contenders


def brute(answers: list[Any], right: list[bool], k: int) -> float:
    scores = []
    for subset in combinations(range(len(answers)), k):
        voted = [answers[i] for i in subset if answers[i] is not None]
        most = max((voted.count(answer) for answer in voted), default=0)
        winners = {answer for answer in voted if voted.count(answer) == most}
        scores.append(np.mean([right[answers.index(answer)] for answer in winners]) if winners else 0.0)
    return float(np.mean(scores))


def rational(count: list[int], right: list[bool], k: int) -> float:
    """The score of two answers and no abstentions, by whole numbers."""
    total = Fraction(0)
    for j in range(max(0, k - count[1]), min(k, count[0]) + 1):
        ways = comb(count[0], j) * comb(count[1], k - j)
        share = Fraction(int(right[0]) + int(right[1]), 2)
        won = share if 2 * j == k else Fraction(int(right[0] if 2 * j > k else right[1]))
        total += ways * won
    return float(total / comb(sum(count), k))


def votes(count: list[int], right: list[bool], abstained: int = 0) -> Votes:
    answer = np.repeat([*map(str, range(len(count))), None], [*count, abstained])
    correct = np.repeat([*right, False], [*count, abstained])
    return count_votes(np.zeros(len(answer), int), answer, correct)


problems = st.integers(1, 8).flatmap(
    lambda n: st.tuples(
        st.lists(st.sampled_from([None, 0, 1, 2, 3, 4]), min_size=n, max_size=n),
        st.lists(st.booleans(), min_size=5, max_size=5),
    )
)


@settings(max_examples=150, deadline=None)
@given(problems)
def test_it_is_the_mean_over_all_subsets(problem: tuple[list[Any], list[bool]]) -> None:
    answers, marks = problem
    right = [answer is not None and marks[answer] for answer in answers]
    sizes = np.arange(1, len(answers) + 1)
    found = count_votes(np.zeros(len(answers), int), np.array(answers, dtype=object), right)
    score, error = majority_at_k(found, sizes)
    np.testing.assert_allclose(score[0], [brute(answers, right, k) for k in sizes], atol=1e-13)
    np.testing.assert_array_equal(error, 0.0)
    assert score[0, 0] == pytest.approx(np.mean(right), abs=1e-15)


@settings(max_examples=60, deadline=None)
@given(problems, st.integers(0, 10**6))
def test_draws_agree_within_their_error(problem: tuple[list[Any], list[bool]], seed: int) -> None:
    answers, marks = problem
    right = [answer is not None and marks[answer] for answer in answers]
    sizes = np.arange(1, len(answers) + 1)
    found = count_votes(np.zeros(len(answers), int), np.array(answers, dtype=object), right)
    score, error = majority_at_k(found, sizes, budget=0, seed=seed)
    exact, _ = majority_at_k(found, sizes)
    assert (np.abs(score - exact) <= 5.5 * error + 1e-12).all()


@pytest.mark.parametrize("k", [1, 2, 31, 64, 200, 399, 400])
@pytest.mark.parametrize("count", [[210, 190], [390, 10], [1, 399], [200, 200]])
def test_long_votes_by_exact_arithmetic(count: list[int], k: int) -> None:
    for right in ([True, False], [False, True]):
        score, error = majority_at_k(votes(count, right), k)
        assert score[0] == pytest.approx(rational(count, right, k), abs=1e-12)
        assert error[0] == 0


@pytest.mark.parametrize(
    ("count", "abstained"),
    [([90, 60, 30, 9, 1, 1], 9), ([20] * 8 + [2] * 12 + [1] * 16, 0), ([1] * 100, 100), ([3] * 60, 20)],
)
def test_bounds_change_no_digit_and_draws_agree(count: list[int], abstained: int) -> None:
    right = [i % 3 == 1 for i in range(len(count))]
    sizes = np.array([1, 2, 3, 5, 10, 40, 77, 150])
    found = votes(count, right, abstained)
    score, error = majority_at_k(found, sizes, budget=np.inf)
    assert not error.any()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("scaling.samples.enumerated.NEVER", np.inf)
        unpruned, _ = majority_at_k(found, sizes, budget=np.inf)
    np.testing.assert_allclose(score, unpruned, atol=1e-12)
    for seed in range(5):
        drawn, error = majority_at_k(found, sizes, budget=0, seed=seed, subsets=4000)
        assert (np.abs(drawn - score) <= 5 * error + 1e-12).all()


def test_right_and_wrong_share_every_vote() -> None:
    """Turning every mark round turns the score round where nobody abstains."""
    count, right = [40, 33, 20, 5, 1, 1], [True, False, False, True, True, False]
    sizes = np.array([1, 4, 9, 33, 100])
    score, _ = majority_at_k(votes(count, right), sizes)
    other, _ = majority_at_k(votes(count, [not mark for mark in right]), sizes)
    np.testing.assert_allclose(score + other, 1.0, atol=1e-12)


def test_a_single_answer_is_found_where_not_all_abstain() -> None:
    score, _ = majority_at_k(votes([3], [True], 17), [1, 5, 17, 18])
    np.testing.assert_allclose(score[0], pass_at_k(20, 3, [1, 5, 17, 18]))


def test_neither_order_nor_other_problems_change_anything() -> None:
    rng = np.random.default_rng(0)
    problem, answer = rng.integers(0, 12, 3000), rng.geometric(0.3, 3000).astype(str)
    right = answer == np.where(problem < 6, "1", "2")
    mixed = rng.permutation(3000)
    for budget in (0, 1e7):
        one = majority_at_k(count_votes(problem, answer, right), [1, 5, 50], budget=budget)
        two = majority_at_k(
            count_votes(problem[mixed], answer[mixed], right[mixed]), [1, 5, 50], budget=budget
        )
        np.testing.assert_array_equal(one, two)
        few = problem < 3
        part = majority_at_k(count_votes(problem[few], answer[few], right[few]), [1, 5, 50], budget=budget)
        np.testing.assert_allclose(part[0], one[0][:3], atol=1e-14)
        np.testing.assert_allclose(part[1], one[1][:3], atol=1e-14)


def test_more_samples_than_a_float_counts_subsets_of() -> None:
    """Two answers of 2000 samples: k = 4 is enumerated, k = 1500 drawn, and k = n is known."""
    found = votes([1010, 990], [True, False])
    score, error = majority_at_k(found, [4, 1500, 2000])
    assert score[0, 0] == pytest.approx(rational([1010, 990], [True, False], 4), abs=1e-13)
    assert abs(score[0, 1] - rational([1010, 990], [True, False], 1500)) < 5 * error[0, 1]
    assert (error[0, 0], error[0, 2], score[0, 2]) == (0, 0, 1)
    assert majority_at_k(found, 1500, seed=1)[0] != score[0, 1]
    sure, none = majority_at_k(votes([3000, 1000], [True, False]), 2000)
    assert (sure[0], none[0]) == (1, 0), "the other answer never wins"


def test_contenders_are_those_that_can_win() -> None:
    assert contenders(np.array([6000, 3000, 500]), 10_000, 5000) == (1, True)
    assert contenders(np.array([3000, 2990, 500]), 10_000, 5000) == (2, True)
    assert contenders(np.array([3000, 2990, 1]), 10_000, 2) == (3, False)


@pytest.mark.parametrize(
    ("call", "line"),
    [
        (
            lambda: count_votes([1, 1], ["a", "a"], [True, False]),
            "problem 1: answer 'a' is marked right in some",
        ),
        (lambda: count_votes([1, 1], ["a", None], [True, True]), "without an answer is marked right"),
        (lambda: count_votes([1, None], ["a", "b"], [True, True]), "problem is missing in 1 samples"),
        (lambda: count_votes([1, 1], ["a", "b"], [True, None]), "correct is missing in 1 of 2 samples"),
        (lambda: count_votes([1, 1], ["a", "b"], [1, 2]), "correct is 2; give true or false"),
        (lambda: count_votes([1, 1], ["a"], [1, 0]), "give one of each for each sample"),
        (lambda: majority_at_k(votes([3], [True]), 4), "k is 4; give a whole number from 1 to 3"),
        (lambda: majority_at_k(votes([3], [True]), 1, subsets=1), "subsets is 1; give"),
        (lambda: majority_at_k(votes([3], [True]), 1, budget=-1), "budget is -1; give"),
        (lambda: majority_at_k(votes([3], [True]), 1, seed=-1), "seed is -1; give"),
    ],
)
def test_what_means_nothing_is_refused(call: object, line: str) -> None:
    with pytest.raises(InputError) as caught:
        call()  # type: ignore[operator]
    assert line in str(caught.value)
