"""A learner of Santa Fe that only counts: its exact loss at any capacity and any number of tokens, in a moment.

It knows the language (levels, keys, noise) but not the facts. Of the facts of the levels below its capacity it
counts the values it has seen and predicts by Bayes' rule from a flat prior; of the others it knows nothing and
calls all values alike. With c_v sightings of value v for a fact, right = 1 - eps + eps / M, wrong = eps / M and
r = right / wrong, it predicts
    P(v) = wrong + (1 - eps) r^c_v / sum_w r^c_w
and loses, over the entropy of the noise, the divergence of that from the truth
    K(c) = right ln(right / P(true)) + sum of wrong ln(wrong / P(v)) over the other values.
Being Bayes-optimal it never loses more, on average, than not knowing (K(0) = delta). The mean of K falls like
exp(-.85 x expected sightings), so its exponents are the ideal memoriser's: a in facts, a / (1 + a) in tokens.
As the learner does not know the hash, the true value may stand at index 0 and no token need be drawn: what a
fact's counts can be depends on the number of its sightings alone.
Shape legend: L capacities, D numbers of tokens, K facts of one level, M values.
"""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from scaling.corpora.santa_fe import DEFAULT_A, EPS, LEVELS, SENTENCE_TOKENS, M, level_probabilities
from scaling.corpora.santa_fe_laws import DELTA, RIGHT, WRONG, mean_sentence_tokens
from scaling.errors import InputError

MAX_LEVELS = 24
"""Largest capacity: 2^24 facts of 16 counts are a gigabyte."""
SETTLED = 40.0
"""Expected sightings from which a level's facts count as known: what they still lose is below 1e-13 nats."""


def predict(counts_KM: npt.NDArray[np.integer]) -> npt.NDArray[np.float64]:
    """Log-probability ln P(v) of each value of facts with such counts, shape [K, M]."""
    behind_KM = counts_KM.max(axis=1, keepdims=True) - counts_KM
    weight_KM = np.exp(-np.log(RIGHT / WRONG) * behind_KM)
    return np.asarray(np.log(WRONG + (1 - EPS) * weight_KM / weight_KM.sum(axis=1, keepdims=True)))


def value_excess(counts_KM: npt.NDArray[np.integer]) -> npt.NDArray[np.float64]:
    """K(c): expected excess nats on the value of facts with such counts, the true value at index 0. Shape [K]."""
    above_KM = predict(counts_KM) - np.log(WRONG)
    return np.asarray(RIGHT * (np.log(RIGHT / WRONG) - above_KM[:, 0]) - WRONG * above_KM[:, 1:].sum(axis=1))


def excess(
    levels: Sequence[int], tokens: Sequence[float], seed: int, a: float = DEFAULT_A
) -> npt.NDArray[np.float64]:
    """Excess nats per token of one learner's stream of text, at each capacity and number of tokens. Shape [L, D].

    levels: capacities; with capacity L it counts the levels below L, the n = 2^L - 1 commonest facts.
    tokens: increasing; the counts at one are those at the one before and what came since, as in one training run.
    The loss is exact given the counts: (sum_l<L P(l) mean_u K(c_lu) + delta 2^(-a L)) / T. Different capacities
    share their counts too: for learners that read text of their own, call with one capacity and a seed each.
    Raises InputError for capacities outside 0 .. 24 or tokens that are not positive and increasing.
    """
    if not levels or min(levels) < 0 or max(levels) > MAX_LEVELS:
        raise InputError(f"counting learner: capacities {list(levels)} must be levels in 0 .. {MAX_LEVELS}")
    if not len(tokens) or tokens[0] <= 0 or np.any(np.diff(tokens) <= 0):
        raise InputError(f"counting learner: tokens {list(tokens)} must be positive and increasing")
    rng = np.random.default_rng(seed)
    sentences = np.rint(np.asarray(tokens) / mean_sentence_tokens(a)).astype(np.int64)
    sightings_DL = rng.multinomial(np.diff(sentences, prepend=0), level_probabilities(a))
    lost_DL = np.zeros((len(tokens), max(levels) + 1))
    for level in range(max(levels)):
        lost_DL[:, level + 1] = (
            _level_excess(level, sightings_DL[:, level], rng) * level_probabilities(a)[level]
        )
    unknown_L = DELTA * 2.0 ** (-a * np.asarray(levels))
    return np.asarray((np.cumsum(lost_DL, axis=1)[:, list(levels)] + unknown_L).T / mean_sentence_tokens(a))


def measure(
    level: int, tokens: float, heldout_tokens: float, seed: int, a: float = DEFAULT_A
) -> tuple[float, float]:
    """Loss of one run and its standard error, nats per token, on a held-out sample of the run's own.

    The learner of capacity `level` reads its own `tokens` tokens and is scored on sentences that nobody else sees,
    so the losses of two runs are independent, which resampling runs in pairs takes for granted. The loss is nats
    over tokens of the sample (a ratio, with its usual standard error), and its mean is entropy + excess.
    Raises InputError for a capacity outside 0 .. 24 or a sample below 1000 tokens.
    """
    if not 0 <= level <= MAX_LEVELS or tokens <= 0 or heldout_tokens < 1000:
        raise InputError(
            f"counting learner: capacity {level} must be a level in 0 .. {MAX_LEVELS}, tokens {tokens} positive, "
            f"heldout_tokens {heldout_tokens} at least 1000"
        )
    rng = np.random.default_rng(seed)
    sentences = np.rint(np.array([tokens, heldout_tokens]) / mean_sentence_tokens(a)).astype(np.int64)
    train_L, held_L = rng.multinomial(sentences, level_probabilities(a))
    value_L = np.array([np.log(M), np.log(M) ** 2])[:, None] * held_L
    for i in range(level):
        value_L[:, i] = _level_nats(i, train_L[i], held_L[i], rng)
    rest_L = LEVELS * np.log(2) - np.log(level_probabilities(a))
    loss = (value_L[0] + held_L * rest_L).sum() / (held_L @ SENTENCE_TOKENS)
    gap_L = rest_L - loss * SENTENCE_TOKENS
    squares = (value_L[1] + 2 * gap_L * value_L[0] + held_L * gap_L**2).sum()
    return float(loss), float(np.sqrt(squares) / (held_L @ SENTENCE_TOKENS))


def _see(counts_KM: npt.NDArray[np.int32], sightings: int, rng: np.random.Generator) -> None:
    """Count that many sentences of a level, in place."""
    fact, value = _draw(len(counts_KM), sightings, rng)
    right = value == 0
    counts_KM[:, 0] += np.bincount(fact[right], minlength=len(counts_KM))
    np.add.at(counts_KM, (fact[~right], value[~right]), 1)


def _draw(
    facts: int, sightings: int, rng: np.random.Generator
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Facts and values of that many sentences of a level."""
    noise = rng.random(sightings) < EPS
    return rng.integers(facts, size=sightings), np.where(noise, rng.integers(M, size=sightings), 0)


def _level_excess(
    level: int, sightings_D: npt.NDArray[np.int64], rng: np.random.Generator
) -> npt.NDArray[np.float64]:
    """Mean K over the facts of a level after each number of its sightings, shape [D]."""
    counts_KM = np.zeros((2**level, M), dtype=np.int32)
    excess_D = np.zeros(len(sightings_D))
    for i, new in enumerate(sightings_D):
        if sightings_D[: i + 1].sum() > SETTLED * len(counts_KM):
            break
        _see(counts_KM, new, rng)
        # Nearly all facts have seen at most one wrong value, and then two numbers say it all.
        wrong_K = counts_KM[:, 1:].sum(axis=1)
        messy_K = wrong_K > 1
        clean = _clean_excess(int(counts_KM[:, 0].max()))[wrong_K[~messy_K], counts_KM[~messy_K, 0]]
        excess_D[i] = (clean.sum() + value_excess(counts_KM[messy_K]).sum()) / len(counts_KM)
    return excess_D


def _clean_excess(most: int) -> npt.NDArray[np.float64]:
    """K of facts with 0 or 1 wrong value seen (rows) and 0 .. most right ones (columns)."""
    counts_KM = np.zeros((2 * (most + 1), M), dtype=np.int32)
    counts_KM[:, 0] = np.tile(np.arange(most + 1), 2)
    counts_KM[most + 1 :, 1] = 1
    return value_excess(counts_KM).reshape(2, most + 1)


def _level_nats(level: int, seen: int, held: int, rng: np.random.Generator) -> tuple[float, float]:
    """Sum and sum of squares of the nats of `held` held-out values of a level seen `seen` times."""
    facts = 2**level
    if seen > SETTLED * facts:
        right = rng.binomial(held, RIGHT)
        nats = -np.log([RIGHT, WRONG])
        return right * nats[0] + (held - right) * nats[1], right * nats[0] ** 2 + (held - right) * nats[
            1
        ] ** 2
    counts_KM = np.zeros((facts, M), dtype=np.int32)
    _see(counts_KM, seen, rng)
    fact, value = _draw(facts, held, rng)
    if held > facts:
        lost = -predict(counts_KM)[fact, value]
    else:
        lost = -predict(counts_KM[fact])[np.arange(held), value]
    return float(lost.sum()), float(lost @ lost)
