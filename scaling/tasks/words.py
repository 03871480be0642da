"""Words in a group: multiply k generators in turn, and say where the product takes the points.

S5 is the task to build on (Liu et al. 2023, arXiv:2210.10749, and Merrill et al. 2024, arXiv:2404.08819, on why groups that
are not solvable take steps). A thinking trace names a position's generator and the product up to there, every s positions
and at the last. Shapes: G elements of the group, g generators, k letters of a word, L digits of an element.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property

import numpy as np
import numpy.typing as npt

from scaling.mixing import Words
from scaling.tasks.task import FREE, Task, Whole, encoded

LETTERS = "abcd"
"""Generators are written so."""

POINTS = "0123456789kl"
"""So are points."""

Permutation = tuple[int, ...]
"""Where each point goes."""


class GroupWords(Task):
    """Words of length k in four generators of a group of permutations; the answer is the image of each point."""

    version = 1
    difficulties = range(1, 21)
    budgets = ("1", "2", "3", "5", "direct")
    taught = ("1", "2", "5", "direct")

    def __init__(
        self, name: str, generators: Sequence[Permutation], shown: Sequence[int] | None = None
    ) -> None:
        """`generators` are four permutations; an element is written by the images of the points `shown`, else of all."""
        self.name = name
        self._generators = tuple(generators)
        self._shown = tuple(range(len(generators[0])) if shown is None else shown)

    @cached_property
    def elements(self) -> tuple[Permutation, ...]:
        """The group, the identity first."""
        found = [tuple(range(len(self._generators[0])))]
        seen = set(found)
        for element in found:  # grows as it goes
            for generator in self._generators:
                product = tuple(generator[point] for point in element)
                if product not in seen:
                    seen.add(product)
                    found.append(product)
        return tuple(found)

    @cached_property
    def _steps(self) -> Whole:
        """The element after each element and generator, (G, g)."""
        place = {element: k for k, element in enumerate(self.elements)}
        return np.array(
            [
                [place[tuple(generator[point] for point in element)] for generator in self._generators]
                for element in self.elements
            ]
        )

    @cached_property
    def _digits(self) -> Whole:
        """Tokens of each element, (G, L)."""
        return np.stack(
            [encoded("".join(POINTS[element[point]] for point in self._shown)) for element in self.elements]
        )

    def count(self, difficulty: int) -> int:
        """4^k."""
        return int(len(LETTERS) ** difficulty)

    def chance(self, difficulty: int) -> float:
        """The share of the commonest product among all words of that length.

        No bound for who reads the word: the commonest product among words with the same letters in any order is right for
        .15 of those of 6 letters in S5 and in A5, .37 in A4 x Z5 and all of them in Z60, which is commutative.
        """
        return float(self._spread(difficulty).max())

    def random_chance(self, difficulty: int) -> float:
        """Sum of the squared shares of all products."""
        return float(np.square(self._spread(difficulty)).sum())

    def drawn(self, words: Words, difficulty: int) -> Whole:
        """Uniform over words: two bits a letter."""
        return np.asarray((words >> np.uint64(64 - 2 * difficulty)).astype(np.int64))

    def letters(self, keys: Whole, difficulty: int) -> Whole:
        """Which generator stands at each position, (R, k)."""
        shift = 2 * np.arange(difficulty - 1, -1, -1)
        return np.asarray((keys[:, None] >> shift) & 3)

    def products(self, keys: Whole, difficulty: int) -> Whole:
        """Which element the word is after each position, (R, k)."""
        state, found = np.zeros(len(keys), dtype=np.int64), []
        for letter in self.letters(keys, difficulty).T:
            state = self._steps[state, letter]
            found.append(state)
        return np.stack(found, axis=1)

    def questions(self, keys: Whole, difficulty: int) -> Whole:
        """The word and `=`."""
        asked = encoded(LETTERS)[self.letters(keys, difficulty)]
        return np.concatenate([asked, np.broadcast_to(encoded("="), (len(keys), 1))], axis=1)

    def positions(self, difficulty: int, budget: str) -> list[int]:
        """Positions, from 0, that a trace of a budget names: every s-th and the last; none for `direct`."""
        if budget == "direct":
            return []
        stride = int(budget)
        return sorted({*range(stride - 1, difficulty, stride), difficulty - 1})

    def thinking(self, keys: Whole, difficulty: int, budget: str) -> Whole:
        """Generator and product at the positions of the budget."""
        at = self.positions(difficulty, budget)
        letters = encoded(LETTERS)[self.letters(keys, difficulty)[:, at]]
        states = self._digits[self.products(keys, difficulty)[:, at]]
        return np.concatenate([letters[:, :, None], states], axis=2).reshape(
            len(keys), len(at) * (1 + states.shape[2])
        )

    def given(self, keys: Whole, difficulty: int, budget: str) -> Whole:
        """The generator at each position of the budget, and `#`; the products and the answer are free."""
        self._budget(budget)
        trace = self.traces(keys, difficulty, budget)
        digits = self._digits.shape[1]
        steps = trace.shape[1] - digits - 2  # the thinking
        out = np.full(trace.shape, FREE, dtype=np.int64)
        out[:, : steps + 1 : 1 + digits] = trace[:, : steps + 1 : 1 + digits]
        return out

    def answer_tokens(self, keys: Whole, difficulty: int) -> Whole:
        """The digits of the product."""
        return np.asarray(self._digits[self.products(keys, difficulty)[:, -1]])

    def _spread(self, difficulty: int) -> npt.NDArray[np.float64]:
        """Probability of each element after k uniform generators, (G,)."""
        share = np.zeros(len(self.elements))
        share[0] = 1.0
        for _ in range(difficulty):
            after = np.zeros(len(share))
            np.add.at(after, self._steps, share[:, None] / len(LETTERS))
            share = after
        return share


def cycles(points: int, *moves: tuple[int, ...]) -> Permutation:
    """The permutation of so many points that turns each of the cycles."""
    found = list(range(points))
    for move in moves:
        for here, there in zip(move, (*move[1:], move[0]), strict=True):
            found[here] = there
    return tuple(found)


S5 = GroupWords(
    "s5", (cycles(5, (0, 1, 2, 3, 4)), cycles(5, (0, 1)), cycles(5, (2, 3, 4)), cycles(5, (0, 2, 1, 3)))
)
"""All 120 permutations of five points: a 5-cycle, a 2-cycle, a 3-cycle, a 4-cycle. Not solvable."""
A5 = GroupWords(
    "a5", (cycles(5, (0, 1, 2, 3, 4)), cycles(5, (0, 1, 2)), cycles(5, (2, 3, 4)), cycles(5, (0, 2), (1, 3)))
)
"""The 60 even ones of them: a 5-cycle, two 3-cycles, a double transposition. Not solvable."""
A4_Z5 = GroupWords(
    "a4_z5",
    (
        cycles(9, (0, 1, 2), (4, 5, 6, 7, 8)), cycles(9, (1, 2, 3)), cycles(9, (0, 1), (2, 3)),
        cycles(9, (0, 2, 1), (4, 6, 8, 5, 7)),
    ),
    shown=(0, 1, 2, 3, 4),
)  # fmt: skip
"""A4 x Z5, order 60, on four points and five: a control that is solvable."""
Z60 = GroupWords(
    "z60",
    (
        cycles(12, (0, 1, 2), (3, 4, 5, 6), (7, 8, 9, 10, 11)), cycles(12, (0, 2, 1), (3, 5), (4, 6), (7, 9, 11, 8, 10)),
        cycles(12, (0, 1, 2), (3, 4, 5, 6), (7, 10, 8, 11, 9)), cycles(12, (0, 2, 1), (3, 4, 5, 6), (7, 9, 11, 8, 10)),
    ),
    shown=(0, 3, 7),
)  # fmt: skip
"""The cyclic group of order 60 as turns of three, four and five points, by 1, 2, 13 and 17: order does not count."""
