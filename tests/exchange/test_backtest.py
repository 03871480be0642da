"""Forms ranked by training levels that were left out."""

import numpy as np
import pandas as pd
from scipy.special import expit

from scaling.exchange.backtest import backtest
from scaling.exchange.ledger import Ledger
from scaling.exchange.links import LOGIT
from scaling.exchange.table import prepare


def ranked(interaction: float) -> dict[str, float]:
    """Errors on cells without noise."""
    u, v = (
        axis.ravel() for axis in np.meshgrid(np.linspace(18, 20, 5), np.linspace(9, 12, 5), indexing="ij")
    )
    x = (u - 19) + 0.7 * (v - 10.5) + interaction * (u - 19) * (v - 10.5)
    frame = pd.DataFrame({"train_flops": 10**u, "infer_flops_per_problem": 10**v, "score": expit(x)})
    return backtest(prepare(frame).design(Ledger()), LOGIT, 0.0)


def test_the_true_form_foretells_levels_and_the_best_come_first() -> None:
    flat, bent = ranked(0.0), ranked(0.4)
    for found in (flat, bent):
        assert list(found.values()) == sorted(found.values())
        assert found["bilinear"] < 1e-5
        assert found["free"] < 1e-4
    assert flat["additive"] < 1e-5
    assert bent["additive"] > 0.02
    assert bent["saturating"] > 0.02


def test_forms_with_too_many_coefficients_are_left_out() -> None:
    frame = pd.DataFrame(
        {"train_flops": np.repeat([1e18, 1e19, 1e20], 2), "infer_flops_per_problem": [1e9, 1e10] * 3}
    ).assign(score=[0.2, 0.3, 0.4, 0.55, 0.6, 0.7])
    found = backtest(prepare(frame).design(Ledger()), LOGIT, 0.0)
    assert "additive" in found
    assert "free" not in found
