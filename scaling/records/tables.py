"""The tables: what every column means, its unit, and the checks that name row and column.

Missing is missing, never 0. A failed or excluded row stays, with its status and reason.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any, Literal

from scaling.errors import InputError

if TYPE_CHECKING:
    from pathlib import Path

    import pandas as pd

Kind = Literal["text", "integer", "number", "flag"]
_DTYPES: dict[Kind, Any] = {"text": "string", "integer": "Int64", "number": "Float64", "flag": "boolean"}


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
        Column("seconds", "number", "seconds since the run's start or last resume", required=True, low=0),
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


def empty(table: Table) -> pd.DataFrame:
    """Return the table without rows."""
    import pandas as pd

    return pd.DataFrame({c.name: pd.array([], dtype=_DTYPES[c.kind]) for c in table.columns})


def check(table: Table, frame: pd.DataFrame) -> pd.DataFrame:
    """Return ``frame`` with the table's columns, order and types; ``InputError`` names row and column.

    Columns that are absent are filled with missing values unless they are required; unknown ones are refused.
    """
    import pandas as pd

    known = [c.name for c in table.columns]
    if unknown := [str(name) for name in frame.columns if name not in known]:
        raise InputError(f"{table.name}: unknown column {unknown[0]!r}; known are {', '.join(known)}")
    out = pd.DataFrame({c.name: _typed(table, c, frame) for c in table.columns})
    for column in table.columns:
        _check_values(table, column, out[column.name])
    twice = out.duplicated(list(table.key))
    if twice.any():
        row = int(twice.to_numpy().argmax())
        raise InputError(
            f"{table.name}: row {row} repeats the key {tuple(out.loc[row, list(table.key)])}; keep one"
        )
    return out


def _typed(table: Table, column: Column, frame: pd.DataFrame) -> pd.Series:
    import pandas as pd

    if column.name not in frame.columns:
        return pd.Series(pd.array([pd.NA] * len(frame), dtype=_DTYPES[column.kind]))
    values = frame[column.name].reset_index(drop=True)
    try:
        return values.astype(_DTYPES[column.kind])
    except (ValueError, TypeError) as error:
        row = next(i for i, value in enumerate(values) if not _castable(value, column.kind))
        raise InputError(
            f"{table.name}: row {row}, column {column.name}: {values[row]!r} is no {column.kind}; "
            "correct or remove the cell"
        ) from error


def _castable(value: object, kind: Kind) -> bool:
    import pandas as pd

    try:
        pd.Series([value]).astype(_DTYPES[kind])
    except (ValueError, TypeError):
        return False
    return True


def _check_values(table: Table, column: Column, values: pd.Series) -> None:
    def refuse(bad: pd.Series, expected: str) -> None:
        wrong = bad.fillna(False).to_numpy(dtype=bool)
        if wrong.any():
            row = int(wrong.argmax())
            shown = repr(values[row]) if isinstance(values[row], str) else str(values[row])
            raise InputError(
                f"{table.name}: row {row}, column {column.name}: got {shown}, expected {expected}"
            )

    if column.required:
        refuse(values.isna(), "a value")
    if column.positive:
        refuse(values <= 0, "a value above 0")
    if column.low is not None:
        refuse(values < column.low, f"a value of at least {column.low:g}")
    if column.choices:
        refuse(~values.isin([*column.choices]) & values.notna(), f"one of {', '.join(column.choices)}")


@dataclass(frozen=True)
class Records:
    """The tables of a set of runs, checked."""

    runs: pd.DataFrame
    """One row a run."""
    checkpoints: pd.DataFrame
    """One row a saved point."""
    steps: pd.DataFrame
    """One row a logged step."""
    evals: pd.DataFrame
    """One row an evaluation."""

    def map(self, change: Callable[[Table, pd.DataFrame], pd.DataFrame]) -> Records:
        """Return records with ``change`` applied to each table."""
        return Records(**{t.name: change(t, getattr(self, t.name)) for t in TABLES})

    def save(self, directory: Path) -> None:
        """Write one parquet file a table, each by an atomic rename."""
        directory.mkdir(parents=True, exist_ok=True)
        for table in TABLES:
            write_parquet(check(table, getattr(self, table.name)), directory / f"{table.name}.parquet")

    @classmethod
    def load(cls, directory: Path) -> Records:
        """Read and check the tables that ``save`` wrote."""
        return cls(**{f.name: _read(table, directory) for f, table in zip(fields(cls), TABLES, strict=True)})


def write_parquet(frame: pd.DataFrame, path: Path) -> None:
    """Write a frame to a neighbour of ``path`` and rename it into place; an ``OSError`` names the file."""
    partial = path.with_suffix(".partial")
    try:
        frame.to_parquet(partial, index=False, compression="zstd")
        partial.replace(path)
    except OSError as error:
        error.filename, error.filename2 = str(path), None
        raise
    finally:
        partial.unlink(missing_ok=True)


def _read(table: Table, directory: Path) -> pd.DataFrame:
    import pandas as pd
    import pyarrow as pa

    path = directory / f"{table.name}.parquet"
    try:
        frame = pd.read_parquet(path)
    except FileNotFoundError as error:
        raise InputError(f"{path} is missing; a records folder holds {len(TABLES)} parquet tables") from error
    except (pa.ArrowInvalid, OSError) as error:
        raise InputError(f"{path} is no readable parquet file ({error}); restore it or run again") from error
    return check(table, frame)
