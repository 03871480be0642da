"""Santa Fe: a generated language whose entropy and scaling laws are known in closed form.

A sentence states one fact: LEVEL_l, the key's l bits as base-16 digits (most significant first), VALUE_z.
    P(l) = (1 - 2^-a) 2^(-a l) for l = 0..39, level 40 takes the rest of the tail: P(40) = 2^(-40 a)
    key u uniform on 0..2^l - 1;  z = hash(l, u) with probability 1 - eps, else uniform on 0..M-1
The 2^l facts of level l have probability P(l) / 2^l each: the n = 2^L - 1 commonest are the levels below L.
Token ids: levels 0..40, digits 41..56, values 57..72. Shape legend: R rows, S sentences a row.
"""

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from scaling.corpora.corpus import Corpus, Ready
from scaling.corpora.order import HELDOUT_STREAM, TRAIN_STREAM, random_words
from scaling.errors import InputError
from scaling.mixing import GOLDEN, mixed

GENERATOR = 1
"""Version of the generator: a change of any generated token changes it, and with it the corpus hash."""
DEFAULT_A = 0.5
"""Exponent of the reference values."""
TOP_LEVEL = 40
"""The deepest level; it absorbs the tail."""
M = 16
"""Number of values."""
EPS = 0.05
"""Probability that the value is drawn at random (and then may still be the true one)."""
DIGIT_BITS = 4
"""Bits a digit token."""
FIRST_DIGIT = TOP_LEVEL + 1
FIRST_VALUE = FIRST_DIGIT + 2**DIGIT_BITS
VOCABULARY = FIRST_VALUE + M

LEVELS = np.arange(TOP_LEVEL + 1)
DIGITS = -(-LEVELS // DIGIT_BITS)
"""Digit tokens of a key, by level: its bits over four, rounded up."""
SENTENCE_TOKENS = 2 + DIGITS
"""Tokens of a sentence, by level."""


def level_probabilities(a: float = DEFAULT_A) -> npt.NDArray[np.float64]:
    """P(l), shape [41]; sums to 1. Raises InputError for an exponent outside .1 .. 4."""
    if not 0.1 <= a <= 4:
        raise InputError(f"santa_fe: exponent {a} must lie in .1 .. 4; the reference values use .5")
    probabilities = (1 - 2.0**-a) * 2.0 ** (-a * LEVELS)
    probabilities[-1] = 2.0 ** (-a * TOP_LEVEL)
    return np.asarray(probabilities)


def true_values(levels: npt.NDArray[np.uint64], keys: npt.NDArray[np.uint64]) -> npt.NDArray[np.uint64]:
    """hash(l, u) in 0..15: the top four bits of splitmix64's output number 2^l + u from state 0.

    2^l + u numbers the facts from 1. levels, keys and result have one shape.
    Source: Steele, Lea and Flood 2014, "Fast splittable pseudorandom number generators" (mix variant 13).
    """
    number = (np.uint64(1) << levels) + keys
    return np.asarray(mixed(number * GOLDEN) >> np.uint64(60))


def generate(a: float, key: tuple[int, int], first: int, rows: int, length: int) -> npt.NDArray[np.int64]:
    """Samples first .. first + rows - 1 of stream `key`: sentences packed from the row's start, the last one cut.

    Sample i uses random words i*W .. (i+1)*W - 1 of the stream, three a sentence (level, key, noise), with W
    enough for a row of the shortest sentences: rows do not depend on how they are batched.
    Returns shape [rows, length + 1].
    """
    sentences = length // 2 + 1
    blocks = -(-3 * sentences // 4)
    words_RS = random_words(key, first * blocks, rows * blocks * 4).reshape(rows, -1)[:, : 3 * sentences]
    level_words, key_words, noise_words = np.moveaxis(words_RS.reshape(rows, sentences, 3), 2, 0)
    cumulative = np.cumsum(level_probabilities(a))[:-1]
    levels_RS = np.searchsorted(cumulative, (level_words >> np.uint64(11)) * 2.0**-53, side="right")
    tokens_RS = SENTENCE_TOKENS[levels_RS]
    starts_RS = np.cumsum(tokens_RS, axis=1) - tokens_RS
    row, sentence = np.nonzero(starts_RS <= length)
    levels, starts = levels_RS[row, sentence], starts_RS[row, sentence]
    # The top l of 63 bits: a shift by 64, which is undefined, never comes up.
    keys = (key_words[row, sentence] >> np.uint64(1)) >> (63 - levels).astype(np.uint64)
    noise = noise_words[row, sentence]
    noisy = (noise >> np.uint64(11)) * 2.0**-53 < EPS
    values = np.where(noisy, noise & np.uint64(M - 1), true_values(levels.astype(np.uint64), keys))

    out = np.empty((rows, length + 1 + SENTENCE_TOKENS[-1]), dtype=np.int64)
    out[row, starts] = levels
    for digit in range(DIGITS[-1]):
        some = np.nonzero(DIGITS[levels] > digit)[0]
        shift = ((DIGITS[levels[some]] - 1 - digit) * DIGIT_BITS).astype(np.uint64)
        out[row[some], starts[some] + 1 + digit] = FIRST_DIGIT + (keys[some] >> shift & np.uint64(15)).astype(
            np.int64
        )
    out[row, starts + 1 + DIGITS[levels]] = FIRST_VALUE + values.astype(np.int64)
    return np.ascontiguousarray(out[:, : length + 1])


@dataclass(frozen=True)
class ReadySantaFe(Ready):
    """The language with its exponent fixed; rows are generated as they are asked for."""

    a: float
    """Exponent of the level probabilities."""

    def _batch(self, seed: int, first: int, rows: int, length: int) -> npt.NDArray[np.int64]:
        return generate(self.a, (seed, TRAIN_STREAM), first, rows, length)

    def heldout_windows(self, length: int) -> None:
        """None: sentences are generated without end."""

    def _heldout(self, rows: int, length: int) -> npt.NDArray[np.int64]:
        return generate(self.a, (0, HELDOUT_STREAM), 0, rows, length)


@dataclass(frozen=True)
class SantaFe(Corpus):
    """Facts of a language with known entropy and scaling laws, without end."""

    a: float = DEFAULT_A
    """Exponent of the level probabilities: P(level >= l) = 2^(-a l)."""

    def __post_init__(self) -> None:
        level_probabilities(self.a)

    @property
    def name(self) -> str:
        """`santa_fe`, or `santa_fe:a` for another exponent."""
        return "santa_fe" if self.a == DEFAULT_A else f"santa_fe:{self.a!r}"

    @property
    def description(self) -> str:
        """One line for the list of corpora."""
        return "generated facts with entropy and scaling laws known in closed form (santa_fe:A: another exponent)"

    def with_argument(self, argument: str) -> "SantaFe":
        """The language with the exponent that `argument` names."""
        try:
            return SantaFe(float(argument))
        except ValueError as error:
            if isinstance(error, InputError):
                raise
            raise InputError(
                f"santa_fe:{argument}: the exponent must be a number, for example santa_fe:0.8"
            ) from error

    def prepare(self, cache: Path | None = None) -> ReadySantaFe:
        """The ready language; needs no cache. Its sha256 is that of its definition."""
        del cache
        definition = {"language": "santa_fe", "generator": GENERATOR, "a": self.a, "M": M, "eps": EPS}
        definition |= {"top_level": TOP_LEVEL, "digit_bits": DIGIT_BITS}
        return ReadySantaFe(
            name=self.name,
            sha256=hashlib.sha256(json.dumps(definition, sort_keys=True).encode()).hexdigest(),
            vocabulary=VOCABULARY,
            train_tokens=None,
            bytes_per_token=None,
            a=self.a,
        )
