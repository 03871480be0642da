"""Keys and values of the positions that a model has read.

Shapes: B rows, H heads of size E, C positions.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch

LEAST = 32
"""Positions that an attention covers at least: products of smaller matrices take a slow path of ``torch.bmm`` on the CPU."""


@dataclass(frozen=True)
class Cache:
    """Keys and values of the positions read so far, a tensor a layer."""

    keys: tuple[torch.Tensor, ...]
    """(B, H, E, C) each: ``torch.bmm`` is up to twice as fast on the CPU if a product's second matrix lies so."""
    values: tuple[torch.Tensor, ...]
    """(B, H, C, E) each."""

    @property
    def positions(self) -> int:
        """C."""
        return self.values[0].shape[2]

    def rows(self, which: torch.Tensor, filled: int, positions: int) -> Cache:
        """Return a cache of ``positions`` with the first ``filled`` of some rows, by number."""
        keys, values = room(self, len(which), -(-positions // LEAST) * LEAST)
        for old, new in zip(self.keys, keys, strict=True):
            new[..., :filled] = old[..., :filled].index_select(0, which)
        for old, new in zip(self.values, values, strict=True):
            new[:, :, :filled] = old[:, :, :filled].index_select(0, which)
        return Cache(keys, values)


def room(like: Cache, rows: int, positions: int) -> tuple[tuple[torch.Tensor, ...], tuple[torch.Tensor, ...]]:
    """Return empty keys and values of so many rows and positions, otherwise like those of a cache."""
    keys = tuple(old.new_zeros(rows, *old.shape[1:3], positions) for old in like.keys)
    values = tuple(old.new_zeros(rows, old.shape[1], positions, old.shape[3]) for old in like.values)
    return keys, values
