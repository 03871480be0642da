"""Sums and products against Python's own, and scratchpads by hand."""

import numpy as np
import pytest

from scaling.tasks import decoded
from scaling.tasks.arithmetic import Addition, Arithmetic, Multiplication

BOTH = pytest.mark.parametrize("task", [Addition(), Multiplication()], ids=lambda task: task.name)


@BOTH
def test_answers_are_right_at_every_difficulty(task: Arithmetic) -> None:
    for n in task.difficulties:
        keys = task.problems(5, np.arange(300), n)
        for key, question, answer in zip(
            keys.tolist(), task.questions(keys, n), task.answers(keys, n), strict=True
        ):
            a, b = divmod(key, 10**n)
            assert decoded(question) == f"{a:0{n}}{task.sign}{b:0{n}}="
            assert int(answer) == (a + b if task.sign == "+" else a * b)
            assert len(answer) == (n + 1 if task.sign == "+" else 2 * n)


@BOTH
def test_no_held_out_problem_is_a_training_problem_turned_round(task: Arithmetic) -> None:
    for n in task.difficulties[1:]:
        a, b = np.divmod(task.problems(0, np.arange(3000), n, "held_out"), 10**n)
        twins = b * 10**n + a
        assert task.held_out(twins, n).all()
        assert not np.isin(twins, task.problems(0, np.arange(20_000), n)).any()


def test_the_scratchpad_of_a_sum_carries() -> None:
    key = np.array([257 * 1000 + 168])
    assert decoded(Addition().traces(key, 3, "1")[0]) == "7+8=15|5+6=12|2+1=04|#0425."
    assert decoded(Addition().traces(key, 3, "2")[0]) == "5+6=12|2+1=04|#0425."
    assert decoded(Addition().traces(key, 3, "direct")[0]) == "#0425."


def test_the_scratchpad_of_a_product_adds_up() -> None:
    key = np.array([12 * 100 + 34])
    assert decoded(Multiplication().traces(key, 2, "1")[0]) == "4=0048|3=0408|#0408."
    assert decoded(Multiplication().traces(key, 2, "2")[0]) == "3=0408|#0408."
