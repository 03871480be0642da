"""W&B: the ``.wandb`` file that every run writes, offline or not; the two files of a run that was downloaded.

The file is a log of protocol buffers (see ``wire``); wandb 0.31 has no Python reader of it.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from scaling.errors import InputError
from scaling.importers.flat import flattened
from scaling.importers.importer import Choices, Imported, Importer
from scaling.importers.log import Log, Step, whole
from scaling.importers.paths import found, reading
from scaling.importers.wire import DamagedError, block_records, fields, message, number, signed, text
from scaling.importers.yaml_file import load_yaml

RECORD_HISTORY, RECORD_SUMMARY, RECORD_CONFIG, RECORD_RUN, RECORD_EXIT = 2, 3, 5, 17, 18
HISTORY_ITEM, HISTORY_STEP, STEP_NUM = 1, 2, 1
UPDATE, REMOVE = 1, 2
ITEM_KEY, ITEM_NESTED_KEY, ITEM_NUMBER, ITEM_JSON = 1, 2, 6, 16
ITEM_TYPED = {4: lambda v: bool(signed(v)), 5: signed, ITEM_NUMBER: lambda v: number(v, "d"), 7: text}
RUN_ID, RUN_CONFIG, RUN_DISPLAY_NAME = 1, 4, 8
RUN_FACTS = {3: "project", 6: "group", 7: "job_type"}
EXIT_CODE = 1
HEADER = b":W&B\xe1\xbe"
"""How a file begins; one byte follows, its version."""
SUMMARY, CONFIG = "wandb-summary.json", "config.yaml"


def _read(paths: Sequence[Path], choices: Choices) -> Imported:
    """Read run files; files of one run, as after a resumption, make one run."""
    expected = f"W&B run files (run-....wandb, or {SUMMARY} beside {CONFIG})"
    files = found(paths, lambda name: name.endswith(".wandb") or name == SUMMARY, expected)
    logged = {file.parent for file in files if file.suffix == ".wandb"}
    log = Log()
    for file in files:
        if file.suffix == ".wandb":
            with reading(file, "W&B run"):
                _read_run(log, file)
        elif file.name != SUMMARY:
            raise InputError(
                f"{file} is no W&B run file; expected run-....wandb, {SUMMARY}, or a folder of runs"
            )
        elif not {file.parent, file.parent.parent} & logged:  # else the run's own log says more
            with reading(file, "W&B summary"):
                _read_downloaded(log, file)
    return log.imported(choices)


@dataclass
class _Run:
    """What the records of a file have said so far."""

    run_id: str
    name: str = ""
    facts: dict[str, Any] = field(default_factory=lambda: {"status": "not ended"})
    config: dict[str, Any] = field(default_factory=dict)
    summary: dict[str, Any] = field(default_factory=dict)
    rows: list[tuple[Step, dict[str, Any]]] = field(default_factory=list)

    def take(self, record: bytes) -> None:
        """Take one record in."""
        for kind, value in fields(record):
            if kind == RECORD_HISTORY:
                self._history(message(value))
            elif kind in (RECORD_SUMMARY, RECORD_CONFIG):
                _update(self.summary if kind == RECORD_SUMMARY else self.config, message(value))
            elif kind == RECORD_RUN:
                self._run(message(value))
            elif kind == RECORD_EXIT:
                code = signed(dict(fields(message(value))).get(EXIT_CODE, 0))
                self.facts["status"] = "finished" if code == 0 else f"ended with exit code {code}"

    def _history(self, record: bytes) -> None:
        row: dict[str, Any] = {}
        step = None
        for kind, value in fields(record):
            if kind == HISTORY_ITEM:
                _place(row, *_item(message(value)))
            elif kind == HISTORY_STEP:
                step = signed(dict(fields(message(value))).get(STEP_NUM, 0))
        own = row.pop("_step", None)
        self.rows.append((step if own is None or step is not None else whole(float(own)), row))

    def _run(self, record: bytes) -> None:
        for kind, value in fields(record):
            if kind == RUN_ID:
                self.run_id = text(value)
            elif kind == RUN_DISPLAY_NAME:
                self.name = text(value)
            elif kind == RUN_CONFIG:
                _update(self.config, message(value))
            elif kind in RUN_FACTS:
                self.facts[RUN_FACTS[kind]] = text(value)


def _read_run(log: Log, file: Path) -> None:
    content = file.read_bytes()
    if not content.startswith(HEADER):
        raise InputError(f"{file} does not begin as a W&B run does; give the run-....wandb that wandb wrote")
    log.files.append(file)
    run = _Run(file.stem.removeprefix("run-"))
    try:
        for record in block_records(content, len(HEADER) + 1):
            run.take(record)
    except DamagedError as error:
        log.skip(file, f"{error}, and the rest is not read")
    dropped = [name for _, row in run.rows for name in _drop_media(row)]
    if dropped:
        names = ", ".join(sorted(set(dropped))[:5])
        log.notes.append(f"{len(dropped)} values of {file.name} are media or tables, not numbers: {names}")
    _drop_media(run.summary)
    log.run(run.run_id, run.name or run.run_id, run.facts | _facts(run.config, run.summary), file)
    for step, row in run.rows:
        if cells := flattened(row):
            log.add(run.run_id, step, cells)
        else:
            log.skip(f"{file}, step {step}", "it holds no number or text")


def _read_downloaded(log: Log, file: Path) -> None:
    """Read a run's summary and, beside it, its config: one row a run, no history."""
    summary = json.loads(file.read_text(encoding="utf-8"))
    if not isinstance(summary, dict):
        raise InputError(f"{file} holds no JSON object; expected the summary that W&B wrote")
    beside = file.with_name(CONFIG)
    config = load_yaml(beside) if beside.exists() else {}
    values = {
        k: v.get("value") if isinstance(v, dict) else v for k, v in config.items() if k != "wandb_version"
    }
    folder = file.parent.parent if file.parent.name == "files" else file.parent
    run_id = folder.absolute().name.rsplit("-", 1)[-1]
    _drop_media(summary)
    log.files.append(file)
    log.run(run_id, folder.absolute(), _facts(values, summary), file)
    log.keep()


def _facts(config: dict[str, Any], summary: dict[str, Any]) -> dict[str, Any]:
    own = ("_wandb", "_step")
    return flattened({k: v for k, v in config.items() if k not in own}, "config/") | flattened(
        {k: v for k, v in summary.items() if k not in own}, "summary/"
    )


def _update(target: dict[str, Any], record: bytes) -> None:
    """Change a summary or config as one of its records says."""
    for kind, value in fields(record):
        path, found = _item(message(value))
        if kind == UPDATE:
            _place(target, path, found)
        elif kind == REMOVE and path:
            target.pop(path[0], None)


def _item(record: bytes) -> tuple[list[str], Any]:
    """Return where an item's value belongs, and the value."""
    path: list[str] = []
    found: Any = None
    for kind, value in fields(record):
        if kind in (ITEM_KEY, ITEM_NESTED_KEY):
            path.append(text(value))
        elif kind == ITEM_JSON:
            found = json.loads(text(value))
        elif kind in ITEM_TYPED:
            found = ITEM_TYPED[kind](value)
    return path, found


def _place(target: dict[str, Any], path: Sequence[str], value: Any) -> None:
    for key in path[:-1]:
        inner = target.get(key)
        target[key] = target = inner if isinstance(inner, dict) else {}
    if path:
        target[path[-1]] = value


def _drop_media(row: dict[str, Any]) -> Iterable[str]:
    """Remove histograms, tables, images and the like, which say their type; return their names."""
    media = [key for key, value in row.items() if isinstance(value, dict) and "_type" in value]
    for key in media:
        del row[key]
    for key, value in row.items():
        if isinstance(value, dict):
            media += [f"{key}.{inner}" for inner in _drop_media(value)]
    return media


WANDB = Importer(
    "wandb", "W&B runs as they lie on disk: run-....wandb files below a folder, offline or synced", _read
)
