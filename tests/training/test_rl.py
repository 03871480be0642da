"""RL runs on a small model: exact rows and resume, the ledger against torch's counter, what is discarded, staleness."""

import dataclasses
import itertools
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode
from transformers import LlamaForCausalLM

from scaling import tasks
from scaling.errors import InputError
from scaling.inference import reading
from scaling.inference.weights import Weights
from scaling.records import recipe, rl_recipe
from scaling.records.cost import CORE, predicted_bytes, predicted_seconds, spec_flops, spec_model, spec_tokens
from scaling.records.rl_spec import Algorithm
from scaling.records.sampled import COMPONENTS, spent
from scaling.records.spec import RLSpec, from_json, spec_id, to_json
from scaling.records.store import Store
from scaling.records.tables import Records
from scaling.training import rl, rl_run, sampling_run
from scaling.training.algorithms import ALL
from scaling.training.model import build
from scaling.training.pretrain import run as pretrain
from scaling.training.rl import MOST_GAP, RLModule, RLStep
from scaling.training.rollout import Trials, keys_of, trials
from scaling.training.starting import load_weights

WIDTH, STEPS = 16, 6


@pytest.fixture(scope="module")
def started(tmp_path_factory: pytest.TempPathFactory) -> tuple[Store, RLSpec]:
    """Return a store with a finished start, and an RL spec from it: words of 2 letters, which it solves now and then."""
    torch.set_num_threads(1)
    store = Store(tmp_path_factory.mktemp("rl") / "store").open()
    model = recipe.llama(WIDTH, tasks.VOCABULARY, 48)
    data = rl_recipe.traces("s5", [1, 2], ["1", "direct"])
    (start,) = recipe.whole_runs(model, data, [300 * 480], batch_tokens=480, seed=0)
    assert pretrain(start, store)
    spec = rl_recipe.learning(
        start, "s5", [1, 2], STEPS, max_tokens=24, seed=0, checkpoints=(2, 4, STEPS), prompts=6, group=8
    )
    return store, spec


def copied(started: tuple[Store, RLSpec], tmp_path: Path) -> Store:
    """Return a store of its own with the start in it."""
    store = Store(tmp_path / "store").open()
    start = spec_id(started[1].start)
    store.folder(start).symlink_to(started[0].folder(start))
    return store


def rows_of(spec: RLSpec, store: Store) -> Records:
    rl_run.run(spec, store)
    return store.rows(spec_id(spec))


def module_of(
    started: tuple[Store, RLSpec], spec: RLSpec, attention: str = "sdpa"
) -> tuple[RLModule, list[RLStep]]:
    """Return a module with the start's weights outside a trainer."""
    told: list[RLStep] = []
    model = build(spec_model(spec), 0, attention)  # type: ignore[arg-type]
    model.load_state_dict(rl_run.load_weights(started[0], spec.start, spec.start.steps).state_dict())
    module = RLModule(spec, model, spec_model(spec), told.append)
    return module, told


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


@pytest.mark.parametrize("part", [0.01, 0.3, 0.55, 2.0])
def test_a_run_with_a_budget_ends_at_the_step_nearest_to_it(
    started: tuple[Store, RLSpec],
    tmp_path: Path,
    part: float,
    same_rows: Callable[[Records, Records], None],
) -> None:
    spec = dataclasses.replace(started[1], checkpoints=(STEPS,))
    every = rows_of(spec, copied(started, tmp_path / "every")).steps
    spent_by = every[list(COMPONENTS)].sum(axis=1).to_numpy()
    budget = int(part * spent_by[-1])
    limited = dataclasses.replace(spec, budget_flops=budget)
    store = copied(started, tmp_path / "limited")
    found = rows_of(limited, store)
    taken = len(found.steps)
    reached = np.flatnonzero(spent_by + np.diff(spent_by, prepend=0) / 2 >= budget)
    assert taken == (reached[0] + 1 if len(reached) else STEPS)
    same = [name for name in every if name not in ("run_id", "seconds", "verifier_seconds")]
    pd.testing.assert_frame_equal(found.steps[same], every[same].head(taken))
    assert found.checkpoints["step"].tolist() == [taken]

    stopped = copied(started, tmp_path / "stopped")
    sittings = 1
    while not rl_run.run(limited, stopped, stop=lambda: True):
        sittings += 1
    assert sittings == taken, "every sitting was one step, and none came after the end"
    same_rows(stopped.rows(spec_id(limited)), found)

    asked = rl_recipe.samples(limited, "s5", 2, ["free"], max_tokens=24, problems=3, each=2)
    assert sampling_run.run(asked, store)
    assert store.rows(spec_id(asked)).evals["step"].tolist() == [taken]


SITTING = """
import os, signal, sys
from pathlib import Path
from scaling.records.spec import from_json
from scaling.records.store import Store
from scaling.training import callbacks, rl_run

root, spec, unwritten = sys.argv[1:]
callbacks.SAVE_SECONDS = 0.0
if unwritten:
    Store.finish = lambda *_: os.kill(os.getpid(), signal.SIGKILL)
rl_run.run(from_json(spec), Store(Path(root)), stop=lambda: print("step", flush=True))
"""
"""One sitting that says when an update is done, keeps a state after each, and may die just before its rows are written."""


@pytest.mark.prove
def test_a_run_with_a_budget_killed_again_and_again_ends_at_the_same_step(
    started: tuple[Store, RLSpec], tmp_path: Path, same_rows: Callable[[Records, Records], None]
) -> None:
    spec = dataclasses.replace(started[1], steps=60, checkpoints=(60,), staleness=1, budget_flops=2 * 10**9)
    whole, killed = copied(started, tmp_path / "whole"), copied(started, tmp_path / "killed")
    expected = rows_of(spec, whole)
    taken = len(expected.steps)
    assert 20 < taken < 60, "the budget ends the run, not its steps"
    chance = random.Random(0)
    for updates, unwritten in ((5, ""), (6, ""), (taken, "unwritten")):
        with subprocess.Popen(
            [sys.executable, "-c", SITTING, str(killed.root), to_json(spec), unwritten],
            stdout=subprocess.PIPE,
            text=True,
        ) as sitting:
            assert sitting.stdout is not None
            for _ in range(updates):
                sitting.stdout.readline()
            if not unwritten:
                time.sleep(chance.uniform(0, 0.05))
                sitting.kill()
        assert sitting.returncode == -signal.SIGKILL
        assert not (killed.folder(spec_id(spec)) / "done.json").exists()
    same_rows(rows_of(spec, killed), expected)
    one, other = (store.folder(spec_id(spec)) / "model" / "model.safetensors" for store in (whole, killed))
    assert one.read_bytes() == other.read_bytes()


def test_the_ledger_counts_a_real_step_as_torch_does(started: tuple[Store, RLSpec]) -> None:
    spec = dataclasses.replace(started[1], difficulties=(2,), prompts=24, group=16)
    module, _ = module_of(started, spec, "eager")
    with FlopCounterMode(display=False) as sampling:
        found = trials(spec, module.task, 0, Weights(module.model, module.shape), (0.5,))
    kept = (found.learned != found.learned[:, :1]).any(1)
    assert 0 < kept.sum() < len(kept)
    with FlopCounterMode(display=False) as learning:
        _, trained, _ = module.gradients(found, kept, 0)
    done = found.completions
    spent_on = done.prefill_flops * spec.prompts + int(done.decode_flops.sum())
    assert trained == pytest.approx(learning.get_total_flops(), rel=1e-3)
    assert spent_on + trained == pytest.approx(
        sampling.get_total_flops() + learning.get_total_flops(), rel=0.01
    )


@pytest.mark.parametrize(("algorithm", "staleness"), [("cispo", 0), ("cispo", 1), ("ppo", 0)])
def test_rows_of_steps_hold_what_torch_counts(
    algorithm: Algorithm,
    staleness: int,
    started: tuple[Store, RLSpec],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Two whole steps, the second with old log-probabilities where weights are stale."""
    spec = dataclasses.replace(
        started[1], difficulties=(2,), prompts=24, group=16, steps=2, checkpoints=(2,), algorithm=algorithm,
        staleness=staleness,
    )  # fmt: skip

    def eager(*of: Any) -> LlamaForCausalLM:
        model = load_weights(*of)
        model.set_attn_implementation("eager")
        return model

    monkeypatch.setattr(rl_run, "load_weights", eager)
    store = copied(started, tmp_path)
    with FlopCounterMode(display=False) as counted:
        rl_run.run(spec, store)
    rows = store.rows(spec_id(spec)).steps
    assert rows["kept_share"].gt(0).all()
    assert (rows["train_flops_old_logprobs"].iloc[-1] > 0) == bool(staleness)
    assert rows[list(COMPONENTS)].iloc[-1].sum() == pytest.approx(counted.get_total_flops(), rel=0.01)


def on_policy(module: RLModule, found: Trials, kept: torch.Tensor) -> Trials:
    """The trials as if the trainer's own arithmetic had drawn the kept ones: every ratio is 1."""
    logprobs = torch.zeros_like(found.completions.logprobs)
    chosen = kept.repeat_interleave(module.spec.group).nonzero()[:, 0]
    for some in reading.alike(found.prompts, found.completions, chosen, reading.TOKENS["cpu"]):
        rows, _ = reading.rows_of(found.prompts, found.completions, some)
        with torch.no_grad():
            ours, _ = module.policy(rows.tokens)
        for row, values, target in zip(some.tolist(), ours, rows.targets(), strict=True):
            logprobs[row, : int(target.sum())] = values[target]
    return dataclasses.replace(found, completions=dataclasses.replace(found.completions, logprobs=logprobs))


def test_gradients_of_the_module_are_the_sum_of_a_grad_log_pi(started: tuple[Store, RLSpec]) -> None:
    """REINFORCE by a plain loop over completions, CISPO the same, leave-one-out G / (G - 1) times that, to 1e-6."""
    spec = started[1]
    grads = {}
    for name in ("reinforce", "cispo", "rloo"):
        module, _ = module_of(started, dataclasses.replace(spec, algorithm=name))
        found = trials(spec, module.task, 0, Weights(module.model, module.shape), (0.5, 0.5))
        kept = (found.learned != found.learned[:, :1]).any(1)
        assert 0 < kept.sum() < spec.prompts
        gap, _, _ = module.gradients(on_policy(module, found, kept), kept, 0)
        assert gap == 0
        grads[name] = torch.cat([p.grad.flatten() for p in module.model.parameters()])

    model, done = module.model, found.completions
    model.zero_grad()
    advantages = found.rewards - found.rewards.mean(1, keepdim=True)
    count = int(kept.sum()) * spec.group
    for problem, group in itertools.product(kept.nonzero()[:, 0].tolist(), range(spec.group)):
        asked = found.prompts[problem][found.prompts[problem] != tasks.PAD]
        row = problem * spec.group + group
        said = done.tokens[row, : int(done.lengths[row])]
        logits = model(input_ids=torch.cat([torch.from_numpy(asked), said])[None]).logits[
            0, len(asked) - 1 : -1
        ]
        picked = torch.log_softmax(logits, -1)[torch.arange(len(said)), said]
        (-advantages[problem, group] * picked.sum() / spec.max_tokens / count).backward()
    by_hand = torch.cat([p.grad.flatten() for p in model.parameters()])

    scale = float(by_hand.abs().max())
    assert scale > 1e-4
    close = {"rtol": 1e-6, "atol": 1e-6 * scale}
    torch.testing.assert_close(grads["reinforce"], by_hand, rtol=1e-5, atol=1e-5 * scale)
    torch.testing.assert_close(grads["cispo"], grads["reinforce"], **close)
    torch.testing.assert_close(grads["rloo"], grads["reinforce"] * spec.group / (spec.group - 1), **close)


def test_groups_that_agree_are_out_of_update_and_denominator(started: tuple[Store, RLSpec]) -> None:
    spec = started[1]
    module, _ = module_of(started, spec)
    found = trials(spec, module.task, 0, Weights(module.model, module.shape), (0.5, 0.5))
    kept = (found.learned != found.learned[:, :1]).any(1)
    assert 0 < kept.sum() < spec.prompts
    module.gradients(found, kept, 0)
    some = {name: p.grad.clone() for name, p in module.model.named_parameters()}
    module.zero_grad()
    module.gradients(found, torch.ones_like(kept), 0)
    share = float(kept.float().mean())
    for name, parameter in module.model.named_parameters():
        torch.testing.assert_close(parameter.grad, some[name] * share, rtol=1e-3, atol=1e-7)


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


def test_more_problems_than_there_are_are_refused(started: tuple[Store, RLSpec], tmp_path: Path) -> None:
    words = "task s5 at difficulty 1 has about 4 problems in split train; ask for fewer than 5"
    with pytest.raises(InputError, match=words):
        rl_run.run(dataclasses.replace(started[1], problems=5), copied(started, tmp_path))
    with pytest.raises(InputError, match=words):
        rl_recipe.learning(started[1].start, "s5", [2, 1], 1, max_tokens=8, seed=0, problems=5)


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
