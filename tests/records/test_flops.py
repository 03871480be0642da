"""What an RL step is expected to cost, against the ledger's pieces."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scaling.records.flops import (
    decode_flops,
    forward_flops_per_sequence,
    forward_flops_per_token,
    prefill_flops,
    rl_step_flops,
)
from scaling.records.recipe import llama

MODEL = llama(64, 53, context=128)


@given(st.integers(1, 30), st.integers(2, 16), st.integers(1, 20), st.integers(1, 64), st.floats(0, 1))
def test_an_rl_step_is_the_sum_of_its_completions(
    prompts: int, group: int, prompt: int, tokens: int, kept: float
) -> None:
    written = sum(decode_flops(MODEL, context) for context in range(prompt + 1, prompt + tokens))
    learned = 3 * forward_flops_per_sequence(MODEL, prompt + tokens - 1)
    each = prefill_flops(MODEL, prompt) + group * written + kept * group * learned
    assert rl_step_flops(MODEL, prompts, group, prompt, tokens, kept) == pytest.approx(prompts * each)


def test_a_sequence_as_long_as_the_context_costs_what_its_tokens_do() -> None:
    whole = forward_flops_per_sequence(MODEL, MODEL.context)
    assert whole == forward_flops_per_token(MODEL) * MODEL.context


def test_more_of_anything_costs_more() -> None:
    least = rl_step_flops(MODEL, 24, 16, 7, 30, 0.5)
    for more in (
        (25, 16, 7, 30, 0.5),
        (24, 17, 7, 30, 0.5),
        (24, 16, 8, 30, 0.5),
        (24, 16, 7, 31, 0.5),
        (24, 16, 7, 30, 0.6),
    ):
        assert rl_step_flops(MODEL, *more) > least
