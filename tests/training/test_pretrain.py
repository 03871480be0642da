"""Runs end as rows; branches and resumes are exact; bad runs say why."""

import dataclasses
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file
from transformers import LlamaForCausalLM

from scaling import corpora
from scaling.errors import InputError
from scaling.inference.heldout import evaluate
from scaling.records import flops
from scaling.records.frame import frame
from scaling.records.spec import CooldownSpec, CorpusData, PretrainSpec, spec_id
from scaling.records.store import Store, branch_state
from scaling.training import state
from scaling.training.work import work


def weights(store: Store, spec: PretrainSpec | CooldownSpec) -> dict[str, torch.Tensor]:
    return load_file(store.folder(spec_id(spec)) / "model" / "model.safetensors")


def assert_same_bits(one: dict[str, torch.Tensor], other: dict[str, torch.Tensor]) -> None:
    assert one.keys() == other.keys()
    for name in one:
        assert torch.equal(one[name], other[name]), name


def stopping_at(count: int):
    """Return a stop function that says yes at its ``count``-th question."""
    asked = iter(range(1, 10**6))
    return lambda: next(asked) >= count


def test_a_run_leaves_rows_that_follow_from_its_spec(trunk, store: Store) -> None:
    spec = trunk(12)
    assert work(spec, store)
    rows = store.rows(spec_id(spec))
    run = rows.runs.iloc[0]
    assert (run.status, run.kind, run.tokens_planned) == ("done", "pretrain", 12 * 128)
    assert run.params_total == sum(flops.params_by_group(spec.model).values())
    last = rows.checkpoints.iloc[-1]
    assert (last.step, last.tokens_seen) == (12, 1536)
    assert last.train_flops_forward_backward == flops.train_flops(spec.model, 1536)
    assert not last.annealed
    assert rows.steps.step.tolist() == list(range(1, 13))
    assert rows.evals.iloc[0].chance_score == 1 / 256
    train_tokens = corpora.load(spec.data.corpus).train_tokens
    assert run.epochs == 1536 / train_tokens


def test_stored_loss_is_the_exported_models_loss(trunk, store: Store) -> None:
    spec = trunk(12)
    work(spec, store)
    model = LlamaForCausalLM.from_pretrained(store.folder(spec_id(spec)) / "model")
    corpus = corpora.load(spec.data.corpus, spec.data.sha256)
    found = evaluate(model, corpus, spec.model.context)
    assert found.loss_nats == pytest.approx(
        store.rows(spec_id(spec)).checkpoints.iloc[-1].loss_nats, abs=1e-6
    )


def test_training_learns(trunk, store: Store) -> None:
    spec = trunk(150)
    work(spec, store)
    steps = store.rows(spec_id(spec)).steps
    assert steps.loss_nats.iloc[0] > 5  # ln 256 = 5.5: nothing known yet
    assert steps.loss_nats.iloc[-1] < 2


def test_a_branch_is_bit_for_bit_the_run_that_never_stopped(trunk, store: Store, tmp_path: Path) -> None:
    path = trunk(20)
    branch = CooldownSpec(path, 14, 4)
    work(path, store, branches=[14])
    work(branch, store)
    assert branch.whole.decay_start == 14
    work(branch.whole, store)
    assert_same_bits(weights(store, branch), weights(store, branch.whole))
    ends = [store.rows(spec_id(s)).checkpoints.iloc[-1] for s in (branch, branch.whole)]
    assert ends[0].loss_nats == ends[1].loss_nats
    assert ends[0].train_flops_forward_backward == ends[1].train_flops_forward_backward
    rows = store.rows(spec_id(branch))
    assert rows.runs.iloc[0].trunk_id == rows.runs.iloc[0].parent_run_id == spec_id(path)
    assert rows.steps.step.min() > 14


def test_a_branch_without_its_trunks_state_only_costs_time(
    trunk, store: Store, tmp_path: Path, same_rows
) -> None:
    branch = CooldownSpec(trunk(20), 14, 4)
    other = Store(tmp_path / "other").open()
    work(branch.trunk, store, branches=[14])
    work(branch, store)
    work(branch.trunk, other, branches=[6])
    work(branch, other)
    assert_same_bits(weights(store, branch), weights(other, branch))
    same_rows(store.rows(spec_id(branch)), other.rows(spec_id(branch)))


@pytest.mark.parametrize("at", [1, 7, 11])
def test_a_stopped_run_resumes_to_the_same_bits_and_rows(
    trunk, store: Store, tmp_path: Path, same_rows, at: int
) -> None:
    spec = trunk(12)
    whole = Store(tmp_path / "whole").open()
    work(spec, whole)
    assert not work(spec, store, stop=stopping_at(at))
    assert not store.is_done(spec_id(spec))
    assert state.load(store.folder(spec_id(spec)) / state.RESUME)["step"] == at
    assert work(spec, store)
    assert_same_bits(weights(store, spec), weights(whole, spec))
    same_rows(store.rows(spec_id(spec)), whole.rows(spec_id(spec)))


def test_a_run_killed_after_its_last_step_keeps_its_weights(
    trunk, store: Store, tmp_path: Path, same_rows, monkeypatch: pytest.MonkeyPatch
) -> None:
    from scaling.training import pretrain

    spec = trunk(12)
    whole = Store(tmp_path / "whole").open()
    work(spec, whole)
    monkeypatch.setattr(pretrain, "_finish", lambda *rest: (_ for _ in ()).throw(KeyboardInterrupt))
    with pytest.raises(KeyboardInterrupt):
        work(spec, store, branches=[12])
    monkeypatch.undo()
    assert state.load(store.folder(spec_id(spec)) / state.RESUME)["step"] == 12
    assert work(spec, store)
    assert_same_bits(weights(store, spec), weights(whole, spec))
    same_rows(store.rows(spec_id(spec)), whole.rows(spec_id(spec)))


def test_a_kill_between_writing_and_keeping_a_state_loses_no_branch(
    trunk, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    spec = trunk(12)
    kept = branch_state(store.folder(spec_id(spec)), 8)
    monkeypatch.setattr(state, "keep", lambda *_: (_ for _ in ()).throw(RuntimeError("killed")))
    with pytest.raises(RuntimeError, match="killed"):
        work(spec, store, branches=[8])
    monkeypatch.undo()
    assert not kept.exists()
    assert work(spec, store, branches=[8])
    assert state.load(kept)["step"] == 8


def test_a_diverged_run_is_a_row_with_a_reason_and_so_is_its_branch(trunk, store: Store) -> None:
    spec = trunk(60, lr_over_recipe=1e6)
    branch = CooldownSpec(spec, 50, 5)
    work(spec, store, branches=[50])
    work(branch, store)
    for one in (spec, branch):
        run = store.rows(spec_id(one)).runs.iloc[0]
        assert run.status == "diverged"
        assert "at step" in run.reason
    found = frame(store.gather([spec_id(spec), spec_id(branch)]))
    assert len(found) == 2
    assert found.loss.isna().all()
    assert found.reason.notna().all()


def test_seeds_move_weights_and_data(trunk, store: Store) -> None:
    one, other = trunk(3), trunk(3, seed=1)
    for spec in (one, other):
        work(spec, store)
    first, second = (store.rows(spec_id(s)).steps.loss_nats.tolist() for s in (one, other))
    assert first != second


def test_another_corpus_under_the_same_name_is_refused(trunk, store: Store) -> None:
    spec = trunk(3)
    changed = PretrainSpec(
        spec.model, CorpusData(spec.data.corpus, "0" * 64), spec.tokens, spec.optim, None, "fp32", 0
    )
    with pytest.raises(InputError, match="sha256"):
        work(changed, store)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            {"vocabulary": 255},
            r"the model's vocabulary has 255 tokens, corpus .* has 256; give the model at least",
        ),
        ({"context": 2**14}, r"corpus .* holds out \d windows of 16384 tokens, .* shorter context"),
    ],
)
def test_what_the_text_cannot_serve_is_refused_before_training(
    trunk, store: Store, change: dict[str, int], message: str
) -> None:
    spec = trunk(3)
    model = dataclasses.replace(spec.model, **change)
    optim = dataclasses.replace(spec.optim, batch_tokens=2**14)
    heard: list[int] = []
    with pytest.raises(InputError, match=message) as caught:
        work(
            dataclasses.replace(spec, model=model, optim=optim, tokens=3 * 2**14),
            store,
            progress=heard.append,
        )
    assert "\n" not in str(caught.value)
    assert heard == []


@pytest.mark.parametrize("damage", [lambda whole: whole[:1000], lambda whole: b"junk", lambda whole: b""])
def test_a_damaged_state_is_named(trunk, store: Store, damage: Callable[[bytes], bytes]) -> None:
    spec = trunk(12)
    work(spec, store, stop=stopping_at(5))
    path = store.folder(spec_id(spec)) / state.RESUME
    path.write_bytes(damage(path.read_bytes()))
    with pytest.raises(InputError, match=r"resume\.pt is damaged"):
        work(spec, store)


def test_bf16_runs_are_another_run_and_also_learn(trunk, store: Store) -> None:
    spec = trunk(100)
    rounded = dataclasses.replace(spec, precision="bf16")
    assert spec_id(spec) != spec_id(rounded)
    work(rounded, store)
    run = store.rows(spec_id(rounded))
    assert run.runs.precision.item() == "bf16"
    assert run.steps.loss_nats.iloc[-1] < 2.5
