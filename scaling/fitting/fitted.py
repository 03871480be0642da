"""`fit`: a law and a table in, a Fit out."""

import dataclasses
from collections.abc import Mapping
from itertools import chain
from typing import TYPE_CHECKING, Any

import numpy as np

from scaling import laws
from scaling.errors import FitError, InputError
from scaling.fitting import checks, doubts, table_doubts
from scaling.fitting.derived import at_compute
from scaling.fitting.draws import Resample
from scaling.fitting.minima import at_bounds, gradient_norm
from scaling.fitting.objective import Loss, Objective, Residual
from scaling.fitting.options import Method, Options
from scaling.fitting.parts import Minimum, Warned
from scaling.fitting.prior import sensitivity
from scaling.fitting.result import Fit
from scaling.fitting.rows import FINISHED, Excluded, Rows, rows_of
from scaling.fitting.solve import Solved, solve
from scaling.laws import Law

if TYPE_CHECKING:
    import pandas as pd


def fit(
    law: str | type[Law],
    frame: "pd.DataFrame",
    *,
    loss: Loss = "huber",
    delta: float = 1e-3,
    residual: Residual | None = None,
    tau: float = 0.5,
    fix: Mapping[str, float] | None = None,
    bounds: Mapping[str, tuple[float, float]] | None = None,
    priors: Mapping[str, tuple[float, float]] | None = None,
    weights: str | None = None,
    bootstrap: int = 1000,
    resample: Resample | None = None,
    cluster: str | None = None,
    interval: Method = "percentile",
    level: float = 0.95,
    seed: int = 0,
    compute: float | None = None,
    inference: float | None = None,
    convention: Mapping[str, str] | None = None,
    excluded: Excluded = (),
    sha256: str | None = None,
) -> Fit:
    """Fit a law: the lowest minimum of sum_i rho(r_i), r = log L - log loss (or L - loss), and its intervals.

    Args:
        law: name or class; `scaling.laws.ALL` has them.
        frame: columns N, D, C (or x) as the law needs, and loss; D or C that is missing follows from C = 6 N D.
            Read where present: status, trunk_id, annealed.
        loss: `huber` (Hoffmann et al. 2022), `lad` (least absolute deviations, exact), `mse` (least squares),
            `quantile` (exact), or `binomial` for a score with its number of trials as weights.
        delta: Huber's bend, in units of the residual.
        residual: `log` or `raw`; None takes `log` for a loss and `raw` for a score, which may be 0.
        tau: the quantile that `quantile` fits, .1 for a lower envelope.
        fix: parameters held at a value, by name.
        bounds: smallest and largest value of parameters, by name.
        priors: mean and standard deviation of normal priors, by name. They enter as a penalty that weighs them against
            the rows as a likelihood would (`fitting.prior`), so that weights are then relative precisions and no counts;
            `fit.sensitivity` has the answer without them.
        weights: column that multiplies each row's part of the sum; the number of trials for `binomial`. `parametric`
            draws, calibration and `predict(new_run=True)` take weights for relative precisions, noise of sigma / sqrt(w);
            a row that stands for several is better repeated.
        bootstrap: draws for the intervals; 0 for none.
        resample: `pairs`, `clusters`, `trunks`, `wild` or `parametric`; None takes what the columns call for (see
            `fitting.draws`).
        cluster: column of labels whose rows stay together.
        interval: `percentile` of the draws; `bca`, bias-corrected and accelerated; `profile`, which asks the objective
            itself how far each parameter can move (what follows from parameters keeps its percentiles).
        level: nominal coverage of the intervals.
        seed: seed of the draws.
        compute: FLOPs at which the compute-optimal N, D and loss are wanted.
        inference: tokens that the model shall read and write; the cheapest N and D to train and serve are wanted too.
        convention: which parameters and FLOPs the columns count, for the record.
        excluded: (row, reason) of rows that were left out before, for the account.
        sha256: hash of the table's file, for the record.

    Raises:
        InputError: what is no law or no table, unknown names, missing columns, text among numbers, a level or count
            that means nothing.
        FitError: fewer rows than parameters, or an input that never varies.
    """
    law = asked(law, frame)
    objective = Objective(loss, delta, _residual(law) if residual is None else residual, tau)
    options = Options(
        objective,
        checks.by_name("fix", fix),
        checks.by_name("bounds", bounds),
        checks.by_name("priors", priors),
        weights,
        bootstrap,
        resample,
        cluster,
        interval,
        level,
        seed,
        compute,
        inference,
    )
    options.check(law)
    zeros = objective.residual == "raw" or loss == "binomial"
    rows = rows_of(law, frame, excluded=excluded, sha256=sha256, weights=weights, zeros=zeros)
    return fit_rows(law, rows, options, convention)


def asked(law: Any, frame: Any, call: str = "fit({law}, frame)") -> type[Law]:
    """The law; InputError for what is no law or no table, such as the two in the wrong order, and how to `call`."""
    found = laws.find(law) if isinstance(law, str) else law
    if not (isinstance(found, type) and issubclass(found, Law)):
        raise InputError(
            f"the law is a {type(law).__name__}, expected a name or a class; give it first: "
            f"{call.format(law=repr('chinchilla'))}"
        )
    checks.table(frame, ", ".join((*found.inputs, found.target)), call.format(law=repr(found.name)))
    return found


def _residual(law: type[Law]) -> Residual:
    return "raw" if law.target == "score" else "log"


def fit_rows(
    law: type[Law], rows: Rows, options: Options, convention: Mapping[str, str] | None = None
) -> Fit:
    """Fit a law to rows that were chosen and checked; see `fit`."""
    _check_rows(law, rows, options.fix)
    found = solve(law, rows, options)
    minima = tuple(
        Minimum(float(value), law.from_values(point), at_compute(law.from_values(point), options.compute))
        for value, point in zip(found.objectives, found.values, strict=True)
    )
    changed = sensitivity(found.design, options.objective)
    warnings = (
        *_warnings(rows, options, found, minima),
        *doubts.about_priors(found.parameters, changed, options.priors),
    )
    return Fit(
        law=minima[0].law,
        status="ok" if all(warned.code in doubts.NOTES for warned in warnings) else "doubtful",
        warnings=warnings,
        objective=options.objective,
        value=minima[0].value,
        gradient_norm=gradient_norm(found.design, options.objective, found.theta[0]),
        parameters=found.parameters,
        derived=found.derived,
        minima=minima,
        rows=rows,
        intervals=found.intervals,
        draws=found.draws,
        jackknife=found.jackknife,
        options=options,
        units=None if found.drawn is None else found.drawn.units,
        convention=dict(convention or {"params": "as given", "flops": "as given"}),
        known=found.design.known,
        sensitivity=changed,
    )


def again(found: Fit, **changes: Any) -> Fit:
    """The same fit with some of its options changed."""
    options = dataclasses.replace(found.options, **changes)
    options.check(type(found.law))
    return fit_rows(type(found.law), found.rows, options, found.convention)


def _warnings(rows: Rows, options: Options, found: Solved, minima: tuple[Minimum, ...]) -> tuple[Warned, ...]:
    law, design, fix = minima[0].law, found.design, options.fix
    floor = found.parameters.get(law.floor or "")
    with np.errstate(divide="ignore"):  # scores of 0
        residuals = options.objective.residuals(np.log(law.predict(**rows.inputs)), np.log(rows.loss))
    return tuple(
        chain(
            table_doubts.about_rows(type(law), rows, len(fix), options.objective.loss == "binomial"),
            doubts.about_bounds(law, at_bounds(design, found.theta[0]), options.bounds),
            doubts.about_floor(design, found.theta[0], rows, options.objective, floor, found.intervals),
            doubts.about_shared_errors(rows, residuals, found.drawn if options.resample is None else None),
            doubts.about_interval(rows, found.intervals),
            doubts.about_minima(minima, found.parameters),
            doubts.about_identification(law, found.parameters, minima, fix),
            doubts.about_extrapolation(law, rows, options.compute),
            doubts.about_convergence(found.converged, found.lost, options.bootstrap),
        )
    )


def _check_rows(law: type[Law], rows: Rows, fix: Mapping[str, float]) -> None:
    """Refuse rows that cannot have an answer."""
    n, P = len(rows.loss), len(law.parameter_names()) - len(fix)
    if n < P:
        why = ""
        if rows.excluded:
            first = rows.excluded[0][1]
            words = f"; ended runs say {', '.join(sorted(FINISHED))}" if first.startswith("status is") else ""
            why = f" ({len(rows.excluded)} excluded, the first because {first}{words})"
        raise FitError(
            f"{law.name} has {P} {'free ' if fix else ''}parameters "
            f"({', '.join(name for name in law.parameter_names() if name not in fix)}) and {n} usable rows of "
            f"{rows.read} read{why}; give at least {P}, better {law.rows_per_parameter * P}"
        )
    for name, values in rows.inputs.items():
        if table_doubts.levels(values) < 2:
            others = [other for other in law.inputs if other != name]
            hint = f"; vary it, or fit --law power with --map x={others[0]}" if others else "; vary it"
            raise FitError(
                f"all {n} rows have {name} = {values[0]:g}: {law.name} cannot tell its term in {name} from the "
                f"floor{hint}"
            )
