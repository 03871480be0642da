"""From a table of samples to one row a problem and k."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from scaling.errors import InputError
from scaling.samples import checks
from scaling.samples.best import best_of_k
from scaling.samples.chance import Method
from scaling.samples.checks import Array, Whole
from scaling.samples.majority import majority_at_k
from scaling.samples.table import Table, counted, table
from scaling.samples.unbiased import pass_at_k
from scaling.samples.votes import count_votes

if TYPE_CHECKING:
    import pandas as pd

COLUMNS = {
    "pass": ("correct",),
    "majority": ("answer", "correct"),
    "best_of": ("verifier_score", "correct"),
}
"""Columns of samples that a method needs, besides `problem`."""


def curves(
    frame: "pd.DataFrame", method: Method, k: Any, *, by: Sequence[str] = (), seed: int = 0
) -> "pd.DataFrame":
    """Return the score of each problem at each k: columns of `by`, problem, k, n, score, score_mc_se.

    `frame` has a row a sample: `problem`, `correct` (true or false, 1 or 0), for majority `answer` (missing where there is
    none), for best_of `verifier_score`; a column `sample`, if any, tells a problem's samples apart. For pass it may have a
    row a problem instead, with `n` and `c`. `by` names columns whose groups are apart, such as the checkpoint. method is
    pass (`pass_at_k`), majority (`majority_at_k`) or best_of (`best_of_k`): means over all subsets of k. score_mc_se is 0
    where that is exact. n may differ between problems (see `adaptive`). Rows are sorted by group, problem and k.

    Raises InputError for columns that are missing, another method, k above the fewest samples of a problem, a mark that is
    missing (a sample that could not be graded is no sample that is wrong: decide, fill in or leave out), a missing verifier
    score, and a sample that is there twice.
    """
    if not isinstance(method, str) or method not in COLUMNS:
        raise InputError(f"method is {checks.said(method)}; give pass, majority or best_of")
    columns = COLUMNS[method]
    if method == "pass" and "correct" not in getattr(frame, "columns", ["correct"]):
        columns = ("n", "c")
    seed = checks.seed(seed)
    given = table(frame, by, columns)
    n = counted(given)[0]
    sizes = np.unique(_sizes(k, n))
    if method == "pass":
        score = pass_at_k(*counted(given), sizes)
        error = np.zeros(score.shape)
    elif method == "majority":
        score, error = _majority(given, sizes, seed)
    else:
        score = _best(given, n, sizes)
        error = np.zeros(score.shape)
    rows = given.keys.loc[given.keys.index.repeat(len(sizes))].reset_index(drop=True)
    return rows.assign(
        k=np.tile(sizes, given.pairs),
        n=np.repeat(n, len(sizes)),
        score=score.ravel(),
        score_mc_se=error.ravel(),
    )


def _sizes(k: Any, n: Whole) -> Whole:
    """The k, of which none may lie above the fewest samples; InputError says how many problems have fewer."""
    sizes = checks.whole("k", k, "give whole numbers, 1 or more")
    fewer = int((n < sizes.max(initial=1)).sum())
    if fewer:
        raise InputError(
            f"k is {sizes.max()}, and {fewer} of {len(n)} problems have fewer samples; give k up to {n.min()}, or leave "
            "these problems out at every k"
        )
    return checks.subset_sizes(k, n)


def _majority(given: Table, sizes: Whole, seed: int) -> tuple[Array, Array]:
    try:
        votes = count_votes(given.which, given.column("answer"), given.column("correct"))
    except InputError as error:
        raise _named(error, given) from None
    return majority_at_k(votes, sizes, seed=seed)


def _named(error: InputError, given: Table) -> InputError:
    """The error about a pair's number, with its name instead."""
    head, colon, rest = str(error).partition(": ")
    number = head.removeprefix("problem ")
    if not colon or not number.isdigit():
        return error
    return InputError(f"{given.named(int(number))}: {rest}")


def _best(given: Table, n: Whole, sizes: Whole) -> Array:
    """Scores (P, K), problems with as many samples together."""
    right = checks.flags("correct", given.column("correct"))
    value = given.rows["verifier_score"].to_numpy(dtype=np.float64, na_value=np.nan)
    order = np.argsort(given.which, kind="stable")
    begin = np.cumsum(n) - n
    score = np.empty((len(n), len(sizes)))
    missing = int(np.isnan(value).sum())
    if missing:
        raise InputError(
            f"verifier_score is missing in {missing} of {len(value)} samples; drop these samples, "
            "or fill in the score that they would have"
        )
    for samples in np.unique(n).tolist():
        alike = np.flatnonzero(n == samples)
        at = order[begin[alike][:, None] + np.arange(samples)]
        score[alike] = best_of_k(right[at], value[at], sizes)
    return score
