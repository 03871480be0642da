"""Where the answer goes: --json never harms what is there, and neither of the two outputs takes the other along."""

import json
import os
import stat
import subprocess
import sys
import threading
from pathlib import Path

import pytest

FIT = ("fit", "t.csv", "--law", "chinchilla", "--bootstrap", "20", "--json")


@pytest.fixture(autouse=True)
def table(tmp_path: Path, rows) -> Path:
    path = tmp_path / "t.csv"
    rows.to_csv(path, index=False)
    return path


def schema(path: Path) -> str:
    return json.loads(path.read_text())["schema"]


def test_the_table_is_never_overwritten(command, one_line, tmp_path: Path, table: Path) -> None:
    before = table.read_bytes()
    (tmp_path / "link.csv").symlink_to("t.csv")
    (tmp_path / "twin.csv").hardlink_to(table)
    for name in ("t.csv", "./t.csv", "link.csv", "twin.csv"):
        one_line(command(*FIT, name), 2, f"--json {Path(name)} is the table that is read; give another file")
    assert table.read_bytes() == before


def test_a_link_is_followed(command, ok, one_line, tmp_path: Path) -> None:
    (tmp_path / "fit.json").write_text("old")
    for name, target in (
        ("link.json", "fit.json"),
        ("new.json", "later.json"),
        ("lost.json", "none/fit.json"),
    ):
        (tmp_path / name).symlink_to(target)
    ok(command(*FIT, "link.json"))
    ok(command(*FIT, "new.json"))
    one_line(command(*FIT, "lost.json"), 2, "none does not exist; create the folder first")
    assert all((tmp_path / name).is_symlink() for name in ("link.json", "new.json", "lost.json"))
    assert schema(tmp_path / "fit.json") == schema(tmp_path / "later.json") == "scaling.fit/1"


def test_a_pipe_and_a_device_are_written_into(command, ok, tmp_path: Path) -> None:
    pipe, heard = tmp_path / "pipe", []
    os.mkfifo(pipe)
    reader = threading.Thread(target=lambda: heard.append(pipe.read_text()), daemon=True)
    reader.start()
    ok(command(*FIT, "pipe"))
    reader.join(60)
    assert json.loads(heard[0])["schema"] == "scaling.fit/1"
    assert stat.S_ISFIFO(pipe.stat().st_mode)
    (tmp_path / "nothing").symlink_to(
        "/dev/null"
    )  # a rename would take the link's place, and leave the device
    ok(command(*FIT, "nothing"))
    assert (tmp_path / "nothing").readlink() == Path("/dev/null")
    assert stat.S_ISCHR(Path("/dev/null").stat().st_mode)


def run_into(stdout: object, folder: Path, *arguments: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-m", "scaling.cli", *arguments],
        cwd=folder,
        stdout=stdout,
        stderr=subprocess.PIPE,
        text=True,
        check=False,
    )


def test_the_fit_is_on_disk_before_its_summary_is_printed(tmp_path: Path) -> None:
    into, out_of = os.pipe()
    os.close(into)  # as | true does
    assert run_into(out_of, tmp_path, *FIT, "fit.json").stderr == ""
    os.close(out_of)
    assert schema(tmp_path / "fit.json") == "scaling.fit/1"


def test_a_full_disk_below_one_output_leaves_the_other(command, one_line, tmp_path: Path) -> None:
    if not Path("/dev/full").exists():
        pytest.skip("this system has no /dev/full")
    with Path("/dev/full").open("w") as full:
        assert run_into(full, tmp_path, *FIT, "fit.json").returncode == 1
    assert schema(tmp_path / "fit.json") == "scaling.fit/1"
    run = command(*FIT, "/dev/full")
    one_line(run, 1, "make room")
    assert "status: " in run.stdout


def test_the_summary_and_the_fit_do_not_share_a_file(tmp_path: Path) -> None:
    with (tmp_path / "out").open("w") as out:
        run = run_into(out, tmp_path, *FIT, "out")
    assert run.returncode == 2
    assert run.stderr == "scaling: --json out is where the summary is printed; give another file\n"
