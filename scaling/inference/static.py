"""One step of decoding as the same work at every position, which a CUDA graph replays.

Launching the parts of a small model costs more than their arithmetic; a graph launches all of them at once. Shapes: B rows.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

if TYPE_CHECKING:
    from scaling.inference.weights import Cache, Weights

WARM_UPS = 3
"""Steps before the capture, in which libraries choose their kernels and take their memory."""


class StaticStep:
    """Reads one token of each row over a whole cache; on a CUDA device captured, elsewhere as it is."""

    def __init__(self, weights: Weights, cache: Cache, start: torch.Tensor | None, first: int) -> None:
        """``first`` is the position that is read first: warming up writes there, and the first step writes over it."""
        self.weights, self.cache, self.start = weights, cache, start
        rows = cache.keys[0].shape[0]
        self.token = torch.zeros(rows, 1, dtype=torch.int64, device=weights.device)
        self.place = torch.full((1,), first, dtype=torch.int64, device=weights.device)
        self.graph: torch.cuda.CUDAGraph | None = None
        if weights.device.type == "cuda":
            self._capture()

    def __call__(self, token: torch.Tensor, at: int) -> torch.Tensor:
        """Read tokens (B,) at a position and return the logits after them, (B, V)."""
        self.token.copy_(token[:, None])
        self.place.fill_(at)
        if self.graph is None:
            return self._read()
        self.graph.replay()
        return self.logits

    def _read(self) -> torch.Tensor:
        span = self.cache.positions
        hide = self.weights.hidden(self.place, span, self.start)
        hidden = self.weights.through(self.token, self.cache, self.place, self.place, span, hide, self.start)
        return self.weights.logits(hidden)

    def _capture(self) -> None:
        aside = torch.cuda.Stream()
        aside.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(aside):
            for _ in range(WARM_UPS):
                self._read()
        torch.cuda.current_stream().wait_stream(aside)
        self.graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(self.graph):
            self.logits = self._read()
