"""What is known of Santa Fe in closed form: its entropy, and the excess loss of knowing too little of it.

Notation: P(l) level probabilities, p_l = P(l) / 2^l probability of one fact of level l, T mean tokens of a
sentence, delta = ln M - H_noise nats lost on a value whose fact is unknown. Losses in nats per token.
"""

import math

import numpy as np

from scaling.corpora.santa_fe import (
    DEFAULT_A,
    DIGIT_BITS,
    DIGITS,
    EPS,
    LEVELS,
    SENTENCE_TOKENS,
    TOP_LEVEL,
    M,
    level_probabilities,
)
from scaling.errors import InputError

RIGHT = 1 - EPS + EPS / M
"""Probability of the true value."""
WRONG = EPS / M
"""Probability of each of the M - 1 other values."""
NOISE_ENTROPY = -RIGHT * math.log(RIGHT) - (M - 1) * WRONG * math.log(WRONG)
"""H_noise: nats of a value when its fact is known."""
DELTA = math.log(M) - NOISE_ENTROPY
"""delta: excess nats of a value when its fact is unknown and all values look alike."""


def mean_sentence_tokens(a: float = DEFAULT_A) -> float:
    """T = sum_l P(l) (2 + ceil(l / 4)), tokens."""
    return float(level_probabilities(a) @ SENTENCE_TOKENS)


def entropy(a: float = DEFAULT_A) -> float:
    """E = (H(l) + E[l] ln 2 + H_noise) / T, nats per token; 1.377664 for a = .5.

    Sentences are independent: the entropy of one is that of its level, of its key given the level (l ln 2) and of
    its value given the fact. Their borders can be read off: the rate per token is that sum over the mean length.
    """
    probabilities = level_probabilities(a)
    level_entropy = -probabilities @ np.log(probabilities)
    key_entropy = probabilities @ LEVELS * math.log(2)
    return float((level_entropy + key_entropy + NOISE_ENTROPY) / mean_sentence_tokens(a))


def entropy_of_rows(length: int, a: float = DEFAULT_A) -> float:
    """Mean nats per target of the `length` targets of a row; tends to E as E + O(1 / length).

    A row starts with a level token that is input only, and its last sentence is cut, so a perfect model scores
    this on rows and not E. With u_t the probability that a sentence starts at token t (u_0 = 1,
    u_t = sum_l P(l) u_(t - tokens_l)) and h_k the mean entropy of a sentence's token k, zero past its end,
    the entropy of token t is sum_k u_(t-k) h_k. Raises InputError for length < 1.
    """
    if length < 1:
        raise InputError(f"entropy_of_rows: length {length} must be at least 1")
    probabilities = level_probabilities(a)
    starts = np.zeros(length + 1)
    starts[0] = 1.0
    for t in range(1, length + 1):
        fits = t >= SENTENCE_TOKENS
        starts[t] = probabilities[fits] @ starts[t - SENTENCE_TOKENS[fits]]
    token_entropy = np.zeros(SENTENCE_TOKENS[-1])
    token_entropy[0] = -probabilities @ np.log(probabilities)
    for level, digits in enumerate(DIGITS):
        first_bits = level - DIGIT_BITS * (digits - 1)
        bits = np.array([first_bits] + [DIGIT_BITS] * (digits - 1))[:digits]
        token_entropy[1 : 1 + digits] += probabilities[level] * bits * math.log(2)
        token_entropy[1 + digits] += probabilities[level] * NOISE_ENTROPY
    return float(np.convolve(starts, token_entropy)[1 : length + 1].mean())


def excess_of_facts(n: float, a: float = DEFAULT_A) -> float:
    """Excess nats per token of knowing exactly the n commonest facts: delta (n + 1)^-a / T.

    The n = 2^L - 1 commonest facts are the levels below L; a sentence falls on another one with probability
    P(level >= L) = 2^(-a L) = (n + 1)^-a and then loses delta. Exact for n = 2^L - 1; a power law between.
    Raises InputError for n outside 0 .. 2^40 - 1.
    """
    if not 0 <= n < 2**TOP_LEVEL:
        raise InputError(f"excess_of_facts: n = {n} must lie in 0 .. 2^{TOP_LEVEL} - 1")
    return float(DELTA * (n + 1) ** -a / mean_sentence_tokens(a))


def excess_of_tokens(tokens: float, a: float = DEFAULT_A) -> float:
    """Expected excess nats per token of an ideal memoriser after `tokens` tokens.

    delta / T * sum_l P(l) (1 - p_l)^S with S = tokens / T sentences: it knows every fact that it has met at least
    once, and a fact of level l has escaped S sentences with probability (1 - p_l)^S. The border between known
    and unknown lies at p_l S ~ 1, so 2^(l (1 + a)) ~ S, and P(level >= l) ~ 2^(-a l) ~ S^(-a / (1 + a)).
    Raises InputError for negative tokens.
    """
    if tokens < 0:
        raise InputError(f"excess_of_tokens: {tokens} tokens; must be 0 or more")
    probabilities = level_probabilities(a)
    sentences = tokens / mean_sentence_tokens(a)
    unmet = np.exp(sentences * np.log1p(-probabilities / 2.0**LEVELS))
    return float(DELTA / mean_sentence_tokens(a) * (probabilities @ unmet))


def exponents(a: float = DEFAULT_A) -> tuple[float, float]:
    """Exponents of the excess in facts known and, asymptotically, in tokens read: (a, a / (1 + a)); (.5, 1/3)."""
    return a, a / (1 + a)
