"""SHELF: one file = one family of verifiable problems. To add one: its file and its place in `ALL`; one suite tests all."""

from scaling.errors import InputError
from scaling.tasks.arithmetic import Addition, Multiplication
from scaling.tasks.countdown import Countdown
from scaling.tasks.star import StarPath
from scaling.tasks.task import FREE, PAD, VOCABULARY, Task, decoded, encoded, terminal_answer, texts
from scaling.tasks.words import A4_Z5, A5, S5, Z60

ALL: tuple[Task, ...] = (S5, A5, A4_Z5, Z60, Addition(), Multiplication(), StarPath(), Countdown())
"""Every task on the shelf."""

__all__ = [
    "ALL",
    "FREE",
    "PAD",
    "VOCABULARY",
    "Task",
    "decoded",
    "encoded",
    "find",
    "terminal_answer",
    "texts",
]


def find(name: str, version: int | None = None) -> Task:
    """The task called `name`; InputError naming the known ones, or for another version than the one asked for."""
    for task in ALL:
        if task.name == name:
            if version not in (None, task.version):
                raise InputError(
                    f"task {name} is at version {task.version}, the spec asks for {version}; plan anew"
                )
            return task
    raise InputError(f"no task {name!r}; known: {', '.join(task.name for task in ALL)}")
