"""Hugging Face's Trainer: trainer_state.json with its log, config.json, and the header of the weights for N.

``training_args.bin`` is a pickle, which can run anything when it is read; it is never opened.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from scaling.errors import InputError
from scaling.importers.flat import Cell, flattened
from scaling.importers.importer import Choices, Imported, Importer
from scaling.importers.log import Log, whole
from scaling.importers.paths import found, reading, run_ids

STATE, CONFIG = "trainer_state.json", "config.json"
END = {"train_loss", "total_flos"}
"""What only the entry at the end of training has: it sums the run up and is no step."""
_CHECKPOINT = re.compile(r"checkpoint-[0-9]+")
_LONGEST_HEADER = 100_000_000
"""The bytes that safetensors itself allows for a header."""


def _read(paths: Sequence[Path], choices: Choices) -> Imported:
    """Read the latest state of each run: a run is a folder with its checkpoint-N folders."""
    files = found(paths, lambda name: name == STATE, f"folders of Hugging Face's Trainer ({STATE})")
    by_run: dict[Path, list[tuple[float, Path, dict[str, Any]]]] = {}
    for file in files:
        folder = file.parent.absolute()
        place = folder.parent if _CHECKPOINT.fullmatch(folder.name) else folder
        with reading(file, "trainer state"):
            state = _state(file)
            by_run.setdefault(place, []).append((float(state.get("global_step") or 0), file, state))
    log = Log()
    for place, run_id in run_ids(list(by_run)).items():
        states = sorted(by_run[place], key=lambda found: (found[0], found[1].parent.absolute() == place))
        _, file, state = states[-1]
        if len(states) > 1:
            log.notes.append(
                f"{run_id}: the state at step {states[-1][0]:g} is read, {len(states) - 1} earlier ones not"
            )
        log.files.append(file)
        with reading(file, "trainer state"):
            log.run(run_id, place, _facts(log, state, [f.parent for _, f, _ in reversed(states)]), file)
            _add_history(log, run_id, file, state["log_history"])
    return log.imported(choices)


def _state(file: Path) -> dict[str, Any]:
    state = json.loads(file.read_text(encoding="utf-8"))
    if not isinstance(state, dict) or not isinstance(state.get("log_history"), list):
        raise InputError(
            f"{file} has no log_history; expected the trainer_state.json of Hugging Face's Trainer"
        )
    return state


def _add_history(log: Log, run_id: str, file: Path, history: list[Any]) -> None:
    for row, entry in enumerate(history):
        if not isinstance(entry, dict):
            log.skip(f"{file}, entry {row}", "it is no JSON object")
            continue
        step = entry.get("step")
        cells = flattened({name: value for name, value in entry.items() if name != "step"})
        if set(cells) <= {"epoch"}:
            log.skip(f"{file}, entry {row}", "it holds no metric")
        elif set(cells) >= END:
            log.run(run_id, "", {f"end/{name}": value for name, value in cells.items()}, file)
            log.keep()
        else:
            known = isinstance(step, int | float) and not isinstance(step, bool)
            log.add(run_id, whole(float(step)) if known else None, cells)  # type: ignore[arg-type]


def _facts(log: Log, state: dict[str, Any], folders: Sequence[Path]) -> dict[str, Cell]:
    """Return single values of the state, the model's configuration and its parameters, from the first folder with it."""
    facts = {f"state/{k}": v for k, v in flattened(_scalars(state)).items()}
    for folder in folders:
        if (config := folder / CONFIG).is_file():
            with reading(config, "JSON"):
                found = json.loads(config.read_text(encoding="utf-8"))
                facts |= flattened(found, "config/") if isinstance(found, dict) else {}
            break
    for folder in folders:
        if weights := sorted(folder.glob("*.safetensors")):
            counts = [_parameters(file) for file in weights]
            if None not in counts:
                return facts | {"params": sum(filter(None, counts))}
            log.notes.append(f"{weights[0].name} in {folder} has no readable header: params are not known")
            break
    return facts


def _scalars(state: dict[str, Any]) -> dict[str, Any]:
    return {k: v for k, v in state.items() if isinstance(v, int | float | str)}


def _parameters(file: Path) -> int | None:
    """Return how many numbers a safetensors file holds, by its header: 8 bytes of length, then JSON; None without."""
    with file.open("rb") as opened:
        length = int.from_bytes(opened.read(8), "little")
        if not 2 <= length <= min(_LONGEST_HEADER, file.stat().st_size):
            return None
        try:
            header = json.loads(opened.read(length))
            shapes = [tensor["shape"] for name, tensor in header.items() if name != "__metadata__"]
            return sum(int(math.prod(shape)) for shape in shapes)
        except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
            return None


HUGGINGFACE = Importer(
    "huggingface",
    "Hugging Face's Trainer: trainer_state.json below a folder, with config.json and the weights' header for params",
    _read,
)
