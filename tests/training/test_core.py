"""The core against a plain loop that shares the model's code and nothing else; precision; accumulation."""

import dataclasses

import pytest
import torch
import torch.nn.functional as F
from safetensors.torch import load_file

from scaling import corpora
from scaling.records.cost import DEVICES
from scaling.records.spec import CooldownSpec, PretrainSpec, spec_id
from scaling.records.store import Store
from scaling.training.model import build
from scaling.training.work import work

Weights = dict[str, torch.Tensor]


@pytest.fixture
def spec(trunk) -> PretrainSpec:
    """Return a run with warm-up (5 steps), plateau and decay (from step 14), and no default left in its optimiser."""
    optim = dataclasses.replace(
        trunk(20).optim, weight_decay=0.3, beta1=0.8, beta2=0.9, clip_norm=0.5, batch_tokens=128
    )
    return dataclasses.replace(CooldownSpec(trunk(20), 14, 6).whole, optim=optim, seed=3)


def trained(spec: PretrainSpec, store: Store) -> Weights:
    work(spec, store)
    return load_file(store.folder(spec_id(spec)) / "model" / "model.safetensors")


def plain_loop(spec: PretrainSpec) -> tuple[Weights, list[float], list[float]]:
    """Return weights, losses and gradient norms of 20 steps: up over 5, level to 14, then down as 1 - sqrt."""
    corpus, model = corpora.load(spec.data.corpus), build(spec.model, spec.seed)
    named = dict(model.named_parameters())
    free = [p for name, p in named.items() if "norm" in name or "embed" in name]
    groups = [{"params": [p for p in named.values() if all(p is not q for q in free)], "weight_decay": 0.3}]
    groups.append({"params": free, "weight_decay": 0.0})
    optimizer = torch.optim.AdamW(groups, betas=(0.8, 0.9), fused=True)
    losses, norms = [], []
    for step in range(20):
        for group in optimizer.param_groups:
            shape = (step + 1) / 5 if step < 5 else 1 if step < 14 else 1 - ((step - 14) / 6) ** 0.5
            group["lr"] = spec.optim.lr * shape
        tokens = torch.from_numpy(corpus.batch(3, step, 4, 32))
        logits = model(input_ids=tokens[:, :32]).logits
        loss = F.cross_entropy(logits.reshape(128, 256), tokens[:, 1:33].reshape(128))
        optimizer.zero_grad()
        loss.backward()
        norms.append(torch.nn.utils.clip_grad_norm_(model.parameters(), 0.5).item())
        optimizer.step()
        losses.append(loss.item())
    return dict(model.state_dict()), losses, norms


def test_the_core_is_bit_for_bit_the_plain_loop(spec: PretrainSpec, store: Store) -> None:
    weights = trained(spec, store)
    expected, losses, norms = plain_loop(spec)
    assert weights.keys() == expected.keys()
    for name in weights:
        assert torch.equal(weights[name], expected[name]), name
    steps = store.rows(spec_id(spec)).steps
    assert steps.loss_nats.tolist() == losses
    assert steps.grad_norm.tolist() == norms
    assert min(norms[:5]) > 0.5  # the clip had something to do


def test_accumulated_gradients_are_those_of_the_batch(
    spec: PretrainSpec, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected, losses, _ = plain_loop(spec)
    small = dataclasses.replace(DEVICES["cpu"], micro_tokens=96)
    monkeypatch.setitem(DEVICES, "cpu", small)  # of the batch's four sequences, three and one
    weights = trained(spec, store)
    for name in weights:
        assert torch.allclose(weights[name], expected[name], rtol=0, atol=1e-5), name
    assert store.rows(spec_id(spec)).steps.loss_nats.tolist() == pytest.approx(losses, abs=1e-5)


@pytest.mark.parametrize(("precision", "dtype"), [("fp32", torch.float32), ("bf16", torch.bfloat16)])
def test_matrix_products_have_the_specs_precision(
    spec: PretrainSpec, store: Store, precision: str, dtype: torch.dtype
) -> None:
    seen = set()

    def hook(layer: torch.nn.Module, _: object, output: torch.Tensor) -> None:
        if isinstance(layer, torch.nn.Linear):
            seen.add((layer.training, output.dtype))

    handle = torch.nn.modules.module.register_module_forward_hook(hook)
    weights = trained(dataclasses.replace(spec, precision=precision), store)
    handle.remove()
    assert seen == {(True, dtype), (False, dtype)}  # in training and in evaluation
    assert {tensor.dtype for tensor in weights.values()} == {torch.float32}
