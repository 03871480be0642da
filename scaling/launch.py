"""From a grid of specs to finished runs in a store, with a progress display."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import cache
from importlib.util import find_spec
from typing import TYPE_CHECKING

from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn

from scaling.errors import InputError
from scaling.records.cost import DEVICES, Device, predicted_seconds, spec_tokens
from scaling.records.spec import Spec, parents, spec_id
from scaling.study import missing, with_parents

if TYPE_CHECKING:
    from rich.console import Console

    from scaling.executors.local import Progress as Said
    from scaling.records.store import Store

EXTRA = ("torch", "lightning", "transformers", "tokenizers", "safetensors", "psutil")
"""What the extra ``train`` installs."""
LINE_SECONDS = 20.0
"""Seconds between two progress lines where no terminal can redraw one."""


def launch(
    specs: list[Spec],
    store: Store,
    console: Console,
    *,
    device: str,
    workers: int | None = None,
    stop_after: float | None = None,
) -> bool:
    """Do the runs of a grid that the store lacks; return whether all are finished.

    ``device`` is what the grid is sized for, "cpu" or "cuda"; ``workers`` is the number of worker processes (default:
    one per core, or per GPU); ``stop_after`` is in minutes, after which the workers save their states. Raises
    ``InputError`` without such a device or the training half's libraries, and with a failed worker's line.
    """
    store.open()
    todo = missing(specs, store)
    if not todo:
        return True
    if lacking := [name for name in EXTRA if not _installed(name)]:
        raise InputError(
            f"{len(todo)} runs are missing and training needs the extra: pip install 'scaling-suite[train]' "
            f"(no {', '.join(lacking)} here)"
        )
    from scaling.executors import local
    from scaling.executors.claims import Claims

    places = local.devices(device)
    if workers is not None:
        places = [places[i % len(places)] for i in range(workers)]
    claims = Claims(store)
    claims.enqueue(in_order(todo, DEVICES[device]))
    deadline = None if stop_after is None else time.monotonic() + 60 * stop_after
    with Display(with_parents(specs), store, console, DEVICES[device]) as watch:
        local.run(claims, places, watch=watch, deadline=deadline)
    return not missing(specs, store)


def _installed(name: str) -> bool:
    try:
        return find_spec(name) is not None
    except ImportError:
        return False


def in_order(specs: list[Spec], device: Device) -> list[Spec]:
    """Return the runs with the longest way to the end first: what a run takes and, after it, the longest of what needs it.

    So no long chain is left for one worker when all others are done, and a run stands before those that need it (list
    scheduling by critical path, Graham 1969).
    """
    needed_by: dict[str, list[Spec]] = {}
    for spec in specs:
        for parent in parents(spec):
            needed_by.setdefault(spec_id(parent), []).append(spec)

    @cache
    def way(spec: Spec) -> float:
        after = (way(one) for one in needed_by.get(spec_id(spec), ()))
        return predicted_seconds(spec, device) + max(after, default=0.0)

    return sorted(specs, key=lambda spec: (-way(spec), spec_id(spec)))


class Display:
    """Show runs done, tokens per second and the time left, on a terminal or as lines in a log."""

    def __init__(self, specs: list[Spec], store: Store, console: Console, device: Device) -> None:
        self.seconds = {spec_id(spec): predicted_seconds(spec, device) for spec in specs}
        self.tokens = {spec_id(spec): spec_tokens(spec) for spec in specs}
        self.store = store
        self.console = console
        self.begun = time.monotonic()
        self.before = {run_id for run_id in self.seconds if store.is_done(run_id)}
        self.done = set(self.before)
        self.total = sum(self.seconds.values())
        self.line_at = self.begun
        self.bar = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            TaskProgressColumn(),
            console=console,
            transient=True,
            disable=not console.is_terminal,
        )
        self.task = self.bar.add_task("starting workers", total=self.total)

    def __enter__(self) -> Callable[[Said], None]:
        self.bar.start()
        return self.watch

    def __exit__(self, *error: object) -> None:
        self.bar.stop()

    def watch(self, said: Said) -> None:
        """Redraw from what the workers have said."""
        self.done |= {run_id for run_id in self.seconds.keys() - self.done if self.store.is_done(run_id)}
        elapsed = time.monotonic() - self.begun
        seconds, worked, tokens = self.so_far(said)
        left = (self.total - seconds) * elapsed / worked if worked > 0 else None
        words = [
            f"{len(self.done)}/{len(self.seconds)} runs",
            f"{tokens / elapsed:,.0f} tokens/s" if tokens else "",
            "estimating" if left is None else f"{_clock(left)} left",
        ]
        text = "  ".join(filter(None, words))
        self.bar.update(self.task, completed=seconds, description=text)
        if not self.console.is_terminal and time.monotonic() - self.line_at > LINE_SECONDS:
            self.line_at = time.monotonic()
            self.console.print(text)

    def so_far(self, said: Said) -> tuple[float, float, int]:
        """Return predicted seconds done in all and in this sitting, and the tokens trained in this sitting.

        Counting learners say nothing while they run, and their billions of tokens are left out.
        """
        seconds, worked, tokens = 0.0, 0.0, 0
        for run_id, planned in self.tokens.items():
            seen = planned if run_id in self.done else min(planned, max(0, said.tokens.get(run_id, 0)))
            first = planned if run_id in self.before else max(0, said.first.get(run_id, 0))
            new = max(0, seen - first)
            seconds += self.seconds[run_id] * seen / planned
            worked += self.seconds[run_id] * new / planned
            tokens += new if run_id in said.first else 0
        return seconds, worked, tokens


def _clock(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes}:{rest:02d}"
