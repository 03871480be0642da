"""Which right answers have to be enumerated, against which others, and which problems that costs too much for.

Shapes: P problems, T right answers, A others, K sizes of subsets.
"""

from collections.abc import Iterator

import numpy as np

from scaling.samples.checks import Array, Whole
from scaling.samples.enumerated import BLOCK, LARGEST_LOG, Contests, scores, steps
from scaling.samples.votes import Votes


def enumerate_subsets(votes: Votes, k: Whole, todo: np.ndarray, budget: float) -> Array:
    """Scores (P, K) of the problems `todo` (P,) at k (K,), ascending; NaN where a subset count is no float or too dear.

    A problem is enumerated at the smallest k alone where all of them would take more than `budget` multiplications:
    half of them, or a quarter, and so on.
    """
    found = np.full((len(todo), len(k)), np.nan)
    many = np.where(todo, _countable(votes.samples, k), 0)
    while many.any():
        size = int(many.max())
        problems = np.flatnonzero(many == size)
        many[problems] = 0
        blocks = list(_blocks(votes, problems))
        cost = np.zeros(len(todo))
        for block in blocks:
            for step in steps(block, k[:size]):
                np.add.at(cost, block.problem[step.which], step.cost())
        dear = problems[cost[problems] > budget]
        many[dear] = size // 2
        cheap = np.setdiff1d(problems, dear)
        found[cheap, :size] = 0.0
        if len(dear):
            blocks = list(_blocks(votes, cheap))
        for block in blocks:
            np.add.at(found[:, :size], block.problem, scores(block, k[:size]))
    return found


def _countable(samples: Whole, k: Whole) -> Whole:
    """How many of the k, ascending, have subsets that a float can count, each problem, (P,)."""
    from scipy.special import gammaln

    most = np.minimum(k, samples[:, None] // 2)
    log = gammaln(samples + 1.0)[:, None] - gammaln(most + 1.0) - gammaln(samples[:, None] - most + 1.0)
    return np.asarray((log <= LARGEST_LOG).sum(axis=1))


def _blocks(votes: Votes, problems: Whole) -> Iterator[Contests]:
    """The right answers of the problems, like beside like, in blocks."""
    chosen = np.isin(votes.problem, problems) & votes.right
    entries = np.flatnonzero(chosen)
    problem, count = votes.problem[entries], votes.count[entries]
    new = np.ones(len(entries), dtype=bool)
    new[1:] = (problem[1:] != problem[:-1]) | (count[1:] != count[:-1])
    first = np.flatnonzero(new)
    alike = np.diff(np.append(first, len(entries)))
    entries = entries[first]
    begin = np.searchsorted(votes.problem, np.arange(len(votes.abstained)))
    samples = votes.samples
    problem = votes.problem[entries]
    top = votes.count[begin[problem]] / samples[problem]
    order = np.lexsort((votes.count[entries] / samples[problem], top))
    for at in range(0, len(order), BLOCK):
        part = order[at : at + BLOCK]
        yield _contests(votes, entries[part], alike[part], begin, samples)


def _contests(votes: Votes, entries: Whole, alike: Whole, begin: Whole, samples: Whole) -> Contests:
    """The contests of right answers at `entries` (T,) of the votes."""
    problem, own = votes.problem[entries], votes.count[entries]
    end = np.append(begin[1:], len(votes.problem))
    several = np.array([np.searchsorted(-votes.count[begin[p] : end[p]], -1) for p in problem])
    ones = end[problem] - begin[problem] - several
    place = entries - begin[problem]
    rivals = several - (own > 1)
    columns = np.arange(int(rivals.max(initial=0)))
    source = columns + (columns >= place[:, None])
    inside = columns < rivals[:, None]
    at = np.where(inside, begin[problem][:, None] + source, 0)
    return Contests(
        problem=problem,
        votes=own,
        alike=alike,
        others=np.where(inside, votes.count[at], 0),
        singles=ones - (own == 1),
        samples=samples[problem],
    )
