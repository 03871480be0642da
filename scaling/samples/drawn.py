"""Majority votes over random subsets, where all are too many.

The votes of a subset are drawn answer by answer from hypergeometric distributions, or sample by sample where more answers
can win than the subset has places: the cost grows with the fewer of the two, not with the samples.

Shapes: S subsets.
"""

import zlib

import numpy as np

from scaling.samples.checks import Array, Whole
from scaling.samples.tails import NEVER, nears


def draw_subsets(
    count: Whole, right: np.ndarray, samples: int, k: int, subsets: int, seed: int
) -> tuple[float, float]:
    """Return one problem's score at one k from S subsets without replacement, and its Monte Carlo standard error.

    `count` and `right` are the answers' votes, descending, and marks; the other samples abstain. The generator starts
    from the seed and what is given here: other problems and their order change nothing, equal votes share their luck.
    Answers that do not come near the leading one's least count are left out, where that errs by 4e-18 an answer
    (`tails`). Where only right or only wrong answers are left, and where k takes all samples, the score is exact and
    its error 0. Otherwise the error is that of a share, sqrt(p (1 - p) / S) with p = (S score + 1/2) / (S + 1): at least
    that of scores in [0, 1], and never 0.
    """
    if k == samples:
        top = count == count[0]
        return float(right[top].mean()), 0.0
    able, sure = contenders(count, samples, k)
    count, right = count[:able], right[:able]
    if sure and right.all() == right.any():
        return float(right.all()), 0.0
    draw = _one_by_one if able > k else _by_answer
    key = zlib.crc32(np.concatenate([count, right, [samples, k]]).astype("<i8").tobytes())
    won = draw(count, right, samples, k, subsets, np.random.default_rng([seed, key]))
    score = float(won.mean())
    p = (subsets * score + 0.5) / (subsets + 1)
    return score, float(np.sqrt(p * (1.0 - p) / subsets))


def contenders(count: Whole, samples: int, k: int) -> tuple[int, bool]:
    """How many answers, the most frequent first, can win in a subset of k, and whether one of them always has a vote."""
    exponents = nears(np.arange(1, k + 1), k, count[0] / samples)
    exceeded = int(np.searchsorted(exponents, -NEVER, side="right"))
    short = nears(exceeded + 1, k, count / samples) >= NEVER
    return int(len(count) - short.sum()), exceeded > 0


def _by_answer(
    count: Whole, right: np.ndarray, samples: int, k: int, subsets: int, rng: np.random.Generator
) -> Array:
    """Right answers' part of the win in each subset, (S,); answers with one vote are drawn together.

    A subset is done once no answer that is left comes near its winner: these have fewer votes, and are not drawn.
    """
    several, part = int(np.searchsorted(-count, -1)), np.zeros(subsets)
    open_ = np.arange(subsets)
    left, places = samples, np.full(subsets, k)
    most, winners, good = (
        np.zeros(subsets, np.int64),
        np.zeros(subsets, np.int64),
        np.zeros(subsets, np.int64),
    )
    for votes, correct in zip(count[:several].tolist(), right[:several].tolist(), strict=True):
        can = (most == 0) | (nears(most, places, votes / left) < NEVER)
        if not can.all():
            part[open_[~can]] = good[~can] / winners[~can]
            open_, places, most, winners, good = (
                values[can] for values in (open_, places, most, winners, good)
            )
        if not len(open_):
            return part
        drawn = rng.hypergeometric(votes, left - votes, places)
        left, places = left - votes, places - drawn
        more, equal = drawn > most, (drawn == most) & (drawn > 0)
        winners = np.where(more, 1, winners + equal)
        good = np.where(more, int(correct), good + (equal & correct))
        most = np.maximum(most, drawn)
    for correct in (True, False):
        ones = int((right[several:] == correct).sum())
        if ones:
            drawn = rng.hypergeometric(ones, left - ones, places)
            left, places = left - ones, places - drawn
            tied = np.where(most <= 1, drawn, 0)
            winners, good = winners + tied, good + tied * correct
    part[open_] = good / np.maximum(winners, 1)
    return part


def _one_by_one(
    count: Whole, right: np.ndarray, samples: int, k: int, subsets: int, rng: np.random.Generator
) -> Array:
    """Right answers' part of the win in each subset, (S,), from k distinct samples: repeats are drawn anew."""
    taken = rng.integers(samples, size=(subsets, k))
    while True:
        taken.sort(axis=1)
        again = np.zeros(taken.shape, dtype=bool)
        again[:, 1:] = taken[:, 1:] == taken[:, :-1]
        repeats = int(again.sum())
        if not repeats:
            break
        taken[again] = rng.integers(samples, size=repeats)
    answer = np.searchsorted(np.cumsum(count), taken, side="right")
    key = (np.arange(subsets)[:, None] * (len(count) + 1) + answer).ravel()  # sorted, as the samples are
    first = np.flatnonzero(np.diff(key, prepend=-1))
    drawn = np.diff(np.append(first, key.size))
    subset, answer = np.divmod(key[first], len(count) + 1)
    drawn[answer == len(count)] = 0
    most = np.zeros(subsets, np.int64)
    np.maximum.at(most, subset, drawn)
    winner = (drawn == most[subset]) & (drawn > 0)
    good = winner & np.append(right, False)[answer]
    winners, rights = (np.bincount(subset, weights=w, minlength=subsets) for w in (winner, good))
    part: Array = rights / np.maximum(winners, 1.0)
    return part
