"""The test of one constant rate: it rejects what is constant no more often than it says, and sees what is not."""

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest

from scaling.exchange.constancy import constancy
from scaling.exchange.ledger import Ledger
from scaling.exchange.links import LOGIT
from scaling.exchange.table import prepare
from scaling.exchange.uncertainty import draws_of

Grid = Callable[..., pd.DataFrame]
Surface = Callable[[np.ndarray, np.ndarray], np.ndarray]
DRAWS, GRIDS = 40, 40


def additive(u: np.ndarray, v: np.ndarray) -> np.ndarray:
    return (u - 19) + 0.8 * (v - 10.5)


def single_index(u: np.ndarray, v: np.ndarray) -> np.ndarray:
    """One rate, though the score bends."""
    z = additive(u, v)
    return 0.5 * z + 1.2 * np.tanh(z)


def interacting(u: np.ndarray, v: np.ndarray) -> np.ndarray:
    """The rate goes from .2 to 1.6 along v = 10.5 as u grows."""
    return additive(u, v) + 0.5 * (u - 19) * (v - 10.5)


def p_values(grid: Grid, surface: Surface, grids: int, **options: object) -> np.ndarray:
    out = []
    for seed in range(grids):
        frame = grid(
            levels=4, problems=40, samples=32, budgets=4, infer=(9.5, 11.5), surface=surface, seed=seed,
            **options,
        )  # fmt: skip
        design = prepare(frame).design(Ledger())
        draws = draws_of(design, DRAWS, np.random.default_rng(seed))
        out.append(constancy(*design.cells, draws, LOGIT, 0.0, 0.8).p_value)
    return np.array(out)


@pytest.mark.parametrize(
    ("surface", "seeds", "run_sd", "shared"),
    [
        (additive, 3, 0.02, False),
        (additive, 2, 0.2, False),
        (single_index, 3, 0.1, True),
    ],
)
def test_a_constant_rate_is_rejected_no_more_often_than_said(
    grid: Grid, surface: Surface, seeds: int, run_sd: float, shared: bool
) -> None:
    """At 5 %: of 40 grids, 5 is the 98th percentile."""
    found = p_values(grid, surface, GRIDS, seeds=seeds, run_sd=run_sd, shared=shared)
    assert np.sum(found <= 0.05) <= 5


@pytest.mark.parametrize(("seeds", "shared"), [(3, False), (5, True)])
def test_a_strong_interaction_is_seen(grid: Grid, seeds: int, shared: bool) -> None:
    """Three shared runs leave two degrees of freedom, and half the power."""
    found = p_values(grid, interacting, 20, seeds=seeds, run_sd=0.1, shared=shared)
    assert np.mean(found <= 0.05) >= 0.7


def test_the_constant_rate_is_found(grid: Grid) -> None:
    frame = grid(
        levels=5, seeds=3, problems=200, samples=64, surface=single_index, run_sd=0.01, infer=(9.5, 11.5)
    )
    design = prepare(frame).design(Ledger())
    draws = draws_of(design, 20, np.random.default_rng(0))
    for around in (0.3, 0.8, 2.5):
        found = constancy(*design.cells, draws, LOGIT, 0.0, around)
        assert found.eta == pytest.approx(0.8, rel=0.1)
        assert 1 / 21 <= found.p_value <= 1
        assert found.statistic >= 0


@pytest.mark.parametrize("eta", [0.8, 0.833, 0.87])
@pytest.mark.parametrize("shared", [False, True])
def test_precise_cells_do_not_refute_a_rate_between_those_tried(grid: Grid, eta: float, shared: bool) -> None:
    """What the mesh of trial rates lacks is not to be seen, even where runs hardly differ."""

    def steep(u: np.ndarray, v: np.ndarray) -> np.ndarray:
        return 2 * ((u - 19) + eta * (v - 10.5))

    found = []
    for seed in range(12):
        frame = grid(
            levels=4, seeds=3, problems=100, samples=1024, budgets=4, infer=(9.5, 11.5), surface=steep, run_sd=0.01,
            problem_sd=0.5, shared=shared, seed=seed,
        )  # fmt: skip
        design = prepare(frame).design(Ledger())
        draws = draws_of(design, DRAWS, np.random.default_rng(seed))
        found.append(constancy(*design.cells, draws, LOGIT, 0.0, 0.8))
    assert sum(one.p_value <= 0.05 for one in found) <= 3
    assert np.median([one.eta for one in found]) == pytest.approx(eta, rel=0.01)
