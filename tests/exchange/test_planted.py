"""Rates planted in a measured design are found there, and a design that cannot tell gives no interval."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from scipy.special import expit
from scipy.stats import norm

from scaling.exchange import exchange_rate, links
from scaling.exchange.planted import planted, planted_surface, table
from scaling.exchange.pools import Pool
from scaling.exchange.simulation import Setting, setting_of, simulated
from scaling.exchange.support import passes


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


@pytest.mark.parametrize(("at", "eta"), [(0.25, 1.0), (0.75, 1.0), (0.75, 0.3)])
def test_the_planted_surface_passes_its_score_where_the_measured_scores_do(at: float, eta: float) -> None:
    found = exchange_rate(grid(8), at=[at], bootstrap=0, backtested=False)
    setting = setting_of(found)
    surface = planted_surface(found, setting, at, eta)
    place = passes(found.design, at).mean(axis=0)
    assert np.hypot(*(place - surface.centre)) > 0.1, "not in the middle of the design"
    again = [passes(one, at) for one in simulated(setting, surface, 30, np.random.default_rng(0))]
    through = np.mean(
        [np.array([1.0, eta]) @ (one.mean(axis=0) - place) for one in again]
    )  # 0 along the isoquant
    assert abs(through) < 0.06


@pytest.mark.parametrize(
    "pool", [None, *(Pool(how, (1, 4, 8, 16), np.zeros(4)) for how in ("pass", "majority", "best_of"))]
)
def test_the_mean_over_problems_has_the_planted_rate_whatever_their_spread_at_each_budget(
    pool: Pool | None,
) -> None:
    """Problems lie apart by .3 to 3; cells' mean scores are those of one additive surface over problems 1.2 apart."""
    found = exchange_rate(grid(4), at=[0.5], bootstrap=0, backtested=False)
    shape = (*found.design.v.shape, 4000)
    design = replace(found.design, scores=np.full(shape, 0.5), trials=np.full(shape, 16.0))
    setting = Setting(
        design, links.LOGIT, 0.0, 1.2, np.full(shape, 16.0), spread=np.array([0.3, 1, 2, 3]), pool=pool
    )
    surface = planted_surface(found, setting, 0.5, 0.7)
    means = np.mean([one.means for one in simulated(setting, surface, 5, np.random.default_rng(0))], axis=0)
    assert surface.beta[0, 2] / surface.beta[0, 1] == pytest.approx(0.7)
    x = surface.predictor(np.broadcast_to(design.u[:, None], shape[:2]).ravel(), design.v.ravel())[0]
    z = norm.ppf((np.arange(2000) + 0.5) / 2000)
    expected = expit(x[:, None] + 1.2 * z).mean(axis=1).reshape(shape[:2])
    assert 0.02 < expected.min() < 0.2
    np.testing.assert_allclose(means, expected, atol=4 * 0.5 / np.sqrt(5 * 4000))
