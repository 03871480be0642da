"""What a fit prints and writes: golden text, and the keys of scaling.fit/1."""

import json
from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest

from scaling.fitting import Estimate, Fit, fit
from scaling.laws import Chinchilla

GOLDEN = """\
chinchilla: L = E + A / N^alpha + B / D^beta
rows: 47 used of 48 read; 1 left out: loss is missing
inputs: N from 1.03 × 10⁶ to 9.75 × 10⁹, D from 1.15 × 10⁶ to 9.56 × 10⁹
objective: sum of Huber, delta 0.001, of log residuals = 1.47058824e-12
interval: 95 % percentile, pairs, 20 draws (rows are taken for independent runs)

  E           1.820 [1.790, 1.850]
  A           478 [458, 498]
  B           2143 [2099, 2187]
  alpha       0.3470 [0.3436, 0.3504]
  beta        0.3670 [0.3634, 0.3706]

compute-optimal, C = 6 N D, at C = 1 × 10²⁰
  N_opt ~ C^  0.5140 [0.5130, 0.5150]
  D_opt ~ C^  0.486

status: ok"""


@pytest.fixture(scope="module")
def found(table: Callable[..., pd.DataFrame], chinchilla: Chinchilla) -> Fit:
    rows = table(chinchilla, noise=0.01)
    rows.loc[3, "loss"] = np.nan
    return fit(
        "chinchilla",
        rows,
        bootstrap=20,
        compute=1e20,
        sha256="ab12",
        convention={"params": "total", "flops": "6nd"},
    )


def test_golden_text(found: Fit) -> None:
    """The numbers are put in by hand: what is tested is the text, not the fit."""
    from dataclasses import replace

    ends = {
        "E": (1.82, 0.03),
        "A": (478.0, 20.0),
        "B": (2143.0, 44.0),
        "alpha": (0.347, 0.0034),
        "beta": (0.367, 0.0036),
    }
    parameters = {
        name: Estimate(value, value - half, value + half, half / 2) for name, (value, half) in ends.items()
    }
    derived = {"N_exponent": Estimate(0.514, 0.513, 0.515), "D_exponent": Estimate(0.486)}
    shown = replace(
        found, parameters=parameters, derived=derived, value=1.47058824e-12, warnings=(), status="ok"
    )
    assert shown.summary() == GOLDEN


def test_warnings_are_printed_with_their_words(
    table: Callable[..., pd.DataFrame], chinchilla: Chinchilla
) -> None:
    short = fit("chinchilla", table(chinchilla, noise=0.01).head(9), bootstrap=0)
    assert "status: doubtful" in short.summary()
    assert "  too_few_rows: 9 rows for 5 parameters" in short.summary()


def test_json_has_the_published_keys(found: Fit) -> None:
    written = json.loads(json.dumps(found.to_json("scaling fit t.csv --law chinchilla"), allow_nan=False))
    assert list(written) == [
        "schema", "law", "rows", "objective", "parameters", "derived", "status", "warnings", "minima", "convention",
        "interval", "provenance",
    ]  # fmt: skip
    assert written["schema"] == "scaling.fit/1"
    assert written["rows"] == {"read": 48, "used": 47, "excluded": [{"row": 3, "reason": "loss is missing"}]}
    assert list(written["objective"]) == ["loss", "residual", "delta", "reduction", "value", "gradient_norm"]
    assert written["objective"]["reduction"] == "sum"
    assert list(written["parameters"]) == ["E", "A", "B", "alpha", "beta"]
    assert list(written["parameters"]["E"]) == ["value", "low", "high", "se"]
    assert list(written["derived"]) == [
        "N_exponent", "D_exponent", "N_optimal", "D_optimal", "tokens_per_param", "loss_optimal",
    ]  # fmt: skip
    assert written["convention"] == {"params": "total", "flops": "6nd"}
    assert written["interval"] == {
        "method": "percentile, pairs",
        "level": 0.95,
        "draws": 20,
        "clusters": None,
    }
    provenance = written["provenance"]
    assert (provenance["sha256"], provenance["command"], provenance["seed"]) == (
        "ab12",
        "scaling fit t.csv --law chinchilla",
        0,
    )
    assert written["minima"][0] == {
        "value": found.value,
        "parameters": {k: e.value for k, e in found.parameters.items()},
    }


def test_json_without_draws_has_no_intervals(
    table: Callable[..., pd.DataFrame], chinchilla: Chinchilla
) -> None:
    written = fit("chinchilla", table(chinchilla, noise=0.01), bootstrap=0).to_json()
    assert written["interval"] == {"method": None, "level": 0.95, "draws": 0, "clusters": None}
    assert written["parameters"]["alpha"]["low"] is None
    assert len(written["provenance"]["sha256"]) == 64
