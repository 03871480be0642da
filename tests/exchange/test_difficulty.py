"""The rate on easy and hard problems apart."""

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest

from scaling.errors import InputError
from scaling.exchange import exchange_rate
from scaling.exchange.difficulty import by_difficulty

Grid = Callable[..., pd.DataFrame]


def test_parts_by_difficulty_are_thirds_of_the_problems(grid: Grid) -> None:
    frame = grid(levels=4, seeds=2, problems=90, samples=16, budgets=5, infer=(9.0, 11.0))
    found = exchange_rate(frame, at=[0.5], backtested=False, bootstrap=0)
    parts = by_difficulty(found)
    assert parts["part"].tolist() == ["hard", "middling", "easy"]
    assert parts["problems"].tolist() == [30, 30, 30]
    assert parts["mean"].is_monotonic_increasing
    known = parts.dropna(subset=["eta"])
    assert len(known) >= 2
    assert ((known["low"] < 0.8) & (known["high"] > 0.8)).all()
    with pytest.raises(InputError, match="40 problems make no three parts of 30"):
        by_difficulty(exchange_rate(grid(levels=4, problems=40), at=[0.5], backtested=False, bootstrap=0))


def test_parts_are_the_difficulties_that_a_column_tells(grid: Grid) -> None:
    frame = grid(levels=4, seeds=2, problems=80, samples=16, budgets=5, infer=(9.0, 11.0))
    told = frame.assign(difficulty=np.where(frame["problem"] < 40, "k = 4", "k = 6"))
    parts = by_difficulty(exchange_rate(told, at=[0.5], backtested=False, bootstrap=0))
    assert parts["part"].tolist() == ["k = 4", "k = 6"]
    assert parts["problems"].tolist() == [40, 40]
    alone = exchange_rate(
        frame[frame["problem"] < 40], at=[float(parts["at"][0])], backtested=False, bootstrap=0
    )
    assert alone.rates[0].eta is not None
    assert parts["eta"][0] == pytest.approx(alone.rates[0].eta.value, rel=1e-6)
