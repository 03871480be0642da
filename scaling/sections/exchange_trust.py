"""How far to trust rates: where their variance comes from, other forms, other conventions, easy and hard problems."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import pandas as pd

from scaling.errors import FitError, InputError
from scaling.exchange import forms
from scaling.exchange.calibration import Coverage, table
from scaling.exchange.equivalence import equivalences
from scaling.exchange.planning import planning_table
from scaling.reporting import numbers
from scaling.reporting.document import Section, Table, Verdict

if TYPE_CHECKING:
    from scaling.exchange import Exchange, Rate


def trust_section(found: Exchange, coverage: Sequence[Coverage] = ()) -> Section:
    """Return variance components, the width of other designs, the test of constancy and the backtest of forms."""
    rated = [rate for rate in found.rates if rate.components is not None and rate.components.total]
    tables = [*([_components(rated)] if rated else []), *_planning(found, rated), *_backtest(found)]
    if coverage:
        tables.append(
            Table(
                "calibration",
                "How often the interval holds the truth, simulated at this design, with its Monte Carlo error.",
                table(coverage),
                formats={name: lambda x: numbers.percent(float(x)) for name in ("coverage", "error")},
            )
        )
    return Section(
        "How sure",
        (
            "The interval is Student's about the estimate, with variances from leaving out each run and each group of "
            "problems and Satterthwaite's degrees of freedom. A bootstrap of samples alone would be far too narrow: the "
            "same runs and problems stand behind all cells.",
        ),
        _constancy(found),
        tables=tuple(tables),
    )


def _constancy(found: Exchange) -> tuple[Verdict, ...]:
    test = found.constancy
    if test is None:
        return ()
    if test.p_value < 0.05:
        text = f"One rate does not serve the whole surface (p = {numbers.plain(test.p_value, 2)}): read it at your score."
        return (Verdict(text, "contradicted"),)
    return (
        Verdict(
            f"One rate for the whole surface, {numbers.plain(test.eta, 2)}, is not refuted (p = "
            f"{numbers.plain(test.p_value, 2)}).",
            "supported",
        ),
    )


def _components(rated: Sequence[Rate]) -> Table:
    rows = [
        {
            "at": rate.at,
            "runs": parts.run / parts.total,
            "problems": parts.problem / parts.total,
            "freedom": parts.freedom,
            "error": parts.total**0.5,
        }
        for rate in rated
        if (parts := rate.components) is not None
    ]
    return Table(
        "variance",
        "Where the variance of ln η comes from; problems include the sampling of answers within them.",
        pd.DataFrame(rows),
        headings={"at": "score", "freedom": "degrees of freedom", "error": "standard error of ln η"},
        formats={name: lambda x: numbers.percent(float(x)) for name in ("runs", "problems")},
    )


def _planning(found: Exchange, rated: Sequence[Rate]) -> list[Table]:
    if not rated:
        return []
    rate = rated[len(rated) // 2]
    try:
        rows = planning_table(found, rate)
    except InputError:
        return []
    return [
        Table(
            "planning",
            f"Width of the interval of η at {numbers.plain(rate.at)} with other numbers of runs a level and problems.",
            rows,
            headings={"seeds": "runs a level"},
        )
    ]


def _backtest(found: Exchange) -> list[Table]:
    if not found.backtest:
        return []
    formulas = {form.name: form.formula for form in forms.ALL}
    rows = pd.DataFrame(
        [
            {
                "form": name,
                "formula": formulas[name],
                "error": error,
                "used": "used here" if name == found.form else "",
            }
            for name, error in found.backtest.items()
        ]
    )
    return [
        Table(
            "backtest",
            "Error in score at a training level left out of the fit, root mean square over levels, two of which are "
            "extrapolated to. The form in use is the one whose intervals hold the truth, not the one that wins here: "
            "choosing by this table was simulated to cost coverage.",
            rows,
            formats={"error": lambda x: numbers.percent(float(x))},
            headings={"used": ""},
        )
    ]


def equivalences_section(found: Exchange) -> Section | None:
    """Return which checkpoint with more inference scores as which training with the least; None for one budget."""
    try:
        rows = equivalences(found)
    except (InputError, FitError):
        return None
    if rows.empty:
        return None
    inside = rows[rows["note"] == ""]
    best = inside.sort_values("times").iloc[-1] if len(inside) else None
    verdicts: tuple[Verdict, ...] = ()
    if best is not None:
        shown = numbers.estimate(float(best["times"]), float(best["low"]), float(best["high"]))
        verdicts = (
            Verdict(
                f"The checkpoint of {numbers.quantity(float(best['train']))} with a budget of {best['budget']} scores as "
                f"{shown} times its training does at the least budget.",
                "measured",
            ),
        )
    return Section(
        "What stands in for what",
        ("A checkpoint at a larger budget, and the training that scores the same at the least budget.",),
        verdicts,
        tables=(
            Table(
                "equivalences",
                "Times the training that a budget replaces; beyond: no level measured scores as much, at least this often.",
                rows,
                headings={"train": "C_train", "same_as": "scores as C_train", "times": "times", "note": ""},
                formats={
                    "train": lambda x: numbers.quantity(float(x)),
                    "same_as": lambda x: numbers.quantity(float(x)),
                    "score": lambda x: numbers.percent(float(x)),
                },
                estimates={"times": ("low", "high")},
            ),
        ),
    )


def sensitivity_section(rows: pd.DataFrame) -> Section:
    """Return the rates under every convention that the table's columns tell apart."""
    known = rows.dropna(subset=["eta"])
    spread = known.groupby("at")["eta"].agg(["min", "max"]) if len(known) else pd.DataFrame()
    verdicts: tuple[Verdict, ...] = ()
    if len(spread):
        ratio = (spread["max"] / spread["min"]).max()
        text = (
            f"What is counted moves η by up to a factor of {numbers.plain(float(ratio), 2)} on the same runs."
        )
        verdicts = (Verdict(text, "measured"),)
    return Section(
        "What is counted",
        ("The same rows under each convention that their columns tell apart.",),
        verdicts,
        tables=(
            Table(
                "ledger",
                "η by what counts as training and inference compute.",
                rows,
                headings={"at": "score", "eta": "η"},
                estimates={"eta": ("low", "high")},
            ),
        ),
    )
