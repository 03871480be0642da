"""Reports from stored records: the same bytes everywhere, and nothing of the training half is needed."""

import os
import subprocess
from pathlib import Path

import pytest

BLOCK = '''
"""Makes the training half's libraries impossible to import."""
import sys


class Block:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {"torch", "lightning", "transformers", "tokenizers", "safetensors", "psutil"}:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)


sys.meta_path.insert(0, Block())
'''


@pytest.fixture(scope="session")
def base_install(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Return an environment in which the training half's libraries cannot be imported."""
    folder = tmp_path_factory.mktemp("base")
    (folder / "sitecustomize.py").write_text(BLOCK)
    return {"PYTHONPATH": str(folder)}


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def other_locale() -> str:
    """Return a locale of this system with other letters or a decimal comma, else the plainest."""
    try:
        known = subprocess.run(["locale", "-a"], capture_output=True, text=True, check=True).stdout.split()
    except (OSError, subprocess.CalledProcessError):
        return "C"
    return next((name for name in known if name.startswith(("de_", "fr_", "tr_", "ru_"))), "C")


def test_the_same_records_give_the_same_bytes_everywhere(home, ok, base_install, tmp_path: Path) -> None:
    ok(home.run("report", "whole.py", "--out", "first"))
    whole = contents(home.path / "first")
    assert {"index.html", "index.md", "results.json"} < set(whole)
    assert any(name.endswith(".svg") for name in whole)
    study, records = home.path / "whole.py", home.records
    elsewhere = tmp_path / "else where"
    elsewhere.mkdir()
    env = {
        "TZ": "Asia/Tokyo",
        "LC_ALL": other_locale(),
        "PYTHONHASHSEED": "1",
        "COLUMNS": "40",
        **base_install,
    }
    umask = os.umask(0o077)
    try:
        ok(
            home.run(
                "report", study, "--records", records, "--out", elsewhere / "out", env=env, cwd=elsewhere
            )
        )
    finally:
        os.umask(umask)
    assert contents(elsewhere / "out") == whole


def test_the_reading_half_needs_nothing_of_the_training_half(home, rows, ok, one_line, base_install) -> None:
    rows.to_csv(home.path / "t.csv", index=False)
    ok(home.run("fit", "t.csv", "--law", "chinchilla", "--bootstrap", 20, env=base_install))
    out = ok(home.run("list", env=base_install))
    assert all(word in out for word in ("laws", "corpora", "studies", "chinchilla", "python", "isoflop"))
    assert "12 runs" in ok(home.run("plan", "tiny.py", env=base_install))
    assert "report: " in ok(home.run("run", "tiny.py", env=base_install)), (
        "nothing is missing, so nothing is trained"
    )
    other = home.run("run", "tiny.py", "--out", "other", env=base_install)
    one_line(other, 2, "12 runs are missing", "pip install 'scaling-suite[train]'")
