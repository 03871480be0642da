"""The queue of a store: which run is whose, kept so that a dead worker's run is free again.

A claim holds a random token of the worker's process, its id and start time, since ids are reused, and a heartbeat,
for workers on machines whose processes we cannot see. Each command queues its runs under an owner of its own, and
its workers do those alone; a run that two commands want is claimed by one and awaited by the other. SQLite's rollback
journal makes taking a claim atomic between processes, and between machines whose shared folder keeps locks.
"""

from __future__ import annotations

import contextlib
import errno
import json
import os
import platform
import shutil
import sqlite3
import time
import uuid
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from scaling.errors import InputError
from scaling.records.spec import CooldownSpec, Spec, parents, spec_id
from scaling.records.store import Store, branch_state

HEARTBEAT_SECONDS = 5.0
"""Seconds between two heartbeats of a worker."""
STALE_SECONDS = 60.0
"""Age at which the heartbeat of a worker on another machine counts as its death."""

BUSY_SECONDS = 60
"""How long a lock of another process is waited for."""
LEAST_BYTES = 65536
"""Free space below which any failure of the queue is the disk's: SQLite needs 32 KiB to open it."""

TOKEN = uuid.uuid4().hex
"""Names this process: a restarted container gives its processes the ids of those before."""

_VERSION = 1
"""Of the tables below; a file of another version holds no results and is made anew."""
_TABLES = {
    "queue": "owner TEXT, run_id TEXT, place INTEGER, parent TEXT, parent_step INTEGER, branches TEXT, "
    "PRIMARY KEY (owner, run_id)",
    "claims": "run_id TEXT PRIMARY KEY, token TEXT, host TEXT, pid INTEGER, started REAL, heartbeat REAL",
}


@dataclass(frozen=True)
class Job:
    """A claimed run."""

    run_id: str
    """Run to do."""
    branches: tuple[int, ...]
    """Steps whose state cooldowns of this run will need."""


@dataclass(frozen=True)
class Claims:
    """The queue of one command and the claims of all on one store."""

    store: Store
    """The store that the runs are in."""
    owner: str = field(default_factory=lambda: uuid.uuid4().hex)
    """The command whose runs these are; its workers get it from the command."""

    def enqueue(self, specs: Collection[Spec]) -> None:
        """Put runs in the queue, in the order in which they should start."""
        steps: dict[str, set[int]] = {}
        for spec in specs:
            if isinstance(spec, CooldownSpec):
                steps.setdefault(spec_id(spec.trunk), set()).add(spec.step)
        rows = []
        for place, spec in enumerate(specs):
            self.store.add(spec)
            run_id = spec_id(spec)
            parent = next((spec_id(p) for p in parents(spec)), None)
            step = spec.step if isinstance(spec, CooldownSpec) else None
            rows.append((self.owner, run_id, place, parent, step, json.dumps(sorted(steps.get(run_id, ())))))
        with self._transaction() as db:
            db.executemany("INSERT OR REPLACE INTO queue VALUES (?, ?, ?, ?, ?, ?)", rows)

    def take(self) -> Job | None:
        """Claim the first run that is neither finished nor held by a living worker and whose parent is ready.

        Finished runs leave the queue, whoever wanted them.
        """
        with self._transaction() as db:
            claims = {row[0]: row[1:] for row in db.execute("SELECT * FROM claims")}
            for run_id, parent, step, branches in db.execute(
                "SELECT run_id, parent, parent_step, branches FROM queue WHERE owner = ? ORDER BY place",
                (self.owner,),
            ).fetchall():
                if self.store.is_done(run_id):
                    db.execute("DELETE FROM queue WHERE run_id = ?", (run_id,))
                    continue
                if not self._ready(parent, step) or (run_id in claims and _alive(*claims[run_id])):
                    continue
                me = psutil.Process()
                row = (run_id, TOKEN, _host(), me.pid, me.create_time(), time.time())
                db.execute("INSERT OR REPLACE INTO claims VALUES (?, ?, ?, ?, ?, ?)", row)
                return Job(run_id, tuple(json.loads(branches)))
        return None

    def beat(self) -> None:
        """Renew the heartbeat of this process's claims."""
        with self._transaction() as db:
            db.execute("UPDATE claims SET heartbeat = ? WHERE token = ?", (time.time(), TOKEN))

    def release(self, run_id: str) -> None:
        """Give a claim of this process back."""
        with self._transaction() as db:
            db.execute("DELETE FROM claims WHERE run_id = ? AND token = ?", (run_id, TOKEN))

    def unfinished(self) -> list[str]:
        """Return the queued runs of this command that are not finished."""
        asked = "SELECT run_id FROM queue WHERE owner = ? ORDER BY place"
        with self._transaction() as db:
            queued = [row[0] for row in db.execute(asked, (self.owner,))]
        return [run_id for run_id in queued if not self.store.is_done(run_id)]

    def _ready(self, parent: str | None, step: int | None) -> bool:
        if parent is None or self.store.is_done(parent):
            return True
        return step is not None and branch_state(self.store.folder(parent), step).is_file()

    @contextlib.contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        try:
            with contextlib.closing(
                sqlite3.connect(self.path, timeout=BUSY_SECONDS, isolation_level=None)
            ) as db:
                db.execute("BEGIN IMMEDIATE")
                if db.execute("PRAGMA user_version").fetchone()[0] != _VERSION:
                    _make_tables(db)
                yield db
                db.execute("COMMIT")
        except sqlite3.DatabaseError as error:
            raise self._refusal(error) from error

    def _refusal(self, error: sqlite3.DatabaseError) -> Exception:
        """Say what is wrong with the queue's file, or with the disk it lies on."""
        code = getattr(error, "sqlite_errorcode", 0) & 0xFF
        if code == sqlite3.SQLITE_FULL or shutil.disk_usage(self.store.root).free < LEAST_BYTES:
            return OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(self.path))
        if code == sqlite3.SQLITE_BUSY:
            return InputError(
                f"{self.path} has been locked by another process for {BUSY_SECONDS} seconds; run again, and if it stays "
                "locked copy the folder to a disk that keeps locks"
            )
        if code in (sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_CORRUPT):
            return InputError(
                f"{self.path} is damaged ({error}); delete it and run again: it holds the queue alone, no results"
            )
        return InputError(
            f"{self.path} cannot be used as the queue ({error}); choose a folder that can be written"
        )

    @property
    def path(self) -> Path:
        """The database file, in the store's folder."""
        return self.store.root / "claims.sqlite"


def _host() -> str:
    """Name the machine, and on Linux the set of processes that this one can see: containers may share a name."""
    try:
        return f"{platform.node()} {Path('/proc/self/ns/pid').readlink()}"
    except OSError:
        return platform.node()


def _make_tables(db: sqlite3.Connection) -> None:
    for name, columns in _TABLES.items():
        db.execute(f"DROP TABLE IF EXISTS {name}")
        db.execute(f"CREATE TABLE {name} ({columns})")
    db.execute(f"PRAGMA user_version = {_VERSION}")


def _alive(token: str, host: str, pid: int, started: float, heartbeat: float) -> bool:
    """Return whether the worker that holds a claim still lives.

    A beating claim whose process is not the one that made it may be one before a clock was set; the token tells
    where the id is ours, and elsewhere the heartbeat soon does, which nobody but its maker renews.
    """
    beating = abs(time.time() - heartbeat) < STALE_SECONDS
    if host != _host():
        return beating
    if pid == os.getpid():
        return token == TOKEN
    try:
        process = psutil.Process(pid)
        same = abs(process.create_time() - started) < 1.0 or beating  # a clock that is set moves start times
        return same and process.status() != psutil.STATUS_ZOMBIE
    except psutil.Error:
        return False
