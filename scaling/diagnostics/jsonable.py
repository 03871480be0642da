"""Tables as lists of plain objects for JSON."""

import math
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd


def objects(frame: "pd.DataFrame") -> list[dict[str, Any]]:
    """One object a row; numbers that are not finite become null, numpy's become Python's, labels stay or become text."""
    names = [str(name) for name in frame.columns]
    return [
        dict(zip(names, map(plain, row), strict=True)) for row in frame.itertuples(index=False, name=None)
    ]


def plain(cell: Any) -> Any:
    """A cell as JSON knows it."""
    cell = cell.item() if hasattr(cell, "item") else cell
    if cell is None or isinstance(cell, str | bool | int):
        return cell
    if isinstance(cell, float):
        return cell if math.isfinite(cell) else None
    return str(cell)
