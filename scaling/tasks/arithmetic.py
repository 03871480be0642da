"""Sums and products of numbers of n digits, with the scratchpad that school teaches (Nye et al. 2021, arXiv:2112.00114).

Numbers are written with all their digits, leading zeros too, the highest first. Shapes: R problems, n digits.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from scaling.mixing import Words
from scaling.tasks.task import Task, Whole, encoded


class Arithmetic(Task):
    """Two numbers a and b of n digits; the key is a 10^n + b.

    The problems of a pair, a with b and b with a, are both held out or neither.
    """

    version = 2
    budgets = ("1", "2", "direct")
    taught = ("1", "2", "direct")
    sign: str
    """What stands between the numbers."""

    def count(self, difficulty: int) -> int:
        """10^(2 n)."""
        return int(10 ** (2 * difficulty))

    def drawn(self, words: Words, difficulty: int) -> Whole:
        """Uniform over pairs, to one part in 1,800."""
        return np.asarray((words % np.uint64(self.count(difficulty))).astype(np.int64))

    def held_out(self, keys: Whole, difficulty: int) -> npt.NDArray[np.bool_]:
        """As every task does it, by the key whose first number is not the larger."""
        a, b = self.numbers(keys, difficulty)
        return super().held_out(np.minimum(a, b) * 10**difficulty + np.maximum(a, b), difficulty)

    def numbers(self, keys: Whole, difficulty: int) -> tuple[Whole, Whole]:
        """A and b, (R,) each."""
        a, b = np.divmod(keys, 10**difficulty)
        return a, b

    def questions(self, keys: Whole, difficulty: int) -> Whole:
        """`a+b=` or `a*b=`."""
        a, b = self.numbers(keys, difficulty)
        marks = [np.broadcast_to(encoded(mark), (len(keys), 1)) for mark in (self.sign, "=")]
        return np.concatenate([written(a, difficulty), marks[0], written(b, difficulty), marks[1]], axis=1)

    def places(self, difficulty: int, budget: str) -> list[int]:
        """Places, from the lowest, 0, that a trace of a budget names: every s-th and the highest; none for `direct`."""
        if budget == "direct":
            return []
        stride = int(budget)
        return sorted({*range(stride - 1, difficulty, stride), difficulty - 1})


class Addition(Arithmetic):
    """A + b, with the digit and the carry of each place named."""

    name = "addition"
    difficulties = range(1, 9)
    sign = "+"

    def chance(self, difficulty: int) -> float:
        """10^-n: of all sums 10^n - 1 is the commonest."""
        return float(10.0**-difficulty)

    def answer_tokens(self, keys: Whole, difficulty: int) -> Whole:
        """The sum in n + 1 digits."""
        a, b = self.numbers(keys, difficulty)
        return written(a + b, difficulty + 1)

    def thinking(self, keys: Whole, difficulty: int, budget: str) -> Whole:
        """`a_i+b_i=cd|` at the places of the budget: their digits, and carry and digit of the sum there."""
        a, b = self.numbers(keys, difficulty)
        parts = [np.empty((len(keys), 0), dtype=np.int64)]
        for place in self.places(difficulty, budget):
            below = 10 ** (place + 1)
            total = (a % below + b % below) // 10**place  # carry and digit
            marks = [np.broadcast_to(encoded(mark), (len(keys), 1)) for mark in "+=|"]
            digits = [written(number // 10**place % 10, 1) for number in (a, b)]
            parts += [digits[0], marks[0], digits[1], marks[1], written(total, 2), marks[2]]
        return np.concatenate(parts, axis=1)


class Multiplication(Arithmetic):
    """A * b, with the running total after each digit of b named, from the lowest."""

    name = "multiplication"
    difficulties = range(1, 7)
    sign = "*"

    def chance(self, difficulty: int) -> float:
        """2 10^-n - 10^-2n: 0 is the commonest product."""
        return float(2 * 10.0**-difficulty - 100.0**-difficulty)

    def answer_tokens(self, keys: Whole, difficulty: int) -> Whole:
        """The product in 2 n digits."""
        a, b = self.numbers(keys, difficulty)
        return written(a * b, 2 * difficulty)

    def thinking(self, keys: Whole, difficulty: int, budget: str) -> Whole:
        """`b_i=total|` at the places of the budget: the digit of b, and a times b up to there, in 2 n digits."""
        a, b = self.numbers(keys, difficulty)
        parts = [np.empty((len(keys), 0), dtype=np.int64)]
        for place in self.places(difficulty, budget):
            total = a * (b % 10 ** (place + 1))
            marks = [np.broadcast_to(encoded(mark), (len(keys), 1)) for mark in "=|"]
            digit = written(b // 10**place % 10, 1)
            parts += [digit, marks[0], written(total, 2 * difficulty), marks[1]]
        return np.concatenate(parts, axis=1)


def written(numbers: Whole, digits: int) -> Whole:
    """Tokens of numbers (...) in so many digits, (..., digits), the highest first."""
    places = 10 ** np.arange(digits - 1, -1, -1, dtype=np.int64)
    return np.asarray(encoded("0123456789")[numbers[..., None] // places % 10])
