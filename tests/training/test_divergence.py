"""A run has diverged from its first bad step, whichever run meets it and however often it logs."""

import dataclasses
import math
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from scaling.records.spec import CooldownSpec, spec_id
from scaling.records.store import Store, branch_state
from scaling.sections.ledger import spent
from scaling.training.callbacks import Recorder
from scaling.training.module import Step
from scaling.training.work import work

Spoil = Callable[..., None]


@pytest.fixture
def spoil(monkeypatch: pytest.MonkeyPatch) -> Spoil:
    """Return a function that gives other numbers to one step of every run."""

    def at(step: int, **numbers: float) -> None:
        def on_step(self: Recorder, found: Step) -> None:
            if found.index == step:
                found = dataclasses.replace(found, **{k: torch.tensor(v) for k, v in numbers.items()})
            whole(self, found)

        monkeypatch.setattr(Recorder, "on_step", on_step)

    whole = Recorder.on_step
    return at


@pytest.mark.parametrize(
    ("numbers", "reason"),
    [
        ({"loss": math.nan}, "training loss is nan at step 31"),
        ({"grad_norm": math.inf}, "gradient norm is inf at step 31"),
        ({"loss": 11.5}, "training loss 11.5 at step 31 is twice that of a uniform guess"),
    ],
)
def test_the_row_of_a_diverged_run_names_its_first_bad_step(
    trunk, store: Store, spoil: Spoil, numbers: dict[str, float], reason: str
) -> None:
    spec = trunk(1100)  # logs every fourth step
    spoil(31, **numbers)
    assert work(spec, store)
    rows = store.rows(spec_id(spec))
    assert (rows.runs.status.item(), rows.runs.reason.item()) == ("diverged", reason)
    assert (rows.checkpoints.step.item(), rows.checkpoints.tokens_seen.item()) == (31, 31 * 128)
    assert rows.checkpoints.loss_nats.isna().all()
    assert rows.steps.step.tolist() == [4, 8, 12, 16, 20, 24, 28, 31]


def test_a_high_loss_is_no_divergence_before_twice_the_warm_up(trunk, store: Store, spoil: Spoil) -> None:
    spoil(10, loss=20.0)  # warm-up takes 5 steps
    spec = trunk(12)
    work(spec, store)
    assert store.rows(spec_id(spec)).runs.status.item() == "done"


def test_a_run_too_short_to_be_watched_is_judged_by_its_held_out_loss(trunk, store: Store) -> None:
    spec = dataclasses.replace(trunk(10), optim=dataclasses.replace(trunk(10).optim, lr=30.0, clip_norm=1e9))
    assert spec.steps <= 2 * spec.optim.warmup_steps
    work(spec, store)
    run = store.rows(spec_id(spec)).runs
    assert run.status.item() == "diverged"
    assert "over twice that of a uniform guess" in run.reason.item()


@pytest.mark.parametrize("kept", [[], [20]])
def test_a_branch_of_a_trunk_that_died_before_it_ends_at_once(
    trunk, store: Store, tmp_path: Path, spoil: Spoil, same_rows, kept: list[int]
) -> None:
    path, alone = trunk(1100), Store(tmp_path / "alone").open()
    branch = CooldownSpec(path, 40, 4)
    heard: list[int] = []
    spoil(31, loss=math.nan)
    work(path, store, branches=kept)
    work(branch, store, progress=heard.append)
    assert heard == []
    work(branch, alone)  # replays the trunk's steps, logs all of them, and finds the same
    same_rows(store.rows(spec_id(branch)), alone.rows(spec_id(branch)))
    rows = store.rows(spec_id(branch))
    assert rows.runs.status.item() == "diverged"
    assert rows.runs.reason.item() == f"its trunk {spec_id(path)} diverged: training loss is nan at step 31"
    assert (rows.checkpoints.step.item(), rows.checkpoints.tokens_seen.item()) == (40, 40 * 128)
    assert rows.steps.empty
    assert not (store.folder(spec_id(branch)) / "model").exists()
    costs = spent(store.gather([spec_id(path), spec_id(branch)]))
    assert costs.tokens.tolist() == [31 * 128, 0]
    assert costs.flops.iloc[1] == 0


def test_a_branch_that_left_before_is_whole(
    trunk, store: Store, tmp_path: Path, spoil: Spoil, same_rows
) -> None:
    path, alone = trunk(1100), Store(tmp_path / "alone").open()
    branch = CooldownSpec(path, 26, 4)
    spoil(31, loss=math.nan)
    work(path, store, branches=[26])
    for where in (store, alone):
        work(branch, where)
        assert where.rows(spec_id(branch)).runs.status.item() == "done"
    same_rows(store.rows(spec_id(branch)), alone.rows(spec_id(branch)))


def test_a_branch_that_dies_on_its_own_says_so(trunk, store: Store, spoil: Spoil) -> None:
    branch = CooldownSpec(trunk(40), 30, 4)
    work(branch.trunk, store, branches=[30])
    spoil(31, loss=math.nan)
    work(branch, store)
    rows = store.rows(spec_id(branch))
    assert rows.runs.reason.item() == "training loss is nan at step 31"
    assert (rows.checkpoints.step.item(), rows.steps.step.tolist()) == (31, [31])
    assert spent(rows).tokens.item() == 128


def test_no_state_lies_behind_a_divergence(trunk, store: Store, spoil: Spoil) -> None:
    spec = trunk(1100)
    spoil(30, loss=math.nan)
    asked = iter(range(1, 10**6))
    assert work(spec, store, branches=[30, 31], stop=lambda: next(asked) >= 31)
    assert store.rows(spec_id(spec)).checkpoints.step.item() == 30
    assert not branch_state(store.folder(spec_id(spec)), 30).exists()
