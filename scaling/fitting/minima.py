"""The local minima of one fit, cleaned: distinct, true minima, lowest first."""

import numpy as np

from scaling.fitting.design import Design
from scaling.fitting.engine import floor_slope, of_held_shapes, of_own_starts, search
from scaling.fitting.objective import Objective
from scaling.fitting.problems import Problems
from scaling.fitting.rough import is_rough, kicked, moved
from scaling.laws import SeparableLaw
from scaling.laws.base import Array
from scaling.laws.general import GeneralLaw

LISTED = 1.5
"""Local minima up to this factor above the lowest are kept."""
ROUNDING = 1e-12
"""Distance in theta from an end of its range at which a parameter counts as there."""
STARTS, STARTS_NOT_SEPARABLE = 12, 24
"""Most grid-local minima that all rows together are polished from."""


def local_minima(design: Design, objective: Objective) -> tuple[Array, Array, bool]:
    """Theta (K, P) and objective (K,) of the minima, lowest first, and whether the lowest converged."""
    separable = issubclass(design.law, SeparableLaw)
    one = Problems.of(design, objective, np.ones((1, design.rows)))
    candidates = search(one, most=STARTS if separable else STARTS_NOT_SEPARABLE)
    if not (objective.kinked or separable):
        law = design.law
        candidates += of_own_starts(one, law) if issubclass(law, GeneralLaw) else of_held_shapes(one)
    best = candidates.best(1)[1].theta[0]
    if is_rough(one, best):
        candidates += kicked(one, best)
    if not objective.kinked and any(about.location for about in design.law.parameters()):
        candidates = moved(one, candidates)
    found = candidates.solutions
    lowest = int(candidates.best(1)[0][0])
    order = [lowest, *(k for k in np.argsort(found.value, kind="stable").tolist() if k != lowest)]
    kept = [lowest]
    shown = design.law.canonical(_without_traces(design, found.theta))
    for k in order[1:]:
        if found.value[k] > LISTED * found.value[kept[0]] or not found.converged[k]:
            continue
        if _is_minimum(one, found.theta[k]) and not any(_same(shown[k], shown[m]) for m in kept):
            kept.append(int(k))
    return found.theta[kept], found.value[kept], bool(found.converged[kept[0]])


def at_bounds(design: Design, theta_P: Array) -> list[str]:
    """Names of the parameters at an end of their range, a floor of 0 among them."""
    low, high = design.bounds
    ended = design.free & ((theta_P <= low + ROUNDING) | (theta_P >= high - ROUNDING))
    return [name for name, at_end in zip(design.law.parameter_names(), ended, strict=True) if at_end]


def gradient_norm(design: Design, objective: Objective, theta_P: Array) -> float | None:
    """Norm of the gradient by the log parameters that may move; None for LAD and quantiles, which have kinks there."""
    if objective.kinked:
        return None
    one = Problems.of(design, objective, np.ones((1, design.rows)))
    return float(one.gradient_norm(theta_P[None, :], design.free & np.isfinite(theta_P))[0])


def _is_minimum(one: Problems, theta_P: Array) -> bool:
    """E = 0 is a minimum only where the objective does not fall with E."""
    if np.all(np.isfinite(theta_P)) or one.objective.kinked:
        return True
    return bool(floor_slope(one, theta_P[None, :])[0] >= 0)


def _without_traces(design: Design, theta: Array) -> Array:
    """Thetas with floors that no data see, below 1e-5 of the smallest loss, set to 0."""
    if design.law.floor is None:
        return theta
    k = design.law.position(design.law.floor)
    shown = theta.copy()
    shown[theta[:, k] < design.lowest - 11.5, k] = -np.inf
    return shown


def _same(a: Array, b: Array) -> bool:
    finite = np.isfinite(a)
    return bool(
        np.array_equal(finite, np.isfinite(b)) and np.allclose(a[finite], b[finite], atol=1e-3, rtol=0)
    )
