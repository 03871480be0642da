"""The numbers game: an expression that takes each of n numbers exactly once and comes to the target.

Every value on the way is a whole number from 0; division leaves no remainder. Many answers are right, so the verifier works
out the one given (`expressions`). Traces that show a search: Gandhi et al. 2024, arXiv:2404.03683. Shapes: R problems, n
numbers, M tries.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from scaling.mixing import Words, mixed, words_of
from scaling.tasks.arithmetic import written
from scaling.tasks.expressions import DIGITS, MOST, played, told, wording, worked_out
from scaling.tasks.task import PAD, Task, Whole, encoded, terminal_answer, to_the_left

LARGEST = 25
"""Numbers are 1 to this."""
TRIES = 256
"""Random expressions of a problem, of whose values one is the target."""
SHOWN = 7
"""Most tries that fail in a trace."""
KEY_BITS = 48
_BLOCK = 512
"""Problems worked out at a time: 1 MB an array."""


class Countdown(Task):
    """N numbers from 1 to 25; the key is what they, and the expression that gives the target, are drawn from.

    The target is uniform over the different values of 256 random expressions in the numbers. Problems with the same numbers
    are all held out or none.
    """

    name = "countdown"
    version = 2
    difficulties = range(3, 7)
    budgets = ("1", "2", "direct")
    taught = ("1", "2", "direct")
    only_answer = False

    def count(self, difficulty: int) -> int:
        """2^48 keys; of few numbers many are one problem."""
        return int(2**KEY_BITS)

    def chance(self, difficulty: int) -> float:
        """A bound for every answer that does not depend on the target, whoever reads the numbers included; rounded up.

        The target is one of D values alike, so that given the numbers none has a probability above the mean of 1 / D. This
        is that mean over problems, measured (the tests do so again).
        """
        return {3: 0.062, 4: 0.0140, 5: 0.0075, 6: 0.0060}[difficulty]

    def drawn(self, words: Words, difficulty: int) -> Whole:
        """The upper bits."""
        return np.asarray((words >> np.uint64(64 - KEY_BITS)).astype(np.int64))

    def held_out(self, keys: Whole, difficulty: int) -> npt.NDArray[np.bool_]:
        """As every task does it, by the numbers in place of the key: no number set is on both sides."""
        return super().held_out(self.numbers(keys, difficulty) @ 32 ** np.arange(difficulty), difficulty)

    def problem_numbers(self, keys: Whole, difficulty: int) -> Whole:
        """Of the numbers and the target."""
        numbers = self.numbers(keys, difficulty) @ 32 ** np.arange(difficulty)
        return np.asarray(numbers * (MOST + 1) + self.tries(keys, difficulty)[2])

    def numbers(self, keys: Whole, difficulty: int) -> Whole:
        """The numbers in rising order, (R, n)."""
        words = words_of(0, keys, difficulty, stream=difficulty)
        return np.sort(1 + (words % np.uint64(LARGEST)).astype(np.int64), axis=1)

    def tries(self, keys: Whole, difficulty: int) -> tuple[Words, Whole, Whole]:
        """Words of the try that works and the 7 before it, (R, 8), how many come before it and the target, (R,) each."""
        parts = [
            self._tries(keys[row : row + _BLOCK], difficulty) for row in range(0, len(keys) or 1, _BLOCK)
        ]
        words, before, target = (np.concatenate(part) for part in zip(*parts, strict=True))
        return words, before, target

    def _tries(self, keys: Whole, difficulty: int) -> tuple[Words, Whole, Whole]:
        words = words_of(1, keys, TRIES, stream=difficulty)
        values = played(self.numbers(keys, difficulty), words)[-1].value
        lots = mixed(
            values.astype(np.uint64) ^ words_of(2, keys, 1, stream=difficulty)
        )  # equal values, equal lots
        works = lots.argmin(axis=1)[:, None]  # the first of its value
        near = np.maximum(works + np.arange(-SHOWN, 1), 0)
        target = np.take_along_axis(values, works, axis=1)[:, 0]
        return np.take_along_axis(words, near, axis=1), works[:, 0], target

    def questions(self, keys: Whole, difficulty: int) -> Whole:
        """The numbers with `|` after each, the target and `=`."""
        bar, equals = (np.broadcast_to(encoded(mark), (len(keys), 1)) for mark in "|=")
        numbers, target = self.numbers(keys, difficulty), self.tries(keys, difficulty)[2]
        parts = [part for number in numbers.T for part in (written(number, DIGITS), bar)]
        return np.concatenate([*parts, written(target, DIGITS), equals], axis=1)

    def thinking(self, keys: Whole, difficulty: int, budget: str) -> Whole:
        """Steps `a*b=c|` of the try that works; under `1`, before it, up to 7 tries that fail, with a `|` more after each.

        Those are the tries that come before it in the random order of all, so a trace shows how one tries and when to stop.
        It shows no rule by which the right try is found.
        """
        if budget == "direct":
            return np.empty((len(keys), 0), dtype=np.int64)
        most = SHOWN if budget == "1" else 0
        words, before, _ = self.tries(keys, difficulty)
        lot = words_of(3, keys, 1, stream=difficulty)[:, 0] % np.uint64(most + 1)
        fails = np.minimum(lot.astype(np.int64), before)[:, None]
        back = np.arange(most, -1, -1)  # the try that works is last
        steps = played(self.numbers(keys, difficulty), words[:, SHOWN - most :])
        bar = np.where(back > 0, encoded("|"), PAD)[:, None]
        tokens = np.concatenate([*map(told, steps), np.broadcast_to(bar, (len(keys), most + 1, 1))], axis=2)
        tokens[back > fails] = PAD
        return to_the_left(tokens.reshape(len(keys), tokens.shape[1] * tokens.shape[2]))

    def answer_tokens(self, keys: Whole, difficulty: int) -> Whole:
        """The expression of the try that works."""
        return wording(self.numbers(keys, difficulty), self.tries(keys, difficulty)[0][:, -1:])

    def scores(self, keys: Whole, difficulty: int, completions: Sequence[str]) -> npt.NDArray[np.float64]:
        """1 where a completion has the right form and its answer takes the numbers and is the target, else 0, (R,)."""
        different, place = np.unique(keys, return_inverse=True)
        targets = self.tries(different, difficulty)[2][place].tolist()
        numbers = self.numbers(keys, difficulty).tolist()
        right = zip(targets, numbers, completions, strict=True)
        return np.array(
            [float(worked_out(terminal_answer(said) or "") == (value, taken)) for value, taken, said in right]
        )
