"""RL under real kills: a worker that dies at a random step changes no row and no weight; five times in `make prove`."""

import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pandas as pd
import pytest

from scaling.records.columns import TABLES, TIME_COLUMNS
from scaling.records.spec import RLSpec, kind_of
from scaling.records.store import Store

STUDY = '''
"""A short pretraining run, RL from it, and samples of both."""
from scaling.records import recipe, rl_recipe
from scaling.study import Preset, Study


def specs():
    data = rl_recipe.traces("s5", [1, 2], ["1", "direct"])
    (start,) = recipe.whole_runs(recipe.llama(16, 53, 48), data, [144000], batch_tokens=480, seed=0)
    learned = rl_recipe.learning(
        start, "s5", [1, 2], 60, max_tokens=24, seed=0, checkpoints=range(4, 61, 4), prompts=6, group=8, staleness=1
    )
    asked = dict(max_tokens=24, problems=1, each=8, seed=0)
    samples = [rl_recipe.samples(learned, "s5", 2, ["free", "asked 1"], step=step, **asked) for step in (8, 60)]
    return [start, learned, *samples]


STUDY = Study("tiny", "Does it run?", (Preset("cpu", "seconds", specs),), lambda records: {}, ())
'''


def started(home: Path, out: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "scaling.cli", "run", "tiny.py", "--workers", "1", "--out", out],
        cwd=home, env={**os.environ, "COLUMNS": "200"}, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        start_new_session=True,
    )  # fmt: skip


def rl_folder(store: Path) -> Path | None:
    for path in store.glob("*/spec.json"):
        if json.loads(path.read_text())["kind"] == "rl":
            return path.parent
    return None


@pytest.mark.parametrize("kills", [1, pytest.param(5, marks=pytest.mark.prove)])
def test_rl_killed_again_and_again_ends_with_the_same_rows(kills: int, tmp_path: Path) -> None:
    (tmp_path / "tiny.py").write_text(STUDY)
    store = tmp_path / "killed" / "tiny" / "cpu" / "store"
    chance = random.Random(kills)
    steps = []
    for turn in range(kills):
        process = started(tmp_path, "killed")
        wanted = 2 + turn * 3  # states kept before this kill
        deadline = time.monotonic() + 120
        while len(list(store.glob("*/state-*.pt"))) < wanted:
            assert process.poll() is None, process.communicate()[1]
            assert time.monotonic() < deadline
            time.sleep(0.01)
        time.sleep(chance.uniform(0, 0.1))
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
        folder = rl_folder(store)
        assert folder is not None
        assert not (folder / "done.json").exists(), "the kill must fall into the run"
        steps.append(max(int(path.stem.partition("-")[2]) for path in folder.glob("state-*.pt")))
    assert steps == sorted(set(steps)), "every kill fell further on"
    for out in ("killed", "whole"):
        process = started(tmp_path, out)
        error = process.communicate(timeout=200)[1]
        assert process.returncode == 0, error
    one, other = (
        {name: pd.read_parquet(file) for name in (t.name for t in TABLES)
         if (file := tmp_path / out / "tiny" / "cpu" / "records" / f"{name}.parquet").is_file()}
        for out in ("killed", "whole")
    )  # fmt: skip
    assert list(one) == list(other) == [table.name for table in TABLES]
    for name, rows in one.items():
        pd.testing.assert_frame_equal(
            rows.drop(columns=[*TIME_COLUMNS], errors="ignore"),
            other[name].drop(columns=[*TIME_COLUMNS], errors="ignore"),
        )
    found = Store(store)
    kinds = {path.parent.name: kind_of(found.spec(path.parent.name)) for path in store.glob("*/spec.json")}
    learned = next(run for run, kind in kinds.items() if kind == "rl")
    assert isinstance(found.spec(learned), RLSpec)
    weights = [
        root / learned / "model" / "model.safetensors" for root in (store, tmp_path / "whole/tiny/cpu/store")
    ]
    assert weights[0].read_bytes() == weights[1].read_bytes()
