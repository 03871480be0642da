"""The LightningModule: one optimiser step per index, from data that depends on the index alone.

Shapes: R sequences of a batch, T positions, V token values.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import lightning
import numpy as np
import numpy.typing as npt
import torch
import torch.nn.functional as F
from lightning.pytorch.core.optimizer import LightningOptimizer

from scaling.records.cost import DEVICES
from scaling.training.model import build, parameter_groups
from scaling.training.schedule import learning_rate

if TYPE_CHECKING:
    from transformers import LlamaForCausalLM

    from scaling.corpora import Ready
    from scaling.records.spec import PretrainSpec


IGNORED = -100
"""Target that enters no loss."""


@dataclass(frozen=True)
class Step:
    """What one optimiser step leaves: tensors stay on the device until somebody reads them."""

    index: int
    """Optimiser steps taken, this one included."""
    loss: torch.Tensor
    """Mean training loss of the batch in nats a token."""
    grad_norm: torch.Tensor
    """Global gradient norm before the clip."""
    lr: float
    """Learning rate of the step."""


class Stage(lightning.LightningModule):
    """What the stages of training share: a model, one optimiser by hand, and a state that a resume needs."""

    model: LlamaForCausalLM

    @property
    def optimizer(self) -> LightningOptimizer:
        """The one optimiser, as Lightning wraps it."""
        optimizer = self.optimizers()
        assert isinstance(optimizer, LightningOptimizer)
        return optimizer

    def backward_of(self, loss: torch.Tensor) -> None:
        """Accumulate gradients: by the trainer, which may scale them, where there is one."""
        if self._trainer is None:
            loss.backward()
        else:
            self.manual_backward(loss)

    def more_state(self) -> dict[str, Any]:
        """What a resume needs beyond weights, optimiser and generator."""
        return {}

    def restore_more(self, saved: dict[str, Any]) -> None:
        """Put back what ``more_state`` returned."""


class PretrainModule(Stage):
    """Next-token pretraining of one spec, with manual optimisation."""

    def __init__(self, spec: PretrainSpec, corpus: Ready, on_step: Callable[[Step], None]) -> None:
        super().__init__()
        self.automatic_optimization = False
        self.spec = spec
        self.corpus = corpus
        self.on_step = on_step
        self.model = build(spec.model, spec.seed)

    def configure_optimizers(self) -> torch.optim.Optimizer:
        """Return fused AdamW over the model's parameter groups."""
        optim = self.spec.optim
        return torch.optim.AdamW(
            parameter_groups(self.model, optim.weight_decay),
            lr=optim.lr,
            betas=(optim.beta1, optim.beta2),
            fused=True,
        )

    def training_step(self, step: int) -> None:
        """Take update ``step`` (0-based): gradients of the whole batch, clip, AdamW."""
        optim, context = self.spec.optim, self.spec.model.context
        optimizer = self.optimizer
        rate = learning_rate(self.spec, step)
        for group in optimizer.param_groups:
            group["lr"] = rate
        rows = optim.batch_tokens // context // self.trainer.world_size
        tokens_RT = self.corpus.batch(
            self.spec.seed, step, rows, context, self.global_rank, self.trainer.world_size
        )
        batch_RT = torch.from_numpy(tokens_RT).to(self.device, non_blocking=True)
        loss = self.gradients(batch_RT, targets(self.corpus, tokens_RT).to(self.device, non_blocking=True))
        norm = torch.nn.utils.clip_grad_norm_(self.parameters(), optim.clip_norm)
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
        self.on_step(Step(step + 1, loss, norm, rate))

    def gradients(self, batch_RT: torch.Tensor, target_RT: torch.Tensor) -> torch.Tensor:
        """Accumulate the gradients of the mean loss over the batch's learned targets and return that loss."""
        micro = max(1, DEVICES[self.device.type].micro_tokens // self.spec.model.context)
        count = (target_RT != IGNORED).sum()
        total = torch.zeros((), device=self.device)
        for part_RT, wanted_RT in zip(batch_RT.split(micro), target_RT.split(micro), strict=True):
            logits_RTV = self.model(input_ids=part_RT[:, :-1], use_cache=False).logits.float()
            loss = F.cross_entropy(logits_RTV.flatten(0, 1), wanted_RT.flatten(), reduction="sum")
            share = loss / count
            self.manual_backward(share)
            total += share.detach()
        return total


def targets(corpus: Ready, tokens_RT: npt.NDArray[np.int64]) -> torch.Tensor:
    """Return the next tokens of rows [R, T + 1], ``IGNORED`` where the corpus does not learn them, [R, T]."""
    return torch.from_numpy(np.where(corpus.learned(tokens_RT), tokens_RT[:, 1:], IGNORED))
