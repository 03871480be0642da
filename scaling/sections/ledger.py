"""What the runs cost: tokens, FLOPs and device time by kind of run, and the conventions behind N and C."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from scaling.records.frame import frame
from scaling.records.sampled import COMPONENTS
from scaling.reporting import numbers
from scaling.reporting.document import Section, Table

if TYPE_CHECKING:
    from scaling.records.tables import Records
    from scaling.study import Analysis


def ledger(analysis: Analysis) -> Section:
    """Return the compute ledger of the runs and the list of rows that no fit may use."""
    costs = spent(analysis.records)
    table = costs[["kind", "status", "tokens", "flops", "seconds"]]
    table = table.groupby(["kind", "status"], as_index=False).agg(
        runs=("tokens", "size"), tokens=("tokens", "sum"), flops=("flops", "sum"), seconds=("seconds", "sum")
    )
    tables = [
        Table(
            "ledger",
            "What was spent, by kind of run and how it ended.",
            table,
            headings={"flops": "FLOPs", "seconds": "device time"},
            formats={
                "tokens": numbers.quantity,
                "flops": numbers.quantity,
                "seconds": numbers.duration,
                "runs": lambda n: f"{n:d}",
            },
        )
    ]
    tables.extend(_unused(analysis))
    return Section("Ledger", _prose(costs, analysis.records), tables=tuple(tables))


def _prose(costs: pd.DataFrame, records: Records) -> tuple[str, ...]:
    """What is counted, and what sharing trunks saved."""
    prose = [
        "Tokens and FLOPs are those that a run itself spent: a cooldown's count from its branch on; device time is what "
        "its process took. "
        "FLOPs are forward and backward by the closed-form ledger (matrix products, full attention; a multiply-add "
        "is 2), which agrees with the framework's own counter within a thousandth. Evaluation is not in the FLOPs "
        "and is in the seconds."
    ]
    branches = costs[costs["kind"] == "cooldown"]
    if len(branches):
        shared = float(costs.loc[costs["kind"].ne("rl"), "flops"].sum())
        prose.append(
            f"Branches share their trunks: as separate runs the {len(branches)} durations would have cost "
            f"{numbers.flops(float(branches['whole_flops'].sum()))} instead of {numbers.flops(shared)}, which also paid "
            "for the trunks."
        )
    if costs["kind"].eq("rl").any():
        prose.append(
            "RL's tokens are those that were sampled, and its FLOPs those of reading prompts, of writing completions (of "
            "groups that taught nothing too), and of forward and backward."
        )
    sampling = records.evals[records.evals["samples"].notna()]
    if len(sampling):
        took = numbers.duration(float(sampling["device_seconds"].sum()))
        prose.append(f"Samples of checkpoints are not in the table; they took {took}.")
    return tuple(prose)


def spent(records: Records) -> pd.DataFrame:
    """Return what each run itself spent, one row a run.

    Columns: run_id, kind, status, tokens, flops (a cooldown's count from its branch on, a counting run's tokens are
    those of all its learners, RL's those sampled, and its flops all components), seconds, and whole_flops: what the path
    from random weights to the run's end takes.
    """
    runs = records.runs.set_index("run_id")
    points = records.checkpoints.sort_values("step").groupby("run_id")
    last, every = points.last(), points["tokens_seen"].sum()
    found = runs[["kind", "status"]].assign(seconds=runs["device_seconds"].astype(float))
    seen = last["tokens_seen"].astype(float).reindex(runs.index)
    left = (runs["parent_step"] * runs["batch_tokens"]).astype(float).fillna(0.0)
    before = np.minimum(left, seen)  # a branch of a trunk that died before it spent nothing of its own
    found["tokens"] = (seen - before).where(
        runs["kind"].ne("counting"), every.astype(float).reindex(runs.index)
    )
    path = last[list(COMPONENTS)].astype(float).sum(axis=1, min_count=1).reindex(runs.index)
    found["flops"] = path * (1 - before / seen)
    start = (
        runs["parent_run_id"].where(runs["kind"].eq("rl")).map(path).astype(float)
    )  # its row counts RL alone
    found["whole_flops"] = path + start.fillna(0.0)
    return found.reset_index()


def _unused(analysis: Analysis) -> list[Table]:
    rows = frame(analysis.records)
    lossless = rows["loss"].isna() & rows["kind"].ne("rl")  # RL is scored on problems, not by a loss
    bad = rows[rows["status"].ne("done") | lossless]
    if bad.empty:
        return []
    shown = bad[["run_id", "step", "N", "D", "status", "reason"]]
    return [Table("unused", "Rows that ended without a loss; they enter no fit.", shown)]
