"""Closed forms: the reference values, and the generated language itself."""

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from scaling.corpora import SantaFe
from scaling.corpora import santa_fe_laws as laws
from scaling.corpora.santa_fe import true_values
from scaling.errors import InputError


def test_the_reference_entropy() -> None:
    assert round(laws.entropy(0.5), 6) == 1.377664


@pytest.mark.parametrize("a", [0.5, 1.0])
def test_a_perfect_model_scores_the_closed_form_on_generated_rows(a: float, read: Callable) -> None:
    length = 240
    rows = SantaFe(a).prepare().batch(0, 0, 4000, length)
    # Codelength of every sentence part by the definition, put on the token where it is read; cut sentences are
    # read from rows continued with the longest possible tail, so that their first tokens are scored too.
    nats = np.zeros(rows.shape)
    row, start = np.nonzero(rows < 41)
    level = rows[row, start]
    nats[row, start] = level * a * np.log(2) - np.log(1 - 2**-a)
    digits = (level + 3) // 4
    for digit in range(10):
        some = (digits > digit) & (start + 1 + digit <= length)
        bits = np.where(digit == 0, level - 4 * (digits - 1), 4)
        nats[row[some], start[some] + 1 + digit] = bits[some] * np.log(2)
    found = read(rows)
    right = found.value == true_values(found.level.astype(np.uint64), found.key.astype(np.uint64))
    values = np.where(right, -np.log(1 - 0.05 + 0.05 / 16), -np.log(0.05 / 16))
    nats[found.row, found.start + 1 + (found.level + 3) // 4] = values
    means = nats[:, 1:].mean(axis=1)
    error = means.std() / np.sqrt(len(means))
    assert abs(means.mean() - laws.entropy_of_rows(length, a)) < 4 * error
    assert error < 0.002


@given(st.floats(0.2, 3))
def test_long_rows_tend_to_the_entropy_of_the_stream(a: float) -> None:
    gaps = [abs(laws.entropy_of_rows(length, a) - laws.entropy(a)) * length for length in (200, 400, 800)]
    assert max(gaps) < 4
    assert gaps[2] == pytest.approx(gaps[1], rel=0.05, abs=0.02)


@given(st.floats(0.2, 3))
def test_knowing_nothing_and_reading_nothing_are_the_same(a: float) -> None:
    assert laws.excess_of_facts(0, a) == pytest.approx(laws.excess_of_tokens(0, a), rel=1e-12)
    assert laws.excess_of_facts(0, a) * laws.mean_sentence_tokens(a) == pytest.approx(laws.DELTA, rel=1e-12)


def test_excess_of_facts_counts_the_sentences_that_fall_elsewhere() -> None:
    for levels in (1, 8, 19):
        outside = laws.level_probabilities(0.5)[levels:].sum()
        expected = laws.DELTA * outside / laws.mean_sentence_tokens(0.5)
        assert laws.excess_of_facts(2**levels - 1, 0.5) == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("a", [0.5, 0.8])
def test_excesses_have_the_exponents(a: float) -> None:
    facts, tokens = laws.exponents(a)
    assert (facts, tokens) == (a, a / (1 + a))
    n = 2.0 ** np.arange(8, 20) - 1
    slope = np.polyfit(np.log(n + 1), np.log([laws.excess_of_facts(x, a) for x in n]), 1)[0]
    assert slope == pytest.approx(-facts, abs=1e-10)
    D = np.geomspace(1e5, 1e9, 25)
    slope = np.polyfit(np.log(D), np.log([laws.excess_of_tokens(x, a) for x in D]), 1)[0]
    assert slope == pytest.approx(-tokens, abs=1e-3)


def test_nonsense_is_refused() -> None:
    for call in (
        lambda: laws.excess_of_facts(-1),
        lambda: laws.excess_of_facts(2**40),
        lambda: laws.excess_of_tokens(-1),
        lambda: laws.entropy_of_rows(0),
    ):
        with pytest.raises(InputError):
            call()
