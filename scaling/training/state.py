"""The exact state of a run: weights, optimiser, step, random generator and the rows so far.

Lightning's own checkpoints do not resume exactly (no generator state, and loaders replay data), so the state is
ours: with data a pure function of the step, restoring it continues bit for bit.
"""

from __future__ import annotations

import os
import pickle
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch

from scaling.errors import InputError

if TYPE_CHECKING:
    from scaling.training.module import PretrainModule

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
    seconds: float = 0.0
    """Device seconds spent, before this sitting."""


def branch_path(folder: Path, step: int) -> Path:
    """Return where a trunk keeps the state that a branch at ``step`` leaves from."""
    return folder / f"state-{step}.pt"


def nearest_branch(folder: Path, step: int) -> Path | None:
    """Return the latest kept state at or before ``step``, or None."""
    found = {
        int(m[1]): p for p in folder.glob("state-*.pt") if (m := re.fullmatch(r"state-(\d+)\.pt", p.name))
    }
    earlier = [s for s in found if s <= step]
    return found[max(earlier)] if earlier else None


def save(path: Path, module: PretrainModule, step: int, rows: Rows) -> None:
    """Write the state after ``step`` updates by an atomic rename; an ``OSError`` leaves the old file whole."""
    state = {
        "step": step,
        "model": module.model.state_dict(),
        "optimizer": module.optimizer.optimizer.state_dict(),
        "torch_rng": torch.get_rng_state(),
        "rows": vars(rows),
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
    target = branch_path(folder, step)
    target.unlink(missing_ok=True)
    target.hardlink_to(folder / RESUME)


def load(path: Path) -> dict[str, Any]:
    """Return the state that ``save`` wrote, on the CPU; ``InputError`` names a file that cannot be read."""
    try:
        state: dict[str, Any] = torch.load(path, map_location="cpu", weights_only=True)
    except (OSError, RuntimeError, ValueError, EOFError, KeyError, pickle.UnpicklingError) as error:
        reason = (str(error).splitlines() or [type(error).__name__])[0]
        raise InputError(
            f"run state {path} is damaged ({reason}); delete this file and run again to redo the run from an "
            "earlier point"
        ) from error
    return state


def restore(module: PretrainModule, state: dict[str, Any]) -> None:
    """Put weights, optimiser and generator back (the trainer must have set up its optimiser)."""
    module.model.load_state_dict(state["model"])
    module.optimizer.optimizer.load_state_dict(state["optimizer"])
    torch.set_rng_state(state["torch_rng"])
