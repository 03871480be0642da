"""Least absolute deviations and quantiles, exactly: the vertex that Huber's minimum for a tiny delta points at.

At the minimum some rows (at most P of them when no two rows say the same) have residual 0 and a multiplier
between -2 tau w and 2 (1 - tau) w, w in size for LAD; the others pull with their full weight. Newton on these
conditions ends at machine precision, and the multipliers certify the minimum.

Shapes: B problems, P parameters, n rows, k rows held at 0.
"""

import numpy as np

from scaling.fitting.newton import Solutions
from scaling.fitting.objective import Mask
from scaling.fitting.problems import Problems
from scaling.laws.base import Array

STEPS = 8
"""Newton steps on the conditions; they start within delta of the answer."""


def exact_lad(problems: Problems, theta_BP: Array, free_P: Mask, delta: float) -> Solutions:
    """The exact minimum of sum w |r| next to a minimum theta of Huber's loss with a tiny delta.

    `converged` holds where the conditions of a minimum are met: residuals held at 0 vanish, multipliers stay
    within the weights, every other residual keeps its sign, and parameters at an end of their range, where those stay
    that come there, are pulled outward. Elsewhere the lower of both points is returned.
    """
    if not len(theta_BP):
        return Solutions(theta_BP, np.empty(0), np.empty(0, dtype=np.bool_))
    residuals = _residuals(problems, theta_BP)
    held = (np.abs(residuals) <= delta) & (problems.weights > 0)
    side = problems.objective.side(residuals)
    pull = problems.weights * side * np.clip(residuals / delta, -1.0, 1.0)
    rows = np.argsort(~held, axis=1, kind="stable")[:, : max(1, int(held.sum(axis=1).max()))]
    theta = theta_BP.copy()
    low, high = problems.design.bounds
    may_move = free_P & np.isfinite(theta)
    multipliers = np.where(np.take_along_axis(held, rows, 1), np.take_along_axis(pull, rows, 1), 0.0)
    used = np.take_along_axis(held, rows, 1)
    for _ in range(STEPS):
        at_low, at_high = theta <= low, theta >= high
        moving = may_move & ~at_low & ~at_high
        step, multipliers, slope = _step(problems, theta, moving, pull, rows, used)
        stepped = np.minimum(np.maximum(theta + np.clip(step, -0.1, 0.1), low), high)
        theta = np.where(moving, stepped, theta)
        np.put_along_axis(pull, rows, np.where(used, multipliers, np.take_along_axis(pull, rows, 1)), 1)
        if np.max(np.abs(step), initial=0.0) < 1e-15:
            break
    inward = may_move & ((at_low & (slope < 0)) | (at_high & (slope > 0)))
    kept = np.all(~used | _within(problems, rows, multipliers), axis=1) & ~inward.any(axis=1)
    kept &= np.isfinite(slope).all(axis=1)
    certified = kept & _same_sides(problems, theta, held, residuals)
    value, before = problems.value(theta), problems.value(theta_BP)
    better = value <= before * (1 + 1e-12)
    return Solutions(
        np.where(better[:, None], theta, theta_BP), np.where(better, value, before), certified & better
    )


def _within(problems: Problems, rows: np.ndarray, multipliers: Array) -> Mask:
    """Which multipliers (B, k) the weights of their rows allow."""
    weights, tau = np.take_along_axis(problems.weights, rows, 1) * (1 + 1e-9), problems.objective.tau
    allowed: Mask = (multipliers <= 2 * (1 - tau) * weights) & (multipliers >= -2 * tau * weights)
    return allowed


def _same_sides(problems: Problems, theta: Array, held: Mask, before: Array) -> Mask:
    """Whether the rows held at 0 are there and all others on the side where they were before, (B,)."""
    residuals = _residuals(problems, theta)
    raw = problems.objective.residual == "raw"
    unit = np.exp(problems.log_y.max(axis=1, keepdims=True)) if raw else 1.0
    kept = (np.sign(residuals) == np.sign(before)) | (problems.weights == 0)
    sides: Mask = np.all(np.where(held, np.abs(residuals) < 1e-11 * unit, kept), axis=1)
    return sides


def _residuals(problems: Problems, theta: Array) -> Array:
    state = problems.design.law.evaluate(theta, problems.design.x)
    return problems.objective.residuals(state[0], problems.log_y)


def _step(
    problems: Problems, theta: Array, moving: Mask, pull: Array, rows: np.ndarray, used: Mask
) -> tuple[Array, Array, Array]:
    """Newton step by theta (B, P), multipliers (B, k), and slopes by theta before it (B, P); `moving` is (B, P)."""
    design = problems.design
    B, P = theta.shape
    state = design.law.evaluate(theta, design.x)
    jacobian = design.jacobian(theta, state)
    residuals = problems.objective.residuals(state[0], problems.log_y)
    by_log = np.ones_like(residuals) if problems.objective.residual == "log" else np.exp(state[0])
    first = pull * by_log
    # Second derivative of sum pull r: for the raw residual L itself bends with log L.
    second = np.zeros_like(first) if problems.objective.residual == "log" else first
    gradient, hessian = design.curvature(theta, state, first, second, np.ones(B, dtype=np.bool_))
    held = np.take_along_axis(jacobian * by_log[:, :, None], rows[:, :, None], 1)
    held = held * used[:, :, None] * moving[:, None, :]
    k = rows.shape[1]
    system = np.zeros((B, P + k, P + k))
    system[:, :P, :P] = np.moveaxis(hessian, 2, 0) * (moving[:, :, None] & moving[:, None, :])
    system[:, np.arange(P), np.arange(P)] += ~moving
    system[:, P:, :P], system[:, :P, P:] = held, np.swapaxes(held, 1, 2)
    system[:, np.arange(P, P + k), np.arange(P, P + k)] += ~used
    at_rows = np.take_along_axis(residuals, rows, 1) * used
    right = -np.concatenate([gradient.T * moving, at_rows], axis=1)
    # Where a score has left the range of floats, at 0, a law has no slope by its logarithm, and no step is taken.
    lost = ~(np.isfinite(system).all(axis=(1, 2)) & np.isfinite(right).all(axis=1))
    system[lost], right[lost] = np.eye(P + k), 0.0
    # The pseudo-inverse, because two equal rows held at 0 share one multiplier in any split.
    answer = np.einsum("bij,bj->bi", np.linalg.pinv(system, rcond=1e-13, hermitian=True), right)
    return answer[:, :P], np.take_along_axis(pull, rows, 1) + answer[:, P:], gradient.T
