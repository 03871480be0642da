"""The numbers that people read off a law: its parameters, what follows from them, and a prediction.

Shapes: B laws, P parameters, K quantities.
"""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from scaling.errors import InputError
from scaling.fitting.derived import derived_values
from scaling.fitting.parts import Estimate
from scaling.fitting.result import Fit
from scaling.laws import Law, LossInND
from scaling.laws.base import Array

if TYPE_CHECKING:
    import pandas as pd

PREDICTION = "prediction"
"""What the prediction at given inputs is called among the quantities."""


def quantities(
    law: type[Law], values: Array, *, compute: float | None = None, at: Mapping[str, float] | None = None
) -> tuple[tuple[str, ...], Array]:
    """Names of the quantities, and each of them (B, K) for parameters (B, P); NaN where a law has NaN.

    The parameters; N_exponent and D_exponent of a law in N and D, with `compute` [FLOP] also N_optimal, D_optimal,
    tokens_per_param and loss_optimal; with `at` the `prediction` at these inputs.
    Raises InputError for a compute that the law has no optimum for, and for inputs that are not the law's.
    """
    if compute is not None and not issubclass(law, LossInND):
        raise InputError(
            f"{law.name} has no best N and D for a compute; give the inputs to predict at, at={{...}}"
        )
    if compute is not None and not 0 < compute < np.inf:
        raise InputError(f"compute is {compute}; give a positive number of FLOPs")
    good = np.isfinite(values).all(axis=1)
    derived_names, derived = derived_values(law, values[good], compute)
    names, columns = [*law.parameter_names(), *derived_names], [values[good], derived]
    if at is not None:
        names.append(PREDICTION)
        inputs = {name: np.array([value], dtype=np.float64) for name, value in at.items()}
        columns.append(law.from_values(values[good]).predict(**inputs))
    found = np.full((len(values), len(names)), np.nan)
    found[good] = np.concatenate(columns, axis=1)
    return tuple(names), found


def relative_rise(value: Array, lowest: float) -> Array:
    """(value - lowest) / lowest; where the lowest objective is 0, 0 for it and infinite above."""
    rise = np.asarray(value, dtype=np.float64) - lowest
    if lowest > 0:
        return rise / lowest
    return np.where(rise > 0, np.inf, 0.0)


def side_by_side(
    fits: Mapping[str, Fit], names: Sequence[str] | None = None, *, label: str = "fit"
) -> "pd.DataFrame":
    """One row a fit and quantity: the fit's name under `label`, quantity, value, low, high (None without draws).

    `names` chooses among parameters and derived numbers; None takes all that a fit has.
    Raises InputError where a fit lacks one of the names.
    """
    import pandas as pd

    rows = []
    for fit_name, fit in fits.items():
        known: dict[str, Estimate] = {**fit.parameters, **fit.derived}
        for name in known if names is None else names:
            if name not in known:
                raise InputError(f"the fit {fit_name!r} has no quantity {name!r}; it has {', '.join(known)}")
            found = known[name]
            rows.append(
                {
                    label: fit_name,
                    "quantity": name,
                    "value": found.value,
                    "low": found.low,
                    "high": found.high,
                }
            )
    return pd.DataFrame(rows)
