"""What a study tells its user to type next must run as it is printed."""

import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from scaling.study_files import find, study_files

CHECKOUT = Path(__file__).resolve().parents[2]
FITS = [c for name in study_files() for c in find(name).next_commands if c.startswith("fit ")]


@pytest.mark.parametrize("command", FITS)
def test_suggested_fits_run(command: str) -> None:
    found = subprocess.run(
        [sys.executable, "-m", "scaling.cli", *shlex.split(command), "--bootstrap", "20"],
        cwd=CHECKOUT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert found.returncode == 0, found.stderr
    assert "25 used of 128 read" in found.stdout


def test_there_is_one_such_fit() -> None:
    assert FITS
