"""A table of samples or counts becomes one row a problem and k."""

from typing import Any

import numpy as np
import pandas as pd
import pytest

from scaling.errors import InputError
from scaling.samples import best_of_k, count_votes, curves, majority_at_k, pass_at_k


@pytest.fixture
def samples() -> pd.DataFrame:
    """Two checkpoints, five problems each, 20 to 24 samples."""
    rng = np.random.default_rng(0)
    rows: list[dict[str, Any]] = []
    for checkpoint in ("early", "late"):
        for problem in range(5):
            answers = rng.geometric(0.4 + 0.1 * problem, 20 + problem)
            rows += [
                {"checkpoint": checkpoint, "problem": f"p{problem}", "sample": i, "answer": str(answer),
                 "correct": int(answer == 1), "verifier_score": float(rng.normal())}
                for i, answer in enumerate(answers)
            ]  # fmt: skip
    return pd.DataFrame(rows)


def test_each_method_gives_what_its_function_gives(samples: pd.DataFrame) -> None:
    sizes = [1, 4, 20]
    for method in ("pass", "majority", "best_of"):
        found = curves(samples, method, sizes, by=("checkpoint",))  # type: ignore[arg-type]
        assert list(found.columns) == ["checkpoint", "problem", "k", "n", "score", "score_mc_se"]
        assert len(found) == 2 * 5 * 3
        assert (found["score_mc_se"] == 0).all()
        for (checkpoint, problem), part in found.groupby(["checkpoint", "problem"]):
            own = samples[(samples["checkpoint"] == checkpoint) & (samples["problem"] == problem)]
            n, c = len(own), int(own["correct"].sum())
            if method == "pass":
                expected = pass_at_k(n, c, sizes)
            elif method == "majority":
                expected = majority_at_k(count_votes(own["problem"], own["answer"], own["correct"]), sizes)[
                    0
                ][0]
            else:
                expected = best_of_k(own["correct"], own["verifier_score"], sizes)
            np.testing.assert_allclose(part["score"], expected, atol=1e-13)
            assert part["k"].tolist() == sizes
            assert (part["n"] == n).all()


def test_counts_give_the_same_as_their_samples(samples: pd.DataFrame) -> None:
    grouped = samples.groupby(["problem", "checkpoint"])["correct"]
    counts = grouped.agg(n="size", c="sum").reset_index()
    one, two = (curves(table, "pass", [1, 3], by=("checkpoint",)) for table in (samples, counts))
    pd.testing.assert_frame_equal(one, two)


def test_the_order_of_rows_changes_nothing(samples: pd.DataFrame) -> None:
    mixed = samples.sample(frac=1, random_state=1)
    for method in ("pass", "majority", "best_of"):
        one, two = (curves(table, method, [2, 1], by=("checkpoint",)) for table in (samples, mixed))  # type: ignore[arg-type]
        pd.testing.assert_frame_equal(one, two, rtol=1e-13)


def without(frame: pd.DataFrame, **columns: Any) -> pd.DataFrame:
    for name, value in columns.items():
        frame = frame.astype({name: object})
        frame.loc[3, name] = value
    return frame


@pytest.mark.parametrize(
    ("change", "method", "line"),
    [
        (
            lambda f: without(f, correct=None),
            "pass",
            "correct is missing in 1 of 220 samples; give true or false",
        ),
        (
            lambda f: without(f, verifier_score=None),
            "best_of",
            "verifier_score is missing in 1 of 220 samples; drop",
        ),
        (lambda f: without(f, problem=None), "pass", "problem is missing in 1 rows"),
        (
            lambda f: without(f, sample=2),
            "pass",
            "1 samples are there twice, the first checkpoint early, problem p0, ",
        ),
        (
            lambda f: without(f, answer="1", correct=0),
            "majority",
            "checkpoint early, problem p0: answer '1' is marked",
        ),
        (lambda f: f.drop(columns="answer"), "majority", "no column is called answer"),
        (lambda f: f.drop(columns="correct"), "pass", "no column is called n"),
        (lambda f: f.iloc[:0], "pass", "the table has no rows"),
        (lambda f: f, "vote", "method is 'vote'; give pass, majority or best_of"),
        (lambda f: f.to_dict(), "pass", "the table is a dict; give a pandas DataFrame"),
    ],
)
def test_what_cannot_be_scored_is_refused(samples: pd.DataFrame, change: Any, method: Any, line: str) -> None:
    with pytest.raises(InputError) as caught:
        curves(change(samples), method, 1, by=("checkpoint",))
    assert line in str(caught.value)


def test_k_above_the_fewest_samples_is_refused_with_their_number(samples: pd.DataFrame) -> None:
    with pytest.raises(InputError, match="k is 22, and 4 of 10 problems have fewer samples; give k up to 20"):
        curves(samples, "pass", [1, 22], by=("checkpoint",))
    with pytest.raises(InputError, match="problem p0 has several rows of n and c"):
        curves(pd.DataFrame({"problem": ["p0", "p0"], "n": [5, 5], "c": [1, 2]}), "pass", 1)
    with pytest.raises(InputError, match="by is 'checkpoint'; give a tuple"):
        curves(samples, "pass", 1, by="checkpoint")
