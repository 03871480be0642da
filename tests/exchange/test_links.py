"""Every link is a monotone map with its inverse and slope."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import expit

from scaling.errors import InputError
from scaling.exchange import links
from scaling.exchange.links import CLOGLOG, LINEAR, LOGIT, Link

OF_ALL = pytest.mark.parametrize("link", links.ALL, ids=lambda one: one.name)
X = np.linspace(-6.0, 2.5, 200)


@OF_ALL
def test_scale_is_the_inverse_of_share(link: Link) -> None:
    np.testing.assert_allclose(link.scale(link.share(X)), X, rtol=1e-9, atol=1e-9)


@OF_ALL
def test_slope_is_the_derivative_of_share(link: Link) -> None:
    step = 1e-5
    numerical = (link.share(X + step) - link.share(X - step)) / (2 * step)
    np.testing.assert_allclose(link.slope(X), numerical, rtol=1e-6, atol=1e-9)
    assert np.all(link.slope(X) > 0)


@given(st.floats(-1e6, 1e6))
def test_shares_of_probabilities_stay_within_0_and_1_however_far(x: float) -> None:
    for link in (LOGIT, CLOGLOG):
        share, slope = link.share(np.array(x)), link.slope(np.array(x))
        assert 0 <= share <= 1
        assert np.isfinite(slope)
        assert np.isfinite(link.scale(share))


def test_formulas() -> None:
    np.testing.assert_allclose(LOGIT.share(X), expit(X), rtol=1e-14)
    np.testing.assert_allclose(CLOGLOG.share(X), 1 - np.exp(-np.exp(X)), rtol=1e-12)
    np.testing.assert_array_equal(LINEAR.share(X), X)


def test_a_link_is_found_by_its_name_alone() -> None:
    assert [links.find(one.name) for one in links.ALL] == list(links.ALL)
    with pytest.raises(InputError, match=r"link is 'probit'; give logit, cloglog, linear"):
        links.find("probit")
