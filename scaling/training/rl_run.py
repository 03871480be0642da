"""RL runs: from a spec and a store to rows, exactly resumable."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable
from typing import Any

from lightning.pytorch.callbacks import Callback

from scaling import tasks
from scaling.records.columns import TRAIN_FLOPS
from scaling.records.cost import spec_model, spec_tokens
from scaling.records.flops import params_by_group
from scaling.records.spec import CooldownSpec, RLSpec, kept_steps, spec_id, to_json
from scaling.records.store import Store
from scaling.records.tables import records_of
from scaling.training import state
from scaling.training.callbacks import DivergedError, StateKeeper, Watcher
from scaling.training.environment import hardware, versions
from scaling.training.fit import Restorer, fit
from scaling.training.rl import MOST_GAP, RLModule, RLStep
from scaling.training.rollout import limited_set
from scaling.training.starting import load_weights

SPENT = tuple(column.name for column in TRAIN_FLOPS)
"""Columns that add up from step to step."""
FLOPS = tuple(name for name in SPENT if name.startswith("train_flops"))


class Recorder(Callback):
    """Keeps a row of STEPS for every update, and one of CHECKPOINTS where the spec says so."""

    def __init__(self, run_id: str, spec: RLSpec, rows: state.Rows) -> None:
        self.run_id, self.spec, self.rows = run_id, spec, rows
        self.begun = time.perf_counter()
        last = rows.steps[-1] if rows.steps else {}
        self.spent = {name: last.get(name, 0.0) for name in SPENT}

    def budget_share(self) -> float | None:
        """Return the share of the run's budget that is spent when its last step counts one and a half times.

        From 1 on, another step like it would end farther from the budget. None where there is no budget.
        """
        if self.spec.budget_flops is None:
            return None
        spent = [0.0, 0.0, *(sum(float(row[name]) for name in FLOPS) for row in self.rows.steps[-2:])]
        return (spent[-1] + (spent[-1] - spent[-2]) / 2) / self.spec.budget_flops

    def is_spent(self) -> bool:
        """Return whether the run ends here for its budget."""
        return (self.budget_share() or 0) >= 1

    def seconds(self) -> float:
        """Return the device seconds spent so far, earlier sittings included."""
        return self.rows.seconds + time.perf_counter() - self.begun

    def check(self) -> None:
        """Nothing waits to be read."""

    def on_step(self, step: RLStep) -> None:
        """Add a step's row; raise ``DivergedError`` where sampler and trainer disagree or the gradient is no number."""
        for name, flops in step.flops.items():
            self.spent[f"train_flops_{name}"] += flops
        self.spent["verifier_seconds"] += step.verifier_seconds
        self.rows.sampled += step.tokens
        finite = step.grad_norm == step.grad_norm and abs(step.grad_norm) != float("inf")
        row = {
            "run_id": self.run_id, "step": step.index, "lr": self.spec.lr, "reward": step.reward,
            "entropy_nats": step.entropy, "tokens_mean": step.tokens_mean, "truncated_share": step.truncated,
            "kept_share": step.kept, "logprob_gap": step.gap, "staleness": step.staleness,
            "grad_norm": step.grad_norm if finite else None, "seconds": self.seconds(), **self.spent,
        }  # fmt: skip
        self.rows.steps.append(row)
        if not finite:
            raise DivergedError(step.index, f"gradient norm is {step.grad_norm} at step {step.index}")
        if self.spec.precision == "fp32" and step.gap is not None and not step.gap < MOST_GAP:
            raise DivergedError(
                step.index,
                f"sampler and trainer differ by {step.gap:.3g} in a log-probability at step {step.index}",
            )
        if step.index in self.spec.checkpoints or self.is_spent():
            self.add_checkpoint(step.index)

    def add_checkpoint(self, step: int) -> None:
        """Add the row of a point on the run's path."""
        self.rows.checkpoints.append(
            {
                "run_id": self.run_id, "step": step, "tokens_seen": self.rows.sampled, "lr": self.spec.lr,
                "annealed": False, **self.spent,
            }
        )  # fmt: skip


def run(
    spec: RLSpec,
    store: Store,
    *,
    device: str = "cpu",
    progress: Callable[[int], None] = lambda tokens: None,
    stop: Callable[[], bool] = lambda: False,
) -> bool:
    """Run a spec to its end, or to a clean stop, in its folder of the store; return whether it ended.

    ``progress`` hears the most tokens that the updates so far may have sampled; of a run with a budget, their part of
    ``spec_tokens``. Raises ``InputError`` for another version of the task, more problems than it has, or a start whose
    weights are not there.
    """
    folder = store.add(spec)
    task = tasks.find(spec.task, spec.task_version)
    if spec.problems is not None:
        for difficulty in spec.difficulties:
            limited_set(task, spec.seed, spec.problems, difficulty)
    saved = state.load(folder / state.RESUME) if (folder / state.RESUME).is_file() else None
    recorder = Recorder(spec_id(spec), spec, state.Rows(**saved["rows"]) if saved else state.Rows())
    reason = _dead_start(spec, store)
    if reason is None:
        model = load_weights(store, spec.start, kept_steps(spec.start)[-1])
        module = RLModule(spec, model, spec_model(spec), recorder.on_step)
        watcher = Watcher(
            lambda most: progress(_seen(spec, recorder, most)),
            lambda: recorder.is_spent() or stop(),
            spec.prompts * spec.group * spec.max_tokens,
        )
        callbacks: list[Callback] = [watcher, StateKeeper(folder, spec.checkpoints[:-1], recorder)]
        if saved:
            callbacks.append(Restorer(saved))
            model.load_state_dict(saved["model"])
        todo = range(saved["step"] if saved else 0, 0 if recorder.is_spent() else spec.steps)
        try:
            if todo and not fit(module, todo, spec.precision, device, callbacks) and not recorder.is_spent():
                return False
            model.save_pretrained(folder / "model")
        except DivergedError as diverged:
            reason = str(diverged)
            recorder.add_checkpoint(diverged.step)
    _finish(spec, store, task, recorder, reason, device)
    return True


def _seen(spec: RLSpec, recorder: Recorder, most: int) -> int:
    """Return the tokens that progress is counted in."""
    share = recorder.budget_share()
    return most if share is None else round(min(1.0, share) * spec_tokens(spec))


def _dead_start(spec: RLSpec, store: Store) -> str | None:
    """Return why there is nothing to start from, if the run that it starts from diverged."""
    start = store.rows(spec_id(spec.start)).runs.iloc[0]
    return (
        f"its start {start['run_id']} diverged: {start['reason']}" if start["status"] == "diverged" else None
    )


def _finish(
    spec: RLSpec, store: Store, task: tasks.Task, recorder: Recorder, reason: str | None, device: str
) -> None:
    """Write the run's rows and drop its rolling state."""
    row = _run_row(spec, store, task, recorder.seconds(), reason, device)
    rows = records_of(runs=[row], steps=recorder.rows.steps, checkpoints=recorder.rows.checkpoints)
    store.finish(spec_id(spec), rows)
    (store.folder(spec_id(spec)) / state.RESUME).unlink(missing_ok=True)


def _run_row(
    spec: RLSpec, store: Store, task: tasks.Task, seconds: float, reason: str | None, device: str
) -> dict[str, Any]:
    model = spec_model(spec)
    groups = params_by_group(model)
    trunk = spec.start.trunk if isinstance(spec.start, CooldownSpec) else spec.start
    problems = json.dumps([task.name, task.version, spec.difficulties, spec.problems])
    return {
        "run_id": spec_id(spec), "kind": "rl", "status": "diverged" if reason else "done", "reason": reason,
        "parent_run_id": spec_id(spec.start), "parent_step": kept_steps(spec.start)[-1], "trunk_id": spec_id(trunk),
        "params_total": sum(groups.values()), **{f"params_{group}": count for group, count in groups.items()},
        "layers": model.layers, "width": model.width, "context_tokens": model.context, "data": f"rl:{task.name}",
        "data_sha256": hashlib.sha256(problems.encode()).hexdigest(),
        "tokens_planned": spec_tokens(spec),
        "lr": spec.lr, "precision": spec.precision, "seed_init": trunk.seed, "seed_data": spec.seed,
        "hardware": hardware(device), "device_seconds": seconds, "version": versions(), "spec": to_json(spec),
    }  # fmt: skip
