"""pass@k of a task that can be guessed: what is corrected is the share that knows, at every k, or it is left out."""

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest

from scaling.errors import FitError
from scaling.exchange import Ledger, exchange_rate
from scaling.exchange.table import prepare

CHANCE = 0.25


def guessed(problems: int = 400, n: int = 16, chance: float = CHANCE, seed: int = 0) -> pd.DataFrame:
    """Counts of samples that know the answer with a probability of their problem, and else guess."""
    rng = np.random.default_rng(seed)
    level, run, problem = (axis.ravel() for axis in np.indices((5, 3, problems), dtype=np.intp))
    ease = rng.normal(size=problems)[problem]
    knows = 1 / (1 + np.exp(-(-3 + 0.7 * level + 0.8 * ease)))
    return pd.DataFrame(
        {
            "train_flops": 10.0 ** (18 + 0.5 * level),
            "infer_flops_per_problem": 1e9,
            "run": level * 3 + run,
            "problem": problem,
            "knows": knows,
            "n": n,
            "c": rng.binomial(n, knows + (1 - knows) * chance),
            "chance_score": chance,
        }
    )


def test_corrected_scores_are_the_share_that_knows() -> None:
    frame = guessed()
    design = prepare(frame, "pass").design(Ledger())
    score = design.level_curves()[2]
    truth = frame.groupby("train_flops")["knows"]
    for b, k in enumerate(design.budgets):
        for level, (_, knows) in enumerate(truth):
            assert score[level, b] == pytest.approx((1 - (1 - knows) ** k).mean(), abs=0.06)


def test_a_k_that_guessers_pass_is_left_out_and_said() -> None:
    found = exchange_rate(guessed(), method="pass", at=[0.3], bootstrap=0, backtested=False)
    said = [one.message for one in found.warnings if one.code == "guessing"]
    assert len(said) == 1
    assert "k = 16 left out: a guesser passes 99% or more there" in said[0]
    assert list(found.design.budgets) == [1, 2, 4, 8]
    assert found.corrected


def test_the_rate_is_that_of_the_same_samples_without_guessing() -> None:
    k = [1, 2, 3, 4]
    plain, corrected = (
        exchange_rate(frame, method="pass", k=k, at=[0.3], bootstrap=0, backtested=False).rates[0]
        for frame in (guessed(problems=1500, n=64, chance=0.0), guessed(problems=1500, n=64))
    )
    assert plain.eta is not None
    assert corrected.eta is not None
    assert corrected.eta.value == pytest.approx(plain.eta.value, rel=0.1)
    assert corrected.eta.low is not None
    assert corrected.eta.high is not None
    assert corrected.eta.low < plain.eta.value < corrected.eta.high


def test_corrected_cells_weigh_what_they_tell() -> None:
    """Var of a corrected cell is raw (1 - raw) / (N (1 - guessed)^2)."""
    design = prepare(guessed(), "pass", [1, 4]).design(Ledger())
    for b, k in enumerate((1, 4)):
        floor = 1 - (1 - CHANCE) ** k
        share = design.means[:, b]
        raw = floor + (1 - floor) * share
        variance = raw * (1 - raw) / (400 * (1 - floor) ** 2)
        np.testing.assert_allclose(share * (1 - share) / design.cell_weight[:, b], variance, rtol=1e-6)


def test_finished_scores_with_a_column_k_are_corrected_alike(small: Callable[..., object]) -> None:
    rows = [
        {
            "train_flops": 10.0**u, "infer_flops_per_problem": k * 1e9, "method": "pass", "k": k, "chance_score": CHANCE,
            "score": 1 - (1 - knows) ** k * (1 - CHANCE) ** k, "n_problems": 2000,
        }
        for u, knows in zip((18, 18.5, 19, 19.5), (0.05, 0.1, 0.2, 0.35), strict=True)
        for k in (1, 2, 4)
    ]  # fmt: skip
    design = prepare(pd.DataFrame(rows)).design(Ledger())
    expected = [[1 - (1 - knows) ** k for k in (1, 2, 4)] for knows in (0.05, 0.1, 0.2, 0.35)]
    np.testing.assert_allclose(design.level_curves()[2], expected, atol=1e-12)


def test_nothing_is_left_where_guessers_pass_everything() -> None:
    with pytest.raises(FitError, match=r"a guesser scores .* or more at every k"):
        prepare(guessed(problems=20, chance=0.9), "pass", [8, 16])
