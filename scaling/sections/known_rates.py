"""What others found inference to be worth: reference rows for a report, each of another task."""

from __future__ import annotations

import pandas as pd

from scaling.exchange.summary import factor
from scaling.reporting.document import Table

ROWS = (
    ("Hex on 9x9, AlphaZero: search", "full grid", 0.83, None, None, "Jones 2021, arXiv:2104.03113"),
    ("AIME, o1: longer thinking", "two slices", 2.03, 1.64, 2.56, "OpenAI 2024, two panels measured off"),
    (
        "AIME, R1-Zero at 50 %: 16 votes",
        "one run",
        0.67,
        None,
        None,
        "DeepSeek 2025, arXiv:2501.12948, fig. 2",
    ),
    (
        "GSM8K, Pythia 1.4B, 6B to 20B tokens: pass@k",
        "one run",
        0.38,
        None,
        None,
        "Schaeffer 2025, arXiv:2502.17578",
    ),
    (
        "GSM8K, 6B for 175B: best of 100",
        "two points",
        1.75,
        1.75,
        float("inf"),
        "Cobbe 2021, arXiv:2110.14168",
    ),
)
"""Task and method, design, eta, its interval, source."""


def known_rates() -> Table:
    """Return the rates that others measured, none of which is of the task at hand."""
    nan = float("nan")
    rows = pd.DataFrame(
        [(what, design, eta, nan if low is None else low, nan if high is None else high, 10**eta, source)
         for what, design, eta, low, high, source in ROWS],
        columns=["task", "design", "eta", "low", "high", "ten", "source"],
    )  # fmt: skip
    return Table(
        "known-rates",
        "Rates of other tasks and methods, for the order of magnitude; none is evidence about this one.",
        rows,
        headings={"task": "another task: method", "eta": "η", "ten": "10x ="},
        formats={"ten": factor},
        estimates={"eta": ("low", "high")},
    )
