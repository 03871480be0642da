"""Files where folders should be, folders that are somebody else's, and disks that cannot be written."""

import json
import shutil
from pathlib import Path

import pytest


@pytest.mark.parametrize("wrong", ["runs", "runs/tiny", "runs/tiny/cpu/store"])
def test_a_file_where_a_folder_should_be_is_named(home, one_line, wrong: str) -> None:
    shutil.rmtree(home.path / "runs")
    (home.path / wrong).parent.mkdir(parents=True, exist_ok=True)
    (home.path / wrong).write_text("mine")
    one_line(home.run("run", "tiny.py"), 2, f"{wrong} is a file where a folder should be; move it away")
    assert (home.path / wrong).read_text() == "mine"


def test_a_file_where_a_runs_folder_should_be_is_named(home, one_line) -> None:
    folder = next(home.store.glob("*/done.json")).parent
    shutil.rmtree(folder)
    folder.write_text("mine")
    one_line(home.run("run", "tiny.py"), 2, folder.name, "is a file where a folder should be")
    assert folder.read_text() == "mine"


def test_a_file_where_the_corpus_cache_should_be_is_named(home, one_line) -> None:
    (home.path / "cache").write_text("mine")
    env = {"SCALING_CACHE": str(home.path / "cache")}
    one_line(home.run("plan", "tiny.py", env=env), 2, "cannot write the corpus cache", "SCALING_CACHE")


def test_a_report_never_takes_the_place_of_other_files(home, one_line) -> None:
    (home.path / "notes").mkdir()
    (home.path / "notes" / "index.html").write_text("mine")
    report = ("report", "tiny.py", "--out")
    one_line(home.run(*report, "notes"), 2, "notes has files but no report")
    one_line(home.run(*report, "notes/index.html"), 2, "index.html is a file, a report needs a folder")
    one_line(
        home.run(*report, "notes/index.html/below"), 2, "cannot write the report to", "give another folder"
    )
    assert (home.path / "notes" / "index.html").read_text() == "mine"


def test_a_folder_that_may_not_be_written_is_named(home, disk, one_line) -> None:
    folder = disk.unwritable()
    one_line(home.run("run", "tiny.py", "--out", folder), 2, str(folder), "check that path or give another")
    one_line(home.run("report", "tiny.py", "--out", folder / "report"), 2, "cannot write the report to")


def test_records_that_are_not_whole_are_named(home, one_line) -> None:
    report = ("report", "tiny.py", "--records")
    one_line(home.run(*report, "none"), 2, "none is no folder of records")
    whole = {path.name: path.read_bytes() for path in home.records.iterdir()}

    def spoilt(name: str, content: bytes | None) -> Path:
        folder = home.path / "spoilt"
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        for other, kept in whole.items():
            (folder / other).write_bytes(kept)
        (folder / name).unlink()
        if content is not None:
            (folder / name).write_bytes(content)
        return folder

    one_line(home.run(*report, spoilt("manifest.json", None)), 2, "has no manifest.json", "run the study")
    one_line(home.run(*report, spoilt("manifest.json", b"")), 2, "manifest.json is damaged")
    one_line(home.run(*report, spoilt("runs.parquet", None)), 2, "runs.parquet is not what the manifest says")
    one_line(
        home.run(*report, spoilt("steps.parquet", whole["steps.parquet"][:-9])),
        2,
        "steps.parquet is not what",
    )
    manifest = json.loads(whole["manifest.json"])
    for hashes in ({}, {k: v for k, v in manifest["sha256"].items() if k != "evals.parquet"}, [], None):
        spoilt_manifest = json.dumps(manifest | {"sha256": hashes}).encode()
        one_line(home.run(*report, spoilt("manifest.json", spoilt_manifest)), 2, "manifest.json is damaged")
    one_line(home.run(*report, spoilt("manifest.json", b"[" * 100_000)), 2, "manifest.json is damaged")
    other = whole["manifest.json"].replace(b'"tiny"', b'"other"')
    one_line(
        home.run(*report, spoilt("manifest.json", other)),
        2,
        "holds records of other (cpu), not of tiny (cpu)",
    )
