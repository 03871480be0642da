"""The engine against statsmodels and scipy, one table at a time and many at once."""

import numpy as np
import pytest
import statsmodels.api as sm
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import lsq_linear

from scaling.exchange.links import CLOGLOG, LINEAR, LOGIT, Link
from scaling.exchange.regression import Regression

FAMILIES = {
    "logit": sm.families.Binomial(),
    "cloglog": sm.families.Binomial(sm.families.links.CLogLog()),
}
CELLS = 30


def regression(
    X: np.ndarray,
    shares: np.ndarray,
    weights: np.ndarray,
    link: Link,
    floor: float = 0.0,
    ceiling: float = 1.0,
    positive: tuple[int, ...] = (),
) -> Regression:
    """Tables (D, M) on one basis (M, p)."""
    draws = len(shares)
    return Regression(
        np.broadcast_to(X, (draws, *X.shape)),
        shares,
        np.broadcast_to(weights, shares.shape),
        link,
        np.full(draws, floor),
        np.full(draws, ceiling),
        np.isin(np.arange(X.shape[1]), positive),
    )


def cells(seed: int, columns: int = 3) -> tuple[np.ndarray, np.ndarray, np.random.Generator]:
    rng = np.random.default_rng(seed)
    X = np.column_stack([np.ones(CELLS), rng.normal(size=(CELLS, columns - 1))])
    return X, rng.integers(5, 300, CELLS).astype(float), rng


@pytest.mark.parametrize("link", [LOGIT, CLOGLOG], ids=lambda one: one.name)
@pytest.mark.parametrize("seed", range(4))
def test_coefficients_and_deviance_are_those_of_statsmodels(link: Link, seed: int) -> None:
    X, weights, rng = cells(seed)
    chance = link.share(X @ np.array([-0.5, 0.8, -0.4]))
    shares = rng.binomial(weights.astype(int), chance, (3, CELLS)) / weights
    beta, value = regression(X, shares, weights, link).solved()
    for row in range(3):
        other = sm.GLM(shares[row], X, FAMILIES[link.name], var_weights=weights).fit(tol=1e-14)
        np.testing.assert_allclose(beta[row], other.params, atol=1e-6)
        np.testing.assert_allclose(value[row], other.deviance, rtol=1e-6)


@pytest.mark.parametrize("link", [LOGIT, CLOGLOG, LINEAR], ids=lambda one: one.name)
def test_a_weight_counts_a_cell_so_often(link: Link) -> None:
    X, _, rng = cells(7)
    shares = rng.uniform(0.1, 0.9, (1, CELLS))
    times = rng.integers(1, 4, CELLS)
    weighted, value = regression(X, shares, times.astype(float), link).solved()
    repeated, same = regression(
        np.repeat(X, times, axis=0), np.repeat(shares, times, axis=1), np.ones(times.sum()), link
    ).solved()
    np.testing.assert_allclose(weighted, repeated, atol=1e-7)
    np.testing.assert_allclose(value, same, rtol=1e-9)


@pytest.mark.parametrize("link", [LOGIT, CLOGLOG], ids=lambda one: one.name)
@pytest.mark.parametrize(("floor", "ceiling"), [(0.25, 1.0), (0.0, 0.8), (0.2, 0.9)])
def test_shares_without_noise_between_a_floor_and_a_ceiling_give_their_coefficients(
    link: Link, floor: float, ceiling: float
) -> None:
    X, weights, _ = cells(2)
    true = np.array([0.3, 1.2, -0.7])
    shares = (floor + (ceiling - floor) * link.share(X @ true))[None]
    beta, value = regression(X, shares, weights, link, floor, ceiling).solved()
    np.testing.assert_allclose(beta[0], true, atol=1e-5)
    assert value[0] < 1e-7


@pytest.mark.parametrize("link", [LOGIT, CLOGLOG], ids=lambda one: one.name)
def test_cells_that_part_perfectly_keep_a_finite_answer(link: Link) -> None:
    x = np.linspace(-1, 1, CELLS)
    X = np.column_stack([np.ones(CELLS), x])
    shares = np.stack([(x > 0).astype(float), np.zeros(CELLS), np.ones(CELLS)])
    one = regression(X, shares, np.full(CELLS, 100.0), link)
    beta, value = one.solved()
    assert np.isfinite(beta).all()
    assert np.isfinite(value).all()
    np.testing.assert_allclose(one.mean(beta)[1:], shares[1:], atol=1e-3)
    assert np.all(np.diff(one.mean(beta)[0]) >= 0)


@given(st.integers(0, 10**6), st.integers(2, 7))
@settings(max_examples=40, deadline=None)
def test_coefficients_held_at_0_or_above_are_those_of_scipy(seed: int, columns: int) -> None:
    """Bounded least squares has one minimum where the columns are independent."""
    X, weights, rng = cells(seed, columns)
    shares = rng.normal(size=(2, CELLS))
    positive = tuple(range(1, columns))
    one = regression(X, shares, weights, LINEAR, positive=positive)
    beta, _ = one.solved()
    root = np.sqrt(weights)
    bounds = (np.where(np.isin(np.arange(columns), positive), 0.0, -np.inf), np.full(columns, np.inf))
    for row in range(2):
        other = lsq_linear(root[:, None] * X, root * shares[row], bounds, method="bvls", tol=1e-14)
        np.testing.assert_allclose(beta[row], other.x, atol=1e-6)


@given(st.integers(0, 10**6))
@settings(max_examples=25, deadline=None)
def test_held_coefficients_satisfy_the_conditions_of_a_minimum(seed: int) -> None:
    """Under the logit too: no gain along any coefficient that is free, or from 0 upwards."""
    X, weights, rng = cells(seed, 5)
    shares = rng.beta(2, 2, (1, CELLS))
    one = regression(X, shares, weights, LOGIT, positive=(1, 2, 3, 4))
    beta, _ = one.solved()
    gradient = X.T @ (weights * (one.mean(beta)[0] - shares[0]))
    scale = weights.sum()
    free = np.concatenate([[True], beta[0, 1:] > 1e-8])
    assert np.all(beta[0, 1:] >= 0)
    np.testing.assert_allclose(gradient[free] / scale, 0, atol=1e-5)
    assert np.all(gradient[~free] / scale > -1e-5)


@given(st.integers(0, 10**6))
@settings(max_examples=15, deadline=None)
def test_many_tables_at_once_are_the_tables_one_by_one(seed: int) -> None:
    X, weights, rng = cells(seed)
    shares = rng.uniform(size=(6, CELLS))
    for link in (LOGIT, CLOGLOG, LINEAR):
        together, _ = regression(X, shares, weights, link).solved()
        apart = [regression(X, shares[k : k + 1], weights, link).solved()[0][0] for k in range(6)]
        np.testing.assert_allclose(together, apart, rtol=1e-9, atol=1e-9)
