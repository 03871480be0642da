"""Sampling from own weights: the same as transformers', token for token and log-probability for log-probability."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from transformers import LlamaForCausalLM

from scaling.errors import InputError
from scaling.inference import decode as decoding
from scaling.inference.cache import LEAST
from scaling.inference.decode import END, Sampling, decode, drawn
from scaling.inference.reading import alike, logprobs_and_hidden, rows_of
from scaling.inference.weights import Weights
from scaling.records import recipe
from scaling.records.flops import completion_flops, decode_flops
from scaling.tasks import FREE, PAD
from scaling.training.model import build


def left_padded(prompts: np.ndarray) -> tuple[torch.Tensor, torch.Tensor]:
    rows = np.zeros_like(prompts)
    for row, size in enumerate((prompts != PAD).sum(1)):
        rows[row, prompts.shape[1] - size :] = prompts[row, :size]
    return torch.from_numpy(rows), torch.from_numpy((rows != PAD).astype(np.int64))


def test_greedy_is_generate_token_for_token(
    model: LlamaForCausalLM, weights: Weights, prompts: np.ndarray
) -> None:
    found = decode(weights, prompts, 64, seed=0, sampling=Sampling(0))
    ids, mask = left_padded(prompts)
    theirs = model.generate(
        ids,
        attention_mask=mask,
        max_new_tokens=64,
        do_sample=False,
        eos_token_id=END,
        pad_token_id=PAD,
        use_cache=True,
    )[:, ids.shape[1] :]
    theirs = torch.nn.functional.pad(theirs, (0, 64 - theirs.shape[1]), value=PAD)
    assert torch.equal(found.tokens, theirs)
    assert len(torch.unique(found.tokens)) > 10, "a model that says one thing tests nothing"


def test_logprobs_are_those_of_a_full_forward(
    model: LlamaForCausalLM, weights: Weights, prompts: np.ndarray
) -> None:
    found = decode(weights, prompts, 60, seed=3, group=9)
    assert 0 < found.ended.float().mean() < 1
    seen = 0
    for some in alike(prompts, found, torch.arange(len(found.lengths)), 500):
        rows, said = rows_of(prompts, found, some)
        with torch.no_grad():
            theirs, _ = logprobs_and_hidden(model, rows.tokens)
        gap = (theirs - said)[rows.targets()].abs()
        assert gap.numel() == int(found.lengths[some].sum())
        assert gap.max() < 1e-5  # NaN fails too
        seen += len(some)
    assert seen == len(found.lengths)


def test_a_row_does_not_depend_on_the_rows_beside_it(
    weights: Weights, prompts: np.ndarray, monkeypatch: pytest.MonkeyPatch
) -> None:
    given_tokens = torch.full((28, 5), FREE)
    given_tokens[:, 2] = torch.arange(28) + 1

    def force(at: int, rows: torch.Tensor, tokens: torch.Tensor) -> torch.Tensor | None:
        assert len(rows) == len(tokens)
        return given_tokens[rows, at] if at < 5 else None

    whole = decode(weights, prompts, 30, seed=5, group=4, force=force)
    long = whole.lengths > 2
    assert torch.equal(whole.tokens[long, 2], given_tokens[long, 2])
    assert (whole.logprobs[long, 2] == 0).all()
    monkeypatch.setitem(decoding.ROWS, "cpu", 8)
    parts = decode(weights, prompts, 30, seed=5, group=4, force=force)
    assert torch.equal(parts.tokens, whole.tokens)
    alone = decode(weights, prompts[3:4], 30, seed=5, group=4, numbers=np.arange(12, 16), force=None)
    free = decode(weights, prompts, 30, seed=5, group=4)
    assert torch.equal(alone.tokens, free.tokens[12:16])
    assert not torch.equal(free.tokens, decode(weights, prompts, 30, seed=6, group=4).tokens)


def test_ends_lengths_and_padding(weights: Weights, prompts: np.ndarray) -> None:
    found = decode(weights, prompts, 25, seed=1, group=20)
    for tokens, length, ended in zip(found.tokens, found.lengths.tolist(), found.ended.tolist(), strict=True):
        assert (tokens[length:] == PAD).all()
        assert (tokens[: length - 1] != END).all()
        assert ended == (tokens[length - 1] == END)
        assert ended or length == 25
    assert (decode(weights, prompts, 25, seed=1, end=None).lengths == 25).all()
    with pytest.raises(InputError, match=r"21 tokens and a completion of 90 may be 111 long.* context is 96"):
        decode(weights, prompts, 90, seed=0)


def test_flops_are_those_of_the_tokens_read(weights: Weights, prompts: np.ndarray) -> None:
    found = decode(weights, prompts[3:5], 40, seed=1, group=1, end=None)
    short = sum(decode_flops(weights.spec, LEAST) - decode_flops(weights.spec, at) for at in range(9, LEAST))
    assert found.decode_flops.tolist() == [completion_flops(weights.spec, 8, 40) + short] * 2
    assert completion_flops(weights.spec, 8, 3) == decode_flops(weights.spec, 9) + decode_flops(
        weights.spec, 10
    )
    assert completion_flops(weights.spec, 8, 1) == completion_flops(weights.spec, 8, 0) == 0


@settings(deadline=None, max_examples=30)
@given(
    st.lists(st.floats(-4, 4), min_size=2, max_size=8), st.sampled_from([0.5, 1.0, 2.0]), st.floats(0.05, 1.0)
)
def test_tokens_are_drawn_with_their_probabilities(
    logits: list[float], temperature: float, top_p: float
) -> None:
    many = 20_000
    chance = (torch.arange(many) + 0.5) / many
    token, logprob = drawn(torch.tensor([logits]).expand(many, -1), chance, Sampling(temperature, top_p))
    p = torch.softmax(torch.tensor(logits, dtype=torch.float64) / temperature, -1)
    order = p.argsort(descending=True, stable=True)
    before = p[order].cumsum(-1) - p[order]
    if top_p < 1 and (before - top_p).abs().min() < 1e-6:
        return  # the edge of the set is a matter of rounding
    kept = order[before < top_p] if top_p < 1 else order
    wanted = torch.zeros_like(p).scatter(0, kept, p[kept] / p[kept].sum())
    share = torch.bincount(token, minlength=len(logits)) / many
    assert torch.allclose(share.double(), wanted, atol=2e-4)
    assert torch.allclose(logprob.double().exp(), wanted[token], rtol=1e-4)


def test_half_precision_samples_nearly_the_same(model: LlamaForCausalLM, prompts: np.ndarray) -> None:
    exact = decode(Weights(model, recipe.llama(32, 53, 96)), prompts, 12, seed=0, group=64, end=None)
    half = decode(
        Weights(model, recipe.llama(32, 53, 96), torch.bfloat16), prompts, 12, seed=0, group=64, end=None
    )
    first = torch.stack([torch.bincount(one.tokens[:, 0], minlength=53) for one in (exact, half)]).float()
    assert (first[0] - first[1]).abs().sum() / first[0].sum() < 0.1
    assert half.logprobs.dtype == torch.float32


def test_refresh_reads_the_weights_as_they_are_now(prompts: np.ndarray) -> None:
    shape = recipe.llama(16, 53, 64)
    model = build(shape, 0).eval()
    weights = Weights(model, shape)
    before = decode(weights, prompts, 8, seed=0)
    with torch.no_grad():
        model.lm_head.weight.mul_(-3)
    assert torch.equal(decode(weights, prompts, 8, seed=0).tokens, before.tokens)
    weights.refresh()
    assert not torch.equal(decode(weights, prompts, 8, seed=0).tokens, before.tokens)


def test_the_same_work_at_every_position_writes_the_same_tokens(
    weights: Weights, prompts: np.ndarray, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What a CUDA graph replays, here without a graph."""
    growing = decode(weights, prompts, 40, seed=2, group=5)
    monkeypatch.setattr(decoding, "STATIC", {"cpu"})
    fixed = decode(weights, prompts, 40, seed=2, group=5)
    assert torch.equal(fixed.tokens, growing.tokens)
    torch.testing.assert_close(fixed.logprobs, growing.logprobs, rtol=0, atol=1e-5)
    monkeypatch.setattr(decoding, "STATIC", set())
    alike = decode(weights, prompts[3:5], 40, seed=2)
    monkeypatch.setattr(decoding, "STATIC", {"cpu"})
    assert torch.equal(decode(weights, prompts[3:5], 40, seed=2).tokens, alike.tokens)
    again = decode(weights, prompts, 40, seed=2, group=5)
    assert torch.equal(again.tokens, fixed.tokens), "a step that is used again starts from what was read now"
    assert len(weights.steps) == 2


def test_a_step_that_was_made_reads_the_weights_as_they_are_now(
    prompts: np.ndarray, monkeypatch: pytest.MonkeyPatch
) -> None:
    shape = recipe.llama(16, 53, 64)
    model = build(shape, 0).eval()
    weights = Weights(model, shape)
    monkeypatch.setattr(decoding, "STATIC", {"cpu"})
    decode(weights, prompts, 20, seed=0)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(0.1 * torch.randn(parameter.shape, generator=torch.Generator().manual_seed(0)))
    weights.refresh()
    assert torch.equal(
        decode(weights, prompts, 20, seed=0).tokens, decode(Weights(model, shape), prompts, 20, seed=0).tokens
    )


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
def test_a_captured_step_writes_the_same_tokens(model: LlamaForCausalLM, prompts: np.ndarray) -> None:
    moved = build(recipe.llama(32, 53, 96), 0).eval()
    moved.load_state_dict(model.state_dict())
    found = decode(Weights(moved.cuda(), recipe.llama(32, 53, 96)), prompts, 40, seed=2, group=5)  # type: ignore[arg-type]
    here = decode(Weights(model, recipe.llama(32, 53, 96)), prompts, 40, seed=2, group=5)
    assert (found.tokens.cpu() == here.tokens).float().mean() > 0.99
