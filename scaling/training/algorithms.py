"""From completions and rewards to a loss: five ways, each with its clip, its normaliser and what it does with deviations.

All take groups of G completions of one problem. On-policy, where the ratio is 1, all go up one gradient, the sum of
A grad log pi, and differ in A and in the normaliser alone. Shapes: P problems, B = P G completions, T tokens.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import ClassVar

import torch

TRUNCATED_AT = 2.0
"""Most weight of a token where sampler and trainer differ and the algorithm has no ratio of its own: truncated importance
sampling (Yao et al. 2025, "Your efficient RL framework secretly brings you off-policy RL training")."""


class Algorithm(ABC):
    """How advantages are made of rewards, and a loss of advantages."""

    name: ClassVar[str]
    value_weight: ClassVar[float] = 0.0
    """Weight of (V - r)^2 in the loss; above 0 a value head is trained, and its values are taken off token by token."""

    @property
    def critic(self) -> bool:
        """Whether there is a value head."""
        return self.value_weight > 0

    def advantages(self, rewards_PG: torch.Tensor) -> torch.Tensor:
        """Return the advantage of each completion, (P, G): reward minus the group's mean, not divided by its deviation."""
        return rewards_PG - rewards_PG.mean(1, keepdim=True)

    @abstractmethod
    def losses(
        self, ratio_BT: torch.Tensor, logprobs_BT: torch.Tensor, advantages_BT: torch.Tensor
    ) -> torch.Tensor:
        """Return each token's loss, (B, T).

        ``ratio_BT`` is pi / mu, ``mu`` the policy that sampled; its gradient is that of ``logprobs_BT``, log pi.
        """

    def weights(self, lengths_B: torch.Tensor, most: int) -> torch.Tensor:
        """Return what a completion's token losses are multiplied by, (B,): one over the most tokens, the same for all.

        A completion's own length would favour short right and long wrong ones (Liu et al. 2025, arXiv:2503.20783).
        """
        return torch.full_like(lengths_B, 1 / most, dtype=torch.float32)


class Reinforce(Algorithm):
    """-A log pi (Williams 1992), A = r - mean of the group; tokens have no ratio."""

    name = "reinforce"

    def losses(
        self, ratio_BT: torch.Tensor, logprobs_BT: torch.Tensor, advantages_BT: torch.Tensor
    ) -> torch.Tensor:
        """-A log pi, weighed by the ratio up to ``TRUNCATED_AT``, which is 1 where one arithmetic samples and trains."""
        return -ratio_BT.detach().clamp(max=TRUNCATED_AT) * advantages_BT * logprobs_BT


class LeaveOneOut(Reinforce):
    """REINFORCE leave-one-out (Ahmadian et al. 2024, arXiv:2402.14740): A = r - mean of the others = G / (G - 1) times."""

    name = "rloo"

    def advantages(self, rewards_PG: torch.Tensor) -> torch.Tensor:
        """Reward minus the mean of the group's other rewards, (P, G)."""
        size = rewards_PG.shape[1]
        return super().advantages(rewards_PG) * (size / (size - 1))


class Cispo(Algorithm):
    """CISPO (MiniMax 2025, arXiv:2506.13585): -sg(min(ratio, 1 + eps)) A log pi; no token loses its gradient.

    Clip as in the paper; its advantages are divided by the group's deviation, and its sum by the tokens of the group, which
    here would favour groups that nearly agree and short completions: A and normaliser are those of all.
    """

    name = "cispo"
    eps: ClassVar[float] = 4.0
    """Ratios are cut at 5 (the range that ScaleRL, arXiv:2510.13786, found to matter little)."""

    def losses(
        self, ratio_BT: torch.Tensor, logprobs_BT: torch.Tensor, advantages_BT: torch.Tensor
    ) -> torch.Tensor:
        """-sg(min(ratio, 1 + eps)) A log pi."""
        return -ratio_BT.detach().clamp(max=1 + self.eps) * advantages_BT * logprobs_BT


class Clipped(Algorithm):
    """PPO's clip (Schulman et al. 2017, arXiv:1707.06347): -min(ratio A, clip(ratio, 1 - eps, 1 + eps) A)."""

    eps: ClassVar[float] = 0.2

    def losses(
        self, ratio_BT: torch.Tensor, logprobs_BT: torch.Tensor, advantages_BT: torch.Tensor
    ) -> torch.Tensor:
        """-min(ratio A, clip(ratio) A)."""
        del logprobs_BT
        clipped = ratio_BT.clamp(1 - self.eps, 1 + self.eps)
        return -torch.minimum(ratio_BT * advantages_BT, clipped * advantages_BT)


class Grpo(Clipped):
    """GRPO (Shao et al. 2024, arXiv:2402.03300) without its KL term: A over the group's deviation, mean over own tokens."""

    name = "grpo"
    least: ClassVar[float] = 1e-6
    """Added to the deviation."""

    def advantages(self, rewards_PG: torch.Tensor) -> torch.Tensor:
        """(r - mean) / (deviation + 1e-6), with G - 1 in the deviation, (P, G)."""
        return super().advantages(rewards_PG) / (rewards_PG.std(1, keepdim=True) + self.least)

    def weights(self, lengths_B: torch.Tensor, most: int) -> torch.Tensor:
        """One over a completion's own length, (B,)."""
        del most
        return 1 / lengths_B.clamp(min=1)


class Ppo(Clipped):
    """PPO with a value head: A = r - V(token), no discount and no bootstrap (gamma = lambda = 1); V learns r by squares."""

    name = "ppo"
    value_weight = 0.5

    def advantages(self, rewards_PG: torch.Tensor) -> torch.Tensor:
        """The rewards themselves, (P, G); values are taken off token by token."""
        return rewards_PG


ALL: tuple[Algorithm, ...] = (Reinforce(), LeaveOneOut(), Cispo(), Grpo(), Ppo())
"""Every algorithm."""


def find(name: str) -> Algorithm:
    """Return the algorithm of a name that a spec has checked."""
    return next(one for one in ALL if one.name == name)
