"""A task's worked problems as training text: pure rows, right completions, nothing held out, completions alone learned."""

import dataclasses

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scaling import tasks
from scaling.errors import InputError
from scaling.records import rl_recipe
from scaling.records.spec import TaskData
from scaling.tasks import ALL, PAD, decoded, find
from scaling.tasks.task import CONTROLS
from scaling.training import traces
from scaling.training.traces import task_traces

S5 = rl_recipe.traces("s5", range(1, 8))


def texts_of(rows: np.ndarray) -> list[str]:
    return [decoded(row) for row in rows]


def examples(row: np.ndarray) -> list[tuple[str, str]]:
    """Return (prompt, completion) of the whole examples of a row."""
    text = decoded(row)
    return [tuple(one.split("=", 1)) for one in text.split(".")[:-1]]


@settings(deadline=None, max_examples=15)
@given(
    seed=st.integers(0, 2**62), step=st.integers(0, 10**6), rows=st.integers(1, 6), world=st.integers(1, 3)
)
def test_rows_are_a_pure_function_of_seed_and_place(seed: int, step: int, rows: int, world: int) -> None:
    text = task_traces(S5)
    whole = text.batch(seed, step, rows * world, 64)
    parts = [text.batch(seed, step, rows, 64, rank, world) for rank in range(world)]
    np.testing.assert_array_equal(np.concatenate(parts), whole)
    assert whole.shape == (rows * world, 65)
    assert (text.batch(seed + 1, step, rows, 64) != whole[:rows]).any()


@pytest.mark.parametrize("task", ALL, ids=lambda task: task.name)
def test_examples_are_right_and_never_held_out(task: tasks.Task, monkeypatch: pytest.MonkeyPatch) -> None:
    difficulty = task.fair()
    data = rl_recipe.traces(task.name, [difficulty], controlled=0.5)
    longest = max(
        task.prompts(keys, difficulty, "direct").shape[1] + task.traces(keys, difficulty, budget).shape[1]
        for budget in task.taught
        for keys in [task.problems(0, np.arange(200), difficulty)]
    )
    known: dict[str, int] = {}
    right: dict[str, set[tuple[str, str]]] = {budget: set() for budget in task.taught}

    def noted(*asked: object) -> np.ndarray:
        """Return a task's problems; note their keys and right completions by what is asked."""
        keys = type(task).problems(task, *asked)  # type: ignore[arg-type]
        told = texts_of(task.prompts(keys, difficulty))
        known.update(zip(told, keys.tolist(), strict=True))
        for budget in task.taught:
            right[budget].update(zip(told, texts_of(task.traces(keys, difficulty, budget)), strict=True))
        return keys

    text = task_traces(data)
    monkeypatch.setattr(traces, "BLOCK", 64)
    monkeypatch.setattr(task, "problems", noted)
    for split, rows in (
        ("train", text.batch(3, 0, 60, 2 * longest)), ("held_out", text.heldout(30, 2 * longest)),
    ):  # fmt: skip
        assert (rows != PAD).all()
        found = [(f"{prompt}=", f"{completion}.") for row in rows for prompt, completion in examples(row)]
        told = [prompt.lstrip(CONTROLS) for prompt, _ in found]
        keys = np.array([known[one] for one in told])
        assert (task.held_out(keys, difficulty) == (split == "held_out")).all()
        said = [completion for _, completion in found]
        assert task.scores(keys, difficulty, said).tolist() == [1.0] * len(found)
        for (prompt, completion), one in zip(found, told, strict=True):
            control = CONTROLS.find(prompt[0])
            budgets = task.taught if control < 0 else (task.budgets[control],)
            assert any((one, completion) in right[budget] for budget in budgets)


def test_shares_of_budgets_controls_and_difficulties() -> None:
    data = TaskData("s5", find("s5").version, (2, 5), ("1", "direct"), (0.75, 0.25), 0.2)
    found = [one for row in task_traces(data).batch(0, 0, 2000, 100) for one in examples(row)[:1]]
    asks = np.mean([prompt[0] in "AE" for prompt, _ in found])
    direct = np.mean([completion.startswith("#") for _, completion in found])
    short = np.mean([len(prompt.lstrip("AE")) == 2 for prompt, _ in found])
    assert [asks, direct, short] == pytest.approx([0.2, 0.25, 0.5], abs=0.04)  # 4 standard errors
    assert {prompt[0] for prompt, completion in found if completion.startswith("#")} <= set("Eabcd")


def test_completions_alone_are_learned() -> None:
    text = task_traces(S5)
    rows = text.batch(0, 0, 50, 96)
    for row, learned in zip(rows, text.learned(rows), strict=True):
        targets = "".join(
            decoded([token]) if wanted else " " for token, wanted in zip(row[1:], learned, strict=True)
        )
        said = "".join(targets.split())
        assert said.startswith("".join(f"{completion}." for _, completion in examples(row)))
        assert "=" not in said
    prompts = (rows[:, 1:] != PAD).sum() - text.learned(rows).sum()
    assert prompts > 0


def test_held_out_rows_leave_out_difficulties_without_held_out_problems() -> None:
    text = task_traces(rl_recipe.traces("s5", range(1, 4)))
    lengths = {len(prompt.lstrip("ABCDE")) for row in text.heldout(50, 64) for prompt, _ in examples(row)}
    assert lengths == {2, 3}


def test_another_version_and_unknown_names_are_refused() -> None:
    with pytest.raises(InputError, match="task s5 is at version 1, the spec asks for 7; plan anew"):
        task_traces(dataclasses.replace(S5, version=7))
    with pytest.raises(InputError, match=r"no task 's7'"):
        task_traces(dataclasses.replace(S5, task="s7"))
    with pytest.raises(InputError, match=r"has budgets .*; got '4'"):
        task_traces(dataclasses.replace(S5, budgets=("4",), shares=(1.0,)))
    with pytest.raises(InputError, match="must sum to 1"):
        TaskData("s5", 1, (3,), ("1",), (0.5,), 0.0)
