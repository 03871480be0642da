"""Sampling from a Llama of ours: its own weights, a static cache of keys and values, one bmm an attention.

Behaviour log-probabilities come with the tokens. Randomness is a pure function of (seed, row, position), so that what a row
samples does not depend on the rows beside it. Shapes: P prompts, G completions of each, B = P G rows, T positions, V tokens,
H heads of size E, C positions in the cache.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np
import numpy.typing as npt
import torch

from scaling.errors import InputError
from scaling.inference.cache import LEAST
from scaling.inference.static import static_step
from scaling.inference.weights import Weights
from scaling.mixing import words_of
from scaling.records.flops import decode_flops, prefill_flops
from scaling.tasks import FREE, PAD, encoded

Whole = npt.NDArray[np.int64]

END = int(encoded(".")[0])
ROWS = {"cpu": 128, "cuda": 4096}
"""Rows that are sampled together: on a CPU the cache of more of them leaves the processor's own, and a step is slower."""
STATIC = {"cuda"}
"""Devices on which every step is the same work, captured once: there what a step costs is launching its parts."""
KEEP = 0.75
"""Share of unfinished rows below which finished ones are dropped from the batch."""
SAMPLES = 3
"""Stream of random words."""
Force = Callable[[int, torch.Tensor, torch.Tensor], "torch.Tensor | None"]
"""From a position, the numbers (b,) of the rows still written, and their tokens so far, (b, T): the tokens forced there,
(b,), FREE where none is; None if none is in any."""


@dataclass(frozen=True)
class Sampling:
    """How a token is drawn from logits."""

    temperature: float = 1.0
    """Logits are divided by it; 0 takes the likeliest."""
    top_p: float = 1.0
    """The smallest set of likeliest tokens with at least this probability is drawn from."""


ON_POLICY = Sampling()
"""The model's own distribution."""


@dataclass(frozen=True)
class Completions:
    """What was sampled."""

    tokens: torch.Tensor
    """(B, T) int64, PAD after the end."""
    logprobs: torch.Tensor
    """(B, T) float32: log-probability with which each token was drawn; 0 where it was forced and after the end."""
    lengths: torch.Tensor
    """(B,) tokens, the end included."""
    ended: torch.Tensor
    """(B,) whether the end was written before the positions ran out."""
    prefill_flops: int
    """FLOPs of reading a prompt, padded to the longest."""
    decode_flops: torch.Tensor
    """(B,) FLOPs that the device spent on each row, after its end too."""


@torch.no_grad()
def decode(
    weights: Weights,
    prompts: Whole,
    length: int,
    *,
    seed: int,
    group: int = 1,
    numbers: Whole | None = None,
    sampling: Sampling = ON_POLICY,
    force: Force | None = None,
    end: int | None = END,
) -> Completions:
    """Sample ``group`` completions of at most ``length`` tokens for each prompt; row p G + g is number g of prompt p.

    ``prompts`` are (P, L), padded on the right. Randomness goes by the rows' ``numbers`` (B,), by default 0 to B - 1.
    ``end`` is the token after which a row is finished, None: none. Raises ``InputError`` where prompt and completion may be
    longer than the model's context.
    """
    spec, sizes = weights.spec, (prompts != PAD).sum(axis=1)
    prompt = int(sizes.max())
    if prompt + length > spec.context:
        raise InputError(
            f"a prompt of {prompt} tokens and a completion of {length} may be {prompt + length} long, and the model's "
            f"context is {spec.context}; give fewer tokens, or train a longer context"
        )
    numbers = np.arange(len(prompts) * group) if numbers is None else numbers
    rows = _to_the_right(prompts, sizes, prompt)
    most = max(1, ROWS[weights.device.type] // group)
    parts = []
    for first in range(0, len(prompts), most):
        some = slice(first, first + most)
        batch = _Batch(weights, rows[some], sizes[some], group, length, end)
        chance = words_of(
            seed, numbers[first * group : (first + most) * group], length, stream=SAMPLES
        ) >> np.uint64(40)
        forced = None if force is None else partial(_of_part, force, first * group)
        _written(batch, torch.from_numpy(chance.astype(np.float32) * np.float32(2.0**-24)), sampling, forced)
        parts.append((batch.tokens, batch.logprobs, batch.lengths, batch.spent))
    tokens, logprobs, lengths, spent = map(torch.cat, zip(*parts, strict=True))
    last = tokens.gather(1, lengths[:, None] - 1)[:, 0]
    ended = last == end if end is not None else torch.zeros_like(last, dtype=torch.bool)
    return Completions(tokens, logprobs, lengths, ended, prefill_flops(spec, prompt, LEAST), spent)


def _of_part(
    force: Force, first: int, at: int, rows: torch.Tensor, tokens: torch.Tensor
) -> torch.Tensor | None:
    """Return what is forced on rows of a part that begins at row ``first``."""
    return force(at, rows + first, tokens)


def _written(batch: _Batch, chances: torch.Tensor, sampling: Sampling, force: Force | None) -> None:
    """Write a batch's completions to their ends, by chances (B, T)."""
    chances = chances.to(batch.tokens.device)
    for at in range(batch.length):
        token, logprob = drawn(batch.logits, chances[batch.live, at], sampling)
        if force is not None and (forced := force(at, batch.live, batch.tokens[batch.live])) is not None:
            free = forced == FREE
            token, logprob = torch.where(free, token, forced), logprob * free
        if not batch.write(at, token, logprob):
            return


def drawn(logits: torch.Tensor, chance: torch.Tensor, how: Sampling) -> tuple[torch.Tensor, torch.Tensor]:
    """Return a token for each row of logits (B, V) by chances (B,) in [0, 1), and its log-probability, (B,) each.

    The token is the first whose cumulative probability exceeds the chance.
    """
    if how.temperature == 0:
        return logits.argmax(-1), torch.zeros_like(chance)
    logprobs = torch.log_softmax(logits / how.temperature, -1)
    if how.top_p < 1:
        ordered, order = logprobs.sort(-1, descending=True)
        above = ordered.exp().cumsum(-1) - ordered.exp()  # probability of the likelier ones
        outside = torch.zeros_like(logprobs, dtype=torch.bool).scatter(-1, order, above >= how.top_p)
        logprobs = torch.log_softmax(logprobs.masked_fill(outside, float("-inf")), -1)
    reached = logprobs.exp().cumsum(-1)
    token = (reached <= chance[:, None] * reached[:, -1:]).sum(-1)
    return token, logprobs.gather(-1, token[:, None])[:, 0]


def _to_the_right(prompts: Whole, sizes: Whole, width: int) -> Whole:
    """Return prompts (P, L) with their padding on the left, (P, width)."""
    place = np.arange(width) - (width - sizes[:, None])
    return np.where(place >= 0, np.take_along_axis(prompts, np.maximum(place, 0), axis=1), PAD)


class _Batch:
    """Completions being written: all of them, and the live rows that the model still reads for."""

    def __init__(
        self,
        weights: Weights,
        prompts: Whole,
        sizes: Whole,
        group: int,
        length: int,
        end: int | None,
    ) -> None:
        device, width = weights.device, prompts.shape[1]
        self.weights, self.spec, self.width, self.length, self.end = weights, weights.spec, width, length, end
        start = torch.from_numpy(width - sizes).to(device) if sizes.min() < width else None
        cache = weights.cache(len(prompts), width)
        hidden = weights.advance(torch.from_numpy(prompts).to(device), cache, 0, start)
        each = torch.arange(len(prompts), device=device).repeat_interleave(group)
        self.start = None if start is None else start[each]
        static = device.type in STATIC
        self.cache = cache.rows(each, width, width + length if static else width + 1)
        self.logits = weights.logits(hidden)[each]
        self.step = static_step(weights, self.cache, self.start, width) if static else None
        rows = len(each)
        self.live = torch.arange(rows, device=device)
        self.going = torch.ones(rows, dtype=torch.bool, device=device)
        self.tokens = torch.full((rows, length), PAD, device=device)
        self.logprobs = torch.zeros(rows, length, device=device)
        self.lengths, self.spent = (torch.zeros(rows, dtype=torch.int64, device=device) for _ in range(2))

    def write(self, at: int, token: torch.Tensor, logprob: torch.Tensor) -> bool:
        """Write the live rows' tokens at a position and read them; return whether there is a next position."""
        self.tokens[self.live, at] = torch.where(self.going, token, PAD)
        self.logprobs[self.live, at] = logprob * self.going
        self.lengths[self.live] += self.going
        if self.end is not None:
            self.going &= token != self.end
        left = int(self.going.sum())
        if not left or at + 1 == self.length:
            return False
        if self.step is not None:
            self.logits = self.step(self.weights, token, self.width + at)
            self.spent += decode_flops(self.spec, self.cache.positions)
            return True
        if left < KEEP * len(self.going):
            token = self._drop(token, at)
        if self.width + at == self.cache.positions:
            everyone = torch.arange(len(self.live), device=self.live.device)
            self.cache = self.cache.rows(everyone, self.width + at, self.width + at + 1)
        hidden = self.weights.advance(token[:, None], self.cache, self.width + at, self.start)
        self.logits = self.weights.logits(hidden)
        self.spent[self.live] += decode_flops(self.spec, max(self.width + at + 1, LEAST))
        return True

    def _drop(self, token: torch.Tensor, at: int) -> torch.Tensor:
        """Drop the rows that have ended from those that are read; return the tokens of the others."""
        kept = self.going.nonzero()[:, 0]
        self.cache = self.cache.rows(kept, self.width + at, self.width + at + 1)
        self.start = None if self.start is None else self.start[kept]
        self.live, self.going = self.live[kept], self.going[kept]
        return token[kept]
