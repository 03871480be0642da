"""`fit`: a law and a table in, a Fit out."""

import dataclasses
from collections.abc import Mapping
from itertools import chain
from typing import TYPE_CHECKING, Literal, get_args

import numpy as np

from scaling import laws
from scaling.errors import FitError, InputError
from scaling.fitting import doubts
from scaling.fitting.derived import at_compute, derived, estimates
from scaling.fitting.design import FEW_ROWS, Design
from scaling.fitting.draws import Fitted, Resample, draw, fit_draws, jackknife
from scaling.fitting.minima import at_bounds, gradient_norm, local_minima
from scaling.fitting.objective import Loss, Objective, Residual
from scaling.fitting.profile_interval import Profile
from scaling.fitting.result import Estimate, Fit, Interval, Minimum
from scaling.fitting.rows import FINISHED, Excluded, Rows, rows_of
from scaling.laws import Law, LossInND

if TYPE_CHECKING:
    import pandas as pd


Method = Literal["percentile", "bca", "profile"]
REPEATED = (
    "loss",
    "delta",
    "residual",
    "tau",
    "fix",
    "weights",
    "bootstrap",
    "resample",
    "cluster",
    "interval",
    "level",
    "seed",
    "compute",
    "inference",
)
"""Arguments of `fit` that say how and not what."""
MOST_DRAWS = 1_000_000
"""Draws above which a number is taken for a slip."""


def fit(
    law: str | type[Law],
    frame: "pd.DataFrame",
    *,
    loss: Loss = "huber",
    delta: float = 1e-3,
    residual: Residual | None = None,
    tau: float = 0.5,
    fix: Mapping[str, float] | None = None,
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
        weights: column that multiplies each row's part of the sum; the number of trials for `binomial`.
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
        InputError: unknown names, missing columns, text among numbers, a level or count that means nothing.
        FitError: fewer rows than parameters, or an input that never varies.
    """
    options = {name: value for name, value in locals().items() if name in REPEATED}
    law = laws.find(law) if isinstance(law, str) else law
    objective = Objective(loss, delta, residual or ("raw" if law.target == "score" else "log"), tau)
    fix = dict(fix or {})
    _check_options(law, bootstrap, level, compute)
    _check_inference(compute, inference)
    _check_interval(interval, objective, bootstrap)
    _check_law_options(law, objective, fix, weights)
    zeros = objective.residual == "raw" or loss == "binomial"
    rows = rows_of(law, frame, excluded=excluded, sha256=sha256, weights=weights, zeros=zeros)
    _check_rows(law, rows, fix)
    design = Design.of(law, rows.inputs, rows.loss, weights=rows.weights, fixed=fix)
    theta, objectives, converged = local_minima(design, objective)
    values = design.values(theta)
    fitted = law.from_values(values[0])
    draws, without, how, lost = np.empty((0, values.shape[1])), None, Interval(None, level, 0), 0
    drawn = None
    if bootstrap:
        fitted_rows = Fitted(fitted.predict(**rows.inputs), len(law.parameters()) - len(fix))
        drawn = draw(rows, fitted_rows, objective, resample, cluster, bootstrap, seed)
        draws, good = fit_draws(design, objective, drawn, theta)
        lost = int(np.sum(~good))
        how = Interval(f"{interval}, {drawn.method}", level, bootstrap, drawn.clusters, drawn.reason)
        if interval == "bca":
            without = jackknife(design, objective, drawn.units, theta)
    parameters = estimates(law.parameter_names(), values[0], draws, level, without)
    if interval == "profile":
        for name in set(parameters) - set(fix):
            profile = Profile.of(design, objective, values[0], name)
            low, high = profile.interval(level, drawn, draws)
            parameters[name] = dataclasses.replace(parameters[name], low=low, high=high)
        how = dataclasses.replace(how, method=how.method or "profile")
    parameters |= {name: Estimate(value) for name, value in fix.items()}
    minima = tuple(
        Minimum(float(value), law.from_values(point), at_compute(law.from_values(point), compute))
        for value, point in zip(objectives, values, strict=True)
    )
    warnings = tuple(
        chain(
            doubts.about_rows(law, rows, len(fix)),
            doubts.about_bounds(fitted, at_bounds(design, theta[0])),
            doubts.about_floor(design, rows, objective, parameters.get(law.floor or ""), how),
            doubts.about_interval(rows, how),
            doubts.about_minima(minima, parameters),
            doubts.about_identification(fitted, parameters, minima, fix),
            doubts.about_extrapolation(fitted, rows, compute),
            doubts.about_convergence(converged, lost, bootstrap),
        )
    )
    return Fit(
        law=fitted,
        status="ok" if all(warned.code in doubts.NOTES for warned in warnings) else "doubtful",
        warnings=warnings,
        objective=objective,
        value=minima[0].value,
        gradient_norm=gradient_norm(design, objective, theta[0]),
        parameters=parameters,
        derived=derived(law, values[0], draws, compute, level, without, inference),
        minima=minima,
        rows=rows,
        interval=how,
        draws=draws,
        jackknife=without,
        compute=compute,
        fixed=fix,
        options=options,
        units=None if drawn is None else drawn.units,
        convention=dict(convention or {"params": "as given", "flops": "as given"}),
        seed=seed,
    )


def _check_options(law: type[Law], bootstrap: int, level: float, compute: float | None) -> None:
    if bootstrap < 0 or bootstrap == 1:
        raise InputError(
            f"bootstrap is {bootstrap}; give 0 for no intervals, or at least 2 draws (1000 is usual)"
        )
    if bootstrap > MOST_DRAWS:
        raise InputError(f"bootstrap is {bootstrap}; give at most {MOST_DRAWS} draws (1000 is usual)")
    if not 0 < level < 1:
        raise InputError(f"level is {level}; give a coverage between 0 and 1, for example .95")
    if compute is not None and not issubclass(law, LossInND):
        raise InputError(
            f"{law.name} has no best N and D for a compute; leave --compute out or fit a law in N and D"
        )
    if compute is not None and not 0 < compute < np.inf:
        raise InputError(f"compute is {compute}; give a positive number of FLOPs")


def _check_inference(compute: float | None, inference: float | None) -> None:
    if inference is None:
        return
    if compute is None:
        raise InputError(
            "inference tokens are served at the loss that a compute buys; give --compute with them"
        )
    if not 0 < inference < np.inf:
        raise InputError(f"inference is {inference}; give a positive number of tokens")


def _check_interval(interval: Method, objective: Objective, bootstrap: int) -> None:
    if interval not in get_args(Method):
        raise InputError(f"no interval is called {interval!r}; known: {', '.join(get_args(Method))}")
    if interval == "bca" and not bootstrap:
        raise InputError("a BCa interval is read off draws; give --bootstrap 1000")
    if interval == "profile" and not bootstrap and objective.loss not in ("mse", "binomial"):
        raise InputError(
            f"the threshold of a profile under {objective.loss} comes from bootstrap draws; give --bootstrap 1000, or "
            "--loss mse, whose threshold is known"
        )


def _check_law_options(
    law: type[Law], objective: Objective, fix: Mapping[str, float], weights: str | None
) -> None:
    if objective.loss == "binomial" and law.target != "score":
        raise InputError(f"the binomial loss is for laws of a score; {law.name} predicts {law.target}")
    if objective.loss == "binomial" and weights is None:
        raise InputError(
            "the binomial loss needs the number of trials of each row; name its column as weights"
        )
    known = {about.name: about for about in law.parameters()}
    for name, value in fix.items():
        if name not in known:
            raise InputError(f"{law.name} has no parameter {name!r} to fix; it has {', '.join(known)}")
        about = known[name]
        inside = about.low <= value <= about.high and np.isfinite(value)
        if not inside or (value == 0 and about.scale == "log" and name != law.floor):
            raise InputError(f"{name} is fixed at {value:g}; give a value in ({about.low:g}, {about.high:g})")
    if len(fix) == len(known):
        raise InputError(f"all parameters of {law.name} are fixed; leave one free")


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
            f"{rows.read} read{why}; give at least {P}, better {FEW_ROWS * P}"
        )
    for name, values in rows.inputs.items():
        if doubts.levels(values) < 2:
            others = [other for other in law.inputs if other != name]
            hint = f"; vary it, or fit --law power with --map x={others[0]}" if others else "; vary it"
            raise FitError(
                f"all {n} rows have {name} = {values[0]:g}: {law.name} cannot tell its term in {name} from the "
                f"floor{hint}"
            )
