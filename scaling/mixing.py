"""Numbers scattered by a fixed rule: random-looking words that depend on what they are of, and on nothing else."""

import numpy as np
import numpy.typing as npt

Words = npt.NDArray[np.uint64]

GOLDEN = np.uint64(0x9E3779B97F4A7C15)
"""2^64 over the golden ratio, odd: the step of splitmix64."""


def mixed(words: Words) -> Words:
    """Each 64-bit word through splitmix64's finaliser, a bijection; any shape.

    Source: Steele, Lea and Flood 2014, "Fast splittable pseudorandom number generators" (mix variant 13).
    """
    x = words.astype(np.uint64)
    x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return np.asarray(x ^ (x >> np.uint64(31)))


def words_of(seed: int, index: npt.NDArray[np.integer], count: int, stream: int = 0) -> Words:
    """`count` random words of each index (R,), shape (R, count), that depend on (seed, stream, index, place) alone."""
    start = mixed(mixed(np.array([seed], dtype=np.uint64)) + np.uint64(stream))
    of_index = mixed(start + index.astype(np.uint64) * GOLDEN)
    place = np.arange(1, count + 1, dtype=np.uint64) * GOLDEN
    return mixed(of_index[:, None] + place)
