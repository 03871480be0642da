"""Specs: frozen descriptions of a run, identified by their content.

A spec holds what decides the numbers of a run and nothing else: where it runs (device, folder, workers) is
circumstance. Its identity is ``sha256`` of its canonical JSON, so the same run asked for by two studies is
one run.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import typing
from dataclasses import dataclass
from typing import Any, Literal

from scaling.errors import InputError
from scaling.records.typed import coerce, positive

Precision = Literal["fp32", "bf16"]


@dataclass(frozen=True)
class ModelSpec:
    """A Llama-shaped decoder: RMSNorm, rotary positions, SwiGLU, untied head, as many key as query heads."""

    width: int
    """Residual width d."""
    layers: int
    """Number of blocks L."""
    heads: int
    """Attention heads; ``width / heads`` must be an even integer (rotary positions)."""
    mlp_width: int
    """Hidden width of the SwiGLU block."""
    vocabulary: int
    """Number of token values."""
    context: int
    """Tokens in a training sequence T."""

    def __post_init__(self) -> None:
        coerce(self)
        positive(self, "width", "layers", "heads", "mlp_width", "vocabulary", "context")
        if self.width % self.heads or (self.width // self.heads) % 2:
            raise InputError(
                f"model: width {self.width} with {self.heads} heads gives no even head size; "
                "choose heads so that width / heads is an even integer"
            )


@dataclass(frozen=True)
class CorpusData:
    """Training text by name and content."""

    corpus: str
    """Name on the shelf ``scaling.corpora``."""
    sha256: str
    """Hash of the normalised bytes (or of the generator's definition); a run refuses any other content."""

    def __post_init__(self) -> None:
        coerce(self)


@dataclass(frozen=True)
class Optim:
    """AdamW and its schedule: linear warm-up, constant, then 1 - sqrt decay (WSD)."""

    lr: float
    """Peak learning rate."""
    batch_tokens: int
    """Tokens in one optimiser step."""
    warmup_steps: int
    """Steps of linear warm-up."""
    weight_decay: float = 0.1
    """Decoupled weight decay on matrices (not on norms or embeddings)."""
    beta1: float = 0.9
    """AdamW's first-moment decay."""
    beta2: float = 0.95
    """AdamW's second-moment decay."""
    clip_norm: float = 1.0
    """Global gradient-norm clip."""
    lr_over_recipe: float = 1.0
    """``lr`` divided by the recipe's: 1 unless the run is an arm of a learning-rate study."""

    def __post_init__(self) -> None:
        coerce(self)
        positive(self, "lr", "batch_tokens", "clip_norm", "lr_over_recipe")
        if self.warmup_steps < 0 or self.weight_decay < 0:
            raise InputError(f"optim: warmup_steps and weight_decay must be >= 0, got {self}")
        for name in ("beta1", "beta2"):
            if not 0 <= getattr(self, name) < 1:
                raise InputError(f"Optim.{name} must lie in [0, 1), got {getattr(self, name)}")


@dataclass(frozen=True)
class PretrainSpec:
    """One pretraining run from random weights."""

    model: ModelSpec
    """The network."""
    data: CorpusData
    """The text."""
    tokens: int
    """Training tokens D: a whole number of batches."""
    optim: Optim
    """Optimiser and schedule."""
    decay_start: int | None
    """First step of the learning-rate decay, which ends at the last step; None: a trunk, never decayed."""
    precision: Precision
    """Arithmetic of forward and backward; weights and optimiser state stay fp32."""
    seed: int
    """Seeds the weights and the order of the data."""

    def __post_init__(self) -> None:
        coerce(self)
        positive(self, "tokens")
        _check_seed(self.seed)
        if self.precision not in typing.get_args(Precision):
            raise InputError(f"precision {self.precision!r} is unknown; choose fp32 or bf16")
        if self.tokens % self.optim.batch_tokens or self.optim.batch_tokens % self.model.context:
            raise InputError(
                f"tokens ({self.tokens}) must be whole batches ({self.optim.batch_tokens} tokens), and a batch "
                f"whole sequences ({self.model.context} tokens)"
            )
        first = self.optim.warmup_steps
        if self.decay_start is not None and not first <= self.decay_start < self.steps:
            raise InputError(
                f"decay_start {self.decay_start} must lie in [{first}, {self.steps}): after the warm-up and before "
                "the run's end"
            )

    @property
    def steps(self) -> int:
        """Optimiser steps of the whole run."""
        return self.tokens // self.optim.batch_tokens


@dataclass(frozen=True)
class CooldownSpec:
    """A branch that leaves a trunk before a step and decays to the end: the trunk's shorter duration."""

    trunk: PretrainSpec
    """The run that is left; it must be at constant learning rate at ``step``."""
    step: int
    """Steps of the trunk before the branch; the branch's first update has this index."""
    decay_steps: int
    """Steps of the decay."""

    def __post_init__(self) -> None:
        coerce(self)
        positive(self, "step", "decay_steps")
        first, last = self.trunk.optim.warmup_steps, self.trunk.steps
        if self.trunk.decay_start is not None or not first <= self.step <= last:
            raise InputError(
                f"a cooldown leaves a trunk (decay_start=None) between its warm-up and its end, steps {first} to "
                f"{last}; got step {self.step} and decay_start {self.trunk.decay_start}"
            )

    @property
    def whole(self) -> PretrainSpec:
        """The same path as one uninterrupted run."""
        tokens = (self.step + self.decay_steps) * self.trunk.optim.batch_tokens
        return dataclasses.replace(self.trunk, tokens=tokens, decay_start=self.step)


@dataclass(frozen=True)
class CountingSpec:
    """Counting learners of ``santa_fe``: one capacity, a learner of its own for each number of tokens."""

    data: CorpusData
    """A ``santa_fe`` language."""
    levels: int
    """Levels they have room for: each can hold the 2^levels - 1 commonest facts."""
    tokens: tuple[int, ...]
    """Increasing token counts D, one learner each; no two learners read the same text."""
    heldout_tokens: int
    """Tokens of the held-out sample, one sample a learner, that its loss is measured on."""
    seed: int
    """Seeds all the texts."""

    def __post_init__(self) -> None:
        coerce(self)
        positive(self, "levels", "heldout_tokens")
        _check_seed(self.seed)
        if not self.tokens or list(self.tokens) != sorted(set(self.tokens)) or self.tokens[0] <= 0:
            raise InputError(f"counting tokens must be positive and increasing, got {self.tokens}")


def _check_seed(seed: int) -> None:
    if not 0 <= seed < 2**63:
        raise InputError(f"seed is {seed}, expected a whole number from 0 to 2^63 - 1")


Spec = PretrainSpec | CooldownSpec | CountingSpec
"""Everything that makes a run."""


@dataclass(frozen=True)
class EvalSpec:
    """One evaluation of one checkpoint; its id names the EVALS row."""

    run_id: str
    """Run that is evaluated."""
    step: int
    """Step of the evaluated checkpoint."""
    task: str
    """What is asked; ``next_token`` is the top-1 prediction of held-out tokens."""
    method: str
    """How the answer is drawn; ``greedy`` takes the likeliest."""
    problems: int
    """Number of problems."""

    def __post_init__(self) -> None:
        coerce(self)


SPEC_KINDS: dict[str, type[Any]] = {
    "pretrain": PretrainSpec,
    "cooldown": CooldownSpec,
    "counting": CountingSpec,
    "eval": EvalSpec,
}


def kind_of(spec: Any) -> str:
    """Return the kind under which a spec is stored ("pretrain", "cooldown", "counting", "eval")."""
    for kind, cls in SPEC_KINDS.items():
        if type(spec) is cls:
            return kind
    raise InputError(f"{type(spec).__name__} is no spec; expected one of {', '.join(SPEC_KINDS)}")


def to_json(spec: Any) -> str:
    """Return the canonical JSON of a spec: sorted keys, no spaces, shortest float repr."""
    body = {"kind": kind_of(spec), **dataclasses.asdict(spec)}
    return json.dumps(body, sort_keys=True, separators=(",", ":"), allow_nan=False)


def from_json(text: str) -> Any:
    """Return the spec that ``to_json`` wrote; ``InputError`` for anything else."""
    try:
        body = json.loads(text)
        return _build(SPEC_KINDS[body.pop("kind")], body)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise InputError(f"not a spec ({error}): {text[:80]!r}") from error


def spec_id(spec: Any) -> str:
    """Return the identity of a spec: the first 16 hex digits of sha256 of its canonical JSON."""
    return hashlib.sha256(to_json(spec).encode()).hexdigest()[:16]


def parents(spec: Spec) -> tuple[PretrainSpec, ...]:
    """Return the runs that must exist before this one can start."""
    return (spec.trunk,) if isinstance(spec, CooldownSpec) else ()


def _build(cls: type[Any], body: dict[str, Any]) -> Any:
    hints = typing.get_type_hints(cls)
    if unknown := set(body) - set(hints):
        raise KeyError(f"unknown fields {sorted(unknown)}")
    return cls(
        **{
            name: _build(hints[name], value) if dataclasses.is_dataclass(hints[name]) else value
            for name, value in body.items()
        }
    )
