"""Sets of reasoning-gym, the real package: scattered problems, full credit only, and nothing that runs an answer."""

import inspect
import os
import re
import subprocess
import sys
from typing import Any

import numpy as np
import pytest

from scaling.errors import InputError
from scaling.tasks import gym
from scaling.tasks.gym import (
    BESIDE,
    CLOSING,
    LONGEST,
    OPENING,
    UNFIT,
    GymTask,
    beside,
    terminal_answer,
)

SETS = ("chain_sum", "caesar_cipher", "shortest_path", "mini_sudoku", "number_sorting")
"""Several kinds of answers: a number, text, moves, a grid, a list."""
REFUSED = {name for names in UNFIT.values() for name in names}
SETTLED = {"basic_arithmetic", "bitwise_arithmetic", "number_sorting"}
"""Modules that run strings of their own as Python, never an answer."""


@pytest.fixture(scope="module")
def package() -> Any:
    """Return reasoning_gym; skips where it is not installed, and fails instead where SCALING_TOOLS says that it is."""
    try:
        import reasoning_gym
    except ModuleNotFoundError:
        words = "reasoning-gym not installed: pip install -e '.[gym]'"
        if os.environ.get("SCALING_TOOLS"):
            pytest.fail(words)
        pytest.skip(words)
    return reasoning_gym


def said(answer: str) -> str:
    return f"so it is{OPENING}{answer}{CLOSING}"


def refusal(name: str, **options: object) -> str:
    with pytest.raises(InputError) as caught:
        GymTask(name, **options)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_without_the_package_one_line_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "reasoning_gym", None)
    assert refusal("chain_sum").endswith(": pip install 'scaling-suite[gym]'")


@pytest.mark.parametrize(("reason", "names"), UNFIT.items())
def test_sets_that_are_unfit_are_refused(reason: str, names: tuple[str, ...]) -> None:
    for name in names:
        assert f"set {name} of reasoning-gym {reason}" in refusal(name)


@pytest.mark.usefixtures("package")
@pytest.mark.parametrize("name", ["gsm_symbolic", "number_format", "survo", "tower_of_hanoi", "word_sorting"])
def test_a_set_that_takes_several_answers_is_found_to_be_unfit(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each by another form: any, `A,B` or `B,A` as one number or move, `B or A`, `A, B`."""
    monkeypatch.setattr(gym, "UNFIT", {})
    assert f"set {name} of reasoning-gym {BESIDE}" in refusal(name)


@pytest.mark.usefixtures("package")
def test_a_number_that_starts_with_zero_is_not_two_answers() -> None:
    task = GymTask("chain_sum", max_terms=2, max_digits=1)
    said_by = {task.answers(np.array([key]))[0]: task._item(key) for key in range(200)}
    assert gym._credit(*said_by["12"], "0,12") == 1
    assert not gym._takes_more([said_by["12"], said_by["0"]])


@pytest.mark.usefixtures("package")
def test_what_the_package_does_not_take_is_refused() -> None:
    known = refusal("sums")
    assert "has no set 'sums'; known: " in known
    assert "chain_sum" in known
    assert "countdown" not in known
    assert "seed is no option" in refusal("chain_sum", seed=1)
    assert "max_terms must be >= min_terms" in refusal("chain_sum", min_terms=5, max_terms=2)
    assert "unexpected keyword argument 'terms'" in refusal("chain_sum", terms=2)


def test_the_package_prints_nothing(package: Any, capsys: pytest.CaptureFixture[str]) -> None:
    """It does by itself: a set as it makes an item, a verifier as it finds a wrong move."""
    GymTask("bf")
    made = package.create_dataset("tower_of_hanoi", seed=3, size=1)
    assert gym._credit(made, made[0], "Move disk 1 from Peg 2 to Peg 4") == 0
    assert capsys.readouterr().out == ""


@pytest.mark.usefixtures("package")
def test_problems_are_a_pure_function_of_seed_and_index() -> None:
    index, here = np.arange(12), []
    for task in map(GymTask, SETS):
        for split in ("train", "held_out"):
            keys = task.problems(5, index, split)
            assert task.problems(5, index[::-1], split).tolist() == keys[::-1].tolist()
            assert task.problems(5, [7], split).tolist() == keys[7:8].tolist()
            assert (task.held_out(keys) == (split == "held_out")).all()
        keys = task.problems(5, index)
        here.append([keys.tolist(), task.prompts(keys), task.answers(keys)])
    script = (
        "import numpy as np, sys; from scaling.tasks.gym import GymTask\n"
        "for task in map(GymTask, sys.argv[1:]):\n"
        " keys = task.problems(5, np.arange(12)); print(ascii([keys.tolist(), task.prompts(keys), task.answers(keys)]))"
    )
    there = subprocess.run(
        [sys.executable, "-c", script, *SETS],
        env={**os.environ, "PYTHONHASHSEED": "1"},
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    assert there.stdout.splitlines() == [ascii(one) for one in here]


def test_nearby_seeds_share_no_problems_though_they_do_in_the_package(package: Any) -> None:
    one, next_one = (package.create_dataset("chain_sum", seed=seed, size=40) for seed in (5, 6))
    assert [one[place]["question"] for place in range(1, 40)] == [
        next_one[place]["question"] for place in range(39)
    ]
    task = GymTask("chain_sum")
    ours, others = (set(task.prompts(task.problems(seed, np.arange(100)))) for seed in (5, 6))
    assert len(ours | others) > 190


@pytest.mark.usefixtures("package")
def test_one_problem_in_ten_is_held_out_by_its_question_whatever_the_options() -> None:
    task, small = GymTask("chain_sum"), GymTask("chain_sum", max_terms=2, max_digits=1)
    assert task.held_out(np.arange(3000)).mean() == pytest.approx(0.1, abs=4 * np.sqrt(0.09 / 3000))
    train, held = (
        set(small.prompts(small.problems(0, np.arange(200), split))) for split in ("train", "held_out")
    )
    assert not train & held
    one_question = GymTask("leg_counting", min_animals=1, max_animals=1, min_instances=1, max_instances=1)
    sides = one_question.held_out(np.arange(400))
    by_text: dict[str, set[bool]] = {}
    for text, side in zip(one_question.prompts(np.arange(400)), sides.tolist(), strict=True):
        by_text.setdefault(text, set()).add(side)
    assert len(by_text) < 100
    assert all(len(side) == 1 for side in by_text.values())


@pytest.mark.usefixtures("package")
@pytest.mark.parametrize("name", SETS)
def test_full_credit_alone_scores(name: str) -> None:
    task = GymTask(name)
    keys = task.problems(0, np.arange(6))
    answers = task.answers(keys)
    assert task.scores(keys, [said(answer) for answer in answers]).tolist() == [1.0] * 6
    forms = {
        "empty": lambda a: "",
        "the answer alone": lambda a: a,
        "no end": lambda a: OPENING + a,
        "more after the end": lambda a: said(a) + "!",
        "two answers": lambda a: said(a) + said(a),
        "one in the other": lambda a: said(OPENING + a) + CLOSING,
        "closed before": lambda a: CLOSING + said(a),
        "the answer inside the thinking": lambda a: f"{a}{OPENING}{CLOSING}",
        **{
            f"form {place} of two answers": (lambda a, place=place: said(beside(a, f"7{a}")[place]))
            for place in range(7)
        },
        "other marks": lambda a: f"#{a}.",
        "huge": lambda a: said(" " * LONGEST + a + "1" * LONGEST),
    }
    for what, form in forms.items():
        assert task.scores(keys, [form(answer) for answer in answers]).tolist() == [0.0] * 6, what


def test_part_of_the_credit_is_none(package: Any) -> None:
    task = GymTask("chain_sum")
    keys = task.problems(0, np.arange(5))
    answers = [f"it is {answer}" for answer in task.answers(keys)]
    for key, answer in zip(keys.tolist(), answers, strict=True):
        made = package.create_dataset("chain_sum", seed=key, size=1)
        assert 0 < made.score_answer(answer, made[0]) < 1
    assert task.scores(keys, [said(answer) for answer in answers]).tolist() == [0.0] * 5


def test_a_verifier_that_fails_is_a_wrong_answer(package: Any) -> None:
    made = package.create_dataset("prime_factorization", seed=3, size=1)
    with pytest.raises(ValueError, match="invalid literal"):
        made.score_answer("a", made[0])
    assert GymTask("prime_factorization").scores(np.array([3]), [said("a")]).tolist() == [0.0]


@pytest.mark.usefixtures("package")
def test_chance_is_measured_and_tells_sets_of_few_answers() -> None:
    assert GymTask("chain_sum").chance(100) <= 0.05
    assert 0.3 < GymTask("syllogism").chance(60) < 0.8


@pytest.mark.usefixtures("package")
def test_names_and_versions() -> None:
    task = GymTask("chain_sum")
    assert task.name == "reasoning_gym/chain_sum"
    assert re.fullmatch(r"1/\d+\.\d+\.\d+", task.version)
    assert task.prompts(np.array([3]))[0].endswith("\nEnd with the answer between <answer> and </answer>.")


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning", "ignore::ResourceWarning")
def test_every_set_that_is_not_refused_keeps_the_contract(package: Any) -> None:
    """Its own answer scores, none does not, nor does another beside it, and its module runs no answer."""
    from reasoning_gym.factory import DATASETS

    assert set(DATASETS) > REFUSED
    for name in sorted(set(DATASETS) - REFUSED):
        task, key = GymTask(name), np.array([4_000_000_001])
        right = task.answers(key)[0]
        wrong = ["", "a", *beside(right, "7")]
        scored = task.scores(key.repeat(1 + len(wrong)), [said(text) for text in (right, *wrong)])
        assert scored.tolist() == [1.0] + [0.0] * len(wrong), name
        source = inspect.getsource(inspect.getmodule(DATASETS[name][0]))  # type: ignore[arg-type]
        runs = re.search(r"\b(eval|exec|parse_expr|sympify)\(", source)
        assert not runs or name in SETTLED, name


@pytest.mark.parametrize(
    ("completion", "answer"),
    [
        (f"7 {OPENING} 7 {CLOSING}\n", "7"), (f"{OPENING}{CLOSING}", ""), (OPENING, None), (CLOSING, None), ("", None),
        (f"{CLOSING}{OPENING}", None), (f"{OPENING}7{CLOSING}{CLOSING}", None),
    ],
)  # fmt: skip
def test_terminal_answers(completion: str, answer: str | None) -> None:
    assert terminal_answer(completion) == answer
