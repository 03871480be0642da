"""IsoFLOP curves fitted: a parabola or cubic at each budget, its optimum, and the power law through the optima.

Shapes: B draws, n rows, K budgets.
"""

from dataclasses import replace
from typing import TYPE_CHECKING, Literal

import numpy as np

from scaling import resampling
from scaling.errors import FitError, InputError
from scaling.fitting import checks
from scaling.fitting.derived import estimates
from scaling.fitting.draws import THESE_RUNS
from scaling.fitting.isoflop_result import BudgetFit, IsoflopFit, Status
from scaling.fitting.isoflop_rows import Budgets, budgets_of, noise, shared_trunks, size_labels
from scaling.fitting.parts import Estimate, Interval, Warned
from scaling.fitting.rows import Excluded
from scaling.laws import IsoflopCurve, OptimalSize
from scaling.laws.base import Array
from scaling.laws.isoflop import minima
from scaling.resampling import percentile

if TYPE_CHECKING:
    import pandas as pd


def fit_isoflop(
    frame: "pd.DataFrame",
    *,
    degree: Literal[2, 3] = 2,
    bootstrap: int = 1000,
    level: float = 0.95,
    seed: int = 0,
    compute: float | None = None,
    excluded: Excluded = (),
) -> IsoflopFit:
    """Fit log loss = parabola in log N at each budget by least squares, and N_opt = k C^a through the optima.

    With `degree` 3 the curves are cubics, which follow the skew of exact curves and ask for a size more.

    Budgets are the values of a column `budget` if there is one, else groups of C (or 6 N D) that lie within
    .1 decades of a neighbour.

    The draws keep the design and move the losses, because draws of pairs cannot fix a parabola at five sizes.
    Where rows name trunks and some size has two, seeds are redrawn (`resampling.trunks_within_size`), so that
    branches of one trunk move together through all budgets; elsewhere noise is normal about the curves with the
    larger of two spreads, that of the residuals and that of replicates. The power law is an ordinary least
    squares line of log N_opt on log C.

    Raises InputError for what is no table, missing columns or text, and a level, compute or count that means nothing;
    FitError when no budget has three sizes (a cubic asks for four) or
    nothing tells the noise.
    """
    checks.table(frame, "N, C (or D) and loss", "fit_isoflop(frame)")
    if degree not in (2, 3):
        raise InputError(f"degree is {degree}; give 2 for parabolas or 3 for cubics")
    checks.draws(bootstrap, least=2)  # the status of a budget needs draws
    checks.level(level)
    checks.seed(seed)
    if compute is not None:
        compute = checks.number("compute", compute, " of FLOPs")
    budgets = budgets_of(frame, excluded, degree)
    if not any(block.usable for block in budgets.blocks):
        shape, least = ("parabola", "three") if degree == 2 else ("cubic", "four")
        raise FitError(f"no budget has rows at {least} model sizes; a {shape} needs {least}, better five")
    drawn, spread, freedom = _draws(budgets, bootstrap, seed)
    fits, best, drawn_best = [], [], []
    for block in budgets.blocks:
        found, optima = _fit_budget(budgets, block.rows, block.C, drawn, level)
        fits.append(found)
        if found.N_optimal is not None and found.D_optimal is not None:
            best.append(np.log([found.N_optimal.value, found.D_optimal.value]))
            drawn_best.append(optima)
    C = np.array([found.C for found in fits if found.status == "interior"])
    law, parameters, derived = _through(C, best, drawn_best, compute, level)
    warnings = _warnings(fits, budgets)
    return IsoflopFit(
        budgets=tuple(fits),
        law=law,
        parameters=parameters,
        derived=derived,
        status="doubtful" if warnings else "ok",
        warnings=warnings,
        noise=spread,
        noise_freedom=freedom,
        frame=_with_predictions(budgets, fits),
        read=budgets.rows.read,
        excluded=budgets.rows.excluded,
        intervals=Interval(f"percentile, {drawn.method}", level, bootstrap, drawn.clusters),
        seed=seed,
    )


def polynomials(t: Array, values_Bn: Array, degree: int) -> Array:
    """Coefficients (B, degree + 1), the constant first, of least-squares polynomials in t (n,) through values (B, n)."""
    coefficients: Array = values_Bn @ np.linalg.pinv(np.vander(t, degree + 1, increasing=True)).T
    return coefficients


def _at(coefficients: Array, t: Array) -> Array:
    """The polynomials (B, degree + 1) at t (B,), (B,)."""
    total = np.zeros_like(t)
    for column in coefficients.T[::-1]:
        total = total * t + column
    return total


def _draws(budgets: Budgets, draws: int, seed: int) -> tuple[resampling.Resamples, float, int]:
    """Redrawn log losses, and the spread of a row about its curve with its degrees of freedom."""
    rng = np.random.default_rng(seed)
    spread, freedom = noise(budgets)
    trunk = shared_trunks(budgets)
    if trunk is not None:
        N, C = budgets.rows.inputs["N"], budgets.budget
        return (
            resampling.trunks_within_size(np.log(budgets.rows.loss), trunk, N, C, draws, rng),
            spread,
            freedom,
        )
    if freedom < 1:
        raise FitError(
            "nothing tells the noise: every budget has as many sizes as its curve has coefficients, and no size is "
            "repeated; add a size or a second seed at one budget"
        )
    drawn = resampling.parametric(budgets.curve, spread, freedom, draws, rng)
    if budgets.one_trunk_a_size:
        drawn = replace(drawn, method=f"{drawn.method}, {THESE_RUNS}")
    return drawn, spread, freedom


def _fit_budget(
    budgets: Budgets, rows: np.ndarray, C: float, drawn: resampling.Resamples, level: float
) -> tuple[BudgetFit, Array]:
    """One budget's curve with its optimum, and log (N_opt, D_opt) of each draw, (B, 2), NaN where it has none.

    D_opt is read off the budget's own rows, log D a parabola in log N, which is C / (6 N) where C = 6 N D and
    follows the ledger where C counts attention.
    """
    N = budgets.rows.inputs["N"][rows]
    log_loss = np.log(budgets.rows.loss[rows])
    sizes, degree = len(np.unique(size_labels(N))), budgets.degree
    none = np.empty(0)
    if sizes <= degree or drawn.values is None:
        return BudgetFit(C, len(rows), sizes, "too few sizes", None, None, None, None, None), none
    centre = float(np.exp(np.mean(np.log(N))))
    t = np.log(N / centre)
    own = polynomials(t, log_loss[None, :], degree)
    height, slope, curvature, skew = np.append(own[0], 0.0)[:4].tolist()
    curve = IsoflopCurve(C, centre, height, slope, curvature, float(N.min()), float(N.max()), skew)
    coefficients = polynomials(t, drawn.values[:, rows], degree)
    vertex = minima(coefficients[:, 1:])
    status: Status = curve.status
    if status == "interior" and np.mean(np.isnan(vertex)) > 0.5 * (1 - level):
        status = "flat"
    N_optimal, loss_optimal = curve.N_optimal, curve.loss_optimal
    if status != "interior" or N_optimal is None or loss_optimal is None:
        return BudgetFit(C, len(rows), sizes, status, curve, None, None, None, None), none
    at = np.append(np.log(N_optimal / centre), vertex)
    log_N = np.log(centre) + at
    log_D = _at(polynomials(t, np.log(budgets.rows.inputs["D"][rows])[None, :], 2), at)
    lowest = np.append(np.log(loss_optimal), _at(coefficients, vertex))
    table = np.stack([log_N, log_D, log_D - log_N, lowest], axis=1)
    found = _exponentials(table[0], table[1:], level)
    return BudgetFit(C, len(rows), sizes, status, curve, *found), table[1:, :2]


def _exponentials(values: Array, draws: Array, level: float) -> list[Estimate]:
    """Estimates of exp(values) (k,) from draws (B, k) of the logarithms; se is that of the logarithm times exp."""
    low, high = percentile(draws, level)
    se = np.nanstd(draws, axis=0, ddof=1) * np.exp(values)
    table = np.stack([np.exp(values), np.exp(low), np.exp(high), se], axis=1)
    return [Estimate(*map(float, row)) for row in table]


def _through(
    C: Array, best: list[Array], drawn_best: list[Array], compute: float | None, level: float
) -> tuple[OptimalSize | None, dict[str, Estimate], dict[str, Estimate]]:
    """The power laws through log (N_opt, D_opt) of K budgets, each (2,) and (B, 2), by least squares of the logs."""
    if len(C) < 2:
        return None, {}, {}
    solve = np.linalg.pinv(np.stack([np.ones_like(C), np.log(C)], axis=1)).T
    value_ND = np.stack(best, axis=1) @ solve
    drawn_BND = np.stack(drawn_best, axis=2) @ solve
    law = OptimalSize(k=float(np.exp(value_ND[0, 0])), a=float(value_ND[0, 1]))
    derived = estimates(("N_exponent", "D_exponent"), value_ND[:, 1], drawn_BND[:, :, 1], level)
    k = _exponentials(value_ND[:1, 0], drawn_BND[:, :1, 0], level)[0]
    parameters = {"k": k, "a": derived["N_exponent"]}
    if compute is not None:
        powers = np.array([1.0, np.log(compute)])
        to_columns = np.array([[1.0, 0.0], [0.0, 1.0], [-1.0, 1.0]]).T
        values, columns = (value_ND @ powers) @ to_columns, (drawn_BND @ powers) @ to_columns
        names = ("N_optimal", "D_optimal", "tokens_per_param")
        derived |= dict(zip(names, _exponentials(values, columns, level), strict=True))
    return law, parameters, derived


def _warnings(fits: list[BudgetFit], budgets: Budgets) -> tuple[Warned, ...]:
    warned = [
        Warned("budget_refused", f"C = {found.C:.3g}: {WHY[found.status]}")
        for found in fits
        if found.status != "interior"
    ]
    interior = sum(found.status == "interior" for found in fits)
    if interior < 3:
        warned.append(
            Warned("too_few_optima", f"{interior} interior optima; a power law with error needs three")
        )
    if budgets.one_trunk_a_size:
        warned.append(
            Warned(
                "one_trunk_a_size", "each size was trained from one seed: intervals speak of these runs only"
            )
        )
    return tuple(warned)


WHY = {
    "edge": "the lowest loss lies at or beyond an end of the sizes measured; train further sizes there",
    "flat": "the losses do not fix a minimum; train a wider range of sizes or more seeds",
    "too few sizes": "fewer sizes than the curve has coefficients",
}
"""Why a budget has no optimum."""


def _with_predictions(budgets: Budgets, fits: list[BudgetFit]) -> "pd.DataFrame":
    predicted = np.full(len(budgets.budget), np.nan)
    for block, found in zip(budgets.blocks, fits, strict=True):
        if found.curve is not None:
            predicted[block.rows] = found.curve.predict(N=budgets.rows.inputs["N"][block.rows])
    return budgets.rows.frame.assign(budget=budgets.budget, predicted=predicted)
