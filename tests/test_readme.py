"""Figures in the README are those of the published reports."""

import json
import re
from pathlib import Path

import pandas as pd
import pytest

ROOT = Path(__file__).parents[1]
REPORT = ROOT / "reports" / "train_vs_think" / "h200"
NUMBER = r"(−?\d*\.\d+)"


def numbers_of(text: str) -> list[float]:
    return [float(one.replace("−", "-")) for one in re.findall(NUMBER, text)]


@pytest.mark.parametrize(
    ("words", "table", "method", "at"),
    [
        ("longer thinking is", "a6", "longer thinking", 0.25),
        ("of a majority vote", "a6", "majority of k", 0.25),
        ("by a learned verifier", "a6", "best of k, learned", 0.25),
        ("a vote has", "b6", "majority of k", 0.9),
    ],
)
def test_rates_of_train_vs_think_are_the_reports(words: str, table: str, method: str, at: float) -> None:
    text = " ".join((ROOT / "README.md").read_text(encoding="utf-8").split())
    said = re.search(rf"{words} {NUMBER} \[{NUMBER}, {NUMBER}\]", text)
    assert said is not None
    rows = pd.read_csv(REPORT / "tables" / f"rates-{table}.csv")
    row = rows[(rows["method"] == method) & (rows["at"] == at)]
    assert [float(one.replace("−", "-")) for one in said.groups()] == pytest.approx(
        numbers_of(row["eta"].item()), abs=0.0051
    )


def test_the_coverage_is_the_reports() -> None:
    text = " ".join((ROOT / "README.md").read_text(encoding="utf-8").split())
    said = re.search(r"planted in the same design are held (\d+) % of the time", text)
    assert said is not None
    verdicts = json.loads((REPORT / "results.json").read_text(encoding="utf-8"))["verdicts"]
    assert any(
        f"hold the planted rate {said.group(1)}% of the time on average" in one["text"] for one in verdicts
    )
