"""The best of several methods at each cost: what is chosen, what it scores elsewhere, and how surely."""

from collections.abc import Callable
from itertools import product

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import expit

from scaling.errors import InputError
from scaling.exchange import exchange_rate
from scaling.exchange.design import Design
from scaling.exchange.envelope import envelope
from scaling.exchange.ledger import Ledger
from scaling.exchange.table import prepare

Grid = Callable[..., pd.DataFrame]


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
