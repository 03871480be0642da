"""Specs of pretraining: the network, its text, its optimiser, and the run or the branch of one."""

from __future__ import annotations

import dataclasses
import typing
from dataclasses import dataclass
from typing import Literal

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
class TaskData:
    """Training text of right completions of a task's problems, those that are not held out.

    An example is a problem and a completion, ``prompt thinking#answer.``, of a difficulty drawn evenly and a thinking
    budget drawn by its share; a part of them asks for the budget by its control character. Examples follow one another in a
    row, the last one cut, and only completions are learned.
    """

    task: str
    """Name on the shelf ``scaling.tasks``."""
    version: int
    """The task's version; a run refuses any other."""
    difficulties: tuple[int, ...]
    """Difficulties that examples are of."""
    budgets: tuple[str, ...]
    """Thinking budgets that examples are written under."""
    shares: tuple[float, ...]
    """Share of the examples under each budget; they sum to 1."""
    controlled: float
    """Share of the examples that ask for their budget."""

    def __post_init__(self) -> None:
        coerce(self)
        if not self.difficulties or len(self.budgets) != len(self.shares) or not self.budgets:
            raise InputError(
                f"task data needs difficulties, and budgets with a share each; got difficulties {self.difficulties}, "
                f"budgets {self.budgets}, shares {self.shares}"
            )
        if min(self.shares) < 0 or abs(sum(self.shares) - 1) > 1e-9 or not 0 <= self.controlled <= 1:
            raise InputError(
                f"task data: shares {self.shares} must sum to 1, and controlled {self.controlled} lie in [0, 1]"
            )


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
    data: CorpusData | TaskData
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
        check_seed(self.seed)
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


def check_seed(seed: int) -> None:
    """Raise ``InputError`` for a seed that no generator takes."""
    if not 0 <= seed < 2**63:
        raise InputError(f"seed is {seed}, expected a whole number from 0 to 2^63 - 1")
