"""Launching a grid: where its runs go, what the display says of them, and what it lacks on this machine."""

import os
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
import torch
from rich.console import Console

from scaling.errors import InputError
from scaling.executors import local
from scaling.launch import EXTRA, Display, in_order, launch
from scaling.records import recipe
from scaling.records.cost import CORE, GPU, predicted_seconds
from scaling.records.spec import CorpusData, CountingSpec, spec_id
from scaling.records.store import Store

DATA = CorpusData("python", "ab" * 32)
TRUNK, BRANCH = recipe.tree(recipe.llama(16, 256, 32), DATA, [128000], batch_tokens=128, seed=0)
COUNTING = CountingSpec(CorpusData("santa_fe", "ab" * 32), 5, (10**8, 10**9), 2**20, 0)


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "store").open()


def gpus(monkeypatch: pytest.MonkeyPatch, count: int) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: count > 0)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: count)


def test_a_preset_runs_on_what_it_is_sized_for(monkeypatch: pytest.MonkeyPatch) -> None:
    gpus(monkeypatch, 2)
    assert set(local.devices("cpu")) == {"cpu"}
    assert local.devices("cuda") == ["cuda:0", "cuda:1"]


def test_a_gpu_preset_without_a_gpu_says_what_to_do(monkeypatch: pytest.MonkeyPatch, store: Store) -> None:
    gpus(monkeypatch, 0)
    with pytest.raises(InputError, match=r"sized for a CUDA GPU.*finds none here, only \d+ cores; run on"):
        launch([TRUNK], store, Console(quiet=True), device="cuda")
    assert not (store.root / "claims.sqlite").exists()


def test_runs_are_ordered_by_their_length_on_the_device() -> None:
    wide = recipe.trunk(recipe.llama(128, 256, 32), DATA, 300, batch_tokens=1024, seed=0)
    narrow = recipe.trunk(recipe.llama(16, 256, 32), DATA, 600, batch_tokens=1024, seed=0)
    assert in_order([narrow, wide], CORE) == [wide, narrow]
    assert in_order([wide, narrow], GPU) == [narrow, wide]


def test_the_longest_chain_starts_first_and_what_is_needed_stands_before_what_needs_it() -> None:
    model = recipe.llama(32, 256, 32)
    trees = [recipe.tree(model, DATA, [10**6, 2 * 10**6], batch_tokens=1024, seed=seed) for seed in (0, 1)]
    short = recipe.trunk(model, DATA, 300, batch_tokens=1024, seed=2)
    found = in_order([*trees[0], short, *trees[1]], CORE)
    assert {found[0], found[1]} == {trees[0][0], trees[1][0]}, "no trunk waits for another's branches"
    for tree in trees:
        assert all(found.index(tree[0]) < found.index(branch) for branch in tree[1:])


def test_tokens_of_an_earlier_sitting_are_not_counted_in_this_one(store: Store) -> None:
    display = Display([TRUNK, BRANCH], store, Console(quiet=True), CORE)
    run_id, tokens = spec_id(TRUNK), TRUNK.tokens
    said = local.Progress(first={run_id: tokens // 2}, tokens={run_id: tokens * 3 // 4})
    done, worked, trained = display.so_far(said)
    assert trained == tokens // 4
    assert done == pytest.approx(0.75 * predicted_seconds(TRUNK, CORE))
    assert worked == pytest.approx(0.25 * predicted_seconds(TRUNK, CORE))


def test_counting_learners_are_work_done_and_no_tokens_a_second(store: Store) -> None:
    display = Display([TRUNK, COUNTING], store, Console(quiet=True), CORE)
    display.done.add(spec_id(COUNTING))
    said = local.Progress(first={spec_id(TRUNK): 0}, tokens={spec_id(TRUNK): 1280})
    done, worked, trained = display.so_far(said)
    assert trained == 1280
    assert done == worked > predicted_seconds(COUNTING, CORE)


@pytest.mark.parametrize("missing", ["torch", "lightning", "psutil"])
def test_the_base_install_names_the_extra(missing: str, tmp_path: Path) -> None:
    (tmp_path / "study.py").write_text(
        "from scaling.records.spec import CorpusData, CountingSpec\n"
        "from scaling.study import Preset, Study\n"
        "specs = lambda: [CountingSpec(CorpusData('santa_fe', 'ab' * 32), 5, (1000,), 2**20, 0)]\n"
        "STUDY = Study('tiny', 'Does it run?', (Preset('cpu', 'one', specs),), lambda records: {}, ())\n"
    )
    (tmp_path / "sitecustomize.py").write_text(
        "import sys\n"
        "class Block:\n"
        "    def find_spec(self, name, path=None, target=None):\n"
        f"        if name.partition('.')[0] == {missing!r}:\n"
        "            raise ModuleNotFoundError(name)\n"
        "sys.meta_path.insert(0, Block())\n"
    )
    path = os.pathsep.join([str(tmp_path), *filter(None, [os.environ.get("PYTHONPATH")])])
    ran = subprocess.run(
        [sys.executable, "-m", "scaling.cli", "run", "study.py"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": path},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 2
    assert ran.stderr == (
        "scaling: 1 runs are missing and training needs the extra: pip install 'scaling-suite[train]' "
        f"(no {missing} here)\n"
    )


def test_the_extra_is_what_launch_looks_for_and_the_lock_is_no_part_of_it() -> None:
    project = tomllib.loads((Path(__file__).parents[1] / "pyproject.toml").read_text())["project"]
    extra = {need.partition(">=")[0] for need in project["optional-dependencies"]["train"]}
    assert extra == set(EXTRA)
    assert "filelock" in {need.partition(">=")[0] for need in project["dependencies"]}
