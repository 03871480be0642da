"""Reward against RL compute at several sizes: the laws, their asymptotes, and what the first half says of the rest."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from scaling.fitting.rewards_ahead import judged
from scaling.reporting import numbers, plots
from scaling.reporting.document import Figure, Section, Table, Verdict
from scaling.reporting.style import Groups
from scaling.sections import rl_scaling_tables as tables
from scaling.sections.law import text
from scaling.sections.rl_scaling_tables import HALF

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from scaling.fitting.reward_scaling import RewardScaling
    from scaling.fitting.rewards import Growth
    from scaling.reporting.document import Status
    from scaling.study import Analysis

POINTS = 120
"""Points of a drawn curve."""
BEFORE = 2.5
"""Starts, at no RL compute, are drawn at the smallest compute over this."""


def rl_scaling(analysis: Analysis) -> Section:
    """Return score against RL compute with both laws at every size, and how far up the curves go."""
    found: RewardScaling = analysis.fits["reward"]
    prose = [
        f"RL runs: {_sizes(found)}. C is all that RL spent up to a checkpoint: reading prompts, writing completions, those "
        "discarded because their group was all right or all wrong too, forward and backward. The score is the mean over "
        "held-out problems of the share of right completions (p@1).",
        "Two laws are fitted to the checkpoints of a size by least squares on the score: `score = R0 + (A - R0) / (1 + "
        "(C_mid / C)^B)`, and, as a control, a power law in the failure rate, `1 - score = E + F / C^alpha`, which has no "
        "start to rise from. The starts have C = 0, which neither law takes: they are shown and not fitted. Intervals are "
        "95 %: runs are drawn whole, and noise anew at the same checkpoints, and of both the wider ends count, since few "
        "runs drawn whole say little of the noise within them.",
    ]
    if found.left_out:
        prose.append("Left out: " + "; ".join(f"{run} ({reason})" for run, reason in found.left_out) + ".")
    return Section(
        "How reward grows with RL compute",
        tuple(prose),
        (_shape(found), _asymptotes(found)),
        (_figure(found),) if len(found.rows) else (),
        _tables(found),
    )


def _tables(found: RewardScaling) -> tuple[Table, ...]:
    if found.rows.empty:
        return ()
    fitted = [one for one in found.sizes if one.sigmoid is not None]
    laws = (tables.parameters(fitted), tables.asymptotes(fitted)) if fitted else ()
    return (tables.scores(found.rows), *laws)


def ahead(analysis: Analysis) -> Section:
    """Return what fits below cuts in compute say of the checkpoints above."""
    found: RewardScaling = analysis.fits["reward"]
    usable = [one for one in found.sizes if one.sigmoid is not None]
    return Section(
        "Does the first half predict the rest?",
        (
            f"Both laws are fitted again to the checkpoints with C up to {numbers.percent(HALF)} of the largest compute of "
            "their size and asked for the others. An interval holds the score of one more run there: the curve's draws with "
            "the scatter of runs about it below the cut. The second control repeats each run's last score below the cut. "
            "Earlier cuts stand beside; the verdict is that of the first.",
        ),
        (_verdict(found),),
        tables=(tables.held(usable), tables.cuts(usable)) if usable else (),
    )


def named(width: int) -> str:
    """Return a size in words."""
    return f"width {width}"


def _sizes(found: RewardScaling) -> str:
    """How many runs of which sizes, and what they cost before RL."""
    parts = []
    for one in found.sizes:
        first = one.rows.iloc[0]
        parts.append(
            f"{one.runs} of {named(one.width)} ({numbers.quantity(float(first['N']))} parameters of matrix products, "
            f"{numbers.flops(float(first['total'] - first['C']))} of pretraining)"
        )
    return ", ".join(parts) or "none that ended as planned"


def _shape(found: RewardScaling) -> Verdict:
    parts, nearer = [], []
    for one in found.sizes:
        ends = one.rows.sort_values("step").groupby("run_id")["score"].agg(["first", "last"])
        said = (
            f"{named(one.width)} from {_with_range(ends['first'])} to {_with_range(ends['last'])} in "
            f"{numbers.flops(float(one.rows.groupby('run_id')['C'].max().mean()))}"
        )
        if one.sigmoid is not None and one.power is not None:
            rms = [one.sigmoid.rms, one.power.rms]
            nearer.append(rms[0] < rms[1])
            said += f" (rms residual {numbers.plain(rms[0], 2)}, of the power law {numbers.plain(rms[1], 2)})"
        parts.append(said)
    unfitted = _unfitted(found)
    if not nearer:
        return Verdict(f"Held-out score: {'; '.join(parts) or 'none'}. {unfitted}", "not identified")
    claim = f"Held-out score by RL, mean over runs [lowest, highest]: {'; '.join(parts)}."
    where = "at every size" if all(nearer) else f"at {sum(nearer)} of {len(nearer)} sizes"
    return Verdict(
        f"{claim} The sigmoid, with a start of its own, lies nearer to the scores than the power law {where}. "
        f"{unfitted}".strip(),
        "measured",
    )


def _with_range(scores: pd.Series) -> str:
    """Return the mean of runs' scores with the lowest and the highest."""
    mean, low, high = (numbers.percent(float(one)) for one in (scores.mean(), scores.min(), scores.max()))
    return f"{mean} [{low}, {high}]"


def _unfitted(found: RewardScaling) -> str:
    """Which sizes have no law, and why."""
    reasons = [f"{named(one.width)} ({one.reason})" for one in found.sizes if one.sigmoid is None]
    return f"No law is fitted to {', '.join(reasons)}." if reasons else ""


def _asymptotes(found: RewardScaling) -> Verdict:
    parts, known = [], 0
    for one in found.sizes:
        if one.sigmoid is None:
            continue
        if one.doubt:
            parts.append(f"at {named(one.width)} not identified ({one.doubt})")
            continue
        known += 1
        parts.append(f"at {named(one.width)} A = {text(one.sigmoid.parameters['A'])}")
    claim = "The score that RL tends to without limit on compute"
    if not parts:
        return Verdict(f"{claim} is not identified: no law is fitted.", "not identified")
    return Verdict(f"{claim}: {'; '.join(parts)}.", "measured" if known else "not identified")


def _verdict(found: RewardScaling) -> Verdict:
    parts, statuses = [], []
    for one in found.sizes:
        if one.sigmoid is None:
            continue
        sigmoid, power, still = (one.at(HALF, law) for law in ("sigmoid", "power", "no change"))
        status, why = judged(sigmoid, power, still, one.span)
        statuses.append(status)
        because = "" if status == "supported" else f": {why}"
        parts.append(
            f"at {named(one.width)} {sigmoid.inside} of {len(sigmoid.frame)} points lie inside its intervals and it errs by "
            f"{numbers.plain(sigmoid.rms, 2)} rms, the power law by {numbers.plain(power.rms, 2)}, no change by "
            f"{numbers.plain(still.rms, 2)} ({status}{because})"
        )
    if not parts:
        return Verdict(
            "Whether the first half of RL compute predicts the rest is not identified: no law is fitted.",
            "not identified",
        )
    right = statuses.count("supported")
    where = f" at {right} of {len(found.sizes)} sizes" if 0 < right < len(found.sizes) else ""
    claim = f"A sigmoid fitted to the first half of RL compute predicts the rest{where}"
    return Verdict(f"{claim}: {'; '.join(parts)}.", _together(statuses))


def _together(statuses: list[Status]) -> Status:
    """All alike keep their word; support against contradiction is a measurement; silence has no say."""
    said = set(statuses) - {"not identified"}
    if not said:
        return "not identified"
    return said.pop() if len(said) == 1 else "measured"


def _figure(found: RewardScaling) -> Figure:
    trained = found.rows[found.rows["C"] > 0]
    edge = float(trained["C"].min()) / BEFORE
    shown = found.rows.assign(at=np.where(found.rows["C"] > 0, found.rows["C"], edge), part="score")
    lines = pd.concat([_line(one) for one in found.sizes], ignore_index=True)
    data = pd.concat([shown[["width", "seed", "step", "C", "at", "score", "part"]], lines], ignore_index=True)
    groups = Groups.of(data, "width", named)

    def draw(axes: Axes) -> None:
        plots.scales(axes, "RL compute (FLOPs)", "Held-out score (p@1)", log="x")
        plots.region(axes, "start, no RL yet", edge / 1.3, edge * 1.3)
        plots.points(axes, data[data["part"] == "score"], "at", "score", groups=groups)
        plots.curves(axes, data[data["part"] == "fitted"], "at", "score", groups=groups)
        plots.curves(axes, data[data["part"] == "predicted"], "at", "score", dashed=True, groups=groups)
        plots.legend(axes)

    return Figure(
        "reward-compute",
        f"Held-out score against RL compute, a point a run and checkpoint. Curves are sigmoids fitted to the first "
        f"{numbers.percent(HALF)} of each size's compute, dashed beyond it, where they predict.",
        draw,
        data,
        "Score against RL compute on a log axis, one colour a size, with fitted curves that go on dashed.",
    )


def _line(one: Growth) -> pd.DataFrame:
    """The sigmoid fitted below the half, on both sides of it."""
    fit = one.at(HALF, "sigmoid").fit if one.ahead else None
    if fit is None:
        return pd.DataFrame({"width": pd.Series(dtype=int), "at": [], "score": [], "part": []})
    cut, C = one.at(HALF, "sigmoid").cut_C, one.rows.loc[one.rows["C"] > 0, "C"]
    parts = []
    for part, low, high in (("fitted", C.min(), cut), ("predicted", cut, C.max())):
        at = np.geomspace(float(low), float(high), POINTS)
        parts.append(
            pd.DataFrame({"width": one.width, "at": at, "score": fit.law.predict(C=at), "part": part})
        )
    return pd.concat(parts, ignore_index=True)
