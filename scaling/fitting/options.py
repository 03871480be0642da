"""How a fit is made: everything about it but the law and the rows."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from numbers import Real
from typing import Any, Literal, get_args

import numpy as np

from scaling.errors import InputError
from scaling.fitting import checks
from scaling.fitting.draws import Resample
from scaling.fitting.objective import Objective
from scaling.laws import Law, LossInND

Method = Literal["percentile", "bca", "profile"]


@dataclass(frozen=True)
class Options:
    """The options of `fit`, which says what each means."""

    objective: Objective
    """What is minimised."""
    fix: Mapping[str, float] = field(default_factory=dict)
    """Parameters held at a value."""
    bounds: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    """Smallest and largest values of parameters."""
    priors: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    """Means and standard deviations of normal priors of parameters."""
    weights: str | None = None
    """Column that multiplies each row's part of the objective."""
    bootstrap: int = 1000
    """Draws."""
    resample: Resample | None = None
    """How they are drawn."""
    cluster: str | None = None
    """Column whose equal values stay together."""
    interval: Method = "percentile"
    """How intervals are made of them."""
    level: float = 0.95
    """Nominal coverage."""
    seed: int = 0
    """Of the draws."""
    compute: float | None = None
    """FLOPs at which the best N and D are wanted."""
    inference: float | None = None
    """Tokens to be served."""

    def check(self, law: type[Law]) -> None:
        """Raise InputError for options that mean nothing, alone or for the law."""
        _check_draws(self)
        _check_compute(self, law)
        _check_objective(self, law)
        _check_fixed(self.fix, law)
        _check_bounds(self, law)
        _check_priors(self, law)


def _check_draws(options: Options) -> None:
    bootstrap, interval, loss = options.bootstrap, options.interval, options.objective.loss
    checks.draws(bootstrap)
    checks.level(options.level)
    checks.seed(options.seed)
    if interval not in get_args(Method):
        raise InputError(f"no interval is called {interval!r}; known: {', '.join(get_args(Method))}")
    if interval == "bca" and not bootstrap:
        raise InputError("a BCa interval is read off draws; give --bootstrap 1000")
    if interval == "profile" and not bootstrap and loss not in ("mse", "binomial"):
        raise InputError(
            f"the threshold of a profile under {loss} comes from bootstrap draws; give --bootstrap 1000, or "
            "--loss mse, whose threshold is known"
        )


def _check_compute(options: Options, law: type[Law]) -> None:
    compute, inference = options.compute, options.inference
    if compute is not None and not issubclass(law, LossInND):
        raise InputError(
            f"{law.name} has no best N and D for a compute; leave --compute out or fit a law in N and D"
        )
    if compute is not None:
        checks.number("compute", compute, " of FLOPs")
    if inference is not None and compute is None:
        raise InputError(
            "inference tokens are served at the loss that a compute buys; give --compute with them"
        )
    if inference is not None:
        checks.number("inference", inference, " of tokens")


def _check_objective(options: Options, law: type[Law]) -> None:
    binomial = options.objective.loss == "binomial"
    if binomial and law.target != "score":
        raise InputError(f"the binomial loss is for laws of a score; {law.name} predicts {law.target}")
    if binomial and options.weights is None:
        raise InputError(
            "the binomial loss needs the number of trials of each row; name its column as weights"
        )


def _check_bounds(options: Options, law: type[Law]) -> None:
    known = {about.name: about for about in law.parameters()}
    for name, ends in options.bounds.items():
        _check_free(options, law, name, "bound")
        low, high = _numbers(f"the bounds of {name} are", ends, "(low, high)")
        about = known[name]
        if not about.low <= low < high <= about.high:
            raise InputError(
                f"{name} is bound to {low:g} to {high:g}; give two rising numbers in [{about.low:g}, {about.high:g}]"
            )


def _check_priors(options: Options, law: type[Law]) -> None:
    known = {about.name: about for about in law.parameters()}
    if options.priors and options.objective.kinked:
        raise InputError(
            f"a prior is weighed against the curvature of the loss, which {options.objective.loss} has not; give --loss "
            "huber or mse"
        )
    for name, prior in options.priors.items():
        _check_free(options, law, name, "give a prior")
        mean, sd = _numbers(f"the prior of {name} is", prior, "(mean, standard deviation)")
        about = known[name]
        if not (about.low <= mean <= about.high and np.isfinite(mean) and 0 < sd < np.inf):
            raise InputError(
                f"the prior of {name} is {mean:g} with standard deviation {sd:g}; give a mean in "
                f"[{about.low:g}, {about.high:g}] and a positive standard deviation"
            )


def _numbers(what: str, given: Any, expected: str) -> tuple[float, float]:
    """Two numbers; InputError for anything else."""
    if isinstance(given, Sequence | np.ndarray) and len(given) == 2:
        first, second = given
        if isinstance(first, Real) and isinstance(second, Real):
            return float(first), float(second)
    raise InputError(f"{what} {given!r}; give two numbers, {expected}")


def _check_free(options: Options, law: type[Law], name: str, what: str) -> None:
    if name not in law.parameter_names():
        raise InputError(
            f"{law.name} has no parameter {name!r} to {what}; it has {', '.join(law.parameter_names())}"
        )
    if name in options.fix:
        raise InputError(
            f"{name} is fixed at {options.fix[name]:g}, and a {what.split()[-1]} given too; give one"
        )


def _check_fixed(fix: Mapping[str, float], law: type[Law]) -> None:
    known = {about.name: about for about in law.parameters()}
    for name, value in fix.items():
        if name not in known:
            raise InputError(f"{law.name} has no parameter {name!r} to fix; it has {', '.join(known)}")
        if not isinstance(value, Real):
            raise InputError(f"{name} is fixed at {value!r}; give a number")
        about = known[name]
        inside = about.low <= value <= about.high and np.isfinite(value)
        if not inside or (value == 0 and about.scale == "log" and name != law.floor):
            raise InputError(f"{name} is fixed at {value:g}; give a value in ({about.low:g}, {about.high:g})")
    if len(fix) == len(known):
        raise InputError(f"all parameters of {law.name} are fixed; leave one free")
