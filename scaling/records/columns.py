"""The columns of the tables: what each means, its unit, and what its cells may hold."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Kind = Literal["text", "integer", "number", "flag"]


@dataclass(frozen=True)
class Column:
    """One column of a table."""

    name: str
    """Name, with the unit in it."""
    kind: Kind
    """What its cells hold."""
    meaning: str
    """What it says, in one line."""
    required: bool = False
    """Whether every row must have a value."""
    low: float | None = None
    """Smallest allowed value."""
    positive: bool = False
    """Whether values must be above 0."""
    choices: tuple[str, ...] = ()
    """The allowed texts, if they are few."""


@dataclass(frozen=True)
class Table:
    """One table: its columns in order and the columns that identify a row."""

    name: str
    """Name of the table and of its file."""
    key: tuple[str, ...]
    """Columns whose values together name one row."""
    columns: tuple[Column, ...]
    """All columns, in order."""


def _count(name: str, meaning: str, required: bool = False) -> Column:
    return Column(name, "integer", meaning, required=required, low=0)


RUN_KINDS = ("pretrain", "cooldown", "counting")
STATUSES = ("done", "diverged")

RUNS = Table(
    "runs",
    ("run_id",),
    (
        Column("run_id", "text", "identity: hash of the spec", required=True),
        Column("kind", "text", "what the run is", required=True, choices=RUN_KINDS),
        Column("status", "text", "how it ended", required=True, choices=STATUSES),
        Column("reason", "text", "why it ended that way, if not done"),
        Column("parent_run_id", "text", "run that it left"),
        _count("parent_step", "step at which it left its parent"),
        Column(
            "trunk_id", "text", "run whose random path it shares; its own id if it left none", required=True
        ),
        Column(
            "params_total", "integer", "all parameters, or the facts a counter has room for", positive=True
        ),
        _count("params_embedding", "embedding table"),
        _count("params_attention", "attention matrices"),
        _count("params_mlp", "SwiGLU matrices"),
        _count("params_norm", "RMSNorm gains"),
        _count("params_head", "output matrix"),
        _count("layers", "blocks"),
        _count("width", "residual width"),
        _count("context_tokens", "sequence length"),
        Column("data", "text", "corpus", required=True),
        Column("data_sha256", "text", "hash of the corpus", required=True),
        Column("tokens_planned", "integer", "training tokens asked for", required=True, positive=True),
        Column("batch_tokens", "integer", "tokens an optimiser step", positive=True),
        Column("lr", "number", "peak learning rate", positive=True),
        Column("lr_over_recipe", "number", "peak learning rate over the recipe's", positive=True),
        _count("warmup_steps", "steps of linear warm-up"),
        Column("weight_decay", "number", "decoupled weight decay", low=0),
        Column("epochs", "number", "times the corpus was read", low=0),
        Column("bytes_per_token", "number", "bytes of text a token stands for", positive=True),
        Column("precision", "text", "arithmetic of forward and backward", choices=("fp32", "bf16")),
        _count("seed_init", "seed of the weights"),
        _count("seed_data", "seed of the data's order", required=True),
        Column("hardware", "text", "processor that ran it", required=True),
        Column("device_seconds", "number", "seconds of device time", required=True, low=0),
        Column("version", "text", "versions of this suite and of torch", required=True),
        Column("spec", "text", "canonical JSON of the spec", required=True),
    ),
)

CHECKPOINTS = Table(
    "checkpoints",
    ("run_id", "step"),
    (
        Column("run_id", "text", "run", required=True),
        _count("step", "optimiser steps taken (counting learner: index of D)", required=True),
        _count("tokens_seen", "training tokens so far, the trunk's included", required=True),
        Column("lr", "number", "learning rate of the last step", low=0),
        Column("annealed", "flag", "whether the learning rate had decayed", required=True),
        Column("train_flops_forward_backward", "number", "FLOPs of forward and backward so far", low=0),
        Column("loss_nats", "number", "held-out loss in nats a token"),
        Column("loss_se", "number", "its standard error over held-out sequences", low=0),
    ),
)

STEPS = Table(
    "steps",
    ("run_id", "step"),
    (
        Column("run_id", "text", "run", required=True),
        _count("step", "optimiser steps taken", required=True),
        Column("loss_nats", "number", "training loss of the batch in nats a token"),
        Column("lr", "number", "learning rate of the step", required=True, low=0),
        Column("grad_norm", "number", "gradient norm before the clip"),
        Column(
            "seconds",
            "number",
            "device seconds spent so far, earlier sittings included",
            required=True,
            low=0,
        ),
    ),
)

EVALS = Table(
    "evals",
    ("eval_id",),
    (
        Column("eval_id", "text", "identity: hash of the evaluation's spec", required=True),
        Column("run_id", "text", "run of the evaluated checkpoint", required=True),
        _count("step", "step of the evaluated checkpoint", required=True),
        Column("task", "text", "what is asked", required=True),
        Column("method", "text", "how the answer is drawn", required=True),
        Column("n_problems", "integer", "problems", required=True, positive=True),
        Column("score", "number", "mean score", required=True, low=0),
        Column("score_se", "number", "its standard error over held-out sequences", low=0),
        Column("chance_score", "number", "score of a blind guess", low=0),
        Column("infer_flops_prefill_per_problem", "number", "forward FLOPs a problem", low=0),
        Column("device_seconds", "number", "seconds of device time", required=True, low=0),
    ),
)

TABLES = (RUNS, CHECKPOINTS, STEPS, EVALS)
TIME_COLUMNS = ("device_seconds", "seconds")
"""Columns that differ between two runs of the same spec."""
