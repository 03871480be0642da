"""What was trained: text, sizes, durations, steps, epochs and the sample that all losses are measured on."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from scaling.records.frame import frame
from scaling.records.recipe import DECAY_SHARE
from scaling.reporting import numbers
from scaling.reporting.document import Section, Table

if TYPE_CHECKING:
    from scaling.study import Analysis


def trained(analysis: Analysis) -> Section:
    """Return the runs behind the fits, one row a size, and what all of them share."""
    rows = frame(analysis.records)
    runs = analysis.records.runs.set_index("run_id")
    rows = rows[rows["annealed"] & rows["kind"].ne("counting")]
    ended = runs.loc[rows["run_id"]]
    evals = analysis.records.evals
    table = (
        rows.assign(steps=rows["step"])
        .astype({"width": float, "lr": float, "epochs": float, "steps": float})
        .groupby("N", as_index=False)
        .agg(
            width=("width", "first"),
            lr=("lr", _span),
            trunks=("trunk_id", "nunique"),
            runs=("run_id", "nunique"),
            D_low=("D", "min"),
            D_high=("D", "max"),
            steps=("steps", "min"),
            epochs=("epochs", "max"),
        )
    )
    per_byte = ended["bytes_per_token"].dropna().astype(float)
    unit = (
        f" A token stands for {numbers.plain(float(per_byte.mean()), 3)} byte of text."
        if len(per_byte)
        else ""
    )
    share = 100 * float((rows["loss_se"] / rows["loss"]).mean())
    return Section(
        "What was trained",
        (
            f"Llama-shaped decoders on {_each(ended['data'])} in {_each(ended['precision'])}, sequences of "
            f"{_each(ended['context_tokens'])} tokens, {_each(ended['batch_tokens'])} tokens a step, warm-up of "
            f"{_each(ended['warmup_steps'])} steps, AdamW with weight decay {_each(ended['weight_decay'])}; the "
            f"learning rate is constant and then falls as 1 - sqrt over the last {100 * DECAY_SHARE:g} % of a run.{unit}",
            f"Losses are means over {_each(evals['n_problems'])} held-out tokens, the same for all runs. Their standard "
            f"error, {numbers.plain(share, 2)} % of the loss, is common to the runs: it moves the floor and hardly the "
            "exponents.",
            f"At most {numbers.plain(float(table['epochs'].max()), 2)} epochs of the text were read; up to four, repeated "
            "text is nearly as good as new (Muennighoff et al. 2023).",
        ),
        tables=(
            Table(
                "trained",
                "The annealed runs by size; steps are those of the shortest, epochs those of the longest.",
                table,
                headings={
                    "lr": "peak lr",
                    "D_low": "D from",
                    "D_high": "D to",
                    "steps": "steps ≥",
                    "epochs": "epochs ≤",
                },
                formats={
                    **dict.fromkeys(("N", "D_low", "D_high"), numbers.quantity),
                    **dict.fromkeys(("width", "steps"), lambda n: f"{n:.0f}"),
                    **dict.fromkeys(("trunks", "runs"), lambda n: f"{n:d}"),
                    "epochs": lambda e: numbers.plain(e, 2),
                },
            ),
        ),
    )


def _span(values: pd.Series) -> str:
    """The one value, or the ends of several."""
    low, high = float(values.min()), float(values.max())
    return numbers.plain(low, 3) if low == high else f"{numbers.plain(low, 2)}–{numbers.plain(high, 2)}"


def _each(values: pd.Series) -> str:
    return ", ".join(str(value) for value in sorted(set(values.dropna())))
