"""Which of several methods is best at a cost, chosen and scored on different problems."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from scaling.exchange.envelope import envelope
from scaling.exchange.summary import eta_shown, worth
from scaling.reporting import numbers, plots
from scaling.reporting.document import Figure, Section, Table, Verdict
from scaling.reporting.style import INK, Groups

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from matplotlib.axes import Axes

    from scaling.exchange import Exchange
    from scaling.exchange.design import Design


DECIDED = 0.95
"""Share of the halvings in which a method is chosen that is said to be chosen."""


def by_method(found: Sequence[Exchange], missing: Sequence[str]) -> Section:
    """Return the rates of several methods at the same scores, side by side and never pooled, and why some are missing."""
    rows = pd.DataFrame(
        [
            {"method": one.method, "at": rate.at, "eta": eta_shown(rate), "ten": worth(rate), "ceiling": one.ceiling,
             "status": rate.status}
            for one in found
            for rate in one.rates
        ]
    )  # fmt: skip
    return Section(
        "Method by method",
        (
            "The methods of the table at the same scores, under one convention, each from its own rows.",
            *(f"Not here: {reason}." for reason in missing),
        ),
        tables=(
            Table("methods", "η by method and score.", rows, headings={"at": "score", "eta": "η", "ten": ""}),
        ),
    )


def envelope_section(designs: Mapping[str, Design]) -> Section:
    """Return the envelope over methods; raises InputError for methods with other levels or problems."""
    rows = envelope(designs)
    top = rows[rows["train"] == rows["train"].max()]
    gap = float((rows["same_half"] - rows["score"]).mean())
    return Section(
        "Which method",
        (
            "Methods are never pooled. At each training level and inference compute the best one is chosen on "
            "one half of the problems and scored on the other, over many halvings; a budget that costs less can be "
            "had too, so that a method stays in the choice beyond its dearest one. Scored on the half that "
            f"chose, it would look {numbers.plain(100 * gap, 2)} points better on average.",
        ),
        (chosen_verdict(rows),),
        (_figure(designs, top),),
        (
            Table(
                "envelope",
                "The method chosen, how often, what its offer costs, and the score on problems that did not choose it, with "
                "its standard error over problems, and over runs where there are several; own half: on those that did.",
                rows.drop(columns="methods"),
                headings={
                    "train": "C_train",
                    "infer": "C_infer",
                    "same_half": "own half",
                    "score_se": "its error",
                },
                formats={
                    "train": lambda x: numbers.quantity(float(x)),
                    "infer": lambda x: numbers.quantity(float(x)),
                    "spent": lambda x: numbers.quantity(float(x)),
                    **{
                        name: lambda x: numbers.percent(float(x))
                        for name in ("chosen", "score", "score_se", "same_half")
                    },
                },
            ),
        ),
    )


def chosen_verdict(rows: pd.DataFrame) -> Verdict:
    """Which methods were chosen nearly always, at how many points; at others the halves do not agree."""
    rows = rows[rows["methods"] > 1]
    decided = rows[rows["chosen"] >= DECIDED]
    always = f"in {numbers.percent(DECIDED)} or more of the halvings"
    if decided.empty:
        return Verdict(
            f"At none of {len(rows)} points with a choice is one method chosen {always}.", "not identified"
        )
    told = ", ".join(f"{name} at {count}" for name, count in decided["method"].value_counts().items())
    spared = int((decided["spent"] < decided["infer"] / 2).sum())
    less = f" (at {spared} of all these by a budget of less than half of what may be spent)" if spared else ""
    left = len(rows) - len(decided)
    rest = f"; at the other {left} the halves of the problems do not agree on one" if left else ""
    return Verdict(f"Of {len(rows)} points with a choice, chosen {always}: {told}{less}{rest}.", "measured")


def _figure(designs: Mapping[str, Design], top: pd.DataFrame) -> Figure:
    """Every method at the highest training level, with the envelope."""
    parts = []
    for name, design in designs.items():
        level_u, level_v, score = design.level_curves()
        k = int(level_u.argmax())
        parts.append(pd.DataFrame({"method": name, "infer": 10 ** level_v[k], "score": score[k]}).dropna())
    rows = pd.concat(parts)
    groups = Groups.of(rows, "method")

    def draw(axes: Axes) -> None:
        plots.scales(axes, "Inference compute a problem", "Score", log="x")
        plots.curves(axes, rows, "infer", "score", groups=groups)
        plots.points(axes, rows, "infer", "score", groups=groups)
        plots.curves(axes, top, "infer", "score", dashed=True, label="Best, on other problems", colour=INK)
        plots.legend(axes)

    return Figure(
        "method-envelope",
        "Methods at the highest training level, and the envelope: chosen on one half of the problems, scored on "
        "the other.",
        draw,
        rows,
        "One curve a method and a dashed envelope.",
    )
