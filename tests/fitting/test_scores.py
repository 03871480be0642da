"""Fits of scores, which may be 0 and lie on both sides of their chance level."""

from typing import Any

import numpy as np
import pandas as pd
import pytest

from scaling.diagnostics.pinned import Pinned
from scaling.errors import InputError
from scaling.fitting import fit
from scaling.laws import Sigmoid

LAW = Sigmoid(R0=0.08, A=0.72, C_mid=3e19, B=0.8)


def scores_of(low: float = 1e16, high: float = 1e23, noise: float = 0.0, n: int = 40) -> pd.DataFrame:
    rng = np.random.default_rng(0)
    C = np.geomspace(low, high, n)
    return pd.DataFrame({"C": C, "score": np.clip(LAW.predict(C=C) + rng.normal(0, noise, n), 0, 1)})


@pytest.mark.parametrize(
    "options", [{"loss": "lad"}, {"loss": "quantile", "tau": 0.45}], ids=lambda o: o["loss"]
)
def test_absolute_deviations_pass_by_scores_of_0(options: dict[str, Any]) -> None:
    """Most rows are exact, so that the few that failed with 0 do not move the law, pinned or profiled or not."""
    frame = scores_of(n=24)
    frame.loc[[2, 13], "score"] = 0.0
    found = fit("sigmoid", frame, bootstrap=12, interval="profile", **options)
    assert found.law.values() == pytest.approx(LAW.values(), rel=1e-9)
    for e in found.parameters.values():
        assert e.low is not None
        assert e.high is not None
        assert e.low <= e.value * (1 + 1e-6)
        assert e.high >= e.value * (1 - 1e-6)
    pinned = Pinned(found, (3,))
    held = found.theta[:1, 3:]
    assert pinned.minima(held, pinned.starts(held)).value == pytest.approx(found.value, rel=1e-9)


@pytest.mark.parametrize("positive", [0, 1])
def test_draws_of_nothing_but_zeros_have_a_fit(positive: int) -> None:
    frame = scores_of(1e16, 1e20, n=12).assign(score=0.0)
    frame.loc[12 - positive :, "score"] = 0.3
    assert fit("sigmoid", frame, loss="lad", bootstrap=12).status == "doubtful"


@pytest.mark.parametrize("bootstrap", [0, 200])
def test_one_score_of_0_takes_no_floor_away(bootstrap: int) -> None:
    frame = scores_of(noise=0.02)
    frame.loc[2, "score"] = 0.0
    found = fit("sigmoid", frame, loss="mse", bootstrap=bootstrap)
    assert found.warning("floor_not_identified") is None
    low, high = found.profile().cheap_range()
    assert 0 < low < found.parameters["R0"].value < high < 0.15


def test_scores_far_above_chance_do_not_tell_it() -> None:
    found = fit("sigmoid", scores_of(2e19, 1e23, noise=0.03), loss="mse", bootstrap=200)
    assert "scores run from 0" in (found.warning("floor_not_identified") or "")


def test_a_floor_is_profiled_to_below_the_highest_score() -> None:
    frame = scores_of(noise=0.02)
    found = fit("sigmoid", frame, loss="mse", bootstrap=0)
    R0, top = found.parameters["R0"].value, float(frame["score"].max())
    assert frame["score"].min() < R0
    profile = found.profile([0.0, R0, 0.5 * top])
    assert int(np.argmin(profile.value)) == 1
    assert profile.value[1] == pytest.approx(found.value, rel=1e-9)
    with pytest.raises(InputError, match="below the highest score"):
        found.profile([top])
