"""Numbers that follow from a law's parameters, with their intervals from the draws."""

import numpy as np
import numpy.typing as npt

from scaling.fitting.result import Estimate
from scaling.laws import Law, LossInND
from scaling.laws.base import Array
from scaling.resampling import percentile


def estimates(names: tuple[str, ...], values: Array, draws: Array, level: float) -> dict[str, Estimate]:
    """Estimates by name from values (P,) and draws (B, P); without draws no intervals."""
    if not len(draws):
        return {name: Estimate(float(value)) for name, value in zip(names, values, strict=True)}
    low, high = percentile(draws, level)
    # Draws of a law that its rows do not fix reach 0 and infinity; then the spread is infinite too.
    with np.errstate(over="ignore", invalid="ignore"):
        se = np.nanstd(draws, axis=0, ddof=1)
    return {
        name: Estimate(float(values[k]), float(low[k]), float(high[k]), float(se[k]))
        for k, name in enumerate(names)
    }


def at_compute(law: Law, compute: float | None) -> dict[str, float]:
    """N_optimal, D_optimal, tokens_per_param and loss_optimal at `compute` [FLOP]; empty where none exist."""
    if compute is None or not isinstance(law, LossInND):
        return {}
    optimum = law.optimum(compute)
    found = {
        "N_optimal": optimum.N,
        "D_optimal": optimum.D,
        "tokens_per_param": optimum.tokens_per_param,
        "loss_optimal": optimum.loss,
    }
    return {name: float(value) for name, value in found.items()}


def derived(
    law: type[Law], values: Array, draws: Array, compute: float | None, level: float
) -> dict[str, Estimate]:
    """N_exponent and D_exponent, and with `compute` the optimum there, for a loss law in N and D."""
    columns = [_of_one(law.from_values(row), compute) for row in values[None, :]]
    names = tuple(columns[0])
    if not names:
        return {}
    drawn = np.empty((0, len(names)))
    if len(draws):
        stacked = _stacked(law.from_values(draws), compute)
        drawn = np.column_stack([stacked[name] for name in names])
    return estimates(names, np.array([columns[0][name] for name in names]), drawn, level)


def _of_one(law: Law, compute: float | None) -> dict[str, float]:
    return {name: float(column[0]) for name, column in _stacked(law, compute).items()}


def _stacked(law: Law, compute: float | None) -> dict[str, Array]:
    """Each number as (B,) from a stack of laws, or (1,) from one."""
    if not isinstance(law, LossInND):
        return {}
    found: dict[str, npt.ArrayLike] = {"N_exponent": law.N_exponent, "D_exponent": law.D_exponent}
    if compute is not None:
        optimum = law.optimum(compute)
        found["N_optimal"], found["D_optimal"] = optimum.N, optimum.D
        found["tokens_per_param"], found["loss_optimal"] = optimum.tokens_per_param, optimum.loss
    return {name: np.atleast_1d(np.asarray(value, dtype=np.float64)).ravel() for name, value in found.items()}
