"""A ``ModelSpec`` as a transformers Llama with fresh weights."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    import torch
    from transformers import LlamaForCausalLM

    from scaling.records.spec import ModelSpec


def build(model: ModelSpec, seed: int, attention: Literal["sdpa", "eager"] = "sdpa") -> LlamaForCausalLM:
    """Return the model with weights drawn from ``seed``, in fp32 on the CPU.

    Weights are normal with standard deviation sqrt(2 / (5 d)), the small init of Nguyen & Salazar 2019
    (arXiv:1910.05895), which is GPT-2's .02 at d = 1000 and grows for the narrow models of a small grid.
    """
    import torch
    from transformers import LlamaConfig, LlamaForCausalLM

    config = LlamaConfig(
        vocab_size=model.vocabulary,
        hidden_size=model.width,
        intermediate_size=model.mlp_width,
        num_hidden_layers=model.layers,
        num_attention_heads=model.heads,
        num_key_value_heads=model.heads,
        max_position_embeddings=model.context,
        initializer_range=math.sqrt(2 / (5 * model.width)),
        tie_word_embeddings=False,
        use_cache=False,
        bos_token_id=None,
        eos_token_id=None,
        attn_implementation=attention,  # type: ignore[call-arg]  # taken by the base class through **kwargs
    )
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return LlamaForCausalLM(config)


def parameter_groups(model: LlamaForCausalLM, weight_decay: float) -> list[dict[str, object]]:
    """Return AdamW's groups: matrices with weight decay; embeddings and norm gains without."""
    decayed: list[torch.nn.Parameter] = []
    free: list[torch.nn.Parameter] = []
    for name, parameter in model.named_parameters():
        (free if parameter.ndim < 2 or "embed_tokens" in name else decayed).append(parameter)
    return [{"params": decayed, "weight_decay": weight_decay}, {"params": free, "weight_decay": 0.0}]
