"""What is written into completions in place of the model, where a setting forces a budget or cuts thinking short."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from scaling.tasks import FREE, Task, encoded
from scaling.tasks.task import ANSWER, Whole

if TYPE_CHECKING:
    from scaling.inference.decode import Force
    from scaling.tasks.setting import Setting

MARK = int(encoded(ANSWER)[0])


def forced(
    setting: Setting, task: Task, keys: Whole, difficulty: int, group: int, device: torch.device
) -> Force | None:
    """Return what is forced on the completions of each of the problems, ``group`` of each."""
    if setting.method == "forced":
        assert setting.budget is not None
        given = torch.from_numpy(task.given(keys, difficulty, setting.budget).repeat(group, axis=0)).to(
            device
        )

        def given_at(at: int, rows: torch.Tensor, tokens: torch.Tensor) -> torch.Tensor | None:
            del tokens
            return given[rows, at] if at < given.shape[1] else None

        return given_at
    if setting.method == "cut":
        assert setting.budget is not None
        last = int(setting.budget)

        def cut(at: int, rows: torch.Tensor, tokens: torch.Tensor) -> torch.Tensor | None:
            del rows
            if at != last:
                return None
            answered = (tokens == MARK).any(1)
            return torch.where(answered, FREE, MARK)

        return cut
    return None
