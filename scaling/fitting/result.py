"""The answer of a fit: values with intervals, how it was reached, and what to doubt."""

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import numpy.typing as npt

from scaling.errors import InputError
from scaling.fitting import checks
from scaling.fitting.known import Known
from scaling.fitting.objective import Objective
from scaling.fitting.parts import Estimate, Interval, Minimum, Prediction, Sensitivity, Warned
from scaling.fitting.rows import Rows
from scaling.laws import Law
from scaling.laws.base import Array

if TYPE_CHECKING:
    from scaling.fitting.design import Design
    from scaling.fitting.options import Options
    from scaling.fitting.plotting import Plots
    from scaling.fitting.profile import FloorProfile


@dataclass(frozen=True, repr=False)
class Fit:
    """A law fitted to rows."""

    law: Law
    """The fitted law: an instance, `fit.law.predict(N=, D=)`."""
    status: Literal["ok", "doubtful"]
    """`doubtful` when a warning puts the answer itself in doubt."""
    warnings: tuple[Warned, ...]
    """What to know; a note alone (derived_by_6ND, extrapolation) leaves the status ok."""
    objective: Objective
    """What was minimised."""
    value: float
    """The objective at the answer: the sum over the rows."""
    gradient_norm: float | None
    """Norm of the objective's gradient by the log parameters there; None for `lad` and `quantile`, with kinks there."""
    parameters: Mapping[str, Estimate]
    """Estimates by name, in the law's order."""
    derived: Mapping[str, Estimate]
    """N_exponent and D_exponent; with compute also N_optimal, D_optimal, tokens_per_param, loss_optimal."""
    minima: tuple[Minimum, ...]
    """The answer and the competing local minima, lowest first."""
    rows: Rows
    """The rows in use and the account of the others."""
    intervals: Interval
    """How the intervals were made."""
    draws: Array
    """Parameters of each draw, (B, P) in the law's order; (0, P) without a bootstrap."""
    jackknife: Array | None
    """Parameters without each unit, (U, P), where the intervals are BCa."""
    options: "Options"
    """How the fit was made."""
    convention: Mapping[str, str]
    """Which parameters and FLOPs are counted."""
    units: npt.NDArray[np.intp] | None = None
    """The unit of each row that the draws are made of, (n,); None where each row is one."""
    known: Known = field(default_factory=Known)
    """What was known of the parameters beforehand."""
    sensitivity: tuple[Sensitivity, ...] = ()
    """What the answer is with the priors wider, narrower and gone; empty without priors."""

    @property
    def compute(self) -> float | None:
        """Compute that was asked for [FLOP]."""
        return self.options.compute

    @property
    def shared(self) -> str | None:
        """The column whose rows are one run, as asked for or as the table says; None where rows are runs."""
        from scaling.fitting.draws import shared_column

        return self.options.cluster or shared_column(self.rows)

    @property
    def fixed(self) -> Mapping[str, float]:
        """Parameters that were held at a value."""
        return self.options.fix

    def predict(
        self, *, level: float | None = None, new_run: bool = False, **inputs: npt.ArrayLike
    ) -> Prediction:
        """Loss at the inputs with the interval of the fitted curve (`level`: the fit's own).

        With `new_run` the interval is the one that holds a further run there, of weight 1 with the rows' weights over
        their mean: percentiles over all draws of the law and all residuals sqrt(w) r sqrt(n / (n - p)). It takes noise
        there for that of the rows, of which one of weight w has 1 / sqrt(w).
        Raises InputError when the inputs are not the law's, or not positive and finite.
        """
        from scaling.fitting.derived import ends
        from scaling.fitting.noise import Noise

        level = self.intervals.level if level is None else level
        checks.level(level)
        given = [checks.positive(name, values) for name, values in inputs.items()]
        try:
            arrays = np.broadcast_arrays(*given)
        except ValueError as error:
            shapes = ", ".join(f"{name} {array.shape}" for name, array in zip(inputs, given, strict=True))
            raise InputError(
                f"inputs of shapes {shapes} do not broadcast; give equal lengths or single numbers"
            ) from error
        value = self.law.predict(**dict(zip(inputs, arrays, strict=True)))
        if not len(self.draws):
            return Prediction(value, None, None)
        flat = dict(zip(inputs, (array.ravel() for array in arrays), strict=True))
        curves = type(self.law).from_values(self.draws).predict(**flat)
        if new_run:
            low, high = Noise.of(self).ends(curves, level)
            return Prediction(value, low.reshape(arrays[0].shape), high.reshape(arrays[0].shape))
        without = (
            None if self.jackknife is None else type(self.law).from_values(self.jackknife).predict(**flat)
        )
        low, high = ends(value.ravel(), curves, level, without)
        return Prediction(value, low.reshape(arrays[0].shape), high.reshape(arrays[0].shape))

    @property
    def design(self) -> "Design":
        """The rows as the engine sees them."""
        from scaling.fitting.design import Design

        rows = self.rows
        return Design.of(type(self.law), rows.inputs, rows.loss, weights=rows.weights, known=self.known)

    @property
    def theta(self) -> Array:
        """The minima as the engine sees them, (K, P), the answer first."""
        values = np.array([minimum.law.values() for minimum in self.minima])
        return type(self.law).to_theta(values, self.design.centre)

    @property
    def residuals(self) -> Array:
        """Measured minus predicted, of log losses or losses as the objective has it, (n,)."""
        predicted = self.law.predict(**self.rows.inputs)
        return -self.objective.residuals(np.log(predicted), np.log(self.rows.loss))

    def warning(self, code: str) -> str | None:
        """The message with this code, or None."""
        return next((warned.message for warned in self.warnings if warned.code == code), None)

    def profile(self, floors: npt.ArrayLike | None = None) -> "FloorProfile":
        """The objective with the floor held at each value: how well the rows tell the floor."""
        from scaling.fitting.profile import floor_profile

        return floor_profile(self.design, self.objective, floors)

    @property
    def plot(self) -> "Plots":
        """Figures of the fit: `fit.plot.residuals()`, `.data()`, `.surface()`, `.extrapolation()`, `.draws()`."""
        from scaling.fitting.plotting import Plots

        return Plots(self)

    def interval(
        self,
        name: str,
        *,
        method: Literal["percentile", "bca", "profile"] | None = None,
        level: float | None = None,
    ) -> Estimate:
        """A parameter or derived number, with an interval of another method or level; the draws are the same.

        Raises InputError for a name that the fit does not have.
        """
        from scaling.fitting.fitted import again

        known = {**self.parameters, **self.derived}
        if name not in known:
            raise InputError(f"this fit has no {name!r}; it has {', '.join(known)}")
        if method == "profile" and name not in self.parameters:
            raise InputError(
                f"a profile is of a parameter, and {name} follows from several; take percentile or bca"
            )
        asked = (("interval", method), ("level", level))
        changes: dict[str, Any] = {key: value for key, value in asked if value is not None}
        if not changes:
            return known[name]
        other = again(self, **changes)
        return {**other.parameters, **other.derived}[name]

    def optimum(self, C: float, inference: float | None = None) -> dict[str, Estimate]:
        """N_optimal, D_optimal, tokens_per_param and loss_optimal for a compute C [FLOP], with intervals.

        With `inference` tokens also the cheapest model of that loss to train and serve; see `fitting.derived`.
        Raises InputError for a law without, and for numbers that are not positive.
        """
        from scaling.fitting.derived import derived

        options = dataclasses.replace(
            self.options, compute=checks.number("C", C, " of FLOPs"), inference=inference
        )
        options.check(type(self.law))
        found = derived(
            type(self.law),
            self.law.values(),
            self.draws,
            options.compute,
            self.intervals.level,
            self.jackknife,
            inference,
        )
        return {
            name: estimate for name, estimate in found.items() if name not in ("N_exponent", "D_exponent")
        }

    def compute_multiplier(self, other: "Fit", C: float) -> Estimate:
        """Times the compute C [FLOP] that the other recipe needs for the loss that this one has at C, with its interval.

        Over 1 this recipe is the better one. The draws of both fits are paired as they come: both are taken for
        independent. Raises InputError for laws without a best N and D, and for a C that is not positive.
        """
        from scaling.fitting.derived import estimates
        from scaling.laws import LossInND

        if not (isinstance(self.law, LossInND) and isinstance(other.law, LossInND)):
            raise InputError("a compute multiplier is of two loss laws in N and D")
        C = checks.number("C", C, " of FLOPs")
        value = np.array([float(self.law.compute_multiplier(other.law, C))])
        both = min(len(self.draws), len(other.draws))
        draws = np.empty((0, 1))
        if both:
            shuffled = np.random.default_rng(self.options.seed).permutation(len(other.draws))[:both]
            mine = type(self.law).from_values(self.draws[:both])
            theirs = type(other.law).from_values(other.draws[shuffled])
            draws = np.reshape(mine.compute_multiplier(theirs, C), (both, 1))
        return estimates(("multiplier",), value, draws, self.intervals.level)["multiplier"]

    def __repr__(self) -> str:
        """One line; `str` and `print` give the summary."""
        return f"<Fit of {self.law.name} to {len(self.rows.loss)} rows, {self.status}: {self.law}>"

    def __str__(self) -> str:
        """The summary."""
        return self.summary()

    def summary(self) -> str:
        """The fit for a terminal; digits follow the error."""
        from scaling.fitting.summary import summary

        return summary(self)

    def to_json(self, command: str | None = None) -> dict[str, Any]:
        """The fit as the keys of schema scaling.fit/1."""
        from scaling.fitting.summary import as_json

        return as_json(self, command)
