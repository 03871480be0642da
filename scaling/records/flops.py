"""The compute ledger in closed form: parameters by group and FLOPs by component.

Counts follow ``torch.utils.flop_counter``: a multiply-add is 2 FLOPs, only matrix products count, attention is
the full T x T product (not halved for the causal mask), and the backward pass costs twice the forward.

With width d, layers L, SwiGLU width f, vocabulary V and context T, the matrix products of one token read
``L (4 d^2 + 3 d f) + d V`` weights, and its two attention products cost ``4 L T d``:

    forward = 2 (L (4 d^2 + 3 d f) + d V) + 4 L T d        training = 3 forward

The familiar ``C = 6 N D`` is the same without the attention term.
"""

from __future__ import annotations

from scaling.records.spec import ModelSpec


def params_by_group(model: ModelSpec) -> dict[str, int]:
    """Return the number of parameters of each group: embedding, attention, mlp, norm, head."""
    d, layers = model.width, model.layers
    return {
        "embedding": model.vocabulary * d,
        "attention": layers * 4 * d * d,
        "mlp": layers * 3 * d * model.mlp_width,
        "norm": (2 * layers + 1) * d,
        "head": model.vocabulary * d,
    }


def matmul_params(model: ModelSpec) -> int:
    """Return the parameters that enter a matrix product: attention, mlp and head."""
    groups = params_by_group(model)
    return groups["attention"] + groups["mlp"] + groups["head"]


def forward_flops_per_token(model: ModelSpec) -> int:
    """Return the forward FLOPs of one token in a full sequence of ``model.context`` tokens."""
    return 2 * matmul_params(model) + 4 * model.layers * model.context * model.width


def forward_flops_per_sequence(model: ModelSpec, tokens: int) -> int:
    """Return the forward FLOPs of a whole sequence of ``tokens`` tokens, logits of all: (2 N + 4 L d tokens) tokens."""
    return (2 * matmul_params(model) + 4 * model.layers * tokens * model.width) * tokens


def train_flops(model: ModelSpec, tokens: int) -> int:
    """Return the FLOPs of forward and backward over ``tokens`` training tokens."""
    return 3 * forward_flops_per_token(model) * tokens


def prefill_flops(model: ModelSpec, tokens: int, least: int = 0) -> int:
    """Return the FLOPs of reading a prompt of ``tokens`` tokens: all blocks, and the head at the last token alone.

    ``least`` is the number of positions that every attention covers at the least.
    """
    body = matmul_params(model) - model.vocabulary * model.width
    blocks = 2 * body + 4 * model.layers * max(tokens, least) * model.width
    return blocks * tokens + 2 * model.vocabulary * model.width


def decode_flops(model: ModelSpec, context: int) -> int:
    """Return the FLOPs of reading one more token, the ``context``-th, and of the logits after it: 2 N + 4 L d context."""
    return 2 * matmul_params(model) + 4 * model.layers * context * model.width


def completion_flops(model: ModelSpec, prompt: int, tokens: int) -> int:
    """Return the decode FLOPs of a completion of ``tokens`` tokens after a prompt of ``prompt`` tokens, without prefill.

    The first token comes from the prefill's logits and the last one is never read: the sum of ``decode_flops`` over
    contexts prompt + 1 to prompt + tokens - 1.
    """
    reads = max(0, tokens - 1)
    contexts = reads * prompt + reads * (reads + 1) // 2
    return reads * 2 * matmul_params(model) + 4 * model.layers * model.width * contexts


def rl_step_flops(
    model: ModelSpec, prompts: int, group: int, prompt: int, tokens: int, kept: float = 1.0
) -> float:
    """Return the FLOPs of an RL step of ``prompts`` problems and ``group`` completions of each.

    Prompts have ``prompt`` tokens and completions ``tokens``: a prefill a problem; a completion is written once and, in
    the share ``kept`` of groups that are learned from, goes through forward and backward once, prompt included. Rows of
    unlike length cost a step more than their mean says.
    """
    written = completion_flops(model, prompt, tokens)
    learned = 3 * forward_flops_per_sequence(model, prompt + tokens - 1)
    return prompts * (prefill_flops(model, prompt) + group * (written + kept * learned))
