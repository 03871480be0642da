import errno
import json
import os
from pathlib import Path

import pytest

from scaling.errors import InputError
from scaling.reporting import folder


def files(*names: str, text: str = "new") -> dict[str, str]:
    listed = sorted([*names, "results.json"])
    return dict.fromkeys(names, text) | {
        "results.json": json.dumps({"schema": folder.SCHEMA, "files": listed})
    }


def read_all(directory: Path) -> dict[str, str]:
    return {str(p.relative_to(directory)): p.read_text() for p in directory.rglob("*") if p.is_file()}


def test_a_new_report_replaces_the_old_one_and_leaves_what_is_not_a_reports(tmp_path):
    old = files("index.html", "figures/old.svg", "tables/old.csv", text="old")
    folder.replace(tmp_path, old)
    (tmp_path / "notes.txt").write_text("mine")
    (tmp_path / "tables/mine.csv").write_text("mine")
    folder.check(tmp_path)
    new = files("index.html", "tables/new.csv")
    folder.replace(tmp_path, new)
    assert read_all(tmp_path) == new | {"notes.txt": "mine", "tables/mine.csv": "mine"}
    assert not (tmp_path / "figures").exists()


def test_a_list_of_files_that_points_elsewhere_deletes_nothing(tmp_path):
    (tmp_path / "precious.txt").write_text("mine")
    (tmp_path / "report").mkdir()
    listed = ["../precious.txt", "figures/../../precious.txt", "notes.txt"]
    (tmp_path / "report/results.json").write_text(json.dumps({"schema": folder.SCHEMA, "files": listed}))
    (tmp_path / "report/notes.txt").write_text("mine")
    folder.replace(tmp_path / "report", files("index.html"))
    assert (tmp_path / "precious.txt").exists() and (tmp_path / "report/notes.txt").exists()


@pytest.mark.parametrize(
    "results", [None, "not json", "{}", "[]", '{"schema": "other/1", "files": []}', '{"schema": 1}']
)
def test_a_folder_with_something_else_in_it_is_refused(tmp_path, results):
    (tmp_path / "thesis.tex").write_text("mine")
    if results is not None:
        (tmp_path / "results.json").write_text(results)
    with pytest.raises(InputError, match=r"has files but no report .*: give a new or empty folder"):
        folder.check(tmp_path)


def test_a_file_in_the_reports_place_is_refused(tmp_path):
    path = tmp_path / "report"
    path.write_text("mine")
    with pytest.raises(InputError, match="report is a file, a report needs a folder: give another path"):
        folder.check(path)
    with pytest.raises(InputError, match="cannot write the report"):
        folder.replace(path / "below", files("index.html"))
    assert path.read_text() == "mine"


def test_an_empty_folder_and_what_a_killed_writer_left_are_fine(tmp_path):
    (tmp_path / ".writing-1/figures").mkdir(parents=True)
    (tmp_path / ".writing-1/figures/half.svg").write_text("ha")
    os.utime(tmp_path / ".writing-1", (0, 0))
    folder.check(tmp_path)
    folder.replace(tmp_path, files("index.html"))
    assert read_all(tmp_path) == files("index.html")


@pytest.mark.parametrize("failing", ["index.html", "results.json", "tables/a.csv"])
def test_a_full_disk_leaves_the_old_report_whole(tmp_path, monkeypatch, failing):
    old = files("index.html", "tables/a.csv", text="old")
    folder.replace(tmp_path, old)
    write_bytes = Path.write_bytes

    def full(path, data):
        if str(path).endswith(failing):
            write_bytes(path, data[:1])
            raise OSError(errno.ENOSPC, "No space left on device")
        return write_bytes(path, data)

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(
        InputError, match=r"cannot write the report to .*: No space left on device; make room there"
    ):
        folder.replace(tmp_path, files("index.html", "tables/a.csv"))
    assert read_all(tmp_path) == old
    monkeypatch.undo()
    folder.replace(tmp_path, files("index.html"))
    assert read_all(tmp_path) == files("index.html")


def test_a_failed_first_write_leaves_no_report(tmp_path, monkeypatch):
    monkeypatch.setattr(
        Path, "write_bytes", lambda path, data: (_ for _ in ()).throw(OSError(errno.EIO, "I/O"))
    )
    with pytest.raises(InputError, match="I/O"):
        folder.replace(tmp_path / "new", files("index.html"))
    monkeypatch.undo()
    folder.check(tmp_path / "new")
    assert read_all(tmp_path) == {}
