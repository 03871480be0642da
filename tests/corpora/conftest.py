"""Reading Santa Fe's tokens back, by the definition alone."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pytest

Array = npt.NDArray[np.int64]


class Sentences(NamedTuple):
    row: Array
    start: Array
    level: Array
    key: Array
    value: Array


@pytest.fixture(scope="session")
def read() -> Callable[[Array], Sentences]:
    """Whole sentences of rows of tokens: levels 0..40, digits 41..56, values 57..72."""

    def _read(rows: Array) -> Sentences:
        row, start = np.nonzero(rows < 41)
        level = rows[row, start]
        digits = (level + 3) // 4
        whole = start + 1 + digits < rows.shape[1]
        row, start, level, digits = row[whole], start[whole], level[whole], digits[whole]
        key = np.zeros_like(level)
        for digit in range(10):
            more = digits > digit
            key[more] = key[more] * 16 + rows[row[more], start[more] + 1 + digit] - 41
        return Sentences(row, start, level, key, rows[row, start + 1 + digits] - 57)

    return _read
