"""The generated language is the defined one, and stays what it is."""

import hashlib
from collections.abc import Callable

import numpy as np
import pytest

from scaling.corpora import SantaFe, santa_fe
from scaling.corpora.santa_fe import true_values


def test_the_generator_is_pinned() -> None:
    """A change of these hashes changes every run on this corpus: raise GENERATOR with it."""
    ready = SantaFe().prepare()
    assert santa_fe.GENERATOR == 1
    assert ready.sha256 == "b600fb938dfacb8c7bc5f87a08d4f74c7979537cf449b5a164dfe0a663ad915b"
    tokens = np.concatenate([ready.batch(7, step, 8, 300) for step in range(20)] + [ready.heldout(50, 300)])
    assert (
        hashlib.sha256(tokens.astype("<i8").tobytes()).hexdigest()
        == "b9c8e6a3d02d6e266d3682ca9349cbfe735f6106531ae483c39781ed02826558"
    )


def test_splitmix64_gives_its_published_outputs() -> None:
    """First outputs from state 0: e220a8397b1dcdaf, 6e789e6aa1b965f4, 06c45d188009454f (Vigna's splitmix64.c)."""
    levels, keys = np.array([0, 1, 1], dtype=np.uint64), np.array([0, 0, 1], dtype=np.uint64)
    assert true_values(levels, keys).tolist() == [0xE, 0x6, 0x0]


def test_the_values_of_facts_are_spread_evenly() -> None:
    for level in (10, 20):
        keys = np.arange(2**level, dtype=np.uint64)
        counts = np.bincount(true_values(np.full_like(keys, level), keys).astype(np.int64), minlength=16)
        expected = len(keys) / 16
        assert ((counts - expected) ** 2 / expected).sum() < 37.7  # chi-squared, 15 degrees of freedom, .999


@pytest.mark.parametrize("a", [0.5, 1.0])
def test_rows_are_sentences_of_the_language(a: float, read: Callable) -> None:
    rows = SantaFe(a).prepare().batch(0, 0, 400, 500)
    found = read(rows)
    assert (rows[:, 0] < 41).all()
    assert (found.key < 2**found.level).all()
    tokens = 2 + (found.level + 3) // 4
    same_row = np.diff(found.row) == 0
    np.testing.assert_array_equal(np.diff(found.start)[same_row], tokens[:-1][same_row])


@pytest.mark.parametrize("a", [0.5, 1.0])
def test_levels_keys_and_noise_have_their_probabilities(a: float, read: Callable) -> None:
    """Only sentences that start early in a row: near its end the long ones are cut and would be missing."""
    rows = SantaFe(a).prepare().batch(1, 0, 4000, 120)
    found = read(rows)
    early = found.start < 100
    level, key, value = found.level[early], found.key[early], found.value[early]
    count = len(level)
    for low in range(8):
        share = (level >= low).mean()
        assert abs(share - 2 ** (-a * low)) < 4 * np.sqrt(2 ** (-a * low) / count)
    for at in (1, 3, 5):
        keys = np.bincount(key[level == at], minlength=2**at)
        expected = keys.sum() / 2**at
        assert ((keys - expected) ** 2 / expected).sum() < 2**at + 4 * np.sqrt(2 * 2**at)
    right = value == true_values(level.astype(np.uint64), key.astype(np.uint64))
    assert abs(right.mean() - (1 - 0.05 * 15 / 16)) < 4 * np.sqrt(0.047 * 0.953 / count)
    wrong = (value - true_values(level.astype(np.uint64), key.astype(np.uint64)).astype(np.int64))[
        ~right
    ] % 16
    counts = np.bincount(wrong, minlength=16)[1:]
    assert ((counts - counts.mean()) ** 2 / counts.mean()).sum() < 36.1  # 14 degrees of freedom, .999


def test_the_deepest_level_can_be_written(read: Callable) -> None:
    rows = SantaFe(0.1).prepare().batch(0, 0, 400, 400)
    found = read(rows)
    deepest = found.level == 40
    assert abs((found.level[found.start < 380] == 40).mean() - 2**-4) < 0.01
    assert 2**39 < found.key[deepest].max() < 2**40


def test_training_and_held_out_rows_are_different_text() -> None:
    ready = SantaFe().prepare()
    train = {row.tobytes() for row in ready.batch(0, 0, 200, 100)}
    assert not train & {row.tobytes() for row in ready.heldout(200, 100)}


def test_other_exponents_are_other_corpora() -> None:
    assert SantaFe(0.5).prepare().sha256 != SantaFe(0.8).prepare().sha256
    assert SantaFe(0.5).name == "santa_fe"
    assert SantaFe(0.8).name == "santa_fe:0.8"
