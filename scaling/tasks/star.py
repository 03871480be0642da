"""The way through a star: branches of one length leave a centre, edges are told in any order, and one leaf is named.

Who starts at the centre cannot know which branch to take; who starts at the leaf can (Bachmann and Nagarajan 2024,
arXiv:2403.06963). A thinking trace goes back from the leaf. A branch at random is right once in B, at any L: chance is high.
Shapes: R problems, B branches, L nodes of a branch.
"""

from __future__ import annotations

import numpy as np

from scaling.mixing import Words, mixed, words_of
from scaling.tasks.task import Task, Whole, encoded

LABELS = "0123456789abcdefghijklmnopqrstuvwxyz"
"""What nodes are called."""
BRANCHES = 4
KEY_BITS = 48


class StarPath(Task):
    """A star of 4 branches of L nodes; the key is what its labels, and the order of its edges, are drawn from."""

    name = "star_path"
    version = 2
    difficulties = range(1, 9)
    budgets = ("1", "2", "direct")
    taught = ("1", "2", "direct")
    most_chance = 1 / BRANCHES

    def count(self, difficulty: int) -> int:
        """2^48, of which hardly any two are one star."""
        return int(2**KEY_BITS)

    def chance(self, difficulty: int) -> float:
        """1 / B, the score of one who follows a branch at random from the centre; 1 at L = 1, where the leaf is the way.

        Who reads nothing guesses all labels, which scores less.
        """
        return 1 / BRANCHES if difficulty > 1 else 1.0

    def drawn(self, words: Words, difficulty: int) -> Whole:
        """The upper bits."""
        return np.asarray((words >> np.uint64(64 - KEY_BITS)).astype(np.int64))

    def branches(self, keys: Whole, difficulty: int) -> tuple[Whole, Whole]:
        """Tokens of the centre (R,), and of the branches (R, B, L) from the centre on; the first leads to the named leaf."""
        order = np.argsort(words_of(0, keys, len(LABELS), stream=difficulty), axis=1)
        labels = encoded(LABELS)[order[:, : 1 + BRANCHES * difficulty]]
        return labels[:, 0], labels[:, 1:].reshape(len(keys), BRANCHES, difficulty)

    def questions(self, keys: Whole, difficulty: int) -> Whole:
        """Edges `xy|` in any order, then `c-t=`: the way from c to t."""
        centre, nodes = self.branches(keys, difficulty)
        first = np.broadcast_to(centre[:, None, None], (len(keys), BRANCHES, 1))
        start = np.concatenate([first, nodes[:, :, :-1]], axis=2)
        bar = np.broadcast_to(encoded("|"), nodes.shape)
        edges = np.stack([start, nodes, bar], axis=3).reshape(len(keys), -1, 3)
        shuffle = np.argsort(mixed(words_of(1, keys, edges.shape[1], stream=difficulty)), axis=1)
        told = np.take_along_axis(edges, shuffle[:, :, None], axis=1).reshape(len(keys), -1)
        marks = [np.broadcast_to(encoded(mark), (len(keys), 1)) for mark in "-="]
        return np.concatenate([told, centre[:, None], marks[0], nodes[:, 0, -1:], marks[1]], axis=1)

    def thinking(self, keys: Whole, difficulty: int, budget: str) -> Whole:
        """Nodes on the way back from the leaf: each, every second, or none."""
        back = self.answer_tokens(keys, difficulty)[:, ::-1]
        return back[:, :0] if budget == "direct" else np.asarray(back[:, :: int(budget)])

    def answer_tokens(self, keys: Whole, difficulty: int) -> Whole:
        """The nodes of the way, without the centre, the leaf last."""
        return np.asarray(self.branches(keys, difficulty)[1][:, 0])
