"""What a reader of a fit must know of its answer: each doubt is one function; those of the table are in `table_doubts`."""

from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from scaling.errors import InputError
from scaling.fitting.design import Design
from scaling.fitting.draws import Drawn, labels_of
from scaling.fitting.objective import Objective
from scaling.fitting.parts import Estimate, Interval, Minimum, Sensitivity, Warned
from scaling.fitting.profile import CHEAP, floor_by_curvature, floor_profile
from scaling.fitting.rows import Rows
from scaling.fitting.table_doubts import levels
from scaling.laws import Law, LossInND
from scaling.laws.base import Array
from scaling.records.cells import shown
from scaling.reporting.numbers import plain

NOTES = frozenset({"derived_by_6ND", "extrapolation"})
"""Codes that leave the status ok."""
CLOSE = 1.05
"""Objectives within this factor of the lowest compete with it."""
FLAT = 1e-6
"""Relative rise of the objective below which points share one valley and are no rivals."""
FEW_CLUSTERS = 6
"""Clusters below which percentile intervals are unreliable. Simulated with 40 rows, clusters that differ by .4 % and
noise of .3 %, 80 tables: 95 % intervals held the truth in 61-69 % with 2 clusters, 86-89 % with 3, 95 % with 5. Where
each cluster is a size of its own they are too wide instead: draws that lack sizes cannot fix the law."""
FEW_SIZES = 10
"""The same where each cluster is a size of its own."""
CURVED = 4.0
"""Factor by which a floor's range may be wider than its curvature says."""
TOGETHER = 1e-3
"""Probability of residuals that differ as much between labels by chance, below which they share their luck."""
BARELY, BARELY_APART = 10.0, 3.0
"""Factors between the ends of an interval, and between near minima, from which a parameter is barely identified."""


def about_bounds(
    law: Law, at_bound: Sequence[str], bounds: Mapping[str, tuple[float, float]]
) -> Iterator[Warned]:
    """A floor at zero, or another parameter at an end of its range or of the `bounds` that were given."""
    for name in at_bound:
        if name == law.floor and getattr(law, name) not in bounds.get(name, ()):
            yield Warned("floor_at_zero", f"the best fit has {name} = 0: the rows show no floor")
        else:
            value = getattr(law, name)
            yield Warned(
                "bound_hit",
                f"{name} = {plain(value)} is at an end of its range; the rows do not fix it"
                if name not in bounds
                else f"{name} = {plain(value)} is at an end of the bounds given; the rows want it beyond",
            )


def about_identification(
    law: Law, parameters: Mapping[str, Estimate], minima: Sequence[Minimum], fixed: Mapping[str, float]
) -> Iterator[Warned]:
    """Exponents and shapes that the rows hardly fix: intervals over a decade, or near minima that lie far apart.

    Coefficients may span decades where exponents are well known, since they stand at an input of 1, and floors have
    doubts of their own.
    """
    apart = {law.floor, *fixed, *(term.coefficient for term in law.terms)}
    near = [m.law for m in minima if m.value <= CLOSE * minima[0].value]
    for about in law.parameters():
        if about.scale != "log" or about.name in apart:
            continue
        found = parameters[about.name]
        ends = [getattr(other, about.name) for other in near]
        if found.low is not None and found.high is not None and found.high > BARELY * found.low:
            interval = f"its interval runs from {plain(found.low, 3)} to {plain(found.high, 3)}"
        elif max(ends) > BARELY_APART * min(ends):
            span = f"{plain(min(ends), 3)} to {plain(max(ends), 3)}"
            interval = f"minima within {100 * (CLOSE - 1):g} % of the lowest have {span}"
        else:
            continue
        yield Warned("barely_identified", f"{about.name} is barely identified: {interval}")


def about_floor(
    design: Design,
    theta_P: Array,
    rows: Rows,
    objective: Objective,
    floor: Estimate | None,
    interval: Interval,
) -> Iterator[Warned]:
    """A floor whose interval reaches 0 or spans half the lowest loss, with what another floor would cost.

    The floor of a score law is a chance level, at which small models lie: scores fall on both sides of it, and it may
    well be 0. It is told as far as it is told from the rise above it, so that its interval is doubtful where it spans
    half of the range of the scores, wherever it lies.
    Without draws the likelihood-ratio range of normal residuals stands for the interval: floors that raise the rms
    residual by no more than exp(chi2_1 / 2 n) - 1, with the quantile of the level asked for. Where the curvature at
    the optimum `theta_P` makes that range a quarter of what would matter, nothing is refitted.
    """
    from scipy.special import chdtri

    law = design.law
    if law.floor is None or floor is None or law.floor in design.fixed:
        return
    lowest, highest = float(rows.loss.min()), float(rows.loss.max())
    scores = law.target == "score"
    unit = highest - lowest if scores else lowest
    if floor.value <= 1e-5 * unit and (floor.high is None or floor.high <= 1e-5 * unit):
        return  # no floor at all, which is said elsewhere

    def tells(low: float, high: float) -> bool:
        return (scores or low > 1e-3 * unit) and high - low < 0.5 * unit

    drawn = floor.low is not None and floor.high is not None
    rise = float(np.expm1(chdtri(1, 1 - interval.level) / (2 * len(rows.loss))))
    if drawn and tells(floor.low or 0.0, floor.high or 0.0):
        return
    if not drawn:
        low, high = floor_by_curvature(design, objective, theta_P, rise)
        if tells(floor.value - CURVED * (floor.value - low), floor.value + CURVED * (high - floor.value)):
            return
    profile = floor_profile(design, objective)
    if not drawn and tells(*profile.cheap_range(rise)):
        return
    low, high = profile.cheap_range()
    ends = f"{plain(floor.low or 0.0, 3)} to {plain(floor.high or 0.0, 3)}"
    runs = f"its {100 * interval.level:g} % interval runs from {ends}, and " if drawn else ""
    measured = (
        f"{law.target}s run from {plain(lowest, 3)} to {plain(highest, 3)}"
        if scores
        else (f"lowest {law.target} measured: {plain(lowest, 3)}")
    )
    yield Warned(
        "floor_not_identified",
        f"the rows do not identify the floor {law.floor}: {runs}{law.floor} from {plain(low, 3)} to "
        f"{plain(high, 3)} costs at most {100 * CHEAP:g} % in rms residual ({measured})",
    )


def about_shared_errors(rows: Rows, residuals: Array, drawn: Drawn | None) -> Iterator[Warned]:
    """Rows drawn one by one although those with the same label, in a column of text, err together.

    Kruskal and Wallis (1952): with R_j the mean rank of the n_j residuals of a label, H = 12 / (n (n + 1)) sum_j n_j
    (R_j - (n + 1) / 2)^2 is about chi-squared with as many degrees of freedom as labels but one.
    """
    import pandas as pd
    from scipy.special import chdtrc

    if drawn is None or drawn.units is not None or drawn.weights is None:
        return
    n, ranks = len(residuals), pd.Series(residuals).rank().to_numpy()
    for name in rows.frame.columns:
        cells = rows.frame[name]
        if cells.dtype.kind in "biufcM" or name in rows.inputs or name == "status" or cells.isna().any():
            continue
        try:
            labels = labels_of(rows, name)
        except InputError:  # cells that cannot label rows
            continue
        counts = np.bincount(labels)
        if not 1 < len(counts) <= n / 2:
            continue
        means = np.bincount(labels, weights=ranks) / counts
        H = 12.0 / (n * (n + 1)) * float(np.sum(counts * (means - 0.5 * (n + 1)) ** 2))
        p_value = float(chdtrc(len(counts) - 1, H))
        if p_value < TOGETHER:
            yield Warned(
                "rows_err_together",
                f"rows with the same {shown(name)} err together ({len(counts)} labels, Kruskal-Wallis p = "
                f"{p_value:.1g}), as checkpoints of one run do, and were drawn one by one: "
                f"intervals are too short; draw them together with --cluster {shown(name)}",
            )
            return


def about_interval(rows: Rows, interval: Interval) -> Iterator[Warned]:
    """Too few draws for the level, or too few clusters to draw from."""
    least = float(np.ceil(round(2 / (1 - interval.level), 6)))
    if 0 < interval.draws < least:
        yield Warned(
            "few_draws",
            f"{interval.draws} draws for {100 * interval.level:g} % intervals, whose ends then hang on the one or two "
            f"outermost draws; give at least {least:.0f} (1000 is usual)",
        )
    count = interval.clusters
    if count is None or interval.method is None or "clusters" not in interval.method:
        return
    sizes = min(levels(values) for values in rows.inputs.values())
    if sizes == count < FEW_SIZES:
        yield Warned(
            "few_clusters",
            f"the draws have {count} clusters to draw from, as many as sizes: a draw lacks sizes, and the intervals are "
            "too wide; train a second seed of each size",
        )
    elif count < FEW_CLUSTERS:
        yield Warned(
            "few_clusters",
            f"the draws have {count} clusters to draw from; below {FEW_CLUSTERS} the intervals are unreliable, mostly "
            "too short",
        )


def about_minima(minima: Sequence[Minimum], parameters: Mapping[str, Estimate]) -> Iterator[Warned]:
    """Other points whose objective is the lowest too, and other local minima that are nearly as low.

    A valley counts where it moves a parameter by 1 %, and by a quarter of its interval.
    """
    lowest = minima[0].value
    valley = [m for m in minima if m.value <= lowest * (1 + FLAT)]
    if len(valley) > 1:
        names = minima[0].law.parameter_names()
        ends = np.array([m.law.values() for m in valley])
        low, high = ends.min(axis=0), ends.max(axis=0)
        spans = [
            f"{name} from {plain(a, 3)} to {plain(b, 3)}"
            for name, a, b in zip(names, low, high, strict=True)
            if b - a > max(0.01 * abs(b), 0.25 * _width(parameters[name]))
        ]
        if spans:
            yield Warned(
                "flat_valley",
                f"the lowest objective is reached along a valley, {', '.join(spans)}: the rows do not tell these apart",
            )
    close = [m for m in minima if lowest * (1 + FLAT) < m.value <= CLOSE * lowest]
    if close:
        rise = 100 * (close[0].value / lowest - 1) if lowest > 0 else 0.0
        rival = ", ".join(
            f"{k} = {plain(v)}"
            for k, v in zip(close[0].law.parameter_names(), close[0].law.values(), strict=True)
        )
        yield Warned(
            "competing_minima",
            f"{len(close)} other local minima within {100 * (CLOSE - 1):g} % of the lowest; "
            f"the next lies {plain(rise, 2)} % higher at {rival}",
        )


def _width(found: Estimate) -> float:
    return 0.0 if found.low is None or found.high is None else found.high - found.low


def about_priors(
    parameters: Mapping[str, Estimate],
    changed: Sequence[Sensitivity],
    priors: Mapping[str, tuple[float, float]],
) -> Iterator[Warned]:
    """Parameters whose value without the priors lies outside the interval that they have with them.

    Without intervals, those whose value without the priors lies more than two standard deviations from their prior.
    """
    drawn = {name: e for name, e in parameters.items() if e.low is not None and e.high is not None}
    for without in (one.law for one in changed if not np.isfinite(one.width)):
        if drawn:
            moved = [name for name, e in drawn.items() if not e.low <= getattr(without, name) <= e.high]
        else:
            moved = [
                name for name, (mean, sd) in priors.items() if abs(getattr(without, name) - mean) > 2 * sd
            ]
        if moved:
            values = ", ".join(f"{name} = {plain(getattr(without, name), 3)}" for name in moved)
            yield Warned(
                "prior_decides",
                f"without the priors the rows say {values}, outside the {'intervals' if drawn else 'priors'}: the priors "
                "decide",
            )


def about_extrapolation(law: Law, rows: Rows, compute: float | None) -> Iterator[Warned]:
    """How far beyond the rows an answer at `compute` lies."""
    if compute is None or rows.C is None or not isinstance(law, LossInND):
        return
    known = rows.C[np.isfinite(rows.C) & (rows.C > 0)]
    decades = float(np.log10(compute / known.max())) if known.size else 0.0
    if decades > 0:
        yield Warned(
            "extrapolation",
            f"C = {plain(compute)} lies {plain(decades, 2)} decades beyond the largest run; "
            "the interval takes the law's form for granted",
        )


def about_convergence(converged: bool, lost: int, draws: int) -> Iterator[Warned]:
    """The answer, or more than one draw in a hundred, did not meet the conditions of a minimum."""
    if not converged:
        yield Warned(
            "not_converged", "the answer does not meet the conditions of a minimum to full precision"
        )
    if lost > 0.01 * draws:
        yield Warned(
            "draws_not_converged", f"{lost} of {draws} draws did not converge; they count as they ended"
        )
