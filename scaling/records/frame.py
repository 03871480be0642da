"""Tables joined to the columns that laws are fitted to: N, D, C and loss, under a named convention."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, get_args

from scaling.errors import InputError

if TYPE_CHECKING:
    import pandas as pd

    from scaling.records.tables import Records

Params = Literal["matmul", "total", "non_embedding"]
Flops = Literal["exact", "6nd"]
PARAMS: tuple[Params, ...] = get_args(Params)
FLOPS: tuple[Flops, ...] = get_args(Flops)


Excluded = tuple[tuple[int, str], ...]


def annealed(rows: pd.DataFrame) -> tuple[pd.DataFrame, Excluded]:
    """Return the rows that a law may be fitted to, and (row, reason) of the others.

    A checkpoint at full learning rate lies above the loss that its run could reach. Rows of runs that failed stay,
    so that a fit lists them with their own reason.
    """
    keep = rows["annealed"] | rows["status"].ne("done")
    return rows[keep], tuple((int(row), "not annealed") for row in rows.index[~keep])


def frame(records: Records, *, params: Params = "matmul", flops: Flops = "exact") -> pd.DataFrame:
    """Return one row per checkpoint with N, D, C, loss and what a fit needs to know of each.

    ``params`` chooses N: ``matmul`` counts the weights of matrix products (attention, mlp, head), which is what
    FLOPs follow; ``total`` counts everything; ``non_embedding`` leaves out embedding and head (Kaplan et al.
    2020). ``flops`` chooses C: ``exact`` is the ledger's, with attention; ``6nd`` is 6 N D with the chosen N.
    A counting learner has no groups: its N is the facts it has room for under every convention, and no C.

    Returns columns run_id, step, kind, status, reason, trunk_id, parent_run_id, N, D, C, loss, loss_se,
    annealed, width, seed, lr, lr_over_recipe, epochs, tokens_planned; N and D in units, C in FLOPs, loss in nats a token.
    """
    import numpy as np

    if params not in PARAMS or flops not in FLOPS:
        raise InputError(
            f"convention params={params!r}, flops={flops!r} is unknown; params is one of {', '.join(PARAMS)} "
            f"and flops one of {', '.join(FLOPS)}"
        )
    runs = records.runs.rename(columns={"lr": "peak_lr"})
    joined = records.checkpoints.merge(runs, on="run_id", how="left", validate="many_to_one")
    number = joined["params_total"].astype("Float64")
    if params == "matmul":
        groups = joined["params_attention"] + joined["params_mlp"] + joined["params_head"]
        number = groups.astype("Float64").fillna(number)
    elif params == "non_embedding":
        number = (joined["params_attention"] + joined["params_mlp"]).astype("Float64").fillna(number)
    tokens = joined["tokens_seen"].astype("Float64")
    compute = joined["train_flops_forward_backward"] if flops == "exact" else 6 * number * tokens
    out = joined[["run_id", "step", "kind", "status", "reason", "trunk_id", "parent_run_id"]].copy()
    out["N"] = number.to_numpy(dtype=float, na_value=np.nan)
    out["D"] = tokens.to_numpy(dtype=float, na_value=np.nan)
    out["C"] = compute.to_numpy(dtype=float, na_value=np.nan)
    out["loss"] = joined["loss_nats"].to_numpy(dtype=float, na_value=np.nan)
    out["loss_se"] = joined["loss_se"].to_numpy(dtype=float, na_value=np.nan)
    out["annealed"] = joined["annealed"].astype(bool)
    for name, source in (("width", "width"), ("seed", "seed_data"), ("lr", "peak_lr")):
        out[name] = joined[source]
    for name in ("lr_over_recipe", "epochs", "tokens_planned"):
        out[name] = joined[name]
    return out
