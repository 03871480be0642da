"""Pretraining and cooldown runs: from a spec and a store to rows, exactly resumable."""

from __future__ import annotations

from collections.abc import Callable, Collection
from pathlib import Path
from typing import TYPE_CHECKING, Any

from scaling.errors import InputError
from scaling.inference.heldout import evaluated_windows
from scaling.records.flops import params_by_group
from scaling.records.spec import CooldownSpec, PretrainSpec, kind_of, spec_id, to_json
from scaling.records.store import Store, branch_state
from scaling.records.tables import records_of
from scaling.training import state
from scaling.training.callbacks import DivergedError, Recorder, StateKeeper, Watcher
from scaling.training.environment import hardware, versions
from scaling.training.fit import Restorer, fit
from scaling.training.module import PretrainModule
from scaling.training.traces import training_text

if TYPE_CHECKING:
    from lightning.pytorch.callbacks import Callback

    from scaling.corpora import Ready


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
    before the branch, so a trunk without the right state costs time and changes nothing. A cooldown whose trunk
    diverged at or before the branch has diverged where it would have left, having spent nothing itself.
    Raises ``InputError`` before any training for a text that the model or the evaluation cannot take.
    """
    folder = store.add(spec)
    whole = spec.whole if isinstance(spec, CooldownSpec) else spec
    corpus = _fitting_corpus(whole)
    saved = _saved_state(spec, store, folder, branches)
    recorder = Recorder(spec_id(spec), whole, state.Rows(**saved["rows"]) if saved else state.Rows())
    module = PretrainModule(whole, corpus, recorder.on_step)
    callbacks: list[Callback] = [
        recorder,
        Watcher(progress, stop, whole.optim.batch_tokens),
        StateKeeper(folder, branches, recorder),
    ]
    if saved:
        callbacks.append(Restorer(saved))
        module.model.load_state_dict(saved["model"])  # all there is to do where the last step was saved
    todo = range(saved["step"] if saved else 0, whole.steps)
    reason = None
    try:
        _check_trunk(spec, store)
        if todo and not fit(module, todo, whole.precision, device, callbacks):
            return False
    except DivergedError as diverged:
        reason = _death(spec, diverged, recorder)
    else:
        module.model.save_pretrained(folder / "model")
    _finish(spec, store, corpus, recorder, reason, device)
    return True


def _fitting_corpus(spec: PretrainSpec) -> Ready:
    """Return the spec's corpus; ``InputError`` where model or evaluation cannot take it."""
    corpus = training_text(spec.data)
    if spec.model.vocabulary < corpus.vocabulary:
        raise InputError(
            f"the model's vocabulary has {spec.model.vocabulary} tokens, corpus {corpus.name!r} has "
            f"{corpus.vocabulary}; give the model at least as many"
        )
    evaluated_windows(corpus, spec.model.context)
    return corpus


def _check_trunk(spec: PretrainSpec | CooldownSpec, store: Store) -> None:
    """Raise what ended a cooldown's trunk, if the store has that trunk and it diverged."""
    if isinstance(spec, CooldownSpec) and store.is_done(spec_id(spec.trunk)):
        rows = store.rows(spec_id(spec.trunk))
        run, died = rows.runs.iloc[0], int(rows.checkpoints["step"].max())
        if run["status"] == "diverged" and died <= spec.step:
            raise DivergedError(died, run["reason"])


def _death(spec: PretrainSpec | CooldownSpec, diverged: DivergedError, recorder: Recorder) -> str:
    """Add the last checkpoint of a diverged run and return the reason that its row gives.

    A cooldown whose trunk died first, met in the store or by replaying it, ends where it would have left: the steps
    until there are the trunk's and are counted once.
    """
    if isinstance(spec, CooldownSpec) and diverged.step <= spec.step:
        recorder.add_checkpoint(spec.step)
        return f"its trunk {spec_id(spec.trunk)} diverged: {diverged}"
    recorder.add_checkpoint(diverged.step)
    return str(diverged)


def _saved_state(
    spec: PretrainSpec | CooldownSpec, store: Store, folder: Path, branches: Collection[int]
) -> dict[str, Any] | None:
    """Return the state to go on from; keep it first for branches if a kill came between writing and keeping it."""
    if (folder / state.RESUME).is_file():
        saved = state.load(folder / state.RESUME)
        if saved["step"] in branches and not branch_state(folder, saved["step"]).is_file():
            state.keep(folder, saved["step"])
        return saved
    if isinstance(spec, CooldownSpec):
        nearest = state.nearest_branch(store.folder(spec_id(spec.trunk)), spec.step)
        return {**state.load(nearest), "rows": vars(state.Rows())} if nearest else None
    return None


def _finish(
    spec: PretrainSpec | CooldownSpec,
    store: Store,
    corpus: Ready,
    recorder: Recorder,
    reason: str | None,
    device: str,
) -> None:
    """Write the run's rows and drop its rolling state."""
    steps = recorder.rows.steps
    if isinstance(spec, CooldownSpec):
        steps = [row for row in steps if row["step"] > spec.step]
    row = _run_row(spec, corpus, reason, recorder.seconds(), device)
    rows = records_of(
        runs=[row], steps=steps, checkpoints=recorder.rows.checkpoints, evals=recorder.rows.evals
    )
    store.finish(spec_id(spec), rows)
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
        "data": corpus.name,
        "data_sha256": corpus.sha256,
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
