"""RL step by step: reward, entropy, length, what was discarded, and how well sampler and trainer agree."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from scaling.records.sampled import COMPONENTS
from scaling.records.spec import from_json
from scaling.reporting import numbers, plots
from scaling.reporting.document import Figure, Section, Table, Verdict
from scaling.reporting.style import Groups

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from scaling.study import Analysis

SMOOTH = 5
"""Steps over which a curve is averaged for the eye."""


def rl_curves(analysis: Analysis) -> Section:
    """Return the course of every RL run, the share of its compute by component, and the log-probability gap."""
    rows = steps_of(analysis)
    last = rows.sort_values("step").groupby("run_id").tail(1)
    total = last[list(COMPONENTS)].sum()
    discarded = float(total["train_flops_discarded"] / total.sum())
    gap = float(rows["logprob_gap"].max())
    first = rows.sort_values("step").groupby("run_id").head(1)
    grown = float((last.set_index("run_id")["tokens_mean"] / first.set_index("run_id")["tokens_mean"]).mean())
    prose = (
        f"{rows['run_id'].nunique()} runs, every update a row. Sampler and trainer differed by at most {gap:.1e} in a "
        "log-probability (in fp32 a run stops above 1e-4).",
    )
    return Section(
        "RL step by step",
        prose,
        (
            Verdict(
                f"Completions grew by a factor of {numbers.plain(grown, 3)} on average; {numbers.percent(discarded)} of "
                "the RL compute went into groups that were all right or all wrong and taught nothing.",
                "measured",
            ),
        ),
        tuple(_figure(rows, column, name, what) for column, name, what in (
            ("reward", "rl-reward", "Reward"),
            ("tokens_mean", "rl-length", "Tokens of a completion"),
            ("entropy_nats", "rl-entropy", "Entropy (nats a token)"),
            ("kept_share", "rl-kept", "Share of groups learned from"),
        )),
        (_costs(last),),
    )  # fmt: skip


def steps_of(analysis: Analysis) -> pd.DataFrame:
    """Return the rows of STEPS of RL runs with width, seed and algorithm."""
    runs = analysis.records.runs
    rl = runs[runs["kind"] == "rl"]
    known = rl[["run_id", "width", "seed_data"]].assign(
        algorithm=[from_json(text).algorithm for text in rl["spec"]]
    )
    return analysis.records.steps.merge(known, on="run_id", validate="many_to_one")


def _figure(rows: pd.DataFrame, column: str, name: str, what: str) -> Figure:
    """One thin line a run, coloured by width."""
    data = (
        rows[["run_id", "width", "step", column]].dropna().astype({"width": int, "step": int, column: float})
    )
    data = data.sort_values(["run_id", "step"])
    data["smooth"] = data.groupby("run_id")[column].transform(
        lambda s: s.rolling(SMOOTH, 1, center=True).mean()
    )
    data["width"] = data["width"].map("width {}".format)
    groups = Groups.of(data, "width")

    def draw(axes: Axes) -> None:
        plots.scales(axes, "RL step", what)
        for run in data["run_id"].unique():
            one = data[data["run_id"] == run]
            plots.curves(axes, one, "step", "smooth", groups=groups)
        plots.legend(axes)

    return Figure(
        name,
        f"{what} by RL step, a line a run, means of {SMOOTH} steps.",
        draw,
        data,
        f"{what} against the RL step.",
    )


def _costs(last: pd.DataFrame) -> Table:
    """What RL compute was spent on, by width."""
    shares = last[list(COMPONENTS)].astype(float)
    shares = shares.div(shares.sum(axis=1), axis=0).assign(
        width=last["width"].astype(int), flops=shares.sum(axis=1)
    )
    rows = shares.groupby("width", as_index=False).mean()
    names = {name: name.removeprefix("train_flops_").replace("_", " ") for name in COMPONENTS}
    return Table(
        "rl-costs",
        "RL compute of a run and its shares by component.",
        rows[["width", "flops", *COMPONENTS]],
        headings={**names, "flops": "FLOPs"},
        formats={
            "flops": numbers.quantity,
            **{name: lambda x: numbers.percent(float(x)) for name in COMPONENTS},
            "width": lambda n: f"{n:d}",
        },
    )
