"""How often the intervals of a fit would hold the truth, at the user's own design: simulate, fit again, count."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from scaling import resampling
from scaling.fitting.precision import roots, widened
from scaling.fitting.solve import solve

if TYPE_CHECKING:
    import pandas as pd

    from scaling.fitting.result import Fit
    from scaling.laws.base import Array


@dataclass(frozen=True)
class Calibration:
    """Coverage of a fit's intervals when the fitted law is the truth."""

    fit: Fit
    """The fit."""
    simulations: int
    """Data sets that were simulated and fitted."""
    noise: str
    """What the simulated noise is, in words."""
    frame: pd.DataFrame
    """One row a quantity: quantity, truth, covered (share), covered_se = sqrt(p (1 - p) / simulations), bias, sd."""

    def summary(self) -> str:
        """The table for a terminal."""
        from scaling.reporting.numbers import plain

        level = 100 * self.fit.intervals.level
        lines = [
            f"coverage of the {level:g} % intervals in {self.simulations} simulations of this design, {self.noise}:"
        ]
        width = max(map(len, self.frame["quantity"]))
        columns = [self.frame[name].tolist() for name in ("quantity", "covered", "covered_se", "bias", "sd")]
        for quantity, covered, se, bias, sd in zip(*columns, strict=True):
            held = f"{100 * covered:.1f} % ± {100 * se:.1f}"
            lines.append(f"  {quantity:<{width}}  {held}   bias {plain(bias, 2)}, sd {plain(sd, 2)}")
        return "\n".join(lines)


def calibrate(found: Fit, simulations: int = 200, seed: int = 0) -> Calibration:
    """Simulate data sets like the fit's own rows, fit each in the same way, and count the intervals that hold the truth.

    The truth is the fitted law. Rows keep their inputs and weights w; their losses are the law's plus noise: where rows
    are independent sqrt(w) r drawn with replacement, over sqrt(w) of the row that it comes to, since a row's noise is
    taken to go as 1 / sqrt(w) (weights that are counts are not told from precisions); where they are not, the residuals
    r of a cluster turned together; each times sqrt(n / (n - p)) for the parameters that the fit took. Noise that depends
    on the inputs in another way, or a law of another form, are not in it.
    """
    import pandas as pd

    losses, noise = _simulated(found, simulations, seed)
    truth = {
        name: e.value for name, e in {**found.parameters, **found.derived}.items() if name not in found.fixed
    }
    values: dict[str, list[float]] = {name: [] for name in truth}
    inside: dict[str, list[bool]] = {name: [] for name in truth}
    for loss in losses:
        refitted = solve(type(found.law), dataclasses.replace(found.rows, loss=loss), found.options)
        for name, e in {**refitted.parameters, **refitted.derived}.items():
            if name in truth:
                values[name].append(e.value)
                inside[name].append(
                    e.low is not None and e.high is not None and e.low <= truth[name] <= e.high
                )
    rows = []
    for name, true in truth.items():
        covered = float(np.mean(inside[name]))
        rows.append(
            {
                "quantity": name,
                "truth": true,
                "covered": covered,
                "covered_se": float(np.sqrt(covered * (1 - covered) / simulations)),
                "bias": float(np.median(values[name])) - true,
                "sd": float(np.std(values[name], ddof=1)),
            }
        )
    return Calibration(found, simulations, noise, pd.DataFrame(rows))


def _simulated(found: Fit, simulations: int, seed: int) -> tuple[Array, str]:
    """Losses (S, n) of the simulated data sets, and what their noise is."""
    rows, objective, rng = found.rows, found.objective, np.random.default_rng(seed)
    L, n = found.law.predict(**rows.inputs), len(rows.loss)
    if objective.loss == "binomial":
        trials = np.round(rows.weights).astype(np.int64)
        return rng.binomial(trials, np.clip(L, 0.0, 1.0), size=(simulations, n)) / trials, "with new trials"
    logs = objective.residual == "log"
    centre, measured = (np.log(L), np.log(rows.loss)) if logs else (L, rows.loss)
    free = len(found.parameters) - len(found.fixed)
    residuals = widened(measured - centre, free)
    if found.units is None:
        root = roots(rows.weights)
        values = centre + rng.choice(root * residuals, size=(simulations, n)) / root
        words = "with noise drawn from the residuals"
    else:
        drawn = resampling.wild(centre, residuals, found.units, simulations, rng).values
        assert drawn is not None
        values, words = drawn, "the residuals of a cluster turned together"
    losses = np.exp(values) if logs else np.maximum(values, 0.0)
    return (np.minimum(losses, 1.0) if found.law.target == "score" else losses), words
