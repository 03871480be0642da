"""A disk that fills up: one line, exit status 1, nothing finished is lost, and with room the same command finishes."""

import json
import os
import subprocess
import sys
from errno import EFBIG, ENOSPC
from pathlib import Path

import pandas as pd
import pytest

from scaling.records.tables import Records

FULL = os.strerror(ENOSPC), os.strerror(EFBIG)


@pytest.fixture
def says_full(one_line):
    def check(run) -> None:
        one_line(run, 1, "make room")
        assert any(words in run.stderr for words in FULL)

    return check


@pytest.mark.prove
def test_a_grid_whose_disk_fills_up_finishes_once_there_is_room(home, disk, says_full, ok) -> None:
    env = {"SCALING_CACHE": str(home.cache)}
    command = ("run", home.path / "tiny.py", "--workers", 1, "--out", disk.path)
    store = disk.path / "tiny" / "cpu" / "store"
    whole = sum(path.stat().st_size for path in home.store.rglob("*") if path.is_file())
    disk.resize(whole // 2048 if disk.mounted else 100)
    says_full(disk.run(*command, cwd=home.path, env=env))
    done = {path: path.stat().st_mtime_ns for path in store.glob("*/done.json")}
    assert len(done) < 12
    assert bool(done) == disk.mounted
    assert not list(disk.path.rglob("*.partial"))
    assert not (disk.path / "tiny" / "cpu" / "records" / "manifest.json").exists()
    disk.empty()
    ok(disk.run(*command, cwd=home.path, env=env))
    assert all(path.stat().st_mtime_ns == at for path, at in done.items()), "finished runs are not done again"
    whole, other = (
        Records.load(folder).checkpoints for folder in (home.records, disk.path / "tiny" / "cpu" / "records")
    )
    pd.testing.assert_frame_equal(whole, other)


def test_a_full_disk_leaves_records_report_and_fit_as_they_were(home, disk, rows, says_full, ok) -> None:
    env = {"SCALING_CACHE": str(home.cache)}
    disk.empty()
    report = ("report", "tiny.py", "--out", disk.path / "report")
    rows.to_csv(home.path / "t.csv", index=False)
    fit = ("fit", "t.csv", "--law", "chinchilla", "--bootstrap", 20, "--json", disk.path / "fit.json")
    ok(disk.run(*report, cwd=home.path, env=env))
    ok(disk.run(*fit, cwd=home.path))
    before = {path: path.read_bytes() for path in disk.path.rglob("*") if path.is_file()}
    disk.fill()
    says_full(disk.run(*report, cwd=home.path, env=env))
    says_full(disk.run(*fit, "--seed", 1, cwd=home.path))
    assert {path: path.read_bytes() for path in before} == before
    left = {path for path in disk.path.rglob("*") if path.is_file()}
    assert left - {disk.path / "ballast"} == set(before), "nothing half-written is left"
    disk.empty()
    ok(disk.run(*report, cwd=home.path, env=env))
    ok(disk.run(*fit, "--seed", 1, cwd=home.path))
    assert json.loads((disk.path / "fit.json").read_text())["provenance"]["seed"] == 1


def test_standard_output_on_a_full_disk_is_an_error_too() -> None:
    if not Path("/dev/full").exists():
        pytest.skip("this system has no /dev/full")
    with Path("/dev/full").open("w") as full:
        run = subprocess.run(
            [sys.executable, "-m", "scaling.cli", "list", "laws"],
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
    assert run.returncode == 1
    assert run.stderr == f"scaling: {FULL[0]}; make room and give the same command again\n"
