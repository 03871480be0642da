"""The trials of one RL step: problems drawn, completions sampled, answers verified.

A pure function of (spec, step, weights, pass rates). Shapes: P problems, G completions of each, B = P G, T tokens.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import torch

from scaling.inference.decode import Completions, decode
from scaling.mixing import words_of
from scaling.tasks import PAD, Task, texts

if TYPE_CHECKING:
    from collections.abc import Sequence

    from scaling.inference.weights import Weights
    from scaling.records.spec import RLSpec

Whole = npt.NDArray[np.int64]

DIFFICULTY, CHOICE, NOISE = 11, 12, 13
"""Streams of random words: a problem's difficulty, which of a limited set it is, which rewards are turned round."""
LEAST = 0.05
"""Least weight of a difficulty whose problems are all solved or all failed, of the most that p (1 - p) can be."""
MEMORY = 0.9
"""What a pass rate keeps of itself at each step."""


@dataclass(frozen=True)
class Trials:
    """One step's completions and what they are worth."""

    prompts: Whole
    """(P, L), padded on the right."""
    difficulties: Whole
    """(P,)."""
    completions: Completions
    """(B, T) and so on."""
    rewards: torch.Tensor
    """Verified rewards, (P, G)."""
    learned: torch.Tensor
    """The same with noise: what is learned from, (P, G)."""
    verifier_seconds: float
    """CPU seconds of verifying them."""


def trials(spec: RLSpec, task: Task, step: int, weights: Weights, pass_rates: Sequence[float]) -> Trials:
    """Sample and verify the completions of update ``step`` (0-based), with pass rates by difficulty in the spec's order."""
    number = step * spec.prompts + np.arange(spec.prompts)
    which = _drawn_difficulties(spec, number, pass_rates)
    keys = np.zeros(spec.prompts, dtype=np.int64)
    asked: list[tuple[npt.NDArray[np.intp], Whole]] = []
    for place, difficulty in enumerate(spec.difficulties):
        some = np.flatnonzero(which == place)
        if len(some):
            keys[some] = keys_of(spec, task, number[some], difficulty)
            asked.append((some, task.prompts(keys[some], difficulty)))
    prompts = np.full((spec.prompts, max(rows.shape[1] for _, rows in asked)), PAD, dtype=np.int64)
    for some, rows in asked:
        prompts[some, : rows.shape[1]] = rows
    rows = step * spec.prompts * spec.group + np.arange(spec.prompts * spec.group)
    found = decode(weights, prompts, spec.max_tokens, seed=spec.seed, group=spec.group, numbers=rows)
    difficulties = np.asarray(spec.difficulties)[which]
    begun = time.process_time()
    rewards = verified(task, keys.repeat(spec.group), difficulties.repeat(spec.group), found)
    seconds = time.process_time() - begun
    chance = (words_of(spec.seed, rows, 1, stream=NOISE)[:, 0] >> np.uint64(11)) * 2.0**-53
    turned = np.where(chance < spec.reward_noise, 1 - rewards, rewards)

    def by_group(values: npt.NDArray[np.float64]) -> torch.Tensor:
        return (
            torch.from_numpy(values.astype(np.float32)).view(spec.prompts, spec.group).to(found.tokens.device)
        )

    return Trials(prompts, difficulties, found, by_group(rewards), by_group(turned), seconds)


def keys_of(spec: RLSpec, task: Task, number: Whole, difficulty: int) -> Whole:
    """Return the keys of problems number ``number``, (P,): the seed's own, or each one of the limited set."""
    if spec.problems is None:
        return task.problems(spec.seed, number, difficulty)
    choice = words_of(spec.seed, number, 1, stream=CHOICE)[:, 0] % np.uint64(spec.problems)
    return np.asarray(limited_set(task, spec.seed, spec.problems, difficulty)[choice.astype(np.int64)])


@lru_cache(maxsize=64)
def limited_set(task: Task, seed: int, count: int, difficulty: int) -> Whole:
    """Return the keys of a seed's first ``count`` different training problems; ``InputError`` where there are fewer."""
    keys = task.distinct(seed, count, difficulty, "train")
    keys.flags.writeable = False
    return keys


def verified(task: Task, keys: Whole, difficulties: Whole, found: Completions) -> npt.NDArray[np.float64]:
    """Return the task's score of each completion, (B,)."""
    said = texts(found.tokens.cpu().numpy(), found.lengths.cpu().numpy())
    rewards = np.zeros(len(keys))
    for difficulty in np.unique(difficulties).tolist():
        some = np.flatnonzero(difficulties == difficulty)
        rewards[some] = task.scores(keys[some], difficulty, [said[row] for row in some])
    return rewards


def moved(spec: RLSpec, pass_rates: Sequence[float], found: Trials) -> tuple[float, ...]:
    """Return the pass rates after a step, by difficulty: each moved towards what was seen of it."""
    rewards = found.rewards.mean(1).cpu().numpy()
    rates = []
    for rate, difficulty in zip(pass_rates, spec.difficulties, strict=True):
        seen = rewards[found.difficulties == difficulty]
        rates.append(MEMORY * rate + (1 - MEMORY) * float(seen.mean()) if len(seen) else rate)
    return tuple(rates)


def _drawn_difficulties(spec: RLSpec, number: Whole, pass_rates: Sequence[float]) -> Whole:
    """Return the place among the spec's difficulties of each problem, (P,)."""
    weight = np.ones(len(spec.difficulties))
    if spec.sampler == "learnable":
        rate = np.asarray(pass_rates)
        weight = np.maximum(4 * rate * (1 - rate), LEAST)
    share = (words_of(spec.seed, number, 1, stream=DIFFICULTY)[:, 0] >> np.uint64(11)) * 2.0**-53
    return np.searchsorted(np.cumsum(weight / weight.sum())[:-1], share, side="right")
