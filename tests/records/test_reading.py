"""Tables from outside: no traceback, no code execution, no silent loss of rows."""

import json
import math
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scaling.errors import InputError
from scaling.records import expression
from scaling.records.reading import read_table

TABLE = pd.DataFrame(
    {
        "Model Size": [1e6, 2e6, 4e6, 8e6],
        "Training FLOP": [6e14, 2.4e15, 9.6e15, math.nan],
        "loss": [4.0, 3.5, 3.0, 2.5],
        "state": ["finished", "crashed", "finished", "finished"],
    }
)


@pytest.fixture
def table(tmp_path: Path) -> Path:
    path = tmp_path / "runs.csv"
    TABLE.to_csv(path, index=False)
    return path


def test_exact_names_win_and_expressions_compute(table: Path) -> None:
    found = read_table(
        table, {"N": "Model Size", "D": "`Training FLOP` / (6 * `Model Size`)", "L": "log(loss)"}
    )
    assert found.frame["N"].tolist() == [1e6, 2e6, 4e6, 8e6]
    assert found.frame["D"][:3].tolist() == [1e8, 2e8, 4e8]
    assert math.isnan(found.frame["D"][3])
    assert found.frame["L"].tolist() == [math.log(x) for x in (4.0, 3.5, 3.0, 2.5)]


def test_an_exact_name_that_looks_like_an_expression_is_a_name(tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    pd.DataFrame({"a-b": [7.0], "a": [1.0], "b": [3.0]}).to_csv(path, index=False)
    assert read_table(path, {"N": "a-b", "D": "a - b"}).frame[["N", "D"]].iloc[0].tolist() == [7.0, -2.0]


@pytest.mark.parametrize(
    ("where", "kept"),
    [
        ("loss < 3.6", [1, 2, 3]),
        ("2.6 < loss <= 3.5", [1, 2]),
        ("state == 'finished' and loss > 2.6", [0, 2]),
        ("not (state == 'finished') or loss < 2.6", [1, 3]),
        ("`Training FLOP` > 0", [0, 1, 2]),
        ("N > 3000000", [2, 3]),
    ],
)
def test_where_keeps_rows_and_lists_the_others(table: Path, where: str, kept: list[int]) -> None:
    found = read_table(table, {"N": "Model Size"}, where)
    assert found.frame.index.tolist() == kept
    assert sorted([*kept, *(row for row, _ in found.excluded)]) == [0, 1, 2, 3]
    assert all(where in reason for _, reason in found.excluded)


@pytest.mark.parametrize(
    "text",
    [
        "__import__('os').system('touch owned')",
        "loss.__class__",
        "(lambda: 1)()",
        "loss[0]",
        "[x for x in (1,)]",
        "exp(loss, 1)",
        "open('x')",
        "loss if 1 else 2",
        "f'{loss}'",
        "loss := 3",
        "'text'",
        "",
        "((((",
        "`loss",
        "True",
        "(" * 5000 + "1" + ")" * 5000,
    ],
)
def test_anything_but_arithmetic_is_refused_in_one_line(table: Path, text: str) -> None:
    with pytest.raises(InputError) as caught:
        read_table(table, {"N": text})
    assert "\n" not in str(caught.value)
    assert not Path("owned").exists()


def test_a_tower_of_powers_ends_at_once(table: Path) -> None:
    assert np.isinf(read_table(table, {"N": "loss * 0 + 9**9**9**9"}).frame["N"]).all()


@settings(max_examples=500, deadline=None)
@given(
    st.lists(
        st.sampled_from([*"`al()+-*/<>=!'0123456789. ,[]{}:;@#\\\n", "log", "loss", "exp", " and ", "not "])
    )
)
def test_fuzzed_expressions_give_a_value_or_one_line(parts: list[str]) -> None:
    text = "".join(parts)
    columns = {"loss": TABLE["loss"].rename("loss"), "a": TABLE["state"].rename("a")}
    for read in (expression.value, expression.condition):
        try:
            read(text, columns)
        except InputError as error:
            assert str(error)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.floats(), st.one_of(st.none(), st.floats(-5, 5))), min_size=1, max_size=20))
def test_no_row_is_lost(
    tmp_path_factory: pytest.TempPathFactory, rows: list[tuple[float, float | None]]
) -> None:
    path = tmp_path_factory.mktemp("rows") / "t.jsonl"
    path.write_text("\n".join(json.dumps({"a": a if math.isfinite(a) else None, "loss": b}) for a, b in rows))
    found = read_table(path, {"N": "a"}, "loss < 1")
    assert found.read == len(rows)
    assert sorted([*found.frame.index, *(row for row, _ in found.excluded)]) == list(range(len(rows)))


def test_formats_agree(tmp_path: Path) -> None:
    TABLE.to_csv(tmp_path / "t.csv", index=False)
    TABLE.to_csv(tmp_path / "t.tsv", index=False, sep="\t")
    TABLE.to_json(tmp_path / "t.jsonl", orient="records", lines=True)
    TABLE.to_parquet(tmp_path / "t.parquet")
    first, *others = [read_table(tmp_path / f"t.{end}").frame for end in ("csv", "tsv", "jsonl", "parquet")]
    for other in others:
        pd.testing.assert_frame_equal(first, other, check_dtype=False)


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("t.csv", b"", "is empty"),
        ("t.csv", b"N,loss\n", "has no rows"),
        ("t.csv", b"a,b\n1,2\n1,2,3,4\n", "not a readable csv"),
        ("t.csv", b"a,b\n\xff\xfe,1\n", "not a readable csv"),
        ("t.parquet", b"not parquet", "not a readable parquet"),
        ("t.jsonl", b"{broken", "not a readable jsonl"),
        ("t.xlsx", b"PK", "no known ending"),
    ],
)
def test_unreadable_files_give_one_line(tmp_path: Path, name: str, content: bytes, says: str) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(InputError, match=says) as caught:
        read_table(tmp_path / name)
    assert "\n" not in str(caught.value)


def test_missing_file_folder_and_column_are_named(tmp_path: Path, table: Path) -> None:
    with pytest.raises(InputError, match="does not exist"):
        read_table(tmp_path / "none.csv")
    with pytest.raises(InputError, match="is a folder"):
        read_table(tmp_path)
    with pytest.raises(InputError, match=r"no column 'params'; the table has Model Size, "):
        read_table(table, {"N": "`params` * 2"})


def test_text_in_a_number_column_names_the_row(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text("N,loss\n1,2\n2,bad\n3,4\n")
    with pytest.raises(InputError, match="column 'loss', row 1: 'bad' is no number"):
        expression.number(read_table(path).frame["loss"])
