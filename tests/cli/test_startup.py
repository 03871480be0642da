"""Help costs little, and closed streams, a closed pipe or a plain terminal harm nothing."""

import os
import subprocess
import sys

import pytest

PROBE = """
import sys
from scaling.cli import main
sys.argv = ["scaling", *sys.argv[1:]]
try:
    main()
except SystemExit as end:
    assert not end.code, end.code
heavy = {"numpy", "pandas", "matplotlib", "torch", "scipy", "pyarrow", "lightning", "transformers"}
sys.stderr.write(" ".join(sorted(heavy & set(sys.modules))))
"""


def test_help_imports_nothing_heavy() -> None:
    for arguments in (["--help"], ["fit", "--help"], ["import", "--help"], ["run", "--help"], []):
        run = subprocess.run(
            [sys.executable, "-c", PROBE, *arguments], capture_output=True, text=True, check=True
        )
        assert "Usage: scaling" in run.stdout
        assert run.stderr == ""


def test_a_reader_that_has_seen_enough_is_no_error() -> None:
    process = subprocess.Popen(
        [sys.executable, "-m", "scaling.cli", "list"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    process.stdout.close()
    assert process.stderr.read() == ""
    process.stderr.close()
    process.wait()


@pytest.mark.parametrize(
    ("closed", "what", "status"),
    [(">&-", "laws", 0), ("2>&-", "laws", 0), (">&- 2>&-", "laws", 0), (">&- 2>&-", "lows", 2),
     ("2>&-", "lows", 2), ("<&- >&- 2>&-", "lows", 2), ("2>/dev/full", "lows", 2)],
)  # fmt: skip
def test_closed_streams_change_no_exit_status(closed: str, what: str, status: int) -> None:
    line = f'"{sys.executable}" -m scaling.cli list {what} {closed}'
    run = subprocess.run(line, shell=True, capture_output=True, text=True, check=False)
    assert run.returncode == status
    assert "Traceback" not in run.stderr
    if "2>" not in closed:
        assert run.stderr == ""


@pytest.mark.parametrize(
    ("encoding", "times"), [("latin-1", "x"), ("ascii", "x"), ("cp1252", "x"), ("utf-8", "×")]
)
def test_numbers_survive_a_terminal_without_our_signs(encoding: str, times: str) -> None:
    code = (
        "import sys\nfrom scaling import endings\nfrom scaling.reporting.numbers import estimate\n"
        "endings.end(lambda: sys.stdout.write(estimate(4.97e9, 1.2e9, 8.1e9) + estimate(-3e-12, -4e-12, -2e-12)) * 0)"
    )
    env = {**os.environ, "PYTHONIOENCODING": encoding}
    out = subprocess.run([sys.executable, "-c", code], env=env, capture_output=True, check=True).stdout
    expected = "5.0 [1.2, 8.1] × 10⁹−3.0 [−4.0, −2.0] × 10⁻¹²"
    if times == "x":
        expected = "5.0 [1.2, 8.1] x 10^9-3.0 [-4.0, -2.0] x 10^-12"
    assert out.decode(encoding) == expected


def test_warnings_of_arithmetic_stay_inside() -> None:
    code = "import numpy\nfrom scaling import endings\nendings.end(lambda: numpy.nanmin(numpy.log([0.0]) * 0) and None)"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stderr == ""


def test_the_help_of_fit_names_the_columns_that_are_read(command, ok) -> None:
    out = ok(command("fit", "--help"))
    assert all(name in out for name in ("status", "annealed", "trunk_id"))


def test_a_terminal_without_the_signs_still_gets_the_words(command, ok) -> None:
    out = ok(command("list", "studies", env={"PYTHONIOENCODING": "ascii", "PYTHONUTF8": "0"}))
    assert "quickstart" in out
