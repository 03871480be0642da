"""The report of rl_scaling on planted records: what its verdicts say, and that flat and dead runs leave a report too."""

import dataclasses
import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from reward_case import law, reward_records

from scaling.records.tables import Records
from scaling.reporting.document import Report, write
from scaling.study import analyse, document
from scaling.study_files import find

WIDTHS = (48, 64, 96)


def report(records: Records) -> Report:
    return document(analyse(find("rl_scaling"), "cpu", records, {}, {}))


@pytest.fixture(scope="module")
def planted() -> Report:
    curves = {width: (lambda C, width=width: law(width).predict(C=C)) for width in WIDTHS}
    return report(reward_records(curves, died=(96, 2)))


def verdict(found: Report, words: str) -> tuple[str, str]:
    return next((v.status, v.text) for v in found.verdicts if words in v.text)


def test_planted_curves_are_measured_predicted_and_compared(planted: Report) -> None:
    assert "at every size" in verdict(planted, "Held-out score by RL")[1]
    assert "not identified" not in verdict(planted, "tends to without limit")[1]
    status, text = verdict(planted, "predicts the rest")
    assert status == "supported"
    assert text.count("points lie inside") == 3
    assert "Larger models need less RL compute" in verdict(planted, "RL compute to reach a score")[1]
    assert "at width 96 completions went from" in verdict(planted, "completions went")[1]


def test_the_run_that_diverged_is_named(planted: Report) -> None:
    prose = " ".join(text for section in planted.sections for text in section.prose)
    assert "width 96, seed 2 (gradient norm is nan at step 40)" in prose
    assert "1 of them diverged" in prose


def test_every_number_shown_is_in_a_file(planted: Report, tmp_path: Path) -> None:
    page = write(planted, tmp_path / "out").read_text()
    assert not re.search(r"\bnan\b", page.replace("gradient norm is nan", ""))
    tables = {path.stem for path in (tmp_path / "out" / "tables").iterdir()}
    assert {
        "reward-compute",
        "rl-laws",
        "rl-asymptotes",
        "rl-held-out",
        "rl-cuts",
        "rl-reach",
        "rl-changes",
    } <= tables


def test_changes_by_size_have_the_spread_of_runs(planted: Report) -> None:
    table = next(
        table for section in planted.sections for table in section.tables if table.name == "rl-changes"
    )
    assert table.frame["runs"].tolist() == [3, 3, 2]
    assert table.frame["discarded"].to_numpy() == pytest.approx(0.2)


def without_gaps(records: Records) -> Records:
    """Return records of runs none of whose groups had right and wrong answers."""
    gaps = pd.array([pd.NA] * len(records.steps), dtype="Float64")
    return dataclasses.replace(records, steps=records.steps.assign(logprob_gap=gaps, kept_share=0.0))


@pytest.mark.parametrize(
    "make",
    [
        lambda: reward_records({width: lambda C: np.full(len(C), 0.02) for width in WIDTHS}),
        lambda: reward_records({64: lambda C: law(64).predict(C=C)}, seeds=(1,), died=(64, 1)),
        lambda: reward_records({64: lambda C: law(64).predict(C=C)}, seeds=(1,)),
        lambda: without_gaps(reward_records({64: lambda C: np.full(len(C), 0.0)}, noise=0.0)),
    ],
    ids=["flat", "all diverged", "one run", "no step that learns"],
)
def test_what_has_no_answer_says_so(make: Callable[[], Records], tmp_path: Path) -> None:
    found = report(make())
    for words in ("tends to without limit", "predicts the rest", "RL compute to reach a score"):
        assert verdict(found, words)[0] == "not identified"
    assert write(found, tmp_path / "out").is_file()
