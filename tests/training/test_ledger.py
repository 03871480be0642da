"""The closed-form ledger against torch's own counter on the real model."""

import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode

from scaling.records.flops import forward_flops_per_token, params_by_group, train_flops
from scaling.records.recipe import llama
from scaling.records.spec import ModelSpec
from scaling.training.model import build, parameter_groups

SHAPES = [
    llama(16, 256, 128),
    llama(64, 256, 128),
    llama(96, 73, 64),
    ModelSpec(width=128, layers=5, heads=4, mlp_width=200, vocabulary=1000, context=256),
    ModelSpec(width=48, layers=1, heads=1, mlp_width=8, vocabulary=10, context=16),
]


@pytest.mark.parametrize("shape", SHAPES, ids=lambda s: f"d{s.width}-L{s.layers}-T{s.context}")
def test_flops_match_torch_counter_within_a_thousandth(shape: ModelSpec) -> None:
    # torch counts no attention FLOPs for the fused kernel, hence eager
    model = build(shape, seed=0, attention="eager")
    rows = 2
    tokens = torch.zeros(rows, shape.context, dtype=torch.long)
    with FlopCounterMode(display=False) as forward:
        logits = model(input_ids=tokens, use_cache=False).logits
    with FlopCounterMode(display=False) as backward:
        logits.sum().backward()
    count = rows * shape.context
    assert forward.get_total_flops() == pytest.approx(forward_flops_per_token(shape) * count, rel=1e-3)
    both = forward.get_total_flops() + backward.get_total_flops()
    assert both == pytest.approx(train_flops(shape, count), rel=1e-3)


@pytest.mark.parametrize("shape", SHAPES, ids=lambda s: f"d{s.width}-L{s.layers}-T{s.context}")
def test_parameter_groups_are_the_models_parameters(shape: ModelSpec) -> None:
    model = build(shape, seed=0)
    groups = params_by_group(shape)
    found = dict.fromkeys(groups, 0)
    for name, parameter in model.named_parameters():
        group = next(
            group
            for key, group in {
                "embed_tokens": "embedding",
                "self_attn": "attention",
                "mlp": "mlp",
                "norm": "norm",
                "lm_head": "head",
            }.items()
            if key in name
        )
        found[group] += parameter.numel()
    assert found == groups


def test_every_parameter_is_optimised_once_and_gains_do_not_decay() -> None:
    model = build(SHAPES[0], seed=0)
    decayed, free = parameter_groups(model, 0.1)
    ids = [id(p) for group in (decayed, free) for p in group["params"]]
    assert sorted(ids) == sorted(id(p) for p in model.parameters())
    assert all(p.ndim == 2 for p in decayed["params"])
    assert (decayed["weight_decay"], free["weight_decay"]) == (0.1, 0.0)


def test_weights_follow_the_seed_and_leave_the_global_generator_alone() -> None:
    torch.manual_seed(5)
    before = torch.get_rng_state()
    one, same, other = (build(SHAPES[0], seed=s).lm_head.weight for s in (1, 1, 2))
    assert torch.equal(one, same)
    assert not torch.equal(one, other)
    assert torch.equal(before, torch.get_rng_state())
