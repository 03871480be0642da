"""Diagnostics of a report that are tried, and why some have no answer."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from scaling.errors import FitError, InputError

if TYPE_CHECKING:
    from collections.abc import Callable

Found = TypeVar("Found")


class Tries:
    """Diagnostics that are tried; those that these rows do not have, with the reason."""

    def __init__(self) -> None:
        self.missing: dict[str, str] = {}
        """What is not there, and why."""

    def of(self, what: str, work: Callable[[], Found]) -> Found | None:
        """Do the work, or note in words why these rows have no answer: too few, one budget, no draws."""
        try:
            return work()
        except (InputError, FitError) as error:
            self.missing[what] = str(error)
            return None
