"""Help costs little: it imports none of the heavy libraries; and a closed pipe or a plain terminal harms nothing."""

import subprocess
import sys

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
    for arguments in (["--help"], ["fit", "--help"], ["run", "--help"], []):
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


def test_a_terminal_without_the_signs_still_gets_the_words(command, ok) -> None:
    out = ok(command("list", "studies", env={"PYTHONIOENCODING": "ascii", "PYTHONUTF8": "0"}))
    assert "quickstart" in out
