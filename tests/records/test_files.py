"""Several files read as one table: every row is there, and every row can be told from the others."""

import json
import os
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scaling.errors import InputError
from scaling.records.files import expand, short_names
from scaling.records.reading import read_table


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Three tables of one kind, with different columns, and one of another."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "190M-1xC.csv").write_text("step,loss\n1,4\n2,3.5\n")
    (tmp_path / "190M-5xC.csv").write_text("step,loss,extra\n1,3.9,x\n")
    (tmp_path / "370M-1xC.csv").write_text("step,loss\n1,\n2,3\n")
    (tmp_path / "other.tsv").write_text("step\tloss\n1\t2\n")
    return tmp_path


def test_a_glob_is_one_table_with_labels_that_name_file_and_row(folder: Path) -> None:
    found = read_table("*.csv", {"N": "size * 1e6"}, "loss > 3.2", r"(?P<size>\d+)M-(?P<multiple>\d+)xC")
    assert found.read == 5
    assert found.frame.index.tolist() == ["190M-1xC.csv:0", "190M-1xC.csv:1", "190M-5xC.csv:0"]
    assert [row for row, _ in found.excluded] == ["370M-1xC.csv:0", "370M-1xC.csv:1"]
    assert found.frame["N"].tolist() == [190e6] * 3
    assert found.frame["multiple"].tolist() == [1, 1, 5]
    assert found.frame["file"].tolist() == ["190M-1xC.csv", "190M-1xC.csv", "190M-5xC.csv"]
    assert found.frame["extra"].isna().tolist() == [True, True, False]


def test_one_path_is_read_as_ever_and_a_glob_of_one_names_its_file(folder: Path) -> None:
    alone, glob = read_table(folder / "190M-1xC.csv"), read_table("190M-1x*.csv")
    assert alone.frame.index.tolist() == [0, 1]
    assert "file" not in alone.frame
    assert glob.frame.index.tolist() == ["190M-1xC.csv:0", "190M-1xC.csv:1"]
    named = read_table("190M-1xC.csv", from_name="(?P<size>[0-9]+)")
    assert named.frame["size"].tolist() == [190, 190]


@pytest.mark.parametrize("again", ["190M-1xC.csv", "./190M-1xC.csv"])
def test_a_file_that_is_named_twice_is_refused(folder: Path, again: str) -> None:
    with pytest.raises(InputError, match=r"^190M-1xC\.csv is given twice, and a file is read once; give it"):
        read_table(["190M-1xC.csv", again])


def test_paths_and_globs_add_up_and_no_file_counts_twice(folder: Path) -> None:
    given = ["370M-1xC.csv", "*.csv", str(folder / "190M-5xC.csv"), "./190M-1xC.csv"]
    assert [path.name for path in expand(given)] == ["370M-1xC.csv", "190M-1xC.csv", "190M-5xC.csv"]
    assert read_table(given).read == 5


def test_names_with_brackets_are_names(folder: Path) -> None:
    (folder / "a[1].csv").write_text("loss\n1\n")
    assert expand("a[1].csv") == [Path("a[1].csv")]
    assert read_table("a[1].csv").frame["loss"].tolist() == [1]


def test_files_of_one_name_are_told_apart_by_their_folders(folder: Path) -> None:
    for run in ("a", "b"):
        (folder / run).mkdir()
        (folder / run / "metrics.csv").write_text("loss\n1\n")
    found = read_table("*/metrics.csv", from_name="(?P<run>[ab])/metrics")
    assert found.frame.index.tolist() == ["a/metrics.csv:0", "b/metrics.csv:0"]
    assert found.frame["run"].tolist() == ["a", "b"]


def test_what_cannot_be_one_table_is_refused_in_one_line(folder: Path) -> None:
    for paths, from_name, says in (
        ("*", None, r"of several kinds \(.csv, .tsv\)"),
        ("*.parquet", None, "no file matches '\\*.parquet'; correct the path, or quote a glob"),
        (["190M-1xC.csv", "none.csv"], None, "none.csv does not exist"),
        ("*.csv", "(?P<loss>[0-9]+)", "gives a column 'loss', which .* has; name the group otherwise"),
        ("*.csv", "(?P<file>[0-9]+)", "gives a column 'file'"),
        ("*.csv", "(?P<size>x[0-9]+)", "matches nothing in"),
    ):
        with pytest.raises(InputError, match=says) as caught:
            read_table(paths, from_name=from_name)
        assert "\n" not in str(caught.value)


def test_a_tables_own_column_of_files_stays(folder: Path) -> None:
    (folder / "own1.jsonl").write_text('{"file": "mine", "loss": 1}\n')
    (folder / "own2.jsonl").write_text('{"file": "yours", "loss": 1}\n')
    assert read_table("own*.jsonl").frame["file"].tolist() == ["mine", "yours"]


def test_the_hash_is_of_all_files(folder: Path) -> None:
    before = read_table("*.csv").sha256
    assert before == read_table(sorted(folder.glob("*.csv"))).sha256
    (folder / "370M-1xC.csv").write_text("step,loss\n1,\n2,3.1\n")
    assert read_table("*.csv").sha256 != before


def test_short_names_are_as_long_as_it_takes() -> None:
    assert short_names([Path("x/a/m.csv"), Path("x/b/m.csv")]) == ["a/m.csv", "b/m.csv"]
    assert short_names([Path("m.csv"), Path("b/m.csv")]) == ["m.csv", "b/m.csv"]
    assert short_names([]) == []


CELLS = st.one_of(st.none(), st.floats(-5, 5), st.text(max_size=2), st.booleans())
TABLES = st.lists(
    st.lists(st.dictionaries(st.sampled_from(["a", "loss", "t"]), CELLS, min_size=1), min_size=1, max_size=5),
    min_size=1,
    max_size=4,
)


@settings(max_examples=60, deadline=None)
@given(tables=TABLES)
def test_no_row_of_any_file_is_lost(tables, tmp_path_factory: pytest.TempPathFactory) -> None:
    folder = tmp_path_factory.mktemp("tables")
    for number, rows in enumerate(tables):
        (folder / f"{number}.jsonl").write_text("\n".join(map(json.dumps, rows)))
    try:
        found = read_table(os.fspath(folder / "*.jsonl"), None, "loss < 1", "(?P<number>[0-9]+)")
    except InputError as error:
        assert "\n" not in str(error)
        return
    labels = [f"{number}.jsonl:{row}" for number, rows in enumerate(tables) for row in range(len(rows))]
    assert found.read == len(labels)
    assert sorted([*found.frame.index, *(row for row, _ in found.excluded)]) == sorted(labels)
    assert (found.frame["file"] == [label.partition(":")[0] for label in found.frame.index]).all()
    assert pd.api.types.is_float_dtype(found.frame["number"])
