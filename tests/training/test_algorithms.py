"""The algorithms' gradients: on-policy all are REINFORCE's but for advantage and normaliser, and clips do what they say."""

import pytest
import torch

from scaling.training import algorithms
from scaling.training.algorithms import ALL, Algorithm, find

P, G, T, V = 3, 4, 5, 7


def trials(seed: int = 0) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor]:
    """Return logits, tokens drawn, rewards and lengths."""
    generator = torch.Generator().manual_seed(seed)
    logits = torch.randn(P * G, T, V, generator=generator, dtype=torch.float64)
    tokens = torch.randint(V, (P * G, T), generator=generator)
    rewards = torch.randint(2, (P, G), generator=generator).double()
    return logits, tokens, rewards, torch.randint(1, T + 1, (P * G,), generator=generator)


def gradient(
    algorithm: Algorithm, logits: torch.Tensor, behaviour: torch.Tensor | None = None
) -> torch.Tensor:
    """Return the gradient of the loss in the logits; on-policy where no behaviour is given."""
    _, tokens, rewards, lengths = trials()
    logits = logits.clone().requires_grad_()
    logprobs = torch.log_softmax(logits, -1).gather(2, tokens[..., None])[..., 0]
    said = logprobs.detach() if behaviour is None else behaviour
    advantages = algorithm.advantages(rewards).flatten()[:, None].expand_as(logprobs)
    inside = torch.arange(T) < lengths[:, None]
    losses = algorithm.losses((logprobs - said).exp(), logprobs, advantages) * inside
    (losses.sum(1) * algorithm.weights(lengths, T)).sum().backward()
    assert logits.grad is not None
    return logits.grad


def by_hand(scale: float = 1.0) -> torch.Tensor:
    """Return -A grad log pi / T, with A = scale (r - mean), of a softmax: A (softmax - onehot)."""
    logits, tokens, rewards, lengths = trials()
    advantages = scale * (rewards - rewards.mean(1, keepdim=True)).flatten()
    onehot = torch.nn.functional.one_hot(tokens, V)
    inside = (torch.arange(T) < lengths[:, None])[..., None]
    return advantages[:, None, None] * (torch.softmax(logits, -1) - onehot) * inside / T


def test_cispo_is_reinforce_on_policy_and_rloo_g_over_g_minus_1_times_that() -> None:
    logits = trials()[0]
    reinforce = gradient(find("reinforce"), logits)
    assert torch.allclose(reinforce, by_hand(), rtol=0, atol=1e-7)
    assert torch.allclose(gradient(find("cispo"), logits), reinforce, rtol=1e-6, atol=0)
    assert torch.allclose(gradient(find("rloo"), logits), reinforce * G / (G - 1), rtol=1e-6, atol=0)
    assert reinforce.abs().max() > 0.01


def test_grpo_divides_by_deviation_and_own_length() -> None:
    logits, _, rewards, lengths = trials()
    deviation = rewards.std(1, keepdim=True).expand(P, G).flatten()[:, None, None]
    wanted = by_hand() * T / lengths[:, None, None] / (deviation + 1e-6)
    assert torch.allclose(gradient(find("grpo"), logits), wanted, rtol=1e-6, atol=1e-12)


@pytest.mark.parametrize("algorithm", ALL, ids=lambda one: one.name)
def test_off_policy_ratios_are_clipped_as_stated(algorithm: Algorithm) -> None:
    ratio = torch.tensor([[0.1, 0.9, 1.0, 1.1, 3.0, 50.0]], dtype=torch.float64)
    found = {}
    for sign in (1.0, -1.0):
        logprobs = ratio.log().requires_grad_()
        losses = algorithm.losses((logprobs - 0.0).exp(), logprobs, torch.full_like(ratio, sign))
        losses.sum().backward()
        assert logprobs.grad is not None
        found[sign] = -logprobs.grad[0] * sign
    if algorithm.name in (
        "grpo",
        "ppo",
    ):  # min(ratio A, clip A): no gradient past the clip in the direction of the gain
        assert found[1.0].tolist() == pytest.approx([0.1, 0.9, 1.0, 1.1, 0, 0])
        assert found[-1.0].tolist() == pytest.approx([0, 0.9, 1.0, 1.1, 3.0, 50.0])
    else:
        most = {"cispo": 5.0}.get(algorithm.name, algorithms.TRUNCATED_AT)
        wanted = [min(one, most) for one in ratio[0].tolist()]
        assert found[1.0].tolist() == pytest.approx(wanted)
        assert found[-1.0].tolist() == pytest.approx(wanted)


@pytest.mark.parametrize("algorithm", ALL, ids=lambda one: one.name)
def test_equal_rewards_teach_nothing_without_a_critic(algorithm: Algorithm) -> None:
    advantages = algorithm.advantages(torch.ones(P, G))
    assert algorithm.critic == bool(advantages.any())
