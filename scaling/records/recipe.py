"""The hyperparameter recipe: what a run of a given width gets when nobody says otherwise.

Shapes and schedules are functions of the model and of a trunk's longest duration only, so that every branch of
a trunk is trained alike. Each constant stands beside its source.
"""

from __future__ import annotations

from collections.abc import Sequence

from scaling.records.flops import train_flops
from scaling.records.spec import CooldownSpec, CorpusData, ModelSpec, Optim, Precision, PretrainSpec, TaskData

HEAD_SIZE = 16
"""Head size below width 256; small heads keep several heads at small widths."""
LR_AT_WIDTH_32 = 0.008
"""Peak learning rate at width 32: measured, the ``tune`` preset of study isoflop shows the optimum interior."""
LR_WIDTH_EXPONENT = 0.75
"""Exponent of the fall of the learning rate with width: arms about an exponent of .5 put the best rate at width 128
at .57 [.55, .59] of what .5 gives, and at widths 16 to 64 within a third of it."""
WARMUP_STEPS = 100
"""Steps of warm-up: five times the memory 1 / (1 - beta2) = 20 steps of AdamW's second moment."""
HELDOUT_TOKENS = 2**17
"""Held-out predictions of every evaluation: the same windows for all runs on a corpus."""
EVALUATIONS = 5
"""Most evaluations of a trunk: at its end and at each earlier half."""
DECAY_SHARE = 0.2
"""Share of a branch spent decaying as 1 - sqrt (Haegele et al. 2024, arXiv:2405.18392, sections 4-5)."""


def llama(width: int, vocabulary: int, context: int) -> ModelSpec:
    """Return the model of a width: depth grows slowly with width, SwiGLU width 8/3 d rounded up to 8.

    Depth is 2 up to width 80, then ``round(width / 32)`` up to 8: aspect ratios of 8 to 64, the flat part of the
    loss against shape in Kaplan et al. 2020 (arXiv:2001.08361, figure 5).
    """
    layers = min(max(2, round(width / 32)), 8)
    size = HEAD_SIZE if width < 256 else 4 * HEAD_SIZE
    heads = next(h for h in range(max(1, width // size), 0, -1) if width % h == 0 and (width // h) % 2 == 0)
    return ModelSpec(
        width=width,
        layers=layers,
        heads=heads,
        mlp_width=-(-8 * width // 24) * 8,
        vocabulary=vocabulary,
        context=context,
    )


def evaluation_steps(spec: PretrainSpec) -> set[int]:
    """Return the steps at which a run is evaluated: its end; for a trunk also S/2, S/4, ... after warm-up."""
    halvings = EVALUATIONS if spec.decay_start is None else 1
    steps = {-(-spec.steps // 2**k) for k in range(halvings)}
    return {s for s in steps if s > spec.optim.warmup_steps or s == spec.steps}


def learning_rate(width: int) -> float:
    """Return the peak learning rate of a width."""
    return float(LR_AT_WIDTH_32 * (32 / width) ** LR_WIDTH_EXPONENT)


def trunk(
    model: ModelSpec,
    data: CorpusData | TaskData,
    steps: int,
    *,
    batch_tokens: int,
    seed: int,
    precision: Precision = "fp32",
    lr_over_recipe: float = 1.0,
    warmup_steps: int = WARMUP_STEPS,
) -> PretrainSpec:
    """Return the recipe's trunk: warm-up, then constant learning rate for ``steps`` steps."""
    optim = Optim(
        lr=learning_rate(model.width) * lr_over_recipe,
        batch_tokens=batch_tokens,
        warmup_steps=min(warmup_steps, steps),
        lr_over_recipe=lr_over_recipe,
    )
    return PretrainSpec(model, data, steps * batch_tokens, optim, None, precision, seed)


def tree(
    model: ModelSpec,
    data: CorpusData | TaskData,
    tokens: Sequence[int],
    *,
    batch_tokens: int,
    seed: int,
    precision: Precision = "fp32",
    lr_over_recipe: float = 1.0,
) -> list[PretrainSpec | CooldownSpec]:
    """Return branches that end after about each of ``tokens``, behind the trunk that just reaches the last.

    Each duration is rounded to whole batches; its last ``DECAY_SHARE`` decays. Warm-up is cut short where the
    first branch leaves earlier.
    """
    ends = [max(2, round(total / batch_tokens)) for total in tokens]
    decays = [max(1, round(DECAY_SHARE * steps)) for steps in ends]
    starts = [end - decay for end, decay in zip(ends, decays, strict=True)]
    path = trunk(
        model,
        data,
        max(starts),
        batch_tokens=batch_tokens,
        seed=seed,
        precision=precision,
        lr_over_recipe=lr_over_recipe,
        warmup_steps=min(WARMUP_STEPS, *starts),
    )
    return [path, *(CooldownSpec(path, start, decay) for start, decay in zip(starts, decays, strict=True))]


def tokens_for(model: ModelSpec, compute: float) -> int:
    """Return the tokens D that spend ``compute`` FLOPs on a model (exact ledger)."""
    return round(compute / train_flops(model, 1))


def whole_runs(
    model: ModelSpec,
    data: CorpusData | TaskData,
    tokens: Sequence[int],
    *,
    batch_tokens: int,
    seed: int,
    precision: Precision = "fp32",
    lr_over_recipe: float = 1.0,
) -> list[PretrainSpec]:
    """Return independent runs of the recipe, each warmed up and decayed within its own duration."""
    return [
        branch.whole
        for total in tokens
        for branch in tree(
            model,
            data,
            [total],
            batch_tokens=batch_tokens,
            seed=seed,
            precision=precision,
            lr_over_recipe=lr_over_recipe,
        )
        if isinstance(branch, CooldownSpec)
    ]
