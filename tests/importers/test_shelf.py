"""What every importer promises: whatever a file holds, an account of every entry or one line of refusal."""

import json
import string
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scaling import importers
from scaling.errors import InputError
from scaling.importers import Choices
from scaling.importers.tables import joined, save
from scaling.importers.wire import DamagedError, block_records, fields, tf_records

FILES = {
    "table": "t.jsonl",
    "wide": "t.csv",
    "lightning": "metrics.csv",
    "tensorboard": "events.out.tfevents.1",
    "wandb": "run-a.wandb",
    "wandb_export": "runs.json",
    "huggingface": "trainer_state.json",
    "mlflow": "mlflow.db",
}
"""What a file of each format is called."""
CELLS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.integers(10**307, 10**310),
    st.floats(),
    st.text(max_size=5),
    st.sampled_from(["nan", "inf", "-", "12", "\ud800", "None"]),
)
VALUES = st.recursive(
    CELLS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3), max_leaves=6
)  # fmt: skip
NAMES = st.sampled_from(
    ["run", "step", "_step", "run_id", "last", "file", "name", "logged/step", "loss", "é", ""]
)
ROWS = st.lists(st.dictionaries(NAMES, VALUES, max_size=5), min_size=1, max_size=8)
CSV_CELLS = st.text(st.sampled_from(string.digits + ".-eE naNIinfx"), max_size=4)


def test_names_are_distinct_and_each_is_found() -> None:
    assert [importer.name for importer in importers.ALL] == list(dict.fromkeys(i.name for i in importers.ALL))
    assert set(FILES) == {importer.name for importer in importers.ALL}
    for importer in importers.ALL:
        assert importers.find(importer.name) is importer
        assert len(importer.summary.splitlines()) == 1
    with pytest.raises(InputError, match="no importer 'excel'; known: table, wide, lightning"):
        importers.find("excel")


@pytest.mark.parametrize("name", FILES)
def test_what_is_not_there_is_named(name: str, refused, tmp_path: Path) -> None:
    read = importers.find(name).read
    assert "none does not exist; expected" in refused(lambda: read([tmp_path / "none"], Choices()))
    assert "holds no" in refused(lambda: read([tmp_path], Choices()))


def accounted(name: str, path: Path, choices: Choices | None = None) -> None:
    """Import a file; either every entry is accounted for and the tables can be written, or one line says why not."""
    try:
        found = importers.find(name).read([path], choices or Choices())
    except InputError as error:
        assert str(error)
        assert "\n" not in str(error)
        return
    assert found.read == found.kept + sum(skipped.count for skipped in found.skipped)
    table = joined(found)
    assert len(table) == len(found.history) + (~found.runs["run_id"].isin(found.history["run_id"])).sum()
    assert table["last"].groupby(table["run_id"]).sum().max() <= 1
    for written, frame in zip(
        save(path.parent / "out", found, table), (found.runs, found.history, table), strict=True
    ):
        assert len(pd.read_parquet(written)) == len(frame)


@pytest.mark.parametrize("name", FILES)
@settings(max_examples=25, deadline=None)
@given(
    content=st.one_of(
        st.binary(max_size=200), st.text(max_size=60).map(lambda text: text.encode("utf-8", "replace"))
    )
)
def test_garbage_is_refused_in_one_line(name: str, content: bytes, tmp_path_factory) -> None:
    path = tmp_path_factory.mktemp("garbage") / FILES[name]
    path.write_bytes(content)
    accounted(name, path)


@settings(max_examples=150, deadline=None)
@given(rows=ROWS, name=st.sampled_from(["table", "wandb_export", "huggingface"]))
def test_every_row_of_json_is_accounted_for(
    rows: list[dict[str, object]], name: str, tmp_path_factory
) -> None:
    path = tmp_path_factory.mktemp("rows") / FILES[name]
    if name == "table":
        path.write_text("\n".join(map(json.dumps, rows)))
    else:
        path.write_text(
            json.dumps(rows if name == "wandb_export" else {"log_history": rows, "global_step": 1})
        )
    accounted(name, path)


@settings(max_examples=100, deadline=None)
@given(
    header=st.lists(st.sampled_from(["step", "Step", "a", "b - loss", "c - loss", "run", "epoch"]), unique=True, min_size=1),
    cells=st.lists(st.lists(CSV_CELLS, min_size=7, max_size=7), min_size=1, max_size=5),
    name=st.sampled_from(["wide", "lightning", "table", "wandb_export"]),
)  # fmt: skip
def test_every_cell_of_csv_is_accounted_for(header, cells, name: str, tmp_path_factory) -> None:
    path = tmp_path_factory.mktemp("cells") / ("metrics.csv" if name == "lightning" else "t.csv")
    lines = [header, *(row[: len(header)] for row in cells)]
    path.write_text("\n".join(",".join(line) for line in lines))
    accounted(name, path)


@settings(max_examples=300, deadline=None)
@given(content=st.binary(max_size=80))
def test_bytes_are_fields_or_damaged(content: bytes, tmp_path_factory) -> None:
    path = tmp_path_factory.getbasetemp() / "bytes"
    path.write_bytes(content)
    for read in (lambda: fields(content), lambda: block_records(content, 7), lambda: tf_records(path)):
        try:
            list(read())
        except DamagedError as error:
            assert str(error)
