"""Specs of RL and of samples: what they hold, and what is refused before anything is run."""

import dataclasses
from pathlib import Path

import pytest
from rl_case import STEPS, copied, rows_of

from scaling.errors import InputError
from scaling.records import recipe, rl_recipe
from scaling.records.cost import CORE, predicted_bytes, predicted_seconds, spec_flops, spec_tokens
from scaling.records.spec import RLSpec, from_json, spec_id, to_json
from scaling.records.store import Store
from scaling.training import rl_run, sampling_run
from scaling.training.pretrain import run as pretrain


def test_more_problems_than_there_are_are_refused(started: tuple[Store, RLSpec], tmp_path: Path) -> None:
    words = "task s5 at difficulty 1 has about 4 problems in split train; ask for fewer than 5"
    with pytest.raises(InputError, match=words):
        rl_run.run(dataclasses.replace(started[1], problems=5), copied(started, tmp_path))
    with pytest.raises(InputError, match=words):
        rl_recipe.learning(started[1].start, "s5", [2, 1], 1, max_tokens=8, seed=0, problems=5)


def test_specs_are_checked_and_survive_json(started: tuple[Store, RLSpec]) -> None:
    spec = started[1]
    sampling = rl_recipe.samples(spec, "s5", 6, ["free", "asked 1"], max_tokens=40, step=4)
    limited = dataclasses.replace(spec, checkpoints=(STEPS,), budget_flops=10**9)
    of_limited = rl_recipe.samples(limited, "s5", 6, ["free"], max_tokens=40)
    assert "budget_flops" not in to_json(spec), "records from before there were budgets keep their names"
    assert (
        len({spec_id(one) for one in (spec, limited, dataclasses.replace(limited, budget_flops=10**8))}) == 3
    )
    assert spec_flops(dataclasses.replace(limited, steps=10**6, checkpoints=(10**6,))) == pytest.approx(
        10**9, rel=1e-3
    )
    assert spec_flops(limited) <= spec_flops(dataclasses.replace(spec, checkpoints=(STEPS,)))
    assert spec_tokens(dataclasses.replace(limited, budget_flops=1)) == 1
    with pytest.raises(
        InputError, match=r"ends at a budget keeps its end alone; got checkpoints \(2, 4, 6\)"
    ):
        dataclasses.replace(spec, budget_flops=10**9)
    with pytest.raises(InputError, match=r"RLSpec\.budget_flops must be positive, got 0"):
        dataclasses.replace(limited, budget_flops=0)
    for one in (spec, sampling, limited, of_limited):
        assert from_json(to_json(one)) == one
        assert predicted_seconds(one, CORE) > 0
        assert predicted_bytes(one, CORE) > 0
    with pytest.raises(InputError, match=r"RLSpec\.algorithm is 'magic'; choose one of"):
        dataclasses.replace(spec, algorithm="magic")
    with pytest.raises(InputError, match=r"must increase from 1 or more to the last step 6; got \(2, 4\)"):
        dataclasses.replace(spec, checkpoints=(2, 4))
    with pytest.raises(
        InputError, match="step 3 of the run that is sampled has no weights; kept are 2, 4, 6"
    ):
        dataclasses.replace(sampling, step=3)
    with pytest.raises(InputError, match="group is 1: advantages are within a group"):
        dataclasses.replace(spec, group=1)


def test_what_a_task_or_a_model_cannot_do_is_said_before_anything_is_run(
    started: tuple[Store, RLSpec],
) -> None:
    start = started[1].start
    with pytest.raises(InputError, match="task s5 has difficulties 1 to 20; got 50"):
        rl_recipe.learning(start, "s5", [50], 2, max_tokens=24, seed=0)
    with pytest.raises(InputError, match="completions up to 500, and the model's context is 48"):
        rl_recipe.learning(start, "s5", [2], 2, max_tokens=500, seed=0)
    with pytest.raises(InputError, match="setting 'asked 7': task s5 has budgets"):
        rl_recipe.samples(start, "s5", 3, ["free", "asked 7"], max_tokens=24)
    with pytest.raises(
        InputError, match="prompts of task s5 at difficulty 3 take 5 tokens, completions up to 44"
    ):
        rl_recipe.samples(start, "s5", 3, ["asked 1"], max_tokens=44)
    with pytest.raises(InputError, match="no budgets that can be forced"):
        rl_recipe.samples(start, "addition", 2, ["forced 1"], max_tokens=24)
    small = dataclasses.replace(start.model, vocabulary=40)
    with pytest.raises(InputError, match="vocabulary of 40 tokens, and tasks are written in 53"):
        rl_recipe.learning(dataclasses.replace(start, model=small), "s5", [2], 2, max_tokens=24, seed=0)
    with pytest.raises(InputError, match="difficulties has one twice"):
        dataclasses.replace(started[1], difficulties=(2, 2))
    with pytest.raises(InputError, match="budget_flops must be a whole number"):
        dataclasses.replace(started[1], checkpoints=(STEPS,), budget_flops=10**400)


def test_a_model_with_more_tokens_than_tasks_writes_nothing_right_with_them(tmp_path: Path) -> None:
    """Vocabularies are rounded up for speed, or are of another text."""
    store = Store(tmp_path / "store").open()
    data = rl_recipe.traces("s5", [1, 2], ["1", "direct"])
    (start,) = recipe.whole_runs(recipe.llama(16, 256, 48), data, [960], batch_tokens=480, seed=0)
    assert pretrain(start, store)
    spec = rl_recipe.learning(start, "s5", [1], 2, max_tokens=8, seed=0, prompts=4, group=8)
    assert rows_of(spec, store).steps["reward"].tolist() == pytest.approx([0.0, 0.0], abs=0.1)
    asked = rl_recipe.samples(spec, "s5", 2, ["free"], max_tokens=8, problems=3, each=4)
    assert sampling_run.run(asked, store)
    assert len(store.rows(spec_id(asked)).samples) == 12
