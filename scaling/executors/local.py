"""Run a queue with worker processes on this machine: one thread and one core each, or one GPU each."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import IO, Any

from scaling.errors import FitError, InputError
from scaling.executors.claims import Claims

MAX_DEATHS = 3
"""Workers that may die under the same run before the grid is given up."""
GRACE_SECONDS = 60.0
"""Seconds that workers get to save their state after a request to stop."""


class WorkerError(FitError):
    """A worker met a defect, or died again and again; the message is its line."""


@dataclass
class Progress:
    """What the workers have said so far."""

    first: dict[str, int] = field(default_factory=dict)
    """Tokens of each run when it was first heard of in this sitting."""
    tokens: dict[str, int] = field(default_factory=dict)
    """Tokens of each run when it was last heard of."""
    errors: list[Exception] = field(default_factory=list)
    """What made workers give up."""
    deaths: dict[str, int] = field(default_factory=dict)
    """Workers that died while they did a run, by run."""
    busy: dict[int, str] = field(default_factory=dict)
    """Run that each worker process does, by process id."""


def devices(kind: str) -> list[str]:
    """Return this machine's devices of a kind: "cpu" once per core, or its GPUs; ``InputError`` if it has none."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    if kind == "cpu":
        return ["cpu"] * cores
    import torch

    if not torch.cuda.is_available():
        raise InputError(
            f"these runs are sized for a CUDA GPU and torch {torch.__version__} finds none here, only {cores} cores; "
            "run on a machine with one, or choose a preset for cores with --preset"
        )
    return [f"cuda:{i}" for i in range(torch.cuda.device_count())]


def run(
    claims: Claims,
    places: list[str],
    *,
    watch: Callable[[Progress], None],
    deadline: float | None = None,
) -> None:
    """Do the command's queued runs with one worker per entry of ``places``, until all are finished or it is stopped.

    A worker that dies is replaced, and its run is taken up again from its last state. At ``deadline`` (of
    ``time.monotonic``) or on Ctrl-C the workers save their states and stop. ``watch`` is called about twice a
    second. Raises what the first worker that failed met: ``InputError``, ``OSError`` (a full disk), ``WorkerError``.
    """
    progress = Progress()
    crew = [_Worker(claims, device, progress) for device in places]
    try:
        while any(worker.running for worker in crew) and not progress.errors:
            watch(progress)
            time.sleep(0.5)
            if deadline is not None and time.monotonic() > deadline:
                break
            crew = [_replaced(worker, progress) for worker in crew]
    finally:
        for worker in crew:
            worker.ask_to_stop()
        for worker in crew:
            worker.wait(GRACE_SECONDS)
        watch(progress)
    if progress.errors:
        raise progress.errors[0]


def _replaced(worker: _Worker, progress: Progress) -> _Worker:
    """Return the worker, or a new one in its place if it was killed."""
    if worker.running or worker.process.returncode == 0 or progress.errors:
        return worker
    worker.wait(GRACE_SECONDS)
    if progress.errors:
        return worker
    run_id = progress.busy.pop(worker.process.pid, "")
    progress.deaths[run_id] = progress.deaths.get(run_id, 0) + 1
    if progress.deaths[run_id] >= MAX_DEATHS:
        progress.errors.append(
            WorkerError(
                f"{MAX_DEATHS} workers died (exit {worker.process.returncode}) doing run {run_id or '(none yet)'}: "
                f"out of memory? see {worker.log}; finished runs are kept"
            )
        )
        return worker
    return _Worker(worker.claims, worker.device, progress)


class _Worker:
    """One child process and the threads that talk with it."""

    def __init__(self, claims: Claims, device: str, progress: Progress) -> None:
        self.claims, self.device, self.progress = claims, device, progress
        self.log = claims.store.root / "workers.log"
        environment = {
            **os.environ,
            "OMP_NUM_THREADS": "1",
            "MKL_NUM_THREADS": "1",
            "PYTHONWARNINGS": "ignore",
        }
        self.process: subprocess.Popen[str] = subprocess.Popen(
            [sys.executable, "-m", "scaling.executors.worker", str(claims.store.root), claims.owner, device],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            errors="replace",
            env=environment,
            start_new_session=True,  # Ctrl-C reaches the parent alone, which asks its workers to stop
        )
        self.threads = [
            threading.Thread(target=listen, args=(pipe,), daemon=True)
            for listen, pipe in ((self._listen, self.process.stdout), (self._keep, self.process.stderr))
        ]
        for thread in self.threads:
            thread.start()

    @property
    def running(self) -> bool:
        return self.process.poll() is None

    def _keep(self, lines: IO[str]) -> None:
        for line in lines:
            self._note(line)

    def _note(self, line: str) -> None:
        """Append what a worker's libraries print to the log; a full disk must not stop a worker."""
        with contextlib.suppress(OSError), self.log.open("a", encoding="utf-8") as log:
            log.write(line)

    def _listen(self, lines: IO[str]) -> None:
        for line in lines:
            try:
                said: dict[str, Any] = json.loads(line)
                event = said.pop("event")
            except (ValueError, KeyError, AttributeError):  # a library's, or cut short by a kill
                self._note(line)
                continue
            match event:
                case "begin":
                    self.progress.busy[self.process.pid] = said["run_id"]
                case "progress":
                    self.progress.first.setdefault(said["run_id"], said["tokens"])
                    self.progress.tokens[said["run_id"]] = said["tokens"]
                case "error":
                    self.progress.errors.append(self._error(**said))
                case _:
                    self.progress.busy.pop(self.process.pid, None)

    def _error(self, kind: str, message: str, number: int | None, path: str | None) -> Exception:
        """Return a worker's error as it would be had it been met here."""
        system = None
        if number is not None:
            system = OSError(number, os.strerror(number), path or str(self.claims.store.root))
        if kind == "InputError":
            wrong = InputError(message)
            wrong.__cause__ = system
            return wrong
        if system is not None:
            return system
        return WorkerError(f"a worker failed with {kind}: {message}; see {self.log}; finished runs are kept")

    def ask_to_stop(self) -> None:
        if self.running and self.process.stdin:
            with contextlib.suppress(BrokenPipeError):  # it ended meanwhile
                self.process.stdin.write("stop\n")
                self.process.stdin.flush()

    def wait(self, seconds: float) -> None:
        try:
            self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        for thread in self.threads:
            thread.join()
        for pipe in (self.process.stdin, self.process.stdout, self.process.stderr):
            if pipe:
                with contextlib.suppress(BrokenPipeError):
                    pipe.close()
