"""A small text and specs on it, for real training runs of about a second."""

import os
import random
from collections.abc import Callable, Iterator
from pathlib import Path

import pandas as pd
import pytest
import torch
from rl_case import start_of

from scaling import corpora
from scaling.records import recipe
from scaling.records.columns import TABLES, TIME_COLUMNS
from scaling.records.spec import CorpusData, PretrainSpec, RLSpec
from scaling.records.store import Store
from scaling.records.tables import Records

MakeSpec = Callable[..., PretrainSpec]


@pytest.fixture(scope="session")
def text(tmp_path_factory: pytest.TempPathFactory) -> Iterator[CorpusData]:
    """Return some files of words as a corpus; its cache lives as long as the session."""
    folder = tmp_path_factory.mktemp("text")
    words = random.Random(0)
    for number in range(60):
        lines = (
            " ".join(words.choice(["law", "of", "scale", "loss", "fit"]) for _ in range(9))
            for _ in range(150)
        )
        (folder / f"{number}.txt").write_text(f"{number}\n" + "\n".join(lines))
    before = os.environ.get("SCALING_CACHE")
    os.environ["SCALING_CACHE"] = str(tmp_path_factory.mktemp("cache"))
    ready = corpora.load(f"files:{folder}/*.txt")
    yield CorpusData(ready.name, ready.sha256)
    if before is None:
        del os.environ["SCALING_CACHE"]
    else:
        os.environ["SCALING_CACHE"] = before


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    """Sums in one order: what bit-equality is promised for."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture
def trunk(text: CorpusData) -> MakeSpec:
    """Return a maker of trunks of a narrow model."""

    def make(steps: int = 12, *, seed: int = 0, lr_over_recipe: float = 1.0) -> PretrainSpec:
        model = recipe.llama(16, 256, 32)
        return recipe.trunk(
            model, text, steps, batch_tokens=128, seed=seed, lr_over_recipe=lr_over_recipe, warmup_steps=5
        )

    return make


@pytest.fixture
def store(tmp_path: Path) -> Store:
    """Return an empty store."""
    return Store(tmp_path / "store").open()


@pytest.fixture
def same_rows() -> Callable[[Records, Records], None]:
    """Return an assertion that two records are equal in all but times."""

    def check(one: Records, other: Records) -> None:
        for table in TABLES:
            first, second = (
                getattr(r, table.name).drop(columns=[*TIME_COLUMNS], errors="ignore") for r in (one, other)
            )
            pd.testing.assert_frame_equal(first, second)

    return check


@pytest.fixture(scope="module")
def started(tmp_path_factory: pytest.TempPathFactory) -> tuple[Store, RLSpec]:
    """Return a store with a finished start, and an RL spec from it."""
    torch.set_num_threads(1)
    return start_of(tmp_path_factory.mktemp("rl"))
