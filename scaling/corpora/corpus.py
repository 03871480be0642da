"""What a corpus is: a source of training text, and the same source made ready to give batches."""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from scaling.errors import InputError


@dataclass(frozen=True)
class Ready(ABC):
    """A prepared corpus: batches as a pure function of (seed, step, rank), held-out windows in a fixed order."""

    name: str
    """The name that `corpora.find` knows it by."""
    sha256: str
    """Hash of the content: two corpora with one hash give the same batches; never pool across hashes."""
    vocabulary: int
    """Number of distinct token ids; every token is in 0..vocabulary-1."""
    train_tokens: int | None
    """Tokens on the train side; None where text is generated without end."""
    bytes_per_token: float | None
    """Mean bytes of text a token stands for; None where tokens stand for no text."""

    def batch(
        self, seed: int, step: int, rows: int, length: int, rank: int = 0, world: int = 1
    ) -> npt.NDArray[np.int64]:
        """Rows of training tokens for one step of one rank, a pure function of its arguments.

        The global batch of a step has rows * world rows; rank r holds rows r*rows .. (r+1)*rows - 1 of it, so
        concatenating the ranks in order gives the batch that one process with rows * world rows would get.
        Returns tokens of shape [rows, length + 1]: inputs are [:, :-1], targets [:, 1:].
        Raises InputError for arguments out of range or a length that the corpus cannot fill.
        """
        if min(rows, length, world) < 1 or step < 0 or not (0 <= rank < world and 0 <= seed < 2**64):
            raise InputError(
                f"batch(seed={seed}, step={step}, rows={rows}, length={length}, rank={rank}, world={world}): "
                "need rows, length, world >= 1, step >= 0, 0 <= rank < world, 0 <= seed < 2**64"
            )
        return self._batch(seed, (step * world + rank) * rows, rows, length)

    def heldout(self, rows: int, length: int) -> npt.NDArray[np.int64]:
        """The first `rows` windows of a fixed order of held-out windows; no seed moves it.

        Returns tokens of shape [rows, length + 1]. heldout(r, length) is a prefix of heldout(r + k, length).
        Raises InputError when the corpus holds out fewer windows.
        """
        if min(rows, length) < 1:
            raise InputError(f"heldout(rows={rows}, length={length}): need rows, length >= 1")
        return self._heldout(rows, length)

    def learned(self, tokens: npt.NDArray[np.int64]) -> npt.NDArray[np.bool_]:
        """Which targets of rows [rows, length + 1] are learned and scored, [rows, length]: all, unless a source says."""
        return np.ones((tokens.shape[0], tokens.shape[1] - 1), dtype=np.bool_)

    @abstractmethod
    def heldout_windows(self, length: int) -> int | None:
        """How many held-out windows of `length` + 1 tokens there are; None where text is generated."""

    def epochs(self, tokens: int) -> float:
        """How often training on `tokens` tokens passes over the train side; 0 where text has no end."""
        return tokens / self.train_tokens if self.train_tokens else 0.0

    @abstractmethod
    def _batch(self, seed: int, first: int, rows: int, length: int) -> npt.NDArray[np.int64]:
        """Samples first .. first + rows - 1 of the seed's endless order of samples."""

    @abstractmethod
    def _heldout(self, rows: int, length: int) -> npt.NDArray[np.int64]:
        """The first rows of the held-out order."""


@dataclass(frozen=True)
class Corpus(ABC):
    """A source of training text on the shelf: cheap to make, reads nothing before `prepare`."""

    @property
    @abstractmethod
    def name(self) -> str:
        """What `corpora.find` knows it by."""

    @property
    @abstractmethod
    def description(self) -> str:
        """One line for `scaling list corpora`."""

    def with_argument(self, argument: str) -> "Corpus":
        """The corpus that `name:argument` asks for. Raises InputError where the corpus takes no argument."""
        raise InputError(f"corpus {self.name!r} takes no argument, got {argument!r}; use {self.name!r} alone")

    @abstractmethod
    def prepare(self, cache: Path | None = None) -> Ready:
        """Make the corpus ready, building its files in the cache folder if they are not there yet.

        cache: folder to build in; None takes $SCALING_CACHE, else the user's cache folder.
        Raises InputError when the source cannot be read or the cache cannot be written.
        """
