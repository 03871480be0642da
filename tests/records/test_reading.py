"""Tables from outside: no traceback, no code execution, no silent loss of rows."""

import json
import math
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scaling.errors import InputError
from scaling.records import cells, expression
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
    frame = TABLE.rename(columns={"state": "a"})
    for read in (
        lambda: expression.value(text, frame),
        lambda: expression.condition(text, expression.Columns(frame)),
    ):
        try:
            read()
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


def test_nested_cells_of_jsonl_are_called_by_their_path(tmp_path: Path) -> None:
    path = tmp_path / "t.jsonl"
    path.write_text(
        '{"a": {"b": 1, "c": {"d": null}}, "e": [1]}\n{"a": 2, "e": null}\n{"a": {"b": 9007199254740993}}\n'
    )
    frame = read_table(path).frame
    assert frame.columns.tolist() == ["a.b", "a.c.d", "e", "a"]
    assert frame["a.b"].tolist()[::2] == [1, 2**53 + 1]
    assert frame["a"].tolist()[1] == 2
    for twice in ('{"a": {"b": 1}, "a.b": 2}', '{"a": {"b": 1, "b ": 2}}'):
        path.write_text(twice)
        with pytest.raises(InputError, match=r"line 1: it gives 'a\.b' twice"):
            read_table(path)
    path.write_text('{"a": ' * 60 + "1" + "}" * 60)
    with pytest.raises(InputError, match="nested more than 40 levels deep"):
        read_table(path)


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
        cells.number(read_table(path).frame["loss"])


WORDS = [
    {"N": 1, "loss": 3.0, "tok": "None", "ok": True, "state": "finished", "a`b": 1, "note": "a`b"},
    {"N": 2, "loss": "oom", "tok": "gpt2", "ok": None, "state": "crashed", "a`b": 2, "note": "x"},
    {"N": "NA", "loss": 2.0, "tok": "n/a", "ok": False, "state": "finished", "a`b": 3, "note": None},
    {"N": "-", "loss": "NaN", "tok": None, "ok": True, "state": "finished", "a`b": 4, "note": "null"},
]


@pytest.fixture(params=["csv", "tsv", "jsonl"])
def words(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """A table with text, missing words and true/false in odd places, as each format holds it."""
    path = tmp_path / f"words.{request.param}"
    if request.param == "jsonl":
        path.write_text("\n".join(map(json.dumps, WORDS)), encoding="utf-8-sig")
    else:
        separator = "," if request.param == "csv" else "\t"
        pd.DataFrame(WORDS).to_csv(path, index=False, sep=separator, encoding="utf-8-sig")
    return path


@pytest.mark.parametrize(
    ("where", "kept"),
    [
        ('tok != "None"', [1, 2, 3]),  # the words of missing cells are text where they are compared with text
        ('tok == "n/a"', [2]),
        ('tok == " None "', [0]),
        ('note == "a`b"', [0]),
        ('note == "null"', [3]),
        ("ok", [0, 3]),
        ("not ok", [1, 2]),
        ("ok == True", [0, 3]),
        ("False == ok", [2]),
        ("ok != False", [0, 1, 3]),
        ('ok == "true"', [0, 3]),
        ("ok == true", [0, 3]),
        ("TRUE == ok", [0, 3]),
        ("N > 0", [0, 1]),
        ("N != 1", [1, 2, 3]),
        ('state == "finished" and loss < 9', [0, 2]),
        ('state == "crashed" or loss < 9', [0, 1, 2]),
        ('state == "finished" and log(loss) < 1', [2]),
        ('state == "finished" and L < 1', [2]),
        ('not (state == "crashed" or loss > 2.5)', [2, 3]),
    ],
)
def test_conditions_see_cells_as_they_are_written(words: Path, where: str, kept: list[int]) -> None:
    assert read_table(words, {"L": "log(loss)"} if "L <" in where else {}, where).frame.index.tolist() == kept


def test_words_for_missing_are_missing_in_the_result(words: Path) -> None:
    found = read_table(words, {"N2": "2 * N"}, 'state == "finished"').frame
    assert found["N"].dtype == found["loss"].dtype == found["N2"].dtype == float
    assert found.isna()[["N", "N2", "loss", "tok", "note"]].to_numpy().tolist() == [
        [False, False, False, True, False],
        [True, True, False, True, True],
        [True, True, True, True, True],
    ]


@pytest.mark.parametrize(
    ("where", "says"),
    [
        ("loss < 9 and state == 'finished'", "row 1: 'oom' is no number; .* what follows `and` sees only"),
        ("N < '4'", "column 'N' is compared with the text '4'; write numbers without quotes"),
        (
            "state == True",
            "column 'state' is compared with True; expected == or != and a column of true/false",
        ),
        ("ok < True", "column 'ok' is compared with True; expected == or !="),
        ("ok == 1", "column 'ok' holds true/false, expected numbers"),
        ("'a' == 'a'", "which takes a column"),
        ("1 < 2", "names no column"),
        ("`N` is 3", "holds '`N` is 3'"),
        ("`N` + 1", "takes '`N` [+] 1' for a condition"),
        (f"N < 1{'0' * 400}", "holds a whole number of 401 digits, beyond 1e308"),
        ("state == 'finished' and nope < 1", "no column 'nope'"),
    ],
)
def test_conditions_that_cannot_be_answered_are_refused(words: Path, where: str, says: str) -> None:
    with pytest.raises(InputError, match=says):
        read_table(words, where=where)


def test_messages_name_what_was_written(words: Path) -> None:
    with pytest.raises(InputError, match=re.escape("'sqrt(`odd name`)'; allowed")):
        read_table(words, {"x": "sqrt(`odd name`)"})
    with pytest.raises(InputError, match="401 digits"):
        read_table(words, {"x": f"1{'0' * 400}"})


def test_odd_escapes_in_quoted_text_warn_of_nothing(words: Path) -> None:
    assert read_table(words, where=r"note == '\d'").frame.empty


@pytest.mark.parametrize("dtype", ["boolean", "object"])
def test_a_true_false_column_with_missing_cells_is_a_condition(dtype: str) -> None:
    flags = expression.Columns(pd.DataFrame({"flag": pd.Series([True, None, False], dtype=dtype)}))
    assert expression.condition("flag", flags).tolist() == [True, False, False]
    assert expression.condition("flag == False", flags).tolist() == [False, False, True]


def test_spaces_around_names_do_not_count(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text('N, D , "tok, en"\n1, 2, "a, b"\n')
    found = read_table(path, {"x": "` D ` * 2"}, "`tok, en` == 'a, b'").frame
    assert [*found.columns] == ["N", "D", "tok, en", "x"]
    path.write_text("N, loss,loss \n1,2,3\n")
    with pytest.raises(InputError, match="2 columns called 'loss'; rename or remove one"):
        read_table(path)


def test_invisible_characters_of_names_are_shown(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text("größe,lo\u200bss,Model\u00a0Size\n1,2,3\n", encoding="utf-8")
    with pytest.raises(InputError, match=re.escape(r"the table has größe, lo\u200bss, Model\xa0Size")):
        read_table(path, {"loss": "loss * 1"})
