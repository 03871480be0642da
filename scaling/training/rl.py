"""Reinforcement learning from verified answers: the module, one update an index, trials inside the step.

Shapes: P problems, G completions of each, B = P G rows of prompt and completion, T positions, V tokens, D width.
"""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch

from scaling import tasks
from scaling.inference.reading import TOKENS, alike, logprobs_and_hidden, rows_of
from scaling.inference.weights import Weights
from scaling.records.flops import forward_flops_per_sequence
from scaling.training import algorithms
from scaling.training.module import Stage
from scaling.training.rollout import Trials, moved, trials

if TYPE_CHECKING:
    from transformers import LlamaForCausalLM

    from scaling.records.spec import ModelSpec, RLSpec

BETAS = (0.9, 0.95)
"""AdamW's decays, those of pretraining; weights do not decay."""
START_RATE = 0.5
"""Pass rate that a difficulty is taken to have before anything is seen of it."""
MOST_GAP = 1e-4
"""Most that a log-probability may differ between sampler and trainer in fp32."""


@dataclass(frozen=True)
class RLStep:
    """What one update leaves."""

    index: int
    """Updates taken, this one included."""
    reward: float
    entropy: float
    """Mean of -log pi over sampled tokens, in nats: an estimate of the policy's entropy a token, without bias."""
    tokens: int
    """Tokens sampled."""
    tokens_mean: float
    truncated: float
    kept: float
    """Share of groups that were learned from."""
    gap: float | None
    """Largest difference between the trainer's and the sampler's log-probability of a token that is learned from; None where
    nothing is."""
    staleness: int
    """Updates since the sampling weights were taken."""
    grad_norm: float
    flops: dict[str, float]
    """FLOPs of the step by component, named as the tables' columns without their ``train_flops_``."""
    verifier_seconds: float


class RLModule(Stage):
    """Updates of one spec's policy, with manual optimisation."""

    def __init__(
        self, spec: RLSpec, model: LlamaForCausalLM, shape: ModelSpec, on_step: Callable[[RLStep], None]
    ) -> None:
        super().__init__()
        self.automatic_optimization = False
        self.spec, self.shape, self.on_step = spec, shape, on_step
        self.model = model
        self.task = tasks.find(spec.task)
        self.algorithm = algorithms.find(spec.algorithm)
        self.value = torch.nn.Linear(shape.width, 1) if self.algorithm.critic else None
        if self.value is not None:
            torch.nn.init.zeros_(self.value.weight)
            torch.nn.init.zeros_(self.value.bias)
        self.pass_rates = (START_RATE,) * len(spec.difficulties)
        self.old = deepcopy(model).requires_grad_(False) if spec.staleness else None
        self.weights: Weights | None = None

    def configure_optimizers(self) -> torch.optim.Optimizer:
        """Return fused AdamW without weight decay."""
        parameters = [p for p in self.parameters() if p.requires_grad]
        return torch.optim.AdamW(parameters, lr=self.spec.lr, betas=BETAS, weight_decay=0.0, fused=True)

    def more_state(self) -> dict[str, Any]:
        """Value head, sampling weights and pass rates."""
        return {
            "value": None if self.value is None else self.value.state_dict(),
            "old": None if self.old is None else self.old.state_dict(),
            "pass_rates": list(self.pass_rates),
        }

    def restore_more(self, saved: dict[str, Any]) -> None:
        """Put them back."""
        if self.value is not None:
            self.value.load_state_dict(saved["value"])
        if self.old is not None:
            self.old.load_state_dict(saved["old"])
        self.pass_rates = tuple(saved["pass_rates"])

    def sampler(self, step: int) -> Weights:
        """Return the sampling weights of update ``step``: the policy's, as it was at the last whole staleness."""
        lag = step % (self.spec.staleness + 1)
        if self.old is not None and lag == 0:
            self.old.load_state_dict(self.model.state_dict())
        if self.weights is None:
            dtype = torch.bfloat16 if self.spec.precision == "bf16" else torch.float32
            self.weights = Weights(self.model if self.old is None else self.old, self.shape, dtype)
        else:
            self.weights.refresh()
        return self.weights

    def training_step(self, step: int) -> None:
        """Take update ``step`` (0-based): sample, verify, gradients of the groups that tell anything, clip, AdamW."""
        found = trials(self.spec, self.task, step, self.sampler(step), self.pass_rates)
        kept = torch.ones(self.spec.prompts, dtype=torch.bool, device=self.device)
        if not self.algorithm.critic:  # a group of equal rewards has no advantage
            kept = (found.learned != found.learned[:, :1]).any(1)
        gap, trained, old = self.gradients(found, kept, step % (self.spec.staleness + 1))
        norm = torch.nn.utils.clip_grad_norm_(self.parameters(), self.spec.clip_norm)
        if kept.any():
            self.optimizer.step()
        self.optimizer.zero_grad(set_to_none=True)
        self.pass_rates = moved(self.spec, self.pass_rates, found)
        self.on_step(self._told(step, found, kept, gap, trained, old, norm))

    def gradients(self, found: Trials, kept: torch.Tensor, lag: int) -> tuple[float | None, float, float]:
        """Accumulate the gradients of the kept groups' loss.

        The loss is the sum of their tokens' losses over the number of their completions, each weighed as the algorithm says.
        Returns the log-probability gap, and the FLOPs of forward and backward and of old log-probabilities.
        """
        group = self.spec.group
        chosen = kept.repeat_interleave(group).nonzero()[:, 0]
        rewards_B = found.learned.flatten()
        advantages_B = self.algorithm.advantages(found.learned).flatten()
        gaps, trained, old = [], 0.0, 0.0
        for some in alike(found.prompts, found.completions, chosen, TOKENS[self.device.type]):
            rows, behaviour = rows_of(found.prompts, found.completions, some)
            targets = rows.targets()
            logprobs, values = self.policy(rows.tokens)
            with torch.no_grad():
                ours = logprobs if lag == 0 else logprobs_and_hidden(self._old(), rows.tokens)[0]
                gaps.append((ours - behaviour)[targets].abs().max().item())
            length = rows.tokens.shape[1] - 1
            cost = len(some) * forward_flops_per_sequence(self.shape, length)
            trained, old = trained + 3 * cost, old + (0 if lag == 0 else cost)
            ratio = (logprobs - behaviour).exp()
            advantages = advantages_B[some, None].expand_as(logprobs)
            errors = torch.zeros_like(logprobs)
            if values is not None:
                errors = rewards_B[some, None] - values
                advantages = errors.detach()
            losses = self.algorithm.losses(ratio, logprobs, advantages)
            losses = (losses + self.algorithm.value_weight * errors.square()) * targets
            weight = self.algorithm.weights(rows.lengths, self.spec.max_tokens)
            self.backward_of((losses.sum(1) * weight).sum() / len(chosen))
        return max(gaps, key=_or_infinite, default=None), trained, old

    def policy(self, tokens: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor | None]:
        """Return the log-probability of each next token, (B, T - 1), and the values before them where there is a critic."""
        logprobs, hidden = logprobs_and_hidden(self.model, tokens)
        return logprobs, None if self.value is None else self.value(hidden).float()[..., 0]

    def _old(self) -> LlamaForCausalLM:
        assert self.old is not None
        return self.old

    def _told(
        self,
        step: int,
        found: Trials,
        kept: torch.Tensor,
        gap: float | None,
        trained: float,
        old: float,
        norm: torch.Tensor,
    ) -> RLStep:
        done, prompts = found.completions, self.spec.prompts
        decoded = done.decode_flops.view(prompts, -1).sum(1)
        lost = float(decoded[~kept].sum()) + done.prefill_flops * int((~kept).sum())
        tokens = int(done.lengths.sum())
        return RLStep(
            index=step + 1,
            reward=found.rewards.mean().item(),
            entropy=-float(done.logprobs.double().sum()) / tokens,
            tokens=tokens,
            tokens_mean=tokens / len(done.lengths),
            truncated=1 - done.ended.float().mean().item(),
            kept=kept.float().mean().item(),
            gap=gap,
            staleness=step % (self.spec.staleness + 1),
            grad_norm=float(norm),
            flops={
                "forward_backward": trained,
                "rollout_prefill": float(done.prefill_flops * int(kept.sum())),
                "rollout_decode": float(decoded[kept].sum()),
                "discarded": lost,
                "old_logprobs": old,
            },
            verifier_seconds=found.verifier_seconds,
        )


def _or_infinite(gap: float) -> float:
    """A gap that is no number is the largest."""
    return gap if gap == gap else float("inf")
