"""A Llama's weights laid out for sampling, and its forward pass over a static cache.

Shapes: B rows, Q new positions, C positions in the cache, D width, H heads of size E = D / H, V tokens.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch
import torch.nn.functional as F

from scaling.inference.cache import LEAST, Cache, room

if TYPE_CHECKING:
    from transformers import LlamaForCausalLM

    from scaling.inference.static import StaticStep
    from scaling.records.spec import ModelSpec


@dataclass(frozen=True)
class _Block:
    """The matrices of one block, the gains of the norm before each multiplied in."""

    query_key_value: torch.Tensor
    """(3 D, D); queries are scaled by E^-1/2, and the halves of a head that a rotation mixes stand side by side."""
    output: torch.Tensor
    gate_up: torch.Tensor
    """(2 F, D)."""
    down: torch.Tensor


class Weights:
    """The weights of a model at the time of the last ``refresh``, in the dtype that sampling is done in."""

    def __init__(self, model: LlamaForCausalLM, spec: ModelSpec, dtype: torch.dtype = torch.float32) -> None:
        self.model = model
        self.spec = spec
        self.dtype = dtype
        config = model.config
        self.heads, self.eps = config.num_attention_heads, config.rms_norm_eps
        self.size = config.hidden_size // self.heads
        inverse = model.model.rotary_emb.inv_freq.float()
        angle = torch.arange(config.max_position_embeddings, device=inverse.device)[:, None] * inverse
        self.turn = torch.polar(torch.ones_like(angle), angle)
        self.steps: dict[tuple[int | bool, ...], StaticStep] = {}
        """Steps that read these weights, by the shape of their cache."""
        self._held: list[torch.Tensor] = []
        self.refresh()

    @property
    def device(self) -> torch.device:
        """Where the weights are."""
        return self.embedding.device

    @torch.no_grad()
    def refresh(self) -> None:
        """Read the model's weights again."""
        found = [weight.detach().to(self.dtype, copy=True) for weight in self._laid_out()]
        if not self._held:
            self._held = found
            self.embedding, self.head, *matrices = found
            self.blocks = [_Block(*matrices[k : k + 4]) for k in range(0, len(matrices), 4)]
        for held, new in zip(self._held, found, strict=True):
            held.copy_(new)  # where they lie: a captured step goes on reading there

    def _laid_out(self) -> list[torch.Tensor]:
        """Return embedding, head, and the matrices of each block."""
        body = self.model.model
        found = [body.embed_tokens.weight, self.model.lm_head.weight * body.norm.weight]
        for block in body.layers:
            gate_up = torch.cat([block.mlp.gate_proj.weight, block.mlp.up_proj.weight])
            found += [
                self._query_key_value(block.self_attn) * block.input_layernorm.weight,
                block.self_attn.o_proj.weight,
                gate_up * block.post_attention_layernorm.weight,
                block.mlp.down_proj.weight,
            ]
        return found

    def _query_key_value(self, attention: Any) -> torch.Tensor:
        def beside(weight: torch.Tensor) -> torch.Tensor:
            """Rows i and i + E / 2 of each head as neighbours."""
            return weight.view(self.heads, 2, self.size // 2, -1).transpose(1, 2).reshape(weight.shape)

        query, key = beside(attention.q_proj.weight), beside(attention.k_proj.weight)
        return torch.cat([query * self.size**-0.5, key, attention.v_proj.weight])

    def cache(self, rows: int, positions: int) -> Cache:
        """Return an empty cache."""
        nothing = torch.zeros(0, self.heads, self.size, self.size, dtype=self.dtype, device=self.device)
        none = tuple(nothing for _ in self.blocks)
        return Cache(*room(Cache(none, none), rows, -(-positions // LEAST) * LEAST))

    def advance(
        self, tokens: torch.Tensor, cache: Cache, at: int, start: torch.Tensor | None
    ) -> torch.Tensor:
        """Read tokens (B, Q) at positions ``at`` and on, fill the cache, and return the last one's hidden state, (B, D).

        ``start`` (B,) is the first position of each row that holds one of its tokens; None: all begin at 0.
        """
        new = tokens.shape[1]
        place = torch.arange(at, at + new, device=self.device)
        span = max(at + new, LEAST)
        hide = None if new == 1 and start is None and span == at + 1 else self.hidden(place, span, start)
        return self.through(tokens, cache, place, slice(at, at + new), span, hide, start)

    def through(
        self, tokens: torch.Tensor, cache: Cache, place: torch.Tensor, slot: slice | torch.Tensor, span: int,
        hide: torch.Tensor | None, start: torch.Tensor | None,
    ) -> torch.Tensor:  # fmt: skip
        """Read tokens (B, Q) at positions ``place`` (Q,), which are ``slot`` of the cache, as ``advance`` does.

        Each attends to the cache's first ``span`` positions but those that ``hide`` says. With ``place`` and ``slot`` in a
        tensor and ``span`` fixed the work is the same whatever the position, as a CUDA graph needs it.
        """
        rows, new = tokens.shape
        held = (place if start is None else (place - start[:, None]).clamp(min=0)).view(-1, new)
        turn = self.turn[held][:, :, None]
        x = self.embedding[tokens]
        for block, keys, values in zip(self.blocks, cache.keys, cache.values, strict=True):
            mixed = F.linear(self._normed(x), block.query_key_value).view(
                rows, new, 3 * self.heads, self.size
            )
            turned = self._turned(mixed[:, :, : 2 * self.heads], turn)
            keys[..., slot] = turned[:, :, self.heads :].permute(0, 2, 3, 1)
            values[:, :, slot] = mixed[:, :, 2 * self.heads :].transpose(1, 2)
            seen = self._attended(turned[:, :, : self.heads].transpose(1, 2), keys, values, span, hide)
            x = x + F.linear(seen.transpose(1, 2).reshape(rows, new, -1), block.output)
            gate, up = F.linear(self._normed(x), block.gate_up).chunk(2, -1)
            x = x + F.linear(F.silu(gate) * up, block.down)
        return self._normed(x[:, -1])

    def logits(self, hidden: torch.Tensor) -> torch.Tensor:
        """Return the logits after hidden states (..., D), (..., V) in float32."""
        return F.linear(hidden, self.head).float()

    def hidden(self, place: torch.Tensor, span: int, start: torch.Tensor | None) -> torch.Tensor:
        """Return which of ``span`` positions each new one may not see, (B or 1, 1, Q, span).

        Padding sees itself: where nothing is seen a softmax is no number, and no weight of 0 takes that away.
        """
        every = torch.arange(span, device=self.device)
        later = (every > place[:, None])[None, None]
        if start is None:
            return later
        return later | ((every < start[:, None])[:, None, None] & (every != place[:, None]))

    def _normed(self, x: torch.Tensor) -> torch.Tensor:
        """Return RMSNorm without its gain, the mean square in float32."""
        return x * torch.rsqrt(x.float().square().mean(-1, keepdim=True).add_(self.eps)).to(self.dtype)

    def _turned(self, heads: torch.Tensor, turn: torch.Tensor) -> torch.Tensor:
        """Return heads (B, Q, 2 H, E) rotated by their positions."""
        pairs = torch.view_as_complex(heads.float().unflatten(-1, (-1, 2)))
        return torch.view_as_real(pairs * turn).flatten(-2).to(self.dtype)

    def _attended(
        self,
        query: torch.Tensor,
        keys: torch.Tensor,
        values: torch.Tensor,
        span: int,
        hide: torch.Tensor | None,
    ) -> torch.Tensor:
        """Return attention of queries (B, H, Q, E) over the cache's first positions, (B, H, Q, E)."""
        rows, heads, new, size = query.shape
        scores = torch.bmm(query.reshape(-1, new, size), keys.flatten(0, 1)[..., :span])
        if hide is not None:
            scores = scores.view(rows, heads, new, span).masked_fill_(hide, float("-inf")).view(-1, new, span)
        share = torch.softmax(scores, -1, dtype=torch.float32).to(self.dtype)
        return torch.bmm(share, values.flatten(0, 1)[:, :span]).view(rows, heads, new, size)
