"""Which rows of a table enter a fit, and why the others do not: used + excluded = read, always."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from scaling.errors import InputError
from scaling.laws import FLOPS_PER_PARAMETER_TOKEN, Law
from scaling.laws.base import Array
from scaling.records.cells import floats, leaving_out, shown

if TYPE_CHECKING:
    import pandas as pd

SMALLEST, LARGEST = 1e-30, 1e40
"""Numbers that can be meant, in any unit: powers of what lies beyond leave the range of a float."""
Excluded = tuple[tuple[Any, str], ...]

FINISHED = frozenset({"done", "finished", "completed", "complete", "success", "succeeded"})
"""Words of a column `status`, in any case, for a run that ended as planned; ours is done, the others trackers'."""


@dataclass(frozen=True)
class Rows:
    """The rows in use, their numbers as arrays, and the account of all rows."""

    frame: "pd.DataFrame"
    """All columns of the rows in use; the index is the row's label in the table."""
    inputs: dict[str, Array]
    """The law's inputs, each (n,), positive."""
    loss: Array
    """What the law predicts, as measured, (n,): a positive loss, or a score from 0 to 1."""
    weights: Array
    """How much each row counts, (n,), positive; 1 without a column of weights."""
    C: Array | None
    """Compute, (n,) [FLOP], where the table gives it or N and D give 6 N D."""
    sources: dict[str, str]
    """Where each input comes from: a column's name, or the formula it was derived by."""
    read: int
    """Rows in the table."""
    excluded: Excluded
    """(row, reason) of every row that is not used."""
    sha256: str
    """Hash of the file when the caller gave it, else of the numbers in use."""


def rows_of(
    law: type[Law],
    frame: "pd.DataFrame",
    *,
    excluded: Excluded = (),
    sha256: str | None = None,
    also: Sequence[str] = (),
    weights: str | None = None,
    zeros: bool = False,
) -> Rows:
    """The rows of `frame` that `law` can be fitted to; `excluded` names rows that were left out before.

    Needs the law's inputs and its target (`loss`, or `score`), and the column of `weights` where one is named; D, C
    (or N) that is missing follows from C = 6 N D. A row is left out when its status is not one of FINISHED, or its
    target, an input, its weight, or one of the columns `also` (where the table has them) is missing, infinite, not
    positive, or beyond SMALLEST to LARGEST; with `zeros` a score of 0 stays.
    Raises InputError for a column that is missing, holds text or shares its name, and for a score above 1.
    """
    if not frame.columns.is_unique:
        name = frame.columns[frame.columns.duplicated()][0]
        raise InputError(
            f"{(frame.columns == name).sum()} columns are called {shown(name)}; rename or drop all but one"
        )
    columns, sources = _columns(law, frame)
    also = also if weights is None else (*also, weights)
    if weights is not None and weights not in frame.columns:
        raise InputError(f"no column is called {weights} ({_found(frame)}); name the column of weights")
    others = {
        name: number_column(frame, name) for name in also if name in frame.columns and name not in columns
    }
    reasons = np.full(len(frame), "", dtype=object)
    for name, values in (columns | others).items():
        _mark(reasons, np.isnan(values), f"{name} is missing")
        _mark(reasons, np.isinf(values), f"{name} is infinite")
        if zeros and name == "score" == law.target:
            _mark(reasons, values < 0, "score is negative")
            values = np.where(values == 0, 1.0, values)
        _mark(reasons, values <= 0, f"{name} is not positive")
        _mark(
            reasons, (values < SMALLEST) | (values > LARGEST), f"{name} is beyond {SMALLEST:g} to {LARGEST:g}"
        )
    if "status" in frame.columns:
        status = (
            frame["status"].astype(object).where(frame["status"].notna(), "missing").astype(str).to_numpy()
        )
        for name in sorted(set(status.tolist())):
            if name.strip().casefold() not in FINISHED:
                reasons[status == name] = f"status is {name}"
    used = reasons == ""
    left_out = tuple(
        (row, reason) for row, reason in zip(_labels(frame), reasons.tolist(), strict=True) if reason
    )
    numbers = {name: values[used] for name, values in columns.items()}
    loss = numbers.pop(law.target)
    table = np.column_stack([*numbers.values(), loss])
    kept = frame.loc[used]
    return Rows(
        frame=kept,
        inputs=numbers,
        loss=loss,
        weights=np.ones(len(loss)) if weights is None else number_column(frame, weights)[used],
        C=_compute(kept, numbers),
        sources=sources,
        read=len(frame) + len(excluded),
        excluded=tuple(excluded) + left_out,
        sha256=sha256 or hashlib.sha256(np.ascontiguousarray(table).tobytes()).hexdigest(),
    )


def number_column(frame: "pd.DataFrame", name: str) -> Array:
    """A column as floats, missing as NaN; InputError names the first cell that is not a number."""
    column = frame[name]
    if column.dtype == np.float64:
        return column.to_numpy()
    values = floats(column)
    text = values.isna() & column.notna()
    if text.any():
        where = int(text.to_numpy().argmax())
        cell = str(column.iloc[where])
        raise InputError(
            f"column {name}, row {column.index[where]}: {cell[:40]!r} is not a number; correct the cell, or leave "
            f"the row out{leaving_out(name, cell)}"
        )
    return values.to_numpy(dtype=np.float64, na_value=np.nan)


def _columns(law: type[Law], frame: "pd.DataFrame") -> tuple[dict[str, Array], dict[str, str]]:
    """The law's inputs and the loss as floats, and where each input comes from."""
    columns, sources = {}, {}
    known = {name: number_column(frame, name) for name in ("N", "D", "C") if name in frame.columns}
    for name in law.inputs:
        if name in frame.columns:
            columns[name] = known[name] if name in known else number_column(frame, name)
            sources[name] = name
        elif name == "x":
            columns[name], sources[name] = _only_one(law, known)
        else:
            columns[name], sources[name] = _derived(law, name, known, frame)
    target = law.target
    if target not in frame.columns:
        raise InputError(
            f"no column is called {target} ({_found(frame)}); name one with --map {target}=COLUMN"
        )
    columns[target] = number_column(frame, target)
    if target == "score" and np.nanmax(columns[target], initial=0.0) > 1:
        raise InputError(
            f"column score reaches {np.nanmax(columns[target]):g}, expected shares from 0 to 1; per cents need "
            "--map score=COLUMN/100"
        )
    return columns, sources


def _only_one(law: type[Law], known: dict[str, Array]) -> tuple[Array, str]:
    if len(known) != 1:
        raise InputError(
            f"{law.name} takes one input x, and the table gives {' and '.join(known) or 'none of N, D, C'}; "
            "choose it with --map x=N (or D, C, any column)"
        )
    name = next(iter(known))
    return known[name], name


def _derived(law: type[Law], name: str, known: dict[str, Array], frame: "pd.DataFrame") -> tuple[Array, str]:
    others = [other for other in ("N", "D", "C") if other != name]
    if name not in ("N", "D", "C") or not all(other in known for other in others):
        raise InputError(
            f"{law.name} needs {', '.join(law.inputs)} and {law.target}, and no column is called {name} "
            f"({_found(frame)}); name one with --map {name}=COLUMN"
        )
    with np.errstate(all="ignore"):
        if name == "C":
            return FLOPS_PER_PARAMETER_TOKEN * known["N"] * known["D"], "6 N D"
        other = others[0]
        return known["C"] / (FLOPS_PER_PARAMETER_TOKEN * known[other]), f"C / (6 {other})"


def _compute(frame: "pd.DataFrame", inputs: dict[str, Array]) -> Array | None:
    """Compute of the rows in use, from C or from 6 N D."""
    if "C" in inputs:
        return inputs["C"]
    if "C" in frame.columns:
        return number_column(frame, "C")
    if "N" in inputs and "D" in inputs:
        return FLOPS_PER_PARAMETER_TOKEN * inputs["N"] * inputs["D"]
    return None


def _mark(reasons: np.ndarray, bad: np.ndarray, reason: str) -> None:
    """Give a reason to the bad rows that have none yet."""
    reasons[bad & (reasons == "")] = reason


def _labels(frame: "pd.DataFrame") -> Sequence[Any]:
    labels: Sequence[Any] = frame.index.tolist()
    return labels


def _found(frame: "pd.DataFrame") -> str:
    names = [shown(name) for name in frame.columns]
    more = f" and {len(names) - 12} more" if len(names) > 12 else ""
    return "the table has " + (", ".join(names[:12]) + more or "no columns")
