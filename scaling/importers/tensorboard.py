"""TensorBoard: event files, one folder a run, scalars in both forms that writers use, and logged hyperparameters."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from scaling.importers.flat import Cell, clean
from scaling.importers.importer import Choices, Imported, Importer
from scaling.importers.log import Log
from scaling.importers.paths import folders_of, found, reading, run_ids
from scaling.importers.wire import DamagedError, Value, fields, message, number, signed, text, tf_records

EVENT_STEP, EVENT_SUMMARY = 2, 5
SUMMARY_VALUE = 1
VALUE_TAG, VALUE_SIMPLE, VALUE_TENSOR, VALUE_METADATA = 1, 2, 8, 9
_OTHER_KINDS = {3: "a histogram", 4: "an image", 5: "a histogram", 6: "audio"}
TENSOR_DTYPE, TENSOR_SHAPE, TENSOR_CONTENT = 1, 2, 4
_DTYPES = {1: ("f", 5), 2: ("d", 6), 3: ("i", 7), 9: ("q", 10)}
"""float, double, int32, int64 of a tensor: code of ``struct``, and the field that holds values one by one."""
_TIME = re.compile(r"[0-9]{9,}\.[0-9]+")
"""How torch calls the folder below a run in which ``add_hparams`` writes."""


def _read(paths: Sequence[Path], choices: Choices) -> Imported:
    """Read every file ``*tfevents*`` below the paths; wall times are not kept."""
    files = found(paths, lambda name: "tfevents" in name, "event files (events.out.tfevents...)")
    folders = folders_of(files)
    parents = {folder: folder.parent if _is_hparams(folder, folders) else folder for folder in folders}
    runs = run_ids([folder for folder in folders if parents[folder] == folder])
    log = Log(unit="values")
    for folder, inside in sorted(folders.items(), key=lambda item: (parents[item[0]] != item[0], item[0])):
        run_id = runs[parents[folder]]
        log.run(run_id, parents[folder].absolute(), {}, inside[0])
        for file in inside:
            log.files.append(file)
            with reading(file, "event file"):
                _read_file(log, run_id, file)
    return log.imported(choices)


def _is_hparams(folder: Path, folders: dict[Path, list[Path]]) -> bool:
    return bool(_TIME.fullmatch(folder.name)) and folder.parent in folders


def _read_file(log: Log, run_id: str, file: Path) -> None:
    try:
        for record in tf_records(file):
            step, summaries = 0, []
            for name, value in fields(record):
                if name == EVENT_STEP:
                    step = signed(value)
                elif name == EVENT_SUMMARY:
                    summaries += [v for n, v in fields(message(value)) if n == SUMMARY_VALUE]
            for summary in summaries:
                _add(log, run_id, file, step, message(summary))
    except DamagedError as error:
        log.skip(file, f"{error}, and the rest is not read")


def _add(log: Log, run_id: str, file: Path, step: int, summary: bytes) -> None:
    """Add one value of a summary: a scalar, hyperparameters, or something that is no number."""
    parts = dict(fields(summary))
    tag = clean(text(parts.get(VALUE_TAG, b"")))
    plugin, content = _plugin(parts.get(VALUE_METADATA, b""))
    if plugin == "hparams" and (facts := dict(_hyperparameters(content))):
        log.run(run_id, "", facts, file)
        log.keep()
    elif VALUE_SIMPLE in parts:
        log.add(run_id, step, {tag: number(parts[VALUE_SIMPLE], "f")})
    elif (scalar := _scalar(parts.get(VALUE_TENSOR, b""))) is not None:
        log.add(run_id, step, {tag: scalar})
    else:
        other = next(
            (words for field, words in _OTHER_KINDS.items() if field in parts), f"{plugin or 'a tensor'}"
        )
        log.skip(f"{file}, {tag}", f"it holds {other}, not a number")


def _scalar(tensor: Value) -> float | None:
    """Return the number of a tensor without dimensions; None for another."""
    parts: dict[int, Value] = dict(fields(message(tensor)))
    code, single = _DTYPES.get(signed(parts.get(TENSOR_DTYPE, 0)), ("", 0))
    if not code or message(parts.get(TENSOR_SHAPE, b"")):
        return None
    if TENSOR_CONTENT in parts:
        return number(parts[TENSOR_CONTENT], code)
    value = parts.get(single, 0)  # a tensor without values is one of zeros
    if isinstance(value, bytes) and code in "iq":
        value = next(fields(b"\x08" + value), (0, 0))[1]  # whole numbers that stand together
    return float(signed(value)) if isinstance(value, int) else number(value, code)


def _plugin(metadata: Value) -> tuple[str, bytes]:
    data = dict(fields(message(metadata))).get(1, b"")
    parts = dict(fields(message(data)))
    return text(parts.get(1, b"")), message(parts.get(2, b""))


def _hyperparameters(content: bytes) -> Iterator[tuple[str, Cell]]:
    """Yield what ``add_hparams`` was given: a map in field 1 of the session's start, field 3 of the plugin's data."""
    for start in (value for name, value in fields(content) if name == 3):
        for entry in (value for name, value in fields(message(start)) if name == 1):
            pair = dict(fields(message(entry)))
            name = "config/" + clean(text(pair.get(1, b"")))
            for kind, value in fields(message(pair.get(2, b""))):
                if kind in (2, 3, 4):
                    yield name, _hyperparameter(kind, value)


def _hyperparameter(kind: int, value: Value) -> Cell:
    if kind == 2:
        return number(value, "d")
    return clean(text(value)) if kind == 3 else bool(signed(value))


TENSORBOARD = Importer(
    "tensorboard", "event files below a folder; one folder is one run, add_hparams gives its config", _read
)
