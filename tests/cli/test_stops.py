"""Ctrl-C and SIGTERM: one line, the exit status of a signal, and a store that resumes."""

import os
import signal
import time
from pathlib import Path

import pytest


def stop_while_it_reads(process, pipe: Path, number: int):
    """Send a signal to a command that waits for a pipe's content, and return how it ended."""
    with pipe.open("w"):  # opens once the command reads from the other side
        time.sleep(0.2)
        process.send_signal(number)
        out, err = process.communicate(timeout=60)
    return process.returncode, out, err


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_fit_that_is_stopped_says_so_in_one_line(starter, tmp_path: Path, number: int) -> None:
    os.mkfifo(tmp_path / "t.csv")
    process = starter("fit", "t.csv", "--law", "chinchilla", "--json", "fit.json", cwd=tmp_path)
    status, out, err = stop_while_it_reads(process, tmp_path / "t.csv", number)
    assert (status, out) == (128 + number, "")
    assert err == "scaling: stopped; the work was not finished\n"
    assert [path.name for path in tmp_path.iterdir()] == ["t.csv"]


def test_a_report_that_is_stopped_leaves_the_old_one(home, starter) -> None:
    report = home.path / "runs" / "tiny" / "cpu" / "report"
    before = {path: path.read_bytes() for path in report.rglob("*") if path.is_file()}
    (home.records / "manifest.json").unlink()
    os.mkfifo(home.records / "manifest.json")
    process = starter("report", "tiny.py", "--records", home.records, cwd=home.path)
    status, _, err = stop_while_it_reads(process, home.records / "manifest.json", signal.SIGINT)
    assert status == 130
    assert err.count("\n") == 1
    assert {path: path.read_bytes() for path in report.rglob("*") if path.is_file()} == before


def test_a_run_that_is_asked_to_end_saves_its_state(home, starter, one_line) -> None:
    text = (home.path / "tiny.py").read_text()
    (home.path / "tiny.py").write_text(text.replace("(8, 16, 24)", "(24,)").replace("2560, 5120", "6400000"))
    env = {"SCALING_CACHE": str(home.cache)}
    process = starter("run", "tiny.py", "--workers", 1, "--out", "long", cwd=home.path, env=env)
    store = home.path / "long" / "tiny" / "cpu" / "store"
    end = time.monotonic() + 120
    while not list(store.glob("*/state-*.pt")):
        assert time.monotonic() < end and process.poll() is None, "never began"
        time.sleep(0.05)
    state = next(store.glob("*/state-*.pt"))
    process.send_signal(signal.SIGTERM)
    _, err = process.communicate(timeout=90)
    assert process.returncode == 128 + signal.SIGTERM
    assert err == "scaling: stopped; finished runs are kept, the same command goes on from here\n"
    resume = state.with_name("resume.pt")
    assert resume.stat().st_ino != state.stat().st_ino, (
        "the rolling state is of a later step than the branch's"
    )
