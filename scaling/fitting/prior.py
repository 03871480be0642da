"""How much a prior weighs against the rows, and how much of the answer it is.

Shapes: n rows, P parameters, U units that rows come in.
"""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from scaling.errors import FitError
from scaling.fitting.design import Design
from scaling.fitting.minima import local_minima
from scaling.fitting.objective import Objective
from scaling.fitting.parts import Sensitivity
from scaling.fitting.problems import Problems

WIDTHS = (0.25, 0.5, 2.0, 4.0, float("inf"))
"""Factors on the standard deviations of priors that the answer is told for."""


def weighed(design: Design, objective: Objective, units: npt.NDArray[np.intp] | None) -> Design:
    """The design with its priors weighed against its rows; `units` (n,) names rows that share their luck."""
    if not design.known.priors:
        return design
    return replace(design, known=replace(design.known, nat=nat_of(design, objective, units)))


def nat_of(design: Design, objective: Objective, units: npt.NDArray[np.intp] | None) -> float:
    """What a nat of likelihood is worth in units of the objective, at the minimum without priors.

    An M-estimate has the covariance H^-1 J H^-1 (Huber 1967), with H the expected Hessian and J the sum of squared
    scores; were the objective c times a negative log-likelihood, J were c H. So c = trace(H^-1 J) / p, times
    n / (n - p): 2 sigma^2 for least squares, 1 for a binomial deviance. Scores of one unit are added first.
    """
    if objective.loss == "binomial":
        return 1.0
    bare = replace(design, known=replace(design.known, priors={}))
    theta = local_minima(bare, objective)[0][:1]
    one = Problems.of(bare, objective, np.ones((1, design.rows)))
    state = design.law.evaluate(theta, design.x)
    first, second = objective.derivatives(state[0], one.log_y, one.weights, np.ones(1, dtype=np.bool_))
    moving = design.free & np.isfinite(theta[0])
    if design.rows <= moving.sum():
        raise FitError(
            f"a prior is weighed against the scatter of the rows, and {design.rows} rows leave none about "
            f"{moving.sum()} parameters; give more rows, or fix the parameter"
        )
    slopes = bare.jacobian(theta, state)[0][:, moving]
    n, p = slopes.shape
    scores = slopes * first[0][:, None]
    if units is not None:
        scores = np.stack([np.bincount(units, scores[:, k]) for k in range(p)], axis=1)
    used = one.weights[0] > 0
    curved = max(float(second[0].sum() / one.weights[0].sum()), 1.0 / max(int(used.sum()), 1))
    hessian = curved * (slopes * one.weights[0][:, None]).T @ slopes
    ratio = np.trace(np.linalg.pinv(hessian) @ (scores.T @ scores)) / p
    nat: float = float(ratio) * n / max(n - p, 1)
    return nat


def sensitivity(
    design: Design, objective: Objective, widths: Sequence[float] = WIDTHS
) -> tuple[Sensitivity, ...]:
    """The lowest minimum with all priors narrower, wider and gone."""
    if not design.known.priors:
        return ()
    found = []
    for width in widths:
        priors = {name: (mean, width * sd) for name, (mean, sd) in design.known.priors.items()}
        known = replace(design.known, priors=priors if np.isfinite(width) else {})
        theta = local_minima(replace(design, known=known), objective)[0][:1]
        found.append(Sensitivity(width, design.law.from_values(design.values(theta)[0])))
    return tuple(found)
