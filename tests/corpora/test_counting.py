"""The counting learner: Bayes-optimal, equal to counting generated text, with the exact exponents."""

from collections.abc import Callable

import numpy as np
import pytest

from scaling.corpora import SantaFe
from scaling.corpora import santa_fe_laws as laws
from scaling.corpora.counting import excess, measure, predict, value_excess
from scaling.corpora.santa_fe import M, level_probabilities, true_values
from scaling.errors import InputError


def _counts(rng: np.random.Generator, facts: int, sightings: int) -> np.ndarray:
    chances = [laws.RIGHT] + [laws.WRONG] * (M - 1)
    return rng.multinomial(sightings, chances, size=facts)


def test_predictions_are_bayes_rule() -> None:
    counts = _counts(np.random.default_rng(0), 200, 3)
    likelihood = np.exp(
        counts * np.log(laws.RIGHT) + (counts.sum(1, keepdims=True) - counts) * np.log(laws.WRONG)
    )
    posterior = likelihood / likelihood.sum(1, keepdims=True)
    expected = posterior @ (np.eye(M) * (laws.RIGHT - laws.WRONG) + laws.WRONG)
    np.testing.assert_allclose(np.exp(predict(counts)), expected, rtol=1e-9)


def test_the_excess_of_a_value_is_the_divergence_from_the_truth() -> None:
    counts = _counts(np.random.default_rng(1), 200, 4)
    truth = np.array([laws.RIGHT] + [laws.WRONG] * (M - 1))
    expected = (truth * (np.log(truth) - predict(counts))).sum(1)
    np.testing.assert_allclose(value_excess(counts), expected, atol=1e-12)
    assert value_excess(np.zeros((1, M), dtype=int))[0] == pytest.approx(laws.DELTA, rel=1e-12)
    assert value_excess(np.array([[1000] + [0] * 15]))[0] == pytest.approx(0, abs=1e-12)


def test_more_sightings_never_hurt_on_average() -> None:
    rng = np.random.default_rng(2)
    means = [value_excess(_counts(rng, 40_000, sightings)).mean() for sightings in range(8)]
    assert (np.diff(means) < 0).all()


@pytest.mark.parametrize("tokens", [3_000, 30_000])
def test_it_agrees_with_counting_generated_text(tokens: int, read: Callable) -> None:
    """Mean over 40 streams against mean over 400 learners, at several capacities."""
    levels = [2, 5, 8]
    texts = SantaFe().prepare().batch(11, 0, 40, tokens)
    counted = []
    for text in texts:
        found = read(text[None])
        right = true_values(found.level.astype(np.uint64), found.key.astype(np.uint64)).astype(np.int64)
        losses = []
        for level in range(max(levels)):
            here = found.level == level
            counts = np.zeros((2**level, M), dtype=np.int64)
            np.add.at(counts, (found.key[here], (found.value[here] - right[here]) % M), 1)
            losses.append(value_excess(counts).mean() * level_probabilities(0.5)[level])
        sums = np.concatenate([[0], np.cumsum(losses)])[levels]
        counted.append(
            (sums + laws.DELTA * 2.0 ** (-0.5 * np.array(levels))) / laws.mean_sentence_tokens(0.5)
        )
    learned = np.array([excess(levels, [tokens], seed)[:, 0] for seed in range(400)])
    error = np.sqrt(np.var(counted, axis=0) / len(counted) + learned.var(axis=0) / len(learned))
    assert (abs(np.mean(counted, axis=0) - learned.mean(axis=0)) < 4 * error + 1e-12).all()
    np.testing.assert_allclose(np.std(counted, axis=0), learned.std(axis=0), rtol=0.5, atol=1e-5)


def test_it_lies_between_knowing_its_facts_and_an_ideal_memoriser_that_lacks_them() -> None:
    levels, tokens = list(range(4, 15)), np.geomspace(1e4, 1e8, 9)
    found = excess(levels, tokens, 0)
    facts = np.array([laws.excess_of_facts(2**level - 1) for level in levels])
    assert (found >= facts[:, None] - 1e-15).all()
    ideal = np.array([laws.excess_of_tokens(tokens_seen) for tokens_seen in tokens])
    assert (found > ideal * 0.98).all()
    assert (found < 1.5 * (ideal + facts[:, None])).all()


def test_counts_of_one_stream_are_nested() -> None:
    whole = excess([10], np.geomspace(1e4, 1e7, 13), 3)[0]
    assert (np.diff(whole)[:8] < 0).all()
    assert not np.array_equal(whole, excess([10], np.geomspace(1e4, 1e7, 13), 4)[0])
    np.testing.assert_array_equal(whole, excess([10], np.geomspace(1e4, 1e7, 13), 3)[0])


def test_the_exponents_are_the_reference_ones() -> None:
    """Published for a counting learner at a = .5: .501 +- .005 in facts and .344 +- .012 in tokens."""
    levels = list(range(4, 13))
    facts = excess(levels, [1e9], 0)[:, 0]
    assert -np.polyfit(np.log(2) * np.array(levels), np.log(facts), 1)[0] == pytest.approx(0.501, abs=0.005)
    tokens = np.geomspace(1e4, 1e7, 10)
    # Level 17 is as good as unread at 1e7 tokens: such a capacity does not bind.
    slopes = [-np.polyfit(np.log(tokens), np.log(excess([17], tokens, seed)[0]), 1)[0] for seed in range(8)]
    assert np.mean(slopes) == pytest.approx(0.344, abs=0.012)


def test_a_measured_loss_is_the_entropy_plus_the_excess_within_its_error() -> None:
    for level, tokens in ((0, 1e4), (6, 1e5), (10, 1e5), (10, 1e7)):
        exact = laws.entropy() + np.mean([excess([level], [tokens], seed)[0, 0] for seed in range(20)])
        losses, errors = np.transpose([measure(level, tokens, 2**18, seed) for seed in range(100)])
        pulls = (losses - exact) / errors
        assert abs(pulls.mean()) < 0.4
        assert 0.8 < pulls.std() < 1.25


def test_measured_runs_are_pure_in_their_seed() -> None:
    assert measure(8, 1e5, 1e5, 3) == measure(8, 1e5, 1e5, 3) != measure(8, 1e5, 1e5, 4)


@pytest.mark.parametrize(
    ("levels", "tokens"), [([], [1e5]), ([25], [1e5]), ([-1], [1e5]), ([3], []), ([3], [0]), ([3], [2, 1])]
)
def test_nonsense_is_refused(levels: list[int], tokens: list[float]) -> None:
    with pytest.raises(InputError, match="counting learner"):
        excess(levels, tokens, 0)


def test_an_exponent_out_of_range_is_refused() -> None:
    with pytest.raises(InputError, match="exponent 5 must lie in"):
        excess([3], [1e5], 0, a=5)


def test_nonsense_runs_are_refused() -> None:
    for level, tokens, heldout in ((25, 1e5, 1e5), (-1, 1e5, 1e5), (3, 0, 1e5), (3, 1e5, 10)):
        with pytest.raises(InputError, match="counting learner"):
            measure(level, tokens, heldout, 0)
