"""RL that ends at a budget of FLOPs: at the step nearest to it, whatever stops or kills the run before."""

import dataclasses
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from rl_case import STEPS, copied, rows_of

from scaling.records import rl_recipe
from scaling.records.sampled import COMPONENTS
from scaling.records.spec import RLSpec, spec_id, to_json
from scaling.records.store import Store
from scaling.records.tables import Records
from scaling.training import rl_run, sampling_run


@pytest.mark.parametrize("part", [0.01, 0.3, 0.55, 2.0])
def test_a_run_with_a_budget_ends_at_the_step_nearest_to_it(
    started: tuple[Store, RLSpec],
    tmp_path: Path,
    part: float,
    same_rows: Callable[[Records, Records], None],
) -> None:
    spec = dataclasses.replace(started[1], checkpoints=(STEPS,))
    every = rows_of(spec, copied(started, tmp_path / "every")).steps
    spent_by = every[list(COMPONENTS)].sum(axis=1).to_numpy()
    budget = int(part * spent_by[-1])
    limited = dataclasses.replace(spec, budget_flops=budget)
    store = copied(started, tmp_path / "limited")
    found = rows_of(limited, store)
    taken = len(found.steps)
    reached = np.flatnonzero(spent_by + np.diff(spent_by, prepend=0) / 2 >= budget)
    assert taken == (reached[0] + 1 if len(reached) else STEPS)
    same = [name for name in every if name not in ("run_id", "seconds", "verifier_seconds")]
    pd.testing.assert_frame_equal(found.steps[same], every[same].head(taken))
    assert found.checkpoints["step"].tolist() == [taken]

    stopped = copied(started, tmp_path / "stopped")
    sittings = 1
    while not rl_run.run(limited, stopped, stop=lambda: True):
        sittings += 1
    assert sittings == taken, "every sitting was one step, and none came after the end"
    same_rows(stopped.rows(spec_id(limited)), found)

    asked = rl_recipe.samples(limited, "s5", 2, ["free"], max_tokens=24, problems=3, each=2)
    assert sampling_run.run(asked, store)
    assert store.rows(spec_id(asked)).evals["step"].tolist() == [taken]


SITTING = """
import os, signal, sys
from pathlib import Path
from scaling.records.spec import from_json
from scaling.records.store import Store
from scaling.training import callbacks, rl_run

root, spec, unwritten = sys.argv[1:]
callbacks.SAVE_SECONDS = 0.0
if unwritten:
    Store.finish = lambda *_: os.kill(os.getpid(), signal.SIGKILL)
rl_run.run(from_json(spec), Store(Path(root)), stop=lambda: print("step", flush=True))
"""
"""One sitting that says when an update is done, keeps a state after each, and may die just before its rows are written."""


@pytest.mark.prove
def test_a_run_with_a_budget_killed_again_and_again_ends_at_the_same_step(
    started: tuple[Store, RLSpec], tmp_path: Path, same_rows: Callable[[Records, Records], None]
) -> None:
    spec = dataclasses.replace(started[1], steps=60, checkpoints=(60,), staleness=1, budget_flops=2 * 10**9)
    whole, killed = copied(started, tmp_path / "whole"), copied(started, tmp_path / "killed")
    expected = rows_of(spec, whole)
    taken = len(expected.steps)
    assert 20 < taken < 60, "the budget ends the run, not its steps"
    chance = random.Random(0)
    for updates, unwritten in ((5, ""), (6, ""), (taken, "unwritten")):
        with subprocess.Popen(
            [sys.executable, "-c", SITTING, str(killed.root), to_json(spec), unwritten],
            stdout=subprocess.PIPE,
            text=True,
        ) as sitting:
            assert sitting.stdout is not None
            for _ in range(updates):
                sitting.stdout.readline()
            if not unwritten:
                time.sleep(chance.uniform(0, 0.05))
                sitting.kill()
        assert sitting.returncode == -signal.SIGKILL
        assert not (killed.folder(spec_id(spec)) / "done.json").exists()
    same_rows(rows_of(spec, killed), expected)
    one, other = (store.folder(spec_id(spec)) / "model" / "model.safetensors" for store in (whole, killed))
    assert one.read_bytes() == other.read_bytes()
