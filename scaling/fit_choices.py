"""What a fit's report says of choices: the loss that was minimised, and the run to train next."""

from __future__ import annotations

from typing import TYPE_CHECKING

from scaling import diagnostics
from scaling.errors import InputError
from scaling.laws import LossInND
from scaling.reporting import numbers, plots
from scaling.reporting.document import Figure, Section, Table, Verdict
from scaling.reporting.style import Groups

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from scaling.diagnostics import DeltaPath
    from scaling.fit_tries import Tries
    from scaling.fitting import Fit

MOST_ROWS = 20_000
"""Rows above which eight more fits would take minutes."""
SHOWN = 8
"""Candidate runs in the table."""


def loss_section(fit: Fit, tries: Tries) -> Section | None:
    """For Huber's loss: the answer from least squares to least absolute deviations."""
    if fit.objective.loss != "huber":
        return None
    path = tries.of("the path along Huber's delta", lambda: _path(fit))
    if path is None:
        return None
    names = [name for name in _told(fit) if name not in fit.fixed]
    moves = "; ".join(path.told(name) for name in names)
    columns = ["delta", "inside", "value", *names]
    table = Table(
        "delta-path",
        "The fit along Huber's delta; 0 is least absolute deviations. `inside` is the share of rows within delta.",
        path.frame[columns],
        headings={"value": "objective"},
    )
    prose = (
        "Huber's loss is one of squares within delta and of absolute deviations beyond. Where the answer moves, outliers "
        "decide."
    )
    largest = path.frame["delta"].max()
    return Section(
        "The loss",
        (prose,),
        (Verdict(f"As delta falls from {largest:g} to 0 the answer moves: {moves}.", "measured"),),
        (_path_figure(path, [name for name in names if name != fit.law.floor]),),
        (table,),
    )


def _path(fit: Fit) -> DeltaPath:
    options = fit.options
    if options.priors:
        raise InputError("priors need a loss with a curvature, which the path's end has not")
    if len(fit.rows.loss) > MOST_ROWS:
        raise InputError(
            f"{len(fit.rows.loss)} rows would take minutes, more than {MOST_ROWS} are left out of the report"
        )
    frame = fit.rows.frame.assign(**fit.rows.inputs, **{fit.law.target: fit.rows.loss})
    return diagnostics.delta_path(
        type(fit.law),
        frame,
        residual=fit.objective.residual,
        fix=options.fix,
        bounds=options.bounds,
        weights=options.weights,
    )


def _told(fit: Fit) -> list[str]:
    """The numbers whose path is told: floor, exponents, shapes, and the exponent of the best size."""
    coefficients = {term.coefficient for term in fit.law.terms}
    names = [name for name in fit.parameters if name not in coefficients]
    return [*names, "N_exponent"] if "N_exponent" in fit.derived else names


def _path_figure(path: DeltaPath, names: list[str]) -> Figure:
    frame = path.frame.loc[path.frame["delta"] > 0, ["delta", *names]]
    long = frame.melt(id_vars="delta", value_vars=names, var_name="quantity", value_name="value")
    groups = Groups.of(long, "quantity")

    def draw(axes: Axes) -> None:
        plots.scales(axes, "Huber's delta", "Value", log="x")
        plots.curves(axes, long, "delta", "value", groups=groups)
        plots.points(axes, long, "delta", "value", groups=groups)
        plots.legend(axes)

    return Figure(
        "delta",
        "The answer against Huber's delta.",
        draw,
        long,
        "Curves, flat where the loss does not matter.",
    )


def next_run_section(fit: Fit, tries: Tries) -> Section | None:
    """For loss laws in N and D: the run of the largest run's compute that narrows the answer most."""
    if not isinstance(fit.law, LossInND):
        return None
    quantity = "N_exponent" if fit.compute is None else "loss_optimal"
    inputs = fit.rows.inputs
    budget = float((6.0 * inputs["N"] * inputs["D"]).max())
    found = tries.of("the run to train next", lambda: diagnostics.next_run(fit, budget, quantity))
    if found is None:
        return None
    best = found.best
    where = ", ".join(f"{name} = {numbers.quantity(best[name])}" for name in fit.law.inputs)
    at = f" at C = {numbers.quantity(fit.compute)}" if fit.compute is not None else ""
    claim = (
        f"Of runs that cost no more than the largest here, one with {where} narrows {quantity}{at} most: its standard error "
        f"falls by {numbers.percent(float(best['narrowing']))}."
    )
    columns = [*fit.law.inputs, "C", "narrowing", "beyond"]
    return Section(
        "The run to train next",
        (
            "By the sensitivities of the rows at the answer, with the law's form taken for granted; `beyond` marks inputs "
            "outside the range of the rows.",
        ),
        (Verdict(claim, "measured"),),
        tables=(
            Table(
                "next-run",
                f"Candidates by how much of the standard error of {quantity} they remove.",
                found.frame[columns].head(SHOWN),
                formats={"narrowing": lambda share: numbers.percent(float(share))},
            ),
        ),
    )
