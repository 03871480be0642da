"""Orders of windows: no repeats within an epoch, a new order and phase for the next."""

import numpy as np
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from scaling.corpora.order import count_windows, random_words, window_starts

LENGTHS = st.integers(1, 40)
SEEDS = st.integers(0, 2**64 - 1)


@settings(max_examples=100, deadline=None)
@given(seed=SEEDS, tokens=st.integers(2, 2000), length=LENGTHS, epoch=st.integers(0, 5))
def test_an_epoch_visits_each_window_once(seed: int, tokens: int, length: int, epoch: int) -> None:
    windows = count_windows(tokens, length)
    assume(windows > 0)
    starts = np.sort(window_starts((seed, 1), epoch * windows, windows, tokens, length))
    assert starts[0] >= 0
    assert starts[-1] + length + 1 <= tokens
    np.testing.assert_array_equal(np.diff(starts), length)
    assert starts[0] < length  # and at most length tokens stay out at either end
    assert tokens - (starts[-1] + length) <= 2 * length


@settings(max_examples=50, deadline=None)
@given(
    seed=SEEDS,
    tokens=st.integers(50, 500),
    length=LENGTHS,
    first=st.integers(0, 500),
    rows=st.integers(1, 300),
)
def test_any_stretch_of_the_order_is_the_same_order(
    seed: int, tokens: int, length: int, first: int, rows: int
) -> None:
    assume(count_windows(tokens, length) > 0)
    whole = window_starts((seed, 1), 0, first + rows, tokens, length)
    np.testing.assert_array_equal(window_starts((seed, 1), first, rows, tokens, length), whole[first:])


def test_epochs_and_seeds_differ_in_order_and_phase() -> None:
    windows = count_windows(10_000, 16)
    orders = [
        window_starts((seed, 1), e * windows, windows, 10_000, 16) for seed in range(4) for e in range(4)
    ]
    assert len({order.tobytes() for order in orders}) == 16
    assert len({order[0] % 16 for order in orders}) > 4


def test_a_position_of_the_order_is_uniform() -> None:
    firsts = np.array([window_starts((seed, 1), 0, 1, 1700, 100)[0] // 100 for seed in range(1600)])
    counts = np.bincount(firsts, minlength=16)
    assert ((counts - 100) ** 2 / 100).sum() < 37.7  # chi-squared, 15 degrees of freedom, .999


def test_words_can_be_entered_anywhere() -> None:
    words = random_words((3, 4), 0, 64)
    np.testing.assert_array_equal(random_words((3, 4), 5, 20), words[20:40])
    assert not np.isin(random_words((3, 5), 0, 64), words).any()
