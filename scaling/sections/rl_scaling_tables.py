"""Tables of reward against RL compute: scores by step, the laws' parameters, asymptotes, and predictions beyond cuts."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from scaling.fitting.rewards import BENT, CUTS
from scaling.fitting.rewards_ahead import judged
from scaling.reporting import numbers
from scaling.reporting.document import Table

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any

    from scaling.fitting.rewards import Growth

WHOLE: Callable[[Any], str] = "{:d}".format
HALF = CUTS[0]
"""The cut of the test."""


def scores(rows: pd.DataFrame) -> Table:
    """Return mean scores by size and step, with the lowest and the highest run."""
    table = rows.groupby(["width", "step"], as_index=False).agg(
        runs=("score", "size"), C=("C", "mean"), score=("score", "mean"), low=("score", "min"), high=("score", "max"),
        tokens=("tokens_mean", "mean"), truncated=("truncated_share", "mean"),
    )  # fmt: skip
    return Table(
        "rl-scores",
        "Held-out score by size and RL step: mean over runs [lowest, highest]; step 0 is the start.",
        table,
        headings={"C": "RL FLOPs", "tokens": "tokens written"},
        formats={
            **dict.fromkeys(("width", "step", "runs"), WHOLE),
            "C": numbers.quantity,
            "tokens": lambda x: numbers.plain(float(x), 3),
            "truncated": lambda x: numbers.percent(float(x)),
        },
        estimates={"score": ("low", "high")},
        rows_shown=60,
    )


def parameters(sizes: Sequence[Growth]) -> Table:
    """Return both laws' parameters at every size."""
    rows = []
    for one in sizes:
        for words, fit in (("sigmoid", one.sigmoid), ("power law", one.power)):
            if fit is None:
                continue
            about = {p.name: p.meaning for p in type(fit.law).parameters()}
            about |= POWER if words == "power law" else {}
            rows += [
                {
                    "width": one.width, "law": words, "rms": fit.rms, "quantity": name,
                    "value": e.value, "low": e.low, "high": e.high, "meaning": about[name],
                }
                for name, e in fit.parameters.items()
            ]  # fmt: skip
    frame = pd.DataFrame(rows).astype({"low": float, "high": float})
    frame["quantity"] = frame["quantity"].where(
        ~(frame["law"].eq("power law") & frame["quantity"].eq("A")), "F"
    )
    return Table(
        "rl-laws",
        "Both laws fitted to all checkpoints of a size; rms is that of the residuals in score.",
        frame,
        headings={"value": "estimate"},
        formats={
            "width": WHOLE,
            "rms": lambda x: numbers.plain(x, 2),
        },
        estimates={"value": ("low", "high")},
    )


POWER = {
    "E": "failure rate without limit on compute",
    "A": "size of the part that compute removes",
    "alpha": "how fast compute removes it",
}
"""What the power law's parameters mean here."""


def asymptotes(sizes: Sequence[Growth]) -> Table:
    """Return A, how much of the way to it is done, and whether it is identified."""
    rows = []
    for one in sizes:
        if one.sigmoid is None:
            continue
        A, way = one.sigmoid.parameters["A"], one.way
        rows.append(
            {
                "width": one.width, "A": A.value, "A_low": A.low, "A_high": A.high,
                "way": way.value, "way_low": way.low, "way_high": way.high, "identified": one.doubt or "yes",
            }
        )  # fmt: skip
    ends = [f"{name}_{side}" for name in ("A", "way") for side in ("low", "high")]
    return Table(
        "rl-asymptotes",
        f"The score without limit on compute, and the share of the way from R0 to it that is done at the largest compute; "
        f"{numbers.percent(BENT)} at the least make a curve that has bent.",
        pd.DataFrame(rows).astype(dict.fromkeys(ends, float)),
        headings={"way": "way done"},
        formats={"width": WHOLE},
        estimates={name: (f"{name}_low", f"{name}_high") for name in ("A", "way")},
    )


def held(sizes: Sequence[Growth]) -> Table:
    """Return every checkpoint beyond the half: observed, predicted with its interval, and by the controls."""
    parts = []
    for one in sizes:
        sigmoid, power, still = (one.at(HALF, law) for law in ("sigmoid", "power", "no change"))
        rows = sigmoid.frame[["width", "seed", "step", "C", "score", "predicted", "low", "high"]].copy()
        rows["inside"] = np.where(rows["score"].between(rows["low"], rows["high"]), "yes", "no")
        rows["inside"] = rows["inside"].where(rows["low"].notna(), numbers.MISSING)
        for name, other in (("power law", power), ("no change", still)):
            rows[name] = other.frame["predicted"].reindex(rows.index)
        parts.append(rows)
    return Table(
        "rl-held-out",
        f"Checkpoints beyond {numbers.percent(HALF)} of the largest compute of their size, none of which was fitted; beside "
        "the sigmoid the power law's prediction and that nothing changes.",
        pd.concat(parts, ignore_index=True),
        headings={
            "C": "RL FLOPs",
            "score": "observed",
            "inside": "in?",
            "power law": "power",
            "no change": "still",
        },
        formats={
            **dict.fromkeys(("width", "seed", "step"), WHOLE),
            **dict.fromkeys(("score", "power law", "no change"), lambda x: numbers.plain(float(x), 3)),
            "C": numbers.quantity,
        },
        estimates={"predicted": ("low", "high")},
        rows_shown=60,
    )


def cuts(sizes: Sequence[Growth]) -> Table:
    """Return errors beyond every cut, by size and law, and what they say of the sigmoid."""
    rows = []
    for one in sizes:
        for share in dict.fromkeys(made.share for made in one.ahead):
            sigmoid, power, still = (one.at(share, law) for law in ("sigmoid", "power", "no change"))
            status, _ = judged(sigmoid, power, still, one.span)
            rows.append(
                {
                    "width": one.width, "cut": share, "points": len(sigmoid.frame), "inside": sigmoid.inside,
                    "rms": sigmoid.rms, "power": power.rms, "still": still.rms, "verdict": status,
                }
            )  # fmt: skip
    return Table(
        "rl-cuts",
        "Root mean square errors in score beyond cuts in RL compute, as shares of the largest, points inside the sigmoid's "
        "intervals, and what that says of it.",
        pd.DataFrame(rows),
        headings={"rms": "sigmoid", "power": "power law", "still": "no change"},
        formats={
            **dict.fromkeys(("width", "points", "inside"), WHOLE),
            "cut": lambda x: numbers.percent(float(x), 3),
            **dict.fromkeys(("rms", "power", "still"), lambda x: numbers.plain(float(x), 2)),
        },
    )
