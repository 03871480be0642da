"""RL runs on a small model: rows of every step, exact resume, which problems are asked, what ends a run."""

import dataclasses
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from rl_case import STEPS, copied, module_of, rows_of

from scaling import tasks
from scaling.errors import InputError
from scaling.inference.weights import Weights
from scaling.records import recipe
from scaling.records.sampled import COMPONENTS, spent
from scaling.records.spec import RLSpec, spec_id
from scaling.records.store import Store
from scaling.records.tables import Records
from scaling.training import rl, rl_run
from scaling.training.algorithms import ALL
from scaling.training.pretrain import run as pretrain
from scaling.training.rl import MOST_GAP
from scaling.training.rollout import Trials, keys_of, trials


def test_every_step_has_a_row_and_costs_add_up(started: tuple[Store, RLSpec], tmp_path: Path) -> None:
    spec = started[1]
    found = rows_of(spec, copied(started, tmp_path))
    steps, points = found.steps, found.checkpoints
    assert steps["step"].tolist() == list(range(1, STEPS + 1))
    assert points["step"].tolist() == [2, 4, STEPS]
    assert found.runs["status"].tolist() == ["done"]
    assert (steps["logprob_gap"] < MOST_GAP).all()
    assert steps["reward"].between(0, 1).all()
    assert steps["reward"].max() > 0
    for name in (*COMPONENTS, "verifier_seconds"):
        assert steps[name].is_monotonic_increasing
        at = steps.set_index("step").loc[points["step"], name].tolist()
        assert points[name].tolist() == at
    assert steps["train_flops_old_logprobs"].max() == 0
    assert points["tokens_seen"].iloc[-1] == pytest.approx(
        (steps["tokens_mean"] * spec.prompts * spec.group).sum()
    )
    assert steps["entropy_nats"].between(0, np.log(tasks.VOCABULARY)).all()


@pytest.mark.parametrize("algorithm", [one.name for one in ALL])
def test_every_algorithm_trains_and_resumes_to_the_same_rows(
    started: tuple[Store, RLSpec],
    tmp_path: Path,
    algorithm: str,
    same_rows: Callable[[Records, Records], None],
) -> None:
    spec = dataclasses.replace(
        started[1], algorithm=algorithm, staleness=1, sampler="learnable", problems=4, reward_noise=0.1
    )
    whole = copied(started, tmp_path / "whole")
    expected = rows_of(spec, whole)
    stopped = copied(started, tmp_path / "stopped")
    for _ in range(STEPS + 1):
        asked = iter([False, True])
        if rl_run.run(spec, stopped, stop=lambda asked=asked: next(asked, True)):
            break
    same_rows(stopped.rows(spec_id(spec)), expected)
    weights = [store.folder(spec_id(spec)) / "model" / "model.safetensors" for store in (whole, stopped)]
    assert weights[0].read_bytes() == weights[1].read_bytes()
    assert expected.steps["staleness"].tolist() == [0, 1] * (STEPS // 2)
    assert expected.steps["train_flops_old_logprobs"].max() > 0
    assert (expected.steps["logprob_gap"] < MOST_GAP).all(), (
        "old log-probabilities are those of the old weights"
    )


def test_rewards_noise_and_limited_problems(started: tuple[Store, RLSpec]) -> None:
    spec = dataclasses.replace(started[1], problems=2, reward_noise=0.3, prompts=60, difficulties=(2,))
    module, _ = module_of(started, spec)
    found = trials(spec, module.task, 1, Weights(module.model, module.shape), (0.5,))
    asked = module.task.prompts(module.task.distinct(spec.seed, 2, 2, "train"), 2)
    np.testing.assert_array_equal(np.unique(found.prompts, axis=0), np.unique(asked, axis=0))
    turned = (found.rewards != found.learned).float().mean().item()
    assert turned == pytest.approx(0.3, abs=4 * np.sqrt(0.21 / found.rewards.numel()))


def test_a_limited_set_has_as_many_different_problems_as_asked_for(started: tuple[Store, RLSpec]) -> None:
    task = tasks.find("s5")
    for difficulty, count in ((6, 256), (1, 4)):
        spec = dataclasses.replace(started[1], problems=count, difficulties=(difficulty,))
        keys = keys_of(spec, task, np.arange(30 * count), difficulty)
        assert set(keys.tolist()) == set(task.distinct(spec.seed, count, difficulty, "train").tolist())
        assert len(set(keys.tolist())) == count
        assert not task.held_out(keys, difficulty).any()


def test_a_learnable_sampler_asks_what_is_neither_solved_nor_hopeless(started: tuple[Store, RLSpec]) -> None:
    spec = dataclasses.replace(started[1], sampler="learnable", prompts=200, group=2, difficulties=(1, 2))
    module, _ = module_of(started, spec)
    weights = Weights(module.model, module.shape)
    share = [
        (trials(spec, module.task, 0, weights, rates).difficulties == 2).mean()
        for rates in ((1.0, 0.5), (0.5, 0.0))
    ]
    assert share == pytest.approx([1 / 1.05, 0.05 / 1.05], abs=0.06)


def test_an_update_makes_better_completions_likelier(started: tuple[Store, RLSpec], tmp_path: Path) -> None:
    spec = dataclasses.replace(started[1], difficulties=(1,), lr=1e-3, steps=20, checkpoints=(20,), prompts=8)
    reward = rows_of(spec, copied(started, tmp_path)).steps["reward"]
    assert reward.iloc[-5:].mean() > reward.iloc[:5].mean() + 0.05


def test_a_start_that_diverged_is_said_and_another_version_is_refused(
    started: tuple[Store, RLSpec], tmp_path: Path
) -> None:
    spec = started[1]
    assert isinstance(spec.start, recipe.PretrainSpec)
    start = dataclasses.replace(spec.start, optim=dataclasses.replace(spec.start.optim, lr=1e9))
    store = Store(tmp_path / "store").open()
    pretrain(start, store)
    bad = dataclasses.replace(spec, start=start)
    rl_run.run(bad, store)
    found = store.rows(spec_id(bad))
    assert found.runs["status"].tolist() == ["diverged"]
    assert found.runs["reason"][0].startswith(f"its start {spec_id(start)} diverged")
    with pytest.raises(InputError, match="task s5 is at version 1, the spec asks for 3"):
        rl_run.run(dataclasses.replace(spec, task_version=3), copied(started, tmp_path / "other"))


def test_costs_of_rl_and_of_what_came_before_are_told_apart(
    started: tuple[Store, RLSpec], tmp_path: Path
) -> None:
    store, spec = copied(started, tmp_path), started[1]
    rl_run.run(spec, store)
    found = spent(store.gather([spec_id(spec.start), spec_id(spec)]))
    before = found[found["kind"] == "pretrain"]
    after = found[found["kind"] == "rl"]
    assert after["pretrain_flops"].tolist() == [before["train_flops"].iloc[-1]] * 3
    assert before["pretrain_flops"].tolist() == [0.0] * len(before)
    assert (after["trunk"] == spec_id(spec.start)).all()


def test_a_gap_that_is_no_number_ends_the_run(
    started: tuple[Store, RLSpec], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*arguments: object, **more: object) -> Trials:
        found = trials(*arguments, **more)  # type: ignore[arg-type]  # passed on as they came
        found.completions.logprobs[:, 0] = float("nan")
        return found

    monkeypatch.setattr(rl, "trials", broken)
    found = rows_of(started[1], copied(started, tmp_path))
    assert found.runs["status"].tolist() == ["diverged"]
    assert "step 1" in found.runs["reason"][0]
