"""What a run will cost before it is run: FLOPs, seconds and memory."""

from __future__ import annotations

from dataclasses import dataclass

from scaling.records.flops import decode_flops, forward_flops_per_token, params_by_group, train_flops
from scaling.records.recipe import HELDOUT_TOKENS, evaluation_steps
from scaling.records.spec import (
    CooldownSpec,
    CountingSpec,
    ModelSpec,
    PretrainSpec,
    RLSpec,
    SamplingSpec,
    Spec,
)


@dataclass(frozen=True)
class Device:
    """Speed of one worker's device on this suite's models: time of a step or an evaluation = overhead + FLOPs / rate."""

    name: str
    """What one worker runs on, in a word."""
    step_seconds: float
    """Time of an optimiser step that no arithmetic explains."""
    evaluation_seconds: float
    """Time of an evaluation that no arithmetic explains."""
    flops_per_second: float
    """Arithmetic rate beyond it."""
    sampling_flops_per_second: float
    """The same of sampling, one token of each row at a time."""
    micro_tokens: int
    """Most tokens that go through the model at once; larger batches are accumulated."""
    source: str
    """Where the numbers come from."""


CORE = Device(
    "core",
    0.0084,
    0.4,
    4.5e10,
    1.5e10,
    2**14,
    "measured in CPU time: fp32, widths 16 to 128 in batches of 1024, two workers on two cores of a 2024 AMD EPYC",
)
GPU = Device(
    "GPU",
    0.0037,
    0.6,
    1e14,
    1e13,
    2**17,
    "overheads measured in wall time of an H100 that 14 workers shared: fp32 at width 128; its arithmetic rates are assumed",
)
DEVICES = {"cpu": CORE, "cuda": GPU}
"""By the device that a preset is sized for."""

TYPICAL = 0.5
"""Share of the tokens that completions may take which they are planned to take."""
LEARNING = 3
"""FLOPs of forward and backward over those of a forward pass, which sampling takes."""

DRAW_SECONDS = 4.2e-9
"""Seconds a counting learner takes for a token of level 0; each deeper level is 2^-1/2 as frequent. Like the next
number, fitted to the medians of 4200 runs of known_entropy on cores of an Intel Xeon: within 30 % from .02 s on."""
FACT_SECONDS = 1.2e-7
"""Seconds it takes for each fact that it has room for."""
SETTLED_TOKENS = 400.0
"""Tokens from which it knows the only fact of level 0, and draws none: 40 sightings; 2^3/2 times as many a level."""


def spec_model(spec: PretrainSpec | CooldownSpec | RLSpec | SamplingSpec) -> ModelSpec:
    """Return the model of a spec."""
    if isinstance(spec, RLSpec):
        return spec_model(spec.start)
    if isinstance(spec, SamplingSpec):
        return spec_model(spec.of)
    return spec.trunk.model if isinstance(spec, CooldownSpec) else spec.model


def spec_tokens(spec: Spec) -> int:
    """Return the tokens that the run itself trains on (a cooldown: those after the branch; counting: all learners).

    Of RL and samples: the most that may be sampled; of RL with a budget, about as many.
    """
    if isinstance(spec, CooldownSpec):
        return spec.decay_steps * spec.trunk.optim.batch_tokens
    if isinstance(spec, RLSpec):
        most = spec.steps * spec.prompts * spec.group * spec.max_tokens
        if spec.budget_flops is None:
            return most
        paid = spec.budget_flops / (1 + LEARNING) / decode_flops(spec_model(spec), spec.max_tokens)
        return min(most, max(round(paid / TYPICAL), 1))
    if isinstance(spec, SamplingSpec):
        return len(spec.settings) * spec.problems * spec.samples * spec.max_tokens
    return sum(spec.tokens) if isinstance(spec, CountingSpec) else spec.tokens


def spec_flops(spec: Spec) -> int:
    """Return the FLOPs that the run itself spends (0 for a counting learner).

    Of RL and samples: as many as if completions took ``TYPICAL`` of the tokens that they may.
    """
    if isinstance(spec, CountingSpec):
        return 0
    if isinstance(spec, RLSpec | SamplingSpec):
        sampled, learned = _sampling_flops(spec)
        return sampled + learned
    return train_flops(spec_model(spec), spec_tokens(spec))


def _sampling_flops(spec: RLSpec | SamplingSpec) -> tuple[int, int]:
    """Return about how many FLOPs go into sampling, and into learning from samples or reading them again."""
    model = spec_model(spec)
    tokens = round(TYPICAL * spec_tokens(spec))
    again = LEARNING if isinstance(spec, RLSpec) else int(spec.verifier)
    return tokens * decode_flops(model, spec.max_tokens), again * tokens * decode_flops(
        model, spec.max_tokens
    )


def predicted_seconds(spec: Spec, device: Device) -> float:
    """Return about how long one worker takes for a run:

    steps x overhead + evaluations x overhead + (training FLOPs + evaluations x forward FLOPs) / rate; sampling has a rate of
    its own.
    """
    if isinstance(spec, CountingSpec):
        return _counting_seconds(spec)
    if isinstance(spec, RLSpec | SamplingSpec):
        sampled, learned = _sampling_flops(spec)
        steps = (
            spec_tokens(spec) / (spec.prompts * spec.group * spec.max_tokens)
            if isinstance(spec, RLSpec)
            else len(spec.settings)
        )
        return (
            steps * device.evaluation_seconds / 4
            + sampled / device.sampling_flops_per_second
            + learned / device.flops_per_second
        )
    batch = spec.trunk.optim.batch_tokens if isinstance(spec, CooldownSpec) else spec.optim.batch_tokens
    times = len(evaluation_steps(spec.whole if isinstance(spec, CooldownSpec) else spec))
    heldout_flops = times * HELDOUT_TOKENS * forward_flops_per_token(spec_model(spec))
    return (
        spec_tokens(spec) / batch * device.step_seconds
        + times * device.evaluation_seconds
        + (spec_flops(spec) + heldout_flops) / device.flops_per_second
    )


def _counting_seconds(spec: CountingSpec) -> float:
    """Sum over learners of the tokens drawn, read and held out, at the levels not yet settled, and of the facts."""
    drawn: list[float] = [
        2.0 ** (-level / 2) * (tokens + spec.heldout_tokens)
        for tokens in spec.tokens
        for level in range(spec.levels)
        if tokens < SETTLED_TOKENS * 2.0 ** (1.5 * level)
    ]
    return DRAW_SECONDS * sum(drawn) + FACT_SECONDS * len(spec.tokens) * 2.0**spec.levels


def predicted_bytes(spec: Spec, device: Device) -> int:
    """Return about how much memory a run needs: weights, gradients, AdamW's moments and activations, in fp32."""
    if isinstance(spec, CountingSpec):
        return int(2**spec.levels) * 16
    model = spec_model(spec)
    per_token = model.layers * (10 * model.width + 4 * model.mlp_width + 2 * model.heads * model.context)
    if isinstance(spec, RLSpec | SamplingSpec):
        batch = device.micro_tokens
    else:
        batch = (spec.trunk if isinstance(spec, CooldownSpec) else spec).optim.batch_tokens
    micro = min(batch, device.micro_tokens)
    return 16 * sum(params_by_group(model).values()) + 4 * micro * (per_token + 3 * model.vocabulary)
