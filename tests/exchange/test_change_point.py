"""The incline between two ends, from points that lie on it."""

import numpy as np
import pandas as pd
import pytest

from scaling.errors import FitError, InputError
from scaling.exchange import change_point

LAW = (520.0, -430.0, -4800.0, -270.0, 560.0)


def frontier(sizes: range, noise: float = 0.0) -> pd.DataFrame:
    """Boards of several sizes from untrained to perfect play."""
    size, x = (axis.ravel() for axis in np.meshgrid(np.array(sizes, dtype=float), np.linspace(11, 19, 60)))
    m, s, c, plateau, constant = LAW
    elo = np.clip(m * x + s * size + c, plateau * size + constant, 0.0)
    elo = elo + np.random.default_rng(0).normal(0, noise, len(elo)) if noise else elo
    return pd.DataFrame({"train_flops": 10**x, "boardsize": size, "elo_frontier": elo})


def test_points_on_the_law_give_its_parameters() -> None:
    frame = frontier(range(3, 9))
    found = change_point(frame)
    for (name, one), true in zip(found.parameters.items(), LAW, strict=True):
        assert one.value == pytest.approx(true, rel=1e-6), name
    assert found.per_size.value == pytest.approx(10 ** (430 / 520), rel=1e-6)
    assert found.rms < 1e-4
    assert (found.rows, found.sizes) == (360, 6)
    np.testing.assert_allclose(
        found.predict(frame["train_flops"].to_numpy(), frame["boardsize"].to_numpy()),
        frame["elo_frontier"],
        atol=1e-3,
    )


def test_scatter_gives_intervals_that_hold_the_law() -> None:
    found = change_point(frontier(range(3, 9), noise=15.0))
    assert found.rms == pytest.approx(15, rel=0.15)
    for (name, one), true in zip(found.parameters.items(), LAW, strict=True):
        assert one.low is not None
        assert one.high is not None
        assert one.low < true < one.high, name
    wide, narrow = (change_point(frontier(range(3, 9), noise=15.0), level=level) for level in (0.95, 0.5))
    assert wide.per_size.low is not None
    assert narrow.per_size.low is not None
    assert wide.per_size.low < narrow.per_size.low


def test_few_sizes_and_missing_columns_are_refused() -> None:
    with pytest.raises(FitError, match="3 board sizes do not tell two lines"):
        change_point(frontier(range(3, 6)))
    with pytest.raises(InputError, match="no column boardsize"):
        change_point(frontier(range(3, 9)).drop(columns="boardsize"))
