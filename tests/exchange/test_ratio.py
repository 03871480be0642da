"""Fieller's roots."""

import numpy as np
from hypothesis import assume, given
from hypothesis import strategies as st

from scaling.exchange.ratio import fieller, lower_bound
from scaling.exchange.uncertainty import LeftOut, components

NUMBERS = st.floats(-5, 5)
SPREADS = st.floats(0.01, 2)


@given(NUMBERS, NUMBERS, SPREADS, SPREADS, st.floats(-0.95, 0.95), st.floats(0.5, 4))
def test_roots_satisfy_their_equation(
    top: float, bottom: float, top_sd: float, bottom_sd: float, correlation: float, reach: float
) -> None:
    covariance = correlation * top_sd * bottom_sd
    # where the roots meet or one goes to infinity, digits are lost
    assume(abs(bottom**2 - (reach * bottom_sd) ** 2) > 1e-2)
    roots = fieller(top, bottom, top_sd**2, bottom_sd**2, covariance, reach)
    if np.isnan(roots).any():
        assert abs(bottom) < reach * bottom_sd  # an interval with two ends always exists beyond
        return
    assert roots[0] <= roots[1]
    for r in roots:
        off = (top - r * bottom) ** 2
        variance = top_sd**2 - 2 * r * covariance + r**2 * bottom_sd**2
        np.testing.assert_allclose(off, reach**2 * variance, rtol=1e-6, atol=1e-6)


@given(st.floats(0.5, 5), st.floats(1, 5), SPREADS)
def test_a_denominator_known_exactly_gives_the_plain_interval(top: float, bottom: float, sd: float) -> None:
    low, high = fieller(top, bottom, sd**2, 0.0, 0.0, 2.0)
    np.testing.assert_allclose([low, high], [(top - 2 * sd) / bottom, (top + 2 * sd) / bottom], atol=1e-9)


def one_group(values: np.ndarray) -> LeftOut:
    """Runs that are all exchangeable, each left out once."""
    n, none = len(values), np.empty(0, dtype=np.intp)
    return LeftOut(values, np.zeros(n, dtype=np.intp), np.full(n, n), np.empty((0, 2)), none)


def test_the_bound_lies_below_the_ratio_and_holds_it_as_often_as_it_says() -> None:
    """Slopes whose training part may be nil, from twelve clusters: one end of a 95 % interval misses in 2.5 %."""
    rng = np.random.default_rng(0)
    clusters, level = 12, 0.95
    truth = np.array([1.0, 0.15])
    given, missed = 0, 0
    for _ in range(400):
        values = truth + rng.normal(0, [0.3, 0.3], (clusters, 2))
        slopes = values.mean(axis=0)
        jackknife = (values.sum(axis=0) - values) / (clusters - 1)
        without = one_group(jackknife)
        if slopes[1] >= components(without, jackknife[:, 1], np.empty(0)).reach(level):
            continue  # told from none: both ends exist
        low = lower_bound(slopes, jackknife, np.empty((0, 2)), without, level)
        if low is None:
            continue
        given += 1
        missed += low > truth[0] / truth[1]
        assert low > 0
        assert slopes[1] <= 0 or low < slopes[0] / slopes[1]
    assert given > 150
    assert missed / given < 0.05


def test_no_bound_where_inference_gains_nothing_either() -> None:
    rng = np.random.default_rng(1)
    values = np.array([0.05, 0.0]) + rng.normal(0, 1, (8, 2))
    jackknife = (values.sum(axis=0) - values) / 7
    without = one_group(jackknife)
    assert lower_bound(values.mean(axis=0), jackknife, np.empty((0, 2)), without, 0.95) is None
