"""`scaling fit` on the points of Hoffmann et al. 2022, figure 4, as the README shows it."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

TARGETS = {
    245: (None, 0.0018260105230693306, (1.8913385, 495.72601, 12845.6133, 0.3493129, 0.4530493)),
    240: ("loss < 3.44", 0.001018274017800599, (1.8172181, 477.82587, 2143.41736, 0.3473105, 0.3671724)),
}
"""Rows: condition, lowest known objective (Huber 1e-3, log, sum), and E, A, B, alpha, beta."""


@pytest.mark.target
@pytest.mark.parametrize("rows", TARGETS)
def test_the_command_reaches_the_published_minimum(tmp_path: Path, rows: int) -> None:
    mirror = os.environ.get("SCALING_DATA_MIRROR")
    if not mirror:
        pytest.skip("SCALING_DATA_MIRROR is not set: no outside data")
    table = Path(mirror) / "epoch-research_analyzing-chinchilla" / "svg_extracted_data.csv"
    where, objective, parameters = TARGETS[rows]
    command = [sys.executable, "-m", "scaling.cli", "fit", str(table), "--law", "chinchilla"]
    command += ["--map", "N=Model Size", "--map", "D=`Training FLOP` / (6 * `Model Size`)"]
    command += [
        "--bootstrap",
        "50",
        "--json",
        str(tmp_path / "fit.json"),
        *(["--where", where] if where else []),
    ]
    subprocess.run(command, check=True, capture_output=True)
    found = json.loads((tmp_path / "fit.json").read_text())
    assert (found["rows"]["read"], found["rows"]["used"], len(found["rows"]["excluded"])) == (
        245,
        rows,
        245 - rows,
    )
    assert found["objective"]["value"] == pytest.approx(objective, rel=1e-9)
    values = [found["parameters"][name]["value"] for name in ("E", "A", "B", "alpha", "beta")]
    assert values == pytest.approx(parameters, rel=1e-6)
