"""Expressions by their grammar: what is allowed means what it says, and nothing that a text holds is ever run."""

import ast
import operator
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import scaling
from scaling.errors import InputError
from scaling.records import expression
from scaling.records.quoting import with_stand_ins

FRAME = pd.DataFrame(
    {
        "N": [1e6, 2e6, 3.0],
        "loss": [4.0, 2.5, -1.0],
        "ℕ": [7.0, 8.0, 9.0],
        "a b/c.d[0]": [0.5, np.nan, 2.0],
        "tokens": [1.0, 2.0, 3.0],
        "tokens#1": [10.0, 20.0, 30.0],
        "it's": [5.0, 6.0, 7.0],
        "state": ["finished", "crashed", "None"],
        "ok": [True, False, True],
    }
)
ALLOWED = (
    *(ast.Constant, ast.Name, ast.Load, ast.BinOp, ast.Add, ast.Sub, ast.Mult, ast.Div, ast.Pow, ast.UnaryOp),
    *(ast.USub, ast.Call, ast.Compare, ast.Lt, ast.LtE, ast.Gt, ast.GtE, ast.Eq, ast.NotEq, ast.BoolOp),
    *(ast.And, ast.Or, ast.Not),
)
"""All that an accepted expression is made of."""
RUNS = re.compile(r"exec|import|open|os\.|subprocess\.|socket\.|shutil\.|ctypes\.|pickle\.|code\.|sys\._")
_heard: list[str] | None = None


def _listen(event: str, _: tuple[object, ...]) -> None:
    if _heard is not None and RUNS.match(event):
        _heard.append(event)


sys.addaudithook(_listen)


@contextmanager
def nothing_runs() -> Iterator[None]:
    """Fail where Python runs compiled code, imports, opens or starts anything meanwhile."""
    global _heard  # noqa: PLW0603 - an audit hook stays for good
    _heard = heard = []
    try:
        yield
    finally:
        _heard = None
    assert heard == []


def test_the_ear_hears() -> None:
    for run in (lambda: eval("1"), lambda: Path("/").read_bytes(), lambda: __import__("antigravity_", {})):
        with pytest.raises(AssertionError), nothing_runs(), suppress(OSError, ImportError):
            run()


expression.condition("N < log(2) and ok and state == 'x'", expression.Columns(FRAME))  # imports what it takes
Pair = tuple[str, object]
"""An expression, and what numpy makes of it."""
LEAVES: list[Pair] = [
    *((name, FRAME[name].to_numpy()) for name in ("N", "loss", "ℕ", "tokens")),
    *((f"`{name}`", FRAME[name].to_numpy()) for name in ("a b/c.d[0]", "tokens#1", "it's", "ℕ", "N")),
    *((text, np.float64(text)) for text in ("6", "1e-6", ".5", "2.")),
]


def _joined(parts: st.SearchStrategy[Pair]) -> st.SearchStrategy[Pair]:
    operators = {
        "+": operator.add,
        "-": operator.sub,
        " * ": operator.mul,
        "/": operator.truediv,
        "**": operator.pow,
    }

    @np.errstate(all="ignore")
    def pair(left: Pair, sign: str, right: Pair) -> Pair:
        return f"({left[0]}){sign}({right[0]})", operators[sign](left[1], right[1])

    @np.errstate(all="ignore")
    def single(name: str, inner: Pair) -> Pair:
        functions = {"log": np.log, "exp": np.exp, "-": operator.neg, "": operator.pos}
        return f"{name}({inner[0]})", functions[name](inner[1])

    return st.one_of(
        st.builds(pair, parts, st.sampled_from([*operators]), parts),
        st.builds(single, st.sampled_from(["log", "exp", "-", ""]), parts),
    )


NUMBERS = st.recursive(st.sampled_from(LEAVES), _joined, max_leaves=12)


@settings(max_examples=100, deadline=None, derandomize=True)
@given(NUMBERS)
def test_arithmetic_is_that_of_numpy(pair: Pair) -> None:
    with nothing_runs():
        found = expression.value(pair[0], FRAME)
    np.testing.assert_array_equal(found.to_numpy(), np.broadcast_to(pair[1], 3))


SIGNS = {
    "<": np.less,
    "<=": np.less_equal,
    ">": np.greater,
    ">=": np.greater_equal,
    "==": np.equal,
    "!=": np.not_equal,
}
COMPARED = st.builds(
    lambda left, sign, right: (f"({left[0]}) {sign} ({right[0]})", SIGNS[sign](left[1], right[1])),
    NUMBERS,
    st.sampled_from([*SIGNS]),
    NUMBERS,
)
CONDITIONS = st.recursive(
    COMPARED | st.sampled_from([("ok", FRAME["ok"].to_numpy()), ("state == 'None'", np.arange(3) == 2)]),
    lambda parts: st.one_of(
        st.builds(lambda a, b: (f"({a[0]}) and ({b[0]})", np.logical_and(a[1], b[1])), parts, parts),
        st.builds(lambda a, b: (f"({a[0]}) or ({b[0]})", np.logical_or(a[1], b[1])), parts, parts),
        st.builds(lambda a: (f"not ({a[0]})", np.logical_not(a[1])), parts),
    ),
    max_leaves=5,
)


@settings(max_examples=100, deadline=None, derandomize=True)
@given(CONDITIONS)
def test_conditions_are_those_of_numpy(pair: Pair) -> None:
    with nothing_runs():
        found = expression.condition(f"N == N and ({pair[0]})", expression.Columns(FRAME))
    np.testing.assert_array_equal(found, np.broadcast_to(pair[1], 3))


PARTS = [
    *("__import__('os').system('touch owned')", "open('owned', 'w')", "eval", "exec", "print", "lambda: ", "f'{"),
    *("}'", ":=", "[", "]", "{", "}", " for x in ", " if ", " else ", " in ", " is ", "await ", "yield ", "*", "**"),
    *("__class__", "__builtins__", ".", "()", "(", ")", "N", "loss", "state", "ok", "`", "'", '"', "\\", "\n", "#"),
    *(";", ",", "@", "%", "//", "~", "&", "|", "^", "<<", "not ", " and ", " or ", "<", "==", "=", "-", "+", "/"),
    *("log(", "exp(", "1", "0x1f", "1_0", "1e999", "9" * 400, "3j", "b'x'", "...", "None", "True", "١", "²", "ℕ"),
    *("ｌｏｇ", "ﬁ", "×", "−", "\u200b", "\ufeff", "\x00", "\x0c", "\ud800", "`N`", "`a b/c.d[0]`", "`", "column0_"),
]  # fmt: skip


@settings(max_examples=400, deadline=None, derandomize=True)
@given(st.lists(st.sampled_from(PARTS) | st.text(max_size=2), max_size=14).map("".join))
def test_any_text_is_a_value_of_listed_parts_or_one_line_and_never_runs(text: str) -> None:
    with nothing_runs():
        for read in (
            lambda: expression.value(text, FRAME),
            lambda: expression.condition(text, expression.Columns(FRAME)),
        ):
            try:
                read()
            except InputError as error:
                assert str(error)
                assert "\n" not in str(error)
                continue
            tree = ast.parse(with_stand_ins(text)[0], mode="eval").body
            assert all(isinstance(node, ALLOWED) for node in ast.walk(tree)), text


DEEP = {
    "parentheses": "(" * 10_000 + "N" + ")" * 10_000,
    "signs": "-" * 100_000 + "N",
    "sums": "N" + "+1" * 100_000,
    "powers": "N" + "**9" * 5_000,
    "calls": "log(" * 5_000 + "N" + ")" * 5_000,
    "negations": "not " * 20_000 + "ok",
    "conditions": "ok" + " and ok" * 1_000,
    "comparisons": "N" + " < 1" * 10_000,
    "lists": "[" * 10_000 + "]" * 10_000,
    "digits": "9" * 100_000,
    "hexadecimal digits": "0x" + "f" * 100_000,
    "attributes": "N" + ".real" * 10_000,
    "quotes": "'" * 50_001,
    "backticks": "`" * 50_001,
    "backslashes": "state == '" + "\\" * 50_001 + "'",
    "odd names": "ℕ+" * 20_000 + "N",
    "strings": "state == " + "'x'" * 50_000,
}


@pytest.mark.parametrize("case", DEEP)
def test_depth_and_length_end_in_a_value_or_one_line(case: str) -> None:
    for read in (
        lambda text: expression.value(text, FRAME),
        lambda text: expression.condition(text, expression.Columns(FRAME)),
    ):
        try:
            read(DEEP[case])
        except InputError as error:
            assert "\n" not in str(error)
            assert len(str(error)) < 600


def test_a_name_is_the_column_that_is_written() -> None:
    """Python would take ℕ for N, and stop to read at a #."""
    assert expression.value("ℕ * 2", FRAME).tolist() == [14, 16, 18]
    assert expression.value("`tokens#1` * 2", FRAME).tolist() == [20, 40, 60]
    assert expression.condition("ℕ > 8", expression.Columns(FRAME)).tolist() == [False, False, True]
    assert expression.condition("state != '#'", expression.Columns(FRAME)).all()
    for text in ("tokens#1 * 2", "loss < 4 # and ok", "ok #"):
        for read in (expression.value, lambda t, f: expression.condition(t, expression.Columns(f))):
            with pytest.raises(InputError, match="holds a # outside of a name"):
                read(text, FRAME)
    with pytest.raises(InputError, match=re.escape("holds '`ｌｏｇ`(loss)'")):
        expression.value("ｌｏｇ(loss)", FRAME)
    for text in ("`N``loss`", "1`N`", "`N`1"):
        with pytest.raises(InputError, match="cannot be read"):
            expression.value(text, FRAME)


def test_nothing_of_ours_that_reads_hands_text_to_an_evaluator() -> None:
    """No eval, exec, compile, query or pickle where a user's files and options are read."""
    home = Path(scaling.__file__).parent
    files = [
        *home.glob("*.py"),
        *(f for room in ("records", "importers", "fitting") for f in (home / room).glob("*.py")),
    ]
    found = []
    for file in files:
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            match node:
                case ast.Call(func=ast.Name(id="eval" | "exec" | "compile" | "__import__" as name)):
                    found.append((file.name, name))
                case ast.Call(func=ast.Attribute(attr="eval" | "query" | "read_pickle" as name)):
                    found.append((file.name, name))
                case ast.keyword(arg="allow_pickle" as name):
                    found.append((file.name, name))
                case ast.Import(names=names) if {"pickle", "numexpr", "marshal"} & {n.name for n in names}:
                    found.append((file.name, "import"))
    assert len(files) > 60
    assert found == []
