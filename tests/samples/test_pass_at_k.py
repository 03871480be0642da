"""pass@k is the share of subsets that hold a right sample, to ten digits, whatever the counts."""

from fractions import Fraction
from itertools import combinations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import hypergeom

from scaling.errors import InputError
from scaling.samples import pass_at_k


def exact(n: int, c: int, k: int) -> float:
    none = Fraction(1)
    fewer, more = min(c, k), max(c, k)
    top = bottom = 1
    for i in range(fewer):
        top, bottom = top * max(n - i - more, 0), bottom * (n - i)
    none = Fraction(top, bottom)
    return float(1 - none)


@given(st.data())
def test_it_is_the_share_of_all_subsets(data: st.DataObject) -> None:
    n = data.draw(st.integers(1, 8))
    c = data.draw(st.integers(0, n))
    k = data.draw(st.integers(1, n))
    holds = [any(i < c for i in subset) for subset in combinations(range(n), k)]
    assert pass_at_k(n, c, k) == pytest.approx(np.mean(holds), abs=1e-15)


@given(st.data())
def test_ten_digits_against_rational_arithmetic(data: st.DataObject) -> None:
    n = data.draw(st.sampled_from([2, 50, 129, 1000, 10_112, 4_000_000]))
    size = st.one_of(st.integers(1, min(n, 40)), st.integers(1, min(n, 700)))
    c, k = data.draw(size), data.draw(size)
    assert pass_at_k(n, c, k) == pytest.approx(exact(n, c, k), rel=1e-10)


@pytest.mark.parametrize(
    ("n", "c", "k"),
    [
        (4_000_000, 1, 1),
        (4_000_000, 65, 65),
        (4_000_000, 86, 1033),
        (130, 65, 65),
        (130, 65, 66),
        (200, 66, 130),
    ],
)
def test_both_sides_of_the_change_of_method(n: int, c: int, k: int) -> None:
    assert pass_at_k(n, c, k) == pytest.approx(exact(n, c, k), rel=1e-10)


def test_it_is_scipys_hypergeometric_distribution() -> None:
    n, c, k = np.array([20, 300, 300, 5000]), np.array([0, 7, 299, 80]), np.array([1, 5, 20])
    other = hypergeom.sf(0, n[:, None], c[:, None], k)
    np.testing.assert_allclose(pass_at_k(n, c, k), other, rtol=1e-9)


def test_one_sample_is_the_plain_share_and_more_never_do_worse() -> None:
    rng = np.random.default_rng(0)
    n = rng.integers(50, 500, (4, 30))
    c = rng.binomial(n, rng.beta(0.5, 2, n.shape))
    share = pass_at_k(n, c, np.arange(1, 51))
    assert share.shape == (4, 30, 50)
    np.testing.assert_allclose(share[..., 0], c / n, rtol=1e-14)
    assert (np.diff(share, axis=-1) >= -1e-14).all()
    np.testing.assert_array_equal(share[..., 6], pass_at_k(n, c, 7))


@pytest.mark.parametrize(
    ("call", "line"),
    [
        (
            lambda: pass_at_k([10, 6], [1, 2], 7),
            "k is 7; give a whole number from 1 to 6, the fewest samples",
        ),
        (lambda: pass_at_k(10, 1, 0), "k is 0; give a whole number from 1 to 10"),
        (lambda: pass_at_k(10, 1, 1.5), "k is 1.5; give a whole number"),
        (lambda: pass_at_k(10, 1, "2"), "k is '2'; give a whole number"),
        (lambda: pass_at_k(10, 1, [[1]]), "k has shape"),
        (lambda: pass_at_k(10, 11, 1), "n is 10 and c 11; expected"),
        (lambda: pass_at_k(10, -1, 1), "n is 10 and c -1; expected"),
        (lambda: pass_at_k([], [], 1), "n is empty"),
        (lambda: pass_at_k([3, 4, 5], [1, 2], 1), "give one c for each n"),
        (lambda: pass_at_k(10, np.nan, 1), "c is nan; give whole numbers"),
    ],
)
def test_what_means_nothing_is_refused(call: object, line: str) -> None:
    with pytest.raises(InputError) as caught:
        call()  # type: ignore[operator]
    assert line in str(caught.value)
