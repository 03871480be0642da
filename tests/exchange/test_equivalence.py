"""Named points that stand in for each other, and the envelope over methods."""

from collections.abc import Callable
from itertools import product

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from scipy.special import expit

from scaling.errors import InputError
from scaling.exchange import Exchange, exchange_rate
from scaling.exchange.design import Design
from scaling.exchange.envelope import envelope
from scaling.exchange.equivalence import equivalences
from scaling.exchange.ledger import Ledger
from scaling.exchange.table import prepare

Grid = Callable[..., pd.DataFrame]
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


def methods(
    grid: Grid,
    gains: tuple[float, ...],
    *,
    infer: tuple[tuple[float, float], ...] | None = None,
    **options: object,
) -> dict[str, Design]:
    """Methods that differ by a gain in logit, on the same problems."""
    out = {}
    for k, gain in enumerate(gains):
        ends = (9.0, 12.0) if infer is None else infer[k]

        def surface(u: np.ndarray, v: np.ndarray, gain: float = gain) -> np.ndarray:
            return (u - 19) + gain + 0.2 * (v - 10.5)

        frame = grid(
            levels=3,
            seeds=1,
            problems=60,
            samples=2,
            budgets=4,
            infer=ends,
            surface=surface,
            seed=k,
            **options,
        )
        out[f"m{k}"] = prepare(frame).design(Ledger())
    return out


def test_the_best_of_equal_methods_scores_less_where_it_did_not_choose(grid: Grid) -> None:
    """Methods that are chance alone: choosing among eight overstates."""
    designs = methods(grid, (0.0,) * 8, problem_sd=0.0, run_sd=0.0)
    found = envelope(designs)
    assert (found["same_half"] - found["score"]).mean() > 0.03
    levels = np.log10(found["train"]) - 19 + 0.2 * (np.log10(found["infer"]) - 10.5)
    np.testing.assert_allclose((found["score"] - expit(levels)).mean(), 0, atol=0.02)


def test_a_method_that_is_clearly_better_is_chosen(grid: Grid) -> None:
    found = envelope(methods(grid, (0.0, 2.0, 0.0)))
    assert (found["method"] == "m1").all()
    assert (found["chosen"] > 0.95).all()
    assert (found["score_se"] > 0).all()


def test_the_error_of_the_best_is_of_runs_and_problems(grid: Grid) -> None:
    """Over grids with runs and problems drawn anew."""
    scores, errors = [], []
    for seed in range(60):
        frame = grid(levels=1, seeds=3, problems=40, samples=4, budgets=3, run_sd=0.8, problem_sd=1.0, seed=seed,
                     surface=lambda u, v: 0.0 * u + 0.2 * (v - 10.5))  # fmt: skip
        one = prepare(frame).design(Ledger())
        found = envelope({"a": one, "b": one}, splits=4)
        scores.append(found["score"].iloc[-1])
        errors.append(found["score_se"].iloc[-1])
    assert 0.8 < np.sqrt(np.mean(np.square(errors))) / np.std(scores, ddof=1) < 1.35


def test_a_method_is_chosen_from_its_first_budget_on(grid: Grid) -> None:
    """The better one costs at least 10^10.5."""
    found = envelope(methods(grid, (0.0, 2.0), infer=((9.0, 11.0), (10.5, 12.0))))
    cheap, dear = found[found["infer"] < 10**10.45], found[found["infer"] > 10**10.55]
    assert (cheap["method"] == "m0").all()
    assert (dear["method"] == "m1").all()
    assert len(cheap) and len(dear)
    assert np.isfinite(found[["score", "score_se", "same_half"]]).all(axis=None)


def test_who_can_afford_more_may_spend_less(grid: Grid) -> None:
    """The better one ends at 10^9.5, the other begins at 10^11.5."""
    found = envelope(methods(grid, (3.0, 0.0), infer=((9.0, 9.5), (11.5, 12.0))))
    assert (found["method"] == "m0").all()
    assert (found["spent"] <= 10**9.5 * (1 + 1e-6)).all()
    assert found["infer"].max() == pytest.approx(1e12)


def test_nothing_dearer_is_bought_where_few_problems_know_what_can_be_had(grid: Grid) -> None:
    """The cheapest budget is known for one problem of twelve; a half without it buys nothing there."""
    frame = grid(levels=3, seeds=2, problems=12, budgets=3, infer=(9.0, 11.0))
    scarce = frame[(frame["budget"] > 0) | (frame["problem"] == 0)]
    other = grid(levels=3, seeds=2, problems=12, budgets=3, infer=(10.0, 12.0), seed=1)
    found = envelope({name: prepare(rows).design(Ledger()) for name, rows in (("a", scarce), ("b", other))})
    assert (found["spent"] <= found["infer"] * (1 + 1e-6)).all()
    assert (found.loc[found["infer"] < 9.9e9, "method"] == "a").all()
    assert np.isfinite(found[["score", "same_half"]]).all(axis=None)


@settings(max_examples=20, deadline=None)
@given(
    gains=st.lists(st.floats(-2, 2), min_size=2, max_size=4),
    ends=st.lists(st.floats(9, 11), min_size=4, max_size=4),
)
def test_the_envelope_misses_no_cheaper_budget(grid: Grid, gains: list[float], ends: list[float]) -> None:
    infer = tuple((low, low + 1.0) for low in ends[: len(gains)])
    designs = methods(grid, tuple(gains), infer=infer)
    found = envelope(designs, splits=10)
    for (_, one), name in product(found.groupby("train"), designs):
        level_u, level_v, score = designs[name].level_curves()
        level = np.abs(10**level_u - one["train"].iloc[0]).argmin()
        for v, best in zip(np.log10(one["infer"]), one["same_half"], strict=True):
            cheaper = score[level][level_v[level] <= v + 1e-9]
            assert best >= cheaper.max(initial=0.0) - 1e-9, "each half takes its best"
        assert one["same_half"].is_monotonic_increasing


def test_other_problems_or_levels_are_refused(grid: Grid) -> None:
    base = grid(levels=3, seeds=1, problems=12, budgets=3)
    one = prepare(base).design(Ledger())

    def other(frame: pd.DataFrame) -> dict[str, Design]:
        return {"a": one, "b": prepare(frame).design(Ledger())}

    with pytest.raises(InputError, match="method b has other problems than the first"):
        envelope(other(base.assign(problem=base["problem"] + 1)))
    with pytest.raises(InputError, match="method b has 2 training levels and the first 3"):
        envelope(other(base[base["train_flops"] < 5e19]))
    with pytest.raises(InputError, match=r"method b has no training level at 1e\+18, which the first has"):
        envelope(other(base.assign(train_flops=base["train_flops"] * 2)))
    with pytest.raises(InputError, match="an envelope takes two methods or more"):
        envelope({"a": one})
    three = prepare(base[base["problem"] < 3]).design(Ledger())
    with pytest.raises(InputError, match="rows must tell at least 4 apart"):
        envelope({"a": three, "b": three})


def test_problems_in_another_order_are_the_same_problems(grid: Grid) -> None:
    frame = grid(levels=3, seeds=1, problems=12, budgets=3)
    one, other = (prepare(rows).design(Ledger()) for rows in (frame, frame.sample(frac=1, random_state=0)))
    assert one.problem_names != other.problem_names
    found = envelope({"a": one, "b": other})
    alone = envelope({"a": one, "b": one})
    pd.testing.assert_frame_equal(
        found.drop(columns=["method", "chosen"]), alone.drop(columns=["method", "chosen"])
    )
    assert exchange_rate(frame, backtested=False, bootstrap=0).design.problems == 12
