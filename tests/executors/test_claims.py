"""Claims: one living worker a run; a dead worker's run is free, a living one's is not."""

import os
import platform
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from scaling.executors.claims import STALE_SECONDS, Claims, _alive
from scaling.records import recipe
from scaling.records.spec import CorpusData, spec_id
from scaling.records.store import Store, branch_state

HERE = platform.node()
TREE = recipe.tree(
    recipe.llama(16, 256, 32), CorpusData("python", "ab" * 32), [64000, 128000], batch_tokens=128, seed=0
)


@pytest.fixture
def claims(tmp_path: Path) -> Claims:
    found = Claims(Store(tmp_path).open())
    found.enqueue(TREE)
    return found


def dead_pid() -> int:
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    return process.pid


def test_a_trunk_comes_before_its_branches_and_says_what_they_need(claims: Claims) -> None:
    job = claims.take()
    assert job is not None
    assert job.run_id == spec_id(TREE[0])
    assert job.branches == tuple(sorted(branch.step for branch in TREE[1:]))
    assert claims.take() is None, "the trunk is held and its branches wait for it"
    first = TREE[1]
    branch_state(claims.store.folder(job.run_id), first.step).write_bytes(b"")
    following = claims.take()
    assert following is not None
    assert following.run_id == spec_id(first)


def test_a_released_run_is_taken_again(claims: Claims) -> None:
    job = claims.take()
    claims.release(job.run_id)
    assert claims.take() == job


def test_a_dead_workers_run_is_taken_over(claims: Claims) -> None:
    job = claims.take()
    with sqlite3.connect(claims.path) as db:
        db.execute("UPDATE claims SET pid = ?", (dead_pid(),))
    db.close()
    assert claims.take() == job


def test_who_counts_as_alive() -> None:
    now, started = time.time(), psutil.Process().create_time()
    assert _alive(HERE, os.getpid(), started, now)
    assert not _alive(HERE, dead_pid(), started, now)
    assert not _alive(HERE, os.getpid(), started - 1000, now - 2 * STALE_SECONDS), (
        "the id was given to another process"
    )
    assert _alive(HERE, os.getpid(), started - 1000, now), (
        "a clock that was set moves start times, not heartbeats"
    )
    assert _alive("elsewhere", 1, 0.0, now)
    assert not _alive("elsewhere", 1, 0.0, now - 2 * STALE_SECONDS)
