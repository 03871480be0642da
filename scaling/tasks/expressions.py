"""Expressions in whole numbers: random ones step by step and as text, and what any text that may be one is worth.

A number has three digits, leading zeros too. Shapes: R problems, n numbers, M tries.
"""

from __future__ import annotations

import re
from typing import NamedTuple

import numpy as np

from scaling.mixing import Words
from scaling.tasks.arithmetic import written
from scaling.tasks.task import PAD, Whole, encoded, to_the_left

DIGITS = 3
MOST = 999
"""Largest value of a step that is played."""
SIGNS = "-+*/"
LONGEST = 64
"""Characters from which an expression is not read; one that takes six numbers has 31 at most."""
_PARTS = re.compile(rf"[0-9]{{{DIGITS}}}|[-+*/()]")


class Step(NamedTuple):
    """One step of each try: which of the values left it takes, in which way, and what it gives; (R, M) each."""

    first: Whole
    """Place of the larger value."""
    second: Whole
    """Place of the smaller."""
    larger: Whole
    sign: Whole
    """Place in `SIGNS`."""
    smaller: Whole
    value: Whole


def played(numbers: Whole, tries: Words) -> list[Step]:
    """Steps of tries (R, M) in numbers (R, n): each takes two of the values left and a possible sign, by the word."""
    values = np.repeat(numbers[:, None], tries.shape[1], axis=1)
    steps = []
    for left in range(numbers.shape[1], 1, -1):
        here, there = np.triu_indices(left, 1)
        tries, pair = np.divmod(tries, np.uint64(len(here)))
        places = np.stack([here, there], axis=1)[pair.astype(np.int64)]  # (R, M, 2), in rising order
        two = np.take_along_axis(values, places, axis=2)
        turned = two[..., 0] < two[..., 1]
        larger, smaller = two.max(axis=2), two.min(axis=2)
        quotient = larger // np.maximum(smaller, 1)
        results = np.stack([larger - smaller, larger + smaller, larger * smaller, quotient])
        possible = results <= MOST
        possible[3] = (smaller > 0) & (quotient * smaller == larger)
        reached = possible.cumsum(axis=0, dtype=np.uint64)
        tries, choice = np.divmod(tries, reached[-1])
        sign = (reached <= choice).sum(axis=0)
        value = np.take_along_axis(results, sign[None], axis=0)[0]
        first, second = (np.where(one, places[..., 1], places[..., 0]) for one in (turned, ~turned))
        steps.append(Step(first, second, larger, sign, smaller, value))
        np.put_along_axis(values, places, np.stack([value, values[..., -1]], axis=2), axis=2)
        values = values[..., :-1]
    return steps


def told(step: Step) -> Whole:
    """Tokens `a*b=c|` of a step, (R, M, 12)."""
    marks = [np.broadcast_to(encoded(mark), (*step.sign.shape, 1)) for mark in "=|"]
    larger, smaller, value = (written(one, DIGITS) for one in (step.larger, step.smaller, step.value))
    return np.concatenate(
        [larger, encoded(SIGNS)[step.sign][..., None], smaller, marks[0], value, marks[1]], axis=2
    )


def wording(numbers: Whole, tries: Words) -> Whole:
    """Tokens of tries (R, 1) in numbers (R, n) as expressions, (R, A): the larger operand first, none but numbers bare."""
    rows, count = np.arange(len(numbers)), numbers.shape[1]
    texts = np.full((len(numbers), count, DIGITS * count + 3 * (count - 1)), PAD)
    texts[:, :, :DIGITS] = written(numbers, DIGITS)
    opening, closing = (np.broadcast_to(encoded(mark), (len(numbers), 1)) for mark in "()")
    joined = texts[:, 0]
    for step in played(numbers, tries):
        first, second = step.first[:, 0], step.second[:, 0]
        joined = np.concatenate([texts[rows, first], encoded(SIGNS)[step.sign], texts[rows, second]], axis=1)
        inside = to_the_left(np.concatenate([opening, joined, closing], axis=1))
        texts[rows, np.minimum(first, second)] = PAD
        texts[rows, np.minimum(first, second), : inside.shape[1]] = inside
        texts[rows, np.maximum(first, second)] = texts[:, -1]
        texts = texts[:, :-1]
    return to_the_left(joined)


def worked_out(expression: str) -> tuple[int, list[int]] | None:
    """Value of an expression, and its numbers in rising order; None where it is none, or a step leaves the whole numbers."""
    parts = _PARTS.findall(expression) if len(expression) < LONGEST else []
    if not parts or "".join(parts) != expression:
        return None
    reading = _Reading(parts)
    value = reading.sum()
    if value is None or reading.here:
        return None
    return value, sorted(int(part) for part in parts if part.isdigit())


class _Reading:
    """Parts of an expression, read from the left by the usual precedence; a method returns the value, None for none."""

    def __init__(self, parts: list[str]) -> None:
        self._parts = iter(parts)
        self.here = next(self._parts, "")

    def _next(self) -> str:
        before, self.here = self.here, next(self._parts, "")
        return before

    def sum(self) -> int | None:
        value = self.product()
        while value is not None and self.here in ("+", "-"):
            value = _step(value, self._next(), self.product())
        return value

    def product(self) -> int | None:
        value = self.operand()
        while value is not None and self.here in ("*", "/"):
            value = _step(value, self._next(), self.operand())
        return value

    def operand(self) -> int | None:
        part = self._next()
        if part.isdigit():
            return int(part)
        value = self.sum() if part == "(" else None
        return value if self._next() == ")" else None


def _step(a: int, sign: str, b: int | None) -> int | None:
    """What a step gives: a whole number from 0, or None."""
    if b is None or (sign == "-" and b > a) or (sign == "/" and (b == 0 or a % b)):
        return None
    return {"+": a + b, "-": a - b, "*": a * b, "/": a // (b or 1)}[sign]
