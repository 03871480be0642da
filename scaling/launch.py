"""From a grid of specs to finished runs in a store, with a progress display."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn

from scaling.errors import InputError
from scaling.records.cost import predicted_seconds, spec_tokens
from scaling.records.spec import CooldownSpec, Spec, spec_id
from scaling.study import missing, with_parents

if TYPE_CHECKING:
    from rich.console import Console

    from scaling.executors.local import Progress as Said
    from scaling.records.store import Store

LINE_SECONDS = 20.0
"""Seconds between two progress lines where no terminal can redraw one."""


def launch(
    specs: list[Spec],
    store: Store,
    console: Console,
    *,
    workers: int | None = None,
    stop_after: float | None = None,
) -> bool:
    """Do the runs of a grid that the store lacks; return whether all are finished.

    ``workers`` is the number of worker processes (default: one per GPU, else one per core); ``stop_after`` is in
    minutes, after which the workers save their states. Raises ``InputError`` with a failed worker's line.
    """
    store.open()
    todo = missing(specs, store)
    if not todo:
        return True
    try:
        from scaling.executors import local
        from scaling.executors.claims import Claims

        places = local.devices()
    except ImportError as error:
        raise InputError(
            f"{len(todo)} runs are missing and training needs the extra: pip install 'scaling-suite[train]' "
            f"({error})"
        ) from error
    if workers is not None:
        places = [places[i % len(places)] for i in range(workers)]
    claims = Claims(store)
    claims.enqueue(in_order(todo))
    deadline = None if stop_after is None else time.monotonic() + 60 * stop_after
    with Display(with_parents(specs), store, console) as watch:
        local.run(claims, places, watch=watch, deadline=deadline)
    return not missing(specs, store)


def in_order(specs: list[Spec]) -> list[Spec]:
    """Return the runs longest tree first, each trunk before its branches, long branches first.

    Long runs first keep all workers busy to the end (longest-processing-time rule).
    """
    tree: dict[str, float] = {}
    for spec in specs:
        tree[_root(spec)] = tree.get(_root(spec), 0.0) + predicted_seconds(spec)

    def rank(spec: Spec) -> tuple[float, str, bool, float]:
        branch = isinstance(spec, CooldownSpec)
        return (-tree[_root(spec)], _root(spec), branch, -predicted_seconds(spec))

    return sorted(specs, key=rank)


def _root(spec: Spec) -> str:
    return spec_id(spec.trunk if isinstance(spec, CooldownSpec) else spec)


class Display:
    """Show runs done, tokens per second and the time left, on a terminal or as lines in a log."""

    def __init__(self, specs: list[Spec], store: Store, console: Console) -> None:
        self.specs = {spec_id(spec): spec for spec in specs}
        self.store = store
        self.console = console
        self.begun = time.monotonic()
        self.done_before = {run_id for run_id in self.specs if store.is_done(run_id)}
        self.total = sum(predicted_seconds(spec) for spec in specs)
        self.before = sum(predicted_seconds(self.specs[run_id]) for run_id in self.done_before)
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
        done = {run_id for run_id in self.specs if self.store.is_done(run_id)}
        seconds, tokens = 0.0, 0
        for run_id, spec in self.specs.items():
            planned = spec_tokens(spec)
            seen = planned if run_id in done else min(planned, said.tokens.get(run_id, 0))
            seconds += predicted_seconds(spec) * seen / planned
            tokens += seen if run_id not in self.done_before else 0
        elapsed = time.monotonic() - self.begun
        worked = seconds - self.before
        left = (self.total - seconds) * elapsed / worked if worked > 0 else None
        text = (
            f"{len(done)}/{len(self.specs)} runs  {tokens / elapsed:,.0f} tokens/s  "
            f"{'estimating' if left is None else _clock(left) + ' left'}"
        )
        self.bar.update(self.task, completed=seconds, description=text)
        if not self.console.is_terminal and time.monotonic() - self.line_at > LINE_SECONDS:
            self.line_at = time.monotonic()
            self.console.print(text)


def _clock(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes}:{rest:02d}"
