"""What happens around the steps: rows, evaluations, states, stopping."""

from __future__ import annotations

import dataclasses
import math
import time
from collections.abc import Callable, Collection
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import torch
from lightning.pytorch.callbacks import Callback

from scaling.inference.heldout import evaluate
from scaling.records.flops import forward_flops_per_token, train_flops
from scaling.records.recipe import evaluation_steps
from scaling.records.spec import EvalSpec, spec_id
from scaling.training import state
from scaling.training.schedule import learning_rate

if TYPE_CHECKING:
    from scaling.records.spec import PretrainSpec
    from scaling.training.module import Step

LOGGED_STEPS = 256
"""About how many rows of STEPS a run leaves."""
SAVE_SECONDS = 30.0
"""Seconds between two writes of the rolling state."""


class DivergedError(Exception):
    """The run cannot go on; the message is the reason that its row gives."""

    def __init__(self, step: int, reason: str) -> None:
        super().__init__(reason)
        self.step = step


class Keeps(Protocol):
    """What keeps a run's rows."""

    rows: state.Rows

    def seconds(self) -> float:
        """Return the device seconds spent so far."""

    def check(self) -> None:
        """Read what waits to be read; raise ``DivergedError`` for a step gone wrong."""


class Recorder(Callback):
    """Keeps the rows of a run: STEPS as they come, CHECKPOINTS and EVALS at the planned steps."""

    def __init__(self, run_id: str, spec: PretrainSpec, rows: state.Rows) -> None:
        self.run_id = run_id
        self.spec = spec
        self.rows = rows
        self.every = max(1, spec.steps // LOGGED_STEPS)
        self.evaluations = evaluation_steps(spec)
        self.begun = time.perf_counter()
        self.unread: list[Step] = []

    def seconds(self) -> float:
        """Return the device seconds spent so far, earlier sittings included."""
        return self.rows.seconds + time.perf_counter() - self.begun

    def on_step(self, step: Step) -> None:
        """Take a step's numbers; read those of all steps since the last reading if it is this one's turn."""
        self.unread.append(step)
        if self._is_logged(step.index):
            self.check()

    def check(self) -> None:
        """Read the steps since the last reading, all at once: log those whose turn it is.

        Raises ``DivergedError`` at the first step gone wrong, whoever reads when: a branch that replays its trunk
        finds what the trunk found, though their logged steps differ.
        """
        if not self.unread:
            return
        read, self.unread = self.unread, []
        numbers = torch.stack([number for step in read for number in (step.loss, step.grad_norm)]).tolist()
        for step, loss, norm in zip(read, numbers[::2], numbers[1::2], strict=True):
            reason = self._divergence(step.index, loss, norm)
            if reason or self._is_logged(step.index):
                self._log(step, loss, norm)
            if reason:
                raise DivergedError(step.index, reason)

    def _is_logged(self, step: int) -> bool:
        return step % self.every == 0 or step == self.spec.steps

    def _log(self, step: Step, loss: float, norm: float) -> None:
        self.rows.steps.append(
            {
                "run_id": self.run_id,
                "step": step.index,
                "loss_nats": loss if math.isfinite(loss) else None,
                "lr": step.lr,
                "grad_norm": norm if math.isfinite(norm) else None,
                "seconds": self.seconds(),
            }
        )

    def on_train_batch_end(
        self, trainer: Any, module: Any, outputs: object, batch: int, batch_idx: int
    ) -> None:
        """Evaluate where the plan says so."""
        step = batch + 1
        if step not in self.evaluations:
            return
        self.check()
        model = self.spec.model
        module.model.eval()
        found = evaluate(module.model, module.corpus, model.context, bf16=self.spec.precision == "bf16")
        module.model.train()
        if not found.loss_nats <= 2 * math.log(model.vocabulary):  # NaN too
            raise DivergedError(
                step,
                f"held-out loss is {found.loss_nats:.3g} at step {step}, over twice that of a uniform guess",
            )
        self.add_checkpoint(step, loss_nats=found.loss_nats, loss_se=found.loss_se)
        asked = EvalSpec(self.run_id, step, "next_token", "greedy", found.predictions)
        self.rows.evals.append(
            {
                "eval_id": spec_id(asked),
                "run_id": self.run_id,
                "step": step,
                "task": asked.task,
                "method": asked.method,
                "n_problems": asked.problems,
                "score": found.accuracy,
                "score_se": found.accuracy_se,
                "chance_score": 1 / model.vocabulary,
                "infer_flops_prefill_per_problem": forward_flops_per_token(model),
                "device_seconds": found.device_seconds,
            }
        )

    def add_checkpoint(self, step: int, **loss: float) -> None:
        """Add the row of a point on the run's path; without a loss where the run died."""
        tokens = step * self.spec.optim.batch_tokens
        self.rows.checkpoints.append(
            {
                "run_id": self.run_id,
                "step": step,
                "tokens_seen": tokens,
                "lr": learning_rate(self.spec, step - 1),
                "annealed": self.spec.decay_start is not None and step == self.spec.steps,
                "train_flops_forward_backward": train_flops(self.spec.model, tokens),
                **loss,
            }
        )

    def _divergence(self, step: int, loss: float, norm: float) -> str | None:
        if not math.isfinite(loss):
            return f"training loss is {loss} at step {step}"
        if not math.isfinite(norm):
            return f"gradient norm is {norm} at step {step}"
        uniform = math.log(self.spec.model.vocabulary)
        if step > 2 * self.spec.optim.warmup_steps and loss > 2 * uniform:
            return f"training loss {loss:.3g} at step {step} is twice that of a uniform guess"
        return None


class StateKeeper(Callback):
    """Writes the states that branches leave from, and the rolling state that a resume starts from."""

    def __init__(self, folder: Path, branches: Collection[int], recorder: Keeps) -> None:
        self.folder = folder
        self.branches = frozenset(branches)
        self.recorder = recorder
        self.saved = time.monotonic()

    def on_train_batch_end(
        self, trainer: Any, module: Any, outputs: object, batch: int, batch_idx: int
    ) -> None:
        """Save after this step if a branch leaves here, the clock says so, or the run is asked to stop."""
        step = batch + 1
        due = time.monotonic() - self.saved > SAVE_SECONDS or trainer.should_stop
        if step in self.branches or (due and step < module.spec.steps):
            self.recorder.check()  # a state must lie before any divergence
            rows = dataclasses.replace(self.recorder.rows, seconds=self.recorder.seconds())
            state.save(self.folder / state.RESUME, module, step, rows)
            self.saved = time.monotonic()
        if step in self.branches:
            state.keep(self.folder, step)


class Watcher(Callback):
    """Reports progress and passes a request to stop on to the trainer."""

    def __init__(self, progress: Callable[[int], None], stop: Callable[[], bool], step_tokens: int) -> None:
        self.progress = progress
        self.stop = stop
        self.step_tokens = step_tokens

    def on_train_batch_end(
        self, trainer: Any, module: Any, outputs: object, batch: int, batch_idx: int
    ) -> None:
        """Report the tokens seen; ask the trainer to stop after this step if told so."""
        self.progress((batch + 1) * self.step_tokens)
        if self.stop():
            trainer.should_stop = True
