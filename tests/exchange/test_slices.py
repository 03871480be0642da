"""Two slices: planted slopes come back, the interval is Fieller's, and what cannot be told is not told."""

from dataclasses import asdict
from random import Random

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import expit
from scipy.stats import t

from scaling.errors import InputError
from scaling.exchange import Slices, exchange_slices
from scaling.exchange.ratio import fieller

slopes = st.floats(0.02, 0.3)
factors = st.floats(1e-6, 1e6)


def a_slice(
    column: str, slope: float, points: int = 8, start: float = 18.0, noise: float = 0.0, seed: int = 0
) -> pd.DataFrame:
    """Scores about a line in log10 compute, 3 decades long."""
    x = np.linspace(start, start + 3, points)
    score = 0.2 + slope * (x - start) + noise * np.random.default_rng(seed).normal(size=points)
    return pd.DataFrame({column: 10**x, "score": score})


def two(
    train: float, infer: float, points: int = 8, noise: float = 0.0, seed: int = 0
) -> tuple[pd.DataFrame, pd.DataFrame]:
    return (
        a_slice("train_flops", train, points, noise=noise, seed=seed),
        a_slice("infer_flops_per_problem", infer, points, 9.0, noise, seed + 1),
    )


def ends(found: Slices) -> tuple[float, float, float]:
    eta = found.rate.eta
    assert eta is not None
    assert eta.low is not None
    assert eta.high is not None
    return eta.low, eta.value, eta.high


@settings(deadline=None, max_examples=25)
@given(train=slopes, infer=slopes)
def test_two_exact_lines_give_the_ratio_of_their_slopes(train: float, infer: float) -> None:
    found = exchange_slices(*two(train, infer))
    assert ends(found) == pytest.approx([infer / train] * 3, rel=1e-6)
    assert found.robust == pytest.approx(infer / train, rel=1e-6)
    assert found.segments == pytest.approx((infer / train, infer / train), rel=1e-6)
    assert found.rate.status == "assumes additivity"


@settings(deadline=None, max_examples=25)
@given(
    by_train=factors,
    by_infer=factors,
    scale=st.floats(0.5, 2.0),
    shift=st.floats(-1, 1),
    order=st.randoms(use_true_random=False),
)
def test_units_of_compute_the_scores_scale_and_the_rows_order_are_nothing_to_the_rate(
    by_train: float, by_infer: float, scale: float, shift: float, order: Random
) -> None:
    train, infer = two(0.1, 0.2, noise=0.02)
    before = exchange_slices(train, infer)
    seed = order.randrange(1000)
    after = exchange_slices(
        train.assign(
            train_flops=train["train_flops"] * by_train, score=shift + scale * train["score"]
        ).sample(frac=1, random_state=seed),
        infer.assign(
            infer_flops_per_problem=infer["infer_flops_per_problem"] * by_infer,
            score=shift + scale * infer["score"],
        ).sample(frac=1, random_state=seed),
    )
    assert ends(after) == pytest.approx(ends(before), rel=1e-6)
    assert after.segments == pytest.approx(before.segments, rel=1e-6)


def test_the_slices_changed_about_give_one_over_the_rate() -> None:
    train, infer = two(0.1, 0.2, noise=0.02)
    names = {"train_flops": "infer_flops_per_problem", "infer_flops_per_problem": "train_flops"}
    low, value, high = ends(exchange_slices(train, infer))
    again = ends(exchange_slices(infer.rename(columns=names), train.rename(columns=names)))
    assert again == pytest.approx((1 / high, 1 / value, 1 / low), rel=0.01)


@pytest.mark.parametrize("link", ["logit", "cloglog"])
def test_a_link_straightens_a_curve_of_its_own_shape(link: str) -> None:
    share = {"logit": expit, "cloglog": lambda x: 1 - np.exp(-np.exp(x))}[link]
    train, infer = two(0.4, 0.9)
    found = exchange_slices(
        train.assign(score=share(train["score"])), infer.assign(score=share(infer["score"])), link=link
    )
    assert ends(found) == pytest.approx([2.25] * 3, rel=1e-6)


@pytest.mark.parametrize("noise", [0.01, 0.05, 0.09])
def test_the_interval_is_fiellers_where_points_are_many(noise: float) -> None:
    found = exchange_slices(*two(0.1, 0.2, points=400, noise=noise))
    train, infer = found.train.slope, found.infer.slope
    assert train.se is not None
    assert infer.se is not None
    reach = float(t.ppf(0.975, 398))
    exact = fieller(infer.value, train.value, infer.se**2, train.se**2, 0.0, reach)
    low, _, high = ends(found)
    assert (low, high) == pytest.approx(exact, rel=0.02)


@settings(deadline=None, max_examples=25)
@given(noise=st.floats(0.01, 0.3), seed=st.integers(0, 10**6))
def test_the_interval_holds_the_value_and_a_lower_level_is_within_it(noise: float, seed: int) -> None:
    """Training that is barely told from none used to give an interval from minus a lot to plus a lot."""
    tables = two(0.1, 0.2, points=6, noise=noise, seed=seed)
    found, narrow = exchange_slices(*tables), exchange_slices(*tables, level=0.8)
    slope = found.train.slope
    assert slope.low is not None
    if found.rate.eta is None:
        assert found.rate.status == "not identified"
        return
    low, value, high = ends(found)
    assert low <= value <= high
    assert found.rate.status == ("assumes additivity" if slope.low > 0 else "one-sided")
    if narrow.rate.status == found.rate.status == "assumes additivity":
        inner = ends(narrow)
        assert low <= inner[0] <= inner[2] <= high


def test_a_rate_whose_inference_surely_helps_is_surely_positive_though_training_barely_does() -> None:
    checked = 0
    for seed in range(100):
        found = exchange_slices(*two(0.1, 0.9, points=6, noise=0.09, seed=seed))
        slope = found.train.slope
        assert slope.low is not None
        if 0 < slope.low < 0.2 * slope.value:
            low, _, _ = ends(found)
            assert low > 0
            checked += 1
    assert checked > 5


def test_coverage_of_a_planted_rate() -> None:
    inside = 0
    for seed in range(150):
        low, _, high = ends(exchange_slices(*two(0.1, 0.2, points=8, noise=0.03, seed=2 * seed)))
        inside += low <= 2.0 <= high
    assert 0.9 <= inside / 150 <= 0.99


@pytest.mark.parametrize(
    ("train", "infer", "status", "why"),
    [
        (0.0, 0.2, "one-sided", "only a lower end"),
        (0.0, 0.0, "not identified", "neither"),
        (-0.1, 0.2, "not identified", "falls with training"),
    ],
)
def test_what_cannot_be_told(train: float, infer: float, status: str, why: str) -> None:
    found = exchange_slices(*two(train, infer, points=12, noise=0.01, seed=3))
    assert found.rate.status == status
    assert why in found.rate.reason
    if status == "one-sided":
        low, value, high = ends(found)
        assert 0 < low <= value <= high == np.inf


def test_inference_that_does_harm_has_a_negative_rate() -> None:
    low, value, high = ends(exchange_slices(*two(0.1, -0.1, noise=0.005)))
    assert low < value < high < 0
    assert value == pytest.approx(-1, abs=0.2)


def test_a_choice_of_scores_is_the_rows_within_it() -> None:
    train, infer = two(0.1, 0.2, noise=0.02)
    found = exchange_slices(train, infer, within=(0.25, 0.6))
    by_hand = exchange_slices(
        train[train["score"].between(0.25, 0.6)], infer[infer["score"].between(0.25, 0.6)]
    )
    assert ends(found) == ends(by_hand)
    assert found.common is None


def test_the_rate_on_common_scores_is_that_of_a_choice() -> None:
    train, infer = two(0.1, 0.2, points=12, noise=0.02)
    common = exchange_slices(train, infer).common
    inside = (
        max(train["score"].min(), infer["score"].min()),
        min(train["score"].max(), infer["score"].max()),
    )
    chosen = exchange_slices(train, infer, within=inside).rate
    assert common is not None
    assert asdict(common)["eta"] == asdict(chosen)["eta"]


def test_rows_without_a_value_are_left_out() -> None:
    train, infer = two(0.1, 0.2, noise=0.02)
    holed = pd.concat(
        [train, pd.DataFrame({"train_flops": [np.nan, 0.0, 1e19], "score": [0.5, 0.5, np.nan]})]
    )
    assert ends(exchange_slices(holed, infer)) == ends(exchange_slices(train, infer))


def test_what_a_slice_has_to_have() -> None:
    train, infer = two(0.1, 0.2)
    with pytest.raises(
        InputError, match="the train slice has no column train_flops; give --map train_flops=EXPR"
    ):
        exchange_slices(infer[1:], infer)
    both = train.assign(infer_flops_per_problem=1e9)
    with pytest.raises(InputError, match="both slices are the same 8 rows"):
        exchange_slices(both, both)
    with pytest.raises(InputError, match="the infer slice has 2 usable points"):
        exchange_slices(train, infer[:2])
    with pytest.raises(InputError, match=r"the infer slice has 8 usable points; .* at least 3 computes"):
        exchange_slices(train, infer.assign(infer_flops_per_problem=1e9))
    with pytest.raises(
        InputError, match="the train slice has scores from 20 to 50; the logit link takes shares"
    ):
        exchange_slices(train.assign(score=100 * train["score"]), infer, link="logit")
