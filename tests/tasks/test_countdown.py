"""The numbers game, read as a stranger would: from the text of prompt and trace, and against Python's own arithmetic."""

import ast
import itertools
import operator
import re
from fractions import Fraction
from functools import cache

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scaling.mixing import words_of
from scaling.tasks import decoded
from scaling.tasks.countdown import SHOWN, TRIES, Countdown
from scaling.tasks.expressions import LONGEST, MOST, played, worked_out
from scaling.tasks.task import LONGEST as LONGEST_COMPLETION

TASK = Countdown()
PER_DIFFICULTY = pytest.mark.parametrize("difficulty", TASK.difficulties)
SIGNS = {ast.Add: operator.add, ast.Sub: operator.sub, ast.Mult: operator.mul, ast.Div: operator.truediv}


def by_python(text: str) -> tuple[Fraction, list[int]] | None:
    """What Python's parser makes of an expression, with every rule checked on its tree; None where one is broken."""
    if not re.fullmatch(r"(?:(?<![0-9])[0-9]{3}(?![0-9])|[-+*/()])+", text) or "**" in text or "//" in text:
        return None
    try:
        tree = ast.parse(re.sub(r"0*([0-9]+)", r"\1", text), mode="eval").body
    except (SyntaxError, MemoryError):
        return None

    def value(node: ast.expr) -> Fraction:
        if isinstance(node, ast.Constant):
            return Fraction(node.value)
        if not isinstance(node, ast.BinOp):
            raise TypeError("no sign between two")
        found = SIGNS[type(node.op)](value(node.left), value(node.right))
        if found < 0 or found.denominator != 1:
            raise ValueError("no whole number")
        return Fraction(found)

    try:
        return value(tree), sorted(int(one) for one in re.findall("[0-9]{3}", text))
    except (TypeError, ValueError, ZeroDivisionError):
        return None


@cache
def asked(difficulty: int, count: int) -> list[tuple[int, list[int], int, str]]:
    """Keys, numbers, targets and our answers of problems, the middle two from the prompts."""
    keys = TASK.problems(1, np.arange(count), difficulty)
    texts = [decoded(row) for row in TASK.questions(keys, difficulty)]
    parts = [re.fullmatch(r"((?:[0-9]{3}\|)+)([0-9]{3})=", text) for text in texts]
    read = [([int(one) for one in part[1][:-1].split("|")], int(part[2])) for part in parts if part]
    return [
        (key, numbers, target, answer)
        for key, (numbers, target), answer in zip(
            keys.tolist(), read, TASK.answers(keys, difficulty), strict=True
        )
    ]


def score(key: int, difficulty: int, answer: str) -> float:
    return float(TASK.scores(np.array([key]), difficulty, [f"#{answer}."])[0])


@PER_DIFFICULTY
def test_answers_take_the_numbers_and_are_the_target(difficulty: int) -> None:
    for _, numbers, target, answer in asked(difficulty, 200):
        assert len(numbers) == difficulty
        assert numbers == sorted(numbers)
        assert 1 <= numbers[0] <= numbers[-1] <= 25
        assert by_python(answer) == (target, numbers)
        assert len(answer) < LONGEST


@PER_DIFFICULTY
def test_a_trace_shows_tries_that_fail_and_ends_in_the_one_that_works(difficulty: int) -> None:
    problems = asked(difficulty, 200)
    keys = np.array([key for key, *_ in problems])
    counts = set()
    for (_, numbers, target, answer), search, short, direct in zip(
        problems, *(TASK.traces(keys, difficulty, budget) for budget in TASK.budgets), strict=True
    ):
        thinking, found, end = decoded(search).partition(f"#{answer}.")
        assert found
        assert not end
        assert len(decoded(search)) < LONGEST_COMPLETION
        tries = thinking.removesuffix("|").split("||")
        reached = []
        for one in tries:
            left = sorted(numbers)
            for step in one.split("|"):
                a, sign, b, c = re.fullmatch(r"(\d{3})([-+*/])(\d{3})=(\d{3})", step).groups()  # type: ignore[union-attr]
                assert by_python(a + sign + b) == (int(c), sorted([int(a), int(b)]))
                left.remove(int(a))
                left.remove(int(b))
                left.append(int(c))
            reached += left
            assert len(left) == 1
        assert reached[-1] == target
        assert target not in reached[:-1]
        counts.add(len(reached) - 1)
        assert decoded(short) == f"{tries[-1]}|#{answer}."
        assert decoded(direct) == f"#{answer}."
    assert counts == set(range(SHOWN + 1))


@PER_DIFFICULTY
def test_chance_bounds_all_answers_that_do_not_read_the_target(difficulty: int) -> None:
    """The mean of 1 / D over problems, and of a thousand ways to go about any numbers the best, tried on other problems."""
    keys = TASK.problems(9, np.arange(1500), difficulty)
    numbers = TASK.numbers(keys, difficulty)
    values = np.sort(played(numbers, words_of(1, keys, TRIES, stream=difficulty))[-1].value, axis=1)
    different = 1 + (np.diff(values, axis=1) != 0).sum(axis=1)
    assert 0.93 * TASK.chance(difficulty) < (1 / different).mean() < TASK.chance(difficulty)
    ways = np.broadcast_to(words_of(7, np.arange(1), 1000), (len(keys), 1000))
    hits = played(numbers, ways)[-1].value == TASK.tries(keys, difficulty)[2][:, None]
    best = hits[:750].mean(axis=0).argmax()
    error = np.sqrt(TASK.chance(difficulty) / 750)
    assert hits[750:, best].mean() < TASK.chance(difficulty) + 4 * error
    assert TASK.fair() == 4


def test_targets_are_spread() -> None:
    targets = np.array([target for _, _, target, _ in asked(4, 3000)])
    assert 0 <= targets.min() <= targets.max() <= MOST
    assert np.unique(targets, return_counts=True)[1].max() < 0.02 * len(targets)
    assert np.median(targets) > 100


def test_problems_of_the_same_numbers_are_on_one_side_of_the_split() -> None:
    sides = [TASK.problems(0, np.arange(3000), 3, split) for split in ("train", "held_out")]  # type: ignore[arg-type]
    train, held = ({tuple(row) for row in TASK.numbers(keys, 3).tolist()} for keys in sides)
    assert not train & held
    assert len(train) > 1000


def test_every_expression_of_three_numbers_scores_as_python_works_it_out() -> None:
    forms = ("{}{}{}{}{}", "({}{}{}){}{}", "{}{}({}{}{})")
    for key, numbers, target, _ in asked(3, 8):
        right = 0
        for order in itertools.permutations(f"{number:03}" for number in numbers):
            for (first, second), form in itertools.product(itertools.product("+-*/", repeat=2), forms):
                text = form.format(order[0], first, order[1], second, order[2])
                expected = float(by_python(text) == (target, numbers))
                assert score(key, 3, text) == expected, text
                right += int(expected)
        assert right > 0


@settings(deadline=None, max_examples=300)
@given(data=st.data())
def test_a_changed_answer_scores_as_python_works_it_out(data: st.DataObject) -> None:
    difficulty = data.draw(st.sampled_from(TASK.difficulties))
    key, numbers, target, answer = data.draw(st.sampled_from(asked(difficulty, 20)))
    at, length = data.draw(st.integers(0, len(answer))), data.draw(st.integers(0, 4))
    put = data.draw(
        st.text("0123456789+-*/()", max_size=4) | st.sampled_from(["+000", "*001", "/001", "()", "-"])
    )
    changed = answer[:at] + put + answer[at + length :]
    assert score(key, difficulty, changed) == float(by_python(changed) == (target, numbers))


@settings(deadline=None, max_examples=500)
@given(
    st.text(max_size=80)
    | st.text("0123456789+-*/()", max_size=80)
    | st.lists(st.sampled_from(["001", "002", "012", "025", "+", "-", "*", "/", "(", ")"]), max_size=20).map(
        "".join
    )
)
def test_any_text_is_worked_out_as_python_does_or_refused(text: str) -> None:
    assert worked_out(text) == (by_python(text) if len(text) < LONGEST else None)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("002+003*004", 14), ("(002+003)*004", 20), ("010-003-002", 5), ("010-(003-002)", 9), ("024/004/002", 3),
        ("024/(004/002)", 12), ("((007))", 7), ("003-003", 0), ("999*999*999", 999**3), ("000", 0),
    ],
)  # fmt: skip
def test_expressions_by_hand(text: str, value: int) -> None:
    found = worked_out(text)
    assert found is not None
    assert found[0] == value


@pytest.mark.parametrize(
    "text",
    [
        "", "(", ")", "()", "2", "02", "0002", "2+3", "002 + 003", "002+", "+002", "-002", "002+-003", "002003", "(002",
        "002)", "002(003)", "(002)(003)", "002**003", "005//002", "002-003", "002-003+005", "005/002", "005/002*002",
        "005/000", "005/(003-003)", "005%003", "002.0", "1e1", "0x1", "٠٠٢", "００２", "00²", "002+003=005", "002,003",
        "002\n", "_02", "__import__('os')", "002\0",
    ],
)  # fmt: skip
def test_what_is_no_expression_is_refused(text: str) -> None:
    assert worked_out(text) is None


def test_huge_texts_are_refused() -> None:
    deep = "(" * 40 + "002" + ")" * 40
    for text in (deep, "(" * 10**6, "001+" * 10**6 + "001", "9" * 10**6):
        assert worked_out(text) is None


def test_numbers_left_out_or_taken_twice_score_nothing() -> None:
    key, numbers, target, answer = next(one for one in asked(4, 20) if one[2] not in one[1] and one[2] > 0)
    assert score(key, 4, answer) == 1.0
    assert score(key, 4, f"({answer})") == 1.0
    for wrong in (
        f"{target:03}",
        f"{answer}+000",
        f"{answer}*001",
        f"({answer})*{numbers[0]:03}/{numbers[0]:03}",
    ):
        assert score(key, 4, wrong) == 0.0, wrong
    for form in (
        "{0}#.",
        "{0}",
        "#{0}",
        "#{0}.#{0}.",
        "#{0}|{0}.",
        "{0}#{0}",
        "#{0}={1}.",
        "#{1}={0}.",
        "# {0}.",
        "#{0} .",
    ):
        said = form.format(answer, f"{target:03}")
        assert TASK.scores(np.array([key]), 4, [said]).tolist() == [0.0], said


def test_no_problems_are_no_rows() -> None:
    none = TASK.problems(0, [], 4)
    assert TASK.scores(none, 4, []).shape == (0,)
    assert TASK.questions(none, 4).shape[0] == TASK.traces(none, 4, "1").shape[0] == 0
