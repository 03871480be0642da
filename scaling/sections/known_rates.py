"""What others found inference to be worth: reference rows for a report, each of another task."""

from __future__ import annotations

import pandas as pd

from scaling.reporting.document import Table

ROWS = (
    ("Hex on 9x9, AlphaZero: search", "full grid", "0.83", "6.8x", "Jones 2021, arXiv:2104.03113"),
    ("AIME, o1: longer thinking", "two slices", "2.03 [1.64, 2.57]", "107x", "OpenAI 2024, two panels measured off"),
    ("AIME, R1-Zero at 30 %: 16 votes", "one run", "0.53 [0.32, 0.74]", "3.4x", "DeepSeek 2025, arXiv:2501.12948, fig. 2"),
    ("AIME, R1-Zero at 50 %: 16 votes", "one run", "0.67 [0.56, 0.78]", "4.1x at 8.1x", "the same"),
    ("AIME, R1-Zero at 75 %: 16 votes", "one run", "0.82 [0.64, 1.01]", "4.4x at 6.1x", "the same; undefined above 86.67 %"),
    ("GSM8K, Pythia 1.4B, 6B to 20B: pass@k", "one run", "0.38 [0.31, 0.46]", "2.4x", "Schaeffer 2025, arXiv:2502.17578"),
    ("GSM8K, Pythia 1.4B, 20B to 60B: pass@k", "one run", "2.8 [1.9, 5.9]", "not measured", "then not identified"),
    ("GSM8K, 6B for 175B: best of 100, verified", "two points", "at least 1.75", "over 56x", "Cobbe 2021, arXiv:2110.14168"),
)  # fmt: skip
"""Task and method, design, eta, what ten times the inference is worth, source. The studies exchange_known and refit_public
measure all but the first, and tests hold these digits to what they find."""


def known_rates() -> Table:
    """Return the rates that others measured, none of which is of the task at hand."""
    return Table(
        "known-rates",
        "Rates of other tasks and methods, for the order of magnitude; none is evidence about this one.",
        pd.DataFrame(ROWS, columns=["task", "design", "eta", "ten", "source"]),
        headings={"task": "another task: method", "eta": "η", "ten": "10x inference ="},
    )
