"""Held-out scores of RL runs joined to what RL had cost by then: the table that laws of reward are fitted to."""

from __future__ import annotations

from typing import TYPE_CHECKING

from scaling.errors import InputError
from scaling.records.sampled import spent

if TYPE_CHECKING:
    import pandas as pd

    from scaling.records.tables import Records


def rewarded(
    records: Records, difficulty: int, setting: str = "free"
) -> tuple[pd.DataFrame, tuple[tuple[str, str], ...]]:
    """Return held-out scores along every finished RL run, and (run in words, reason) of the runs that are left out.

    One row a scored checkpoint, the start included as step 0 of every run that left it: run_id, width, N (parameters of
    matrix products), seed, step, C (FLOPs of RL so far, all components; 0 at the start), total (with pretraining), score
    (mean over problems), score_se, n (completions), tokens_mean, truncated_share. A run that diverged is left out whole,
    the scores that it had before with it. Raises ``InputError`` where nothing was sampled so.
    """
    runs = records.runs[records.runs["kind"].eq("rl")]
    about = runs[["run_id", "parent_run_id", "parent_step", "status", "reason"]].assign(
        width=runs["width"].astype(int),
        seed=runs["seed_data"].astype(int),
        N=(runs["params_attention"] + runs["params_mlp"] + runs["params_head"]).astype(float),
    )
    scores = _scores(records, difficulty, setting).merge(
        spent(records)[["run_id", "step", "train_flops", "pretrain_flops"]], on=["run_id", "step"]
    )
    along = scores.merge(about, on="run_id", validate="many_to_one")
    starts = about.rename(columns={"run_id": "rl", "parent_run_id": "run_id", "parent_step": "step"})
    starts = starts.merge(scores, on=["run_id", "step"])
    starts = starts.assign(run_id=starts["rl"], step=0, pretrain_flops=starts["train_flops"], train_flops=0.0)
    usable = about["status"].eq("done") & about["run_id"].isin(along["run_id"])
    if not len(along) and about["status"].eq("done").all():
        raise InputError(f"no samples of {setting} at difficulty {difficulty} of RL runs are in the records")
    rows = _joined(along, starts)
    rows = rows[rows["run_id"].isin(about.loc[usable, "run_id"])]
    rows = rows.assign(C=rows["train_flops"], total=rows["train_flops"] + rows["pretrain_flops"])
    rows = rows[[*NAMES]].astype(dict.fromkeys(NUMBERS, float)).astype({"step": int, "n": int})
    rows = rows.sort_values(["width", "seed", "step"]).reset_index(drop=True)
    return rows, _left_out(about[~usable])


NUMBERS = ("N", "C", "total", "score", "score_se", "tokens_mean", "truncated_share")
NAMES = ("run_id", "width", "seed", "step", "n", *NUMBERS)
"""Columns of the table."""


def _scores(records: Records, difficulty: int, setting: str) -> pd.DataFrame:
    evals = records.evals[records.evals["difficulty"].eq(difficulty).fillna(False)]
    asked = evals["method"].str.cat(evals["budget"].fillna(""), sep=" ").str.strip()
    evals = evals[asked.eq(setting) & evals["samples"].notna()]
    return evals[["run_id", "step", "score", "score_se", "tokens_mean", "truncated_share"]].assign(
        n=evals["samples"] * evals["n_problems"]
    )


def _joined(along: pd.DataFrame, starts: pd.DataFrame) -> pd.DataFrame:
    import pandas as pd

    shared = along.columns.intersection(starts.columns)
    parts = [part[shared] for part in (along, starts) if len(part)]
    return pd.concat(parts, ignore_index=True) if parts else along


def _left_out(runs: pd.DataFrame) -> tuple[tuple[str, str], ...]:
    """Return each run in words and why it is left out."""
    reasons = runs["reason"].fillna("no checkpoint of it was sampled")
    return tuple(
        (f"width {width}, seed {seed}", str(reason))
        for width, seed, reason in zip(runs["width"], runs["seed"], reasons, strict=True)
    )
