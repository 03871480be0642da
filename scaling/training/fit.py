"""The trainer of every stage: one step per index, no logger, no checkpoint of its own."""

from __future__ import annotations

import logging
import warnings
from typing import TYPE_CHECKING, Any

import lightning
import torch
from lightning.pytorch.callbacks import Callback

from scaling.training import state

if TYPE_CHECKING:
    from scaling.training.module import Stage


class Restorer(Callback):
    """Puts a saved state back once the trainer has made its optimiser."""

    def __init__(self, saved: dict[str, Any]) -> None:
        self.saved = saved

    def on_train_start(self, trainer: Any, module: Any) -> None:
        """Restore."""
        state.restore(module, self.saved)


def fit(module: Stage, steps: range, precision: str, device: str, callbacks: list[Callback]) -> bool:
    """Train over ``steps``; return whether the last one was reached."""
    logging.getLogger("lightning.pytorch").setLevel(logging.ERROR)
    with warnings.catch_warnings():
        # a preset sized for a CPU leaves the GPU beside it alone on purpose
        warnings.filterwarnings("ignore", "GPU available but not used")
        trainer = lightning.Trainer(
            accelerator="gpu" if device.startswith("cuda") else "cpu",
            devices=[int(device.partition(":")[2] or 0)] if device.startswith("cuda") else 1,
            precision="bf16-mixed" if precision == "bf16" else "32-true",
            max_epochs=1,
            logger=False,
            enable_checkpointing=False,
            enable_progress_bar=False,
            enable_model_summary=False,
            callbacks=callbacks,
        )
    torch.use_deterministic_algorithms(device == "cpu")
    trainer.fit(module, train_dataloaders=steps)
    return trainer.fit_loop.epoch_loop.batch_progress.current.completed == len(steps)
