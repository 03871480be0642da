"""Words in groups, by hand: the groups are what they are called, and traces name the products on the way."""

import numpy as np
import pytest

from scaling.tasks import FREE, decoded
from scaling.tasks.words import A4_Z5, A5, S5, Z60, GroupWords, cycles


@pytest.mark.parametrize(
    ("task", "order"),
    [(S5, 120), (A5, 60), (A4_Z5, 60), (Z60, 60)],
    ids=lambda one: getattr(one, "name", None),
)
def test_orders(task: GroupWords, order: int) -> None:
    assert len(task.elements) == order
    assert len(set(task.answers(np.arange(4**5), 5))) <= order


def test_cyclic_groups_commute_and_the_others_do_not() -> None:
    def same(task: GroupWords) -> bool:
        forth, back = np.array([0b0001, 0b0010, 0b0111]), np.array([0b0100, 0b1000, 0b1101])
        return task.answers(forth, 2) == task.answers(back, 2)

    assert same(Z60)
    assert not same(S5)
    assert not same(A5)
    assert not same(A4_Z5)


def test_a_word_is_worked_off_from_the_left() -> None:
    """a is the 5-cycle 0 -> 1 -> 2 -> 3 -> 4, b swaps 0 and 1."""
    assert cycles(5, (0, 1, 2, 3, 4)) == (1, 2, 3, 4, 0)
    word = np.array([0b0001])  # a, then b
    assert decoded(S5.questions(word, 2)[0]) == "ab="
    assert S5.answers(word, 2) == ["02341"]  # 0 goes to 1 and on to 0; 1 to 2; ...; 4 to 0 and on to 1
    assert decoded(S5.traces(word, 2, "1")[0]) == "a12340b02341#02341."
    assert decoded(S5.traces(word, 2, "2")[0]) == "b02341#02341."
    assert decoded(S5.traces(word, 2, "direct")[0]) == "#02341."


@pytest.mark.parametrize(("budget", "tokens"), [("direct", 7), ("5", 19), ("3", 31), ("2", 37), ("1", 67)])
def test_lengths_of_thinking(budget: str, tokens: int) -> None:
    """Ten letters; six tokens a position named, and seven of answer and marks."""
    keys = S5.problems(0, np.arange(5), 10)
    assert S5.traces(keys, 10, budget).shape == (5, tokens)


def test_letters_are_even() -> None:
    letters = S5.letters(S5.problems(1, np.arange(4000), 10), 10)
    share = np.stack([(letters == one).mean(axis=0) for one in range(4)])
    assert share == pytest.approx(0.25, abs=0.03)


@pytest.mark.parametrize("budget", S5.budgets)
def test_what_a_budget_gives_is_generators_and_the_mark(budget: str) -> None:
    keys = S5.problems(0, np.arange(20), 7)
    given, trace = S5.given(keys, 7, budget), S5.traces(keys, 7, budget)
    assert given.shape == trace.shape
    told = given != FREE
    np.testing.assert_array_equal(given[told], trace[told])
    shown = {decoded([token]) for token in np.unique(given[told])}
    assert shown <= {"a", "b", "c", "d", "#"}
    assert told.sum(axis=1).tolist() == [len(S5.positions(7, budget)) + 1] * 20


def test_no_problems_have_no_thinking() -> None:
    assert S5.thinking(np.zeros(0, dtype=np.int64), 6, "1").shape == (0, 36)


def test_random_chance_is_what_repeated_guesses_multiply() -> None:
    """Answers of other words of the same length, drawn at random, are right so often, and k of them by 1 - (1 - c)^k."""
    task = S5
    right = task.products(task.problems(0, np.arange(40_000), 6), 6)[:, -1]
    guesses = task.products(task.problems(1, np.arange(40_000 * 8), 6), 6)[:, -1].reshape(-1, 8)
    hit = guesses == right[:, None]
    chance = task.random_chance(6)
    assert hit.mean() == pytest.approx(chance, abs=0.0005)
    assert hit.any(axis=1).mean() == pytest.approx(1 - (1 - chance) ** 8, abs=0.005)
    assert 1 / 120 < chance < task.chance(6)


@pytest.mark.parametrize(("task", "share"), [(S5, 0.15), (A5, 0.15), (A4_Z5, 0.37), (Z60, 1.0)])
def test_who_counts_letters_guesses_so_much(task: GroupWords, share: float) -> None:
    """Of all words of 6 letters, by the commonest product among those with the same letters in any order."""
    keys = np.arange(4**6)
    letters = np.sort(task.questions(keys, 6), axis=1)
    pairs, counts = np.unique(
        np.column_stack([letters, task.answer_tokens(keys, 6)]), axis=0, return_counts=True
    )
    best: dict[bytes, int] = {}
    for row, count in zip(pairs[:, : letters.shape[1]], counts.tolist(), strict=True):
        best[row.tobytes()] = max(best.get(row.tobytes(), 0), count)
    assert sum(best.values()) / len(keys) == pytest.approx(share, abs=0.005)
