"""Options of the command line that hold several values: NAME=VALUE, given once or more, and numbers with commas."""

from __future__ import annotations

from scaling.errors import InputError


def numbers(options: list[str], flag: str, example: str = "E=1.69") -> dict[str, float]:
    """Split repeated NAME=VALUE options whose values are numbers."""
    found = {}
    for name, value in pairs(options, flag, example).items():
        try:
            found[name] = float(value)
        except ValueError as error:
            raise InputError(
                f"{flag} {name}={value}: {value!r} is no number; give one, as in {flag} {example}"
            ) from error
    return found


def ends(options: list[str], flag: str, example: str, form: str) -> dict[str, tuple[float, float]]:
    """Split repeated NAME=NUMBER,NUMBER options; ``form`` says what the two are."""
    found = {}
    for name, value in pairs(options, flag, example, form).items():
        try:
            first, second = map(float, value.split(","))
        except ValueError as error:
            raise InputError(
                f"{flag} {name}={value}: expected two numbers, as in {flag} {example}"
            ) from error
        found[name] = (first, second)
    return found


def pairs(
    options: list[str], flag: str, example: str = "N=params", form: str = "NAME=VALUE"
) -> dict[str, str]:
    """Split repeated NAME=VALUE options."""
    found: dict[str, str] = {}
    for option in options:
        name, equals, value = option.partition("=")
        if not equals or not name.strip() or not value.strip():
            raise InputError(f"{flag} {option!r}: expected {form}, such as {flag} {example}")
        if name.strip() in found:
            raise InputError(f"{flag} gives {name.strip()} twice; give it once")
        found[name.strip()] = value.strip()
    return found


def listed(text: str | None, flag: str, example: str) -> tuple[float, ...] | None:
    """Split numbers at commas."""
    if text is None:
        return None
    try:
        return tuple(float(part) for part in text.split(","))
    except ValueError as error:
        raise InputError(
            f"{flag} {text!r}: expected numbers with commas between, such as {flag} {example}"
        ) from error


def listed_whole(text: str | None, flag: str, example: str) -> tuple[int, ...] | None:
    """Split whole numbers, 1 or more, at commas."""
    found = listed(text, flag, example)
    if found is None:
        return None
    if any(one % 1 or one < 1 for one in found):
        raise InputError(f"{flag} {text!r}: expected whole numbers, 1 or more, such as {flag} {example}")
    return tuple(int(one) for one in found)
