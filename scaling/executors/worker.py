"""A worker process: claims runs of a store and does them, one after the other, until none is left.

The parent speaks through standard input ("stop" asks for a clean stop; end of file means that the parent is dead,
and the worker dies with it) and hears JSON lines on standard output.
"""

from __future__ import annotations

import contextlib
import json
import os
import sys
import threading
import time
from pathlib import Path
from typing import Any

from scaling.errors import InputError, machine_failure
from scaling.executors.claims import HEARTBEAT_SECONDS, Claims, Job
from scaling.records.spec import CooldownSpec
from scaling.records.store import Store

REPORT_SECONDS = 0.5
"""Least seconds between two progress lines."""
POLL_SECONDS = 0.2
"""Seconds between two looks at a queue whose runs wait for their parents."""


class Worker:
    """The state of one worker process."""

    def __init__(self, claims: Claims, device: str) -> None:
        self.claims = claims
        self.device = device
        self.stop = threading.Event()
        self.reported = 0.0
        self.out = os.fdopen(os.dup(1), "w", encoding="utf-8")
        os.dup2(2, 1)  # libraries may print, also below Python; the pipe is for our lines only

    def listen(self) -> None:
        """Obey the parent; end the process at once when the parent is gone."""
        for line in sys.stdin:
            if line.strip() == "stop":
                self.stop.set()
        os._exit(1)

    def beat(self) -> None:
        """Renew the claims' heartbeat for as long as the process lives."""
        while True:
            time.sleep(HEARTBEAT_SECONDS)
            with contextlib.suppress(InputError, OSError):  # on a full disk; the runs themselves will tell
                self.claims.beat()

    def say(self, event: str, **what: Any) -> None:
        """Send the parent one line."""
        self.out.write(json.dumps({"event": event, **what}) + "\n")
        self.out.flush()

    def main(self) -> int:
        """Do runs until none is left or the parent says stop."""
        threading.Thread(target=self.listen, daemon=True).start()
        threading.Thread(target=self.beat, daemon=True).start()
        while not self.stop.is_set():
            job = self.claims.take()
            if job is not None:
                self.do(job)
            elif self.claims.unfinished():
                self.stop.wait(POLL_SECONDS)
            else:
                break
        return 0

    def do(self, job: Job) -> None:
        """Do one claimed run and give its claim back."""
        from scaling.training.work import work

        spec = self.claims.store.spec(job.run_id)
        skipped = spec.step * spec.trunk.optim.batch_tokens if isinstance(spec, CooldownSpec) else 0

        def progress(tokens: int) -> None:
            now = time.monotonic()
            if now - self.reported > REPORT_SECONDS:
                self.reported = now
                self.say("progress", run_id=job.run_id, tokens=tokens - skipped)

        self.reported = 0.0  # the first word of a run says where it goes on from
        self.say("begin", run_id=job.run_id)
        ended = work(
            spec,
            self.claims.store,
            branches=job.branches,
            device=self.device,
            progress=progress,
            stop=self.stop.is_set,
        )
        self.claims.release(job.run_id)
        self.say("end" if ended else "stopped", run_id=job.run_id)


def main(store: str, owner: str, device: str) -> int:
    """Run a worker; errors become one line to the parent."""
    worker = Worker(Claims(Store(Path(store)), owner), device)
    try:
        return worker.main()
    except Exception as error:
        import traceback

        worker.say("error", **_described(error))
        traceback.print_exc()
        return 1


def _described(error: Exception) -> dict[str, Any]:
    """Return an error for the parent: what it is, its line, and number and path of a system's error."""
    system = machine_failure(error) or (error if isinstance(error, OSError) else None)
    return {
        "kind": type(error).__name__,
        "message": " ".join(str(error).split())[:1000],
        "number": system.errno if system else None,
        "path": str(system.filename) if system and system.filename else None,
    }


if __name__ == "__main__":
    raise SystemExit(main(*sys.argv[1:]))
