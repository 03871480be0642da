import math

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from scaling.errors import InputError
from scaling.reporting import numbers

nan, inf = math.nan, math.inf

ESTIMATES = [
    ((0.514, 0.475, 0.553), "0.514 [0.475, 0.553]"),
    ((477.8, 250, 900), "480 [250, 900]"),
    ((20.1, 18.2, 22.9, "tokens per parameter"), "20.1 [18.2, 22.9] tokens per parameter"),
    ((4.97e6, 1.2e6, 8.1e6), "5.0 [1.2, 8.1] × 10⁶"),
    ((1.23e-9, 1.1e-9, 1.5e-9), "1.23 [1.10, 1.50] × 10⁻⁹"),
    ((2143, 35, 90000), "2100 [35, 90000]"),  # skewed: a common last digit would print low as 0
    ((0.3, 1e-9, 1.2), "0.30 [0.00, 1.20]"),  # a floor that may be zero
    ((-0.0003, -0.04, 0.039), "0.000 [−0.040, 0.039]"),  # no negative zero
    (
        (2.947, 0.0, 2.2e39),
        "2.9 [0, 2.2 × 10³⁹]",
    ),  # its own digits, where a common last digit hides the value
    ((2.947, 1e-9, 2.2e39), "2.9 [1.0 × 10⁻⁹, 2.2 × 10³⁹]"),
    ((2.947, -2.2e39, 2.2e39), "2.9 [−2.2 × 10³⁹, 2.2 × 10³⁹]"),
    ((2e-7, 0.0, 0.00127), "2.0 × 10⁻⁷ [0, 0.0013]"),
    ((0.0, 0.0, 0.00127), "0 [0, 0.00127]"),  # exact zeros
    ((-0.001, -1, 0), "−0.0010 [−1.0, 0]"),
    ((0.01, -0.1, 0.1), "0.01 [−0.10, 0.10]"),
    ((0.004, -0.1, 0.1), "0.0040 [−0.10, 0.10]"),
    ((1e-300, -inf, 0.1), "0.00 (−∞, 0.10]"),  # plain decimals around zero
    ((0.5, 0.4, inf), "0.50 [0.40, ∞)"),
    ((0.5, -inf, 0.6), "0.50 (−∞, 0.60]"),
    ((0.5, -inf, inf), "0.5 (−∞, ∞)"),
    ((0.123456789, 0.123456789, 0.123456789), "0.123457 [0.123457, 0.123457]"),
    ((0.0, 0.0, 0.0), "0 [0, 0]"),
    ((nan, 1, 2), "not identified"),
    ((0.5, nan, nan), "0.5 (no interval)"),
    ((1.5,), "1.5 (no interval)"),
]

QUANTITIES = [
    (0, "0"), (12.345, "12.3"), (999.7, "1k"), (125_000, "125k"), (3.2e6, "3.2M"), (1.3e9, "1.3B"),
    (9.999e11, "1 × 10¹²"), (1.25e12, "1.25 × 10¹²"), (-4.2e5, "−420k"), (0.00012, "1.2 × 10⁻⁴"),
    (nan, "–"), (inf, "∞"),
]  # fmt: skip

DURATIONS = [
    (0.00085, "0.85 ms"), (0.85, "850 ms"), (0.9999, "1 s"), (12.34, "12.3 s"), (59.96, "1 min"),
    (200, "3 min 20 s"), (3599.9, "1 h"), (7500, "2 h 5 min"), (86399, "1 d"), (273000, "3 d 4 h"),
]  # fmt: skip


def parse(text: str) -> float:
    """The number a reader takes from a printed one."""
    mantissa, _, power = text.replace("−", "-").partition(" × 10")
    if mantissa in ("∞", "-∞"):
        return math.copysign(inf, -1 if "-" in mantissa else 1)
    digits = power.translate(str.maketrans("⁻⁰¹²³⁴⁵⁶⁷⁸⁹", "-0123456789"))
    return float(f"{mantissa}e{digits or 0}")


def parse_estimate(text: str) -> tuple[float, float, float]:
    head, _, rest = text.partition(next(mark for mark in (" [", " (") if mark in text))
    ends, _, power = rest.replace(")", "]").partition("]")
    low, high = ends.split(", ")
    return tuple(parse(part + (power if " × " not in part else "")) for part in (head, low, high))


@pytest.mark.parametrize(("arguments", "text"), ESTIMATES)
def test_estimate_prints_the_digits_that_the_interval_supports(arguments, text):
    assert numbers.estimate(*arguments) == text


@given(st.floats(-1e12, 1e12), st.floats(1e-12, 1e12), st.floats(0.2, 1))
@example(0.0995, 0.0095, 1.0)
@example(999_999.9, 10.0, 1.0)
@example(1.75, 1.0, 0.9921875)
def test_a_printed_estimate_reads_back_within_its_last_digit_and_keeps_its_order(value, below, ratio):
    low, high = value - below, value + below * ratio
    half_width = (high - low) / 2
    assume(half_width > 1e-9 * abs(value) and not (low > 0 and high > 3 * value))
    assume(abs(value) > half_width / 20)  # below, see the next test
    shown = parse_estimate(numbers.estimate(value, low, high))
    for printed, exact in zip(shown, (value, low, high), strict=True):
        # the last digit is a tenth of the half-width, at most of .995, which is rounded to 1.0
        assert abs(printed - exact) <= 0.05 / 0.995 * half_width * (1 + 1e-9)
    assert shown[1] <= shown[0] <= shown[2]


SIGNED = st.builds(math.copysign, st.floats(-30, 40).map(lambda power: 10**power), st.sampled_from([-1, 1]))


@given(st.one_of(SIGNED, st.just(0.0)), st.lists(st.one_of(SIGNED, st.just(0.0)), min_size=2, max_size=2))
@example(2.947, [0.0, 2.2e39])
@example(1e-12, [0.0, 0.00127])
@example(-0.0003, [-0.04, 0.039])
@example(-1.0, [0.0, -1000.0])
def test_rounding_never_hides_the_value(value, ends):
    low, high = min([value, *ends]), max([value, *ends])
    text = numbers.estimate(value, low, high)
    shown, half_width = parse_estimate(text), (high - low) / 2
    assert abs(shown[0] - value) <= max(0.0501 * abs(value), 0.1 * half_width)
    assert shown[0] != 0 or value == 0 or (low < 0 < high and abs(value) < 0.01 * half_width <= 1e4)
    assert shown[0] * value >= 0
    assert value != 0 or text.startswith("0 ")
    assert shown[1] <= shown[0] <= shown[2]


@given(st.floats(1e-9, 1e12), st.floats(1, 1e4), st.floats(3.1, 1e6))
def test_a_skewed_estimate_keeps_two_digits_of_each_number(value, down, up):
    low, high = value / down, value * up
    shown = parse_estimate(numbers.estimate(value, low, high))
    assume(low > 1e-4 * value)
    for printed, exact in zip(shown, (value, low, high), strict=True):
        assert printed == pytest.approx(exact, rel=0.0501)
    assert shown[1] <= shown[0] <= shown[2]


@given(st.floats(allow_nan=True), st.floats(allow_nan=True), st.floats(allow_nan=True))
def test_every_ordered_triple_of_floats_prints(value, low, high):
    assume(not low > high)
    assert numbers.estimate(value, low, high)


def test_an_interval_with_swapped_ends_is_refused():
    with pytest.raises(InputError, match=r"low <= high, got \[2, 1\]"):
        numbers.estimate(1.5, 2, 1)


@pytest.mark.parametrize(("x", "text"), QUANTITIES)
def test_quantity(x, text):
    assert numbers.quantity(x) == text
    assert numbers.quantity(x, "tokens") == f"{text} tokens"


@given(st.floats(-1e15, 1e15))
def test_a_quantity_reads_back_to_three_digits(x):
    text = numbers.quantity(x)
    scale = {"k": 1e3, "M": 1e6, "B": 1e9}.get(text[-1], 1.0)
    assert parse(text.rstrip("kMB")) * scale == pytest.approx(x, rel=0.00501)


@pytest.mark.parametrize(("seconds", "text"), DURATIONS)
def test_duration(seconds, text):
    assert numbers.duration(seconds) == text


def test_percent_and_flops():
    assert [numbers.percent(x) for x in (0.0323, 0.953, 0.9987, 1, 0, nan)] == [
        "3.2%", "95%", "99.9%", "100%", "0%", "–",
    ]  # fmt: skip
    assert numbers.flops(6.5e18) == "6.5 × 10¹⁸ FLOP"
    assert numbers.scientific(2e4, pad=True) == "2.00 × 10⁴"
