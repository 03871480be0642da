"""What callers give, checked: one line says what came, what was expected and what to do."""

from collections.abc import Mapping
from numbers import Integral, Real
from typing import Any

import numpy as np

from scaling.errors import InputError
from scaling.laws.base import Array

MOST_DRAWS = 1_000_000
"""Draws above which a number is taken for a slip."""


def table(given: Any, columns: str, call: str) -> None:
    """Refuse what is no table; `columns` and `call` are what is expected."""
    import pandas as pd

    if not isinstance(given, pd.DataFrame):
        raise InputError(
            f"the table is {_said(given)}, expected a pandas DataFrame with columns {columns}; give {call}"
        )


def by_name(what: str, given: Any) -> dict[str, Any]:
    """Return what is given by parameter's name; InputError for what is no dict of names."""
    if given is None:
        return {}
    if not (isinstance(given, Mapping) and all(isinstance(name, str) for name in given)):
        raise InputError(f"{what} is {_said(given)}; give a dict by parameter's name")
    return dict(given)


def level(given: Any) -> None:
    """Refuse a nominal coverage that is no share."""
    share("level", given, "a coverage between 0 and 1, for example .95")


def share(what: str, given: Any, expected: str) -> None:
    """Refuse what does not lie between 0 and 1."""
    if not (isinstance(given, Real) and 0 < float(given) < 1):
        raise InputError(f"{what} is {_said(given)}; give {expected}")


def draws(given: Any, least: int = 0) -> None:
    """Refuse a number of draws of which no interval can be made."""
    none = "" if least else "0 for no intervals, or "
    if not isinstance(given, Integral) or int(given) < least or given == 1:
        raise InputError(f"bootstrap is {_said(given)}; give {none}at least 2 draws (1000 is usual)")
    if int(given) > MOST_DRAWS:
        raise InputError(f"bootstrap is {given}; give at most {MOST_DRAWS} draws (1000 is usual)")


def seed(given: Any) -> None:
    """Refuse what no generator starts from."""
    if not isinstance(given, Integral) or int(given) < 0:
        raise InputError(f"seed is {_said(given)}; give a whole number, 0 or more")


def positive(what: str, given: Any, unit: str = "") -> Array:
    """Return numbers as floats; InputError names the first that is not positive and finite."""
    expected = f"give a positive number{unit}"
    try:
        cells = np.asarray(given)
        numbers = cells.astype(np.float64) if cells.dtype.kind in "iufO" else None
    except (TypeError, ValueError, OverflowError):
        numbers = None
    if numbers is None:
        raise InputError(f"{what} is {_said(given)}; {expected}")
    wrong = ~((numbers > 0) & (numbers < np.inf))
    if wrong.any():
        raise InputError(f"{what} is {numbers[wrong].flat[0]:g}; {expected}")
    return numbers


def number(what: str, given: Any, unit: str = "") -> float:
    """Return one positive number as a float; InputError for anything else."""
    if np.ndim(given):
        raise InputError(f"{what} is {_said(given)}; give a positive number{unit}")
    return float(positive(what, given, unit))


def _said(given: Any) -> str:
    """What was given: a number or word itself, of all else the kind."""
    if isinstance(given, Real):
        return str(given)[:40]
    return repr(given)[:40] if given is None or isinstance(given, str) else f"a {type(given).__name__}"
