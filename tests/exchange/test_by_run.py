"""Rates run by run: right where runs are shifted, and refused where runs cannot stand alone."""

import numpy as np
import pandas as pd
import pytest

from scaling.errors import InputError
from scaling.exchange import exchange_rate
from scaling.exchange.by_run import rates_by_run
from scaling.exchange.one_rate import ratio_told
from scaling.exchange.planted import planted, table
from scaling.exchange.uncertainty import LeftOut


def grid(
    shifts: tuple[float, ...], eta: float = 1.0, steep: float = 6.0, seed: int = 0, most: float = 2.0
) -> pd.DataFrame:
    """Return counts of runs that learn at different times, at 8 levels x 4 budgets x 64 problems.

    Training stops helping ``most`` decades above the middle.
    """
    rng = np.random.default_rng(seed)
    problems, rows = rng.normal(size=64), []
    for run, shift in enumerate(shifts):
        for train in np.geomspace(1e9, 1e11, 8):
            for infer in np.geomspace(1e3, 1e4, 4):
                x = (
                    steep * (min(np.log10(train) - 10 - shift, most) + eta * (np.log10(infer) - 3.5))
                    + problems
                )
                rows.append(
                    pd.DataFrame(
                        {"train_flops": train, "infer_flops_per_problem": infer, "run": run, "problem": range(64),
                         "n": 32, "c": rng.binomial(32, 1 / (1 + np.exp(-x)))}
                    )
                )  # fmt: skip
    return pd.concat(rows, ignore_index=True)


def test_shifted_runs_have_their_own_rates_and_a_narrow_mean() -> None:
    found = exchange_rate(grid((-0.4, 0.0, 0.4)), at=[0.25, 0.5], bootstrap=0, backtested=False)
    own = rates_by_run(found)
    for rate in own.rates:
        assert rate.status == "ok"
        assert rate.eta is not None
        assert rate.eta.low is not None
        assert rate.eta.low < 1.0 < rate.eta.high
        assert rate.eta.high - rate.eta.low < 0.3
        assert rate.span is not None
        assert rate.span.train / rate.span.infer == pytest.approx(rate.eta.value, rel=0.02)
        assert np.mean(list(own.etas[rate.at].values())) == pytest.approx(rate.eta.value)
    assert len(own.table()) == 2 * 3
    wide = found.rates[1].eta
    assert wide is None or wide.high - wide.low > 2 * (own.rates[1].eta.high - own.rates[1].eta.low)
    assert own.to_json()["runs"]["0.5"].keys() == {"0", "1", "2"}


@pytest.mark.parametrize(("most", "at"), [(0.3, 0.5), (0.5, 0.75)])
def test_an_isoquant_ends_at_the_last_budget_at_which_training_brackets_the_score(
    most: float, at: float
) -> None:
    """Beyond it the isoquant follows the plateau of the highest levels, as far as noise lets it."""
    rows = grid((-0.1, 0.0, 0.1), eta=1.5, most=most)
    scores = rows.groupby(["run", "infer_flops_per_problem", "train_flops"])["c"].mean() / 32
    best = scores.groupby(["run", "infer_flops_per_problem"]).max().groupby("infer_flops_per_problem").min()
    reached = np.log10(best[best >= at].index.min())
    rate = rates_by_run(exchange_rate(rows, at=[at], bootstrap=0, backtested=False)).rates[0]
    assert rate.status == "ok", rate.reason
    assert rate.eta is not None
    assert rate.span is not None
    assert 3.1 < reached <= rate.span.low + 1e-9
    assert rate.eta.low is not None
    assert rate.eta.low < rate.span.train / rate.span.infer < rate.eta.high


@pytest.mark.parametrize(
    ("training", "inference", "status"),
    [
        ((1.0, 1.1, 0.9), (2.0, 2.1, 1.9), None),
        ((1.2, 0.1, 0.2), (2.0, 2.1, 1.9), "one-sided"),
        ((1.2, 0.1, 0.2), (2.0, -0.5, 0.3), "not identified"),
    ],
)
def test_a_gain_from_training_that_may_be_none_leaves_a_lower_end_at_most(
    training: tuple[float, ...], inference: tuple[float, ...], status: str | None
) -> None:
    slopes = np.array([inference, training]).T
    three = np.zeros(3, dtype=np.intp)
    without = LeftOut(np.zeros((3, 0)), three, three + 3, np.zeros((0, 0)), np.zeros(0, dtype=np.intp))
    told = ratio_told(slopes.mean(axis=0), (slopes.sum(axis=0) - slopes) / 2, np.zeros((0, 2)), without, 0.95)
    assert (told and told[0]) == status
    if told and status == "one-sided":
        assert told[2] is not None
        assert 0 < told[2] < 4.0  # the ratio of the means


def test_order_of_rows_and_names_of_runs_change_nothing() -> None:
    rows = grid((-0.2, 0.1, 0.3))
    mixed = rows.sample(frac=1, random_state=0).assign(run=lambda r: 7 - r["run"])
    first, second = (
        rates_by_run(exchange_rate(one, at=[0.5], bootstrap=0, backtested=False)).rates[0].eta
        for one in (rows, mixed)
    )
    assert first is not None
    assert second is not None
    assert (second.value, second.low, second.high) == pytest.approx(
        (first.value, first.low, first.high), rel=1e-6
    )


def test_a_run_that_cannot_tell_is_named_and_decides() -> None:
    rows = grid((-0.4, 0.0, 1.5))
    rate = rates_by_run(exchange_rate(rows, at=[0.5], bootstrap=0, backtested=False)).rates[0]
    assert rate.status == "not identified"
    assert rate.reason.startswith("in 1 of 3 runs training brackets 0.5 at")


def test_runs_of_one_level_are_refused() -> None:
    rows = grid((-0.1, 0.0, 0.1))
    apart = rows.assign(run=rows["run"].astype(str) + " " + rows["train_flops"].astype(str))
    with pytest.raises(
        InputError, match="rates run by run take 2 or more runs with checkpoints at 3 or more"
    ):
        rates_by_run(exchange_rate(apart, at=[0.5], bootstrap=0, backtested=False))


def test_planted_rates_are_found_run_by_run() -> None:
    found = exchange_rate(grid((-0.2, 0.0, 0.2), steep=3.0), at=[0.5], bootstrap=0, backtested=False)
    rows = table(planted(found, 0.5, etas=(0.5, 1.0), repetitions=30, by_runs=True))
    assert (rows["with interval"] > 0.8).all()
    assert (rows["coverage"] > 0.8).all()  # 95 % less four Monte Carlo errors
    assert (rows["bias"].abs() < 0.1).all()
