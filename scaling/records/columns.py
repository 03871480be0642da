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
    optional: bool = False
    """Whether a folder of records may lack its file, which then has no rows."""


def _count(name: str, meaning: str, required: bool = False) -> Column:
    return Column(name, "integer", meaning, required=required, low=0)


RUN_KINDS = ("pretrain", "cooldown", "counting", "rl")
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

TRAIN_FLOPS = (
    Column("train_flops_forward_backward", "number", "FLOPs of forward and backward so far", low=0),
    Column(
        "train_flops_rollout_prefill",
        "number",
        "FLOPs of reading prompts, of completions learned from",
        low=0,
    ),
    Column(
        "train_flops_rollout_decode", "number", "FLOPs of writing completions that were learned from", low=0
    ),
    Column("train_flops_discarded", "number", "FLOPs of prompts and completions not learned from", low=0),
    Column(
        "train_flops_old_logprobs", "number", "FLOPs of log-probabilities under the sampling weights", low=0
    ),
    Column("verifier_seconds", "number", "CPU seconds of verifying answers so far", low=0),
)
"""What training has cost so far, by component; together they are the stage's compute."""

CHECKPOINTS = Table(
    "checkpoints",
    ("run_id", "step"),
    (
        Column("run_id", "text", "run", required=True),
        _count("step", "optimiser steps taken (counting learner: index of D)", required=True),
        _count(
            "tokens_seen", "training tokens so far, the trunk's included (RL: tokens sampled)", required=True
        ),
        Column("lr", "number", "learning rate of the last step", low=0),
        Column("annealed", "flag", "whether the learning rate had decayed", required=True),
        *TRAIN_FLOPS,
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
        Column("reward", "number", "mean verified reward of the step's completions", low=0),
        Column("entropy_nats", "number", "mean of -log-probability over sampled tokens"),
        Column("tokens_mean", "number", "mean tokens of a completion", low=0),
        Column("truncated_share", "number", "share of completions without an end", low=0),
        Column("kept_share", "number", "share of groups that were learned from", low=0),
        Column(
            "logprob_gap", "number", "largest difference of a log-probability, sampler and trainer", low=0
        ),
        Column("staleness", "integer", "updates since the sampling weights were taken", low=0),
        *TRAIN_FLOPS,
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
        Column("task_version", "integer", "its version", low=0),
        Column("difficulty", "integer", "its difficulty", low=0),
        Column("method", "text", "how the answer is drawn", required=True),
        Column("budget", "text", "thinking budget that is asked for or forced"),
        Column("budget_tokens", "number", "tokens of a right completion under the budget", low=0),
        Column("samples", "integer", "completions a problem", positive=True),
        Column("temperature", "number", "logits are divided by it", positive=True),
        Column("top_p", "number", "share of the probability that is drawn from", positive=True),
        _count("seed", "seed of problems and completions"),
        Column("n_problems", "integer", "problems", required=True, positive=True),
        Column("score", "number", "mean score", required=True, low=0),
        Column("score_se", "number", "its standard error over problems or held-out sequences", low=0),
        Column("chance_score", "number", "score of a blind guess", low=0),
        Column("infer_flops_prefill_per_problem", "number", "FLOPs of reading a problem once", low=0),
        Column("infer_flops_decode_per_problem", "number", "FLOPs of writing one completion", low=0),
        Column("infer_flops_verifier_per_problem", "number", "FLOPs of the verifier's score of one", low=0),
        Column(
            "verifier_train_flops", "number", "FLOPs of training the verifier, its samples included", low=0
        ),
        Column("verifier_auc", "number", "area under the verifier's ROC curve", low=0),
        Column("tokens_mean", "number", "mean tokens of a completion", low=0),
        Column("truncated_share", "number", "share of completions without an end", low=0),
        Column("device_seconds", "number", "seconds of device time", required=True, low=0),
    ),
)

SAMPLES = Table(
    "samples",
    ("eval_id", "problem", "sample"),
    (
        Column("eval_id", "text", "evaluation that it is of", required=True),
        _count(
            "problem",
            "number of the problem, the same in every evaluation of a task and difficulty",
            required=True,
        ),
        _count("difficulty", "difficulty of the problem", required=True),
        _count("sample", "number of the completion", required=True),
        Column("answer", "text", "its terminal answer, if it has one"),
        Column("correct", "flag", "whether the verifier accepts it", required=True),
        _count("tokens", "its tokens, the end included", required=True),
        Column("truncated", "flag", "whether it has no end", required=True),
        Column("verifier_score", "number", "log-odds of being right by a learned verifier"),
    ),
    optional=True,
)

TABLES = (RUNS, CHECKPOINTS, STEPS, EVALS, SAMPLES)
TIME_COLUMNS = ("device_seconds", "seconds", "verifier_seconds")
"""Columns that differ between two runs of the same spec."""
