"""How far to trust rates: where their variance comes from, other forms, other conventions, easy and hard problems."""

from __future__ import annotations

from collections.abc import Sequence
from numbers import Real
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from scaling.errors import InputError
from scaling.exchange import forms
from scaling.exchange.calibration import Coverage, table
from scaling.exchange.equivalence import equivalences
from scaling.exchange.ledger import WORDS
from scaling.exchange.planning import planning_table
from scaling.exchange.summary import factor, multiple
from scaling.fitting.parts import Estimate
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
            "The interval is Student's about the estimate, with variances from leaving out each run and each "
            "group of problems and Satterthwaite's degrees of freedom. A bootstrap of samples alone would be far too "
            "narrow: the same runs and problems stand behind all cells.",
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
            f"{numbers.plain(test.p_value, 2)}); that is no proof of it.",
            "not identified",
        ),
    )


def _components(rated: Sequence[Rate]) -> Table:
    rows = [
        {
            "at": rate.at,
            "runs": numbers.percent(parts.run / parts.total) if parts.run else "cannot be told",
            "problems": numbers.percent(parts.problem / parts.total) if parts.problem else "not told apart",
            "freedom": parts.freedom,
            "error": parts.total**0.5,
            "of": "of ln η" if parts.of_log else "of η",
        }
        for rate in rated
        if (parts := rate.components) is not None
    ]
    return Table(
        "variance",
        "Where the variance of η (of its logarithm, where it is surely positive) comes from; problems include the "
        "sampling of answers within them.",
        pd.DataFrame(rows),
        headings={"at": "score", "freedom": "degrees of freedom", "error": "standard error", "of": ""},
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
            f"Width of the interval of η at {numbers.plain(rate.at)} with other numbers of runs a level (rows) and "
            "problems (columns).",
            rows,
            headings={"seeds": "runs a level"}
            | {name: name.removesuffix(" problems") for name in rows.columns if name != "seeds"},
            formats={name: lambda x: numbers.plain(float(x), 2) for name in rows.columns if name != "seeds"},
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
            "extrapolated to. A form that wins here is not thereby the one whose intervals hold the truth: the "
            "free one takes least for granted, and benchmarks/README.md has what that was measured to be worth.",
            rows,
            formats={"error": lambda x: numbers.percent(float(x))},
            headings={"used": ""},
        )
    ]


def equivalences_section(found: Exchange, unit: str = "") -> Section | None:
    """Return which checkpoint with more inference scores as which training with the least; None for one budget.

    The verdict is of the middle level and its middle budget: no row is chosen by its number.

    ``unit`` is of training compute.
    """
    try:
        rows = equivalences(found)
    except InputError:
        return None
    if rows.empty:
        return None
    rows = rows.assign(
        budget=[budget_shown(name) for name in rows["budget"]],
        shown=[_times(row) for _, row in rows.iterrows()],
    )
    return Section(
        "What stands in for what",
        (
            "A checkpoint at a larger budget, and the training that scores the same at the least budget, between whose "
            "levels scores are interpolated. Intervals hold all training whose score there cannot be told from the row's"
            + (", in this run alone." if len(found.design.run_names) == 1 else "."),
        ),
        (middle_verdict(rows, unit),),
        tables=(
            Table(
                "equivalences",
                "The training that a budget replaces, as a multiple of the checkpoint's own.",
                rows[["train", "budget", "score", "same_as", "shown"]],
                headings={"train": "C_train", "same_as": "scores as C_train", "shown": "multiple"},
                formats={
                    "train": lambda x: numbers.quantity(float(x)),
                    "same_as": lambda x: numbers.quantity(float(x)),
                    "score": lambda x: numbers.percent(float(x)),
                },
            ),
        ),
    )


def middle_verdict(rows: pd.DataFrame, unit: str) -> Verdict:
    """Return what the middle budget of the middle level replaces."""
    levels = np.sort(rows["train"].unique())
    of_level = rows[rows["train"] == levels[len(levels) // 2]]
    one = of_level.iloc[len(of_level) // 2]
    row = f"The checkpoint of {numbers.quantity(float(one['train']), unit)} at a budget of {one['budget']}"
    low, high, note = float(one["low"]), float(one["high"]), one["note"]
    unknown = (
        note == "wide"
        or low < 1 < high
        or (note == "at least" and low < 1)
        or (note == "at most" and high > 1)
    )
    if unknown:
        text = (
            f"{row} cannot be told to score as more or as less training at the least budget: {one['shown']}."
        )
        return Verdict(text, "not identified")
    return Verdict(f"{row} scores as one of {one['shown']} its training at the least budget.", "measured")


def _times(row: pd.Series[Any]) -> str:
    """A multiple with its interval; where no level scores so much or so little, what it is more or less than."""
    value, low, high = (float(str(row[name])) for name in ("times", "low", "high"))
    if row["note"] == "beyond":
        return f"more than {factor(value)}" if value > 1.0001 else "more than all levels"
    if row["note"] == "below":
        return f"less than {factor(value)}" if value < 0.9999 else "less than all levels"
    if row["note"] in ("at least", "at most"):
        return f"{row['note']} {factor(low if row['note'] == 'at least' else high)}"
    if row["note"]:
        return "not identified"
    return factor(value) if low != low else multiple(Estimate(value, low, high))


def budget_shown(name: Any) -> str:
    """A budget's name: large numbers as quantities."""
    if isinstance(name, bool) or not isinstance(name, Real):
        return str(name)
    value = float(name)
    return numbers.quantity(value) if abs(value) >= 10_000 else numbers.plain(value)


def sensitivity_section(rows: pd.DataFrame) -> Section:
    """Return the rates under every convention that the table's columns tell apart."""
    same = [name for name in WORDS if len(set(rows[name]) - {""}) <= 1]
    words = ["The same rows under each convention that their columns tell apart."]
    if same:
        words.append(f"The same in all of them: {'; '.join(rows[name].max() for name in same)}.")
    verdict = _moved_by(rows)
    return Section(
        "What is counted",
        tuple(words),
        () if verdict is None else (verdict,),
        tables=(
            Table(
                "ledger",
                "η by what counts as training and inference compute.",
                rows.drop(columns=same),
                headings={"at": "score", "eta": "η"},
                estimates={"eta": ("low", "high")},
            ),
        ),
    )


def _moved_by(rows: pd.DataFrame) -> Verdict | None:
    """Return how much what is counted moves the rate, over scores at which two conventions or more have a positive one."""
    eta = rows["eta"].astype(float)
    spread = rows[eta > 0].groupby("at")["eta"].agg(["min", "max", "count"])
    spread = spread[spread["count"] > 1]
    if spread.empty:
        return None
    here = rows["at"].isin(spread.index)
    ratio = float((spread["max"] / spread["min"]).max())
    never = [
        word
        for name in WORDS
        for word in dict.fromkeys(rows.loc[here, name])
        if word and not (eta[here & rows[name].eq(word)] > 0).any()
    ]
    others = here & ~rows[list(WORDS)].isin(never).any(axis=1)
    lost = others & ~(eta > 0)
    lead = (
        f"No positive rate is identified counting {' or '.join(never)}; among the others what"
        if never
        else "What"
    )
    moves = (
        f"moves η by up to a factor of {numbers.plain(ratio, 3)} on the same runs"
        if ratio > 1.005
        else "does not move η"
    )
    text = f"{lead} is counted {moves}"
    if lost.any():
        text += f", where {lost.sum()} of {others.sum()} rates are not identified or not positive"
    return Verdict(f"{text}.", "measured")
