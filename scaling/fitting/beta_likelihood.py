"""Maximum likelihood of the beta-binomial distribution, for many weightings of the same counts at once.

Shapes: B weightings, G distinct pairs of counts.
"""

from typing import Any

import numpy as np
import numpy.typing as npt

from scaling.laws.base import Array

STEPS, TOLERANCE = 100, 1e-12
"""Most Newton steps, and the relative gain below which the last is taken."""
WIDEST = 18.0
"""Largest size of log a and log b: beyond, problems do not differ, or all are solved or none."""
SPREADS = (0.3, 1.0, 3.0, 10.0, 100.0)
"""Trial values of a + b."""


def maximum(unique: npt.NDArray[np.int64], weights: Array, start: Array | None = None) -> tuple[Array, Array]:
    """A and b (B, 2) of the highest likelihood of weighted pairs of counts, and its negative logarithm (B,)."""
    theta = _start(unique, weights)
    if start is not None:
        warm = np.broadcast_to(start, theta.shape)
        better = negative(unique, weights, warm) < negative(unique, weights, theta)
        theta = np.where(better[:, None], warm, theta)
    value, damping = negative(unique, weights, theta), np.full(len(theta), 1e-3)
    open_ = np.ones(len(theta), dtype=np.bool_)
    for _ in range(STEPS):
        at = np.flatnonzero(open_)
        gradient, hessian = _derivatives(unique, weights[at], theta[at])
        diagonal = np.abs(np.einsum("bii->bi", hessian)) + 1e-12
        damped = hessian + damping[at, None, None] * np.einsum("bi,ij->bij", diagonal, np.eye(2))
        low = np.linalg.eigvalsh(damped)[:, 0]
        # where the likelihood bends the wrong way the step goes down the slope
        lift = np.maximum(0.0, 1e-6 * diagonal.max(axis=1) - low)
        step = -np.linalg.solve(damped + lift[:, None, None] * np.eye(2), gradient[:, :, None])[:, :, 0]
        step *= np.minimum(1.0, 2.0 / np.maximum(np.abs(step).max(axis=1), 1e-300))[:, None]
        trial = np.clip(theta[at] + step, -WIDEST, WIDEST)
        tried = negative(unique, weights[at], trial)
        fell = tried <= value[at]
        gain = value[at] - tried
        theta[at[fell]], value[at[fell]] = trial[fell], tried[fell]
        damping[at] = np.where(fell, damping[at] * 0.2, np.maximum(damping[at], 1e-8) * 10.0)
        open_[at] = ~((fell & (gain <= TOLERANCE * np.abs(tried))) | (damping[at] > 1e10))
        if not open_.any():
            break
    return np.exp(theta), value


def _start(unique: npt.NDArray[np.int64], weights: Array) -> Array:
    """Log a and log b (B, 2): the mean success rate, at the likeliest of some spreads."""
    n, c = unique.T
    rate = (weights @ (c / n) + 0.5) / (weights.sum(axis=1) + 1.0)
    trials = np.log(np.stack([np.outer(rate, SPREADS), np.outer(1 - rate, SPREADS)], axis=2))
    values = np.stack([negative(unique, weights, trials[:, k]) for k in range(len(SPREADS))], axis=1)
    best: Array = trials[np.arange(len(rate)), np.argmin(values, axis=1)]
    return best


def negative(unique: npt.NDArray[np.int64], weights: Array, theta: Array) -> Array:
    """Minus the log-likelihood at log a, log b (B, 2), (B,)."""
    from scipy.special import betaln

    n, c = unique.T
    a, b = np.exp(theta).T[:, :, None]
    total: Array = -np.einsum("bg,bg->b", weights, betaln(a + c, b + n - c) - betaln(a, b))
    return total


def _derivatives(unique: npt.NDArray[np.int64], weights: Array, theta: Array) -> tuple[Array, Array]:
    """Gradient (B, 2) and Hessian (B, 2, 2) of minus the log-likelihood by log a, log b."""
    from scipy.special import polygamma, psi

    n, c = unique.T
    a, b = np.exp(theta).T[:, :, None]

    def sums(function: Any) -> tuple[Array, Array, Array]:
        together = function(a + b + n) - function(a + b)
        parts = (function(a + c) - function(a), function(b + n - c) - function(b), together)
        return tuple(np.einsum("bg,bg->b", weights, part) for part in parts)

    by_a, by_b, by_both = sums(psi)
    bend_a, bend_b, bend_both = sums(lambda x: polygamma(1, x))
    a, b = a[:, 0], b[:, 0]
    gradient = -np.stack([a * (by_a - by_both), b * (by_b - by_both)], axis=1)
    hessian = np.empty((len(a), 2, 2))
    hessian[:, 0, 0] = -a * a * (bend_a - bend_both) + gradient[:, 0]
    hessian[:, 1, 1] = -b * b * (bend_b - bend_both) + gradient[:, 1]
    hessian[:, 0, 1] = hessian[:, 1, 0] = a * b * bend_both
    return gradient, hessian
