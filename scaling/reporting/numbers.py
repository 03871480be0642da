"""Numbers as text for people: digits follow the error, large counts get a suffix or a power of ten.

Every function is a pure function of its arguments: no locale, no global state.
"""

import math

from scaling.errors import InputError

NOT_IDENTIFIED = "not identified"
MISSING = "–"

_SUPERSCRIPTS = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")
_SUFFIXES = ((1e9, "B"), (1e6, "M"), (1e3, "k"))
_PLAIN_LOW, _PLAIN_HIGH = 1e-3, 1e6
"""Magnitudes outside this range are written with a power of ten."""
_SKEW = 3.0
"""A positive interval reaching this many times its value is read on a log scale."""
_NEAR_ZERO = 0.01
"""A value below this share of the half-width of an interval around zero, in plain decimals, may print as 0."""
_ZERO = 1e-4
"""A lower end below this share of the value is zero for a reader."""


def estimate(value: float, low: float = math.nan, high: float = math.nan, unit: str = "") -> str:
    """A value with its interval, digits following the error: `0.514 [0.475, 0.553]`.

    The last digit printed is the second significant digit of the interval's half-width (of the finite
    side's width when one end is infinite), so rounding never hides or invents precision. A positive
    interval skewed as on a log scale keeps two significant digits of each number instead, and so does an
    interval beside which the value would print as 0. An exact zero prints as 0.

    Args:
        value: point estimate; NaN and infinities print `not identified`.
        low: lower end, may be -inf; NaN means that there is no interval.
        high: upper end, may be inf; NaN means that there is no interval.
        unit: appended after a space.

    Raises:
        InputError: low > high.
    """
    if not math.isfinite(value):
        return NOT_IDENTIFIED
    suffix = f" {unit}" if unit else ""
    if math.isnan(low) or math.isnan(high):
        return f"{plain(value)} (no interval){suffix}"
    if low > high:
        raise InputError(f"an interval must have low <= high, got [{low!r}, {high!r}]: swap its ends")
    width = _half_width(value, low, high)
    log_scale = low > _ZERO * value > 0 and _SKEW * value < high < math.inf
    alone = width in (0, math.inf)
    exponent = 0 if alone else _common_exponent(value, low, high)
    places = 0 if alone else 1 - _exponent_of(width, digits=2) + exponent
    if log_scale or alone or _hidden(value, low, high, width, exponent, places):
        digits = 6 if width == 0 else 4 if alone and not log_scale else 2
        shown = [plain(x, digits, pad=digits == 2) for x in (value, low, high)]
        return f"{shown[0]} {_bracket(shown[1], shown[2], low, high)}{suffix}"
    shown = ["0" if x == 0 else _fixed(_shift(x, -exponent), places) for x in (value, low, high)]
    power = f" × 10{superscript(exponent)}" if exponent else ""
    return f"{shown[0]} {_bracket(shown[1], shown[2], low, high)}{power}{suffix}"


def plain(x: float, digits: int = 4, *, pad: bool = False) -> str:
    """A number to `digits` significant digits, as a power of ten outside 0.001 to a million.

    Args:
        x: any float; NaN prints a dash, infinities the sign and ∞.
        digits: significant digits, at least 1.
        pad: keep trailing zeros.
    """
    if not math.isfinite(x):
        return MISSING if math.isnan(x) else _fixed(x, 0)
    if x == 0:
        return "0"
    rounded = float(f"{x:.{digits - 1}e}")
    if not _PLAIN_LOW <= abs(rounded) < _PLAIN_HIGH:
        return scientific(x, digits, pad=pad)
    text = _fixed(rounded, digits - 1 - _exponent_of(rounded))
    return text if pad else _trim(text)


def scientific(x: float, digits: int = 3, *, pad: bool = False) -> str:
    """A number as a power of ten: `1.25 × 10¹²`."""
    if not math.isfinite(x) or x == 0:
        return plain(x)
    mantissa, exponent = f"{x:.{digits - 1}e}".split("e")
    shown = mantissa.replace("-", "−") if pad else _trim(mantissa.replace("-", "−"))
    return f"{shown} × 10{superscript(int(exponent))}"


def quantity(x: float, unit: str = "", digits: int = 3) -> str:
    """A large count: `125k`, `3.2M tokens`, `1.3B`; from 10¹² on a power of ten, `1.25 × 10¹²`.

    Args:
        x: the count; NaN prints a dash.
        unit: appended after a space.
        digits: significant digits.
    """
    tail = f" {unit}" if unit else ""
    if not math.isfinite(x) or x == 0:
        return plain(x) + tail
    rounded = float(f"{x:.{digits - 1}e}")
    if abs(rounded) >= 1e12:
        return scientific(x, digits) + tail
    for scale, suffix in _SUFFIXES:
        if abs(rounded) >= scale:
            return plain(rounded / scale, digits) + suffix + tail
    return plain(x, digits) + tail


def flops(x: float, digits: int = 3) -> str:
    """Floating-point operations, always as a power of ten: `1.25 × 10¹² FLOP`."""
    return f"{scientific(x, digits)} FLOP"


def percent(fraction: float, digits: int = 2) -> str:
    """A fraction as per cent to `digits` significant digits: .0323 gives `3.2%`; NaN prints a dash."""
    if not math.isfinite(fraction):
        return plain(fraction)
    return plain(100 * fraction, max(digits, 3 if abs(fraction) >= 0.995 else digits)) + "%"


def duration(seconds: float) -> str:
    """A time to a person's precision: `850 ms`, `12.3 s`, `3 min 20 s`, `2 h 5 min`, `3 d 4 h`.

    Args:
        seconds: >= 0; NaN prints a dash.
    """
    if not math.isfinite(seconds):
        return plain(seconds)
    if seconds < 0.9995:
        return f"{plain(1000 * seconds, 3)} ms"
    if seconds < 59.95:
        return f"{plain(seconds, 3)} s"
    for size, large, small, part in ((60, "min", "s", 1), (3600, "h", "min", 60), (86400, "d", "h", 3600)):
        whole, rest = divmod(round(seconds / part), size // part)
        if size == 86400 or whole < {60: 60, 3600: 24}[size]:
            return f"{whole} {large} {rest} {small}" if rest else f"{whole} {large}"
    raise AssertionError("days have no upper limit")


def superscript(exponent: int) -> str:
    """An integer in superscript digits, as in 10¹²."""
    return str(exponent).translate(_SUPERSCRIPTS)


def _half_width(value: float, low: float, high: float) -> float:
    """Half the interval's width; the finite side's width if one end is infinite; inf if both are."""
    if math.isfinite(low) and math.isfinite(high):
        return high / 2 - low / 2
    return min(abs(value - low), abs(value - high))


def _hidden(value: float, low: float, high: float, width: float, exponent: int, places: int) -> bool:
    """Whether digits that follow the interval would print a value as 0 that is none for a reader."""
    near_zero = low < 0 < high and abs(value) < _NEAR_ZERO * width and not exponent
    return (
        value != 0 and not near_zero and not set(_fixed(_shift(value, -exponent), places)) & set("123456789")
    )


def _common_exponent(value: float, low: float, high: float) -> int:
    """Power of ten taken out of all three numbers; 0 where plain decimals read well."""
    largest = max(abs(x) for x in (value, low, high) if math.isfinite(x))
    if largest == 0 or _PLAIN_LOW <= largest < _PLAIN_HIGH:
        return 0
    return _exponent_of(largest)


def _exponent_of(x: float, digits: int = 7) -> int:
    """Power of ten of the leading digit once x is rounded to `digits` significant digits."""
    return int(f"{x:.{digits - 1}e}".split("e")[1])


def _shift(x: float, exponent: int) -> float:
    """Move the decimal point through the decimal form, so that 3e-7 becomes 3, not 2.9999999999999996."""
    if not math.isfinite(x):
        return x
    mantissa, own = f"{x:.16e}".split("e")
    return float(f"{mantissa}e{int(own) + exponent}")


def _fixed(x: float, places: int) -> str:
    if math.isinf(x):
        return "∞" if x > 0 else "−∞"
    text = f"{round(x, places) if places < 0 else x:.{max(places, 0)}f}"
    negative = text.startswith("-") and any(digit in text for digit in "123456789")
    return ("−" if negative else "") + text.removeprefix("-")


def _trim(text: str) -> str:
    return text.rstrip("0").rstrip(".") if "." in text else text


def _bracket(low_text: str, high_text: str, low: float, high: float) -> str:
    return f"{'(' if low == -math.inf else '['}{low_text}, {high_text}{')' if high == math.inf else ']'}"
