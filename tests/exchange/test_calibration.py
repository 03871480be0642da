"""Coverage at a design: what is simulated has the truth that it claims, and the counts are sane."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from scipy.optimize import brentq
from scipy.special import expit

from scaling.errors import InputError
from scaling.exchange import Exchange, exchange_rate
from scaling.exchange.calibration import TRUTHS, calibrate, calibration_summary, table
from scaling.exchange.simulation import nearest, setting_of, simulated, true_rate, with_runs

REPETITIONS = 6


@pytest.fixture(scope="module")
def found(grid: Callable[..., pd.DataFrame]) -> Exchange:
    frame = grid(levels=4, seeds=3, problems=40, samples=16, budgets=5, infer=(9.0, 11.0), run_sd=0.2)
    return exchange_rate(frame, at=[0.5], backtested=False, bootstrap=0)


def test_a_truth_and_a_kind_of_runs_each(found: Exchange) -> None:
    out = calibrate(found, repetitions=REPETITIONS, seed=1)
    assert [(one.truth, one.shared) for one in out] == [(t, s) for s in (False, True) for t in TRUTHS]
    for one in out:
        assert one.repetitions == REPETITIONS
        assert one.seeds == 3
        assert 0 <= one.held <= one.given <= REPETITIONS
        if one.given:
            assert one.share == one.held / one.given
            assert one.error > 0
            assert one.width > 0
            assert abs(one.bias) < 1
    assert sum(one.given for one in out) >= 0.7 * 8 * REPETITIONS
    assert sum(one.held for one in out) >= 0.7 * sum(one.given for one in out)
    rows = table(out)
    assert rows["coverage"].tolist() == pytest.approx([one.share for one in out], nan_ok=True)
    text = calibration_summary(out, 0.95)
    assert f"({REPETITIONS} repetitions each)" in text
    assert all(truth in text for truth in TRUTHS)


def test_a_seed_makes_it_the_same(found: Exchange) -> None:
    one, other = (calibrate(found, repetitions=2, seed=5) for _ in range(2))
    # a share of none is no number, which equals none
    assert table(one).equals(table(other))


def test_designs_with_nothing_to_leave_out_are_refused(
    as_cells: Callable[[pd.DataFrame], pd.DataFrame], plain: pd.DataFrame
) -> None:
    cells = as_cells(plain[plain["run"] % 2 == 0])
    lone = exchange_rate(cells, at=[0.5], backtested=False, bootstrap=0)
    assert lone.rate(0.5).eta is not None
    with pytest.raises(InputError, match="nothing to make an interval from"):
        calibrate(lone)
    high = exchange_rate(plain, at=[0.999], backtested=False, bootstrap=0)
    with pytest.raises(InputError, match="no rate was identified at any score"):
        calibrate(high)


def test_what_is_simulated_shows_the_spreads_that_were_measured(grid: Callable[..., pd.DataFrame]) -> None:
    """Between runs and between problems: else coverage would be that of another, quieter design."""
    frame = grid(levels=5, seeds=6, problems=150, samples=32, infer=(9.0, 11.0), run_sd=0.4)
    found = exchange_rate(frame, at=[0.5], backtested=False, bootstrap=0)
    setting = setting_of(found)
    assert setting.samples.min() == setting.samples.max() == 32
    surface = nearest("bilinear", found.design, setting)
    again = [
        setting_of(replace(found, design=design))
        for design in simulated(setting, surface, 40, np.random.default_rng(0))
    ]
    runs = np.sqrt(np.mean([one.run_spread**2 for one in again]))
    assert runs == pytest.approx(setting.run_spread, rel=0.08)
    assert np.mean([one.difficulty for one in again]) == pytest.approx(setting.difficulty, rel=0.15)


@pytest.mark.parametrize("truth", TRUTHS)
def test_the_true_rate_is_that_of_the_score_averaged_over_problems(found: Exchange, truth: str) -> None:
    """By brute force: the isoquant of the mean over 200,000 problems and runs."""
    setting = setting_of(found)
    surface = nearest(truth, found.design, setting)
    rng = np.random.default_rng(0)
    spread = np.hypot(setting.difficulty, setting.run_spread) * rng.normal(size=100_000)
    spread = np.concatenate([spread, -spread])

    def training(v: float) -> float:
        def off(u: float) -> float:
            x = surface.predictor(np.array([u]), np.array([v]))[0, 0]
            return float(expit(x + spread).mean() - 0.5)

        return float(brentq(off, 17.0, 22.0, xtol=1e-6))

    low, high = 9.6, 10.4
    expected = (training(low) - training(high)) / (high - low)
    assert true_rate(setting, surface, 0.5, low, high) == pytest.approx(expected, abs=5e-3)


def test_simulated_designs_keep_their_layout_and_their_truth(found: Exchange) -> None:
    setting = setting_of(found)
    surface = nearest("bilinear", found.design, setting)
    gaps = found.design.scores.copy()
    gaps[0, 0, :5] = np.nan
    setting = replace(setting, design=replace(found.design, scores=gaps))
    designs = list(simulated(setting, surface, 60, np.random.default_rng(0)))
    assert len(designs) == 60
    for one in designs[:3]:
        np.testing.assert_array_equal(np.isnan(one.scores), np.isnan(gaps))
        assert one.scores.shape == found.design.scores.shape
        assert np.nanmin(one.scores) >= 0
        assert np.nanmax(one.scores) <= 1
    mean = np.mean([one.cells[2] for one in designs], axis=0)
    # a problem of middling difficulty is steeper than the mean, by what `nearest` makes good
    np.testing.assert_allclose(mean, found.surface.score(*found.design.cells[:2])[0], atol=0.05)


def test_runs_of_their_own_and_shared_ones(found: Exchange) -> None:
    own, shared = (with_runs(found.design, which) for which in (False, True))
    assert not own.shared
    assert len(own.run_names) == 12
    assert shared.shared
    assert len(shared.run_names) == 3
    assert own.seeds.tolist() == shared.seeds.tolist() == [3, 3, 3, 3]


def test_samples_that_no_column_tells_are_found_in_the_shares(grid: Callable[..., pd.DataFrame]) -> None:
    frame = grid(levels=4, seeds=2, problems=40, samples=16, budgets=4)
    shares = frame.assign(score=frame["c"] / frame["n"]).drop(columns=["n", "c"])
    for rows, expected in (
        (shares, 16),
        (shares.assign(score=(shares["score"] > 0.5).astype(float)), 1),
        (shares.assign(score=shares["score"] ** 1.1), 1e6),
    ):
        found = exchange_rate(rows, at=[0.5], backtested=False, bootstrap=0)
        assert np.unique(setting_of(found).samples).tolist() == [expected]
