"""Held-out loss and next-token accuracy of a model, with standard errors.

Shapes: R sequences, T positions, V token values.
"""

from __future__ import annotations

import math
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
import torch.nn.functional as F

from scaling.errors import InputError
from scaling.records.recipe import HELDOUT_TOKENS

if TYPE_CHECKING:
    from transformers import LlamaForCausalLM

    from scaling.corpora import Ready

CHUNK_TOKENS = 2**13
"""Predictions in one forward pass; a constant, so that sums are always taken in the same order."""


@dataclass(frozen=True)
class HeldOut:
    """What one evaluation found."""

    loss_nats: float
    """Mean negative log-likelihood of a held-out token."""
    loss_se: float
    """Its standard error, sequences taken as independent draws."""
    accuracy: float
    """Share of held-out tokens that were the likeliest prediction."""
    accuracy_se: float
    """Its standard error, sequences taken as independent draws."""
    predictions: int
    """Tokens predicted."""
    device_seconds: float
    """Wall seconds of the evaluation on its device."""


def evaluated_windows(corpus: Ready, context: int) -> int:
    """Return how many held-out windows an evaluation reads; ``InputError`` if they give no standard error."""
    windows = corpus.heldout_windows(context)
    if windows is not None and windows < 2:
        raise InputError(
            f"corpus {corpus.name!r} holds out {windows} windows of {context} tokens, and a held-out loss with its "
            "standard error takes 2 or more; give it more text or the model a shorter context"
        )
    wanted = max(2, HELDOUT_TOKENS // context)
    return wanted if windows is None else min(wanted, windows)


@torch.no_grad()
def evaluate(model: LlamaForCausalLM, corpus: Ready, context: int, *, bf16: bool = False) -> HeldOut:
    """Return the held-out loss of ``model`` on the first windows of ``corpus``'s held-out part, or all if few.

    Each window of ``context`` + 1 tokens gives ``context`` predictions, of which those count that the corpus learns. Means
    are over all that count; standard errors are of the ratio of two sums over windows, sd(sum - mean count) / (mean count
    sqrt(R)), which is sd(window means) / sqrt(R) where all count.
    """
    begun = time.perf_counter()
    rows = evaluated_windows(corpus, context)
    read_RT = corpus.heldout(rows, context)
    tokens_RT = torch.from_numpy(read_RT).to(model.device)
    counted_RT = torch.from_numpy(corpus.learned(read_RT)).to(model.device).double()
    chunk = max(1, CHUNK_TOKENS // context)
    losses_R, hits_R = [], []
    for part_RT, counts_RT in zip(tokens_RT.split(chunk), counted_RT.split(chunk), strict=True):
        with torch.autocast(model.device.type, dtype=torch.bfloat16, enabled=bf16):
            logits_RTV = model(input_ids=part_RT[:, :-1], use_cache=False).logits.float()
        target_RT = part_RT[:, 1:]
        nll_RT = F.cross_entropy(logits_RTV.flatten(0, 1), target_RT.flatten(), reduction="none")
        losses_R.append((nll_RT.view_as(target_RT).double() * counts_RT).sum(1))
        hits_R.append(((logits_RTV.argmax(-1) == target_RT) * counts_RT).sum(1))
    count_R = counted_RT.sum(1)
    loss, loss_se = _mean_se(torch.cat(losses_R), count_R)
    accuracy, accuracy_se = _mean_se(torch.cat(hits_R), count_R)
    seconds = time.perf_counter() - begun
    return HeldOut(loss, loss_se, accuracy, accuracy_se, int(count_R.sum()), seconds)


def _mean_se(sum_R: torch.Tensor, count_R: torch.Tensor) -> tuple[float, float]:
    mean = sum_R.sum() / count_R.sum()
    off_R = (sum_R - mean * count_R) / count_R.mean()
    return mean.item(), off_R.std().item() / math.sqrt(len(sum_R))
