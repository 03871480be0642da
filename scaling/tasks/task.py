"""What a verifiable task is: prompts and thinking traces from (seed, index), and a verifier of the terminal answer.

A completion is `thinking#answer.`: the one `#` parts the thinking from the answer and `.` ends it. Everything is an array
operation over R problems; a problem is a whole number, its key. Shapes: R problems, P tokens of a prompt, T of a trace.
"""

from __future__ import annotations

import hashlib
import re
from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import ClassVar, Literal

import numpy as np
import numpy.typing as npt

from scaling.errors import InputError
from scaling.mixing import Words, mixed, words_of

Whole = npt.NDArray[np.int64]
Split = Literal["train", "held_out"]

PAD = 0
"""Token that fills a row up."""
FREE = -1
"""Where the one who thinks writes, in what is given to it."""
CONTROLS = "ABCDEF"
"""Characters that ask for a thinking budget, in the order of a task's budgets."""
CHARACTERS = f"0123456789abcdefghijklmnopqrstuvwxyz{CONTROLS}=#.+-*/()|"
"""Characters of token 1 and on: digits, letters, controls of thinking budgets, and signs."""
VOCABULARY = 1 + len(CHARACTERS)
ANSWER, END = "#", "."
MOST_CHANCE = 0.02
"""Chance score above which a rise in score may be guessing."""
HELD_OUT = 10
"""One problem in so many is held out of all training, by hash."""
LONGEST = 4096
"""Characters from which a completion is not read."""
_COMPLETION = re.compile(r"[^#.]*#([^#.]+)\.", re.ASCII)
_TRIES, _MOST_TRIES = 64, 1024
"""Draws of a problem after which its split may be short, and after which it is empty where the keys are too many to list."""
_LISTED = 1 << 20
"""Most keys that are listed."""


def encoded(text: str) -> Whole:
    """Tokens of a text, (len,); InputError for characters that no task uses."""
    found = [CHARACTERS.find(one) + 1 for one in text]
    if 0 in found:
        raise InputError(
            f"character {text[found.index(0)]!r} is none that tasks are written in: {CHARACTERS}"
        )
    return np.array(found, dtype=np.int64)


def decoded(tokens: npt.ArrayLike) -> str:
    """The text of tokens (n,), without padding; InputError for a token that is none."""
    row = np.asarray(tokens, dtype=np.int64)
    if row.size and (row.min() < 0 or row.max() >= VOCABULARY):
        raise InputError(
            f"token {row.max() if row.max() >= VOCABULARY else row.min()} is none of 0 to {VOCABULARY - 1}"
        )
    return "".join(CHARACTERS[token - 1] for token in row.tolist() if token != PAD)


_LETTERS = np.frombuffer(f"\0{CHARACTERS}".encode("ascii"), dtype=np.uint8)


def texts(tokens: Whole, lengths: Whole) -> list[str]:
    """Texts of rows of tokens (R, T), of which the first `lengths` (R,) count.

    Padding among them is the character 0, which no answer has, and so is a token beyond the vocabulary, which a model may
    have more of than tasks.
    """
    rows = _LETTERS[np.where(tokens < VOCABULARY, tokens, PAD)]
    return [
        row[:length].tobytes().decode("ascii") for row, length in zip(rows, lengths.tolist(), strict=True)
    ]


def terminal_answer(completion: str) -> str | None:
    """What stands between the one `#` and the `.` that ends the completion; None for any other form."""
    if len(completion) > LONGEST:
        return None
    found = _COMPLETION.fullmatch(completion)
    return None if found is None else found[1]


class Task(ABC):
    """A family of problems with a difficulty and thinking budgets."""

    name: str
    version: ClassVar[int]
    """A change of any prompt, trace, answer or split changes it."""
    difficulties: ClassVar[range]
    budgets: ClassVar[tuple[str, ...]]
    """Names of thinking budgets, the longest thinking first."""
    taught: ClassVar[tuple[str, ...]]
    """Those that pretraining traces are of."""
    only_answer: ClassVar[bool] = True
    """Whether no answer but that of `answers` is right; a task with several has `scores` of its own."""
    most_chance: ClassVar[float] = MOST_CHANCE
    """Most chance of a fair difficulty; a task that has more at every difficulty says how much."""

    @abstractmethod
    def count(self, difficulty: int) -> int:
        """Number of different problems."""

    @abstractmethod
    def chance(self, difficulty: int) -> float:
        """Score of one who answers in the right form without reading the problem, at best.

        Where less than solving it helps to guess, of one who does that: the task says what.
        """

    def random_chance(self, difficulty: int) -> float:
        """Score of one who draws answers as the right ones are spread, sum of p^2: what repeated guesses multiply.

        Where no task says, that of the commonest answer, which is no less.
        """
        return self.chance(difficulty)

    def fair(self) -> int:
        """The least difficulty at which chance is at most `most_chance`, which is 2 % unless the task says more."""
        return next(one for one in self.difficulties if self.chance(one) <= self.most_chance)

    @abstractmethod
    def drawn(self, words: Words, difficulty: int) -> Whole:
        """Keys (R,) from random words (R,)."""

    @abstractmethod
    def questions(self, keys: Whole, difficulty: int) -> Whole:
        """Tokens of the problems as asked, up to `=`, (R, P)."""

    @abstractmethod
    def thinking(self, keys: Whole, difficulty: int, budget: str) -> Whole:
        """Tokens of the thinking under a budget, without the answer, (R, T); padded on the right."""

    @abstractmethod
    def answer_tokens(self, keys: Whole, difficulty: int) -> Whole:
        """Tokens of a right answer each, without `#` and `.`, (R, A); padded on the right."""

    def problem_numbers(self, keys: Whole, difficulty: int) -> Whole:
        """A number of each problem, (R,), the same for those that are asked in the same words: the key, if nothing else."""
        del difficulty
        return keys

    def held_out(self, keys: Whole, difficulty: int) -> npt.NDArray[np.bool_]:
        """Which problems are held out of all training, (R,): one in ten, by a hash of task, version, difficulty and key."""
        salt = hashlib.sha256(f"{self.name}/{self.version}/{difficulty}".encode()).digest()[:8]
        scattered = mixed(keys.astype(np.uint64) ^ np.uint64(int.from_bytes(salt, "big")))
        return np.asarray(scattered % np.uint64(HELD_OUT) == 0)

    def problems(self, seed: int, index: npt.ArrayLike, difficulty: int, split: Split = "train") -> Whole:
        """Keys (R,) of the problems number `index` (R,) of a seed, a pure function of both.

        Uniform over the split, with repetition. Raises InputError for a difficulty that the task does not have, and a split
        that is empty there.
        """
        self._check(difficulty)
        place = np.asarray(index, dtype=np.int64)
        words = words_of(seed, place, _TRIES)
        keys = self.drawn(words[:, 0], difficulty)
        wrong = self.held_out(keys, difficulty) != (split == "held_out")
        for attempt in range(1, _TRIES):
            if not wrong.any():
                return keys
            keys[wrong] = self.drawn(words[wrong, attempt], difficulty)
            wrong[wrong] = self.held_out(keys[wrong], difficulty) != (split == "held_out")
        if wrong.any():
            rest = self._by_list if self.count(difficulty) <= _LISTED else self._by_more_draws
            keys[wrong] = rest(seed, place[wrong], difficulty, split)
        return keys

    def distinct(self, seed: int, count: int, difficulty: int, split: Split) -> Whole:
        """Keys of the first `count` different problems of a seed, (count,): no two are asked in the same words.

        Raises InputError where the split seems to have fewer.
        """
        found, asked = np.zeros((2, 0), dtype=np.int64)
        for turn in range(_TRIES):
            more = self.problems(seed, np.arange(count) + turn * count, difficulty, split)
            found, asked = np.append(found, more), np.append(asked, self.problem_numbers(more, difficulty))
            _, first = np.unique(asked, return_index=True)
            found, asked = found[np.sort(first)], asked[np.sort(first)]
            if len(found) >= count:
                return found[:count]
        raise InputError(
            f"task {self.name} at difficulty {difficulty} has about {len(found)} problems in split {split}; ask for fewer "
            f"than {count}, or a higher difficulty"
        )

    def given(self, keys: Whole, difficulty: int, budget: str) -> Whole:
        """Tokens of a completion that a budget gives the one who thinks, FREE where it writes, (R, T).

        They set how long the thinking is without saying anything of the answer. Raises InputError for a task without them.
        """
        raise InputError(
            f"task {self.name} has no budgets that can be forced; ask for them by a control character"
        )

    def prompts(self, keys: Whole, difficulty: int, budget: str | None = None) -> Whole:
        """Tokens of the prompts, (R, P); a budget's control character stands first where one is asked for."""
        asked = self.questions(keys, difficulty)
        if budget is None:
            return asked
        self._budget(budget)
        control = encoded(CONTROLS[self.budgets.index(budget)])
        return np.concatenate([np.broadcast_to(control, (len(keys), 1)), asked], axis=1)

    def traces(self, keys: Whole, difficulty: int, budget: str) -> Whole:
        """Tokens of right completions under a budget, `thinking#answer.`, (R, T); padded on the right."""
        self._budget(budget)
        marks = [np.broadcast_to(encoded(mark), (len(keys), 1)) for mark in (ANSWER, END)]
        parts = (
            self.thinking(keys, difficulty, budget), marks[0], self.answer_tokens(keys, difficulty), marks[1],
        )  # fmt: skip
        return to_the_left(np.concatenate(parts, axis=1))

    def answers(self, keys: Whole, difficulty: int) -> list[str]:
        """A right answer to each, R of them."""
        return [decoded(row) for row in self.answer_tokens(keys, difficulty)]

    def scores(self, keys: Whole, difficulty: int, completions: Sequence[str]) -> npt.NDArray[np.float64]:
        """1 where a completion ends in the right answer and has the right form, else 0, (R,)."""
        right = self.answers(keys, difficulty)
        return np.array(
            [float(terminal_answer(said) == one) for said, one in zip(completions, right, strict=True)]
        )

    def _by_list(self, seed: int, place: Whole, difficulty: int, split: Split) -> Whole:
        """Keys (R,) chosen from the list of all that are in a split."""
        every = np.arange(self.count(difficulty), dtype=np.int64)
        inside = every[self.held_out(every, difficulty) == (split == "held_out")]
        if not len(inside):
            raise self._empty(difficulty, split)
        words = words_of(seed, place, 1)[:, 0]
        return np.asarray(inside[(words % np.uint64(len(inside))).astype(np.int64)])

    def _by_more_draws(self, seed: int, place: Whole, difficulty: int, split: Split) -> Whole:
        """Keys (R,): the first of many draws that is in a split."""
        words = words_of(seed, place, _MOST_TRIES)
        keys = self.drawn(words.ravel(), difficulty)
        inside = (self.held_out(keys, difficulty) == (split == "held_out")).reshape(words.shape)
        if not inside.any(axis=1).all():
            raise self._empty(difficulty, split)
        return np.asarray(keys.reshape(words.shape)[np.arange(len(place)), inside.argmax(axis=1)])

    def _empty(self, difficulty: int, split: Split) -> InputError:
        return InputError(f"task {self.name} at difficulty {difficulty} has no problem in split {split}")

    def _check(self, difficulty: int) -> None:
        if difficulty not in self.difficulties:
            low, high = self.difficulties[0], self.difficulties[-1]
            raise InputError(f"task {self.name} has difficulties {low} to {high}; got {difficulty}")

    def _budget(self, budget: str) -> None:
        if budget not in self.budgets:
            raise InputError(f"task {self.name} has budgets {', '.join(self.budgets)}; got {budget!r}")


def to_the_left(tokens: Whole) -> Whole:
    """Rows (R, T) with their padding moved to the right, in order, cut to the longest."""
    order = np.argsort(tokens == PAD, axis=1, kind="stable")
    moved = np.take_along_axis(tokens, order, axis=1)
    longest = int((moved != PAD).sum(axis=1).max(initial=0))
    return np.ascontiguousarray(moved[:, :longest])
