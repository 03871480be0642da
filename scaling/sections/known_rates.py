"""What others found inference to be worth: reference rows for a report, each of another task."""

from __future__ import annotations

import pandas as pd

from scaling.reporting.document import Table

ROWS = (
    ("9x9 Hex, AlphaZero", "search (MCTS)", "full grid", 0.83, None, None,
     "Jones 2021 (arXiv:2104.03113): log10 test = -1.2 log10 train + .004 Elo + 29"),
    ("AIME, o1", "longer thinking", "two slices", 2.03, 1.64, 2.56,
     "OpenAI 2024, two published panels measured off; assumes additivity and linearity"),
    ("AIME, DeepSeek-R1-Zero at 50 %", "majority of 16", "one run, two budgets", 0.67, None, None,
     "DeepSeek 2025 (arXiv:2501.12948), fig. 2 measured off; undefined above 86.67 %"),
    ("GSM8K, Pythia 1.4B, 6B to 20B tokens", "pass@k (oracle)", "one run", 0.38, None, None,
     "Schaeffer et al. 2025 (arXiv:2502.17578), counts; 2.8 from 20B to 60B, then not identified"),
    ("GSM8K, 6B with verifier for 175B", "best of 100", "two points", 1.75, None, None,
     "Cobbe et al. 2021 (arXiv:2110.14168): at least, verifier counted; 2.74 without"),
)  # fmt: skip
"""Task, method, design, eta, its interval, source."""


def known_rates() -> Table:
    """Return the rates that others measured, none of which is of the task at hand."""
    rows = pd.DataFrame(ROWS, columns=["task", "method", "design", "eta", "low", "high", "source"])
    rows["multiplier"] = 10.0 ** rows["eta"]
    rows = rows[["task", "method", "design", "eta", "low", "high", "multiplier", "source"]]
    return Table(
        "known-rates",
        "Rates of other tasks and methods, for the order of magnitude; none is evidence about this one.",
        rows,
        headings={"eta": "η", "multiplier": "10x inference = x training", "low": "from", "high": "to"},
    )
