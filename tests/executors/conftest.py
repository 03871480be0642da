"""A study on a small text, run by the real command line in a folder of its own."""

import os
import random
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

STUDY = '''
"""Two trees of two branches."""
from scaling import corpora
from scaling.records import recipe
from scaling.records.spec import CorpusData
from scaling.study import Preset, Study


def specs():
    ready = corpora.load("files:text/*.txt")
    data = CorpusData(ready.name, ready.sha256)
    model = recipe.llama(16, 256, 32)
    grids = [recipe.tree(model, data, [25600, 51200], batch_tokens=128, seed=seed) for seed in (0, 1)]
    return [spec for grid in grids for spec in grid]


STUDY = Study("tiny", "Does it run?", (Preset("cpu", "seconds", specs),), lambda records: {}, ())
'''


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """Return a working directory that holds a study and its text."""
    text = tmp_path / "text"
    text.mkdir()
    words = random.Random(0)
    for number in range(60):
        lines = (" ".join(words.choice(["law", "of", "scale", "loss"]) for _ in range(9)) for _ in range(60))
        (text / f"{number}.txt").write_text(f"{number}\n" + "\n".join(lines))
    (tmp_path / "tiny.py").write_text(STUDY)
    return tmp_path


@pytest.fixture
def command(home: Path) -> Iterator[Callable[..., subprocess.Popen[str]]]:
    """Yield a starter of ``scaling`` commands in the working directory."""
    started: list[subprocess.Popen[str]] = []

    def start(*arguments: str) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [sys.executable, "-m", "scaling.cli", *arguments],
            cwd=home,
            env={**os.environ, "SCALING_CACHE": str(home / "cache"), "COLUMNS": "200"},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        started.append(process)
        return process

    yield start
    for process in started:
        process.kill()
        process.communicate()
