"""How a fit is made: everything about it but the law and the rows."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, get_args

import numpy as np

from scaling.errors import InputError
from scaling.fitting.draws import Resample
from scaling.fitting.objective import Objective
from scaling.laws import Law, LossInND

Method = Literal["percentile", "bca", "profile"]
MOST_DRAWS = 1_000_000
"""Draws above which a number is taken for a slip."""


@dataclass(frozen=True)
class Options:
    """The options of `fit`, which says what each means."""

    objective: Objective
    """What is minimised."""
    fix: Mapping[str, float] = field(default_factory=dict)
    """Parameters held at a value."""
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


def _check_draws(options: Options) -> None:
    bootstrap, interval, loss = options.bootstrap, options.interval, options.objective.loss
    if bootstrap < 0 or bootstrap == 1:
        raise InputError(
            f"bootstrap is {bootstrap}; give 0 for no intervals, or at least 2 draws (1000 is usual)"
        )
    if bootstrap > MOST_DRAWS:
        raise InputError(f"bootstrap is {bootstrap}; give at most {MOST_DRAWS} draws (1000 is usual)")
    if not 0 < options.level < 1:
        raise InputError(f"level is {options.level}; give a coverage between 0 and 1, for example .95")
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
    if compute is not None and not 0 < compute < np.inf:
        raise InputError(f"compute is {compute}; give a positive number of FLOPs")
    if inference is not None and compute is None:
        raise InputError(
            "inference tokens are served at the loss that a compute buys; give --compute with them"
        )
    if inference is not None and not 0 < inference < np.inf:
        raise InputError(f"inference is {inference}; give a positive number of tokens")


def _check_objective(options: Options, law: type[Law]) -> None:
    binomial = options.objective.loss == "binomial"
    if binomial and law.target != "score":
        raise InputError(f"the binomial loss is for laws of a score; {law.name} predicts {law.target}")
    if binomial and options.weights is None:
        raise InputError(
            "the binomial loss needs the number of trials of each row; name its column as weights"
        )


def _check_fixed(fix: Mapping[str, float], law: type[Law]) -> None:
    known = {about.name: about for about in law.parameters()}
    for name, value in fix.items():
        if name not in known:
            raise InputError(f"{law.name} has no parameter {name!r} to fix; it has {', '.join(known)}")
        about = known[name]
        inside = about.low <= value <= about.high and np.isfinite(value)
        if not inside or (value == 0 and about.scale == "log" and name != law.floor):
            raise InputError(f"{name} is fixed at {value:g}; give a value in ({about.low:g}, {about.high:g})")
    if len(fix) == len(known):
        raise InputError(f"all parameters of {law.name} are fixed; leave one free")
