"""Which parameters a profile holds, and on which grid."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from scaling.errors import InputError
from scaling.fitting.result import Fit
from scaling.laws import Law
from scaling.laws.base import Array

if TYPE_CHECKING:
    import pandas as pd

MARGIN = 0.25
"""How far the grid reaches beyond what it must show, as a share of that."""


def shapes_of(fit: Fit, names: Sequence[str] | None) -> tuple[str, ...]:
    """The parameters to hold: those asked for, or the first two of the law's free exponents, or shapes without them."""
    law = type(fit.law)
    taken = {law.floor} | {t.coefficient for t in law.terms} | set(fit.fixed)
    taken |= {about.name for about in law.parameters() if about.location}
    allowed = [name for name in law.parameter_names() if name not in taken]
    exponents = dict.fromkeys(term.exponent for term in law.terms)
    if not allowed:
        raise InputError(f"every exponent and shape of {law.name} is fixed; there is nothing to hold")
    usual = [name for name in exponents if name in allowed] or allowed
    chosen = tuple(names) if names is not None else tuple(usual[:2])
    if not 1 <= len(chosen) <= 2 or len(set(chosen)) < len(chosen) or not set(chosen) <= set(allowed):
        what = f"names are {', '.join(chosen) or 'none'}"
        raise InputError(f"{what}; give one or two of {', '.join(allowed)}, the free shapes of {law.name}")
    return chosen


def theta_of(law: type[Law], name: str, values: Array) -> Array:
    """Values of a parameter as a fit sees them."""
    about = law.parameters()[law.position(name)]
    return np.asarray(np.log(values) if about.scale == "log" else values, dtype=np.float64)


def marks_of(
    fit: Fit, names: tuple[str, ...], published: Mapping[str, Mapping[str, float]]
) -> "pd.DataFrame":
    """The minima and the published points: mark, kind and their exponents."""
    import pandas as pd

    rows = [
        {"mark": "fit" if k == 0 else f"minimum {k + 1}", "kind": "minimum"}
        | {name: float(getattr(minimum.law, name)) for name in names}
        for k, minimum in enumerate(fit.minima)
    ]
    law = type(fit.law)
    for mark, values in published.items():
        for name in names:
            about = law.parameters()[law.position(name)]
            if name not in values or not max(about.low, 1e-3) <= values[name] <= about.high:
                raise InputError(f"the published point {mark!r} needs a value of {name} within its range")
        rows.append({"mark": mark, "kind": "published"} | {name: float(values[name]) for name in names})
    return pd.DataFrame(rows)


def axis_of(
    fit: Fit, name: str, marks: "pd.DataFrame", points: int, span: tuple[float, float] | None
) -> Array:
    """Grid values of a parameter: those of the span, or around draws and marks, and the fit's own."""
    law = type(fit.law)
    about, best = law.parameters()[law.position(name)], float(getattr(fit.law, name))
    lowest = max(about.low, 1e-3) if about.scale == "log" else about.low
    if span is not None:
        low, high = span
        if not lowest <= low < high <= about.high:
            raise InputError(
                f"the span of {name} is {low} to {high}; give two ascending values from {lowest:g} to {about.high:g}"
            )
    else:
        shown = marks[name].to_numpy(dtype=np.float64)
        drawn = fit.draws[:, law.position(name)]
        drawn = drawn[np.isfinite(drawn)]
        around = (
            np.quantile(drawn, [0.005, 0.995]) if drawn.size else best + 0.4 * abs(best) * np.array([-1, 1])
        )
        low, high = float(min(around.min(), shown.min())), float(max(around.max(), shown.max()))
        wider = MARGIN * (high - low if high > low else max(abs(best), 1e-2))
        low, high = max(low - wider, 0.5 * low if about.scale == "log" else -np.inf), high + wider
    axis: Array = np.linspace(max(low, lowest), min(high, about.high), points)
    return np.unique(np.append(axis, best))
