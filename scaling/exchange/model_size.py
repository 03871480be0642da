"""Model size as a way to spend inference: what a larger model saves in training at the same loss.

Shapes: n points (N, D), B draws.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from scaling.errors import InputError
from scaling.fitting import checks
from scaling.fitting.derived import ends
from scaling.fitting.parts import Estimate
from scaling.laws import Law, LossInND
from scaling.laws.base import Array

if TYPE_CHECKING:
    from scaling.fitting import Fit


@dataclass(frozen=True)
class SizeRate:
    """The rate at models of N parameters trained on D tokens; arrays of one shape."""

    N: Array
    """Parameters."""
    D: Array
    """Training tokens."""
    loss: Array
    """What the law says there, held constant."""
    eta: Array
    """-d log C_train / d log C_infer along constant loss."""
    low: Array | None
    """Lower ends; None for a law without draws."""
    high: Array | None
    """Upper ends."""
    level: float | None
    """Nominal coverage of the interval; None without one."""

    def estimates(self) -> list[Estimate]:
        """One by one, in the order of the flattened arrays."""
        if self.low is None or self.high is None:
            return [Estimate(float(eta)) for eta in self.eta.ravel()]
        parts = (self.eta.ravel(), self.low.ravel(), self.high.ravel())
        return [Estimate(float(eta), float(low), float(high)) for eta, low, high in zip(*parts, strict=True)]

    def to_json(self) -> dict[str, Any]:
        """One entry a point."""
        cells = zip(self.N.ravel(), self.D.ravel(), self.loss.ravel(), self.estimates(), strict=True)
        points = [
            {
                "N": float(N),
                "D": float(D),
                "loss": float(loss),
                "eta": found.value,
                "low": found.low,
                "high": found.high,
            }
            for N, D, loss, found in cells
        ]
        return {"method": "model size", "level": self.level, "points": points}


def size_rate(
    law: LossInND | Fit, N: npt.ArrayLike, D: npt.ArrayLike, *, level: float | None = None
) -> SizeRate:
    """Return eta = -d log C_train / d log C_infer for models that grow at constant loss; N and D broadcast.

    C_train = 6 N D, and C_infer = 2 N for each token. Along constant loss L(N, D)

        d log D / d log N = -(dL / d log N) / (dL / d log D),
        d log C_train / d log C_infer = 1 + d log D / d log N,
        eta = (dL / d log N) / (dL / d log D) - 1,

    which is alpha A N^-alpha / (beta B D^-beta) - 1 for the additive law. At the compute-optimal point eta is 0: there a
    slightly larger model costs as much to train. Small models trained beyond it have eta > 0: the next larger model of
    the same loss costs less to train and more to answer, so inference is bought with size. Models larger than the optimum
    have -1 < eta < 0: growing costs more of both, and nothing is bought. The floor drops out. Only the loss is held:
    tokens an answer takes, and what else size does, are taken for the same.

    With a fit the interval is of its draws, percentiles or as the fit has them, at its level unless another is given.
    Raises InputError for a law without terms in N and D, and for numbers that are not positive.
    """
    N, D = (checks.positive(name, given) for name, given in (("N", N), ("D", D)))
    try:
        N, D = np.broadcast_arrays(N, D)
    except ValueError:
        raise InputError(
            f"N has shape {N.shape} and D {D.shape}; give equal lengths or single numbers"
        ) from None
    found: Any = law if isinstance(law, LossInND) else getattr(law, "law", None)
    if not isinstance(found, LossInND):
        name = next((one.name for one in (law, found) if isinstance(one, Law)), type(law).__name__)
        raise InputError(f"{name} is no loss law in N and D; give one, such as chinchilla, or a fit of it")
    kind = type(found)
    eta = _eta(kind, found.values()[None], N, D)[0]
    low = high = None
    if isinstance(law, LossInND):
        level = None
    elif len(law.draws):
        level = law.intervals.level if level is None else level
        checks.level(level)
        without = None if law.jackknife is None else _eta(kind, law.jackknife, N, D)
        low, high = ends(eta, _eta(kind, law.draws, N, D), level, without)
        low, high = low.reshape(N.shape), high.reshape(N.shape)
    return SizeRate(N, D, found.predict(N=N, D=D), eta.reshape(N.shape), low, high, level)


def _eta(law: type[LossInND], values: Array, N: Array, D: Array) -> Array:
    """Eta of laws (B, P) at points, (B, n), from the law's own derivatives.

    The slopes of log L are by u = log coefficient - exponent feature, and features are linear in log N and log D.
    """
    N, D = N.ravel(), D.ravel()
    names = law.feature_names()
    here, larger, longer = (law.features(N=n, D=d) for n, d in ((N, D), (np.e * N, D), (N, np.e * D)))
    theta = law.to_theta(values, [0.0] * len(names))
    slopes = law.slopes(theta, law.evaluate(theta, [here[name] for name in names]))
    by_N, by_D = np.zeros((2, len(values), len(N)))
    first = 0 if law.floor is None else 1
    for slope, term in zip(slopes[first:], law.terms, strict=False):
        exponent = values[:, law.position(term.exponent), None]
        by_N += exponent * slope * (larger[term.feature] - here[term.feature])
        by_D += exponent * slope * (longer[term.feature] - here[term.feature])
    with np.errstate(divide="ignore", invalid="ignore"):
        eta: Array = by_N / by_D - 1.0
    return eta
