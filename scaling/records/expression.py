"""Expressions over columns, for ``--map`` and ``--where``: arithmetic and comparisons, never code.

An expression is parsed, each node is checked against a short list, and the rest is refused; nothing is handed to
Python's own evaluation. Cells are looked at only in the rows whose answer is still open.
"""

from __future__ import annotations

import ast
import operator
import re
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from scaling.errors import InputError
from scaling.records.cells import (
    MISSING,
    holds_numbers,
    missing,
    number,
    shown,
    texts,
    told_apart,
    truth,
    truths,
)
from scaling.records.quoting import with_stand_ins

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

_ARITHMETIC: dict[type[ast.operator], Callable[[Any, Any], Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.Pow: operator.pow,
}
_COMPARISON: dict[type[ast.cmpop], Callable[[Any, Any], Any]] = {
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
}
_TURNED: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Lt: ast.Gt,
    ast.LtE: ast.GtE,
    ast.Gt: ast.Lt,
    ast.GtE: ast.LtE,
}
_FUNCTIONS: dict[str, Callable[[Any], Any]] = {"log": np.log, "exp": np.exp}
_ALLOWED = "numbers, column names, + - * / **, log(), exp()"
_ALLOWED_CONDITION = f"{_ALLOWED}, comparisons, quoted text, and, or, not"


@dataclass(frozen=True)
class Columns:
    """Columns by name; mapped ones are computed where they are asked for, and hide original ones."""

    frame: pd.DataFrame
    """Original columns."""
    mapped: Mapping[str, str] = field(default_factory=dict)
    """Names to a column's exact name, or to an arithmetic expression over original columns."""
    rows: NDArray[np.intp] | None = None
    """Positions of the rows that are looked at; None for all."""

    @property
    def names(self) -> list[str]:
        """Names of all columns."""
        return list(dict.fromkeys([*self.frame.columns, *self.mapped]))

    @property
    def index(self) -> pd.Index:
        """Labels of the rows that are looked at."""
        return self.frame.index if self.rows is None else self.frame.index[self.rows]

    def whole(self, name: str) -> pd.Series | None:
        """Return a column over all rows, or None for one that is computed."""
        source = self.mapped.get(name, name)
        return self.frame.get(source)

    def __getitem__(self, name: str) -> pd.Series:
        found = self.whole(name)
        if found is None:
            return value(self.mapped[name], self.frame, self.rows)
        return found if self.rows is None else found.iloc[self.rows]

    def at(self, positions: NDArray[np.intp]) -> Columns:
        """Return the columns in some of the rows that are looked at."""
        return replace(self, rows=positions if self.rows is None else self.rows[positions])


def value(text: str, frame: pd.DataFrame, rows: NDArray[np.intp] | None = None) -> pd.Series:
    """Return the value of an arithmetic expression over numeric columns, a number a row.

    Names stand in backticks (bare names also pass where they are Python identifiers); ``+ - * / ** log exp`` are
    known. Raises ``InputError`` for anything else, and for a column that is not there or holds text.
    """
    import pandas as pd

    columns = Columns(frame, rows=rows)
    found = _Evaluator(text, conditions=False).result(columns)
    return pd.Series(found, index=columns.index, dtype=float, name=text)


def condition(text: str, columns: Columns) -> NDArray[np.bool_]:
    """Return the truth of a condition per row: what ``value`` knows, and comparisons, text, and, or, not.

    A comparison with a missing cell is false, and ``!=`` true; a column of true/false is a condition by itself, its
    missing cells false. Text is compared with the cells as they are written, without surrounding spaces. What
    follows ``and`` looks only at rows that are still true, what follows ``or`` at those that are not.
    """
    evaluator = _Evaluator(text, conditions=True)
    found: NDArray[np.bool_] = evaluator.result(columns)
    if not evaluator.named:
        raise InputError(f'--where {text!r} names no column; give a condition such as "loss < 4"')
    return found


class _Evaluator:
    def __init__(self, text: str, conditions: bool) -> None:
        self.text, self.conditions = text, conditions
        self.quoted: dict[str, str] = {}
        self.named = False

    def result(self, columns: Columns) -> Any:
        try:
            code, self.quoted = with_stand_ins(self.text)
        except ValueError as error:
            raise self.refuse(str(error)) from error
        try:
            with warnings.catch_warnings(), np.errstate(all="ignore"):
                warnings.simplefilter("ignore")  # Python's own, of odd escapes in quoted text
                tree = ast.parse(code, mode="eval").body
                return self.truth(tree, columns) if self.conditions else self.node(tree, columns)
        except InputError:
            raise
        except (SyntaxError, ValueError, RecursionError, MemoryError, TypeError) as error:
            single = self.conditions and re.search(r"(?<![=<>!])=(?!=)", code)
            raise self.refuse("has a single =, equality is ==" if single else "cannot be read") from error

    def refuse(self, why: str) -> InputError:
        allowed = _ALLOWED_CONDITION if self.conditions else _ALLOWED
        return InputError(
            f"expression {self.text[:80]!r} {why}; allowed are {allowed}, odd column names in `backticks`"
        )

    def written(self, node: ast.expr) -> str:
        """A part of the expression as the user wrote it."""
        text = ast.unparse(node)
        for name, quoted in self.quoted.items():
            text = text.replace(name, f"`{quoted}`")
        return repr(text[:40])

    def node(self, node: ast.expr, columns: Columns) -> Any:
        match node:
            case ast.Constant(value=bool()):
                raise self.refuse("holds true/false")
            case ast.Constant(value=int() | float() as constant):
                return self.constant(constant)
            case ast.Name(id=name):
                return number(self.column(name, columns)).to_numpy()
            case ast.BinOp(left=left, op=op, right=right) if type(op) in _ARITHMETIC:
                return _ARITHMETIC[type(op)](self.node(left, columns), self.node(right, columns))
            case ast.UnaryOp(op=ast.USub(), operand=operand):
                return -self.node(operand, columns)
            case ast.Call(func=ast.Name(id=name), args=[argument], keywords=[]) if name in _FUNCTIONS:
                return _FUNCTIONS[name](self.node(argument, columns))
            case ast.Constant(value=str()) if self.conditions:
                raise self.refuse("does arithmetic on text")
        raise self.refuse(f"holds {self.written(node)}")

    def constant(self, constant: float) -> np.float64:
        try:
            return np.float64(constant)
        except OverflowError as error:
            raise self.refuse(f"holds a whole number of {len(str(constant))} digits, beyond 1e308") from error

    def column(self, name: str, columns: Columns) -> pd.Series:
        self.named, name = True, self.quoted.get(name, name)
        names = columns.names
        if name in names:
            return columns[name].rename(name)
        more = f" and {len(names) - 12} more" if len(names) > 12 else ""
        known = ", ".join(map(shown, names[:12])) + more
        raise InputError(f"expression {self.text[:80]!r}: no column {shown(name)!r}; the table has {known}")

    def truth(self, node: ast.expr, columns: Columns) -> NDArray[np.bool_]:
        """Whether each row obeys a condition."""
        match node:
            case ast.BoolOp(op=join, values=parts):
                found = np.full(len(columns.index), isinstance(join, ast.And))
                for part in parts:
                    still = np.flatnonzero(found == isinstance(join, ast.And))  # the others are decided
                    found[still] = self.truth(part, columns.at(still))
                return found
            case ast.UnaryOp(op=ast.Not(), operand=operand):
                return ~self.truth(operand, columns)
            case ast.Compare(left=left, ops=ops, comparators=rights):
                found = np.ones(len(columns.index), dtype=bool)
                for op, right in zip(ops, rights, strict=True):
                    found &= self.compared(left, op, right, columns)
                    left = right
                return found
            case ast.Name(id=name):
                cells = self.column(name, columns)
                if not holds_numbers(cells) and (said := truths(cells)) is not None:
                    return said
        raise self.refuse(f"takes {self.written(node)} for a condition")

    def compared(self, left: ast.expr, op: ast.cmpop, right: ast.expr, columns: Columns) -> NDArray[np.bool_]:
        """Whether each row obeys one comparison; text and true/false are compared with columns only."""
        if type(op) not in _COMPARISON:
            raise self.refuse(f"holds {self.written(ast.Compare(left, [op], [right]))}")
        left, right = self.spelled(left, columns), self.spelled(right, columns)
        for side, other, kind in ((left, right, type(op)), (right, left, _TURNED.get(type(op), type(op)))):
            if isinstance(other, ast.Constant) and isinstance(other.value, str | bool):
                if not isinstance(side, ast.Name):
                    raise self.refuse(
                        f"compares {self.written(side)} with {other.value!r}, which takes a column"
                    )
                cells = self.column(side.id, columns)
                said = truth(other.value)
                if isinstance(other.value, bool) or (said is not None and truths(cells) is not None):
                    return self.with_truth(cells, kind, bool(said))
                return self.with_text(cells, columns.whole(str(cells.name)), kind, other.value)
        sides = self.whole(left, right, columns) or [self.node(left, columns), self.node(right, columns)]
        found: NDArray[np.bool_] = _COMPARISON[type(op)](*sides)
        return found

    def whole(self, left: ast.expr, right: ast.expr, columns: Columns) -> list[Any] | None:
        """Both sides as exact whole numbers, where floats would not tell them apart."""
        sides: list[pd.Series | int] = []
        for node in (left, right):
            if isinstance(node, ast.Name):
                sides.append(self.column(node.id, columns))
            elif isinstance(node, ast.Constant) and isinstance(node.value, int):
                self.constant(node.value)
                sides.append(node.value)
        return told_apart(*sides) if len(sides) == 2 else None

    def spelled(self, node: ast.expr, columns: Columns) -> ast.expr:
        """A bare true or false in any case is the constant, unless a column has that name."""
        if isinstance(node, ast.Name) and node.id not in self.quoted and node.id not in columns.names:
            said = truth(node.id)
            return node if said is None else ast.Constant(said)
        return node

    def with_truth(self, cells: pd.Series, kind: type[ast.cmpop], constant: bool) -> NDArray[np.bool_]:
        said = truths(cells)
        if said is None or kind not in (ast.Eq, ast.NotEq):
            raise InputError(
                f"expression {self.text[:80]!r}: column {shown(cells.name)!r} is compared with {constant}; expected "
                "== or != and a column of true/false; write text in quotes, numbers without"
            )
        equal: NDArray[np.bool_] = (said == constant) & ~missing(cells)
        return equal if kind is ast.Eq else ~equal

    def with_text(
        self, cells: pd.Series, whole: pd.Series | None, kind: type[ast.cmpop], constant: str
    ) -> NDArray[np.bool_]:
        constant = constant.strip()
        if whole is None or (holds_numbers(whole) and constant.casefold() not in MISSING):
            raise InputError(
                f"column {shown(cells.name)!r} is compared with the text {constant!r}; write numbers without quotes"
            )
        written = texts(cells)
        found = np.full(len(cells), kind is ast.NotEq)
        there = np.array([text is not None for text in written.tolist()], dtype=bool)
        found[there] = _COMPARISON[kind](written[there], constant)
        return found
