"""Byte corpora: a memory-mapped train side and held-out side, and the rule that parts them."""

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from scaling.corpora.corpus import Ready
from scaling.corpora.order import HELDOUT_STREAM, TRAIN_STREAM, count_windows, window_starts
from scaling.errors import InputError

SEPARATOR = b"\0"
"""Stands after every document; normalised text holds no other zero byte."""


@dataclass(frozen=True, eq=False)
class ReadyText(Ready):
    """Bytes of text as tokens 0..255, documents parted by a zero byte, both sides memory-mapped."""

    train: npt.NDArray[np.uint8] = field(repr=False)
    """The train side, shape [train_tokens]."""
    held: npt.NDArray[np.uint8] = field(repr=False)
    """The held-out side."""

    def _batch(self, seed: int, first: int, rows: int, length: int) -> npt.NDArray[np.int64]:
        self._check(self.train, 1, length, "train")
        return _gather(
            self.train, window_starts((seed, TRAIN_STREAM), first, rows, len(self.train), length), length
        )

    def _heldout(self, rows: int, length: int) -> npt.NDArray[np.int64]:
        self._check(self.held, rows, length, "held-out")
        return _gather(self.held, window_starts((0, HELDOUT_STREAM), 0, rows, len(self.held), length), length)

    def heldout_windows(self, length: int) -> int:
        """How many held-out windows of `length` + 1 bytes there are."""
        return count_windows(len(self.held), length)

    def _check(self, side: npt.NDArray[np.uint8], rows: int, length: int, label: str) -> None:
        windows = count_windows(len(side), length)
        if windows < rows:
            raise InputError(
                f"corpus {self.name!r} has {windows} {label} windows of {length} tokens ({len(side)} bytes), "
                f"asked for {rows}; use fewer rows, a smaller length or more text"
            )


def _gather(side: npt.NDArray[np.uint8], starts: npt.NDArray[np.int64], length: int) -> npt.NDArray[np.int64]:
    return np.asarray(side[starts[:, None] + np.arange(length + 1)], dtype=np.int64)
