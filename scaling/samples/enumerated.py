"""Majority votes over all subsets, exactly: generating functions that count the subsets.

A right answer with m votes has j of them in the subset and is a winner where no other has more. Over the subsets of k,

    score = sum_right sum_j C(m, j) [z^(k-j)] (1+z)^a int_0^1 prod_others f_ij(z, s) ds / C(n, k)
    f_ij(z, s) = sum_{x<j} C(m_i, x) z^x + s C(m_i, j) z^j

with a abstentions: s^t stands for t other winners, and int s^t ds = 1 / (1 + t) is the right one's part of the win.
Gauss-Legendre nodes in s are exact for the degree at hand; all terms are positive, so nothing cancels. An answer with
fewer than j votes is as good as an abstention at j. Left out is what cannot change a digit (`tails.NEVER`): j that the
leading answer exceeds, and bounds on answers that do not come near j.

Shapes: T right answers of a block, A others, W powers of z, G nodes, K sizes of subsets.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

import numpy as np

from scaling.samples.checks import Array, Whole
from scaling.samples.tails import NEVER, nears

BLOCK = 256
"""Right answers that are worked on together."""
LARGEST_LOG = 690.0
"""Log of the number of subsets up to which it is a float, with some room."""


@dataclass(frozen=True)
class Contests:
    """T right answers, each against the others of its problem."""

    problem: Whole
    """Position of the problem, (T,)."""
    votes: Whole
    """Votes of the right answer, (T,)."""
    alike: Whole
    """Right answers of the problem with as many votes, which this one stands for, (T,)."""
    others: Whole
    """Votes of the other answers that have more than one, descending, then 0, (T, A)."""
    singles: Whole
    """Other answers with one vote, (T,)."""
    samples: Whole
    """Samples of the problem, (T,)."""

    def __getitem__(self, which: np.ndarray | slice) -> "Contests":
        """The chosen ones."""
        parts = (getattr(self, name)[which] for name in self.__dataclass_fields__)
        return Contests(*parts)


@dataclass(frozen=True)
class Step:
    """What matters when a right answer has j votes in the subset, of those contests where it can win with them."""

    j: int
    """Votes in the subset."""
    which: Whole
    """Positions of the contests, (t,), those with the most rivals first."""
    rivals: Whole
    """Others that can have j votes, (t,)."""
    degree: Whole
    """Places left in the largest subset, (t,)."""

    @property
    def nodes(self) -> int:
        """Nodes that integrate the ties exactly; none are needed at j = 1, where every vote is a tie."""
        ties = min(int(self.rivals[0]), int(self.degree.max()) // self.j)
        return 1 if self.j == 1 else ties // 2 + 1

    def cost(self) -> Array:
        """Multiplications of each contest, (t,)."""
        width = np.minimum(self.degree, self.rivals * self.j) + 1.0
        ties = np.minimum(self.rivals, self.degree // self.j)
        nodes = 1 if self.j == 1 else ties // 2 + 1
        return nodes * np.maximum(self.rivals, 1) * np.minimum(self.j, width) * width


def steps(contests: Contests, k: Whole) -> Iterator[Step]:
    """The steps of a block, one a number of votes in the subset."""
    share = contests.others / contests.samples[:, None]
    own = contests.votes / contests.samples
    top = np.maximum(share[:, :1].max(axis=1, initial=0.0), own)
    for j in range(1, min(int(contests.votes.max()), int(k[-1])) + 1):
        near = (k >= j) & (nears(j, k, top[:, None]) > -NEVER)
        most = np.where(near, k, 0).max(axis=1)
        alive = (contests.votes >= j) & (most >= j)
        alive &= nears(j, np.maximum(most, j), own) < NEVER
        which = np.flatnonzero(alive)
        if not len(which):
            continue
        columns = int((contests.others[which] >= max(j, 2)).sum(axis=1).max(initial=0))
        rival = contests.others[which, :columns] >= max(j, 2)
        rival &= nears(j, most[which, None], share[which, :columns]) < NEVER
        rivals = rival.sum(axis=1)
        order = np.argsort(-rivals, kind="stable")
        yield Step(j, which[order], rivals[order], (most[which] - j)[order])


def scores(contests: Contests, k: Whole) -> Array:
    """Part of the score of each contest at each k, ascending, (T, K)."""
    found = np.zeros((len(contests.votes), len(k)))
    total = binomials(contests.samples, int(k[-1]))[k]
    for step in steps(contests, k):
        part = contests[step.which]
        powers = _product(part, step)
        unbound = part.samples - part.votes - _rival_votes(part, step.rivals)
        if step.j == 1:
            unbound = unbound - part.singles
        rest = binomials(unbound, int(step.degree.max()))
        ways = binomials(part.votes, step.j)[step.j]
        for column, size in enumerate(k.tolist()):
            left = size - step.j
            if 0 <= left <= step.degree.max():
                d = min(left + 1, len(powers))
                reverse = rest[left - d + 1 : left + 1][::-1]
                counted = np.einsum("wt,wt->t", powers[:d], reverse)
                found[step.which, column] += np.where(
                    left <= step.degree, ways * (counted / total[column, step.which]), 0.0
                )
    return found * contests.alike[:, None]


def binomials(m: Whole, most: int) -> Array:
    """C(m, x) for x = 0..most, (most + 1, *m.shape)."""
    x = np.arange(1.0, most + 1).reshape(-1, *[1] * m.ndim)
    ratios = np.maximum(m - x + 1, 0.0) / x
    with np.errstate(over="ignore"):
        return np.concatenate([np.ones((1, *m.shape)), np.cumprod(ratios, axis=0)])


def _product(part: Contests, step: Step) -> Array:
    """The rivals' product, integrated over s: coefficients of z^0.., (W, t)."""
    j, most = step.j, int(step.degree.max())
    if j == 1:
        powers = binomials(part.singles, most)[:, None, :]
        nodes, weights = np.ones(1), np.ones(1)
    else:
        powers = np.zeros((min(most, int(step.rivals[0]) * j) + 1, step.nodes, len(part.votes)))
        powers[0] = 1.0
        nodes, weights = _nodes(step.nodes)
    reach = most if j == 1 else 0
    for rival in range(int(step.rivals[0])):
        still = int(np.searchsorted(-step.rivals, -rival, side="left"))
        factor = binomials(part.others[:still, rival], j)
        reach = _multiply(powers[:, :, :still], factor, nodes, reach)
    if j == 1:
        return np.asarray(powers[:, 0] / np.arange(1.0, len(powers) + 1)[:, None])
    return np.asarray(np.einsum("wgt,g->wt", powers, weights))


@cache
def _nodes(number: int) -> tuple[Array, Array]:
    """Gauss-Legendre nodes and weights on [0, 1]."""
    ends, weights = np.polynomial.legendre.leggauss(number)
    return 0.5 * (ends + 1.0), 0.5 * weights


def _multiply(powers: Array, factor: Array, nodes: Array, reach: int) -> int:
    """Multiply by sum_{x<j} f_x z^x + s f_j z^j in place, from z^0 to z^reach before; return how far it reaches."""
    j, width = len(factor) - 1, len(powers)
    before = powers[: reach + 1].copy()
    for x in range(1, j + 1):
        n = min(len(before), width - x)
        if n <= 0:
            break
        scale = factor[x] if x < j else nodes[:, None] * factor[x]
        powers[x : x + n] += before[:n] * scale
    return min(reach + j, width - 1)


def _rival_votes(part: Contests, rivals: Whole) -> Whole:
    """Votes of the first `rivals` others, (t,)."""
    summed = np.concatenate([np.zeros((len(rivals), 1), np.int64), np.cumsum(part.others, axis=1)], axis=1)
    return np.asarray(summed[np.arange(len(rivals)), rivals])
