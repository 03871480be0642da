"""Which piece of an isoquant was measured, and what a design lacks."""

import numpy as np
import pandas as pd
import pytest

from scaling.exchange.design import Design
from scaling.exchange.forms import Additive
from scaling.exchange.ledger import Ledger
from scaling.exchange.links import LINEAR
from scaling.exchange.support import POINTS, Span, lacking, power_of_ten, span_of
from scaling.exchange.surface import fit_surfaces
from scaling.exchange.table import prepare


def design_of(u: np.ndarray, v: np.ndarray, score: np.ndarray, **columns: object) -> Design:
    told = {
        "train_flops": 10 ** u.ravel(),
        "infer_flops_per_problem": 10 ** v.ravel(),
        "score": score.ravel(),
    }
    return prepare(pd.DataFrame(told | columns)).design(Ledger(), unbounded=True)


def measured(design: Design, y: float) -> Span | None:
    u, v, score, weight = design.cells
    return span_of(fit_surfaces(Additive(), u, v, score[None], weight, LINEAR), design, y)


U, V = np.meshgrid(np.linspace(18, 20, 5), np.linspace(9, 12, 4), indexing="ij")


@pytest.mark.parametrize("y", [-1.5, -0.4, 0.0, 0.7, 1.6])
@pytest.mark.parametrize("eta", [0.2, 1.0, 3.0])
def test_the_piece_ends_where_the_cells_do(y: float, eta: float) -> None:
    """u = 19 + y - eta (v - 10.5), cut to 18 ... 20 and 9 ... 12, on a mesh of 400."""
    found = measured(design_of(U, V, (U - 19) + eta * (V - 10.5)), y)
    low, high = max(9.0, 10.5 + (y - 1) / eta), min(12.0, 10.5 + (y + 1) / eta)
    if high - low < 3 / POINTS:
        return
    assert found is not None
    np.testing.assert_allclose((found.low, found.high), (low, high), atol=3 / (POINTS - 1) + 1e-6)
    assert found.low >= low - 1e-6
    assert found.high <= high + 1e-6
    assert found.train == pytest.approx(eta * found.infer, abs=1e-6)


def test_there_is_none_beyond_the_cells() -> None:
    design = design_of(U, V, (U - 19) + (V - 10.5))
    assert measured(design, 5.0) is None
    assert measured(design, -5.0) is None


def test_budgets_of_other_levels_are_interpolated_in_between() -> None:
    """Each level reaches from 9 + (u - 18) to 11 + (u - 18): a slanted band."""
    v = 9 + (U - 18) + np.linspace(0, 2, 4)
    budget = np.tile(np.arange(4), 5)
    found = measured(design_of(U, v, (U - 19) + (v - 11.0), budget=budget), 0.0)
    assert found is not None
    # v = 11 - (u - 19) = 30 - u meets v = u - 9 at u = 19.5 and v = u - 7 at 18.5
    np.testing.assert_allclose((found.low, found.high), (10.5, 11.5), atol=0.02)
    np.testing.assert_allclose((found.train_high, found.train_low), (19.5, 18.5), atol=0.02)


def test_what_a_design_lacks_is_said_in_order() -> None:
    score = (U - 19) + 0.6 * (V - 10.5)
    assert lacking(design_of(U, V, score), 0.0) is None
    two = design_of(U[::4], V[::4], score[::4])
    assert lacking(two, 0.0) == "2 training levels, and a surface needs 3"
    one = design_of(U[:1], V[:1], score[:1])
    assert lacking(one, 0.0) == "1 training level, and a surface needs 3"
    near = design_of(19 + (U - 19) / 4, V, score)
    assert lacking(near, 0.0) == "training levels span 0.5 decades, and a surface needs 1"
    assert lacking(design_of(U, V, score), 1.2) == "training brackets 1.2 at 2 budgets, and a surface needs 3"


def test_a_decade_of_training_is_enough() -> None:
    u = 19 + (U - 19) / 2
    assert lacking(design_of(u, V, 2 * (U - 19) + 0.5 * (V - 10.5)), 0.0) is None


def test_powers_beyond_floats_are_infinite() -> None:
    assert power_of_ten(2.0) == 100.0
    assert power_of_ten(1e4) == np.inf
    assert power_of_ten(-np.inf) == 0.0
