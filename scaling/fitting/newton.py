"""Damped Newton on many problems side by side: the polish of every fit.

Shapes: B problems, P parameters, n rows; a Hessian is (P, P, B), a gradient (P, B).
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from scaling.fitting.design import Design
from scaling.fitting.objective import Mask, all_of, any_of
from scaling.fitting.problems import Problems, moving_parameters
from scaling.fitting.systems import solve_positive
from scaling.laws.base import Array

ITERATIONS, ITERATIONS_FEW_ROWS = 600, 100
"""Most steps of one problem; a well posed one takes about ten, one in a curved valley hundreds. The second number is
for designs with too few rows to say anything, whose valleys have no end."""
SHORTER = np.array([0.3, 0.1, 0.03])
"""Shares of a step that are tried where the whole step fails."""
SWITCH = 2e-2
"""Relative decrease below which the reweighted least squares hand over to true Newton."""
SLOW, RELAXED = 0.3, 1.8
"""Relative decrease below which reweighted least squares of Huber's loss, whose parabolas touch it from above, go this
many times as far in the next step: any factor below 2 still descends (de Leeuw and Heiser 1980)."""
TOLERANCE = 1e-12
"""Predicted relative decrease below which the last step is taken."""
ROUNDING = 1e-28
"""Objective per row, over its squared loss if residuals are raw, that counts as zero: squared rounding, with room."""


@dataclass(frozen=True)
class Solutions:
    """Where the polish of B problems ended."""

    theta: Array
    """(B, P)."""
    value: Array
    """Objective, (B,)."""
    converged: Mask
    """Whether the predicted decrease fell below the tolerance, (B,)."""

    def take(self, chosen: npt.NDArray[np.intp]) -> "Solutions":
        """The solutions at these positions."""
        return Solutions(self.theta[chosen], self.value[chosen], self.converged[chosen])


def join(parts: list[Solutions]) -> Solutions:
    """Solutions one after the other."""
    return Solutions(
        np.concatenate([part.theta for part in parts]),
        np.concatenate([part.value for part in parts]),
        np.concatenate([part.converged for part in parts]),
    )


@np.errstate(all="ignore")  # a trial beyond a formula's range has no value, and no step accepts it
def minimise(
    problems: Problems,
    theta_BP: Array,
    free_P: Mask,
    *,
    iterations: int | None = None,
    enough: Array | None = None,
) -> Solutions:
    """Local minimum of each problem from its start theta, moving the free parameters only.

    For the smooth objectives (`huber`, `mse`): reweighted least squares until the relative decrease is below
    SWITCH, then true Newton; both damped per problem, and a step counts only if the objective falls. Where a
    whole step fails, shorter ones along it are tried before the damping grows: with residuals far above delta the
    objective has a kink wherever a row changes its side, and a step is soon too long.

    With `enough` (B,) a problem is given up, as not converged, once as many steps as `iterations`, each as good as the
    next one promises to be, would leave it above that value.
    """
    if not len(theta_BP):
        return Solutions(theta_BP, np.empty(0), np.empty(0, dtype=np.bool_))
    design = problems.design
    if iterations is None:
        iterations = ITERATIONS_FEW_ROWS if design.has_few_rows else ITERATIONS
    low, high = design.bounds
    low, high = np.where(free_P, low, -np.inf), np.where(free_P, high, np.inf)
    theta = np.minimum(np.maximum(theta_BP, low), high)
    B, huber = len(theta), problems.objective.loss == "huber"
    end = Solutions(theta.copy(), np.full(B, np.inf), np.zeros(B, dtype=np.bool_))
    index, damping, newton = np.arange(B), np.full(B, 1e-3), np.zeros(B, dtype=np.bool_)
    value, gradient, hessian = problems.assess_some(index, theta, newton)
    slow = np.full(B, huber)
    zero = ROUNDING * problems.squares()
    scale = np.einsum("iib->ib", hessian)
    for _ in range(iterations):
        moving = moving_parameters(design, theta, gradient, free_P)
        step, promise, damping = _step(gradient, hessian, scale, damping, moving)
        lost = damping > 1e12
        if enough is not None:
            lost |= value - iterations * promise > enough[index]
            if all_of(lost):
                break
        small = (promise <= TOLERANCE * value + zero) & (damping < 0.1)
        done = (newton & small) | lost
        newton = newton | small
        settled = all_of(newton)
        if not settled:
            step *= np.where(slow & ~newton, RELAXED, 1.0)[:, None]
        _snap_floor(design, theta, step)
        trial = np.minimum(np.maximum(theta + step, low), high)
        if any_of(done):
            _finish(problems, end, index[done], theta[done], value[done], trial[done], ~lost[done])
            left = ~done
            if not any_of(left):
                return end
            theta, value, gradient, hessian = theta[left], value[left], gradient[:, left], hessian[..., left]
            index, damping, newton, zero = index[left], damping[left], newton[left], zero[left]
            scale, trial, slow = scale[:, left], trial[left], slow[left]
        trial_value, trial_gradient, trial_hessian = problems.assess_some(index, trial, newton)
        whole = better = trial_value <= value * (1 + 4e-16)
        if all_of(whole):
            damping = damping * 0.2
        else:
            failed = np.flatnonzero(~whole)
            trial[failed] = _shortened(
                problems.take(index[failed]), theta[failed], trial[failed], value[failed]
            )
            moved = failed[(trial[failed] != theta[failed]).any(axis=1)]
            if moved.size:
                again = problems.assess_some(index[moved], trial[moved], newton[moved])
                trial_value[moved], trial_gradient[:, moved], trial_hessian[..., moved] = again
            better = whole.copy()
            better[moved] = True
            damping = np.where(whole, damping * 0.2, np.maximum(damping, 1e-8) * np.where(better, 3.0, 10.0))
            trial = np.where(better[:, None], trial, theta)
            trial_value = np.where(better, trial_value, value)
            trial_gradient = np.where(better, trial_gradient, gradient)
            trial_hessian = np.where(better, trial_hessian, hessian)
        if not settled:
            decrease = value - trial_value
            settling = better & (decrease < SWITCH * value)
            slow = better & huber & (decrease < SLOW * value)
            scale = np.where(newton, scale, np.einsum("iib->ib", trial_hessian))
            newton = newton | settling
        theta, value, gradient, hessian = trial, trial_value, trial_gradient, trial_hessian
    end.theta[index], end.value[index] = theta, value
    return end


def _finish(
    problems: Problems,
    end: Solutions,
    at: npt.NDArray[np.intp],
    theta: Array,
    value: Array,
    last: Array,
    converged: Mask,
) -> None:
    """Write the ends of the problems `at`: the point after their last step, or theta where that is no lower."""
    own = problems if len(at) == len(problems.weights) else problems.take(at)
    last_value = own.value(last)
    better = last_value <= value * (1 + 4e-16)
    end.theta[at] = np.where(better[:, None], last, theta)
    end.value[at] = np.where(better, last_value, value)
    end.converged[at] = converged


def _shortened(problems: Problems, theta: Array, trial: Array, value: Array) -> Array:
    """The lowest point (B, P) on the way from theta to a trial that failed, or theta where none is lower."""
    B, P = theta.shape
    if not B:
        return theta
    way = np.subtract(
        trial, theta, out=np.zeros_like(theta), where=trial != theta
    )  # a floor of 0 stays at -inf
    tries = theta[:, None, :] + SHORTER[None, :, None] * way[:, None, :]
    values = problems.take(np.repeat(np.arange(B), tries.shape[1])).value(tries.reshape(-1, P)).reshape(B, -1)
    lowest = np.argmin(values, axis=1)
    lower = values[np.arange(B), lowest] < value
    return np.where(lower[:, None], tries[np.arange(B), lowest], theta)


def _snap_floor(design: Design, theta: Array, step: Array) -> None:
    """Send a floor that is small and wants to shrink by more than half to its bound in one step.

    In log E the way to zero has no end and Newton walks it one unit at a time.
    """
    if design.law.floor is None:
        return
    k = design.law.position(design.law.floor)
    low = design.bounds[0][k]
    shrinking = theta[:, k] < design.lowest - 3.0
    if any_of(shrinking):
        shrinking &= (step[:, k] < -0.7) & (theta[:, k] > low)
        step[shrinking, k] = low - theta[shrinking, k]


def _step(
    gradient: Array, hessian: Array, scale: Array, damping: Array, moving: Mask
) -> tuple[Array, Array, Array]:
    """Damped Newton steps (B, P), the decrease the quadratic model promises (B,), and the damping used (B,).

    Where the Hessian plus damping x scale is not positive definite the damping grows until it is.
    """
    P = len(gradient)
    scale = np.maximum(scale, 1e-300)
    diagonal = np.arange(P)
    if not all_of(moving):
        gradient = np.where(moving, gradient, 0.0)
        hessian = np.where(moving[:, None] & moving[None, :], hessian, 0.0)
        hessian[diagonal, diagonal] += ~moving
        scale = np.where(moving, scale, 0.0)
    for _ in range(40):
        damped = hessian.copy()
        damped[diagonal, diagonal] += damping * scale
        step, positive = solve_positive(damped, gradient)
        if all_of(positive):
            step = -step
            break
        damping = np.where(positive, damping, np.maximum(damping, 1e-4) * 10.0)
    else:
        step = np.where(positive, -step, 0.0)
    # Half g s is the undamped decrease; what damping takes off the true promise keeps it positive.
    promise = -0.5 * np.einsum("pb,pb->b", gradient, step)
    longest = np.abs(step).max(axis=0)
    # Parameters are logarithms: a step of more than e^3 leaves the range where the model means anything.
    return (step * np.minimum(1.0, 3.0 / np.maximum(longest, 3.0))).T, promise, damping
