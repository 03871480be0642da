"""What a run will cost before it is run: FLOPs, seconds and memory."""

from __future__ import annotations

from dataclasses import dataclass

from scaling.records.flops import params_by_group, train_flops
from scaling.records.spec import CooldownSpec, CountingSpec, ModelSpec, PretrainSpec, Spec


@dataclass(frozen=True)
class Device:
    """Speed of one worker's device on the models of this suite: step time = overhead + FLOPs / rate."""

    name: str
    """What one worker runs on, in a word."""
    step_seconds: float
    """Time of an optimiser step that no arithmetic explains."""
    flops_per_second: float
    """Arithmetic rate beyond it."""
    source: str
    """Where the two numbers come from."""


CORE = Device("core", 0.004, 5.5e10, "fp32 on one core of a 2023 Xeon, widths 16 to 128, measured")
GPU = Device(
    "GPU", 0.010, 1e14, "assumed and not measured: eager kernel launches, bf16 at a tenth of an H200's peak"
)
DEVICES = {"cpu": CORE, "cuda": GPU}
"""By the device that a preset is sized for."""


def spec_model(spec: PretrainSpec | CooldownSpec) -> ModelSpec:
    """Return the model of a training spec."""
    return spec.trunk.model if isinstance(spec, CooldownSpec) else spec.model


def spec_tokens(spec: Spec) -> int:
    """Return the tokens that the run itself trains on (a cooldown: those after the branch)."""
    if isinstance(spec, CooldownSpec):
        return spec.decay_steps * spec.trunk.optim.batch_tokens
    return max(spec.tokens) if isinstance(spec, CountingSpec) else spec.tokens


def spec_flops(spec: Spec) -> int:
    """Return the training FLOPs that the run itself spends (0 for a counting learner)."""
    return 0 if isinstance(spec, CountingSpec) else train_flops(spec_model(spec), spec_tokens(spec))


def predicted_seconds(spec: Spec, device: Device = CORE) -> float:
    """Return about how long one worker takes for a run, evaluation aside."""
    if isinstance(spec, CountingSpec):
        return 0.05
    batch = spec.trunk.optim.batch_tokens if isinstance(spec, CooldownSpec) else spec.optim.batch_tokens
    return spec_tokens(spec) / batch * device.step_seconds + spec_flops(spec) / device.flops_per_second


def predicted_bytes(spec: Spec) -> int:
    """Return about how much memory a run needs: weights, gradients, AdamW's moments and activations, in fp32."""
    if isinstance(spec, CountingSpec):
        return int(2**spec.levels) * 16
    path = spec.trunk if isinstance(spec, CooldownSpec) else spec
    model = path.model
    per_token = model.layers * (10 * model.width + 4 * model.mlp_width + 2 * model.heads * model.context)
    micro = min(path.optim.batch_tokens, 2**17)
    return 16 * sum(params_by_group(model).values()) + 4 * micro * (per_token + 3 * model.vocabulary)
