"""Learning-rate optima: intervals hold a known best rate as often as they say; diverged arms and thin widths."""

import numpy as np
import pandas as pd
import pytest
from scipy.stats import binomtest

from scaling.sections.hyperparameters import arms, optima

ARMS = (0.25, 0.5, 1.0, 2.0, 4.0)


def rows(losses: dict[tuple[int, float, int], float]) -> pd.DataFrame:
    """Return annealed rows of whole runs from losses by (width, arm, seed); a missing loss is a diverged run."""
    return pd.DataFrame(
        [
            {
                "width": width,
                "lr_over_recipe": arm,
                "lr": 0.008 * arm,
                "seed": seed,
                "loss": loss,
                "annealed": np.isfinite(loss),
                "status": "done" if np.isfinite(loss) else "diverged",
            }
            for (width, arm, seed), loss in losses.items()
        ]
    )


def bowl(width: int, best: float, curvature: float, spread: float, seeds: int, rng) -> dict:
    return {
        (width, arm, seed): 1.7 + curvature * np.log2(arm / best) ** 2 + spread * rng.standard_normal()
        for arm in ARMS
        for seed in range(seeds)
    }


def test_without_noise_the_bowl_is_found() -> None:
    losses = bowl(32, 0.8, 0.02, 0.0, 1, np.random.default_rng(0)) | bowl(
        64, 1.5, 0.04, 0.0, 1, np.random.default_rng(0)
    )
    found = optima(rows(losses)).set_index("width")
    assert found["best"].to_numpy() == pytest.approx([0.8, 1.5])
    assert found["penalty"].to_numpy() == pytest.approx(
        [0.02 * np.log2(0.8) ** 2, 0.04 * np.log2(1.5) ** 2], abs=1e-12
    )


@pytest.mark.parametrize("seeds", [1, 2])
def test_intervals_hold_the_best_rate_as_often_as_they_say(seeds: int) -> None:
    rng = np.random.default_rng(seeds)
    sets = 400
    losses: dict = {}
    for width in range(sets):
        losses |= bowl(width, 0.7, 0.02, 0.01, seeds, rng)
    found = optima(rows(losses), draws=1000)
    held = int((found["low"].le(0.7) & found["high"].ge(0.7)).sum())
    share = binomtest(held, sets).proportion_ci(0.999)
    assert share.low <= 0.95 <= share.high


def test_a_loss_that_still_falls_at_the_end_has_no_best_rate() -> None:
    rng = np.random.default_rng(0)
    losses = {
        (32, arm, s): 1.7 - 0.02 * np.log2(arm) + 0.002 * rng.standard_normal()
        for arm in ARMS
        for s in (0, 1)
    }
    found = optima(rows(losses)).iloc[0]
    assert found["high"] > 4.0, "not inside the arms"


def test_a_diverged_run_takes_its_arm_out_of_the_means_and_a_thin_width_has_no_bowl() -> None:
    rng = np.random.default_rng(0)
    losses = bowl(32, 1.0, 0.02, 0.001, 2, rng) | {(16, arm, 0): 1.8 for arm in (0.5, 1.0, 2.0)}
    losses[32, 4.0, 1] = np.nan
    table = arms(rows(losses)).set_index(["width", "arm"])
    assert np.isnan(table.loc[(32.0, 4.0), "loss"])
    assert table.loc[(32.0, 2.0), "seeds"] == 2
    assert optima(rows(losses))["width"].tolist() == [32.0]
