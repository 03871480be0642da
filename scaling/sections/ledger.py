"""What the runs cost: tokens, FLOPs and device time by kind of run, and the conventions behind N and C."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from scaling.records.frame import frame
from scaling.reporting import numbers
from scaling.reporting.document import Section, Table

if TYPE_CHECKING:
    from scaling.study import Analysis


def ledger(analysis: Analysis) -> Section:
    """Return the compute ledger of the runs and the list of rows that no fit may use."""
    runs, checkpoints = analysis.records.runs, analysis.records.checkpoints
    last = checkpoints.sort_values("step").groupby("run_id").tail(1).set_index("run_id")
    costs = runs.set_index("run_id")
    path = last["train_flops_forward_backward"].astype(float)
    branch = costs["parent_step"].astype(float) * costs["batch_tokens"].astype(float)
    share = 1 - (branch / last["tokens_seen"].astype(float)).fillna(0)
    table = pd.DataFrame(
        {
            "kind": costs["kind"],
            "status": costs["status"],
            "tokens": last["tokens_seen"].astype(float) * share,
            "flops": path * share,
            "seconds": costs["device_seconds"].astype(float),
        }
    )
    table = table.groupby(["kind", "status"], as_index=False).agg(
        runs=("tokens", "size"), tokens=("tokens", "sum"), flops=("flops", "sum"), seconds=("seconds", "sum")
    )
    spent = float(table["flops"].sum())
    prose = [
        "Tokens and FLOPs are those that a run itself spent: a cooldown's count from its branch on; device time is what "
        "its process took. "
        "FLOPs are forward and backward by the closed-form ledger (matrix products, full attention; a multiply-add "
        "is 2), which agrees with the framework's own counter within a thousandth. Evaluation is not in the FLOPs "
        "and is in the seconds."
    ]
    branches = runs["kind"].eq("cooldown")
    if branches.any() and spent:
        separate = float(path[branches.to_numpy()].sum())
        prose.append(
            f"Branches share their trunks: as separate runs the {int(branches.sum())} durations would have cost "
            f"{numbers.flops(separate)} instead of {numbers.flops(spent)}, which also paid for the trunks."
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
    return Section("Ledger", tuple(prose), tables=tuple(tables))


def _unused(analysis: Analysis) -> list[Table]:
    rows = frame(analysis.records)
    bad = rows[rows["status"].ne("done") | rows["loss"].isna()]
    if bad.empty:
        return []
    shown = bad[["run_id", "step", "N", "D", "status", "reason"]]
    return [Table("unused", "Rows that ended without a loss; they enter no fit.", shown)]
