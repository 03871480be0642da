"""Named points that stand in for each other."""

from collections.abc import Callable
from itertools import product

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from scipy.special import expit

from scaling.errors import InputError
from scaling.exchange import Exchange
from scaling.exchange.equivalence import equivalences

TIMES = (1.0, 4.0, 9.0)


def logistic(z: np.ndarray) -> np.ndarray:
    return np.asarray(expit(0.9 * z))


def replacing(
    noise: float = 0.0,
    seeds: int = 1,
    share: Callable[[np.ndarray], np.ndarray] = logistic,
    seed_of: int = 0,
    step: float = 0.5,
) -> pd.DataFrame:
    """A budget that by construction scores what 1, 4 or 9 times the training does at the least one."""
    rng = np.random.default_rng(seed_of)
    level, seed, budget = (axis.ravel() for axis in np.indices((7, seeds, 3)))
    u = 18 + step * level
    luck = noise * rng.normal(size=(7, seeds))[level, seed]
    return pd.DataFrame(
        {
            "train_flops": 10**u,
            "infer_flops_per_problem": 10.0 ** (9 + budget),
            "budget": np.array(["one", "some", "many"])[budget],
            "run": level * seeds + seed,
            "score": share(u + np.log10(np.array(TIMES)[budget]) - 20 + luck),
        }
    )


def test_a_budget_that_replaces_four_times_the_training_says_four(small: Callable[..., Exchange]) -> None:
    found = equivalences(small(replacing(), at=[0.5]))
    assert len(found) == 14
    named = found[found["note"] == ""]
    for name, times in zip(("some", "many"), TIMES[1:], strict=True):
        one = named[named["budget"] == name]
        assert len(one) >= 4
        np.testing.assert_allclose(one["times"], times, rtol=1e-4)
        np.testing.assert_allclose(one["same_as"], times * one["train"], rtol=1e-4)
        assert one[["low", "high"]].isna().all(axis=None)  # nothing to leave out
    beyond = found[found["note"] == "beyond"]
    assert beyond["same_as"].isna().all()
    np.testing.assert_allclose(beyond["times"], 1e21 / beyond["train"], rtol=1e-9)


@pytest.mark.parametrize("share", [logistic, lambda z: 0.05 + 0.75 * expit(3 * z)])
@pytest.mark.parametrize(("noise", "seeds", "step"), [(0.1, 4, 0.5), (0.5, 3, 0.35)])
def test_what_is_said_of_a_multiple_holds(
    small: Callable[..., Exchange],
    share: Callable[[np.ndarray], np.ndarray],
    noise: float,
    seeds: int,
    step: float,
) -> None:
    """On curves straight on the link's scale, and on ones that no surface has; luck below and above a level's step."""
    held, notes = [], set()
    for seed in range(25):
        found = equivalences(small(replacing(noise, seeds, share, seed, step), at=[0.5]))
        for row in found.itertuples():
            true = dict(zip(("some", "many"), TIMES[1:], strict=True))[row.budget]
            low = {"": row.low, "at least": row.low, "beyond": row.times}.get(row.note, 0.0)
            high = {"": row.high, "at most": row.high, "below": row.times}.get(row.note, np.inf)
            held.append(low * (1 - 1e-9) <= true <= high * (1 + 1e-9))
            notes.add(row.note)
    assert {"", "at least", "beyond"} <= notes
    assert len(held) == 25 * 14
    assert np.mean(held) >= 0.9  # 95 % less two standard errors of 25 grids, whose rows err together


@settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(scores=st.lists(st.floats(0.0, 1.0), min_size=3, max_size=8, unique=True))
def test_two_votes_are_worth_one_sample(small: Callable[..., Exchange], scores: list[float]) -> None:
    """Ties go by lot: two votes score what a sample does, whatever the curve, and replace no training."""
    rising = np.sort(scores)
    assume(rising[-1] - rising[0] > 0.01 and np.diff(rising).min() > 1e-6)
    u, k = (axis.ravel() for axis in np.meshgrid(np.arange(len(rising)), [1, 2, 4], indexing="ij"))
    frame = pd.DataFrame(
        {
            "train_flops": 10 ** (18 + 0.5 * u),
            "infer_flops_per_problem": 1e9 * k,
            "budget": k,
            "score": rising[u] + (k == 4) * 0.2 * (1 - rising[u]),
        }
    )
    found = equivalences(small(frame, at=[0.5]))
    two = found[found["budget"] == 2]
    assert (two["note"] == "").all()
    np.testing.assert_allclose(two["times"], 1.0, rtol=1e-6)


def test_levels_that_score_alike_stand_in_for_themselves(small: Callable[..., Exchange]) -> None:
    """At chance and at a plateau any training of some levels scores the same: nobody gains or loses any."""
    u, k = (axis.ravel() for axis in np.meshgrid(np.arange(7), [1, 2], indexing="ij"))
    scores = np.array([0.1, 0.1, 0.1, 0.4, 0.8, 0.9, 0.9])
    frame = pd.DataFrame(
        {
            "train_flops": 10 ** (18 + 0.5 * u), "infer_flops_per_problem": 1e9 * k, "budget": k, "score": scores[u],
        }
    )  # fmt: skip
    found = equivalences(small(frame, at=[0.5]))
    np.testing.assert_allclose(found["times"], 1.0)
    assert (found["note"] == "").all()


def test_more_than_all_levels_is_said_where_it_is_told_from_noise(small: Callable[..., Exchange]) -> None:
    """The dearer budget scores what the least does at the highest level, and a little or much more."""
    notes = []
    for seed, more in product(range(20), (0.0, 3.0)):
        frame = replacing(0.2, 3, lambda z: logistic(np.minimum(z, 1.0)), seed)
        most = frame["train_flops"].max()
        last = frame["train_flops"].eq(most) & frame["budget"].eq("many")
        rng = np.random.default_rng(seed)
        luck = expit(0.9 + more + 0.2 * rng.normal(size=last.sum()))
        frame.loc[last, "score"] = luck
        found = equivalences(small(frame, at=[0.5]))
        notes.append((more, found[found["train"].eq(most) & found["budget"].eq("many")]["note"].iloc[0]))
    told = {more: np.mean([note == "beyond" for one, note in notes if one == more]) for more in (0.0, 3.0)}
    assert told[0.0] < 0.15
    assert told[3.0] > 0.8


def test_the_least_budget_is_taken_at_what_it_costs_at_each_level(small: Callable[..., Exchange]) -> None:
    """A sample costs more the longer training was: k samples are worth k times the training at one sample all the same."""
    u, k = (axis.ravel() for axis in np.meshgrid(np.linspace(18, 20, 5), [1, 2, 4, 8, 16], indexing="ij"))
    frame = pd.DataFrame(
        {
            "train_flops": 10**u,
            "infer_flops_per_problem": k * 10 ** (9 + 0.6 * (u - 18)),
            "budget": k,
            "score": expit(-2 + (u - 18) + np.log10(k)),
        }
    )
    found = equivalences(small(frame, at=[0.3]))
    inside = found[found["note"] == ""]
    assert len(inside) > 8
    np.testing.assert_allclose(inside["times"], inside["budget"].astype(float), rtol=0.02)


def test_inference_that_does_harm_is_worth_less_than_the_training(small: Callable[..., Exchange]) -> None:
    u, v = (
        axis.ravel() for axis in np.meshgrid(np.linspace(18, 20, 5), np.linspace(9, 12, 4), indexing="ij")
    )
    frame = pd.DataFrame(
        {"train_flops": 10**u, "infer_flops_per_problem": 10**v, "score": expit((u - 19) - 0.3 * (v - 9))}
    )
    found = equivalences(small(frame, at=[0.4]))
    inside, below = found[found["note"] == ""], found[found["note"] == "below"]
    np.testing.assert_allclose(
        inside["times"], 10 ** (-0.3 * (np.log10(inside["budget"].astype(float)) - 9)), rtol=0.02
    )
    assert len(below) >= 2
    assert below["same_as"].isna().all()
    assert (below["times"] <= 1).all()


def test_training_that_does_harm_stands_in_for_nothing(small: Callable[..., Exchange]) -> None:
    u, v = (
        axis.ravel() for axis in np.meshgrid(np.linspace(18, 20, 5), np.linspace(9, 12, 4), indexing="ij")
    )
    frame = pd.DataFrame(
        {"train_flops": 10**u, "infer_flops_per_problem": 10**v, "score": expit((19 - u) + 0.3 * (v - 10))}
    )
    found = small(frame, at=[0.5])
    assert (found.rates[0].status, found.rates[0].reason) == ("not identified", "scores fall with training")
    with pytest.raises(InputError, match="scores do not rise with training at the least budget"):
        equivalences(found)


def test_a_multiple_that_noise_drowns_is_not_given(small: Callable[..., Exchange]) -> None:
    found = equivalences(small(replacing(noise=1.5, seeds=3), at=[0.5]))
    wide = found[found["note"] == "wide"]
    assert len(wide)
    assert wide[["low", "high"]].isna().all(axis=None)


def test_one_budget_has_nothing_to_stand_in_for(small: Callable[..., Exchange]) -> None:
    frame = replacing()
    found = small(frame[frame["budget"] == "one"], at=[0.5], surface="additive")
    assert found.rate(0.5).status == "not identified"
    with pytest.raises(
        InputError, match="at 1 budgets; what stands in for what takes 3 levels and 2 budgets"
    ):
        equivalences(found)
