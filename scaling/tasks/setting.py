"""How a thinking budget is set: left free, asked for, forced, or cut short.

free        the problem alone
asked B     the budget's control character before the problem
forced B    what a budget gives the thinker (``Task.given``) stands in its place, the model writes the rest
cut N       after N tokens of thinking the answer mark is written: the negative control, which breaks what it measures
"""

from __future__ import annotations

from dataclasses import dataclass

from scaling.errors import InputError
from scaling.tasks.task import PAD, Task, Whole

METHODS = ("free", "asked", "forced", "cut")


@dataclass(frozen=True)
class Setting:
    """One way to budget thinking."""

    method: str
    """One of ``METHODS``."""
    budget: str | None
    """Name of the task's budget, or number of tokens after which thinking is cut; None for free."""

    def __str__(self) -> str:
        """As a spec writes it."""
        return self.method if self.budget is None else f"{self.method} {self.budget}"

    def prompts(self, task: Task, keys: Whole, difficulty: int) -> Whole:
        """Return the prompts, (P, L)."""
        return task.prompts(keys, difficulty, self.budget if self.method == "asked" else None)

    def tokens(self, task: Task, keys: Whole, difficulty: int) -> float | None:
        """Return the tokens that the budget means, on average: of a right completion, or up to the cut and the answer."""
        if self.budget is None:
            return None
        if self.method == "cut":
            answer = (task.answer_tokens(keys, difficulty) != PAD).sum(1).mean()
            return float(int(self.budget) + answer + 2)
        return float((task.traces(keys, difficulty, self.budget) != PAD).sum(1).mean())


def read(text: str, task: Task) -> Setting:
    """Return the setting that a spec writes; ``InputError`` for one that the task does not have."""
    method, _, budget = text.partition(" ")
    if method not in METHODS or (method == "free") == bool(budget):
        raise InputError(f"setting {text!r} is none; expected free, asked B, forced B or cut N")
    if method == "cut" and not (budget.isascii() and budget.isdecimal()):
        raise InputError(f"setting {text!r} needs a whole number of tokens, such as cut 20")
    if method in ("asked", "forced") and budget not in task.budgets:
        raise InputError(f"setting {text!r}: task {task.name} has budgets {', '.join(task.budgets)}")
    return Setting(method, budget or None)
