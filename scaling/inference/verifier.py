"""A learned verifier: how likely a completion is right, from what the model itself computes while reading it.

Features are the model's last hidden states (of the end, and their mean over the completion) and log-probabilities of the
completion's tokens (mean, least); a logistic regression on them is trained on own completions of training problems. The
model stays as it is. Shapes: B rows of prompt and completion, T positions, D width, F features.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import torch

from scaling.inference.reading import TOKENS, alike, logprobs_and_hidden, rows_of
from scaling.records.flops import forward_flops_per_sequence

if TYPE_CHECKING:
    from transformers import LlamaForCausalLM

    from scaling.inference.decode import Completions
    from scaling.records.spec import ModelSpec

Whole = npt.NDArray[np.int64]
Real = npt.NDArray[np.float64]

PENALTY = 1.0
"""Weight of half the squared coefficients against the sum of log-likelihoods, features in standard deviations."""


@dataclass(frozen=True)
class Read:
    """What was read of completions."""

    features: Real
    """(B, F)."""
    flops: Real
    """(B,) forward FLOPs of reading each once more."""


@dataclass(frozen=True)
class Verifier:
    """Logistic regression: log-odds = intercept + features in standard deviations times coefficients."""

    mean: Real
    scale: Real
    coefficients: Real
    intercept: float

    def scores(self, features: Real) -> Real:
        """Return log-odds of being right, (B,)."""
        return np.asarray((features - self.mean) / self.scale @ self.coefficients + self.intercept)


def read(model: LlamaForCausalLM, spec: ModelSpec, prompts: Whole, found: Completions) -> Read:
    """Return the features of completions, and what reading them costs."""
    features = np.zeros((len(found.lengths), 2 * spec.width + 2))
    flops = np.zeros(len(features))
    everything = torch.arange(len(features), device=found.tokens.device)
    for some in alike(prompts, found, everything, TOKENS[found.tokens.device.type]):
        rows, _ = rows_of(prompts, found, some)
        with torch.no_grad():
            logprobs, hidden = logprobs_and_hidden(model, rows.tokens)
        written = rows.targets()
        count = rows.lengths.clamp(min=1)[:, None]
        last = (rows.prompt + rows.lengths - 2).clamp(min=0)
        end = hidden[torch.arange(len(some), device=hidden.device), last]
        mean = (hidden * written[..., None]).sum(1) / count
        total = (logprobs * written).sum(1, keepdim=True) / count
        least = logprobs.masked_fill(~written, 0.0).min(1, keepdim=True).values
        features[some.cpu().numpy()] = torch.cat([end, mean, total, least], 1).double().cpu().numpy()
        sizes = (rows.prompt + rows.lengths - 1).tolist()
        flops[some.cpu().numpy()] = [forward_flops_per_sequence(spec, size) for size in sizes]
    return Read(features, flops)


def trained(features: Real, right: Real) -> Verifier:
    """Return the verifier that fits marks (B,), 0 or 1, best; penalised likelihood, which has one optimum.

    Where all marks are alike the score is constant: there is nothing to tell apart.
    """
    from scipy.optimize import minimize
    from scipy.special import expit

    mean, scale = features.mean(0), features.std(0)
    scale = np.where(scale > 0, scale, 1.0)
    x = (features - mean) / scale
    share = (right.sum() + 0.5) / (len(right) + 1)
    start = np.zeros(x.shape[1] + 1)
    start[-1] = np.log(share / (1 - share))
    if right.min() == right.max():
        return Verifier(mean, scale, start[:-1], float(start[-1]))

    def loss(b: Real) -> tuple[float, Real]:
        z = x @ b[:-1] + b[-1]
        off = expit(z) - right
        slope = np.append(x.T @ off + PENALTY * b[:-1], off.sum())
        return float(np.logaddexp(0, z).sum() - right @ z + 0.5 * PENALTY * b[:-1] @ b[:-1]), slope

    best = minimize(loss, start, jac=True, method="L-BFGS-B", options={"maxiter": 500}).x
    return Verifier(mean, scale, best[:-1], float(best[-1]))


def auc(scores: Real, right: Real) -> float | None:
    """Return the chance that a right completion scores above a wrong one, ties half; None where all marks are alike."""
    from scipy.stats import rankdata

    ones = int(right.sum())
    zeros = len(right) - ones
    if not ones or not zeros:
        return None
    return float((rankdata(scores)[right > 0].sum() - ones * (ones + 1) / 2) / (ones * zeros))
