"""Real kills of real processes: whatever dies, the same command ends with the same numbers."""

import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import psutil
import pytest

from scaling.records.columns import TABLES, TIME_COLUMNS
from scaling.records.tables import Records


def wait_for(condition: Callable[[], object], what: str, seconds: float = 120) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, f"never happened: {what}"
        time.sleep(0.05)


def workers_of(process: subprocess.Popen[str]) -> list[psutil.Process]:
    children = psutil.Process(process.pid).children()
    alive = [p for p in children if p.is_running() and p.status() != psutil.STATUS_ZOMBIE]
    return [p for p in alive if "scaling.executors.worker" in p.cmdline()]


def finish(process: subprocess.Popen[str]) -> tuple[str, str]:
    out, err = process.communicate(timeout=240)
    assert process.returncode == 0, err
    return out, err


def rows(home: Path, out: str) -> Records:
    return Records.load(home / out / "tiny" / "cpu" / "records")


def assert_equal_but_for_times(one: Records, other: Records) -> None:
    for table in TABLES:
        first, second = (
            getattr(r, table.name).drop(columns=[*TIME_COLUMNS], errors="ignore") for r in (one, other)
        )
        assert len(first) or table.optional
        pd.testing.assert_frame_equal(first, second)


def test_killed_worker_and_killed_command_change_nothing(home: Path, command) -> None:
    process = command("run", "tiny.py", "--out", "killed", "--workers", "2")
    store = home / "killed" / "tiny" / "cpu" / "store"
    wait_for(lambda: list(store.glob("*/state-*.pt")), "a state in the middle of a trunk")
    first = workers_of(process)
    first[0].kill()
    wait_for(lambda: len(set(workers_of(process)) - set(first)) == 1, "a new worker in place of the dead one")
    wait_for(lambda: list(store.glob("*/done.json")), "a finished run")
    left = workers_of(process)
    process.kill()
    process.wait()
    wait_for(
        lambda: not any(p.is_running() and p.status() != psutil.STATUS_ZOMBIE for p in left),
        "workers die with their parent",
    )
    done = {path: path.stat().st_mtime_ns for path in store.glob("*/done.json")}
    assert 0 < len(done) < 6, "the kill must fall in the middle of the grid"
    finish(command("run", "tiny.py", "--out", "killed", "--workers", "2"))
    assert all(path.stat().st_mtime_ns == at for path, at in done.items()), "finished runs are not done again"
    finish(command("run", "tiny.py", "--out", "whole", "--workers", "1"))
    assert_equal_but_for_times(rows(home, "killed"), rows(home, "whole"))
    for model in sorted(store.glob("*/model/model.safetensors")):
        other = home / "whole" / model.relative_to(home / "killed")
        assert model.read_bytes() == other.read_bytes(), model


def test_two_commands_on_one_store_share_the_work(home: Path, command) -> None:
    both = [command("run", "tiny.py", "--workers", "1") for _ in range(2)]
    for process in both:
        finish(process)
    assert rows(home, "runs").runs.status.tolist() == ["done"] * 6
    assert not list((home / "runs").rglob(".writing*"))


@pytest.mark.parametrize("how", ["interrupt", pytest.param("stop-after", marks=pytest.mark.prove)])
def test_a_clean_stop_leaves_a_store_that_resumes(home: Path, command, how: str) -> None:
    if how == "interrupt":
        process = command("run", "tiny.py", "--workers", "2")
        store = home / "runs" / "tiny" / "cpu" / "store"
        wait_for(lambda: list(store.glob("*/state-*.pt")), "a state in the middle of a trunk")
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=60)
        assert process.returncode == 130
        assert err.count("\n") == 1
        assert "goes on from here" in err
    else:
        process = command("run", "tiny.py", "--workers", "1", "--stop-after", "0.001")
        out, _ = finish(process)
        assert "of 6 runs finished; the same command goes on from here" in out
    assert not (home / "runs" / "tiny" / "cpu" / "records").exists()
    finish(command("run", "tiny.py", "--workers", "1"))
    assert rows(home, "runs").runs.status.tolist() == ["done"] * 6
