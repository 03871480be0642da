"""Numbers that carry their derivatives by a law's parameters: forward differentiation for numpy formulas.

Shapes: B problems side by side, n rows; values and slopes broadcast to (B, n).
"""

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]

# Partial derivatives of each ufunc by its arguments, from the arguments and the value.
_PARTIALS: dict[np.ufunc, Callable[..., tuple[Any, ...]]] = {
    np.negative: lambda a, y: (-1.0,),
    np.exp: lambda a, y: (y,),
    np.expm1: lambda a, y: (y + 1.0,),
    np.log: lambda a, y: (1.0 / a,),
    np.log1p: lambda a, y: (1.0 / (1.0 + a),),
    np.add: lambda a, b, y: (1.0, 1.0),
    np.subtract: lambda a, b, y: (1.0, -1.0),
    np.multiply: lambda a, b, y: (b, a),
    np.divide: lambda a, b, y: (1.0 / b, -y / b),
    np.logaddexp: lambda a, b, y: (np.exp(a - y), np.exp(b - y)),
    np.maximum: lambda a, b, y: (np.where(a >= b, 1.0, 0.0), np.where(a >= b, 0.0, 1.0)),
    np.minimum: lambda a, b, y: (np.where(a <= b, 1.0, 0.0), np.where(a <= b, 0.0, 1.0)),
}


class Dual(np.lib.mixins.NDArrayOperatorsMixin):
    """A value with its slopes by those parameters that it depends on; arithmetic and `np.exp` etc. keep both."""

    def __init__(self, value: Array, slopes: dict[int, Array]) -> None:
        self.value = value
        """The number, broadcasts to (B, n)."""
        self.slopes = slopes
        """Its derivative by each parameter, by the parameter's position; a parameter not listed has slope 0."""

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: Any, **options: Any) -> Any:
        if method != "__call__" or options or ufunc not in _PARTIALS:
            return NotImplemented
        arguments = [x.value if isinstance(x, Dual) else x for x in inputs]
        value = ufunc(*arguments)
        slopes: dict[int, Array] = {}
        for x, partial in zip(inputs, _PARTIALS[ufunc](*arguments, value), strict=True):
            if isinstance(x, Dual):
                for k, slope in x.slopes.items():
                    slopes[k] = slopes[k] + partial * slope if k in slopes else partial * slope
        return Dual(value, slopes)


def log_beta(x: Any, y: Any) -> Any:
    """Logarithm of the beta function of two numbers or duals; its slopes are differences of digamma functions."""
    from scipy.special import betaln, psi

    arguments = [z.value if isinstance(z, Dual) else z for z in (x, y)]
    value, total = betaln(*arguments), sum(arguments)
    slopes: dict[int, Array] = {}
    for z, argument in zip((x, y), arguments, strict=True):
        if isinstance(z, Dual):
            partial = psi(argument) - psi(total)
            for k, slope in z.slopes.items():
                slopes[k] = slopes[k] + partial * slope if k in slopes else partial * slope
    return Dual(value, slopes) if slopes else value
