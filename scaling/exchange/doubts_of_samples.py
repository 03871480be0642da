"""Doubts about how answers were sampled, graded and put together.

Shapes: n rows, K checkpoints, B budgets, P problems.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

from scaling.exchange import ledger as ledgers
from scaling.exchange.rows import right
from scaling.fitting.parts import Warned
from scaling.records.cells import shown
from scaling.reporting.numbers import percent, plain

if TYPE_CHECKING:
    from scaling.exchange.evidence import Evidence
    from scaling.laws.base import Array

TELLS_ALL = 0.995
"""Share of pairs of a right and a wrong answer of one problem that no verifier without the reference is known to order."""
LEAST_PAIRS, LEAST_MIXED = 200, 10
"""Such pairs, and problems that have them, below which the share says nothing."""
LEAST_ROWS = 10
ROUNDED = 5e-4
"""Distance of a score, rounded to three places, from its formula."""
LEAST_PROBLEMS = 10


def verifier_leak(e: Evidence) -> Iterator[Warned]:
    """A verifier that orders right and wrong samples of a problem without error."""
    if not {"verifier_score", "correct", "problem"} <= set(e.rows.columns):
        return
    score, correct = e.numbers("verifier_score"), right(e.rows)
    known = np.isfinite(score) & np.isfinite(correct)
    names = (ledgers.TRAIN, ledgers.TRAIN_SECONDS, "run", "seed", "budget", "problem")
    rows = e.rows.loc[known, [name for name in names if name in e.rows]]
    group = rows.groupby(list(rows.columns), sort=False, dropna=False).ngroup()
    good = correct[known] == 1
    rank = group.to_frame("group").assign(score=score[known]).groupby("group")["score"].rank().to_numpy()
    n_right = np.bincount(group, weights=good)
    n_wrong = np.bincount(group, weights=~good)
    above = np.bincount(group, weights=rank * good) - n_right * (n_right + 1) / 2
    pairs, mixed = float((n_right * n_wrong).sum()), n_right * n_wrong > 0
    if pairs < LEAST_PAIRS or mixed.sum() < LEAST_MIXED:
        return
    area = float(above[mixed].sum()) / pairs
    if area >= TELLS_ALL:
        yield Warned(
            "verifier_leak",
            f"within the problems of a checkpoint that have right and wrong samples ({int(mixed.sum())} of "
            f"{len(mixed)}) verifier_score puts the right one first in {percent(area, 4)} of pairs: the "
            "reference answer is probably in the verifier; the rate of one that can be deployed would be lower",
        )


def put_together(e: Evidence) -> Iterator[Warned]:
    """Finished scores at k that are not the mean over all k of n samples: with replacement, the first k, or k above n."""
    named = "k" if "k" in e.rows else "budget"
    if not {"n", "c", "score", named} <= set(e.rows.columns):
        return
    n, c, k, score = (e.numbers(name) for name in ("n", "c", named, "score"))
    counts = np.stack([n, c, k])
    whole = (np.isfinite(counts) & (counts == np.floor(counts))).all(axis=0) & np.isfinite(score) & (k >= 1)
    if named == "k" and (whole & (k > n)).any():
        over = whole & (k > n)
        worst = int(np.argmax(np.where(over, k / np.maximum(n, 1), 0)))
        yield Warned(
            "k_beyond_n",
            f"{int(over.sum())} of {len(n)} rows have k above n (k = {k[worst]:g} of n = {n[worst]:g}): no subset "
            "of the samples has that size, and the score says nothing new; leave them out with --where 'k <= n'",
        )
    mixed = whole & (k < n) & (c > 0) & (n - c >= k)
    if mixed.sum() < LEAST_ROWS:
        return
    n, c, k, score = n[mixed], c[mixed], k[mixed], score[mixed]
    biased, unbiased = 1 - (1 - c / n) ** k, _unbiased(n, c, k)
    apart = np.abs(biased - unbiased) > 4 * ROUNDED
    if apart.sum() >= LEAST_ROWS and (np.abs(score - biased)[apart] < ROUNDED).mean() > 0.9:
        lost = float(np.mean((unbiased - biased)[apart]))
        yield Warned(
            "with_replacement",
            f"scores are 1 - (1 - c/n)^k, as if samples were drawn with replacement, in {int(apart.sum())} rows: "
            f"{plain(100 * lost, 2)} points too low on average, the more the nearer k is to n, which flattens the "
            "gain from inference; drop column score, and give method pass",
        )
    if np.isin(score, (0.0, 1.0)).all():
        yield Warned(
            "prefix",
            f"all {len(score)} scores at k < n of problems with some right samples are 0 or 1: the first k "
            "samples were used, and the others, which tell the mean over all subsets, thrown away; drop column "
            "score, and give method pass",
        )


def _unbiased(n: Array, c: Array, k: Array) -> Array:
    """pass@k of each row at its own k (n,)."""
    from scaling.samples import pass_at_k

    found = np.empty(len(k))
    for one in np.unique(k):
        at = k == one
        found[at] = pass_at_k(n[at].astype(np.int64), c[at].astype(np.int64), int(one))
    return found


def adaptive_n(e: Evidence) -> Iterator[Warned]:
    """Hard problems that were given more samples."""
    from scaling.samples import adaptive

    trials = e.design.trials
    if trials is None or e.design.problems < LEAST_PROBLEMS:
        return
    known = np.isfinite(trials) & np.isfinite(e.design.scores)
    count = np.maximum(known.sum(axis=(0, 1)), 1)
    n = np.where(known, trials, 0.0).sum(axis=(0, 1)) / count
    score = np.where(known, e.design.scores, 0.0).sum(axis=(0, 1)) / count
    if np.ptp(n) == 0 or np.ptp(score) == 0:
        return
    told = adaptive(np.rint(n).astype(np.int64), np.rint(n * score).astype(np.int64))
    if told is not None and np.corrcoef(n, score)[0, 1] < 0:
        yield Warned("adaptive_n", f"{told}; scores are biased, take equally many of each")


def seen_in_training(e: Evidence) -> Iterator[Warned]:
    """Problems that the model was trained on."""
    name = next((name for name in ("seen_in_training", "contaminated") if name in e.rows), None)
    if name is None:
        return
    seen = e.yes(name)
    if not seen.any():
        return
    if "problem" in e.rows:
        count, of = (e.rows["problem"][at].nunique() for at in (seen, slice(None)))
    else:
        count, of = int(seen.sum()), len(seen)
    told = ""
    if e.score is not None and not seen.all():
        told = f", scored {percent(float(np.nanmean(e.score[seen])))} against {percent(float(np.nanmean(e.score[~seen])))}"
    yield Warned(
        "seen_in_training",
        f"{count} of {of} {'problems' if 'problem' in e.rows else 'rows'} were seen in training{told}: training buys "
        f"recall there, which inference cannot replace; leave them out with --where on {shown(name)}",
    )


ALL = (verifier_leak, put_together, adaptive_n, seen_in_training)
