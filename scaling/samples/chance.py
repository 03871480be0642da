"""What a guesser gets, and scores above it: for tasks with few possible answers."""

from typing import Any, Literal

import numpy as np

from scaling.errors import InputError
from scaling.samples import checks
from scaling.samples.checks import Array

Method = Literal["pass", "majority", "best_of"]


def chance_corrected(score: Any, chance: Any) -> Array:
    """Return (score - chance) / (1 - chance): 0 for a guesser, 1 for a score of 1.

    `score` and `chance` are shares and broadcast; chance lies in [0, 1). A score below chance comes out negative and
    stays so: cut off at 0, noise about chance would average to more than nothing. The correction is linear: it may be
    taken of problems or of their mean, if chance is the same. For pass@k give the chance of k guesses (`chance_at_k`):
    where a sample knows the answer with probability q and else guesses, 1 - pass@k = (1 - q)^k (1 - chance)^k, and
    what is left is 1 - (1 - q)^k.

    Raises InputError for a score or a chance that is no share, and for a chance of 1, which leaves nothing above it.
    """
    scores, floor = _shares("score", score), _chances(chance)
    try:
        corrected: Array = (scores - floor) / (1.0 - floor)
    except ValueError:
        raise InputError(
            f"score has shape {scores.shape} and chance {floor.shape}; give one chance for each score"
        ) from None
    return corrected


def chance_at_k(chance: Any, k: Any, method: Method) -> Array:
    """Return what independent blind guesses score, each right with probability `chance`, k at a time.

    pass: 1 - (1 - chance)^k, at least one is right. majority: chance, for guesses spread evenly over the answers: each
    is as likely as the others to win, also after ties. (A guesser with a favourite ends at whether that one is right:
    chance too, on average over problems whose right answers are spread evenly.) best_of: chance, for a verifier that
    knows nothing; one that always knows has pass's floor. chance and k broadcast; chance lies in [0, 1), k from 1 on.

    Raises InputError for a chance that is none, k that is no whole number from 1, and another method.
    """
    floor = _chances(chance)
    sizes = checks.whole("k", k, "give a whole number, 1 or more")
    if (sizes < 1).any():
        raise InputError(f"k is {sizes.min()}; give a whole number, 1 or more")
    if method not in ("pass", "majority", "best_of"):
        raise InputError(f"method is {checks.said(method)}; give pass, majority or best_of")
    floor, sizes = np.broadcast_arrays(floor, sizes)
    return -np.expm1(sizes * np.log1p(-floor)) if method == "pass" else floor.copy()


def _shares(what: str, given: Any) -> Array:
    try:
        numbers = np.asarray(given, dtype=np.float64)
    except (TypeError, ValueError):
        raise InputError(f"{what} is {checks.said(given)}; give a share from 0 to 1") from None
    wrong = ~((numbers >= 0) & (numbers <= 1))
    if wrong.any():
        raise InputError(f"{what} is {numbers[wrong].flat[0]:g}; give a share from 0 to 1")
    return numbers


def _chances(given: Any) -> Array:
    numbers = _shares("chance", given)
    if (numbers == 1).any():
        raise InputError("chance is 1; give a share below 1: nothing is left above it")
    return numbers
