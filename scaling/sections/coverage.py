"""Do intervals hold the truth? Laws fitted to many independent data sets of a language whose law is known."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import pandas as pd

from scaling.reporting import numbers, plots
from scaling.reporting.document import Figure, Section, Status, Table, Verdict
from scaling.reporting.style import Groups

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from scaling.fitting import Coverage
    from scaling.study import Analysis

HONEST = (0.90, 0.98)
"""A 95 % interval that holds the truth this often is taken as honest."""
SHOWN = 40
"""Data sets whose intervals the figure draws."""


def coverage(analysis: Analysis) -> Section:
    """Return how often each design's intervals hold the truth; the fits are named ``coverage: <design>``."""
    found = {
        name.partition(": ")[2]: fit for name, fit in analysis.fits.items() if name.startswith("coverage: ")
    }
    table = pd.concat([c.table().assign(design=name) for name, c in found.items()], ignore_index=True)
    sets = int(table["sets"].max())
    return Section(
        "Coverage",
        (
            f"Each design was run {sets} times, every run with text and held-out text of its own, and each time the "
            "law was fitted with pairs-bootstrap intervals. The truth is known in closed form, so the share of "
            "intervals that hold it can be counted. Errors of a share are its Monte Carlo standard errors.",
            "The right form on a wide window is the claim; the others are controls that must fail: the additive form "
            "on the same runs, a narrow window, and loss against N at a single D. *Supported* means that the intervals "
            f"are honest and hold the truth in {100 * HONEST[0]:.0f} to {100 * HONEST[1]:.0f} %; *contradicted* means that "
            "they are not, which is what a control must show.",
        ),
        tuple(_verdict(name, c) for name, c in found.items()),
        (_figure(found),),
        (_table(table),),
    )


def _verdict(name: str, found: Coverage) -> Verdict:
    table = found.table()
    sets = int(table["sets"].max())
    shares = [float(share) for share in table["covered"]]
    parts = [
        f"{parameter} in {100 * share:.1f} ± {100 * se:.1f} %"
        for parameter, share, se in zip(found.truth, shares, table["covered_se"].astype(float), strict=True)
    ]
    rms = 100 * float(found.frame.groupby("set")["rms"].first().mean())
    return Verdict(
        f"{name}: {100 * found.level:g} % intervals hold {', '.join(parts)} of {sets} repetitions "
        f"(mean residual {numbers.plain(rms, 2)} %).",
        _status(shares, sets),
    )


def _status(shares: list[float], sets: int) -> Status:
    """Whether all shares lie in the honest range, or could for all that so few repetitions tell."""
    from scipy.stats import binomtest

    low, high = HONEST
    ends = [binomtest(round(share * sets), sets).proportion_ci(0.95, method="wilson") for share in shares]
    if any(end.high < low or end.low > high for end in ends):
        return "contradicted"
    return "supported" if all(low <= share <= high for share in shares) else "not identified"


def _figure(found: Mapping[str, Coverage]) -> Figure:
    parts = []
    for name, c in found.items():
        rows = c.frame[c.frame["parameter"] == "alpha"].head(SHOWN)
        parts.append(rows.assign(design=name, repetition=range(1, len(rows) + 1)))
    frame = pd.concat(parts, ignore_index=True)[["design", "repetition", "value", "low", "high"]]
    groups = Groups.of(frame, "design")
    truth = next(iter(found.values())).truth["alpha"]

    def draw(axes: Axes) -> None:
        plots.scales(axes, "Repetition", "Exponent of N")
        plots.points(axes, frame, "repetition", "value", low="low", high="high", groups=groups)
        plots.reference(axes, "exact", y=truth)
        low, high = frame["value"].min(), frame["value"].max()
        axes.set_ylim(
            low - 0.3 * (high - low), high + 0.7 * (high - low)
        )  # the widest intervals would hide the rest
        plots.legend(axes)

    return Figure(
        "coverage-alpha",
        f"The exponent of N with its interval in the first {SHOWN} repetitions of each design, and the exact value; "
        "the longest intervals leave the figure.",
        draw,
        frame,
        "Intervals of the right form straddle the exact exponent; those of the other designs miss it on one side.",
    )


def _table(table: pd.DataFrame) -> Table:
    shown = table[["design", "parameter", "truth", "mean", "sd", "covered", "covered_se"]]
    return Table(
        "coverage",
        "How often intervals hold the exact value, and mean and standard deviation of the estimates, by design.",
        shown,
        headings={"truth": "exact", "mean": "mean", "covered_se": "± s.e."},
        formats={
            "covered": lambda p: f"{100 * p:.1f} %",
            "covered_se": lambda p: f"{100 * p:.1f} %",
            "sd": lambda sd: numbers.plain(sd, 2),
        },
    )
