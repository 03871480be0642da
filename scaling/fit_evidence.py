"""The evidence behind a fit in its report: the plane of exponents, influence, identifiability, rollout, replicates."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from scaling import diagnostics
from scaling.errors import InputError
from scaling.fit_budgets import budgets_section
from scaling.fit_choices import loss_section, next_run_section
from scaling.fit_tries import Found, Tries
from scaling.laws import LossInND
from scaling.reporting import numbers, plots
from scaling.reporting.document import Figure, Section, Table, Verdict
from scaling.reporting.style import Groups

if TYPE_CHECKING:
    from collections.abc import Callable

    from matplotlib.axes import Axes

    from scaling.diagnostics import ExponentPlane, Influence, Rollout
    from scaling.fitting import Fit
    from scaling.fitting.objective import Loss

SHOWN = 12
"""Rows of the influence table and bars of its figure."""
LOSSES: tuple[Loss, ...] = ("huber", "lad", "mse")
"""What predicts beyond cuts is fitted by each of these."""
MOST_ROWS = 5000
"""Rows above which the plane and the influence of single rows would take minutes."""


def evidence(fit: Fit) -> list[Section]:
    """Return what shows that the minimum is the lowest, what it hangs on, and how the law does beyond the rows."""
    tries = Tries()
    parts = (budgets_section, _global, loss_section, _influence, _rollout, next_run_section)
    found = [section for part in parts if (section := part(fit, tries)) is not None]
    if tries.missing:
        lines = "\n".join(f"- {what}: {why}" for what, why in tries.missing.items())
        found.append(Section("Not in this report", ("These diagnostics have no answer here:", lines)))
    return found


def _few(fit: Fit, work: Callable[[], Found]) -> Found:
    """Work whose cost grows with rows times refits."""
    if len(fit.rows.loss) > MOST_ROWS:
        raise InputError(
            f"{len(fit.rows.loss)} rows would take minutes, more than {MOST_ROWS} are left out of the report"
        )
    return work()


def _global(fit: Fit, tries: Tries) -> Section:
    told = tries.of("the Hessian at the minimum", lambda: diagnostics.identifiability(fit))
    prose = []
    if told is not None:
        prose.append(
            f"The scaled Hessian at the minimum has the condition number {numbers.plain(told.condition, 3)}. Its "
            f"flattest direction: {told.text}."
        )
    fitted = tries.of("lack of fit", lambda: diagnostics.lack_of_fit(fit))
    no_replicates = (
        "Nothing here tells noise from lack of fit: that takes losses of runs with the same inputs."
    )
    prose.append(f"Lack of fit: {fitted.text}." if fitted else no_replicates)
    plane = tries.of(
        "the objective over the exponents",
        lambda: _few(fit, lambda: diagnostics.exponent_plane(fit, level=_level(fit))),
    )
    if plane is not None:
        prose.append(
            "At each point of the figure all other parameters are fitted: a second valley would show, and the valley's "
            "shape says which exponents the rows fix."
        )
    figures = () if plane is None else (_plane(plane),)
    return Section("The minimum and what the rows fix", tuple(prose), figures=figures)


def _level(fit: Fit) -> float | None:
    return fit.intervals.level if len(fit.draws) or fit.objective.loss == "mse" else None


def _plane(plane: ExponentPlane) -> Figure:
    # an even trace of rise at the minimum, so that its logarithm exists
    frame, names = plane.frame.assign(rise=100 * plane.frame["rise"] + 0.01), plane.names
    marks = plane.marks[plane.marks["kind"] != "published"]
    title, level = "Objective over its minimum (%)", ""
    if plane.threshold is not None:
        rise = plane.threshold
        words = (
            f"A rise of {100 * rise:.3g} %" if rise < 2 else f"An objective {1 + rise:.3g} times the minimum"
        )
        level = f" {words} bounds the {100 * (plane.level or 0):g} % set."

    def draw(axes: Axes) -> None:
        if len(names) == 1:
            plots.scales(axes, names[0], title)
            plots.curves(axes, frame, names[0], "rise", label="All others fitted")
            if plane.threshold is not None:
                plots.reference(axes, "bound of the set", y=100 * plane.threshold)
        else:
            first, second = names
            plots.scales(axes, first, second)
            plots.contours(axes, frame, first, second, "rise", label=title, log=True)
            plots.optima(axes, marks, first, second, label="Minima")
        plots.legend(axes)

    return Figure(
        "exponents",
        f"The objective with {' and '.join(names)} held and all others fitted.{level}",
        draw,
        frame,
        "A valley around the minimum.",
    )


def _influence(fit: Fit, tries: Tries) -> Section | None:
    by = fit.shared or ("run" if "run_id" in fit.rows.frame else "row")
    single = tries.of(f"influence of each {by}", lambda: _few(fit, lambda: diagnostics.influence(fit, by)))
    if single is None:
        return None
    tables = [_influence_table("influence", single, fit)]
    budgets = None
    if isinstance(fit.law, LossInND):
        budgets = tries.of("influence of each budget", lambda: diagnostics.influence(fit, "budget"))
    if budgets is not None:
        tables.append(_influence_table("influence-budgets", budgets, fit))
    return Section(
        "What the answer hangs on",
        (
            "Each row tells what the fit says without one group of rows. Displacement is how much worse the answer without "
            "them fits all rows; groups that support each other hide each other.",
        ),
        figures=(_influence_figure(single, fit),),
        tables=tuple(tables),
    )


def _quantity(fit: Fit) -> str:
    """The one number whose changes are drawn."""
    coefficients = {fit.law.floor, *fit.fixed, *(term.coefficient for term in fit.law.terms)}
    shapes = [name for name in fit.law.parameter_names() if name not in coefficients]
    return "N_exponent" if "N_exponent" in fit.derived else (shapes or list(fit.parameters))[-1]


def _influence_figure(found: Influence, fit: Fit) -> Figure:
    name = _quantity(fit)
    rows = found.frame.dropna(subset=[name])
    rows = rows.iloc[(-rows[f"{name}_change"].abs()).argsort(kind="stable")].head(SHOWN)
    left_out = [_label(group) for group in rows["group"]]
    bars = pd.DataFrame({"without": left_out, "value": rows[name].to_numpy(), "low": np.nan, "high": np.nan})
    e = {**fit.parameters, **fit.derived}[name]
    first = pd.DataFrame(
        {"without": ["nothing (all rows)"], "value": [e.value], "low": [e.low], "high": [e.high]}
    )
    data = pd.concat([first.astype({"low": float, "high": float}), bars], ignore_index=True)

    def draw(axes: Axes) -> None:
        plots.scales(axes, name, f"{name} without each {found.by}")
        plots.forest(axes, data, "without", "value", low="low", high="high")

    return Figure(
        "influence-figure",
        f"{name} with all rows, with its interval, and without each of the {len(bars)} groups that move it most.",
        draw,
        data,
        f"Estimates of {name}, one a group left out.",
    )


def _label(group: object) -> str:
    """What a group is called: a budget by its compute."""
    return numbers.plain(group, 3) if isinstance(group, float) else str(group)


def _influence_table(name: str, found: Influence, fit: Fit) -> Table:
    apart = {term.coefficient for term in fit.law.terms} | set(fit.fixed) | set(fit.derived) - {"N_exponent"}
    quantities = [quantity for quantity in found.full if quantity not in apart]
    shown = found.frame[["group", "rows", "displacement", *quantities]]
    shown = shown.assign(group=[_label(group) for group in shown["group"]])
    return Table(
        name,
        f"The fit without each {found.by}, the most influential first.",
        shown,
        formats={"rows": lambda n: f"{n:.0f}", "displacement": lambda d: numbers.percent(float(d))},
        rows_shown=SHOWN,
    )


def _rollout(fit: Fit, tries: Tries) -> Section | None:
    """For loss laws in N and D: the fit's law, chinchilla and p_norm by three losses, asked for what lies above each cut."""
    if not isinstance(fit.law, LossInND):
        return None
    if fit.known.anything:
        tries.missing["prediction beyond compute cuts"] = (
            "something is known of parameters beforehand, which the other forms do not share"
        )
        return None
    frame = fit.rows.frame.assign(**fit.rows.inputs, loss=fit.rows.loss)
    laws = tuple(dict.fromkeys((fit.law.name, "chinchilla", "p_norm")))
    card = tries.of(
        "prediction beyond compute cuts",
        lambda: _few(fit, lambda: diagnostics.rollout(frame, laws, LOSSES, cluster=fit.shared)),
    )
    if card is None:
        return None
    law, loss = card.chosen
    best = card.ranking.iloc[0]
    ties = [f"{a} by {b}" for a, b in card.tied if (a, b) != card.chosen]
    cuts = f"{len(card.cuts)} compute cut{'s' if len(card.cuts) > 1 else ''}"
    text = (
        f"Fitted below {cuts} and asked for the rows above, {law} by {loss} predicts best, within "
        f"{numbers.percent(float(best['score']))} root-mean-square (bias {numbers.percent(float(best['bias']))})"
    )
    tied = f"; these rows do not tell it from {', '.join(ties)}" if ties else ""
    return Section(
        "Prediction beyond the rows",
        (
            f"The laws {', '.join(laws)} by the losses {', '.join(LOSSES)}: each is fitted to the rows below a compute cut "
            "and predicts those above it.",
        ),
        (Verdict(f"{text}{tied}.", "measured"),),
        (_rollout_figure(card),),
        (
            Table(
                "rollout",
                "Laws and losses by their error above the cuts, as shares of the loss; tied where the interval of the "
                "difference from the best holds 0.",
                card.ranking,
                formats=dict.fromkeys(
                    ("score", "bias", "worst"), lambda share: numbers.percent(float(share))
                ),
                estimates={"difference": ("low", "high")},
            ),
        ),
    )


def _rollout_figure(card: Rollout) -> Figure:
    rows = card.frame[card.frame["status"] == "ok"].assign(
        method=lambda t: t["law"] + " by " + t["loss"], error=lambda t: 100 * t["log_rms"]
    )
    groups = Groups.of(rows, "method")

    def draw(axes: Axes) -> None:
        plots.scales(axes, "Fitted up to C (FLOP)", "Error above the cut (% rms)", log="x")
        plots.curves(axes, rows, "cut_C", "error", groups=groups)
        plots.points(axes, rows, "cut_C", "error", groups=groups)
        plots.legend(axes)

    return Figure(
        "rollout-figure",
        "How far predictions beyond a compute cut miss, by law and loss.",
        draw,
        rows,
        "Lines of error against the cut, one a law and loss.",
    )
