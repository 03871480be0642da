"""Completions read by the whole model at once: log-probabilities and hidden states of every position.

Shapes: B rows of prompt and completion, T positions, D width.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import torch

from scaling.tasks import PAD

if TYPE_CHECKING:
    from transformers import LlamaForCausalLM

    from scaling.inference.decode import Completions

Whole = npt.NDArray[np.int64]

TOKENS = {"cpu": 2**12, "cuda": 2**14}
"""Tokens that go through the model at once, by device; rows of like length go together."""


@dataclass(frozen=True)
class Rows:
    """Prompts and their completions, padded on the right."""

    tokens: torch.Tensor
    """(B, T)."""
    prompt: torch.Tensor
    """(B,) tokens of the prompt."""
    lengths: torch.Tensor
    """(B,) tokens of the completion."""

    def targets(self) -> torch.Tensor:
        """Return which next tokens are the completion's, (B, T - 1)."""
        place = torch.arange(self.tokens.shape[1] - 1, device=self.tokens.device)
        first = (self.prompt - 1)[:, None]
        return (place >= first) & (place < first + self.lengths[:, None])


def rows_of(prompts: Whole, found: Completions, which: torch.Tensor) -> tuple[Rows, torch.Tensor]:
    """Return some rows, by number, and the log-probabilities with which their next tokens were drawn, (B, T - 1).

    ``prompts`` are (P, L), padded on the right; row p G + g is completion g of prompt p.
    """
    device = found.tokens.device
    asked = torch.from_numpy(prompts).to(device)[which // (len(found.lengths) // len(prompts))]
    size, length = (asked != PAD).sum(1), found.lengths[which]
    place = torch.arange(int((size + length).max()), device=device).expand(len(which), -1)
    inside = place - size[:, None]
    written = (inside >= 0) & (inside < length[:, None])
    at = inside.clamp(0, found.tokens.shape[1] - 1)
    tokens = torch.where(written, found.tokens[which].gather(1, at), PAD)
    tokens = torch.where(inside < 0, asked.gather(1, place.clamp(max=asked.shape[1] - 1)), tokens)
    drawn = torch.where(written, found.logprobs[which].gather(1, at), 0.0)
    return Rows(tokens, size, length), drawn[:, 1:]


def alike(prompts: Whole, found: Completions, which: torch.Tensor, most: int) -> Iterator[torch.Tensor]:
    """Yield parts of the row numbers ``which``, rows of like length together, at most ``most`` tokens a part."""
    sizes = torch.from_numpy((prompts != PAD).sum(axis=1)).to(which.device)
    group = len(found.lengths) // len(prompts)
    length = sizes[which // group] + found.lengths[which]
    order = length.argsort(descending=True, stable=True)
    first = 0
    while first < len(order):
        count = max(1, most // int(length[order[first]]))
        yield which[order[first : first + count]]
        first += count


def logprobs_and_hidden(model: LlamaForCausalLM, tokens: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Return log-probabilities of next tokens in fp32, (B, T - 1), and the hidden states before them, (B, T - 1, D)."""
    hidden = model.model(input_ids=tokens[:, :-1], use_cache=False).last_hidden_state
    logits = model.lm_head(hidden).float()
    return torch.log_softmax(logits, -1).gather(2, tokens[:, 1:, None])[..., 0], hidden
