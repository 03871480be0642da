"""One update of RL: its cost against torch's counter, its gradient against a plain loop, what is discarded."""

import dataclasses
import itertools
from pathlib import Path
from typing import Any

import pytest
import torch
from rl_case import copied, module_of
from torch.utils.flop_counter import FlopCounterMode
from transformers import LlamaForCausalLM

from scaling import tasks
from scaling.inference import reading
from scaling.inference.weights import Weights
from scaling.records.rl_spec import Algorithm
from scaling.records.sampled import COMPONENTS
from scaling.records.spec import RLSpec, spec_id
from scaling.records.store import Store
from scaling.training import rl_run
from scaling.training.rl import RLModule
from scaling.training.rollout import Trials, trials
from scaling.training.starting import load_weights


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
