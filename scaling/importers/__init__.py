"""SHELF: one file = one format of logs. To add one: its file, its place in `ALL`, its test file."""

from scaling.errors import InputError
from scaling.importers.huggingface import HUGGINGFACE
from scaling.importers.importer import Choices, Imported, Importer, Skipped
from scaling.importers.lightning import LIGHTNING
from scaling.importers.mlflow import MLFLOW
from scaling.importers.table import TABLE
from scaling.importers.tensorboard import TENSORBOARD
from scaling.importers.wandb import WANDB
from scaling.importers.wandb_export import WANDB_EXPORT
from scaling.importers.wide import WIDE

ALL: tuple[Importer, ...] = (
    TABLE,
    WIDE,
    LIGHTNING,
    TENSORBOARD,
    WANDB,
    WANDB_EXPORT,
    HUGGINGFACE,
    MLFLOW,
)
"""Every importer on the shelf."""

__all__ = ["ALL", "Choices", "Imported", "Importer", "Skipped", "find"]


def find(name: str) -> Importer:
    """Return the importer called ``name``; ``InputError`` names the known ones."""
    for importer in ALL:
        if importer.name == name:
            return importer
    raise InputError(f"no importer {name!r}; known: {', '.join(importer.name for importer in ALL)}")
