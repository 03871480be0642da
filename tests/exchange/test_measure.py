"""Rates of grids whose rate is known, and every status planted."""

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest
from scipy.special import expit

from scaling.errors import FitError, InputError
from scaling.exchange import Exchange, exchange_rate, forms
from scaling.exchange.links import LOGIT
from scaling.exchange.surface import fit_surfaces

Grid = Callable[..., pd.DataFrame]
Small = Callable[..., Exchange]
Surface = Callable[[np.ndarray, np.ndarray], np.ndarray]


def plane(u: np.ndarray, v: np.ndarray) -> np.ndarray:
    return (u - 19) + 0.7 * (v - 10.5)


def cells(
    x: Surface = plane,
    u: tuple[float, ...] = (18.0, 18.5, 19.0, 19.5, 20.0),
    v: tuple[float, ...] = (9.0, 9.75, 10.5, 11.25, 12.0),
    share: Callable[[np.ndarray], np.ndarray] = expit,
) -> pd.DataFrame:
    """Whole cells without noise, one run a level."""
    us, vs = (axis.ravel() for axis in np.meshgrid(u, v, indexing="ij"))
    return pd.DataFrame({"train_flops": 10**us, "infer_flops_per_problem": 10**vs, "score": share(x(us, vs))})


@pytest.mark.parametrize("surface", [form.name for form in forms.ALL])
def test_a_plane_without_noise_gives_its_rate(small: Small, surface: str) -> None:
    rate = small(cells(), at=[0.5], surface=surface).rate(0.5)
    assert rate.status == "this run"
    assert rate.eta is not None
    assert rate.span is not None
    assert rate.span.train / rate.span.infer == pytest.approx(rate.eta.value, abs=1e-6)
    if surface in ("free", "additive", "bilinear", "spline"):
        assert rate.eta.value == pytest.approx(0.7, abs=1e-5)
        assert rate.local == pytest.approx((0.7, 0.7), abs=1e-4)
    else:  # a shape lies between candidates
        assert rate.eta.value == pytest.approx(0.7, rel=0.06)


@pytest.mark.parametrize("link", ["logit", "cloglog", "linear"])
def test_each_link(small: Small, link: str) -> None:
    def share(x: np.ndarray) -> np.ndarray:
        return {
            "logit": expit,
            "cloglog": lambda x: 1 - np.exp(-np.exp(x)),
            "linear": lambda x: 0.5 + 0.1 * x,
        }[link](x)

    y = float(share(np.array(0.0)))
    rate = small(cells(share=share), at=[y], link=link).rates[0]
    assert rate.eta is not None
    assert rate.eta.value == pytest.approx(0.7, abs=1e-5)


def test_elo_needs_no_shares(small: Small) -> None:
    """Jones' Hex: log10 test = -1.2 log10 train + .004 Elo + 29, so that eta = 1 / 1.2."""
    frame = cells(lambda u, v: (v + 1.2 * u - 29) / 0.004 - 1000, share=np.asarray)
    frame = frame.assign(score=frame["score"] - frame["score"].mean() - 500)
    found = small(frame, link="linear")
    for rate in found.rates:
        if rate.eta is not None:
            assert rate.eta.value == pytest.approx(1 / 1.2, abs=1e-6)
    assert sum(rate.eta is not None for rate in found.rates) >= 2
    assert found.ceiling == np.inf
    with pytest.raises(InputError, match="expected a share from 0 to 1"):
        exchange_rate(frame)


def test_a_rate_that_moves_has_other_ends(small: Small) -> None:
    """x = u - .3 v^2 + ..: the isoquant u(v) = .3 w^2 - .9 w has slope -(.9 - .6 w), w = v - 10.5."""

    def curved(u: np.ndarray, v: np.ndarray) -> np.ndarray:
        w = v - 10.5
        return (u - 19) + 0.9 * w - 0.3 * w**2

    v = tuple(np.linspace(9.5, 11.5, 6))
    rate = small(cells(curved, v=v), at=[0.5]).rate(0.5)
    assert rate.span is not None
    assert rate.local is not None
    third = rate.span.infer / 3
    middles = [rate.span.low + third / 2, rate.span.high - third / 2]
    expected = [0.9 - 0.6 * (middle - 10.5) for middle in middles]
    np.testing.assert_allclose(rate.local, expected, atol=0.05)  # straight between budgets
    assert rate.local[0] > rate.local[1]


def test_one_run_a_level_and_no_problems_have_no_interval() -> None:
    found = exchange_rate(cells(), at=[0.5], backtested=False, bootstrap=50)
    rate = found.rate(0.5)
    assert rate.status == "this run"
    assert (
        rate.reason == "5 of 5 training levels have one run: other seeds may differ by more than the interval"
    )
    assert rate.eta is not None
    assert (rate.eta.low, rate.eta.high, rate.components) == (None, None, None)
    assert rate.multiplier is not None
    assert rate.multiplier.low is None
    assert found.draws is None
    assert found.constancy is None
    assert found.interval["method"] == "jackknife, nothing to leave out"
    assert "NaN" not in str(found.to_json())
    again = exchange_rate(cells(), at=[0.5], backtested=False, bootstrap=50, interval="bootstrap").rate(0.5)
    assert again.eta == rate.eta
    assert found.summary()


def test_several_runs_a_level_are_ok(plain: pd.DataFrame, small: Small) -> None:
    rate = small(plain, at=[0.5]).rate(0.5)
    assert (rate.status, rate.reason) == ("ok", "")
    assert rate.eta is not None
    assert rate.eta.low is not None
    assert rate.eta.high is not None
    assert rate.eta.low < 0.8 < rate.eta.high
    assert rate.components is not None
    assert min(rate.components.run, rate.components.problem) > 0


def test_one_level_with_one_run_is_told(plain: pd.DataFrame, small: Small) -> None:
    rate = small(plain[plain["run"] != 3], at=[0.5]).rate(0.5)
    assert rate.status == "this run"
    assert rate.reason.startswith("1 of 4 training levels have one run")


def test_a_score_above_the_ceiling_is_undefined(small: Small) -> None:
    frame = cells(lambda u, v: 3 * plane(u, v), share=lambda x: 0.7 * expit(x))
    found = small(frame, at=[0.35, 0.9])
    assert found.ceiling < 0.75
    assert found.rate(0.9).status == "undefined"
    assert found.rate(0.9).reason == f"0.9 is above the method's ceiling, {found.ceiling:.4g}"
    assert found.rate(0.9).eta is None
    assert found.rate(0.9).multiplier is None
    assert found.rate(0.35).eta is not None


@pytest.mark.parametrize(
    ("frame", "at", "why"),
    [
        (cells(), 0.99, "no cell is as high as 0.99"),
        (cells(), 0.01, "no cell is as low as 0.01"),
        (cells(u=(18.0, 20.0)), 0.5, "2 training levels, and a surface needs 3"),
        (cells(u=(18.8, 18.9, 19.0, 19.1, 19.2)), 0.5, "training levels span 0.4 decades"),
        (cells(v=(9.5, 11.5)), 0.5, "training brackets 0.5 at 2 budgets, and a surface needs 3"),
        (cells(v=(10.5,)), 0.5, "training brackets 0.5 at 1 budget, and a surface needs 3"),
    ],
)
def test_what_a_design_cannot_identify(small: Small, frame: pd.DataFrame, at: float, why: str) -> None:
    rate = small(frame, at=[at], surface="additive").rate(at)
    assert rate.status == "not identified"
    assert rate.reason.startswith(why)
    assert rate.eta is None


def test_neither_gain_told_from_none_is_not_identified(grid: Grid, small: Small) -> None:
    frame = grid(
        levels=4, seeds=2, problems=30, samples=8, budgets=4, surface=lambda u, v: 0.0 * u, run_sd=0.8
    )
    middle = float((frame["c"] / frame["n"]).mean())
    found = small(frame, at=[middle])
    rate = found.rate(middle)
    assert rate.status == "not identified"
    assert rate.eta is None


def test_a_flat_training_axis_gives_a_lower_end_alone(grid: Grid, small: Small) -> None:
    """Training gains .1 a decade with a standard error of .07 from runs; inference gains 1: the truth is 10."""

    def flat(u: np.ndarray, v: np.ndarray) -> np.ndarray:
        return 0.1 * (u - 19) + (v - 10.5)

    rates = [
        small(
            grid(seeds=2, problems=60, budgets=9, infer=(10.3, 10.7), surface=flat, run_sd=0.15, levels=4, seed=k),
            at=[0.5],
        ).rate(0.5)
        for k in range(40)
    ]  # fmt: skip
    bounds = [rate for rate in rates if rate.status == "one-sided"]
    assert len(bounds) >= 5
    assert sum(rate.status == "ok" for rate in rates) <= 4
    for rate in bounds:
        assert rate.eta is not None
        assert rate.eta.low is not None
        assert rate.eta.high == np.inf
        assert "only a lower end" in rate.reason
    assert sum(0 < rate.eta.low < 10 for rate in bounds) >= len(bounds) - 1


def test_ten_times_is_given_only_where_ten_times_was_measured(small: Small) -> None:
    """The isoquant is 2 decades of training long, so 2 / eta of inference where budgets allow."""
    wide = small(cells(), at=[0.5]).rate(0.5)
    assert wide.multiplier is not None
    assert wide.multiplier.value == pytest.approx(10**0.7, rel=1e-4)
    narrow = small(cells(v=(10.1, 10.3, 10.5, 10.7, 10.9)), at=[0.5]).rate(0.5)
    assert narrow.eta is not None
    assert narrow.span is not None
    assert narrow.span.infer == pytest.approx(0.8, abs=0.01)
    assert narrow.multiplier is None


def test_the_span_is_what_cells_surround(small: Small) -> None:
    rate = small(cells(), at=[0.5]).rate(0.5)
    assert rate.span is not None
    # u = 19 - .7 (v - 10.5) between 18 and 20 is v from 9.07 to 11.93
    np.testing.assert_allclose((rate.span.low, rate.span.high), (9.0714, 11.9286), atol=0.01)
    np.testing.assert_allclose((rate.span.train_high, rate.span.train_low), (20, 18), atol=0.01)


def test_where_budgets_grow_with_training_the_span_follows(small: Small) -> None:
    """Each level has budgets of its own: below them nothing was measured."""
    frame = cells()
    level = np.log10(frame["train_flops"]) - 18
    frame["budget"] = np.tile(np.arange(5), 5)
    frame["infer_flops_per_problem"] *= 10 ** (0.5 * level)
    x = (np.log10(frame["train_flops"]) - 19) + 0.7 * (np.log10(frame["infer_flops_per_problem"]) - 10.5)
    rate = small(frame.assign(score=expit(x)), at=[0.5], surface="additive").rate(0.5)
    assert rate.span is not None
    for v, u in ((rate.span.low, rate.span.train_high), (rate.span.high, rate.span.train_low)):
        assert 9 + 0.5 * (u - 18) - 1e-6 <= v <= 12 + 0.5 * (u - 18) + 1e-6
    assert rate.eta is not None
    assert rate.eta.value == pytest.approx(0.7, abs=1e-5)


def test_scores_are_chosen_within_what_was_measured(plain: pd.DataFrame, small: Small) -> None:
    found = small(plain)
    score = found.design.cells[2]
    assert 1 <= len(found.rates) <= 5
    assert all(score.min() < rate.at < score.max() for rate in found.rates)
    assert len({rate.at for rate in found.rates}) == len(found.rates)


@pytest.mark.parametrize("share", [0.0, 0.4, 1.0])
def test_scores_that_are_all_the_same_have_nothing_to_exchange(share: float) -> None:
    with pytest.raises(FitError, match="nothing to exchange at"):
        exchange_rate(cells().assign(score=share), backtested=False)


def test_two_levels_only_are_refused_a_surface_that_needs_more(small: Small) -> None:
    assert small(cells(u=(18.0, 20.0)), at=[0.5], surface="additive").rate(0.5).status == "not identified"


def test_an_interval_of_draws_needs_draws(plain: pd.DataFrame) -> None:
    with pytest.raises(InputError, match="give bootstrap=1000"):
        exchange_rate(plain, interval="bootstrap", bootstrap=0)
    with pytest.raises(InputError, match="interval is 'bayes'; give jackknife or bootstrap"):
        exchange_rate(plain, interval="bayes")  # type: ignore[arg-type]


def test_a_seed_makes_draws_the_same(plain: pd.DataFrame) -> None:
    options = {"at": [0.5], "interval": "bootstrap", "bootstrap": 60, "backtested": False}
    one, other = (exchange_rate(plain, **options, seed=3).to_json() for _ in range(2))
    assert one == other
    assert exchange_rate(plain, **options, seed=4).to_json()["rates"] != one["rates"]


def test_intervals_hold_the_truth_far_more_often_than_those_of_samples_alone(
    grid: Grid, small: Small
) -> None:
    """Nominal 95 %; runs differ by .25 on the logit scale. Of samples alone: the cells' binomial scatter."""
    repetitions, held, naive, given = 40, 0, 0, 0
    rng = np.random.default_rng(0)
    for seed in range(repetitions):
        frame = grid(
            levels=5, seeds=3, problems=48, samples=64, budgets=5, infer=(9.0, 11.0), run_sd=0.25, seed=seed
        )
        found = small(frame, at=[0.5])
        rate = found.rate(0.5)
        if rate.status != "ok":
            continue
        assert rate.eta is not None
        assert rate.span is not None
        assert rate.eta.low is not None
        assert rate.eta.high is not None
        given += 1
        held += rate.eta.low <= 0.8 <= rate.eta.high
        u, v, score, weight = found.design.cells
        trials = 64 * 48 * 3
        drawn = rng.binomial(trials, score, (100, len(score))) / trials
        rates = fit_surfaces(forms.find("free"), u, v, drawn, weight, LOGIT, ceiling=1.0).rate(
            0.5, rate.span.low, rate.span.high
        )
        low, high = np.nanquantile(rates, [0.025, 0.975])
        naive += low <= 0.8 <= high
    assert given >= 0.8 * repetitions
    assert held / given >= 0.85
    assert naive / given <= 0.7
    assert held - naive >= 0.2 * given
