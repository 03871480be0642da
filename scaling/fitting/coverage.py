"""How often intervals hold the truth: the same fit on many independent data sets whose law is known."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from scaling.fitting.fitted import fit

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class Coverage:
    """Intervals of one law on many data sets, beside the truth."""

    law: str
    """Name of the law that was fitted."""
    level: float
    """Nominal coverage of the intervals."""
    truth: Mapping[str, float]
    """The true value of each parameter."""
    frame: pd.DataFrame
    """One row a data set and parameter: set, parameter, value, low, high, rms (of the residuals, as a share)."""

    def table(self) -> pd.DataFrame:
        """Return coverage with its Monte Carlo error, bias and spread, one row a parameter.

        Columns: parameter, truth, sets, covered (share), covered_se = sqrt(p (1 - p) / sets), mean, bias, sd.
        """
        import pandas as pd

        rows = []
        for name, true in self.truth.items():
            found = self.frame[self.frame["parameter"] == name]
            share = float(((found["low"] <= true) & (true <= found["high"])).mean())
            rows.append(
                {
                    "parameter": name,
                    "truth": true,
                    "sets": len(found),
                    "covered": share,
                    "covered_se": math.sqrt(share * (1 - share) / len(found)),
                    "mean": float(found["value"].mean()),
                    "bias": float(found["value"].mean() - true),
                    "sd": float(found["value"].std()),
                }
            )
        return pd.DataFrame(rows)

    def to_json(self) -> dict[str, Any]:
        """The table, for programs."""
        return {"law": self.law, "level": self.level, "coverage": self.table().to_dict("records")}


def coverage(
    law: str, sets: Iterable[tuple[Any, pd.DataFrame]], truth: Mapping[str, float], **options: Any
) -> Coverage:
    """Fit a law to each data set and keep its intervals of the parameters named in ``truth``.

    ``sets`` holds (label, frame) pairs of independent data sets; ``options`` are those of ``fit``.
    """
    import pandas as pd

    rows = []
    level = 0.95
    for label, frame in sets:
        found = fit(law, frame, **options)
        level = found.intervals.level
        rms = float(np.sqrt(np.mean(found.residuals**2)))
        for name in truth:
            e = found.parameters[name]
            rows.append(
                {"set": label, "parameter": name, "value": e.value, "low": e.low, "high": e.high, "rms": rms}
            )
    return Coverage(law, level, dict(truth), pd.DataFrame(rows))
