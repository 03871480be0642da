"""What callers give, checked: one line says what came, what was expected and what to do."""

from numbers import Integral, Real
from typing import Any

import numpy as np
import numpy.typing as npt

from scaling.errors import InputError

Array = npt.NDArray[np.float64]
Whole = npt.NDArray[np.int64]


def whole(what: str, given: Any, expected: str) -> Whole:
    """Return whole numbers as int64; InputError names the first that is none."""
    cells = np.asarray(given)
    if cells.dtype.kind == "O":
        try:
            cells = cells.astype(np.float64)
        except (TypeError, ValueError):
            raise InputError(f"{what} is {said(given)}; {expected}") from None
    if cells.dtype.kind not in "iuf":
        raise InputError(f"{what} is {said(given)}; {expected}")
    if cells.dtype.kind == "f":
        wrong = ~(np.isfinite(cells) & (cells == np.floor(cells)) & (np.abs(cells) < 2.0**53))
        if wrong.any():
            raise InputError(f"{what} is {cells[wrong].flat[0]:g}; {expected}")
    numbers: Whole = cells.astype(np.int64)
    return numbers


def subset_sizes(k: Any, samples: Any) -> Whole:
    """Return k, a scalar or (K,), as whole numbers from 1 to the fewest of `samples`; InputError for others."""
    fewest = int(np.min(samples))
    expected = f"give a whole number from 1 to {fewest}, the fewest samples of a problem"
    numbers = whole("k", k, expected)
    if numbers.ndim > 1 or numbers.size == 0:
        raise InputError(f"k has shape {numbers.shape}; give one whole number, or a list of them")
    wrong = (numbers < 1) | (numbers > fewest)
    if wrong.any():
        raise InputError(f"k is {numbers[wrong].flat[0]}; {expected}")
    return numbers


def counts(n: Any, c: Any) -> tuple[Whole, Whole]:
    """Return samples and right ones as whole numbers of one shape, 0 <= c <= n and n >= 1; InputError for others."""
    n, c = (whole(name, given, "give whole numbers") for name, given in (("n", n), ("c", c)))
    try:
        n, c = np.broadcast_arrays(n, c)
    except ValueError:
        raise InputError(f"n has shape {n.shape} and c {c.shape}; give one c for each n") from None
    wrong = (n < 1) | (c < 0) | (c > n)
    if n.size == 0 or wrong.any():
        came = f"n is {n[wrong].flat[0]} and c {c[wrong].flat[0]}" if n.size else "n is empty"
        raise InputError(f"{came}; expected at least one sample, and c between 0 and n")
    return n, c


def _number(cell: Any) -> bool:
    try:
        float(cell)
    except (TypeError, ValueError):
        return False
    return True


def flags(what: str, given: Any) -> npt.NDArray[np.bool_]:
    """Return marks of right and wrong as bool; InputError for what is missing or neither 0 nor 1."""
    cells = np.asarray(given)
    if cells.dtype == np.bool_:
        return cells
    expected = (
        "give true or false, or 1 or 0, for each sample; one that could not be graded is wrong, or left out"
    )
    try:
        numbers = cells.astype(np.float64)
    except (TypeError, ValueError):
        odd = next(cell for cell in cells.ravel() if not _number(cell))
        raise InputError(f"{what} holds {said(odd)}, which is neither true nor false; {expected}") from None
    missing = int(np.isnan(numbers).sum())
    if missing:
        raise InputError(f"{what} is missing in {missing} of {numbers.size} samples; {expected}")
    wrong = (numbers != 0) & (numbers != 1)
    if wrong.any():
        raise InputError(f"{what} is {numbers[wrong].flat[0]:g}; {expected}")
    marks: npt.NDArray[np.bool_] = numbers == 1
    return marks


def seed(given: Any) -> int:
    """Return what a generator starts from; InputError for what is no whole number from 0."""
    if isinstance(given, bool) or not isinstance(given, Integral) or int(given) < 0:
        raise InputError(f"seed is {said(given)}; give a whole number, 0 or more")
    return int(given)


def said(given: Any) -> str:
    """What was given: a number or word itself, of all else the kind."""
    if isinstance(given, Real):
        return str(given)[:40]
    return repr(given)[:40] if given is None or isinstance(given, str) else f"a {type(given).__name__}"
