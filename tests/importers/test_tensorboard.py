"""Event files as three writers write them, checked against TensorBoard's own reader."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

TORCH = """
import numpy as np
from torch.utils.tensorboard import SummaryWriter
for run, width in (("small", 64), ("large", 128)):
    writer = SummaryWriter(f"tb/{run}")
    for step in range(0, 50, 10):
        writer.add_scalar("train/loss", 5 / (1 + step), step)
        writer.add_scalar("eval/loss", 6 / (1 + step), step, new_style=True)
        writer.add_scalar("exact", 1 / 3 + step, step, new_style=True, double_precision=True)
    writer.add_scalar("zero", 0.0, 40)
    writer.add_scalar("tokens", 2.0**40, 40)
    writer.add_scalar("gone", float("nan"), 40)
    writer.add_histogram("weights", np.arange(9), 40)
    writer.add_text("note", "hello", 40)
    writer.add_hparams({"width": width, "lr": 0.001, "optimizer": "adam", "tied": True}, {"final": 1.0})
    writer.close()
"""
OTHERS = """
import numpy as np
from tensorboardX import SummaryWriter
writer = SummaryWriter("x/run")
for step in range(3):
    writer.add_scalar("loss", 5 - step, step)
writer.close()
from tensorboard.compat.proto.event_pb2 import Event
from tensorboard.compat.proto.summary_pb2 import Summary
from tensorboard.compat.proto.tensor_pb2 import TensorProto
from tensorboard.summary.writer.event_file_writer import EventFileWriter
from tensorboard.util.tensor_util import make_tensor_proto
own = EventFileWriter("own/run")
kinds = [np.float32(2.5), np.float64(-2.5), np.int32(-3), np.int64(2**40), np.float32(0), np.int32(0)]
for step, number in enumerate(kinds):
    value = Summary.Value(tag="value", tensor=make_tensor_proto(number))
    own.add_event(Event(step=step, summary=Summary(value=[value])))
spelt = [TensorProto(dtype=1, float_val=[1.5]), TensorProto(dtype=9, int64_val=[-7]), TensorProto(dtype=2)]
for step, tensor in enumerate(spelt, start=len(kinds)):
    own.add_event(Event(step=step, summary=Summary(value=[Summary.Value(tag="value", tensor=tensor)])))
vector = Summary.Value(tag="vector", tensor=make_tensor_proto(np.ones(3)))
own.add_event(Event(step=-1, summary=Summary(value=[vector, Summary.Value(tag="value", simple_value=9.0)])))
own.close()
"""
ORACLE = """
import json, sys
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from tensorboard.util.tensor_util import make_ndarray
read = EventAccumulator("tb/small", size_guidance={"scalars": 0, "tensors": 0})
read.Reload()
found = {tag: [(e.step, e.value) for e in read.Scalars(tag)] for tag in read.Tags()["scalars"]}
for tag in ("eval/loss", "exact"):
    found[tag] = [(e.step, float(make_ndarray(e.tensor_proto))) for e in read.Tensors(tag)]
json.dump(found, open("oracle.json", "w"))
"""
MODULES = ("torch", "tensorboard", "tensorboardX")


@pytest.fixture(scope="module")
def torch_logs(written) -> Path:
    return written(TORCH + ORACLE, *MODULES)


@pytest.fixture(scope="module")
def other_logs(written) -> Path:
    return written(OTHERS, *MODULES)


def test_every_scalar_is_what_tensorboard_itself_reads(torch_logs: Path, bring) -> None:
    found = bring("tensorboard", torch_logs / "tb")
    oracle = json.loads((torch_logs / "oracle.json").read_text())
    small = found.history[found.history["run_id"] == "small"].set_index("step")
    assert set(oracle) == {"train/loss", "eval/loss", "exact", "zero", "tokens", "gone"}
    for tag, points in oracle.items():
        for step, value in points:
            np.testing.assert_equal(float(small.loc[[step], tag].iloc[0]), value)
    assert small["tokens"].dropna().tolist() == [2.0**40]


def test_runs_are_folders_and_hyperparameters_their_config(torch_logs: Path, bring) -> None:
    found = bring("tensorboard", torch_logs, from_name="(?P<kind>[a-z]+)$")
    runs = found.runs.set_index("run_id")
    assert sorted(runs.index) == ["large", "small"]
    assert runs["config/width"].to_dict() == {"small": 64, "large": 128}
    assert set(runs["config/lr"]) == {0.001}
    assert set(runs["config/optimizer"]) == {"adam"}
    assert runs["config/tied"].all()
    assert runs["kind"].tolist() == runs.index.tolist()
    assert runs["summary/train/loss"].tolist() == pytest.approx([5 / 41] * 2)
    reasons = [skipped.reason for skipped in found.skipped]
    assert sum("histogram" in reason for reason in reasons) == 2
    assert sum("text" in reason for reason in reasons) == 2


def test_other_writers_and_tensors_of_each_type(other_logs: Path, bring) -> None:
    found = bring("tensorboard", other_logs)
    by_run = dict(iter(found.history.groupby("run_id")))
    assert by_run["x/run"]["loss"].dropna().tolist() == [5, 4, 3]
    own = by_run["own/run"]
    assert own["step"].tolist() == [-1, *range(9)]
    assert own["value"].tolist() == [9, 2.5, -2.5, -3, 2**40, 0, 0, 1.5, -7, 0]
    assert [s.where.rpartition(", ")[2] for s in found.skipped] == ["vector"]


@pytest.mark.parametrize("cut", [1, 5, 13, 100])
def test_a_file_that_ends_in_the_middle_gives_what_came_before(torch_logs, bring, tmp_path, cut: int) -> None:
    whole = next((torch_logs / "tb" / "small").glob("events*"))
    (tmp_path / "cut").mkdir()
    (tmp_path / "cut" / whole.name).write_bytes(whole.read_bytes()[:-cut])
    found = bring("tensorboard", tmp_path / "cut")
    assert found.kept >= 10
    assert "the file ends inside a record at byte" in found.skipped[-1].reason


def test_a_flipped_bit_is_never_a_number(torch_logs, bring, refused, tmp_path) -> None:
    content = bytearray(next((torch_logs / "tb" / "small").glob("events*")).read_bytes())
    whole = bring("tensorboard", torch_logs / "tb" / "small")
    content[len(content) // 2] ^= 4
    (tmp_path / "events.out.tfevents.1").write_bytes(content)
    found = bring("tensorboard", tmp_path)
    assert 0 < found.kept < whole.kept
    assert "is damaged, and the rest is not read" in found.skipped[-1].reason
    content[9] ^= 1
    (tmp_path / "events.out.tfevents.1").write_bytes(content)
    assert "the record at byte 0 is damaged" in refused(lambda: bring("tensorboard", tmp_path))


def test_a_restart_with_other_values_keeps_both(torch_logs, bring, tmp_path) -> None:
    for number, run in enumerate(("small", "large")):
        source = next((torch_logs / "tb" / run).glob("events*"))
        shutil.copy(source, tmp_path / f"events.out.tfevents.{number}")
    found = bring("tensorboard", tmp_path)
    assert len(found.runs) == 1
    assert any("say what a row of their step says already" in note for note in found.notes)
