"""Doubts about what was run, chosen and counted: runs, problems, checkpoints, recipes, settings, compute.

Shapes: n rows, K checkpoints, L training levels, B budgets, P problems.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

from scaling.exchange import ledger as ledgers
from scaling.fitting.parts import Warned
from scaling.laws.base import Array
from scaling.records.cells import shown
from scaling.reporting.numbers import percent, plain

if TYPE_CHECKING:
    from scaling.exchange.evidence import Evidence

COARSE = 100
"""Problems up to which one of them is seen in a score."""
IN_COMMON = 0.5
"""Share of problems in common below which differences are not paired."""
MOSTLY, FEWEST_LACKING, SURELY = 0.5, 5, 4.0
"""Share of levels at which a problem has no score, such problems, and standard errors of a difference, from which that is
said."""
POOLED = (
    "model",
    "base_model",
    "model_name",
    "architecture",
    "n_params",
    "params",
    "size",
    "dataset",
    "data",
    "task",
)
"""Columns of which one rate is of one value."""
PICKED = ("selected_on", "selected_by", "checkpoint_selection")
EVALUATION = frozenset({"eval", "evals", "evaluation", "test", "score", "scores"})
APART = frozenset({"validation", "valid", "val", "dev", "train", "training"})
"""Words of splits that a checkpoint may be chosen on."""
LONG, REPEATS = 8, 0.25
"""Checkpoints of one run, and the share of steps that repeat a score exactly, of a best-so-far curve."""
DECIDES = 2.0
"""Factor between conventions from which the convention is the answer."""


def one_run(e: Evidence) -> Iterator[Warned]:
    """Training levels with one run each."""
    alone = int((e.design.seeds == 1).sum())
    if alone:
        column = "" if e.design.runs_told else " (no column run tells runs apart)"
        yield Warned(
            "one_run",
            f"{alone} of {e.design.levels} training levels have one run{column}: rates are of this run, other "
            "seeds may differ by more than the interval, which has no part for the spread there; train a "
            "second seed of each",
        )


def problems(e: Evidence) -> Iterator[Warned]:
    """Problems that are not told apart, that differ between cells, or that are few."""
    if not e.design.problems:
        yield Warned(
            "cells_only",
            "rows are whole cells: what is due to the problems, which all cells share, cannot be told, and the "
            "interval has no part for them; give one row a problem, with a column problem",
        )
    else:
        yield from _unpaired(e)
        yield from _missing(e)
    if 0 < e.problems <= COARSE:
        yield Warned(
            "grain",
            f"{e.problems} problems: one of them is {plain(100 / e.problems, 2)} points of a score, and other "
            "problems of the same kind could move all scores; smaller differences say nothing",
        )


def _unpaired(e: Evidence) -> Iterator[Warned]:
    """Cells that were asked different problems: the mean share of one cell's problems that another has too."""
    asked = np.isfinite(e.design.scores)
    shares = {
        "checkpoints": _in_common(np.moveaxis(asked, 1, 0)),
        "budgets": _in_common(asked),
    }
    for what, share in shares.items():
        if share < IN_COMMON:
            yield Warned(
                "unpaired",
                f"two {what} have {percent(share)} of their problems in common: differences between {what} hold "
                "the luck of the problems, and the interval is wider than it need be; ask all the same problems",
            )


def _missing(e: Evidence) -> Iterator[Warned]:
    """Problems without a score at some budgets that are easier or harder than those with one, by the cells they share."""
    scores = e.design.by_level(np.moveaxis(e.design.scores, 2, 0))
    known = np.isfinite(scores)
    with np.errstate(invalid="ignore"):
        cell = np.where(known, scores, 0.0).sum(axis=0) / known.sum(axis=0)
        count = known.sum(axis=(1, 2))
        ease = np.where(known, scores - cell, 0.0).sum(axis=(1, 2)) / count
    worst: tuple[float, float, float, int] | None = None
    for b in range(scores.shape[2]):
        lacks = (~known[:, :, b]).mean(axis=1) > MOSTLY
        gone, here = ease[lacks & (count > 0)], ease[~lacks & (count > 0)]
        if min(len(gone), len(here)) < FEWEST_LACKING:
            continue
        apart = float(gone.mean() - here.mean())
        error = float(np.sqrt(gone.var(ddof=1) / len(gone) + here.var(ddof=1) / len(here)))
        if abs(apart) > SURELY * error and (worst is None or abs(apart) > abs(worst[0])):
            worst = (apart, len(gone) / len(ease), error, b)
    if worst is not None:
        apart, share, _, b = worst
        kind, high = ("harder", "too high") if apart < 0 else ("easier", "too low")
        yield Warned(
            "missing_unlike",
            f"{percent(share)} of problems have no score at budget {shown(str(e.design.budgets[b]))}, and elsewhere they "
            f"score {plain(100 * abs(apart), 2)} points {'less' if apart < 0 else 'more'}: {kind} problems are missing, the "
            f"cell's mean is {high}, and the rate with it; leave them out everywhere, or score what was not answered 0",
        )


def _in_common(asked: Array) -> float:
    """Mean share of the problems of one cell that another of its group has too, (groups, cells, P); 1 without another."""
    times = asked.sum(axis=1)
    cells = asked.any(axis=2).sum(axis=1)
    pairs = float((times * (cells[:, None] - 1)).sum())
    return float((times * (times - 1)).sum()) / pairs if pairs else 1.0


def picked(e: Evidence) -> Iterator[Warned]:
    """Checkpoints chosen by the score that is then reported."""
    tasks = (
        {str(task).strip().casefold() for task in e.rows["task"].dropna().unique()}
        if "task" in e.rows
        else set()
    )
    for name in PICKED:
        if name not in e.rows:
            continue
        for said in e.rows[name].dropna().astype(str).unique():
            words = set(re.findall(r"[a-z]+", said.casefold()))
            task = any(one and one in said.casefold() for one in tasks)
            if words & APART or not (task or words & EVALUATION):
                continue
            yield Warned(
                "picked",
                f"checkpoints were chosen on {shown(said)} (column {name}): the best of several noisy scores is "
                "too high, the more the more there were to choose from; choose on other problems, or take fixed steps",
            )
            return


def best_so_far(e: Evidence) -> Iterator[Warned]:
    """Scores of one run that never fall and often repeat, as a running maximum does."""
    design = e.design
    for run, name in enumerate(design.run_names):
        at = np.flatnonzero(design.run == run)
        at = at[np.argsort(design.u[at])]
        for b, budget in enumerate(design.budgets):
            score = design.means[at, b]
            score = score[np.isfinite(score)]
            score = score[(score > 0) & (score < 1)]
            if len(score) < LONG:
                continue
            steps = np.diff(score)
            plateaus = len(np.unique(score[1:][steps == 0]))
            if (steps >= 0).all() and (steps == 0).mean() >= REPEATS and plateaus > 1:
                yield Warned(
                    "best_so_far",
                    f"scores of run {shown(str(name))} at budget {shown(str(budget))} never fall over {len(score)} "
                    f"checkpoints and repeat exactly in {int((steps == 0).sum())} of {len(steps)} steps, as the "
                    "best so far does: maxima of noise are too high; give each checkpoint its own score",
                )
                return


def recipes(e: Evidence) -> Iterator[Warned]:
    """Training levels of different recipes."""
    if "recipe" not in e.rows:
        return
    known = (e.level >= 0) & e.rows["recipe"].notna().to_numpy()
    name, level = e.rows["recipe"].astype(str).to_numpy()[known], e.level[known]
    sets = [sorted(set(name[level == k])) for k in np.unique(level)]
    if all(one == sets[0] for one in sets):
        return
    first, last = (", ".join(map(shown, sets[k])) for k in (0, -1))
    several = len(set(name))
    yield Warned(
        "recipes",
        f"{several} recipes, not the same at all training levels ({first} at the least compute, {last} at the "
        "most): a step along the training axis is more compute and another recipe, and the rate is of both; "
        "keep one with --where",
    )


def pooled(e: Evidence) -> Iterator[Warned]:
    """Models, data or tasks that differ between the rows of one training level."""
    for name in POOLED:
        if name not in e.rows:
            continue
        known = (e.level >= 0) & e.rows[name].notna().to_numpy()
        value, level = e.rows[name].astype(str).to_numpy()[known], e.level[known]
        most = max((sorted(set(value[level == k])) for k in np.unique(level)), key=len, default=[])
        if len(most) > 1:
            yield Warned(
                "pooled",
                f"one training level holds {len(most)} values of {name} ({', '.join(map(shown, most[:4]))}): the rate pools "
                "them, and what differs between them counts as luck; keep one with --where",
            )


def mixed_setting(e: Evidence) -> Iterator[Warned]:
    """Temperatures or top-p that differ within a method."""
    for name in ("temperature", "top_p"):
        if name in e.rows and e.rows[name].nunique() > 1:
            values = sorted(e.rows[name].dropna().unique(), key=str)
            told = ", ".join(str(value) for value in values[:4]) + (", ..." if len(values) > 4 else "")
            yield Warned(
                "mixed_setting",
                f"{name} takes {len(values)} values ({told}): what more samples gain depends on it, and the rate "
                "pools them; keep one with --where, or name each a method",
            )


def conventions(e: Evidence) -> Iterator[Warned]:
    """Training compute of this stage alone against all of it: eta_total = eta_stage d log C_total / d log C_stage."""
    book = e.found.ledger
    if ledgers.BEFORE not in e.rows:
        if book.train == "stage":
            yield Warned(
                "stage_only",
                "training compute is that of this stage alone, and no column pretrain_flops tells what came "
                "before: with it counted, eta shrinks by C_stage / C_total; do not set this rate beside one of "
                "total compute",
            )
        return
    before = e.numbers(ledgers.BEFORE)
    if (
        not np.nanmax(before, initial=0.0) > 0
        or book.currency == "device_seconds"
        or ledgers.TRAIN not in e.rows
    ):
        return
    stage = e.numbers(ledgers.TRAIN)
    known = (stage > 0) & np.isfinite(before)
    x, y = np.log10(stage[known]), np.log10(stage[known] + before[known])
    if not known.any() or np.ptp(x) == 0:
        return
    factor = float(np.polyfit(x, y, 1)[0])
    if factor < 1 / DECIDES or factor > DECIDES:
        share = 10 ** (x - y)
        other = "total" if book.train == "stage" else "stage"
        times = factor if book.train == "stage" else 1 / factor if factor > 0 else np.inf
        yield Warned(
            "ledger_decides",
            f"this stage is {percent(float(share.min()))} to {percent(float(share.max()))} of all training compute: "
            f"counted as {ledgers.WORDS['train'][other]}, eta is about {plain(times, 2)} times as large (d log "
            f"C_total / d log C_stage = {plain(factor, 2)}); say which is meant, and give both",
        )


ALL = (one_run, problems, picked, best_so_far, recipes, pooled, mixed_setting, conventions)
