"""Sampled completions joined to what training and inference cost: the table that exchange rates are measured on."""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING

from scaling.errors import InputError
from scaling.records.columns import TRAIN_FLOPS

if TYPE_CHECKING:
    import pandas as pd

    from scaling.records.tables import Records

COMPONENTS = tuple(column.name for column in TRAIN_FLOPS if column.name.startswith("train_flops_"))
OF_EVALS = (
    "infer_flops_prefill_per_problem",
    "infer_flops_decode_per_problem",
    "infer_flops_verifier_per_problem",
    "chance_score",
    "temperature",
    "verifier_train_flops",
)
"""Columns of an evaluation that all its samples share."""


def spent(records: Records) -> pd.DataFrame:
    """Return what training cost at each checkpoint.

    Columns run_id, step, kind, trunk (the run whose random path it shares), seed, tokens_seen, train_flops, pretrain_flops.
    ``train_flops`` is what the stage itself has cost so far, all components together (a cooldown: its trunk's steps
    included); ``pretrain_flops`` what came before it (0 for pretraining).
    """
    runs = records.runs[["run_id", "kind", "parent_run_id", "parent_step", "trunk_id", "seed_data"]]
    points = records.checkpoints.copy()
    points["train_flops"] = points[list(COMPONENTS)].sum(axis=1, min_count=1)
    joined = points[["run_id", "step", "train_flops", "tokens_seen"]].merge(
        runs, on="run_id", validate="many_to_one"
    )
    before = points.rename(
        columns={"run_id": "parent_run_id", "step": "parent_step", "train_flops": "pretrain_flops"}
    )[["parent_run_id", "parent_step", "pretrain_flops"]]
    joined = joined.merge(before, on=["parent_run_id", "parent_step"], how="left", validate="many_to_one")
    stage = joined["kind"].eq("rl")
    joined["pretrain_flops"] = joined["pretrain_flops"].where(stage, 0.0)
    return joined.rename(columns={"trunk_id": "trunk", "seed_data": "seed"})


def sampled(
    records: Records, settings: Collection[str], kinds: Collection[str], difficulty: int
) -> pd.DataFrame:
    """Return one row a sample of some settings ("free", "asked 2"), kinds of run and one difficulty.

    Columns: run (runs that left one trunk are one), seed, kind, step, tokens_seen, train_flops, pretrain_flops, the
    inference FLOPs of one sample by component, setting, budget (the setting), problem, sample, answer, correct, tokens,
    truncated, verifier_score, chance_score, temperature. Raises ``InputError`` where nothing was sampled so.
    """
    rows = _joined(records, settings, kinds, difficulty)
    return rows.assign(run=rows["trunk"], budget=rows["setting"]).drop(columns=["trunk", "eval_id", "run_id"])


def counts_by_stage(records: Records, setting: str, difficulty: int) -> pd.DataFrame:
    """Return right samples by run and problem, with RL and what came before it told apart, of pretraining and RL runs.

    Columns: run_id, seed, step, problem, n, c, train_flops (of RL; 0 for a run without) and pretrain_flops (the whole path
    before it, or of the run without RL). Raises ``InputError`` where nothing was sampled so.
    """
    rows = _joined(records, [setting], ["pretrain", "cooldown", "rl"], difficulty)
    by = ["run_id", "seed", "kind", "step", "train_flops", "pretrain_flops", "problem"]
    grouped = rows.assign(correct=rows["correct"].astype(float)).groupby(by, sort=False)["correct"]
    out = grouped.agg(n="size", c="sum").reset_index()
    rl = out["kind"].eq("rl")
    before = out["pretrain_flops"].where(rl, out["train_flops"])
    return out.assign(train_flops=out["train_flops"].where(rl, 0.0), pretrain_flops=before).drop(
        columns="kind"
    )


def _joined(
    records: Records, settings: Collection[str], kinds: Collection[str], difficulty: int
) -> pd.DataFrame:
    """Return one row a sample with what its checkpoint and its evaluation cost.

    Of several evaluations of one setting it is that of most samples: a shorter one is a control.
    """
    evals = records.evals[records.evals["difficulty"].eq(difficulty)].copy()
    evals["setting"] = evals["method"].str.cat(evals["budget"].fillna(""), sep=" ").str.strip()
    evals = evals[evals["setting"].isin(list(settings))]
    most = evals.groupby(["run_id", "step", "setting"])["samples"].transform("max")
    evals = evals[evals["samples"] == most]
    cost = spent(records)
    cost = cost[cost["kind"].isin(list(kinds))]
    known = evals[["eval_id", "run_id", "step", "setting", *OF_EVALS]].merge(
        cost, on=["run_id", "step"], validate="many_to_one"
    )
    if not len(known):
        raise InputError(
            f"no samples of {', '.join(settings)} at difficulty {difficulty} of {' or '.join(kinds)} are in the records"
        )
    return records.samples.merge(known, on="eval_id", validate="many_to_one")


def counts(samples: pd.DataFrame) -> pd.DataFrame:
    """Return samples as counts: one row a checkpoint, budget and problem, with n, c and the mean costs."""
    by = ["run", "seed", "kind", "step", "train_flops", "pretrain_flops", "budget", "problem", "difficulty"]
    grouped = samples.assign(correct=samples["correct"].astype(float)).groupby(by, sort=False)
    means = ["infer_flops_prefill_per_problem", "infer_flops_decode_per_problem", "chance_score", "tokens"]
    out = grouped[means].mean()
    return out.assign(n=grouped["correct"].size(), c=grouped["correct"].sum()).reset_index()
