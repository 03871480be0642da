"""The learning rate as a pure function of the step."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from scaling.records.spec import PretrainSpec


def learning_rate(spec: PretrainSpec, step: int) -> float:
    """Return the learning rate of update ``step`` (0-based): warm-up, constant, 1 - sqrt decay.

    With warm-up w, decay start s and S steps in all (Haegele et al. 2024, arXiv:2405.18392, eq. 3):

        lr (step + 1) / w                          step < w
        lr                                         w <= step < s
        lr (1 - sqrt((step - s) / (S - s)))        s <= step < S
    """
    optim = spec.optim
    if spec.decay_start is not None and step >= spec.decay_start:
        through = (step - spec.decay_start) / (spec.steps - spec.decay_start)
        return optim.lr * (1 - math.sqrt(through))
    return optim.lr * min(1.0, (step + 1) / max(1, optim.warmup_steps))
