"""Claims: one living worker a run; a dead worker's run is free, a living one's is not."""

import contextlib
import os
import platform
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from scaling.errors import InputError
from scaling.executors.claims import STALE_SECONDS, TOKEN, Claims, _alive, _host
from scaling.records import recipe
from scaling.records.spec import CorpusData, spec_id
from scaling.records.store import Store, branch_state

HERE = _host()
TREE = recipe.tree(
    recipe.llama(16, 256, 32), CorpusData("python", "ab" * 32), [64000, 128000], batch_tokens=128, seed=0
)


@pytest.fixture
def claims(tmp_path: Path) -> Claims:
    found = Claims(Store(tmp_path).open())
    found.enqueue(TREE)
    return found


def alter(claims: Claims, change: str, *values: object) -> None:
    """Change the claims' file as another process would."""
    with contextlib.closing(sqlite3.connect(claims.path)) as db, db:
        db.execute(change, values)


def heartbeat(claims: Claims) -> float:
    with contextlib.closing(sqlite3.connect(claims.path)) as db:
        return db.execute("SELECT heartbeat FROM claims").fetchone()[0]


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
    alter(claims, "UPDATE claims SET pid = ?, token = 'of the dead'", dead_pid())
    assert claims.take() == job


def test_a_dead_workers_claim_is_free_at_once_where_its_process_id_is_ours_now(claims: Claims) -> None:
    job = claims.take()
    alter(claims, "UPDATE claims SET token = 'before the restart', started = started - 20")
    assert claims.take() == job, "its heartbeat is fresh, and still it is dead"


def test_a_process_renews_and_releases_its_own_claims_alone(claims: Claims) -> None:
    job = claims.take()
    alter(claims, "UPDATE claims SET token = 'before the restart', heartbeat = 1.0")
    claims.beat()
    claims.release(job.run_id)
    assert heartbeat(claims) == 1.0
    assert claims.take() == job
    claims.beat()
    assert heartbeat(claims) > 1.0


def test_a_second_command_leaves_the_first_ones_queue_alone(claims: Claims) -> None:
    other = Claims(claims.store)
    edited = recipe.tree(
        recipe.llama(16, 256, 32), CorpusData("python", "ab" * 32), [64000], batch_tokens=128, seed=1
    )
    other.enqueue(edited)
    assert claims.unfinished() == [spec_id(spec) for spec in TREE]
    assert other.unfinished() == [spec_id(spec) for spec in edited]
    assert {claims.take().run_id, other.take().run_id} == {spec_id(TREE[0]), spec_id(edited[0])}


def test_a_run_that_two_commands_want_is_claimed_once(claims: Claims) -> None:
    other = Claims(claims.store)
    other.enqueue(TREE[:1])
    job = claims.take()
    assert other.take() is None
    assert other.unfinished() == [job.run_id], "it waits for the other to finish"
    (claims.store.folder(job.run_id) / "done.json").write_text("{}")
    assert other.take() is None
    assert other.unfinished() == []


def test_a_queue_of_an_older_version_is_made_anew(tmp_path: Path) -> None:
    claims = Claims(Store(tmp_path).open())
    alter(claims, "CREATE TABLE queue (run_id TEXT PRIMARY KEY, place INTEGER)")
    alter(claims, "CREATE TABLE claims (run_id TEXT PRIMARY KEY, host TEXT, pid INTEGER, started REAL)")
    claims.enqueue(TREE)
    assert claims.take().run_id == spec_id(TREE[0])


def test_a_run_that_was_never_started_is_called_unfinished_not_damaged(claims: Claims) -> None:
    with pytest.raises(InputError, match=r"has not finished; run the same command again") as caught:
        claims.store.gather([spec_id(TREE[0])])
    assert "damaged" not in str(caught.value)


def test_many_commands_may_start_on_a_fresh_store_at_once(tmp_path: Path) -> None:
    """Each process opens the queue at the same moment, made by none of them before."""
    script = (
        "import sys, time\n"
        "from pathlib import Path\n"
        "from scaling.executors.claims import Claims\n"
        "from scaling.records.store import Store\n"
        "time.sleep(max(0, float(sys.argv[2]) - time.time()))\n"
        "for k in range(8): Claims(Store(Path(sys.argv[1], str(k))).open()).unfinished()\n"
    )
    at = str(time.time() + 3)
    commands = [subprocess.Popen([sys.executable, "-c", script, str(tmp_path), at]) for _ in range(4)]
    assert [command.wait() for command in commands] == [0] * 4


def test_a_queue_that_another_process_locks_is_named(claims: Claims, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("scaling.executors.claims.BUSY_SECONDS", 0.1)
    with contextlib.closing(sqlite3.connect(claims.path, isolation_level=None)) as db:
        db.execute("BEGIN EXCLUSIVE")
        with pytest.raises(
            InputError, match=r"has been locked by another process for 0\.1 seconds; run again"
        ):
            claims.take()


def test_who_counts_as_alive() -> None:
    now, stale = time.time(), time.time() - 2 * STALE_SECONDS
    other = psutil.Process().parent() or psutil.Process(1)
    started = other.create_time()
    assert _alive("its", HERE, other.pid, started, stale), "a long pause is no death"
    assert not _alive("its", HERE, dead_pid(), started, now)
    assert not _alive("its", HERE, other.pid, started - 1000, stale), "the id was given to another process"
    assert _alive("its", HERE, other.pid, started - 1000, now), (
        "a clock that was set moves start times, not heartbeats"
    )
    assert _alive(TOKEN, HERE, os.getpid(), 0.0, stale)
    assert not _alive("its", HERE, os.getpid(), psutil.Process().create_time(), now), (
        "our id, another's token"
    )
    assert _alive("its", f"{platform.node()} pid:[1]", dead_pid(), 0.0, now), "another container's processes"
    assert _alive("its", "elsewhere", 1, 0.0, now)
    assert not _alive("its", "elsewhere", 1, 0.0, stale)
