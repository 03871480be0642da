"""Numbers that follow from a law's parameters, with their intervals from the draws."""

import numpy as np
import numpy.typing as npt

from scaling.fitting.parts import Estimate
from scaling.laws import Law, LossInND
from scaling.laws.base import Array
from scaling.resampling import bca, percentile


def estimates(
    names: tuple[str, ...], values: Array, draws: Array, level: float, jackknife: Array | None = None
) -> dict[str, Estimate]:
    """Estimates by name from values (P,) and draws (B, P); without draws no intervals.

    Intervals are percentiles, or, given the values without each unit (U, P), bias-corrected and accelerated.
    """
    if not len(draws):
        return {name: Estimate(float(value)) for name, value in zip(names, values, strict=True)}
    low, high = ends(values, draws, level, jackknife)
    # Draws of a law that its rows do not fix reach 0 and infinity; then the spread is infinite too.
    with np.errstate(over="ignore", invalid="ignore"):
        se = np.nanstd(draws, axis=0, ddof=1)
    return {
        name: Estimate(float(values[k]), float(low[k]), float(high[k]), float(se[k]))
        for k, name in enumerate(names)
    }


def ends(values: Array, draws: Array, level: float, jackknife: Array | None) -> tuple[Array, Array]:
    """Ends of the intervals of K quantities: percentiles of the draws, or BCa with a jackknife."""
    return percentile(draws, level) if jackknife is None else bca(values, draws, jackknife, level)


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
    law: type[Law],
    values: Array,
    draws: Array,
    compute: float | None,
    level: float,
    jackknife: Array | None = None,
    inference: float | None = None,
) -> dict[str, Estimate]:
    """N_exponent and D_exponent, for a loss law in N and D; with `compute` [FLOP] the optimum there.

    With `inference` tokens also the cheapest model of that loss to train and to serve: N_served, D_served,
    tokens_per_param_served, and serving_saving, the share of all FLOPs that it saves.
    """
    names, found = derived_values(law, values[None, :], compute, inference)
    if not names:
        return {}
    without = None if jackknife is None else derived_values(law, jackknife, compute, inference)[1]
    return estimates(names, found[0], derived_values(law, draws, compute, inference)[1], level, without)


def derived_values(
    law: type[Law], values: Array, compute: float | None, inference: float | None = None
) -> tuple[tuple[str, ...], Array]:
    """Names of the K derived numbers, none for a law without an optimum, and each (B, K) for parameters (B, P)."""
    if not issubclass(law, LossInND):
        return (), np.empty((len(values), 0))
    stack = law.from_values(values)
    found: dict[str, npt.ArrayLike] = {"N_exponent": stack.N_exponent, "D_exponent": stack.D_exponent}
    if compute is not None:
        optimum = stack.optimum(compute)
        found["N_optimal"], found["D_optimal"] = optimum.N, optimum.D
        found["tokens_per_param"], found["loss_optimal"] = optimum.tokens_per_param, optimum.loss
    if compute is not None and inference is not None:
        served = stack.served(compute, inference)
        found["N_served"], found["D_served"] = served.N, served.D
        found["tokens_per_param_served"], found["serving_saving"] = served.tokens_per_param, served.saving
    columns = [np.broadcast_to(np.ravel(value), len(values)) for value in found.values()]
    return tuple(found), np.column_stack(columns)
