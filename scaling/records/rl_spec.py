"""Specs of what follows pretraining on a task: reinforcement learning, and samples of a checkpoint."""

from __future__ import annotations

import typing
from dataclasses import dataclass
from typing import Literal

from scaling.errors import InputError
from scaling.records.pretrain_spec import CooldownSpec, Precision, PretrainSpec, check_seed
from scaling.records.typed import coerce, positive

Algorithm = Literal["reinforce", "rloo", "cispo", "grpo", "ppo"]
"""How completions and rewards become a gradient; ``scaling.training.algorithms`` says what each does."""
Sampler = Literal["uniform", "learnable"]
"""How difficulties are drawn: evenly, or by how much a group's rewards would differ there, p (1 - p)."""


@dataclass(frozen=True)
class RLSpec:
    """Reinforcement learning from verified answers, from the last weights of a pretraining run."""

    start: PretrainSpec | CooldownSpec
    """The run whose last weights it starts from."""
    task: str
    """Name on the shelf ``scaling.tasks``."""
    task_version: int
    """The task's version; a run refuses any other."""
    difficulties: tuple[int, ...]
    """Difficulties that problems are of."""
    algorithm: Algorithm
    """How completions and rewards become a gradient."""
    steps: int
    """Optimiser steps; the most of them where the run ends at a budget."""
    checkpoints: tuple[int, ...]
    """Steps, increasing up to the last, whose weights are kept and whose ledger gets a row."""
    prompts: int
    """Problems of a step."""
    group: int
    """Completions of a problem."""
    max_tokens: int
    """Most tokens of a completion, and what every completion's loss is divided by."""
    lr: float
    """Learning rate of AdamW, constant."""
    clip_norm: float
    """Global gradient-norm clip."""
    staleness: int
    """Steps that the sampling weights are kept for after the step that they were taken at: 0 is on-policy."""
    sampler: Sampler
    """How difficulties are drawn."""
    problems: int | None
    """Number of different problems of each difficulty, the seed's first; None: without end."""
    reward_noise: float
    """Probability that a completion's reward is turned round before it is learned from."""
    precision: Precision
    """Arithmetic of forward and backward; weights and optimiser state stay fp32."""
    seed: int
    """Seeds problems and samples."""
    budget_flops: int | None = None
    """FLOPs of this stage at which the run ends, with the step that comes nearest; None: after all steps."""

    def __post_init__(self) -> None:
        coerce(self)
        positive(self, "steps", "prompts", "max_tokens", "lr", "clip_norm")
        check_seed(self.seed)
        for name, kind in (("algorithm", Algorithm), ("sampler", Sampler), ("precision", Precision)):
            if getattr(self, name) not in typing.get_args(kind):
                known = ", ".join(typing.get_args(kind))
                raise InputError(f"RLSpec.{name} is {getattr(self, name)!r}; choose one of {known}")
        kept = self.checkpoints
        if not kept or list(kept) != sorted(set(kept)) or kept[0] < 1 or kept[-1] != self.steps:
            raise InputError(
                f"RL checkpoints must increase from 1 or more to the last step {self.steps}; got {kept}"
            )
        if self.group < 2:
            raise InputError(
                f"RLSpec.group is {self.group}: advantages are within a group, which takes 2 or more"
            )
        if len(set(self.difficulties)) < len(self.difficulties):
            raise InputError(f"RLSpec.difficulties has one twice: {self.difficulties}")
        if not self.difficulties or self.staleness < 0 or not 0 <= self.reward_noise < 0.5:
            raise InputError(
                f"RL needs difficulties, staleness of 0 or more and reward noise in [0, .5); got {self.difficulties}, "
                f"{self.staleness}, {self.reward_noise}"
            )
        positive(self, *(name for name in ("problems", "budget_flops") if getattr(self, name) is not None))
        if self.budget_flops is not None and len(kept) > 1:
            raise InputError(f"an RL run that ends at a budget keeps its end alone; got checkpoints {kept}")


@dataclass(frozen=True)
class SamplingSpec:
    """Completions of one checkpoint on held-out problems of one difficulty, under each of some settings."""

    of: PretrainSpec | CooldownSpec | RLSpec
    """The run."""
    step: int
    """The checkpoint's step: the last one, or one that the run keeps. The most steps of a run with a budget are its end."""
    task: str
    """Name on the shelf ``scaling.tasks``."""
    task_version: int
    """The task's version."""
    difficulty: int
    """Difficulty of the problems."""
    settings: tuple[str, ...]
    """How thinking is budgeted: ``free``, ``asked B``, ``forced B``, ``cut N`` (``scaling.tasks.setting``)."""
    problems: int
    """Number of different problems, the same for every checkpoint."""
    samples: int
    """Completions of a problem under each setting."""
    max_tokens: int
    """Most tokens of a completion."""
    temperature: float
    """Logits are divided by it."""
    top_p: float
    """Share of the probability that is sampled from, the likeliest tokens first; 1: all."""
    verifier: bool
    """Whether a verifier is trained on own samples of training problems and scores every completion."""
    seed: int
    """Seeds problems and samples."""

    def __post_init__(self) -> None:
        coerce(self)
        positive(self, "problems", "samples", "max_tokens", "temperature", "top_p")
        check_seed(self.seed)
        if not self.settings or len(set(self.settings)) < len(self.settings):
            raise InputError(f"sampling needs settings, each once; got {self.settings}")
        if self.top_p > 1:
            raise InputError(f"SamplingSpec.top_p is {self.top_p}; expected a share from above 0 to 1")
        if self.step not in kept_steps(self.of):
            known = ", ".join(map(str, kept_steps(self.of)))
            raise InputError(f"step {self.step} of the run that is sampled has no weights; kept are {known}")


def kept_steps(run: PretrainSpec | CooldownSpec | RLSpec) -> tuple[int, ...]:
    """Return the steps whose weights a finished run leaves, ascending.

    The last stands for the run's end; one with a budget may have ended before.
    """
    if isinstance(run, RLSpec):
        return run.checkpoints
    return (run.whole.steps if isinstance(run, CooldownSpec) else run.steps,)
