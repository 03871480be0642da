"""Samples that went with the outcome are told, and arbitrary ones are not."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from scaling.samples import adaptive


def test_sampling_on_where_nothing_was_right_is_told() -> None:
    rng = np.random.default_rng(0)
    rate = rng.beta(0.4, 4, 200)
    first = rng.binomial(128, rate)
    n = np.where(first == 0, 1024, 128)
    said = adaptive(n, np.where(first == 0, rng.binomial(1024, rate), first))
    assert said is not None
    assert "128 to 1,024 samples, and those with more were solved less often" in said


def test_stopping_at_the_first_right_one_is_told() -> None:
    n = np.random.default_rng(1).geometric(0.1, 200)
    assert adaptive(n, np.ones(200, int)) is not None


@pytest.mark.parametrize(("a", "b"), [(0.3, 30.0), (1.0, 1.0), (30.0, 0.3)])
def test_arbitrary_samples_are_rarely_called_adaptive(a: float, b: float) -> None:
    """1000 sets; nominal 1 a thousand, also where rates are mostly 0 or 1 at few samples and not at many."""
    rng = np.random.default_rng(2)
    told = 0
    for _ in range(1000):
        n = rng.choice([16, 64, 1024], 200)
        told += adaptive(n, rng.binomial(n, rng.beta(a, b, 200))) is not None
    assert told <= 6


def test_equal_samples_few_problems_and_equal_rates_say_nothing() -> None:
    assert adaptive([100] * 50, np.arange(50)) is None
    assert adaptive([1, 100], [1, 0]) is None
    assert adaptive(np.arange(1, 51), np.zeros(50, int)) is None


@pytest.mark.target
def test_published_counts_were_sampled_on_where_little_was_right(mirror: Path) -> None:
    """GSM8K by Pythia models: 128 to 3.7 million samples a problem."""
    counts = pd.read_csv(mirror / "schaeffer_monkeys" / "gsm8k_counts.csv")
    said = adaptive(counts["n"], counts["c"])
    assert said is not None
    assert "solved less often" in said
