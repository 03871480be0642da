"""One step of decoding as the same work at every position, which a CUDA graph replays.

Launching the parts of a small model costs more than their arithmetic; a graph launches all of them at once. Shapes: B rows.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from scaling.inference.cache import Cache

if TYPE_CHECKING:
    from scaling.inference.weights import Weights

WARM_UPS = 3
"""Steps before the capture, in which libraries choose their kernels and take their memory."""


def static_step(weights: Weights, cache: Cache, start: torch.Tensor | None, first: int) -> StaticStep:
    """Return a step for a cache's shape, with its content and ``start``; made once for each shape of a model.

    ``first`` is the position that is read first. The first cache of a shape becomes the step's own; others are copied in.
    """
    shape = (*cache.keys[0].shape, start is None)
    known = weights.steps.get(shape)
    if known is None:
        known = weights.steps[shape] = StaticStep(weights, cache, start, first)
    else:
        known.load(cache, start)
    return known


class StaticStep:
    """Reads one token of each row over a whole cache; on a CUDA device captured, elsewhere as it is.

    It does not hold the weights, which hold it: a ring would keep both on the device until a collection.
    """

    def __init__(self, weights: Weights, cache: Cache, start: torch.Tensor | None, first: int) -> None:
        """Warming up writes at position ``first``, and so does the first step after ``load``."""
        self.cache, self.start = cache, start
        rows = cache.keys[0].shape[0]
        self.token = torch.zeros(rows, 1, dtype=torch.int64, device=weights.device)
        self.place = torch.full((1,), first, dtype=torch.int64, device=weights.device)
        self.graph: torch.cuda.CUDAGraph | None = None
        if weights.device.type == "cuda":
            self._capture(weights)

    def load(self, cache: Cache, start: torch.Tensor | None) -> None:
        """Copy what was read so far into the step's own cache."""
        for mine, given in zip(
            (*self.cache.keys, *self.cache.values), (*cache.keys, *cache.values), strict=True
        ):
            mine.copy_(given)
        if self.start is not None and start is not None:
            self.start.copy_(start)

    def __call__(self, weights: Weights, token: torch.Tensor, at: int) -> torch.Tensor:
        """Read tokens (B,) at a position and return the logits after them, (B, V)."""
        self.token.copy_(token[:, None])
        self.place.fill_(at)
        if self.graph is None:
            return self._read(weights)
        self.graph.replay()
        return self.logits

    def _read(self, weights: Weights) -> torch.Tensor:
        span = self.cache.positions
        hide = weights.hidden(self.place, span, self.start)
        hidden = weights.through(self.token, self.cache, self.place, self.place, span, hide, self.start)
        return weights.logits(hidden)

    def _capture(self, weights: Weights) -> None:
        aside = torch.cuda.Stream()
        aside.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(aside):
            for _ in range(WARM_UPS):
                self._read(weights)
        torch.cuda.current_stream().wait_stream(aside)
        self.graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(self.graph):
            self.logits = self._read(weights)
