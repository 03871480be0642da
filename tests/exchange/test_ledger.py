"""What is counted, by hand."""

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest

from scaling.errors import InputError
from scaling.exchange import Exchange, Ledger
from scaling.exchange.ledger import possible
from scaling.exchange.sensitivity import sensitivity

PRICED = pd.DataFrame(
    {
        "train_flops": [3e18, 5e18],
        "pretrain_flops": [7e18, 1e18],
        "train_device_seconds": [100.0, 200.0],
        "infer_flops_prefill_per_problem": [2e9, 3e9],
        "infer_flops_decode_per_problem": [10e9, 20e9],
        "infer_flops_verifier_per_problem": [1e9, 4e9],
        "tokens": [500.0, 700.0],
        "device_seconds_per_problem": [0.5, 0.25],
    }
)
K = np.array([8.0, 4.0])


def test_training_is_this_stage_or_all() -> None:
    assert Ledger().training(PRICED).tolist() == [3e18, 5e18]
    assert Ledger(train="total").training(PRICED).tolist() == [10e18, 6e18]
    assert Ledger(currency="device_seconds").training(PRICED).tolist() == [100.0, 200.0]


@pytest.mark.parametrize(
    ("book", "expected"),
    [
        (Ledger(), [2 + 8 * 11, 3 + 4 * 24]),
        (Ledger(prefill="repeated"), [8 * 13, 4 * 27]),
        (Ledger(verifier="out"), [2 + 8 * 10, 3 + 4 * 20]),
        (Ledger(verifier="out", prefill="repeated"), [8 * 12, 4 * 23]),
    ],
    ids=str,
)
def test_inference_of_k_samples(book: Ledger, expected: list[float]) -> None:
    np.testing.assert_allclose(book.inference(PRICED, K), 1e9 * np.array(expected))


@pytest.mark.parametrize("verifier", ["in", "out"])
@pytest.mark.parametrize("prefill", ["shared", "repeated"])
def test_the_whole_counts_its_parts(verifier: str, prefill: str) -> None:
    """A table may tell the whole in place of the decoding."""
    parts = [f"infer_flops_{part}_per_problem" for part in ("prefill", "decode", "verifier")]
    whole = PRICED.assign(infer_flops_per_problem=PRICED[parts].sum(axis=1)).drop(columns=parts[1])
    book = Ledger(verifier=verifier, prefill=prefill)  # type: ignore[arg-type]
    np.testing.assert_allclose(book.inference(whole, K), book.inference(PRICED, K))


def test_a_whole_below_its_parts_is_refused() -> None:
    frame = PRICED.drop(columns="infer_flops_decode_per_problem").assign(infer_flops_per_problem=2.5e9)
    with pytest.raises(InputError, match=r"row 0: infer_flops_per_problem is 2\.5e\+09, less than its parts"):
        Ledger().inference(frame, K)


def test_samples_side_by_side_take_no_longer_but_more_device_seconds() -> None:
    assert Ledger(currency="critical_tokens").inference(PRICED, K).tolist() == [500.0, 700.0]
    assert Ledger(currency="device_seconds").inference(PRICED, K).tolist() == [4.0, 1.0]


@pytest.mark.parametrize(
    ("book", "column"),
    [
        (Ledger(train="total"), "pretrain_flops"),
        (Ledger(currency="device_seconds"), "train_device_seconds"),
    ],
)
def test_a_convention_names_the_column_that_it_lacks(book: Ledger, column: str) -> None:
    with pytest.raises(InputError, match=f"needs a column {column}"):
        book.training(PRICED.drop(columns=column))


def test_another_choice_is_refused() -> None:
    with pytest.raises(InputError, match="ledger's prefill is 'twice'; give shared or repeated"):
        Ledger(prefill="twice")  # type: ignore[arg-type]


def test_conventions_are_those_that_columns_tell_apart() -> None:
    assert len(list(possible(PRICED))) == 2 * 2 * 2 + 2 + 1
    assert len(set(possible(PRICED))) == 11
    assert list(possible(PRICED[["train_flops"]])) == [Ledger()]


def plane(before: float, decades: float = 2.0) -> pd.DataFrame:
    """Whole cells without noise: logit = u + .5 v about a middle, u that of this stage."""
    levels = 19 + decades * np.linspace(-0.5, 0.5, 5)
    u, v = (axis.ravel() for axis in np.meshgrid(levels, np.linspace(9, 12, 7), indexing="ij"))
    score = 1 / (1 + np.exp(-((u - 19) + 0.5 * (v - 10.5))))
    return pd.DataFrame(
        {"train_flops": 10**u, "infer_flops_per_problem": 10**v, "score": score, "pretrain_flops": before}
    )


@pytest.mark.parametrize("before", [1e18, 1e19])
def test_total_compute_shrinks_the_rate_by_the_stage_s_share(
    small: Callable[..., Exchange], before: float
) -> None:
    """At a point, eta_total = eta_stage C_stage / C_total."""
    frame = plane(before, decades=0.2).assign(run="one")
    stage, total = (small(frame, at=[0.5], ledger=Ledger(train=which)) for which in ("stage", "total"))
    rates = [found.surface.rate(0.5, 10.49, 10.51)[0] for found in (stage, total)]
    assert rates[0] == pytest.approx(0.5, abs=1e-6)
    assert rates[1] == pytest.approx(rates[0] * 1e19 / (1e19 + before), rel=0.02)


def test_what_is_left_of_a_whole_may_be_rounding() -> None:
    frame = pd.DataFrame(
        {
            "infer_flops_per_problem": [0.3],
            "infer_flops_prefill_per_problem": [0.1],
            "infer_flops_verifier_per_problem": [0.2 + 1e-16],
        }
    )
    assert Ledger().inference(frame, np.ones(1)) == pytest.approx([0.3])


def test_every_convention_is_measured_or_says_why_not() -> None:
    frame = plane(1e20)
    table, found = sensitivity(frame, [0.5], bootstrap=0)
    assert table["train"].tolist() == ["this stage alone", "with all training before it"]
    assert table["eta"][0] == pytest.approx(0.5, abs=0.01)
    # training then spans less than a decade
    assert table["status"][1] == "not identified"
    assert len(found) == 2


def test_finished_scores_take_a_prefill_for_each_of_their_k_samples() -> None:
    frame = PRICED.assign(k=[8, 4])
    assert Ledger().inference(frame).tolist() == [13e9, 27e9]
    assert Ledger(prefill="repeated").inference(frame).tolist() == [(16 + 11) * 1e9, (12 + 24) * 1e9]
    with pytest.raises(InputError, match="a prefill for each sample needs a column k"):
        Ledger(prefill="repeated").inference(PRICED)
    shared = [one for one in possible(PRICED, together=False) if one.prefill == "repeated"]
    assert not shared
    assert any(one.prefill == "repeated" for one in possible(frame, together=False))


def test_what_the_whole_has_beyond_the_decode_is_prefill() -> None:
    parts = [f"infer_flops_{part}_per_problem" for part in ("prefill", "decode", "verifier")]
    whole = PRICED.assign(infer_flops_per_problem=PRICED[parts].sum(axis=1)).drop(columns=parts[0])
    np.testing.assert_allclose(Ledger().inference(whole, K), Ledger().inference(PRICED, K))


@pytest.mark.parametrize(
    ("book", "column"),
    [
        (Ledger(verifier="out"), "infer_flops_verifier_per_problem"),
        (Ledger(prefill="repeated"), "infer_flops_prefill"),
    ],
    ids=str,
)
def test_a_part_that_no_column_tells_cannot_be_counted_otherwise(book: Ledger, column: str) -> None:
    frame = pd.DataFrame({"train_flops": [1e18], "infer_flops_per_problem": [1e9]})
    with pytest.raises(InputError, match=f"needs a column {column}"):
        book.inference(frame, np.ones(1))
    assert Ledger().said(frame) == "this stage alone; FLOPs as infer_flops_per_problem counts them"
    assert Ledger().said(PRICED) == str(Ledger())
