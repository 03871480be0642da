"""Methods ranked by their errors on the same held-out rows, and which differences the rows can tell.

Shapes: M methods, K cuts, U units, B draws.
"""

from typing import TYPE_CHECKING

import numpy as np

from scaling.errors import FitError
from scaling.fitting.doubts import FEW_CLUSTERS
from scaling.laws.base import Array
from scaling.resampling import percentile

if TYPE_CHECKING:
    import pandas as pd

METHOD = ["law", "loss"]
"""Columns that name a method."""


def rank(
    errors: "pd.DataFrame", card: "pd.DataFrame", metric: str, draws: int, level: float, seed: int
) -> tuple["pd.DataFrame", tuple[float, ...]]:
    """The ranking, best first, and the cuts that it rests on.

    score_m = sqrt(mean_k mean_i e_mki^2) over cuts k and held-out rows i: every cut counts alike. `errors` holds
    cut_C, law, loss, unit and the metric; `card` says where a method has no fit: methods without any fit are left
    out, then cuts that a method lacks. A draw takes units with replacement, the same for all methods and cuts. With
    fewer than FEW_CLUSTERS units there is no interval (NaN), and nothing is told apart.

    Raises FitError when no method or no common cut is left.
    """
    import pandas as pd

    fitted = card[card["status"] == "ok"]
    methods = list(dict.fromkeys(zip(fitted["law"], fitted["loss"], strict=True)))
    counts = fitted.groupby("cut_C").size()
    cuts = tuple(sorted(counts.index[counts == len(methods)].tolist()))
    if not methods or not cuts:
        why = card.loc[card["status"] != "ok", "status"]
        raise FitError(
            f"no cut has a fit of every law and loss, the first because {why.iloc[0]}; give other cuts"
        )
    squares, rows = _sums(errors, methods, cuts, metric)
    U = rows.shape[1]
    rng = np.random.default_rng(seed)
    counted = rng.multinomial(U, np.full(U, 1.0 / U), size=draws).astype(np.float64)
    score, drawn = _scores(squares, rows, np.ones((1, U)))[0], _scores(squares, rows, counted)
    best = int(np.argmin(score))
    low, high = percentile(drawn - drawn[:, [best]], level)
    if U < FEW_CLUSTERS:
        low, high = np.full((2, len(methods)), np.nan)
    table = pd.DataFrame(methods, columns=METHOD)
    used = fitted[fitted["cut_C"].isin(cuts)].groupby(METHOD, sort=False)
    bias = "log_bias" if metric == "log_error" else "bias"
    rms = "log_rms" if metric == "log_error" else "rms"
    table = table.assign(cuts=len(cuts), score=score)
    table["bias"] = used[bias].mean().loc[methods].to_numpy()
    table["worst"] = used[rms].max().loc[methods].to_numpy()
    table = table.assign(difference=score - score[best], low=low, high=high, tied=~(low > 0))
    order = np.argsort(score, kind="stable")
    return table.iloc[order].reset_index(drop=True), cuts


def _sums(
    errors: "pd.DataFrame", methods: list[tuple[str, str]], cuts: tuple[float, ...], metric: str
) -> tuple[Array, Array]:
    """Summed squared errors of each method, cut and unit (M, K, U), and rows of each cut and unit (K, U)."""
    import pandas as pd

    used = errors[errors["cut_C"].isin(cuts)]
    unit, labels = pd.factorize(used["unit"])
    m = pd.MultiIndex.from_tuples(methods).get_indexer(pd.MultiIndex.from_frame(used[METHOD]))
    k = np.searchsorted(cuts, used["cut_C"])
    squares = np.zeros((len(methods), len(cuts), len(labels)))
    np.add.at(squares, (m, k, unit), used[metric].to_numpy() ** 2)
    rows = np.zeros((len(cuts), len(labels)))
    first = m == 0  # all methods have the same rows above a cut
    np.add.at(rows, (k[first], unit[first]), 1.0)
    return squares, rows


def _scores(squares: Array, rows: Array, counted: Array) -> Array:
    """Scores (B, M) of draws (B, U); a cut that no drawn unit lies above has no part in that draw."""
    total, count = np.einsum("mku,bu->bmk", squares, counted), np.einsum("ku,bu->bk", rows, counted)
    weights = (count > 0).astype(np.float64)
    mean = total / np.maximum(count, 1.0)[:, None, :]
    scores: Array = np.sqrt(np.einsum("bmk,bk->bm", mean, weights) / weights.sum(axis=1)[:, None])
    return scores
