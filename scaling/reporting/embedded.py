"""Interactive pictures in a page: data as JSON that cannot break out of its element, each script text once."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from scaling.errors import InputError

if TYPE_CHECKING:
    from scaling.reporting.document import Interactive

_LEAVES_SCRIPT = re.compile(r"</script|<!--|<script", re.IGNORECASE)
"""What would end a script element early, or change how the rest of it is read."""


@dataclass(frozen=True)
class Embedded:
    """An interactive picture with its number in the report and the number of its script."""

    number: int
    item: Interactive
    script: int

    def data(self) -> str:
        """The data for the page: no `<` is left in it, so nothing there can be taken for a tag."""
        return self.file().strip().replace("<", "\\u003c")

    def file(self) -> str:
        """The data as a file of its own, without blanks: it may hold many draws."""
        blank_free = (",", ":")
        return (
            json.dumps(
                plain(self.item.data),
                sort_keys=True,
                separators=blank_free,
                allow_nan=False,
                ensure_ascii=False,
            )
            + "\n"
        )


def embedded(items: Sequence[Interactive]) -> list[Embedded]:
    """Number a report's interactive pictures, and their scripts in order of appearance.

    Raises:
        InputError: a script holds a tag that would end it.
    """
    for item in items:
        if found := _LEAVES_SCRIPT.search(item.script):
            raise InputError(
                f"the script of {item.name!r} holds {found[0]!r}, which ends it in a page: write '<\\/script'"
            )
    texts = scripts(items)
    return [Embedded(number, item, texts.index(item.script) + 1) for number, item in enumerate(items, 1)]


def scripts(items: Sequence[Interactive]) -> list[str]:
    """The distinct script texts in order of appearance."""
    return list(dict.fromkeys(item.script for item in items))


def plain(value: Any) -> Any:
    """Nested Python values that JSON has; numpy's become Python's, numbers that are not finite None."""
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [plain(item) for item in value]
    if hasattr(value, "tolist"):  # numpy's arrays and scalars
        return plain(value.tolist())
    return None if isinstance(value, float) and not math.isfinite(value) else value
