"""What is said of own rates beside each other: conventions, the choice of an envelope, a surface that runs contradict."""

from itertools import product

import pandas as pd
import pytest

from scaling.exchange.result import Rate
from scaling.fitting.parts import Estimate
from scaling.sections.exchange_envelope import chosen_verdict
from scaling.sections.exchange_trust import middle_verdict, sensitivity_section
from scaling.sections.think_axes import agree

SAME = {"verifier": "", "prefill": "", "currency": "FLOPs"}


def conventions(etas: dict[tuple[str, float], float | None]) -> pd.DataFrame:
    return pd.DataFrame(
        [
            {"train": train, **SAME, "at": at, "eta": eta, "low": None, "high": None, "status": "ok"}
            for (train, at), eta in etas.items()
        ]
    )


def test_a_convention_without_a_rate_is_named_and_scores_without_any_do_not_count() -> None:
    stages = ("this stage alone", "the same again", "with all training before it")
    etas = dict.fromkeys(product(stages, (0.25, 0.5, 0.75)))
    etas |= {(stages[0], 0.5): 0.5, (stages[1], 0.5): 0.6, (stages[2], 0.5): -0.3}
    (verdict,) = sensitivity_section(conventions(etas)).verdicts
    assert verdict.text == (
        "No positive rate is identified counting with all training before it; among the others what is counted moves η by "
        "up to a factor of 1.2 on the same runs."
    )
    etas |= {(stages[0], 0.75): 0.4, (stages[1], 0.75): 0.41, ("a third", 0.75): -1.0, ("a third", 0.5): 0.55}
    (verdict,) = sensitivity_section(conventions(etas)).verdicts
    assert verdict.text.endswith("on the same runs, where 1 of 6 rates are not identified or not positive.")


def test_one_convention_with_a_rate_moves_nothing() -> None:
    assert not sensitivity_section(conventions({("a", 0.5): 0.5, ("b", 0.5): None})).verdicts


@pytest.mark.parametrize(
    ("low", "high", "note", "status"),
    [
        (1.2, 3.0, "", "measured"), (0.8, 3.0, "", "not identified"), (0.2, 0.9, "", "measured"),
        (1.2, None, "at least", "measured"), (0.8, None, "at least", "not identified"),
        (None, 1.5, "at most", "not identified"), (None, 0.9, "at most", "measured"),
        (None, None, "beyond", "measured"), (None, None, "wide", "not identified"),
    ],
)  # fmt: skip
def test_a_multiple_is_told_that_is_surely_more_or_less_than_one(
    low: float | None, high: float | None, note: str, status: str
) -> None:
    row = {"train": 1e18, "budget": "8", "low": low, "high": high, "note": note, "shown": "so much"}
    others = [row | {"train": train, "note": "", "low": 2.0, "high": 3.0} for train in (1e17, 1e19)]
    assert middle_verdict(pd.DataFrame([row, *others]), "FLOPs").status == status


def points(*rows: tuple[str, float, float, float, int]) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=["method", "chosen", "infer", "spent", "methods"])


def test_a_method_counts_where_nearly_all_halvings_choose_it_and_another_could_be_had() -> None:
    rows = (
        ("votes", 1.0, 8.0, 8.0, 2), ("votes", 0.96, 8.0, 2.0, 2), ("thinking", 0.9, 8.0, 8.0, 2),
        ("votes", 1.0, 4.0, 4.0, 1),
    )  # fmt: skip
    found = chosen_verdict(points(*rows))
    assert found.status == "measured"
    assert found.text == (
        "Of 3 points with a choice, chosen in 95% or more of the halvings: votes at 2 (at 1 of all these by a budget of "
        "less than half of what may be spent); at the other 1 the halves of the problems do not agree on one."
    )
    assert chosen_verdict(points(("votes", 0.6, 8.0, 8.0, 2))).status == "not identified"


@pytest.mark.parametrize(
    ("one", "other", "said"),
    [
        ((1.5, 1.0, 2.0), (1.8, 1.4, 3.0), True), ((1.5, 1.0, 2.0), (2.5, 2.1, 3.0), False),
        ((2.5, 2.1, 3.0), (1.5, 1.0, 2.0), False), ((1.5, 1.0, 2.0), (1.5, None, None), False),
        ((0.1, -0.02, 0.21), (0.42, 0.19, 0.93), False), ((0.052, -0.032, 0.137), (0.24, 0.12, 0.48), False),
        ((0.21, 0.10, 0.44), (0.115, 0.067, 0.2), False),
    ],
)  # fmt: skip
def test_rates_agree_of_which_each_may_be_the_other(
    one: tuple[float, float, float], other: tuple[float, float | None, float | None], said: bool
) -> None:
    """A sliver that two vague intervals have in common is no agreement."""
    rates = [Rate(0.5, "ok", "", Estimate(*ends), None) for ends in (one, other)]
    assert agree(*rates) == said
