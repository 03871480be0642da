"""How the answer moves with Huber's delta, from least squares at one end to least absolute deviations at the other."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from scaling.diagnostics.jsonable import objects
from scaling.errors import InputError
from scaling.fitting.fitted import fit
from scaling.fitting.result import Fit
from scaling.laws import Law
from scaling.reporting.numbers import plain

if TYPE_CHECKING:
    import pandas as pd

DELTAS = (1e-1, 3e-2, 1e-2, 3e-3, 1e-3, 3e-4, 1e-4, 0.0)
"""From above the residuals of any law worth fitting to 0."""


@dataclass(frozen=True)
class DeltaPath:
    """Fits of one law to one table, one a delta."""

    fits: tuple[Fit, ...]
    """The fits, in the order of the table."""
    frame: "pd.DataFrame"
    """One row a delta, the largest first: delta, loss (`huber`, or `lad` at 0), inside, value, each parameter and
    derived number.

    inside is the share of rows whose residual lies within delta of the law: near 1 the loss is one of squares, near
    0 one of absolute deviations.
    """

    def span(self, name: str) -> tuple[float, float]:
        """The smallest and the largest value of a parameter or derived number along the path.

        Raises InputError for another name.
        """
        known = [*self.fits[0].parameters, *self.fits[0].derived]
        if name not in known:
            raise InputError(f"there is no quantity {name!r} along the path; it has {', '.join(known)}")
        return float(self.frame[name].min()), float(self.frame[name].max())

    def told(self, name: str) -> str:
        """How a quantity moves, in words: from its value at the largest delta to that at the smallest."""
        low, high = self.span(name)
        first, last = (float(self.frame[name].iloc[k]) for k in (0, -1))
        shown = [plain(value, 4) for value in (first, last, low, high)]
        between = "" if {*shown[2:]} <= {*shown[:2]} else f" (between {shown[2]} and {shown[3]})"
        return f"{name} from {shown[0]} to {shown[1]}{between}"

    def to_json(self) -> dict[str, Any]:
        """The table, for programs."""
        return {"law": self.fits[0].law.name, "path": objects(self.frame)}


def delta_path(
    law: str | type[Law], frame: "pd.DataFrame", deltas: Sequence[float] = DELTAS, **options: Any
) -> DeltaPath:
    """Fit a law with Huber's loss at each delta, and by least absolute deviations at delta = 0.

    Huber's sum over delta tends to sum |r| as delta -> 0, and is sum r^2 / 2 where delta exceeds every residual.
    `options` are those of `fit`; without `bootstrap` the fits have no intervals.

    Raises InputError for deltas that are negative, infinite or repeated, and what `fit` raises.
    """
    import pandas as pd

    chosen = sorted((float(delta) for delta in deltas), reverse=True)
    if not chosen or len(set(chosen)) < len(chosen) or not all(0 <= delta < np.inf for delta in chosen):
        raise InputError(
            f"deltas are {list(deltas)}; give different numbers from 0 up, 0 for absolute deviations"
        )
    if "loss" in options or "delta" in options:
        raise InputError("a path goes through the losses itself; leave loss and delta out and give deltas")
    options = {"bootstrap": 0} | options
    fits = tuple(
        fit(law, frame, loss="huber", delta=delta, **options)
        if delta
        else fit(law, frame, loss="lad", **options)
        for delta in chosen
    )
    rows = [
        {
            "delta": delta,
            "loss": found.objective.loss,
            "inside": float(np.mean(np.abs(found.residuals) <= delta)) if delta else 0.0,
            "value": found.value,
        }
        | {name: estimate.value for name, estimate in {**found.parameters, **found.derived}.items()}
        for delta, found in zip(chosen, fits, strict=True)
    ]
    return DeltaPath(fits, pd.DataFrame(rows))
