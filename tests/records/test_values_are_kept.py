"""Reading alters nothing: floats to the last bit, whole numbers to the last digit, words as words."""

import json
import math
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scaling.errors import InputError
from scaling.fitting import fit
from scaling.fitting.rows import number_column
from scaling.records import cells
from scaling.records.reading import read_table

FORMATS = ["csv", "tsv", "jsonl", "parquet"]
BIG = 2**53
Write = Callable[[dict[str, list[object]], str], Path]


@pytest.fixture(scope="module")
def write(tmp_path_factory: pytest.TempPathFactory) -> Write:
    """A writer of tables as plain programs write them: {name: cells} and a format."""
    folder = tmp_path_factory.mktemp("kept")

    def written(columns: dict[str, list[object]], ending: str) -> Path:
        path = folder / f"t.{ending}"
        rows = [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]
        if ending == "parquet":
            pq.write_table(pa.table({name: pa.array(c) for name, c in columns.items()}), path)
        elif ending == "jsonl":
            path.write_text("\n".join(map(json.dumps, rows)))
        else:
            sign = "," if ending == "csv" else "\t"
            lines = [sign.join("" if c is None else str(c) for c in row.values()) for row in rows]
            path.write_text("\n".join([sign.join(columns), *lines]))
        return path

    return written


@pytest.mark.parametrize("ending", FORMATS)
@settings(max_examples=15, deadline=None, derandomize=True)
@given(numbers=st.lists(st.floats(allow_nan=False), min_size=1, max_size=30))
def test_floats_are_read_to_the_last_bit(write: Write, ending: str, numbers: list[float]) -> None:
    path = write({"x": [*numbers], "mixed": [*numbers[:-1], None], "place": [*range(len(numbers))]}, ending)
    found = read_table(path, {"y": "x * 1", "z": "x"}, where="place >= 0").frame
    for name in ("x", "y", "z"):
        read = number_column(found, name)
        assert read.tolist() == numbers
        assert np.signbit(read).tolist() == np.signbit(numbers).tolist()
    mixed = number_column(found, "mixed")
    assert mixed[:-1].tolist() == numbers[:-1]
    assert math.isnan(mixed[-1])


@pytest.mark.parametrize("ending", FORMATS)
@settings(max_examples=6, deadline=None, derandomize=True)
@given(
    ids=st.lists(
        st.integers(BIG - 2, BIG + 9) | st.integers(1, 2**63 - 1), min_size=2, max_size=12, unique=True
    )
)
def test_whole_numbers_stay_apart(write: Write, ending: str, ids: list[int]) -> None:
    for some in ([*ids], [*ids, None]):
        path = write({"id": [*some], "place": [*range(len(some))]}, ending)
        found = read_table(path, where="place >= 0").frame
        assert found["id"].nunique() == len(ids)
        assert [int(cell) for cell in found["id"].iloc[: len(ids)].tolist()] == ids
        for k in (0, len(ids) - 1):
            assert read_table(path, where=f"id == {ids[k]}").frame.index.tolist() == [k]
            assert k not in read_table(path, where=f"{ids[k]} != id").frame.index
        more = [k for k, one in enumerate(ids) if one > ids[0]]
        assert read_table(path, where=f"id > {ids[0]}").frame.index.tolist() == more
        np.testing.assert_array_equal(number_column(found, "id")[: len(ids)], np.array(ids, dtype=float))


@pytest.mark.parametrize("ending", ["csv", "tsv", "jsonl"])
def test_whole_numbers_of_any_length_stay_apart(write: Write, ending: str) -> None:
    ids = [10**20 + 1, 10**20 + 2, 10**30, 10**400]
    found = read_table(write({"id": [*ids], "n": [1, 2, 3, 4]}, ending)).frame
    assert found["id"].nunique() == 4
    assert number_column(found, "id").tolist() == [1e20, 1e20, 1e30, math.inf]
    folder = write({"n": [1]}, ending).parent
    (folder / f"other.{ending}").write_text((folder / f"t.{ending}").read_text())
    write({"id": [BIG, BIG + 1], "n": [1, 2]}, ending)
    assert read_table([folder / f"t.{ending}", folder / f"other.{ending}"]).frame["id"].nunique() == 2


@pytest.mark.parametrize("ending", FORMATS)
def test_runs_with_long_numbers_for_names_are_clusters_of_their_own(write: Write, ending: str) -> None:
    x = np.geomspace(1e6, 1e9, 24)
    rng = np.random.default_rng(0)
    loss = (1.7 + 400 * x**-0.34) * np.exp(rng.normal(0, 0.01, 24))
    names = [BIG + k // 3 if k else None for k in range(24)]
    frame = read_table(write({"x": x.tolist(), "loss": loss.tolist(), "run": [*names]}, ending)).frame
    found = fit("power", frame.iloc[1:], cluster="run", bootstrap=4)
    assert found.intervals.clusters == 8


def test_true_among_numbers_is_no_number(write: Write) -> None:
    """A true is no 1: a table that says so is wrong, and a fit to it would be."""
    path = write({"N": [1.0, True, 3.0], "flag": [True, False, None], "loss": [3.0, 2.0, 1.0]}, "jsonl")
    frame = read_table(path).frame
    with pytest.raises(InputError, match="column N, row 1: 'True' is not a number"):
        number_column(frame, "N")
    with pytest.raises(InputError, match="column flag, row 0: 'True' is not a number"):
        number_column(frame, "flag")
    with pytest.raises(InputError, match="'N', row 1: 'True' is no number"):
        read_table(path, {"x": "N * 2"})
    assert read_table(path, {"x": "N * 2"}, "loss != 2").frame["x"].tolist() == [2, 6]


WORDS = [
    "1_000",
    "١٢",
    "１２",
    "0x10",
    "1,000",
    "1.234.567",
    "3,5",
    "2024-01-01",
    "1e",
    "12L",
    "1 000",
    "--1",
    "1d5",
    "½",
]


@pytest.mark.parametrize("beside", [None, "1", [1], 10**400, {"a": 1}])
@pytest.mark.parametrize("word", WORDS)
def test_what_is_no_number_is_none_whatever_stands_beside_it(word: str, beside: object) -> None:
    """Thousands and decimal commas, dates, underscores and other scripts' digits are never guessed at."""
    assert cells.floats(pd.Series([word, beside], dtype=object)).isna()[0]
    assert cells.floats(pd.Series([" 1e5 ", beside], dtype=object))[0] == 1e5


def test_a_row_that_names_a_cell_twice_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "t.jsonl"
    path.write_text('{"N": 1, "loss": 3}\n{"N": 1, "loss": 3, "loss": 2}\n')
    with pytest.raises(InputError, match="line 2: it gives 'loss' twice"):
        read_table(path)
    path.write_text('{"N": {"a": 1, "a": 2}}\n')
    with pytest.raises(InputError, match="line 1: it gives 'a' twice"):
        read_table(path)


@pytest.mark.parametrize("ending", ["csv", "jsonl", "parquet"])
def test_columns_without_names_are_called_by_their_places(write: Write, tmp_path: Path, ending: str) -> None:
    path = write({"loss": [1.0], "": [2.0], " ": [3.0]}, ending)
    assert read_table(path, {"N": "`Unnamed: 2`"}).frame.iloc[0].to_dict() == {
        "loss": 1.0,
        "Unnamed: 1": 2.0,
        "Unnamed: 2": 3.0,
        "N": 3.0,
    }


@pytest.mark.parametrize("row", ['{"note": "x\\ud800"}', '{"\\ud800": 1}'])
def test_half_a_character_is_called_that(tmp_path: Path, row: str) -> None:
    path = tmp_path / "t.jsonl"
    path.write_text(row)
    with pytest.raises(InputError, match=r"holds half of a character, '\\ud800', which is no text; write it"):
        read_table(path)
