import math

import pandas as pd
import pytest

from scaling.reporting import numbers, plots
from scaling.reporting.document import Figure, Report, Section, Table, Verdict
from scaling.reporting.style import Groups


def make_report() -> Report:
    """A small report with every kind of part; also built by the subprocesses of the byte-identity test."""
    runs = pd.DataFrame(
        {"C": [1e12, 1e12, 1e13, 1e13], "N": [1e4, 4e4, 3e4, 2e5], "loss": [2.5, 0.1 + 0.2, 2.2, 2.1]}
    )
    fits = pd.DataFrame({"name": ["a <b>", "b|c"], "value": [0.514, math.nan], "low": [0.475, math.nan],
                         "high": [0.553, math.nan]})  # fmt: skip
    groups = Groups.of(runs, "C", name=numbers.flops)

    def curves(axes):
        plots.scales(axes, "Parameters N", "Loss (nats)", log="x")
        plots.curves(axes, runs, "N", "loss", groups=groups)
        plots.points(axes, runs, "N", "loss", groups=groups)
        plots.legend(axes, title="Budget")

    def forest(axes):
        plots.scales(axes, "Exponent", "")
        plots.forest(axes, fits, "name", "value", "low", "high", references={"Equal": 0.5})

    return Report(
        "Compute & <data>",
        "Does *N* grow as fast as D at $1?",
        (
            Section(
                "Curves",
                ("A paragraph: `a < b`, **weight**, <script>alert(1)</script>.", "- one\n- two", "    x = 1"),
                (Verdict("It does: a = 0.514 [0.475, 0.553].", "supported"),),
                (Figure("curves", "Loss against size.", curves, runs, 'Two falling "curves"'),),
                (Table("fits", "Fits.", fits, estimates={"value": ("low", "high")}),),
            ),
            Section("Exponents", (), (Verdict("No floor.", "not identified"),),
                    (Figure("forest", "Exponents.", forest, fits, "Two rows", 240),)),
        ),
        {"records": "sha256 ab12", "command": "scaling report"},
        {"exponent": {"value": 0.1 + 0.2, "low": -math.inf, "high": math.nan}, "counts": runs["N"].to_numpy()},
    )  # fmt: skip


@pytest.fixture(scope="session")
def report() -> Report:
    return make_report()
