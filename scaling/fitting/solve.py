"""From rows and options to numbers with intervals: the part of a fit that a simulation repeats."""

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from scaling.fitting.derived import derived, estimates
from scaling.fitting.design import Design
from scaling.fitting.draws import Drawn, Fitted, draw, fit_draws, jackknife, shared_luck
from scaling.fitting.known import Known
from scaling.fitting.minima import local_minima
from scaling.fitting.options import Options
from scaling.fitting.parts import Estimate, Interval
from scaling.fitting.prior import weighed
from scaling.fitting.profile_interval import Profile
from scaling.fitting.rows import Rows
from scaling.laws import Law
from scaling.laws.base import Array


@dataclass(frozen=True)
class Solved:
    """The minima, and estimates with their intervals."""

    design: Design
    """The rows as the engine saw them."""
    theta: Array
    """Local minima, (K, P), lowest first."""
    values: Array
    """Their parameters, (K, P)."""
    objectives: Array
    """The objective there, (K,)."""
    converged: bool
    """Whether the lowest meets the conditions of a minimum."""
    parameters: Mapping[str, Estimate]
    """Estimates of the parameters."""
    derived: Mapping[str, Estimate]
    """Estimates of what follows from them."""
    intervals: Interval
    """How the intervals were made."""
    drawn: Drawn | None
    """The bootstrap draws of the rows."""
    draws: Array
    """Parameters of each draw, (B, P)."""
    lost: int
    """Draws whose fit did not converge."""
    jackknife: Array | None
    """Parameters without each unit, (U, P), where the intervals are BCa."""


def solve(law: type[Law], rows: Rows, options: Options) -> Solved:
    """Fit a law to rows."""
    objective, fix, level = options.objective, options.fix, options.level
    known = Known(fix, options.bounds, options.priors)
    design = Design.of(law, rows.inputs, rows.loss, weights=rows.weights, known=known)
    if options.priors:
        design = weighed(design, objective, shared_luck(rows, options.resample, options.cluster))
    theta, objectives, converged = local_minima(design, objective)
    values = design.values(theta)
    draws, without, drawn, lost = np.empty((0, values.shape[1])), None, None, 0
    how = Interval(None, level, 0)
    if options.bootstrap:
        fitted = Fitted(law.from_values(values[0]).predict(**rows.inputs), int(design.free.sum()))
        drawn = draw(
            rows, fitted, objective, options.resample, options.cluster, options.bootstrap, options.seed
        )
        draws, good = fit_draws(design, objective, drawn, theta, options.seed)
        lost = int(np.sum(~good))
        kind = (
            "profile of parameters, percentile of the rest"
            if options.interval == "profile"
            else options.interval
        )
        method = f"{kind}, {drawn.method}"
        how = Interval(method, level, options.bootstrap, drawn.clusters, drawn.reason)
        if options.interval == "bca":
            without = jackknife(design, objective, drawn.units, theta)
    parameters = estimates(law.parameter_names(), values[0], draws, level, without)
    if options.interval == "profile":
        for name in set(parameters) - set(fix):
            low, high = Profile.of(design, objective, values[0], name).interval(level, drawn, draws)
            parameters[name] = dataclasses.replace(parameters[name], low=low, high=high)
        how = dataclasses.replace(how, method=how.method or "profile")
    parameters |= {name: Estimate(value) for name, value in fix.items()}
    follows = derived(law, values[0], draws, options.compute, level, without, options.inference)
    return Solved(
        design, theta, values, objectives, converged, parameters, follows, how, drawn, draws, lost, without
    )
