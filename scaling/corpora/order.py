"""Seeded orders of windows: which window of the text is sample i, without state and without repeats."""

from functools import lru_cache

import numpy as np
import numpy.typing as npt

TRAIN_STREAM = 0x7472_6169_6E
"""Tag of random words that order or generate training rows."""
HELDOUT_STREAM = 0x6865_6C64
"""Tag of random words that order or generate held-out rows; no seed reaches them."""


def random_words(key: tuple[int, int], block: int, count: int) -> npt.NDArray[np.uint64]:
    """`count` raw 64-bit words of the Philox stream `key`, from its block of four words number `block` on.

    key: (seed, stream tag), each below 2^64; block: 0 .. 2^256 - 1. Raw words keep the same values in every numpy
    version (NEP 19), which numpy's distributions do not promise.
    Source: Salmon et al. 2011, "Parallel random numbers: as easy as 1, 2, 3".
    """
    return np.random.Philox(key=np.array(key, dtype=np.uint64), counter=block).random_raw(count)


@lru_cache(maxsize=4)
def _epoch(key: tuple[int, int], epoch: int, windows: int, length: int) -> tuple[int, npt.NDArray[np.int64]]:
    """Phase in 0..length-1 and permutation of the epoch's windows."""
    words = random_words(key, epoch << 128, windows + 1)
    order = np.argsort(words[1:], kind="stable")
    order.flags.writeable = False
    return int(words[0] % np.uint64(length)), order


def count_windows(tokens: int, length: int) -> int:
    """Windows of length + 1 tokens that one epoch over `tokens` tokens gives, whatever its phase.

    Window w of phase f covers tokens f + w*length .. f + (w+1)*length: neighbours share one token, which is the
    last target of one and the first input of the next, so every token is a target at most once an epoch.
    """
    return max(0, (tokens - length) // length)


def window_starts(
    key: tuple[int, int], first: int, rows: int, tokens: int, length: int
) -> npt.NDArray[np.int64]:
    """Start offsets of samples first .. first + rows - 1 in the endless seeded order. Shape [rows].

    Sample i belongs to epoch i // windows. Each epoch visits all its windows once, in its own seeded order and
    shifted by its own seeded phase, so no window repeats within an epoch. Needs count_windows(...) >= 1.
    """
    windows = count_windows(tokens, length)
    samples = np.arange(first, first + rows)
    starts = np.empty(rows, dtype=np.int64)
    for epoch in range(first // windows, (first + rows - 1) // windows + 1):
        phase, order = _epoch(key, epoch, windows, length)
        inside = samples // windows == epoch
        starts[inside] = phase + order[samples[inside] - epoch * windows] * length
    return starts
