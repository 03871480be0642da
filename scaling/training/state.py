"""The exact state of a run: weights, optimiser, step, random generator and the rows so far.

Lightning's own checkpoints do not resume exactly (no generator state, and loaders replay data), so the state is
ours: with data a pure function of the step, restoring it continues bit for bit.
"""

from __future__ import annotations

import os
import pickle
import shutil
import struct
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch

from scaling.errors import InputError
from scaling.records.store import branch_state

if TYPE_CHECKING:
    from scaling.training.module import Stage

RESUME = "resume.pt"
"""The rolling state of an unfinished run, in its folder."""


@dataclass
class Rows:
    """The rows of an unfinished run, as plain dictionaries by table."""

    checkpoints: list[dict[str, Any]] = field(default_factory=list)
    """Rows of CHECKPOINTS."""
    steps: list[dict[str, Any]] = field(default_factory=list)
    """Rows of STEPS."""
    evals: list[dict[str, Any]] = field(default_factory=list)
    """Rows of EVALS."""
    sampled: int = 0
    """Tokens that RL has sampled."""
    seconds: float = 0.0
    """Device seconds spent, before this sitting."""


def nearest_branch(folder: Path, step: int) -> Path | None:
    """Return the latest kept state at or before ``step``, or None."""
    steps = [int(path.stem.partition("-")[2]) for path in folder.glob(branch_state(folder, "[0-9]*").name)]
    earlier = [found for found in steps if found <= step]
    return branch_state(folder, max(earlier)) if earlier else None


def save(path: Path, module: Stage, step: int, rows: Rows) -> None:
    """Write the state after ``step`` updates by an atomic rename; an ``OSError`` leaves the old file whole."""
    state = {
        "step": step,
        "model": module.model.state_dict(),
        "optimizer": module.optimizer.optimizer.state_dict(),
        "torch_rng": torch.get_rng_state(),
        "rows": vars(rows),
        "more": module.more_state(),
    }
    partial = path.with_name(f"{path.name}.{os.getpid()}.partial")
    try:
        with partial.open("wb") as file:
            torch.save(state, file)
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)


def keep(folder: Path, step: int) -> None:
    """Keep the rolling state, just written after ``step``, for the branches that leave there."""
    partial = folder / f"{RESUME}.{os.getpid()}.partial"
    try:
        partial.hardlink_to(folder / RESUME)
    except OSError:  # a file system without hard links
        shutil.copyfile(folder / RESUME, partial)
    partial.replace(branch_state(folder, step))


DAMAGED = (
    OSError,
    RuntimeError,
    ValueError,
    EOFError,
    KeyError,
    IndexError,
    TypeError,
    AttributeError,
    struct.error,
    pickle.UnpicklingError,
)
"""What reading a file that is no state raises, by what it holds instead."""


def load(path: Path) -> dict[str, Any]:
    """Return the state that ``save`` wrote, on the CPU; ``InputError`` names a file that cannot be read."""
    try:
        state: dict[str, Any] = torch.load(path, map_location="cpu", weights_only=True)
    except DAMAGED as error:
        reason = (str(error).splitlines() or [type(error).__name__])[0][:80]
        raise InputError(
            f"run state {path} is damaged ({reason}); delete this file and run again to redo the run from an "
            "earlier point"
        ) from error
    return state


def restore(module: Stage, state: dict[str, Any]) -> None:
    """Put weights, optimiser and generator back (the trainer must have set up its optimiser)."""
    module.model.load_state_dict(state["model"])
    module.optimizer.optimizer.load_state_dict(state["optimizer"])
    torch.set_rng_state(state["torch_rng"])
    module.restore_more(state.get("more", {}))
