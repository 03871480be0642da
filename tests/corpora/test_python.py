"""The source code that is on every machine."""

import ast
import json
from pathlib import Path

import numpy as np
import pytest

from scaling.corpora import Python
from scaling.corpora.text import ReadyText


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("cache")


@pytest.fixture(scope="module")
def ready(cache: Path) -> ReadyText:
    return Python().prepare(cache)


def test_it_is_the_standard_library_without_tests_and_packages() -> None:
    labels = [label for label, _ in Python().files()]
    assert {"stdlib/ast.py", "stdlib/json/decoder.py", "stdlib/unittest/case.py"} <= set(labels)
    assert not [
        label for label in labels if {"test", "tests", "idle_test", "site-packages"} & set(label.split("/"))
    ]
    assert labels == sorted(set(labels))


def test_the_packages_come_on_top() -> None:
    files = Python(with_packages=True).files()
    labels = {label for label, _ in files}
    assert {label for label, _ in Python().files()} < labels
    assert "purelib/numpy/__init__.py" in labels
    assert len({path.resolve() for _, path in files}) == len(files)


def test_its_size_and_split_are_as_stated(ready: ReadyText) -> None:
    assert ready.train_tokens is not None
    total = ready.train_tokens + len(ready.held)
    assert 9e6 < total < 15e6
    assert 1e5 < len(ready.held) < 0.12 * total


def test_no_file_is_on_both_sides_and_each_is_whole(ready: ReadyText, cache: Path) -> None:
    (manifest,) = (cache / "corpora").glob("python-*/manifest.json")
    documents = json.loads(manifest.read_text())["documents"]
    sides = [side.tobytes().removesuffix(b"\0").split(b"\0") for side in (ready.train, ready.held)]
    assert not set(sides[0]) & set(sides[1])
    assert len(sides[0]) + len(sides[1]) == sum(document["side"] != "duplicate" for document in documents)
    source = Path(ast.__file__).read_text(encoding="utf-8").encode()
    assert any(source in side for side in sides)


def test_an_epoch_of_training_sees_the_text_once(ready: ReadyText) -> None:
    assert ready.train_tokens is not None
    length, rows = 4096, 64
    steps = ready.train_tokens // (length * rows)
    batches = np.concatenate([ready.batch(3, step, rows, length) for step in range(steps)])
    assert len({row.tobytes() for row in batches}) == steps * rows
    seen = np.bincount(batches[:, 1:].ravel(), minlength=256)
    there = np.bincount(ready.train, minlength=256)
    assert (seen <= there).all()
    assert seen.sum() > 0.95 * there.sum()
