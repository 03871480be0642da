"""Frozen dataclasses whose fields have their declared types: equal content is equal JSON, whoever made it."""

from __future__ import annotations

import math
import numbers
import types
import typing
from typing import Any

from scaling.errors import InputError


def coerce(spec: object) -> None:
    """Give each field of a frozen dataclass its declared type; ``InputError`` where that changes the value."""
    for name, hint in typing.get_type_hints(type(spec)).items():
        object.__setattr__(spec, name, _typed(f"{type(spec).__name__}.{name}", hint, getattr(spec, name)))


def positive(spec: object, *names: str) -> None:
    """Refuse a spec in which one of the named fields is not above 0."""
    for name in names:
        value = getattr(spec, name)
        if not value > 0:
            raise InputError(f"{type(spec).__name__}.{name} must be positive, got {value!r}")


def _typed(where: str, hint: Any, value: Any) -> Any:
    if isinstance(hint, types.UnionType):
        kinds = typing.get_args(hint)
        if type(None) in kinds:  # int | None
            return None if value is None else _typed(where, kinds[0], value)
        if not isinstance(value, kinds):
            names = " or a ".join(kind.__name__ for kind in kinds)
            raise InputError(f"{where} must be a {names}, got {value!r}")
        return value
    if typing.get_origin(hint) is tuple:
        if not isinstance(value, list | tuple):
            raise InputError(f"{where} must be a list, got {value!r}")
        return tuple(_typed(where, typing.get_args(hint)[0], item) for item in value)
    if hint in (int, float):
        return _number(where, hint, value)
    if isinstance(hint, type) and not isinstance(value, hint):
        raise InputError(f"{where} must be a {hint.__name__}, got {value!r}")
    return value


def _number(where: str, kind: type[int] | type[float], value: Any) -> int | float:
    finite = isinstance(value, numbers.Real) and not isinstance(value, bool) and _is_finite(value)
    if kind is float and finite:
        return float(value)
    if finite and value == int(value):
        return int(value)
    raise InputError(f"{where} must be a {'finite' if kind is float else 'whole'} number, got {value!r}")


def _is_finite(value: numbers.Real) -> bool:
    try:
        return math.isfinite(value)
    except OverflowError:  # a whole number beyond any float
        return False
