"""Coverage beyond the samples: both laws come back, the backtest chooses, and nothing is extrapolated silently."""

import json

import numpy as np
import pytest

from scaling.errors import InputError
from scaling.exchange.coverage import extrapolate_coverage
from scaling.exchange.coverage_laws import backtest_coverage, doublings, predicted, squares
from scaling.laws import BetaBinomial, Coverage
from scaling.samples import pass_at_k


def beta_counts(
    a: float, b: float, problems: int, samples: int, seed: int = 0
) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    return np.full(problems, samples), rng.binomial(samples, rng.beta(a, b, problems))


def test_least_squares_is_exact_on_its_own_law_and_leaves_out_none_and_all() -> None:
    k = doublings(1000)
    assert k.tolist() == [2**i for i in range(10)]
    law = Coverage(a=3.0, b=0.4)
    np.testing.assert_allclose(squares(k, law.predict(k=k)[None])[0], law.values(), rtol=1e-10)
    shares = law.predict(k=k)
    shares[:2], shares[-1] = 0.0, 1.0
    np.testing.assert_allclose(squares(k, shares[None])[0], law.values(), rtol=1e-10)
    assert np.isnan(squares(k, np.r_[0.5, np.ones(9)][None])).all()


def test_measured_k_are_unbiased_and_the_others_marked() -> None:
    n, c = beta_counts(0.4, 20.0, 150, 400)
    found = extrapolate_coverage(n, c, [10, 400, 401, 5000], bootstrap=200)
    assert [point.extrapolated for point in found.points] == [False, False, True, True]
    for point in found.points[:2]:
        assert point.value is not None
        assert point.value.value == pytest.approx(pass_at_k(n, c, point.k).mean(), rel=1e-12)
    for point in found.points[2:]:
        assert point.value == point.by_law["beta_binomial"]
        assert point.spread == abs(point.by_law["coverage"].value - point.by_law["beta_binomial"].value)
    told = next(one for one in found.warnings if one.code == "extrapolated")
    assert told.message.startswith("2 of 4 k are above the samples of a problem; the laws differ by")
    assert found.status == "ok"
    json.dumps(found.to_json())
    assert "extrapolated" in found.summary()


def test_intervals_beyond_the_samples_hold_the_truth_where_the_law_holds() -> None:
    """100 sets of 128 problems; nominal 95 %."""
    law = BetaBinomial(a=0.4, b=20.0)
    truth = float(law.predict(k=2000))
    held = []
    for seed in range(100):
        n, c = beta_counts(law.a, law.b, 128, 200, seed)
        found = extrapolate_coverage(n, c, 2000, backtest=False, bootstrap=200, seed=seed)
        e = found.points[0].by_law["beta_binomial"]
        assert e.low is not None
        assert e.high is not None
        held.append(e.low <= truth <= e.high)
    assert np.mean(held) >= 0.89


SPREADS = {
    "beta": ("beta_binomial", lambda rng: rng.beta(0.4, 300.0, 400)),
    "log-normal": ("coverage", lambda rng: np.minimum(10 ** rng.normal(-2, 1, 400), 1.0)),
    "a third never": (
        "coverage",
        lambda rng: np.where(rng.uniform(size=400) < 0.35, 0.0, rng.beta(3, 3, 400)),
    ),
}
"""How difficulties spread, and the law that then goes on better."""


@pytest.mark.parametrize("name", SPREADS)
def test_the_backtest_chooses_by_how_difficulties_spread(name: str) -> None:
    better, draw = SPREADS[name]
    rng = np.random.default_rng(1)
    found = extrapolate_coverage(np.full(400, 2000), rng.binomial(2000, draw(rng)), 4000, bootstrap=0)
    assert found.chosen == better
    assert found.backtest is not None
    assert found.backtest.wins(better) > 0.9
    assert found.points[0].value == found.points[0].by_law[better]
    assert found.why.startswith("fitted to 200 samples and asked for up to 2,000 it was off by")
    if name == "a third never":
        assert found.backtest.bias("beta_binomial") > 0.1


def test_a_backtest_keeps_a_tenth_and_asks_above_it() -> None:
    n, c = beta_counts(0.4, 20.0, 100, 1000)
    told = backtest_coverage(n, c, thinnings=3)
    assert told.kept == 100
    assert told.k.tolist() == [125, 250, 500, 1000]
    np.testing.assert_allclose(told.unbiased, pass_at_k(n, c, told.k).mean(axis=0))
    assert {law: errors.shape for law, errors in told.errors.items()} == {
        "coverage": (3, 4),
        "beta_binomial": (3, 4),
    }
    again, other = backtest_coverage(n, c, thinnings=3), backtest_coverage(n, c, thinnings=3, seed=1)
    np.testing.assert_array_equal(told.errors["coverage"], again.errors["coverage"])
    assert not np.array_equal(told.errors["coverage"], other.errors["coverage"])
    rare = backtest_coverage(np.full(50, 1000), np.r_[np.zeros(49, int), 1])
    assert rare.thinnings + rare.failed == 20
    assert rare.failed > 10
    with pytest.raises(InputError, match="1 of 10 samples would be left"):
        backtest_coverage(n // 100, np.minimum(c, 5))
    with pytest.raises(InputError, match="1000 of 1,000 samples would be left"):
        backtest_coverage(n, c, samples=1000)


def test_samples_that_went_with_the_outcome_leave_the_likelihood() -> None:
    rng = np.random.default_rng(0)
    rate = rng.beta(0.4, 4, 200)
    first = rng.binomial(128, rate)
    n = np.where(first == 0, 1024, 128)
    c = np.where(first == 0, rng.binomial(1024, rate), first)
    found = extrapolate_coverage(n, c, 1000, bootstrap=0)
    assert found.chosen == "beta_binomial"
    assert "samples went with the outcome" in found.why
    assert "adaptive_n" in {one.code for one in found.warnings}


@pytest.mark.parametrize(
    ("n", "c", "says"),
    [
        ([50] * 30, [0] * 30, "no sample is right in 30 problems"),
        ([50] * 30, [50] * 30, "every sample is right in 30 problems"),
        ([50], [10], "one problem"),
        ([1, 1, 1], [0, 1, 1], "a problem has one sample"),
        ([9, 9], [9, 0], "fewer than two numbers"),
    ],
)
def test_where_no_law_can_be_fitted_nothing_is_extrapolated(n: list[int], c: list[int], says: str) -> None:
    if says.startswith("fewer"):
        n, c = [2, 2], [2, 1]  # pass@2 is 1
    found = extrapolate_coverage(n, c, [1, 100], bootstrap=20)
    assert found.status == "not identified"
    assert says in found.why
    measured, beyond = found.points
    assert measured.value is not None
    assert measured.value.value == pytest.approx(np.mean(np.array(c) / n))
    assert beyond.extrapolated
    assert beyond.value is None
    assert beyond.by_law == {}
    assert "no_law" in {one.code for one in found.warnings}
    assert "not identified" in str(found)


def test_without_a_backtest_both_laws_are_told_and_none_is_chosen() -> None:
    n, c = beta_counts(0.4, 20.0, 100, 200)
    found = extrapolate_coverage(n, c, [100, 1000], backtest=False, bootstrap=0)
    assert (found.chosen, found.status) == (None, "not identified")
    assert found.points[1].value is None
    assert set(found.points[1].by_law) == {"coverage", "beta_binomial"}
    few = extrapolate_coverage(n // 20, np.minimum(c, 10), [100], bootstrap=0)
    assert "fewer than 20 samples" in few.why


def test_what_is_no_count_is_refused() -> None:
    with pytest.raises(InputError, match="k is 0; give whole numbers of samples"):
        extrapolate_coverage([9, 9], [3, 4], [1, 0])
    with pytest.raises(InputError, match="expected at least one sample"):
        extrapolate_coverage([9], [10], 1)
    assert np.isnan(predicted("coverage", np.array([[np.nan, np.nan]]), np.array([1]))).all()
