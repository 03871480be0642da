"""Samples as votes: how many of a problem's samples gave each answer, and whether it is right.

Shapes: P problems, V pairs of problem and answer.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from scaling.errors import InputError
from scaling.samples import checks
from scaling.samples.checks import Whole


@dataclass(frozen=True, eq=False)
class Votes:
    """The votes of P problems: one entry an answer, problem by problem, the most frequent first."""

    problem: Whole
    """Position of each answer's problem among the labels, ascending, (V,)."""
    count: Whole
    """Samples that gave the answer, descending within a problem, (V,)."""
    right: npt.NDArray[np.bool_]
    """Whether the answer is right, (V,)."""
    abstained: Whole
    """Samples without an answer, (P,)."""
    labels: npt.NDArray[Any]
    """Each problem's label, ascending, (P,)."""

    @property
    def samples(self) -> Whole:
        """Samples of each problem, (P,)."""
        return self.abstained + self.total(np.ones(len(self.count), dtype=bool))

    def total(self, chosen: npt.NDArray[np.bool_]) -> Whole:
        """Votes of each problem for the chosen answers, (P,)."""
        summed = np.bincount(
            self.problem, weights=np.where(chosen, self.count, 0), minlength=len(self.abstained)
        )
        return np.asarray(summed, dtype=np.int64)


def count_votes(problem: Any, answer: Any, correct: Any) -> Votes:
    """Return the votes of samples, one an entry: `problem`, `answer` and `correct` have shape (samples,).

    Problems and answers are any labels; a missing answer (None, NaN) abstains. Two answers are one where they are
    equal: normalise them first. Several answers of a problem may be right.

    Raises InputError where an answer of a problem is marked both right and wrong, a sample without an answer is right,
    a problem is missing, or marks are neither right nor wrong.
    """
    import pandas as pd

    right = checks.flags("correct", correct)
    if (
        right.ndim != 1
        or not right.size
        or np.shape(problem) != right.shape
        or np.shape(answer) != right.shape
    ):
        raise InputError(
            f"problem, answer and correct have shapes {np.shape(problem)}, {np.shape(answer)} and {right.shape}; "
            "give one of each for each sample"
        )
    which, labels = pd.factorize(pd.Series(problem), sort=True)
    if which.min() < 0:
        raise InputError(f"problem is missing in {(which < 0).sum()} samples; name it or leave them out")
    given, answers = pd.factorize(pd.Series(answer))
    silent = given < 0
    if (silent & right).any():
        at = labels[which[silent & right][0]]
        raise InputError(
            f"problem {at}: a sample without an answer is marked right; mark it wrong or give the answer"
        )
    abstained = np.bincount(which[silent], minlength=len(labels))
    key = ((which * len(answers) + given) * 2 + right)[~silent]
    key.sort()
    first = np.flatnonzero(np.diff(key, prepend=-1))
    count, pair = np.diff(np.append(first, len(key))), key[first] // 2
    twice = np.flatnonzero(pair[1:] == pair[:-1])
    if len(twice):
        where, what = divmod(int(pair[twice[0]]), len(answers))
        raise InputError(
            f"problem {labels[where]}: answer {str(answers[what])[:40]!r} is marked right in some samples and wrong in "
            "others; grade each answer once"
        )
    order = np.lexsort((key[first] % 2, -count, pair // max(len(answers), 1)))
    return Votes(
        problem=(pair // max(len(answers), 1))[order],
        count=count[order],
        right=(key[first] % 2 == 1)[order],
        abstained=abstained,
        labels=np.asarray(labels),
    )
