"""The rollout scorecard: every law and loss fitted below each compute cut and asked for the runs above."""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from scaling.diagnostics.jsonable import objects
from scaling.diagnostics.ranking import rank
from scaling.errors import FitError, InputError
from scaling.fitting.design import FEW_ROWS
from scaling.fitting.heldout import holdout
from scaling.fitting.isoflop_rows import budgets_by_gap
from scaling.fitting.objective import Loss, Objective
from scaling.fitting.rows import Rows, rows_of
from scaling.laws import Law, find
from scaling.laws.base import Array

if TYPE_CHECKING:
    import pandas as pd

SHARES = (0.4, 0.5, 0.6, 0.7, 0.8)
"""Shares of the rows below the cuts, where C has no budgets."""
MOST_BUDGETS = 12
"""Groups of C above which they are no budgets but a continuum."""
LABEL = "_row"
"""Column that carries a row's position through the fits."""


@dataclass(frozen=True)
class Rollout:
    """How laws and losses predict beyond the compute they were fitted to."""

    frame: "pd.DataFrame"
    """One row a cut, law and loss: cut_C, law, loss, below, above (rows on each side), decades (log10 of the largest C
    over the cut), bias and rms (of predicted minus measured), log_bias and log_rms (of the logarithms), perplexity_ratio
    (exp(bias): predicted over measured perplexity, for a loss in nats), status (`ok`, or why there is no fit)."""
    errors: "pd.DataFrame"
    """One row a cut, law, loss and run above: cut_C, law, loss, row, C, measured, predicted, error, log_error."""
    ranking: "pd.DataFrame"
    """One row a law and loss, best first: law, loss, cuts, score, bias, worst, difference, low, high, tied.

    score = root of the mean over cuts of the mean squared log error (for a law of a score, of the plain error);
    difference = score minus the best one's, with its paired interval; tied where that interval
    holds 0, or where fewer than 6 units lie above the cuts, too few for an interval."""
    chosen: tuple[str, str]
    """Law and loss with the lowest score."""
    cuts: tuple[float, ...]
    """Cuts that the ranking rests on, those that every ranked law and loss could be fitted below [FLOP]."""
    unit: str
    """What the paired bootstrap drew: `row`, or a column whose rows stay together."""
    level: float
    """Coverage of the intervals of differences."""

    @property
    def tied(self) -> tuple[tuple[str, str], ...]:
        """The laws and losses that these rows do not tell from the chosen one, itself first."""
        rows = self.ranking[self.ranking["tied"]]
        return tuple(zip(rows["law"].tolist(), rows["loss"].tolist(), strict=True))

    def to_json(self) -> dict[str, Any]:
        """Scorecard, ranking and choice, for programs."""
        return {
            "chosen": {"law": self.chosen[0], "loss": self.chosen[1]},
            "tied": [{"law": law, "loss": loss} for law, loss in self.tied],
            "cuts": list(self.cuts),
            "unit": self.unit,
            "level": self.level,
            "ranking": objects(self.ranking),
            "scorecard": objects(self.frame),
        }


def rollout(
    frame: "pd.DataFrame",
    laws: Sequence[str | type[Law]] = ("chinchilla", "p_norm"),
    losses: Sequence[Loss | Objective] = ("huber", "lad", "mse"),
    *,
    cuts: Sequence[float] | None = None,
    cluster: str | None = None,
    draws: int = 2000,
    level: float = 0.95,
    seed: int = 0,
    **options: Any,
) -> Rollout:
    """Fit below every compute cut, predict above it, and rank laws and losses by their error there.

    The interval of a difference in score is a paired bootstrap over the runs above the cuts, the same runs for all
    laws and losses. It holds the fits fixed, so it says whether these methods differ on runs like the held-out ones
    and not how they would differ after other fits; and the best of many methods is a little flattered.

    Args:
        frame: what `fit` takes, with C or N and D.
        laws: names or classes that predict one and the same column.
        losses: names, or objectives.
        cuts: compute up to which rows are fitted; by default every budget with at least 3 rows a parameter below it
            and rows above (groups of C without a gap of .1 decades), or quantiles of C where there are no budgets.
        cluster: column whose rows are drawn together, for example run_id where runs give several checkpoints.
        draws: paired draws.
        level: coverage of the intervals.
        seed: seed of the draws.
        options: more of what `fit` takes, for example `fix` or `weights`; fits have no bootstrap of their own.

    Raises:
        InputError: no law or loss, laws of different columns, no usable cut, an unknown cluster column.
        FitError: no law and loss could be fitted below any cut.
    """
    import pandas as pd

    types = [find(law) if isinstance(law, str) else law for law in laws]
    objectives = {_word(loss): loss for loss in losses}
    _check(types, objectives, level)
    rows, C = _usable(types, frame, cluster)
    most = max(len(law.parameter_names()) for law in types)
    chosen_cuts = _cuts(C, FEW_ROWS * most) if cuts is None else sorted(map(float, cuts))
    used = rows.frame.reset_index(drop=True).assign(**{LABEL: np.arange(len(C))})
    card, errors = [], []
    for cut, law, word in itertools.product(chosen_cuts, types, objectives):
        line, held = _one(law, word, objectives[word], used, C, cut, options)
        card.append(line)
        errors += [held] if len(held) else []
    if not errors:
        raise FitError(f"nothing could be fitted below any cut, the first because {card[0]['status']}")
    scorecard, table = pd.DataFrame(card), pd.concat(errors, ignore_index=True)
    unit = used[LABEL] if cluster is None else used[cluster]
    by_unit = table.assign(unit=unit.to_numpy()[table["row"]])
    metric = "error" if types[0].target == "score" else "log_error"
    ranking, common = rank(by_unit, scorecard, metric, draws, level, seed)
    best = ranking.iloc[0]
    return Rollout(
        frame=scorecard,
        errors=table.assign(row=rows.frame.index[table["row"]]),
        ranking=ranking,
        chosen=(str(best["law"]), str(best["loss"])),
        cuts=common,
        unit=cluster or "row",
        level=level,
    )


def _usable(types: Sequence[type[Law]], frame: "pd.DataFrame", cluster: str | None) -> tuple[Rows, Array]:
    """The rows that every law can use, and their compute."""
    for law in types:
        rows = rows_of(law, frame, also=("C",))
        frame = rows.frame
    if rows.C is None:
        raise InputError("a cut in C needs a column C, or N and D")
    if cluster is not None and cluster not in frame:
        raise InputError(f"no column is called {cluster}; the paired draws need it to keep rows together")
    if cluster is not None and frame[cluster].isna().any():
        raise InputError(f"column {cluster} has missing labels; give every row one")
    return rows, rows.C


def _word(loss: Loss | Objective) -> str:
    """How a loss is called in the tables."""
    if not isinstance(loss, Objective):
        return loss
    shape = {"huber": f" {loss.delta:g}", "quantile": f" {loss.tau:g}"}.get(loss.loss, "")
    return f"{loss.loss}{shape} {loss.residual}"


def _check(types: Sequence[type[Law]], objectives: dict[str, Loss | Objective], level: float) -> None:
    if not types or not objectives:
        raise InputError("a rollout needs at least one law and one loss")
    targets = {law.target for law in types}
    if len(targets) > 1:
        raise InputError(f"the laws predict {' and '.join(sorted(targets))}; give laws of one column")
    if not 0 < level < 1:
        raise InputError(f"level is {level}; give a coverage between 0 and 1, for example .95")


def _cuts(C: Array, least: int) -> list[float]:
    """The largest C of each budget but the last, or quantiles of C; at least `least` rows up to each."""
    budget = budgets_by_gap(C)
    ends = [float(C[budget == one].max()) for one in np.unique(budget)]
    shares = sorted({float(np.quantile(C, share, method="lower")) for share in SHARES})
    candidates = ([ends] if 3 <= len(ends) <= MOST_BUDGETS else []) + [shares]
    for cuts in candidates:  # a few runs apart from all others make budgets that nothing can be fitted below
        if kept := [cut for cut in cuts if least <= np.sum(np.less_equal(C, cut)) < len(C)]:
            return kept
    raise InputError(
        f"no cut leaves {least} of the {len(C)} rows below it and some above; give cuts, simpler laws or more rows"
    )


def _one(
    law: type[Law],
    word: str,
    loss: Loss | Objective,
    used: "pd.DataFrame",
    C: Array,
    cut: float,
    options: dict[str, Any],
) -> tuple[dict[str, Any], "pd.DataFrame"]:
    """A line of the scorecard, and the errors above the cut (none where there is no fit)."""
    import pandas as pd

    line: dict[str, Any] = {"cut_C": cut, "law": law.name, "loss": word}
    below = int(np.sum(np.less_equal(C, cut)))
    line |= {"below": below, "above": len(C) - below}
    line["decades"] = float(np.log10(C.max() / cut))
    chosen: dict[str, Any] = {"loss": loss}
    if isinstance(loss, Objective):
        chosen = {"loss": loss.loss, "delta": loss.delta, "residual": loss.residual, "tau": loss.tau}
    try:
        held = holdout(law, used, cut, **({"bootstrap": 0} | options | chosen))
    except FitError as error:
        return line | {"status": str(error)}, pd.DataFrame()
    above = held.frame
    log_error = above["log_error"].to_numpy()
    line |= {"bias": held.mean_error, "rms": held.rms_error}
    line |= {"log_bias": float(log_error.mean()), "log_rms": float(np.sqrt(np.mean(log_error**2)))}
    line |= {"perplexity_ratio": held.perplexity_ratio, "status": "ok"}
    columns = {
        "row": above[LABEL].to_numpy(),
        "C": C[above[LABEL]],
        "measured": above[law.target].to_numpy(dtype=np.float64),
        "predicted": above["predicted"].to_numpy(),
        "error": above["error"].to_numpy(),
        "log_error": log_error,
    }
    return line, pd.DataFrame({"cut_C": cut, "law": law.name, "loss": word} | columns)
