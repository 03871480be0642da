"""Expressions over columns, for ``--map`` and ``--where``: arithmetic and comparisons, never code.

An expression is parsed, each node is checked against a short list, and the rest is refused; nothing is handed to
Python's own evaluation.
"""

from __future__ import annotations

import ast
import math
import operator
import re
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from scaling.errors import InputError

if TYPE_CHECKING:
    import pandas as pd

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
_FUNCTIONS: dict[str, Callable[[Any], Any]] = {"log": np.log, "exp": np.exp}
_ALLOWED = "numbers, column names, + - * / **, log(), exp()"
_ALLOWED_CONDITION = f"{_ALLOWED}, comparisons, quoted text, and, or, not"


def value(text: str, columns: Mapping[str, pd.Series]) -> Any:
    """Return the value of an arithmetic expression over numeric columns.

    Names stand in backticks (bare names also pass where they are Python identifiers); ``+ - * / ** log exp`` are
    known. Raises ``InputError`` for anything else, and for a column that is not there or holds text.
    """
    return _Evaluator(text, columns, conditions=False).result()


def condition(text: str, columns: Mapping[str, pd.Series]) -> Any:
    """Return the truth of a condition per row: what ``value`` knows, and comparisons, text, and, or, not.

    A comparison with a missing cell is false, and ``!=`` true; a column of true/false is a condition by itself.
    """
    return _Evaluator(text, columns, conditions=True).result()


def number(series: pd.Series) -> pd.Series:
    """Return a column as floats; ``InputError`` names the first cell that holds text."""
    import pandas as pd

    if pd.api.types.is_bool_dtype(series):
        raise InputError(f"column {series.name!r} holds true/false, expected numbers; map another column")
    numbers = floats(series)
    wrong = (numbers.isna() & series.notna()).to_numpy()
    if wrong.any():
        where = int(wrong.argmax())
        raise InputError(
            f"column {series.name!r}, row {series.index[where]}: {str(series.iloc[where])[:40]!r} is no number; "
            "correct the cell, drop the row with --where, or map another column"
        )
    return numbers


def floats(series: pd.Series) -> pd.Series:
    """Return a column as floats: NaN for text and dates, infinite for digits beyond what a float holds."""
    import pandas as pd

    if pd.api.types.is_datetime64_any_dtype(series) or pd.api.types.is_timedelta64_dtype(series):
        return pd.Series(math.nan, index=series.index, name=series.name)
    try:
        return pd.to_numeric(series, errors="coerce").astype(float)
    except (OverflowError, TypeError):  # whole numbers of hundreds of digits; nested cells
        return series.map(_as_float).astype(float)


def _as_float(cell: object) -> float:
    try:
        return float(cell)  # type: ignore[arg-type]  # anything may stand in a cell: what is no number raises
    except OverflowError:
        return math.inf
    except (TypeError, ValueError):
        return math.nan


def _holds_numbers(series: pd.Series) -> bool:
    import pandas as pd

    numeric = pd.api.types.is_numeric_dtype(series) and not pd.api.types.is_bool_dtype(series)
    return numeric and bool(series.notna().any())


class _Evaluator:
    def __init__(self, text: str, columns: Mapping[str, pd.Series], conditions: bool) -> None:
        self.text, self.columns, self.conditions = text, columns, conditions
        self.quoted: dict[str, str] = {}

    def result(self) -> Any:
        def keep(match: re.Match[str]) -> str:
            name = f"column_in_backticks_{len(self.quoted)}"
            self.quoted[name] = match[1]
            return name

        code = re.sub(r"`([^`]*)`", keep, self.text)
        try:
            tree = ast.parse(code.strip(), mode="eval").body
            with np.errstate(all="ignore"):
                return self.truth(tree) if self.conditions else self.node(tree)
        except (SyntaxError, ValueError, RecursionError, MemoryError, TypeError) as error:
            if isinstance(error, InputError):
                raise
            single = self.conditions and re.search(r"(?<![=<>!])=(?!=)", code)
            why = "has a single =, equality is ==" if single else "cannot be read"
            raise self.refuse(why) from error

    def refuse(self, why: str) -> InputError:
        allowed = _ALLOWED_CONDITION if self.conditions else _ALLOWED
        return InputError(
            f"expression {self.text[:80]!r} {why}; allowed are {allowed}, odd column names in `backticks`"
        )

    def node(self, node: ast.expr) -> Any:
        match node:
            case ast.Constant(value=bool()):
                raise self.refuse("holds true/false")
            case ast.Constant(value=int() | float() as constant):
                return np.float64(constant)
            case ast.Constant(value=str() as constant) if self.conditions:
                return constant
            case ast.Name(id=name):
                return self.column(self.quoted.get(name, name))
            case ast.BinOp(left=left, op=op, right=right) if type(op) in _ARITHMETIC:
                return _ARITHMETIC[type(op)](self.numeric(left), self.numeric(right))
            case ast.UnaryOp(op=ast.USub(), operand=operand):
                return -self.numeric(operand)
            case ast.Call(func=ast.Name(id=name), args=[argument], keywords=[]) if name in _FUNCTIONS:
                return _FUNCTIONS[name](self.numeric(argument))
            case ast.Compare() | ast.BoolOp() | ast.UnaryOp(op=ast.Not()) if self.conditions:
                return self.logic(node)
        raise self.refuse(f"holds {ast.unparse(node)[:40]!r}")

    def logic(self, node: ast.Compare | ast.BoolOp | ast.UnaryOp) -> Any:
        if isinstance(node, ast.UnaryOp):
            return ~self.truth(node.operand)
        if isinstance(node, ast.BoolOp):
            join = operator.and_ if isinstance(node.op, ast.And) else operator.or_
            result = self.truth(node.values[0])
            for part in node.values[1:]:
                result = join(result, self.truth(part))
            return result
        result, left = None, self.side(node.left)
        for op, right_node in zip(node.ops, node.comparators, strict=True):
            if type(op) not in _COMPARISON:
                raise self.refuse(f"holds {ast.unparse(node)[:40]!r}")
            right = self.side(right_node)
            step = _COMPARISON[type(op)](*self.comparable(left, right))
            result = step if result is None else result & step
            left = right
        return result

    def side(self, node: ast.expr) -> Any:
        """One side of a comparison; a bare column stays as it is, since it may hold text."""
        if isinstance(node, ast.Name):
            name = self.quoted.get(node.id, node.id)
            if name in self.columns:
                return self.columns[name]
        return self.node(node)

    def comparable(self, left: Any, right: Any) -> tuple[Any, Any]:
        if isinstance(left, str) or isinstance(right, str):
            return self.as_text(left, right), self.as_text(right, left)
        return self.as_number(left), self.as_number(right)

    def truth(self, node: ast.expr) -> Any:
        import pandas as pd

        if isinstance(node, ast.Name) and pd.api.types.is_bool_dtype(found := self.side(node)):
            return found
        if not isinstance(node, ast.Compare | ast.BoolOp) and not (
            isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not)
        ):
            raise self.refuse(f"takes {ast.unparse(node)[:40]!r} for a condition")
        return self.logic(node)

    def column(self, name: str) -> Any:
        if name not in self.columns:
            more = f" and {len(self.columns) - 12} more" if len(self.columns) > 12 else ""
            known = ", ".join(list(self.columns)[:12]) + more
            raise InputError(f"expression {self.text[:80]!r}: no column {name!r}; the table has {known}")
        return number(self.columns[name])

    def numeric(self, node: ast.expr) -> Any:
        found = self.node(node)
        if isinstance(found, str):
            raise self.refuse("does arithmetic on text")
        return found

    @staticmethod
    def as_text(side: Any, other: Any) -> Any:
        import pandas as pd

        if isinstance(side, str):
            return side
        if not isinstance(side, pd.Series) or _holds_numbers(side):
            name = f"column {side.name!r}" if isinstance(side, pd.Series) else "a number"
            raise InputError(f"{name} is compared with the text {other!r}; write numbers without quotes")
        return side.astype("string").astype(object)

    @staticmethod
    def as_number(side: Any) -> Any:
        return side if isinstance(side, np.floating) else number(side)
