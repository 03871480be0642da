"""Bootstraps: what they hold fixed, and whether their intervals cover."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scaling import resampling
from scaling.errors import InputError
from scaling.resampling import clusters, pairs, parametric, percentile, trunk_freedom, trunks_within_size

Rng = np.random.Generator


@given(rows=st.integers(2, 60), seed=st.integers(0, 9))
@settings(deadline=None, max_examples=25)
def test_pairs_draw_as_many_rows_as_there_are(rows: int, seed: int) -> None:
    weights = pairs(rows, 20, np.random.default_rng(seed)).weights
    assert weights is not None
    assert np.all(weights.sum(axis=1) == rows)
    assert np.all((weights >= 0) & (weights == np.round(weights)))


def test_same_seed_same_draws() -> None:
    one, two, other = (pairs(30, 5, np.random.default_rng(seed)).weights for seed in (1, 1, 2))
    np.testing.assert_array_equal(one, two)
    assert not np.array_equal(one, other)


@given(labels=st.lists(st.sampled_from("abcde"), min_size=6, max_size=40).filter(lambda x: len(set(x)) > 1))
@settings(deadline=None, max_examples=25)
def test_clusters_stay_together(labels: list[str]) -> None:
    drawn = clusters(labels, 15, np.random.default_rng(0))
    assert drawn.clusters == len(set(labels))
    assert drawn.weights is not None
    for label in set(labels):
        block = drawn.weights[:, np.array(labels) == label]
        assert np.all(block == block[:, :1])
    first = [labels.index(label) for label in set(labels)]
    assert np.all(drawn.weights[:, first].sum(axis=1) == drawn.clusters)


def test_one_cluster_is_refused() -> None:
    with pytest.raises(InputError, match="at least two"):
        clusters(["a"] * 5, 10, np.random.default_rng(0))


def test_percentile_leaves_out_draws_without_an_answer() -> None:
    low, high = percentile(np.append(np.arange(101.0), np.nan)[:, None], 0.9)
    assert (low[0], high[0]) == (pytest.approx(5.0), pytest.approx(95.0))


def test_parametric_spread() -> None:
    drawn = parametric(np.array([1.0, 5.0]), 0.1, 10_000, 20_000, np.random.default_rng(0)).values
    assert drawn is not None
    np.testing.assert_allclose(drawn.mean(axis=0), [1.0, 5.0], atol=4e-3)
    np.testing.assert_allclose(drawn.std(axis=0), 0.1, rtol=0.02)


def design(sizes: int, trunks: list[int], durations: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Labels of trunk, size and duration of every row."""
    rows = [(10 * s + t, s, d) for s in range(sizes) for t in range(trunks[s]) for d in range(durations)]
    return tuple(np.array(column) for column in zip(*rows, strict=True))


def losses(labels: tuple[np.ndarray, ...], rng: Rng, offset: float, branch: float) -> np.ndarray:
    """Log losses about 0: an offset shared by the rows of a trunk, and noise of each row."""
    _, trunk_of = np.unique(labels[0], return_inverse=True)
    return rng.normal(0, offset, trunk_of.max() + 1)[trunk_of] + rng.normal(0, branch, len(trunk_of))


def test_trunks_move_together_and_with_the_unbiased_spread() -> None:
    # Two trunks a size: the factor sqrt(2) makes up for the mean, which took half of the freedom.
    rng = np.random.default_rng(3)
    labels = design(400, [2] * 400, 4)
    drawn = trunks_within_size(losses(labels, rng, 0.1, 1e-6), *labels, 200, rng).values
    assert drawn is not None
    by_trunk = drawn.reshape(200, 400, 2, 4)
    assert np.ptp(by_trunk - by_trunk.mean(axis=3, keepdims=True)) < 1e-4
    # 400 degrees of freedom: a standard error of 3.5 %.
    assert by_trunk.std(axis=0).mean() == pytest.approx(0.1, rel=0.08)


def test_branch_noise_is_kept_too() -> None:
    rng = np.random.default_rng(4)
    labels = design(400, [2] * 400, 4)
    drawn = trunks_within_size(losses(labels, rng, 1e-9, 0.1), *labels, 200, rng).values
    assert drawn is not None
    by_trunk = drawn.reshape(200, 400, 2, 4)
    assert by_trunk.std(axis=0).mean() == pytest.approx(0.1, rel=0.05)
    # The branches' own noise, not an offset: the mean of a trunk's four moves half as much as one.
    assert by_trunk.mean(axis=3).std(axis=0).mean() == pytest.approx(0.05, rel=0.08)


def coverage(trunks: list[int], simulations: int = 300) -> float:
    """How often the 95 % interval of a slope of mean log loss on log size holds the true slope, 0."""
    rng = np.random.default_rng(5)
    labels = design(len(trunks), trunks, 4)
    weights = (labels[1] - labels[1].mean()) / np.sum((labels[1] - labels[1].mean()) ** 2)
    hits = 0
    for _ in range(simulations):
        drawn = trunks_within_size(losses(labels, rng, 0.01, 0.003), *labels, 400, rng).values
        assert drawn is not None
        low, high = percentile(drawn @ weights, 0.95)
        hits += low <= 0 <= high
    return hits / simulations


def test_trunks_within_size_covers_at_a_real_design() -> None:
    # 5 sizes x 2 seeds x 4 durations; 300 simulations have a standard error of 1.3 points.
    assert 0.91 <= coverage([2, 2, 2, 2, 2]) <= 0.985


def test_sizes_with_one_trunk_borrow_the_spread() -> None:
    assert 0.91 <= coverage([2, 2, 2, 1, 1]) <= 0.985


def test_one_trunk_a_size_has_no_population_interval() -> None:
    labels = design(5, [1] * 5, 4)
    assert trunk_freedom(*labels) == 0
    with pytest.raises(InputError, match="no size has two trunks"):
        trunks_within_size(np.zeros(20), *labels, 10, np.random.default_rng(0))


def test_only_trunks_that_ran_equally_long_tell_how_seeds_spread() -> None:
    """Runs of one size at other durations are no replicates, however many there are."""
    sizes, durations = np.repeat([1, 2, 3], 5), np.tile(np.arange(5), 3)
    whole = np.arange(15)  # every run is a trunk of its own
    assert trunk_freedom(whole, sizes, durations) == 0
    with pytest.raises(InputError, match="no size has two trunks at one duration"):
        trunks_within_size(np.zeros(15), whole, sizes, durations, 10, np.random.default_rng(0))
    twice = (np.append(whole, 15), np.append(sizes, 2), np.append(durations, 2))
    assert trunk_freedom(*twice) == 1, "one repeated run is one degree of freedom"


def test_trunks_linked_through_others_count_once() -> None:
    # a and b share duration 0, b and c share duration 1: three trunks of one size, two differences
    trunk, duration = np.array(["a", "b", "b", "c", "d"]), np.array([0, 0, 1, 1, 2])
    assert trunk_freedom(trunk, np.ones(5), duration) == 2


def test_draws_do_not_depend_on_how_many_are_drawn_together(monkeypatch: pytest.MonkeyPatch) -> None:
    labels = np.arange(30) % 7
    whole = [pairs(30, 50, np.random.default_rng(0)), clusters(labels, 50, np.random.default_rng(0))]
    monkeypatch.setattr(resampling, "BLOCK", 100)
    parts = [pairs(30, 50, np.random.default_rng(0)), clusters(labels, 50, np.random.default_rng(0))]
    taken = np.random.default_rng(0).integers(30, size=(50, 30))
    once = [np.bincount(rows, minlength=30) for rows in taken]
    np.testing.assert_array_equal(parts[0].weights, once)
    for one, other in zip(whole, parts, strict=True):
        np.testing.assert_array_equal(one.weights, other.weights)
