"""What to buy: the cheapest point of an isoquant is scipy's, the split is what eta says, and corners are called corners."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from scipy.optimize import minimize_scalar
from scipy.special import expit

from scaling.errors import InputError
from scaling.exchange import Exchange, exchange_rate
from scaling.exchange.break_even import break_even, break_even_levels
from scaling.exchange.purchase import POINTS, estimate, isoquant, purchase, purchase_lines

Surface = Callable[[np.ndarray, np.ndarray], np.ndarray]
U, V = np.linspace(18, 20, 7), np.linspace(9, 12, 9)


def cells(x: Surface) -> pd.DataFrame:
    """Without noise; tokens grow with inference alone."""
    u, v = (axis.ravel() for axis in np.meshgrid(U, V, indexing="ij"))
    return pd.DataFrame(
        {
            "train_flops": 10**u,
            "infer_flops_per_problem": 10**v,
            "score": expit(x(u, v)),
            "tokens": 10 ** (v - 7),
        }
    )


def rates(x: Surface, surface: str, at: float = 0.5) -> Exchange:
    return exchange_rate(cells(x), at=[at], surface=surface, backtested=False, bootstrap=0)


def plane(u: np.ndarray, v: np.ndarray) -> np.ndarray:
    return (u - 19) + 0.7 * (v - 10.5)


def bilinear(u: np.ndarray, v: np.ndarray) -> np.ndarray:
    return plane(u, v) + 0.15 * (u - 19) * (v - 10.5)


@pytest.fixture(scope="module")
def additive() -> Exchange:
    return rates(plane, "additive")


@pytest.fixture(scope="module")
def drawn(plain: pd.DataFrame) -> Exchange:
    """With draws."""
    return exchange_rate(plain.assign(tokens=100), at=[0.5], backtested=False, bootstrap=80)


@pytest.mark.parametrize("volume", [1e7, 1e8, 3e8, 2e9])
def test_an_interior_optimum_splits_the_spend_by_the_rate(additive: Exchange, volume: float) -> None:
    """p_inf V C_inf / (p_tr C_tr) = eta; training gets 1 / (1 + eta)."""
    found = purchase(additive, 0.5, volume)
    assert found.kind == "interior"
    step = (12 - 9) / POINTS  # nothing finer than the mesh, in decades
    spend = volume * found.infer.value / found.train.value
    assert np.log10(spend) == pytest.approx(np.log10(0.7), abs=1.7 * step)
    assert found.train_share.value == pytest.approx(1 / 1.7, abs=0.25 * np.log(10) * 1.7 * step)
    assert found.cost.value == pytest.approx(found.train.value + volume * found.infer.value)
    assert found.eta == pytest.approx(0.7, abs=1e-6)
    assert found.steepening == pytest.approx(0.0, abs=1e-3)
    assert found.steepening < found.eta * (1 + found.eta)


@pytest.mark.parametrize("volume", [3e7, 3e8])
@pytest.mark.parametrize(("x", "surface"), [(plane, "additive"), (bilinear, "bilinear")])
def test_the_optimum_is_scipy_s(x: Surface, surface: str, volume: float) -> None:
    found = rates(x, surface)
    mesh = isoquant(found, 0.5).v

    def cost(v: float) -> float:
        u = found.surface.isoquant(0.5, np.array([v]))[0, 0]
        return float(np.log10(10**u + volume * 10**v))

    best = minimize_scalar(cost, bounds=(mesh[0], mesh[-1]), method="bounded", options={"xatol": 1e-9})
    one = purchase(found, 0.5, volume)
    assert one.kind == "interior"
    assert np.log10(one.infer.value) == pytest.approx(best.x, abs=mesh[1] - mesh[0])
    assert one.cost.value == pytest.approx(10**best.fun, rel=1e-4)
    eta = -np.gradient(found.surface.isoquant(0.5, mesh)[0], mesh)
    k = int(np.argmin(np.abs(mesh - np.log10(one.infer.value))))
    assert one.eta == pytest.approx(eta[k], rel=1e-3)
    assert one.steepening == pytest.approx(np.gradient(eta, mesh)[k] / np.log(10), abs=5e-3)
    assert one.train_share.value == pytest.approx(1 / (1 + one.eta), abs=5e-3)


def test_where_the_rate_steepens_too_fast_the_best_is_a_corner() -> None:
    """x = u + .3 w + 3 w^2 - 19: d eta / d ln C_inf = 6 / ln 10 = 2.6, above eta (1 + eta) for eta up to 1.19.

    Where spend has the ratio eta the cost is highest there, so that some volume buys either end and none a middle.
    """

    def x(u: np.ndarray, v: np.ndarray) -> np.ndarray:
        return (u - 19) + 0.3 * (v - 10.5) + 3.0 * (v - 10.5) ** 2

    u, v = (
        axis.ravel()
        for axis in np.meshgrid(np.linspace(18.4, 19.4, 7), np.linspace(10.46, 10.64, 8), indexing="ij")
    )
    frame = pd.DataFrame({"train_flops": 10**u, "infer_flops_per_problem": 10**v, "score": expit(x(u, v))})
    found = exchange_rate(frame, at=[0.5], backtested=False, bootstrap=0)
    bought = [purchase(found, 0.5, float(volume)) for volume in np.geomspace(1e6, 1e11, 40)]
    assert {one.kind for one in bought} == {"least training", "least inference"}


def test_little_volume_buys_inference_and_much_buys_training(additive: Exchange) -> None:
    assert purchase(additive, 0.5, 1.0).kind == "least training"
    assert purchase(additive, 0.5, 1e15).kind == "least inference"
    found = [purchase(additive, 0.5, float(volume)) for volume in np.geomspace(1, 1e15, 16)]
    train = [one.train.value for one in found]
    cost = [one.cost.value for one in found]
    assert train == sorted(train)
    assert cost == sorted(cost)


def test_prices_and_volume_scale_as_they_must(additive: Exchange) -> None:
    base = purchase(additive, 0.5, 1e8, train_price=2.0, infer_price=3.0)
    same = purchase(additive, 0.5, 2e8, train_price=2.0, infer_price=1.5)
    assert (same.train, same.infer, same.train_share) == (base.train, base.infer, base.train_share)
    assert same.cost.value == pytest.approx(base.cost.value, rel=1e-12)
    dearer = purchase(additive, 0.5, 1e8, train_price=20.0, infer_price=30.0)
    assert dearer.train == base.train
    assert dearer.cost.value == pytest.approx(10 * base.cost.value, rel=1e-12)
    assert purchase(additive, 0.5, 1e8, train_price=9.0, infer_price=3.0).train.value < base.train.value


def test_a_cap_on_latency_cuts_the_isoquant(additive: Exchange) -> None:
    """Tokens are C_inf / 10^7."""
    free = purchase(additive, 0.5, 1e7)
    cap = free.infer.value / 1e7 / 4
    capped = purchase(additive, 0.5, 1e7, most_tokens=cap)
    assert capped.infer.value / 1e7 <= cap * (1 + 1e-6)
    assert capped.kind == "capped"
    assert capped.cost.value > free.cost.value
    assert capped.train.value > free.train.value
    loose = purchase(additive, 0.5, 1e7, most_tokens=1e9)
    assert loose == free
    with pytest.raises(InputError, match=r"most_tokens is 1; the least on the isoquant of 0\.5 is"):
        purchase(additive, 0.5, 1e7, most_tokens=1.0)


def test_draws_give_intervals_that_hold_the_value(drawn: Exchange) -> None:
    one = purchase(drawn, 0.5, 1e9)
    for found in (one.train, one.infer, one.cost, one.train_share):
        assert found.low is not None
        assert found.high is not None
        assert found.low <= found.value <= found.high
    assert one.cost.low < one.cost.high
    assert any("training" in line for line in purchase_lines(drawn, 1e9))


def test_without_draws_there_is_no_interval(additive: Exchange) -> None:
    one = purchase(additive, 0.5, 1e8)
    assert one.cost.low is None


@pytest.mark.parametrize("volume", [0.0, -1.0, np.inf, np.nan])
def test_a_volume_is_positive(additive: Exchange, volume: float) -> None:
    with pytest.raises(InputError, match="volume"):
        purchase(additive, 0.5, volume)


def test_a_score_without_an_isoquant_is_refused(additive: Exchange, plain: pd.DataFrame) -> None:
    with pytest.raises(InputError, match=r"at 0\.999 no rate is identified"):
        purchase(additive, 0.999, 1e8)
    untold = exchange_rate(plain, at=[0.5], backtested=False, bootstrap=0)
    with pytest.raises(InputError, match="needs a column tokens"):
        purchase(untold, 0.5, 1e8, most_tokens=10)


def test_at_the_break_even_volume_both_cost_the_same() -> None:
    train, infer = (3e18, 5e19), (4e10, 2e9)
    volume = break_even(train, infer, train_price=1.5, infer_price=4.0)
    costs = [1.5 * train[k] + 4.0 * volume * infer[k] for k in range(2)]
    assert costs[0] == pytest.approx(costs[1], rel=1e-12)
    assert break_even(train[::-1], infer[::-1], train_price=1.5, infer_price=4.0) == volume
    assert break_even(train, infer, train_price=3.0, infer_price=8.0) == pytest.approx(volume)
    assert break_even((1e18, 2e18), (1e9, 2e9)) == np.inf
    assert break_even((1e18, 1e18), (1e9, 2e9)) == 0.0
    with pytest.raises(InputError, match="train"):
        break_even((0.0, 1e18), (1e9, 1e9))


def test_break_even_of_two_levels_on_the_surface(additive: Exchange) -> None:
    """Level k needs v = 10.5 - (u - 19) / .7."""
    found = break_even_levels(additive, 0.5, 1, 5, train_price=2.0)
    u = U[[1, 5]]
    v = 10.5 - (u - 19) / 0.7
    np.testing.assert_allclose(np.log10(found.infer), v, atol=1e-5)
    expected = 2.0 * (10 ** u[1] - 10 ** u[0]) / (10 ** v[0] - 10 ** v[1])
    assert found.volume is not None
    assert found.volume.value == pytest.approx(expected, rel=1e-4)
    assert found.reason == ""


def test_break_even_says_why_there_is_none(additive: Exchange) -> None:
    # the highest level needs v = 9.07 for .5, the lowest 11.93
    for at, less, more, why in (
        (0.9, 0, 6, "the less trained one does not reach 0.9 at any budget measured"),
        (0.3, 0, 6, "the better trained one passes 0.3 at its least budget already"),
    ):
        found = break_even_levels(additive, at, less, more)
        assert found.volume is None
        assert found.reason == why
    slow = break_even_levels(additive, 0.5, 1, 5, most_tokens=3000)
    assert slow.reason == "the less trained one takes more than 3000 tokens"
    for pair in ((3, 3), (4, 2), (0, 7)):
        with pytest.raises(InputError, match="give two of 0 to 6, the less trained first"):
            break_even_levels(additive, 0.5, *pair)


def test_where_more_training_is_no_cheaper_to_run_there_is_none(small: Callable[..., Exchange]) -> None:
    """Larger models: every token costs more, so that the isoquant turns up."""
    u, k = (axis.ravel() for axis in np.meshgrid(U, np.arange(9), indexing="ij"))
    v = 9 + 0.375 * k + 1.0 * (u - 18)
    frame = pd.DataFrame(
        {
            "train_flops": 10**u,
            "infer_flops_per_problem": 10**v,
            "budget": k,
            "score": expit(0.3 * (v - 11.5) - 0.2 * (u - 19)),
        }
    )
    found = small(frame, at=[0.5], surface="additive")
    one = break_even_levels(found, 0.5, 1, 3)
    assert one.reason == "the less trained one is no dearer to run: it is cheaper at every volume"


def test_draws_at_infinity_leave_no_upper_end(drawn: Exchange) -> None:
    """A checkpoint that is no cheaper to run in some draws never pays in them."""
    one = estimate(3.0, np.array([1.0, 2.0, np.inf, np.inf, np.inf]), 0.95)
    assert (one.low, one.high) == (1.0, np.inf)
    found = break_even_levels(drawn, 0.5, 1, 2)
    assert found.volume is not None
    assert found.volume.low is not None
    assert found.volume.high is not None
    assert found.volume.low <= found.volume.value <= found.volume.high


def test_draws_in_which_neither_gets_there_are_counted_and_left_out(drawn: Exchange) -> None:
    assert drawn.draws is not None
    low = replace(drawn.draws, beta=drawn.draws.beta.copy())
    low.beta[::4, : len(drawn.design.budgets)] -= 50.0  # a quarter of the surfaces score nothing at all
    found = break_even_levels(replace(drawn, draws=low), 0.5, 1, 2)
    assert found.lost >= 0.2
    assert found.volume is not None
    assert found.volume.low is not None
    assert found.volume.high is not None
    assert not np.isnan([found.volume.low, found.volume.high]).any()


def test_nothing_is_bought_by_a_rate_that_is_not_identified(grid: Callable[..., pd.DataFrame]) -> None:
    frame = grid(levels=2, seeds=2, problems=20, samples=8, budgets=5)
    few = exchange_rate(frame, at=[0.5], surface="additive", bootstrap=0, backtested=False)
    with pytest.raises(InputError, match=r"at 0\.5 no rate is identified .* 2 training levels"):
        purchase(few, 0.5, 1e6)
    weak = grid(
        levels=4, seeds=2, problems=60, budgets=9, infer=(10.3, 10.7), run_sd=0.15, seed=1,
        surface=lambda u, v: 0.1 * (u - 19) + (v - 10.5),
    )  # fmt: skip
    bounded = exchange_rate(weak, at=[0.5], bootstrap=0, backtested=False)
    assert bounded.rate(0.5).status == "one-sided"
    with pytest.raises(InputError, match="the gain from training cannot be told from none"):
        purchase(bounded, 0.5, 1e6)
