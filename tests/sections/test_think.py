"""What is said of own rates beside each other: conventions, the choice of an envelope, a surface that runs contradict."""

from itertools import product

import pandas as pd
import pytest

from scaling.exchange.result import Rate
from scaling.fitting.parts import Estimate
from scaling.sections.exchange_envelope import chosen_verdict
from scaling.sections.exchange_trust import sensitivity_section
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
    etas = dict.fromkeys(product(stages, (0.25, 0.5)))
    etas |= {
        ("this stage alone", 0.5): 0.5,
        ("the same again", 0.5): 0.6,
        ("with all training before it", 0.5): -0.3,
    }
    (verdict,) = sensitivity_section(conventions(etas)).verdicts
    assert "by up to a factor of 1.2 on the same runs" in verdict.text
    assert (
        "1 of 3 rates at these scores (all of: with all training before it) are not identified or not positive"
        in verdict.text
    )


def test_one_convention_with_a_rate_moves_nothing() -> None:
    assert not sensitivity_section(conventions({("a", 0.5): 0.5, ("b", 0.5): None})).verdicts


def points(*rows: tuple[str, float, float, float]) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=["method", "chosen", "infer", "spent"])


def test_a_method_counts_where_nearly_all_halvings_choose_it() -> None:
    found = chosen_verdict(
        points(("votes", 1.0, 8.0, 8.0), ("votes", 0.96, 8.0, 2.0), ("thinking", 0.9, 8.0, 8.0))
    )
    assert found.status == "measured"
    assert found.text == (
        "Of 3 points, chosen in 95% or more of the halvings: votes at 2 (at 1 of all these by a budget of less than half of "
        "what may be spent); at the other 1 the halves of the problems do not agree on one."
    )
    assert chosen_verdict(points(("votes", 0.6, 8.0, 8.0))).status == "not identified"


@pytest.mark.parametrize(
    ("one", "other", "said"),
    [
        ((1.0, 2.0), (1.5, 3.0), True), ((1.0, 2.0), (2.1, 3.0), False), ((2.1, 3.0), (1.0, 2.0), False),
        ((1.0, 2.0), (None, None), False), ((0.5, 3.0), (1.0, 2.0), True),
    ],
)  # fmt: skip
def test_rates_agree_that_have_a_value_in_common(
    one: tuple[float, float], other: tuple[float | None, float | None], said: bool
) -> None:
    rates = [Rate(0.5, "ok", "", Estimate(1.5, *ends), None) for ends in (one, other)]
    assert agree(*rates) == said
