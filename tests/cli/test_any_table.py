"""Any bytes and any options: `scaling fit` accounts for every row, or one line says why there is no fit."""

import decimal
import io
import json
import math
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

Rows = list[dict[str, Any]]
WORDS = [
    *("", "NA", "nan", "None", "null", "-", "inf", "-Infinity", "1e400", "1,000", "3,5", "1.234.567", "2024-01-01"),
    *("2024-01-01T00:00:00Z", "true", "False", "finished", "crashed", "1_000", "１２", "9007199254740993", "9" * 400),
    *("0x10", "'", '"', "a,b", "a\nb", "a\tb", "=1+1", "#", "\\N", "\x00", "é", "\ufffd", " 7 ", "+3", "-0", "[1]"),
]  # fmt: skip
NUMBERS = [math.nan, math.inf, -math.inf, 0.0, -1.0, 1e-300, 1e300, 5e-324, None, 10**400, 2**63, "NA", "-"]
ODD = [*NUMBERS, 2**53 + 1, True, [], [1], {}, {"a": {"b": [1]}}, "\ud800", *WORDS]
NAMES = [
    *("N", "D", "C", "loss", "x", "w", "status", "annealed", "trunk_id", "run_id", "file", "score", "", " ", "loss "),
    *("a`b", "a b", "a.b", "a[0]", "a/b", "ℕ", "ｌｏｓｓ", ' "q"', "it's", "n\nl", "Unnamed: 0", "#h", "=1", "None", "log"),
    *("true", "column0_", "\u200bN", "1", "and", "N.1", "index"),
]  # fmt: skip
POOLS = [
    WORDS,
    ODD,
    [1, 2, 3],
    [True, False],
    ["a", "b"],
    [1.5, None],
    [2**60, 2**60 + 1, None],
    ["finished", "done"],
]


@st.composite
def tables(draw: st.DrawFn) -> tuple[list[str], Rows]:
    """Names and rows: of a law, with more columns of any name, cells of any kind, and cells that are not there."""
    count = draw(st.sampled_from([25, 25, 25, 12, 6, 0]))
    noise = draw(st.randoms(use_true_random=False))
    rows: Rows = []
    for _ in range(count):
        N, D = noise.choice([1e5, 3e5, 1e6, 3e6, 1e7]), noise.choice([1e7, 1e8, 1e9])
        rows.append(
            {"N": N, "D": D, "loss": (1.8 + 400 / N**0.34 + 400 / D**0.3) * noise.uniform(0.99, 1.01)}
        )
    names = ["N", "D", "loss"]
    for name in draw(st.lists(st.sampled_from(NAMES), max_size=3)):
        pool = draw(st.sampled_from(POOLS))
        names += [name] * (name not in names or draw(st.integers(0, 40)) == 3)
        for row in rows:
            row[name] = noise.choice(pool)
    for _ in range(draw(st.sampled_from([0, 0, 1, 3, 30])) if rows else 0):
        row, name = noise.choice(rows), noise.choice(names)
        row[name] = noise.choice(ODD if name not in names[:3] or noise.random() < 0.02 else NUMBERS)
        if noise.random() < 0.2:
            del row[name]
    return names, rows


def separated(names: list[str], rows: Rows, sign: str, style: int, end: str, encoding: str) -> bytes:
    """A table of text as programs of all sorts write it; the styles quote more or less, and some drop cells."""

    def cell(found: object) -> str:
        text = "" if found is None else json.dumps(found) if isinstance(found, list | dict) else str(found)
        odd = style == 1 or (style != 2 and any(c in text for c in sign + '"\n\r'))
        return '"' + text.replace('"', '""') + '"' if odd else text

    lines = [[cell(row.get(name)) for name in names] for row in rows]
    if style == 3 and lines:
        lines[-1] = lines[-1][:-1]
    if style == 4 and lines:
        lines[0] = [*lines[0], ""]
    text = end.join([sign.join(map(cell, names)), *(sign.join(line) for line in lines)])
    return text.encode(encoding, "replace")


def objects(rows: Rows, encoding: str, more: str) -> bytes:
    return "\n".join([*(json.dumps(row, ensure_ascii=encoding != "utf-8") for row in rows), more]).encode(
        encoding, "replace"
    )


KINDS: list[Callable[[list[Any]], pa.Array]] = [
    lambda some: pa.array(some, pa.int8()),
    lambda some: pa.array([None if k is None else 2**63 + k for k in some], pa.uint64()),
    lambda some: pa.array(some, pa.float32()),
    lambda some: pa.array(
        [None if k is None else decimal.Decimal(k) / 4 for k in some], pa.decimal128(38, 20)
    ),
    lambda some: pa.array(some, pa.timestamp("ns", "UTC")),
    lambda some: pa.array(some, pa.timestamp("us")),
    lambda some: pa.array(some, pa.date32()),
    lambda some: pa.array(some, pa.time32("s")),
    lambda some: pa.array(some, pa.duration("ms")),
    lambda some: pa.array([None if k is None else [k] for k in some], pa.list_(pa.float64())),
    lambda some: pa.array([None if k is None else [k, 2] for k in some], pa.list_(pa.float64(), 2)),
    lambda some: pa.array([None if k is None else {"a": k} for k in some], pa.struct([("a", pa.int64())])),
    lambda some: pa.array(
        [None if k is None else [("k", k)] for k in some], pa.map_(pa.string(), pa.int64())
    ),
    lambda some: pa.array([None if k is None else str(k) for k in some], pa.large_string()),
    lambda some: pa.array([None if k is None else str(k) for k in some], pa.string_view()),
    lambda some: pa.array([None if k is None else f"{k}".encode() for k in some], pa.binary()),
    lambda some: pa.array(some, pa.int64()).dictionary_encode(),
    lambda some: pa.array([None if k is None else str(k) for k in some], pa.string()).dictionary_encode(),
    lambda some: pa.array([None if k is None else k > 1 for k in some], pa.bool_()),
    lambda some: pa.nulls(len(some)),
]


@st.composite
def columnar(draw: st.DrawFn) -> bytes:
    """Parquet with columns of any type, names given twice, an index of pandas, or no columns at all."""
    names, rows = draw(tables())
    noise = draw(st.randoms(use_true_random=False))
    arrays = []
    for name in names:
        measured = [row.get(name) for row in rows]
        if name in ("N", "D", "loss") and noise.random() < 0.95:
            numbers = [float(c) if isinstance(c, float) else None for c in measured]
            array = pa.array(numbers, pa.float64())
            arrays.append(array.dictionary_encode() if noise.random() < 0.1 else array)
        else:
            arrays.append(noise.choice(KINDS)([noise.choice([None, 1, 2, 3, 100]) for _ in rows]))
    stream = io.BytesIO()
    if noise.random() < 0.05:
        arrays, names = [], []
    table = pa.Table.from_arrays(arrays, names=names)
    if noise.random() < 0.1 and len(set(names)) == len(names) > 3:
        table = table.replace_schema_metadata({"pandas": '{"index_columns": ["N"], "columns": []}'})
    pq.write_table(table, stream, compression=noise.choice(["snappy", "none", "gzip", "zstd"]))
    return stream.getvalue()


SIGNS = {"csv": ",", "tsv": "\t"}
ENCODINGS = st.sampled_from(["utf-8"] * 9 + ["utf-8-sig", "utf-16", "utf-16-le", "latin-1"])
ENDS = st.sampled_from(["\n", "\n", "\n", "\r\n", "\r", "\n\n", "\n \n"])
LINES = st.sampled_from(
    ["", "", "", "", "", "", "", "\n", "[1]", "null", "{", '{"N": 1, "N": 2}', "NaN", '{"n": ' * 2000]
)


def files(ending: str) -> st.SearchStrategy[bytes]:
    """Whole tables of a kind."""
    if ending == "parquet":
        return columnar()
    if ending == "jsonl":
        return st.builds(lambda t, e, more: objects(t[1], e, more), tables(), ENCODINGS, LINES)
    style = st.sampled_from([0, 0, 0, 0, 1, 1, 2, 3, 4])
    return st.builds(lambda t, *how: separated(*t, SIGNS[ending], *how), tables(), style, ENDS, ENCODINGS)


DAMAGE = st.tuples(
    st.sampled_from(["flip", "cut", "end", "put"]),
    st.floats(0, 0.999),
    st.sampled_from([b'"', b",", b"\n", b"\x00", b"\xff", b"\r", b"{", b"\t", b"\xef\xbb\xbf"]),
)


def damaged(content: bytes, how: str, where: float, put: bytes) -> bytes:
    """The file with a bit changed, a few bytes lost, its end lost, or bytes of another program in it."""
    at = int(where * len(content))
    return {
        "flip": content[:at] + bytes(byte ^ 4 for byte in content[at : at + 1]) + content[at + 1 :],
        "cut": content[:at] + content[at + 5 :],
        "end": content[:at],
        "put": content[:at] + put + content[at:],
    }[how]


PLAIN = [
    *([], ["--where", "loss < 5"], ["--where", "N > 0 and D > 0 and loss > 0"], ["--where", "1 < N < 1e8 or not w"]),
    *(["--loss", "lad"], ["--loss", "mse", "--residual", "raw"], ["--loss", "quantile"], ["--weights", "N"]),
    *(["--cluster", "run_id"], ["--cluster", "N"], ["--fix", "E=1"], ["--fix", "E=0"], ["--compute", "1e18"]),
    *(["--map", "N=`N` * 1"], ["--map", "D=exp(log(D))"], ["--map", "C=6*N*D"], ["--from-name", "(?P<q>.)"]),
]  # fmt: skip
STRANGE = [
    *(["--map", f"{name}={text}"]
      for name in ("N", "loss", "w", "status", "trunk_id")
      for text in ("D/(6*N)", "a b", "`a b`", "a.b", "w", "x", "9**9**9", "N+", "N.real", "open('owned','w')", "`", "ℕ")),
    *(["--where", text] for text in ("w == 1", "w == true", "w", "not w", "w < 'b'", "status == 'finished'", "status < 3",
      "trunk_id != 'a'", "run_id == 9007199254740993", "file == 't'", "loss < -1", "nope", "N = 1", "#", "x < x", "")),
    *([f"--{name}", column] for name in ("weights", "cluster") for column in ("w", "x", "status", "trunk_id", "loss", "")),
    *(["--resample", how] for how in ("pairs", "clusters", "trunks", "wild", "parametric")),
    *(["--interval", "bca"], ["--delta", "nan"], ["--fix", "E=nan"], ["--compute", "-1"], ["--from-name", "(?P<N>.)"]),
]  # fmt: skip
LAWS = st.sampled_from(
    [["power", "--map", "x=N"], ["chinchilla"], ["chinchilla"], ["chinchilla_tied"], ["p_norm"]]
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("any")


def check(run, one_line, target: Path, read: int | None = None) -> None:
    """Check that a fit has an account of all rows, or that one line says why there is none."""
    if run.returncode:
        assert run.returncode in (1, 2)
        one_line(run, run.returncode)
        assert run.stderr.strip().isprintable()
        assert run.stdout == ""
        return

    def refuse(word: str) -> None:
        raise AssertionError(f"{word} is no JSON")

    assert run.stderr == ""
    account = json.loads(target.read_text(), parse_constant=refuse)["rows"]
    rows = [entry["row"] for entry in account["excluded"]]
    assert account["used"] + len(rows) == account["read"]
    assert read in (None, account["read"])
    assert len({*rows}) == len(rows)
    assert {*rows} <= {*range(account["read"])} or any(":" in str(row) for row in rows)
    assert all(entry["reason"].strip() for entry in account["excluded"])
    assert f"{account['used']} used of {account['read']} read" in run.stdout


@pytest.mark.parametrize("ending", ["csv", "tsv", "jsonl", "parquet"])
@settings(max_examples=20, deadline=None, derandomize=True)
@given(data=st.data(), law=LAWS, bootstrap=st.sampled_from([0, 0, 2, 8]))
def test_any_table_is_accounted_for(
    inside, one_line, folder: Path, ending: str, data, law, bootstrap: int
) -> None:
    content = data.draw(files(ending))
    if data.draw(st.integers(0, 7)) == 7:
        for harm in data.draw(st.lists(DAMAGE, min_size=1, max_size=3)):
            content = damaged(content, *harm)
    options = data.draw(
        st.lists(st.sampled_from(PLAIN) | st.sampled_from(PLAIN) | st.sampled_from(STRANGE), max_size=2)
    )
    table, target = folder / f"t.{ending}", folder / "fit.json"
    table.write_bytes(content)
    target.unlink(missing_ok=True)
    more = (*(word for words in options for word in words), "--bootstrap", bootstrap, "--json", target)
    run = inside("fit", table, "--law", *law, *more)
    read = None
    if ending == "parquet" and not run.returncode:
        read = pq.read_metadata(table).num_rows
    check(run, one_line, target, read)
    assert not Path("owned").exists()


@pytest.mark.parametrize("ending", ["csv", "tsv", "jsonl", "parquet"])
@settings(max_examples=7, deadline=None, derandomize=True)
@given(data=st.data())
def test_any_table_is_imported_with_an_account(inside, one_line, folder: Path, ending: str, data) -> None:
    table, out = folder / f"t.{ending}", folder / "out"
    table.write_bytes(data.draw(files(ending)))
    columns = st.sampled_from(["run_id", "N", "w", "a b"])
    asked = data.draw(st.dictionaries(st.sampled_from(["--run", "--last", "--carry"]), columns, max_size=1))
    run = inside("import", "table", table, "--out", out, *(word for pair in asked.items() for word in pair))
    if run.returncode:
        one_line(run, 2)
        return
    counted = re.match(r"table: (\d+) rows in 1 file, (\d+) kept, (\d+) left out", run.stdout)
    assert counted is not None
    read, kept, left_out = map(int, counted.groups())
    assert read == kept + left_out
    if ending == "parquet":
        assert read == pq.read_metadata(table).num_rows
    assert pq.read_metadata(out / "history.parquet").num_rows <= kept
    fit = ("fit", out / "table.parquet", "--law", "power", "--map", "x=N", "--bootstrap", 0)
    check(inside(*fit, "--json", folder / "f.json"), one_line, folder / "f.json")
