"""The path from squares to absolute deviations."""

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest

from scaling.diagnostics import delta_path
from scaling.errors import InputError
from scaling.fitting import fit
from scaling.laws import Chinchilla

Table = Callable[..., pd.DataFrame]


def test_every_point_is_its_fit(table: Table, chinchilla: Chinchilla) -> None:
    frame = table(chinchilla, noise=0.01)
    path = delta_path("chinchilla", frame, (0.0, 1e-3, 5e-2), compute=1e22)
    assert path.frame["delta"].tolist() == [5e-2, 1e-3, 0.0]
    assert path.frame["loss"].tolist() == ["huber", "huber", "lad"]
    for line, options in zip(
        path.frame.itertuples(), ({"delta": 5e-2}, {"delta": 1e-3}, {"loss": "lad"}), strict=True
    ):
        alone = fit("chinchilla", frame, bootstrap=0, compute=1e22, **options)
        assert line.value == alone.value
        assert line.N_optimal == alone.derived["N_optimal"].value
        assert line.beta == alone.parameters["beta"].value
    assert path.span("beta") == (path.frame["beta"].min(), path.frame["beta"].max())


def test_ends_of_the_path_are_squares_and_absolute_deviations(table: Table, chinchilla: Chinchilla) -> None:
    frame = table(chinchilla, noise=0.01)
    path = delta_path("chinchilla", frame, (1.0, 1e-7, 0.0)).frame
    squares = fit("chinchilla", frame, loss="mse", bootstrap=0)
    assert path["inside"].tolist()[0] == 1.0
    assert path["value"][0] == pytest.approx(squares.value / 2, rel=1e-9)
    assert path["beta"][0] == pytest.approx(squares.parameters["beta"].value, rel=1e-6)
    assert path["beta"][1] == pytest.approx(path["beta"][2], rel=1e-4)
    assert path["value"][1] / 1e-7 == pytest.approx(path["value"][2], rel=1e-4)


def test_words_go_from_the_largest_delta_to_the_smallest(table: Table, chinchilla: Chinchilla) -> None:
    path = delta_path("chinchilla", table(chinchilla, noise=0.01))
    first, last = path.frame["beta"].iloc[[0, -1]]
    assert path.told("beta").startswith(f"beta from {first:.4g} to {last:.4g}")
    low, high = path.span("beta")
    assert ("between" in path.told("beta")) == (low < min(first, last) or high > max(first, last))


def test_the_share_inside_falls_with_delta(table: Table, chinchilla: Chinchilla) -> None:
    inside = delta_path("chinchilla", table(chinchilla, noise=0.01)).frame["inside"].to_numpy()
    assert np.all(np.diff(inside) <= 0)


@pytest.mark.parametrize("deltas", [(), (-1.0,), (0.1, 0.1), (np.inf,), (np.nan, 0.1)])
def test_deltas_that_mean_nothing_are_refused(
    table: Table, chinchilla: Chinchilla, deltas: tuple[float, ...]
) -> None:
    with pytest.raises(InputError, match="different numbers from 0 up"):
        delta_path("chinchilla", table(chinchilla), deltas)


def test_losses_are_not_for_the_caller(table: Table, chinchilla: Chinchilla) -> None:
    with pytest.raises(InputError, match="leave loss and delta out"):
        delta_path("chinchilla", table(chinchilla), loss="mse")


@pytest.mark.target
def test_epoch_240(epoch_240: pd.DataFrame) -> None:
    """The exponent of tokens: .406 at .1, .367 at 1e-3, .3659 at 0."""
    path = delta_path("chinchilla", epoch_240).frame.set_index("delta")["beta"]
    assert path[0.1] == pytest.approx(0.406, abs=6e-4)
    assert path[1e-3] == pytest.approx(0.3672, abs=6e-5)
    assert path[0.0] == pytest.approx(0.3659, abs=6e-5)
