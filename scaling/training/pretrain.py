"""Pretraining and cooldown runs: from a spec and a store to rows, exactly resumable."""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection
from pathlib import Path
from typing import TYPE_CHECKING, Any

import lightning
import torch
from lightning.pytorch.callbacks import Callback

from scaling import corpora
from scaling.records.columns import TABLES
from scaling.records.flops import params_by_group
from scaling.records.spec import CooldownSpec, PretrainSpec, kind_of, spec_id, to_json
from scaling.records.store import Store
from scaling.records.tables import Records, empty
from scaling.training import state
from scaling.training.callbacks import DivergedError, Recorder, StateKeeper, Watcher
from scaling.training.environment import hardware, versions
from scaling.training.module import PretrainModule

if TYPE_CHECKING:
    from scaling.corpora import Ready


class _Restorer(Callback):
    """Puts a saved state back once the trainer has made its optimiser."""

    def __init__(self, saved: dict[str, Any]) -> None:
        self.saved = saved

    def on_train_start(self, trainer: Any, module: Any) -> None:
        state.restore(module, self.saved)


def run(
    spec: PretrainSpec | CooldownSpec,
    store: Store,
    *,
    branches: Collection[int] = (),
    device: str = "cpu",
    progress: Callable[[int], None] = lambda tokens: None,
    stop: Callable[[], bool] = lambda: False,
) -> bool:
    """Run a spec to its end, or to a clean stop, in its folder of the store; return whether it ended.

    ``branches`` are the steps whose state is kept for cooldowns. ``progress`` hears the tokens seen after every
    step; ``stop`` is asked after every step. A cooldown starts from the latest state that its trunk kept at or
    before the branch, so a trunk without the right state costs time and changes nothing.
    """
    run_id = spec_id(spec)
    folder = store.add(spec)
    whole = spec.whole if isinstance(spec, CooldownSpec) else spec
    corpus = corpora.load(whole.data.corpus, whole.data.sha256)
    saved = _saved_state(spec, store, folder)
    first = saved["step"] if saved else 0
    rows = state.Rows(**saved["rows"]) if saved else state.Rows()
    recorder = Recorder(run_id, whole, rows)
    module = PretrainModule(whole, corpus, recorder.on_step)
    watcher = Watcher(progress, stop)
    callbacks: list[Callback] = [recorder, watcher, StateKeeper(folder, branches, recorder)]
    if saved:
        callbacks.append(_Restorer(saved))
    reason = None
    if saved:
        module.model.load_state_dict(saved["model"])  # all there is to do where the last step was saved
    try:
        if first < whole.steps and not _fit(
            module, range(first, whole.steps), whole.precision, device, callbacks
        ):
            return False
    except DivergedError as diverged:
        reason = str(diverged)
    else:
        module.model.save_pretrained(folder / "model")
    _finish(spec, store, corpus, recorder, reason, device)
    return True


def _saved_state(spec: PretrainSpec | CooldownSpec, store: Store, folder: Path) -> dict[str, Any] | None:
    if (folder / state.RESUME).is_file():
        return state.load(folder / state.RESUME)
    if isinstance(spec, CooldownSpec):
        nearest = state.nearest_branch(store.folder(spec_id(spec.trunk)), spec.step)
        return {**state.load(nearest), "rows": vars(state.Rows())} if nearest else None
    return None


def _fit(
    module: PretrainModule, steps: range, precision: str, device: str, callbacks: list[Callback]
) -> bool:
    """Train over ``steps``; return whether the last one was reached."""
    logging.getLogger("lightning.pytorch").setLevel(logging.ERROR)
    trainer = lightning.Trainer(
        accelerator="gpu" if device.startswith("cuda") else "cpu",
        devices=[int(device.partition(":")[2] or 0)] if device.startswith("cuda") else 1,
        precision="bf16-mixed" if precision == "bf16" else "32-true",
        max_epochs=1,
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        callbacks=callbacks,
    )
    torch.use_deterministic_algorithms(device == "cpu")
    trainer.fit(module, train_dataloaders=steps)
    return trainer.fit_loop.epoch_loop.batch_progress.current.completed == len(steps)


def _finish(
    spec: PretrainSpec | CooldownSpec,
    store: Store,
    corpus: Ready,
    recorder: Recorder,
    reason: str | None,
    device: str,
) -> None:
    """Write the run's rows and drop its rolling state."""
    import pandas as pd

    rows = {"runs": [_run_row(spec, corpus, reason, recorder.seconds(), device)], **vars(recorder.rows)}
    if isinstance(spec, CooldownSpec):
        own = [row for row in recorder.rows.steps if row["step"] > spec.step]
        rows["steps"] = own
    frames = {t.name: pd.DataFrame(rows[t.name]) if rows[t.name] else empty(t) for t in TABLES}
    store.finish(spec_id(spec), Records(**frames))
    (store.folder(spec_id(spec)) / state.RESUME).unlink(missing_ok=True)


def _run_row(
    spec: PretrainSpec | CooldownSpec, corpus: Ready, reason: str | None, seconds: float, device: str
) -> dict[str, Any]:
    branch = isinstance(spec, CooldownSpec)
    whole = spec.whole if isinstance(spec, CooldownSpec) else spec
    groups = params_by_group(whole.model)
    trunk_id = spec_id(spec.trunk) if isinstance(spec, CooldownSpec) else spec_id(spec)
    optim = whole.optim
    return {
        "run_id": spec_id(spec),
        "kind": kind_of(spec),
        "status": "diverged" if reason else "done",
        "reason": reason,
        "parent_run_id": trunk_id if branch else None,
        "parent_step": spec.step if isinstance(spec, CooldownSpec) else None,
        "trunk_id": trunk_id,
        "params_total": sum(groups.values()),
        **{f"params_{group}": count for group, count in groups.items()},
        "layers": whole.model.layers,
        "width": whole.model.width,
        "context_tokens": whole.model.context,
        "data": whole.data.corpus,
        "data_sha256": whole.data.sha256,
        "tokens_planned": whole.tokens,
        "batch_tokens": optim.batch_tokens,
        "lr": optim.lr,
        "lr_over_recipe": optim.lr_over_recipe,
        "warmup_steps": optim.warmup_steps,
        "weight_decay": optim.weight_decay,
        "epochs": corpus.epochs(whole.tokens),
        "bytes_per_token": corpus.bytes_per_token,
        "precision": whole.precision,
        "seed_init": whole.seed,
        "seed_data": whole.seed,
        "hardware": hardware(device),
        "device_seconds": seconds,
        "version": versions(),
        "spec": to_json(spec),
    }
