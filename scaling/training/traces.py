"""Rows of worked problems: the training text that a task gives, a pure function of (seed, row).

Shapes: R rows, T positions, n examples.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from scaling import corpora, tasks
from scaling.corpora import Ready
from scaling.errors import InputError
from scaling.mixing import words_of
from scaling.records.spec import CorpusData, TaskData
from scaling.tasks import PAD, VOCABULARY, Task, encoded

if TYPE_CHECKING:
    from scaling.tasks.task import Split

Whole = npt.NDArray[np.int64]

GENERATOR = 1
"""Version of the packing: a change of any row changes it."""
BLOCK = 2048
"""Rows that are made at once; most of the cost of a block is in its groups, not in its rows."""
EACH = 4
"""Examples of a row that are made at once."""
CHOICES, PROBLEMS = 1, 2
"""Streams of random words: which kind of example, and (as the seed of problems) which problem."""
HELDOUT_SEED = 2**63 + 1
"""Seed of held-out rows, which no run may have."""
ASKED, DONE = int(encoded("=")[0]), int(encoded(".")[0])


@dataclass(frozen=True)
class TaskTraces(Ready):
    """A task's worked problems, made as they are asked for."""

    data: TaskData
    held_data: TaskData
    """The same without difficulties so low that no problem is held out."""

    def _batch(self, seed: int, first: int, rows: int, length: int) -> Whole:
        return self._rows(seed, first, rows, length, "train")

    def heldout_windows(self, length: int) -> None:
        """None: rows of held-out problems are made without end."""

    def _heldout(self, rows: int, length: int) -> Whole:
        return self._rows(HELDOUT_SEED, 0, rows, length, "held_out")

    def learned(self, tokens: Whole) -> npt.NDArray[np.bool_]:
        """Completions alone: each token after the first ``=`` of an example, up to its end."""
        place = np.arange(tokens.shape[1])
        asked = np.maximum.accumulate(np.where(tokens == ASKED, place, -1), axis=1)
        done = np.maximum.accumulate(np.where(tokens == DONE, place, -1), axis=1)
        return np.asarray((asked > done)[:, :-1])

    def _rows(self, seed: int, first: int, rows: int, length: int, split: Split) -> Whole:
        blocks = range(first // BLOCK, (first + rows - 1) // BLOCK + 1)
        data = self.data if split == "train" else self.held_data
        parts = [_block(data, seed, block, length, split) for block in blocks]
        start = first - blocks[0] * BLOCK
        return np.concatenate(parts)[start : start + rows]


def training_text(data: CorpusData | TaskData) -> Ready:
    """Return the text that a spec names, ready; ``InputError`` where it is another here."""
    if isinstance(data, CorpusData):
        return corpora.load(data.corpus, data.sha256)
    return task_traces(data)


def task_traces(data: TaskData) -> TaskTraces:
    """Return a task's text, ready; ``InputError`` for another version of the task, or what it does not have."""
    task = tasks.find(data.task, data.version)
    for difficulty in data.difficulties:
        key = task.problems(0, [0], difficulty)
        for budget in data.budgets:
            task.prompts(key, difficulty, budget)
    definition = json.dumps({"generator": GENERATOR, **dataclasses.asdict(data)}, sort_keys=True)
    return TaskTraces(
        name=f"task:{task.name}",
        sha256=hashlib.sha256(definition.encode()).hexdigest(),
        vocabulary=VOCABULARY,
        train_tokens=None,
        bytes_per_token=1.0,
        data=data,
        held_data=dataclasses.replace(
            data, difficulties=tuple(d for d in data.difficulties if _holds_out(task, d))
        ),
    )


def _holds_out(task: Task, difficulty: int) -> bool:
    try:
        task.problems(0, [0], difficulty, "held_out")
    except InputError:
        return False
    return True


@lru_cache(maxsize=3)
def _block(data: TaskData, seed: int, block: int, length: int, split: Split) -> Whole:
    """Rows ``block * BLOCK`` and on, (BLOCK, length + 1)."""
    task = tasks.find(data.task)
    out = np.full((BLOCK, length + 1), PAD, dtype=np.int64)
    filled = np.zeros(BLOCK, dtype=np.int64)
    for turn in range(length):
        todo = np.flatnonzero(filled <= length)
        if not len(todo):
            break
        number = ((block * BLOCK + todo) * length)[:, None] + turn * EACH + np.arange(EACH)
        made, sizes = _examples(task, data, seed, number.ravel(), split)
        ends = filled[todo][:, None] + np.cumsum(sizes.reshape(-1, EACH), axis=1)
        starts = (ends - sizes.reshape(-1, EACH)).ravel()
        place = starts[:, None] + np.arange(made.shape[1])
        inside = (np.arange(made.shape[1]) < sizes[:, None]) & (place <= length)
        out[np.broadcast_to(np.repeat(todo, EACH)[:, None], place.shape)[inside], place[inside]] = made[
            inside
        ]
        filled[todo] = ends[:, -1]
    out.flags.writeable = False
    return out


def _examples(task: Task, data: TaskData, seed: int, number: Whole, split: Split) -> tuple[Whole, Whole]:
    """Return the examples of these numbers, (n, T) padded on the right, and their tokens, (n,)."""
    kind, asks = _kinds(data, seed, number)
    texts: list[tuple[Whole, Whole]] = []
    for code in np.unique(kind):
        which = np.flatnonzero(kind == code)
        difficulty = data.difficulties[code // len(data.budgets)]
        budget = data.budgets[code % len(data.budgets)]
        keys = task.problems(seed ^ PROBLEMS, number[which], difficulty, split)
        prompt, trace = task.prompts(keys, difficulty, budget), task.traces(keys, difficulty, budget)
        texts.append((which, np.concatenate([prompt, trace], axis=1)))
    out = np.full((len(number), max(text.shape[1] for _, text in texts)), PAD, dtype=np.int64)
    for which, text in texts:
        out[which, : text.shape[1]] = text
    out[~asks, :-1] = out[~asks, 1:]
    out[~asks, -1] = PAD
    return out, (out != PAD).sum(axis=1)


def _kinds(data: TaskData, seed: int, number: Whole) -> tuple[Whole, npt.NDArray[np.bool_]]:
    """Return each example's difficulty and budget as one number, (n,), and whether it asks for its budget, (n,)."""
    share = (words_of(seed, number, 3, stream=CHOICES) >> np.uint64(11)) * 2.0**-53
    difficulty = (share[:, 0] * len(data.difficulties)).astype(np.int64)
    budget = np.searchsorted(np.cumsum(data.shares)[:-1], share[:, 1], side="right")
    return difficulty * len(data.budgets) + budget, share[:, 2] < data.controlled
