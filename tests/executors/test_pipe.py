"""Between worker and parent: what libraries print, also below Python, is logged and breaks no line."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from scaling import corpora
from scaling.executors import local
from scaling.executors.claims import Claims
from scaling.records.spec import CorpusData, CountingSpec
from scaling.records.store import Store

NOISE = """
import os, sys

class Printer:
    def find_spec(self, name, path=None, target=None):
        if name == "scaling.training.work":
            os.write(1, b"a library at work, without an end of line; ")

sys.meta_path.insert(0, Printer())
os.write(1, b"a library as it loads\\n")
os.write(1, b"7\\n")
"""


@pytest.fixture
def claims(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Claims:
    """A queue of one short run, and libraries that print in every process that starts."""
    (tmp_path / "noise").mkdir()
    (tmp_path / "noise" / "sitecustomize.py").write_text(NOISE)
    path = [str(tmp_path / "noise"), *filter(None, [os.environ.get("PYTHONPATH")])]
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(path))
    monkeypatch.setenv("SCALING_CACHE", str(tmp_path / "cache"))
    text = corpora.load("santa_fe")
    claims = Claims(Store(tmp_path / "store").open())
    claims.enqueue([CountingSpec(CorpusData(text.name, text.sha256), 3, (1000,), 2**14, 0)])
    return claims


def test_a_worker_says_json_and_nothing_else(claims: Claims) -> None:
    (run_id,) = claims.unfinished()
    worker = [sys.executable, "-m", "scaling.executors.worker", str(claims.store.root), claims.owner, "cpu"]
    process = subprocess.Popen(
        worker, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    with process:
        said = process.stdout.read().splitlines()
        printed = process.stderr.read()
    assert process.returncode == 0, printed
    assert said[:2] == ["a library as it loads", "7"]
    assert [json.loads(line) for line in said[2:]] == [
        {"event": "begin", "run_id": run_id},
        {"event": "end", "run_id": run_id},
    ]
    assert "a library at work" in printed


def test_a_parent_logs_what_is_no_line_of_ours(claims: Claims) -> None:
    local.run(claims, ["cpu"], watch=lambda said: None)
    assert claims.unfinished() == []
    log = (claims.store.root / "workers.log").read_text()
    assert all(words in log for words in ("a library as it loads\n", "7\n", "a library at work"))
