"""How much RL compute each size needed to reach a score, and whether larger models need less of it."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from scaling.fitting import Estimate
from scaling.reporting import numbers, plots
from scaling.reporting.document import Figure, Section, Table, Verdict
from scaling.reporting.style import Groups
from scaling.sections.law import text

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

    from scaling.fitting.reward_scaling import RewardScaling
    from scaling.study import Analysis


def reach(analysis: Analysis) -> Section:
    """Return the compute to reach each score by size, for RL alone and with pretraining, and its exponent in size."""
    found: RewardScaling = analysis.fits["reward"]
    some = found.reached["C"].gt(0).any()
    return Section(
        "Compute to reach a score",
        (
            "What a run had spent when its score first reached the one that is asked for, between two checkpoints along a "
            "straight line in log C. With g in C ~ N^g over all runs, and N the parameters of matrix products, larger "
            "models need less RL where g lies below 0, more where it lies above. All sizes read equally many tokens before: "
            "what a larger one has from pretraining counts for it in RL, and is paid for in the total.",
        ),
        (_verdict(found),),
        (_figure(found.reached),) if some else (),
        (_table(found.by_size()), _exponents(found)) if len(found.reached) else (),
    )


def _verdict(found: RewardScaling) -> Verdict:
    exponents = found.exponents()
    parts = [f"to {numbers.percent(asked)}: {_told(g)}" for asked, g in exponents.items()]
    signs = [_sign(g) for g in exponents.values() if _sign(g) != "not identified"]
    claim = f"RL compute to reach a score, C ~ N^g: {'; '.join(parts)}."
    if not signs:
        return Verdict(f"{claim} Whether larger models need less RL is not identified.", "not identified")
    if len(set(signs)) > 1:
        return Verdict(f"{claim} Whether larger models need less RL depends on the score.", "measured")
    where = "" if len(signs) == len(exponents) else f", at {len(signs)} of {len(exponents)} scores"
    return Verdict(f"{claim} Larger models need {signs[0]} RL compute for the same score{where}.", "measured")


def _sign(g: Estimate | str) -> str:
    if isinstance(g, str) or g.low is None or g.high is None or g.low <= 0 <= g.high:
        return "not identified"
    return "less" if g.high < 0 else "more"


def _told(g: Estimate | str) -> str:
    return f"not identified ({g})" if isinstance(g, str) else f"g = {text(g)} ({_sign(g)})"


def _table(rows: pd.DataFrame) -> Table:
    several = rows["C_low"] < rows["C_high"]
    rows = rows.assign(C_low=rows["C_low"].where(several), C_high=rows["C_high"].where(several))
    return Table(
        "rl-reach",
        "FLOPs spent when a score was first reached: geometric mean over the runs that reached it [lowest, highest]; not "
        "identified where none did, and of RL where all had it before.",
        rows.drop(columns=["total_low", "total_high"]),
        headings={"asked": "score", "C": "RL FLOPs", "total": "with pretraining", "at_start": "before RL"},
        formats={
            "asked": lambda x: numbers.percent(float(x)),
            "total": numbers.quantity,
            **dict.fromkeys(("width", "runs", "reached", "at_start"), "{:d}".format),
        },
        estimates={"C": ("C_low", "C_high")},
    )


def _exponents(found: RewardScaling) -> Table:
    import pandas as pd

    rows = []
    for counted, words in (("C", "RL alone"), ("total", "with pretraining")):
        for asked, g in found.exponents("C" if counted == "C" else "total").items():
            known = Estimate(math.nan) if isinstance(g, str) else g
            rows.append(
                {
                    "counted": words,
                    "asked": asked,
                    "g": known.value,
                    "low": known.low,
                    "high": known.high,
                    "larger models need": _sign(g),
                    "why": g if isinstance(g, str) else "",
                }
            )
    return Table(
        "rl-reach-exponents",
        "g in C ~ N^g at each score, with Student's 95 % interval over runs.",
        pd.DataFrame(rows).astype({"g": float, "low": float, "high": float}),
        headings={"asked": "score"},
        formats={"asked": lambda x: numbers.percent(float(x))},
        estimates={"g": ("low", "high")},
    )


def _figure(found: pd.DataFrame) -> Figure:
    data = found[found["C"] > 0].sort_values(["asked", "N", "seed"]).reset_index(drop=True)
    groups = Groups.of(data, "asked", lambda score: f"to {numbers.percent(float(score))}")

    def draw(axes: Axes) -> None:
        plots.scales(axes, "Parameters of matrix products", "RL compute to reach a score (FLOPs)", log="xy")
        plots.points(axes, data, "N", "C", groups=groups)
        means = data.assign(C=data.groupby(["asked", "N"])["C"].transform(_middle)).drop_duplicates(
            ["asked", "N"]
        )
        plots.curves(axes, means, "N", "C", groups=groups)
        plots.legend(axes)

    return Figure(
        "reach-size",
        "RL compute to reach a score by model size, a point a run; lines join geometric means of the runs that got there.",
        draw,
        data,
        "RL compute to reach each score against model size, both on log axes.",
    )


def _middle(values: pd.Series) -> float:
    import numpy as np

    return float(np.exp(np.log(values.astype(float)).mean()))
