"""Widths at other designs."""

from collections.abc import Callable

import pandas as pd
import pytest

from scaling.errors import InputError
from scaling.exchange import Exchange, exchange_rate
from scaling.exchange.planning import Plan, plan, planning_table


@pytest.fixture(scope="module")
def found(grid: Callable[..., pd.DataFrame]) -> Exchange:
    frame = grid(levels=4, seeds=3, problems=60, samples=16, budgets=5, infer=(9.0, 11.0), run_sd=0.2)
    return exchange_rate(frame, at=[0.5], backtested=False, bootstrap=0)


def test_the_measured_design_has_the_measured_width(found: Exchange) -> None:
    rate = found.rate(0.5)
    assert rate.eta is not None
    assert rate.eta.low is not None
    assert rate.eta.high is not None
    one = plan(found, rate)
    assert one.width(3, 60) == pytest.approx(rate.eta.high - rate.eta.low, rel=0.02)


def test_more_seeds_and_problems_narrow(found: Exchange) -> None:
    one = plan(found, found.rate(0.5))
    widths = [one.width(seeds, 60) for seeds in (2, 3, 5, 10, 50)]
    assert widths == sorted(widths, reverse=True)
    widths = [one.width(3, problems) for problems in (30, 60, 120, 240, 480)]
    assert widths == sorted(widths, reverse=True)


def test_variances_shrink_by_the_numbers() -> None:
    """With all degrees of freedom, the width is that of a normal: twice 1.96 sd of ln eta, times eta."""
    one = Plan(at=0.5, run=1e-4, run_freedom=1e6, problem=1e-2, level=0.95, eta=2.0)
    assert one.width(4, 1000) == pytest.approx(2 * 2 * 1.96 * (1e-4 / 4 + 1e-5) ** 0.5, rel=1e-3)


def test_the_fewest_seeds_reach_a_width_and_one_less_do_not(found: Exchange) -> None:
    one = plan(found, found.rate(0.5))
    width = 0.7 * one.width(3, 500)
    seeds = one.seeds_for(width, 500)
    assert seeds is not None
    assert one.width(seeds, 500) <= width < one.width(seeds - 1, 500)
    assert one.seeds_for(1e-9, 500) is None
    assert one.seeds_for(1e9, 500) == 2


def test_few_problems_have_a_width_too(found: Exchange) -> None:
    one = plan(found, found.rate(0.5))
    assert one.width(3, 5) > one.width(3, 60)


def test_the_table_holds_the_measured_design(found: Exchange) -> None:
    table = planning_table(found, found.rate(0.5))
    assert "60 problems" in table
    assert 3 in table["seeds"].tolist()
    assert table.drop(columns="seeds").gt(0).all(axis=None)


def test_what_has_no_variance_cannot_be_planned(
    grid: Callable[..., pd.DataFrame], plain: pd.DataFrame
) -> None:
    single = plain[plain["run"] % 2 == 0]
    lone = exchange_rate(single, at=[0.5], backtested=False, bootstrap=0)
    with pytest.raises(InputError, match="at least two runs a level"):
        plan(lone, lone.rate(0.5))
    high = exchange_rate(plain, at=[0.999], backtested=False, bootstrap=0)
    with pytest.raises(InputError, match=r"the rate at 0\.999 has no variance to plan from"):
        plan(high, high.rate(0.999))


def test_a_rate_whose_interval_reaches_nil_is_not_planned_from(grid: Callable[..., pd.DataFrame]) -> None:
    """Its variance is of eta, not of ln eta, of which widths are factors."""
    frame = grid(
        levels=4, seeds=3, problems=40, samples=8, budgets=5, infer=(9.0, 11.0), run_sd=0.1,
        surface=lambda u, v: 2 * (u - 19) + 0.02 * (v - 10),
    )  # fmt: skip
    found = exchange_rate(frame, at=[0.5], backtested=False, bootstrap=0)
    rate = found.rate(0.5)
    assert rate.eta is not None
    assert rate.eta.low is not None
    assert rate.eta.low < 0 < rate.eta.value
    assert rate.components is not None
    assert not rate.components.of_log
    with pytest.raises(InputError, match=r"the rate at 0\.5 is not surely positive"):
        plan(found, rate)
