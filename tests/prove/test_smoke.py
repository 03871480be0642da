"""The quickest preset of a study of RL, from the command to the report, as someone runs who tries whether it works."""

import json
import subprocess
import sys
from pathlib import Path

import pytest


@pytest.mark.prove
def test_rl_scaling_smoke_ends_in_a_report_that_says_what_it_cannot_tell(tmp_path: Path) -> None:
    """So short that no completion is right, and no step learns."""
    command = [
        sys.executable,
        "-m",
        "scaling.cli",
        "run",
        "rl_scaling",
        "--preset",
        "smoke",
        "--out",
        str(tmp_path),
    ]
    ended = subprocess.run(
        [*command, "--workers", "1"], capture_output=True, text=True, timeout=300, check=False
    )
    assert ended.returncode == 0, ended.stderr
    report = tmp_path / "rl_scaling" / "smoke" / "report"
    assert (report / "index.html").is_file()
    verdicts = json.loads((report / "results.json").read_text())["verdicts"]
    assert "not identified" in {one["status"] for one in verdicts}
