"""RL step by step: reward, entropy, length, what was discarded, and how well sampler and trainer agree."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
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
"""Steps over which a curve is averaged for the eye, and over which a run's start and end are read."""
SHOWN = (
    ("reward", "rl-reward", "Reward"),
    ("tokens_mean", "rl-length", "Tokens of a completion"),
    ("entropy_nats", "rl-entropy", "Entropy (nats a token)"),
    ("kept_share", "rl-kept", "Share of groups learned from"),
)
"""Column, name and title of each figure."""
CHANGES = {"reward": "reward", "tokens": "tokens_mean", "entropy": "entropy_nats"}
"""What is read at both ends of a run, and its column."""


def rl_curves(analysis: Analysis) -> Section:
    """Return the course of every RL run, how each size changed, what its compute went into, and the log-probability gap."""
    rows = steps_of(analysis)
    last = rows.sort_values("step").groupby("run_id").tail(1)
    changes = changed(rows)
    died = int((last["status"] != "done").sum())
    apart = f" {died} of them diverged: their lines end there, and the tables leave them out." if died else ""
    gaps = rows["logprob_gap"].dropna()
    gap = (
        f"Sampler and trainer differed by at most {numbers.plain(float(gaps.max()), 2)} in a log-probability (in fp32 a run "
        "stops above 1e-4)."
        if len(gaps)
        else "No group had right and wrong answers in any step, so that nothing was learned and no log-probability compared."
    )
    prose = (f"{last.shape[0]} runs, every update a row.{apart} {gap}",)
    return Section(
        "RL step by step",
        prose,
        _verdicts(changes),
        tuple(_figure(rows, column, name, what) for column, name, what in SHOWN),
        (_changes(changes), _costs(last[last["status"] == "done"])) if len(changes) else (),
    )


def steps_of(analysis: Analysis) -> pd.DataFrame:
    """Return the rows of STEPS of RL runs with width, seed, status and algorithm."""
    runs = analysis.records.runs
    rl = runs[runs["kind"] == "rl"]
    known = rl[["run_id", "width", "seed_data", "status"]].assign(
        algorithm=[from_json(text).algorithm for text in rl["spec"]]
    )
    return analysis.records.steps.merge(known, on="run_id", validate="many_to_one")


def changed(rows: pd.DataFrame) -> pd.DataFrame:
    """Return one row a run that ended as planned: width, both ends of CHANGES, and the share of compute discarded.

    Ends are means over the first and the last ``SMOOTH`` steps, over fewer where a run has not twice as many.
    """
    found = []
    for run_id, run in rows[rows["status"] == "done"].sort_values("step").groupby("run_id"):
        some = max(1, min(SMOOTH, len(run) // 2))
        row: dict[str, object] = {"width": int(run["width"].iloc[0]), "run_id": run_id, "runs": 1}
        for name, column in CHANGES.items():
            values = run[column].astype(float)
            row[f"{name}_first"], row[f"{name}_last"] = values.head(some).mean(), values.tail(some).mean()
        spent = run[list(COMPONENTS)].astype(float).iloc[-1]
        row["discarded"] = float(spent["train_flops_discarded"] / spent.sum())
        found.append(row)
    return pd.DataFrame(found)


def _verdicts(changes: pd.DataFrame) -> tuple[Verdict, ...]:
    """How lengths and entropy changed and what was discarded, by size."""
    if changes.empty:
        return ()
    parts = []
    for width, runs in changes.groupby("width"):
        mean = runs.mean(numeric_only=True)
        ends = [numbers.percent(float(end(runs["discarded"]))) for end in (np.min, np.max)]
        span = f" ({ends[0]} to {ends[1]} by run)" if ends[0] != ends[1] else ""
        parts.append(
            f"at width {width} completions went from {numbers.plain(mean['tokens_first'], 3)} to "
            f"{numbers.plain(mean['tokens_last'], 3)} tokens and entropy from {numbers.plain(mean['entropy_first'], 3)} to "
            f"{numbers.plain(mean['entropy_last'], 3)} nats a token, and {numbers.percent(mean['discarded'])}{span} of the "
            "RL compute went into groups all right or all wrong, which taught nothing"
        )
    text = "; ".join(parts)
    return (Verdict(f"{text[0].upper()}{text[1:]}.", "measured"),)


def _changes(changes: pd.DataFrame) -> Table:
    """Both ends of the runs and the discarded share, by size, with the lowest and the highest run."""
    names = [f"{name}_{end}" for name in CHANGES for end in ("first", "last")] + ["discarded"]
    by = changes.groupby("width")
    rows = by[["runs"]].sum()
    for name in names:
        rows[name] = by[name].mean()
        for side, ends in (("low", by[name].min()), ("high", by[name].max())):
            rows[f"{name}_{side}"] = ends.where(rows["runs"] > 1, np.nan)
    words = {"first": "at the start", "last": "at the end"}
    headings = {f"{name}_{end}": f"{name} {words[end]}" for name in CHANGES for end in words}
    return Table(
        "rl-changes",
        f"Means over runs [lowest, highest], of the first and the last {SMOOTH} steps at the most; entropy in nats a token.",
        rows.reset_index(),
        headings={**headings, "discarded": "compute discarded"},
        formats=dict.fromkeys(("width", "runs"), "{:d}".format),
        estimates={name: (f"{name}_low", f"{name}_high") for name in names},
    )


def _figure(rows: pd.DataFrame, column: str, name: str, what: str) -> Figure:
    """One thin line a run and a thick one for the mean of a size, coloured by width."""
    data = rows[["run_id", "width", "step", column]].dropna()
    data = data.astype({"width": int, "step": int, column: float}).sort_values(["run_id", "step"])
    data["smooth"] = data.groupby("run_id")[column].transform(
        lambda s: s.rolling(SMOOTH, 1, center=True).mean()
    )
    groups = Groups.of(data, "width", "width {}".format)
    means = data.groupby(["width", "step"], as_index=False).agg(
        smooth=("smooth", "mean"), runs=("run_id", "nunique")
    )
    means = means[means["runs"] == means["width"].map(data.groupby("width")["run_id"].nunique())]

    def draw(axes: Axes) -> None:
        plots.scales(axes, "RL step", what)
        plots.threads(axes, data, "step", "smooth", "run_id", groups=groups)
        plots.curves(axes, means, "step", "smooth", groups=groups)
        plots.legend(axes)

    return Figure(
        name,
        f"{what} by RL step, averaged over {SMOOTH} steps: a thin line a run, a thick one the mean of a size as far as all "
        "its runs go.",
        draw,
        data,
        f"{what} against the RL step, one colour a size.",
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
        "RL compute of a run and its shares by component, means over the runs of a size.",
        rows[["width", "flops", *COMPONENTS]],
        headings={**names, "flops": "FLOPs"},
        formats={
            "flops": numbers.quantity,
            **{name: lambda x: numbers.percent(float(x)) for name in COMPONENTS},
            "width": lambda n: f"{n:d}",
        },
    )
