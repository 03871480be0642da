"""Rates planted in a measured design are found there, and a design that cannot tell gives no interval."""

import numpy as np
import pandas as pd
import pytest

from scaling.exchange import exchange_rate
from scaling.exchange.planted import planted, table


def grid(levels: int, seed: int = 0) -> pd.DataFrame:
    """Return counts of three runs at levels x 4 budgets x 64 problems about a surface with rate 1."""
    rng = np.random.default_rng(seed)
    rows = []
    problems = rng.normal(size=64)
    for run in range(3):
        own = 0.2 * rng.normal()
        for train in np.geomspace(1e9, 1e11, levels):
            for infer in np.geomspace(1e3, 1e5, 4):
                x = 1.5 * (np.log10(train) - 10) + 1.5 * (np.log10(infer) - 4) + own + problems
                c = rng.binomial(16, 1 / (1 + np.exp(-x)))
                rows.append(
                    pd.DataFrame(
                        {"train_flops": train, "infer_flops_per_problem": infer, "run": run, "problem": range(64),
                         "n": 16, "c": c}
                    )
                )  # fmt: skip
    return pd.concat(rows, ignore_index=True)


def test_planted_rates_are_found_in_the_design_that_they_are_planted_in() -> None:
    found = exchange_rate(grid(6), at=[0.5], bootstrap=0, backtested=False)
    rows = table(planted(found, 0.5, etas=(0.3, 0.7), repetitions=60))
    assert rows["planted"].tolist() == [0.3, 0.7]
    assert (rows["with interval"] > 0.9).all()
    assert (rows["coverage"] > 0.85).all()  # 95 % less three Monte Carlo errors
    assert (rows["bias"].abs() < 0.1).all()
    again = table(planted(found, 0.5, etas=(0.3, 0.7), repetitions=60))
    pd.testing.assert_frame_equal(rows, again)


def test_a_design_that_cannot_tell_gives_no_interval() -> None:
    narrow = grid(6).query("train_flops < 9e9")
    found = exchange_rate(narrow, at=[0.3], bootstrap=0, backtested=False)
    assert found.rates[0].status == "not identified"
    rows = table(planted(found, 0.3, etas=(1.0,), repetitions=20))
    assert rows["with interval"].tolist() == pytest.approx([0.0])
