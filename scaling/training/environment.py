"""Where a run ran and with what, for its row."""

from __future__ import annotations

import platform
from functools import cache
from importlib.metadata import version
from pathlib import Path


@cache
def hardware(device: str) -> str:
    """Return the name of the processor that a run trains on."""
    if device.startswith("cuda"):
        import torch

        return torch.cuda.get_device_name(device)
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
        return next(line.split(":", 1)[1].strip() for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        return platform.processor() or platform.machine()


@cache
def versions() -> str:
    """Return the versions that decide a run's numbers."""
    return " ".join(
        f"{name}={version(name)}" for name in ("scaling-suite", "torch", "lightning", "transformers")
    )
