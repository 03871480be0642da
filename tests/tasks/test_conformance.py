"""What every task on the shelf keeps: one suite over `ALL`."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scaling.errors import InputError
from scaling.tasks import ALL, PAD, VOCABULARY, Task, decoded, encoded, find, terminal_answer, texts
from scaling.tasks.task import CHARACTERS, MOST_CHANCE, Split

EVERY = pytest.mark.parametrize("task", ALL, ids=lambda task: task.name)


def tried(task: Task) -> tuple[int, int]:
    """Difficulties: the least fair one, and one above."""
    return task.fair(), min(task.fair() + 4, task.difficulties[-1])


def some(task: Task, difficulty: int, count: int = 64, split: Split = "train") -> np.ndarray:
    return task.problems(3, np.arange(count), difficulty, split)


@EVERY
@settings(deadline=None, max_examples=25)
@given(seed=st.integers(0, 2**63 - 1), first=st.integers(0, 2**40), data=st.data())
def test_problems_are_a_pure_function_of_seed_and_index(
    task: Task, seed: int, first: int, data: st.DataObject
) -> None:
    difficulty = data.draw(st.sampled_from(tried(task)))
    split = data.draw(st.sampled_from(("train", "held_out")))
    index = first + np.arange(20)
    whole = task.problems(seed, index, difficulty, split)
    order = np.random.default_rng(0).permutation(20)
    np.testing.assert_array_equal(task.problems(seed, index[order], difficulty, split), whole[order])
    np.testing.assert_array_equal(task.problems(seed, index[7:8], difficulty, split), whole[7:8])
    assert (task.held_out(whole, difficulty) == (split == "held_out")).all()


@EVERY
def test_one_problem_in_ten_is_held_out_of_training(task: Task) -> None:
    difficulty = task.fair()
    every = np.arange(min(task.count(difficulty), 20_000), dtype=np.int64)
    assert task.held_out(every, difficulty).mean() == pytest.approx(0.1, abs=4 * np.sqrt(0.09 / len(every)))
    train, held = (set(some(task, difficulty, 5000, split).tolist()) for split in ("train", "held_out"))
    assert not train & held


@EVERY
def test_problems_that_many_draws_miss_are_of_the_whole_split(task: Task) -> None:
    """Of held-out problems one in 850 is none of the first 64 draws; of so many keys hardly one is below 2^20."""
    difficulty = task.difficulties[-1]
    assert task.count(difficulty) >= 10**12
    assert some(task, difficulty, 10_000, "held_out").min() >= 1 << 20


def test_a_short_split_is_listed_and_an_empty_one_is_refused() -> None:
    s5 = find("s5")
    assert s5.problems(0, np.arange(300), 2, "held_out").max() < s5.count(2)
    with pytest.raises(InputError, match="task s5 at difficulty 1 has no problem in split held_out"):
        s5.problems(0, [0], 1, "held_out")


@EVERY
@pytest.mark.parametrize("which", [0, 1])
def test_gold_scores_one_under_every_budget(task: Task, which: int) -> None:
    difficulty = tried(task)[which]
    keys = some(task, difficulty)
    for budget in task.budgets:
        said = [decoded(row) for row in task.traces(keys, difficulty, budget)]
        assert task.scores(keys, difficulty, said).tolist() == [1.0] * len(keys)
        assert [terminal_answer(one) for one in said] == task.answers(keys, difficulty)


@EVERY
def test_longer_thinking_is_longer(task: Task) -> None:
    difficulty = tried(task)[1]
    keys = some(task, difficulty)
    lengths = [(task.traces(keys, difficulty, budget) != PAD).sum(axis=1).mean() for budget in task.budgets]
    assert lengths == sorted(lengths, reverse=True)
    assert len(set(lengths)) == len(lengths)
    assert set(task.taught) <= set(task.budgets)


@EVERY
def test_prompts_say_the_problem_and_the_budget(task: Task) -> None:
    difficulty = tried(task)[1]
    keys = np.unique(some(task, difficulty, 500))
    asked = task.prompts(keys, difficulty)
    assert len(np.unique(asked, axis=0)) == len(keys)
    first = {budget: task.prompts(keys, difficulty, budget) for budget in task.budgets}
    for told in first.values():
        np.testing.assert_array_equal(told[:, 1:], asked)
    assert len({told[0, 0] for told in first.values()}) == len(task.budgets)
    for tokens in (asked, *first.values(), task.traces(keys, difficulty, task.budgets[0])):
        assert 0 <= tokens.min() <= tokens.max() < VOCABULARY


@EVERY
def test_a_guesser_scores_chance_and_that_is_little(task: Task) -> None:
    """The commonest answer of many problems.

    Where others are right too, or a guess is better after a look at the problem, chance is more, tested beside the task.
    """
    difficulty = task.fair()
    many = 40_000 if task.only_answer else 4000
    keys = task.drawn(np.random.default_rng(0).integers(0, 2**64, many, dtype=np.uint64), difficulty)
    answers, counts = np.unique(task.answers(keys, difficulty), return_counts=True)
    assert len(answers) > 50
    commonest = counts.max() / counts.sum()
    assert commonest <= task.chance(difficulty) + 0.004  # 5 standard errors
    if task.only_answer and task.most_chance == MOST_CHANCE:
        assert commonest >= task.chance(difficulty) - 0.004
    assert task.chance(difficulty) <= task.most_chance
    assert difficulty <= 14


def test_chance_is_above_two_percent_at_every_difficulty_of_a_star_alone() -> None:
    assert MOST_CHANCE == 0.02
    assert {task.name: task.most_chance for task in ALL if task.most_chance != MOST_CHANCE} == {
        "star_path": 0.25
    }


@EVERY
def test_adversarial_completions_score_nothing(task: Task) -> None:
    difficulty = task.fair()
    keys = some(task, difficulty, 8)
    right = task.answers(keys, difficulty)
    wide = {ord(one): chr(ord(one) + 0xFEE0) for one in "0123456789abcdefghijklmnopqrstuvwxyz"}
    forms = {
        "empty": lambda a: "",
        "the answer alone": lambda a: a,
        "no end": lambda a: f"#{a}",
        "more after the end": lambda a: f"#{a}.#",
        "a newline after the end": lambda a: f"#{a}.\n",
        "two answers": lambda a: f"#{a}.#{a}.",
        "two marks": lambda a: f"##{a}.",
        "A or B": lambda a: f"#{a} or {a[::-1]}.",
        "all that there is": lambda a: f"#{a}|{a[::-1]}.",
        "answer inside the thinking": lambda a: f"{a}#.",
        "answer before the mark": lambda a: f"#{a}#{a[::-1]}0.",
        "wide digits and letters": lambda a: f"#{a.translate(wide)}.",
        "spaces": lambda a: f"# {a}.",
        "a sign": lambda a: f"#+{a}.",
        "injected prompt": lambda a: f"=#{a}.=",
        "huge": lambda a: "a" * 10**6 + f"#{a}.",
        "nothing but marks": lambda a: "#" * 1000 + "." * 1000,
        "null": lambda a: f"#{a}\0.",
    }
    for what, form in forms.items():
        scored = task.scores(keys, difficulty, [form(answer) for answer in right])
        assert scored.tolist() == [0.0] * len(keys), what


@EVERY
@settings(deadline=None, max_examples=200)
@given(said=st.one_of(st.text(max_size=40), st.text(alphabet=CHARACTERS, max_size=40)))
def test_any_text_has_a_score_and_only_a_right_answer_scores(task: Task, said: str) -> None:
    keys = some(task, task.fair(), 1)
    (score,) = task.scores(keys, task.fair(), [said])
    assert score in (0.0, 1.0)
    if score:
        if task.only_answer:
            assert said.endswith(f"#{task.answers(keys, task.fair())[0]}.")
        assert said.count("#") == said.count(".") == 1


@EVERY
@settings(deadline=None, max_examples=300)
@given(data=st.data())
def test_a_gold_completion_with_a_change_scores_by_its_form_and_answer(
    task: Task, data: st.DataObject
) -> None:
    """One edit near the answer or anywhere: right is one mark, the answer to the letter, and one end, which is last."""
    difficulty = data.draw(st.sampled_from(tried(task)))
    keys = some(task, difficulty, 20)[[data.draw(st.integers(0, 19))]]
    ((answer,), (trace,)) = (
        task.answers(keys, difficulty),
        task.traces(keys, difficulty, data.draw(st.sampled_from(task.budgets))),
    )
    gold = decoded(trace)
    near = st.integers(max(0, len(gold) - len(answer) - 4), len(gold))
    at, length = data.draw(near | st.integers(0, len(gold))), data.draw(st.integers(0, 3))
    put = data.draw(
        st.text(CHARACTERS, max_size=3)
        | st.sampled_from(
            ("", "#", ".", "#.", answer, f"#{answer}.", f"{answer}.", " ", "\n", "\0", "٣", "ａ")
        )
    )
    changed = gold[:at] + put + gold[at + length :]
    thinking, _, said = changed.partition("#")
    formed = "." not in thinking and "#" not in said and said.find(".") == len(said) - 1 > 0
    (score,) = task.scores(keys, difficulty, [changed])
    if said == f"{answer}." and formed:
        assert score == 1.0
    elif task.only_answer or not formed:  # where others are right too, tests beside the task work them out
        assert score == 0.0


@EVERY
def test_a_task_of_several_right_answers_has_a_verifier_of_its_own(task: Task) -> None:
    assert (type(task).scores is Task.scores) == task.only_answer


@EVERY
def test_what_a_task_does_not_have_is_refused(task: Task) -> None:
    with pytest.raises(InputError, match=f"task {task.name} has difficulties"):
        task.problems(0, [0], 10**6)
    with pytest.raises(InputError, match=f"task {task.name} has budgets .*; got 'forever'"):
        task.traces(some(task, task.fair(), 1), task.fair(), "forever")


@EVERY
def test_padding_within_a_completion_is_not_read_over(task: Task) -> None:
    """A model may write the padding token; what it wrote around it is no answer."""
    difficulty = task.fair()
    keys = some(task, difficulty, 8)
    gold = task.traces(keys, difficulty, "direct")
    lengths = (gold != PAD).sum(axis=1)
    assert task.scores(keys, difficulty, texts(gold, lengths)).tolist() == [1.0] * len(keys)
    wide = np.concatenate([gold[:, :2], np.full((len(gold), 1), PAD), gold[:, 2:]], axis=1)
    assert task.scores(keys, difficulty, texts(wide, lengths + 1)).tolist() == [0.0] * len(keys)


@EVERY
def test_distinct_problems_are_the_first_different_ones(task: Task) -> None:
    difficulty = tried(task)[1]
    many = task.distinct(5, 40, difficulty, "held_out")
    assert len(set(many.tolist())) == 40
    np.testing.assert_array_equal(task.distinct(5, 40, difficulty, "held_out"), many)
    assert task.held_out(many, difficulty).all()


def test_names_are_apart_and_found() -> None:
    assert len({task.name for task in ALL}) == len(ALL)
    assert find("s5") is ALL[0]
    with pytest.raises(InputError, match="no task 's6'; known: s5"):
        find("s6")


@given(st.text(alphabet=CHARACTERS, max_size=30))
def test_texts_come_back_from_their_tokens(text: str) -> None:
    assert decoded(encoded(text)) == text
    with pytest.raises(InputError, match="character 'Z' is none"):
        encoded(f"{text}Z")
    with pytest.raises(InputError, match="token 99 is none of 0 to 52"):
        decoded([99])


@EVERY
def test_no_problem_is_asked_twice_whatever_its_key(task: Task) -> None:
    """Of few numbers many keys of countdown are one problem."""
    difficulty = next(one for one in task.difficulties if task.count(one) >= 4000)
    keys = task.distinct(5, 300, difficulty, "train")
    assert len(np.unique(task.questions(keys, difficulty), axis=0)) == 300
