"""What every corpus on the shelf promises, and what finding and loading one promises."""

import inspect
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scaling import corpora
from scaling.corpora import Files, Ready, SantaFe
from scaling.errors import InputError


@pytest.fixture(scope="module")
def ready(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Ready]:
    folder = tmp_path_factory.mktemp("text")
    rng = np.random.default_rng(0)
    for i in range(120):
        words = rng.integers(0, 500, size=200)
        (folder / f"{i}.txt").write_text("\n".join(f"word {word} of {i}" for word in words))
    cache = tmp_path_factory.mktemp("cache")
    sources = {"files": Files(str(folder / "*.txt")), "santa_fe": SantaFe(), "santa_fe:0.8": SantaFe(0.8)}
    return {name: source.prepare(cache) for name, source in sources.items()}


def test_names_are_distinct_and_each_is_found() -> None:
    assert len({corpus.name for corpus in corpora.ALL}) == len(corpora.ALL)
    for corpus in corpora.ALL:
        assert corpora.find(corpus.name) == corpus
        assert len(corpus.description.splitlines()) == 1


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("pile", "no corpus 'pile'; known: python, python_site, files, santa_fe"),
        ("python:3", "'python' takes no argument"),
        ("santa_fe:x", "must be a number"),
        ("santa_fe:-1", "must lie in"),
        ("santa_fe:nan", "must lie in"),
    ],
)
def test_bad_names_are_explained(name: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        corpora.find(name)


def test_an_argument_reaches_the_corpus() -> None:
    assert corpora.find("santa_fe:0.8") == SantaFe(0.8)
    assert corpora.find("files:a/*.txt") == Files("a/*.txt")
    assert corpora.find("files:a/*.jsonl#body") == Files("a/*.jsonl", "body")
    for corpus in (SantaFe(0.8), SantaFe(), Files("a/*.jsonl", "body"), Files("b.txt")):
        assert corpora.find(corpus.name) == corpus


def test_load_refuses_other_content() -> None:
    known = corpora.load("santa_fe")
    assert corpora.load("santa_fe", known.sha256) == known
    with pytest.raises(InputError, match="never pooled"):
        corpora.load("santa_fe:0.8", known.sha256)


def test_every_corpus_is_final_and_says_what_it_is(ready: dict[str, Ready]) -> None:
    for corpus in corpora.ALL:
        assert not inspect.isabstract(type(corpus))
    for made in ready.values():
        assert len(made.sha256) == 64
        assert made.vocabulary in (73, 256)
    assert len({made.sha256 for made in ready.values()}) == len(ready)


@settings(max_examples=30, deadline=None)
@given(
    seed=st.integers(0, 2**40),
    step=st.integers(0, 300),
    rows=st.integers(1, 5),
    world=st.integers(1, 4),
    length=st.integers(1, 70),
)
def test_batches_are_pure_and_ranks_share_one_global_batch(
    ready: dict[str, Ready], seed: int, step: int, rows: int, world: int, length: int
) -> None:
    for made in ready.values():
        whole = made.batch(seed, step, rows * world, length)
        assert whole.shape == (rows * world, length + 1)
        assert whole.dtype == np.int64
        assert 0 <= whole.min() <= whole.max() < made.vocabulary
        parts = [made.batch(seed, step, rows, length, rank, world) for rank in range(world)]
        np.testing.assert_array_equal(np.concatenate(parts), whole)


@settings(max_examples=20, deadline=None)
@given(length=st.integers(1, 200), rows=st.integers(1, 20), more=st.integers(1, 20))
def test_heldout_windows_come_in_one_fixed_order(
    ready: dict[str, Ready], length: int, rows: int, more: int
) -> None:
    for made in ready.values():
        longer = made.heldout(rows + more, length)
        assert longer.shape == (rows + more, length + 1)
        np.testing.assert_array_equal(made.heldout(rows, length), longer[:rows])


def test_seeds_and_steps_give_other_batches(ready: dict[str, Ready]) -> None:
    for made in ready.values():
        batches = [made.batch(seed, step, 4, 60).tobytes() for seed in range(3) for step in range(3)]
        assert len(set(batches)) == len(batches)


@pytest.mark.parametrize(
    "bad",
    [
        {"rows": 0},
        {"length": 0},
        {"seed": -1},
        {"seed": 2**64},
        {"step": -1},
        {"rank": 2, "world": 2},
        {"rank": -1},
    ],
)
def test_batches_refuse_what_makes_no_sense(ready: dict[str, Ready], bad: dict[str, int]) -> None:
    arguments = {"seed": 0, "step": 0, "rows": 2, "length": 8} | bad
    for made in ready.values():
        with pytest.raises(InputError, match="need rows"):
            made.batch(**arguments)


def test_epochs(ready: dict[str, Ready]) -> None:
    assert ready["santa_fe"].epochs(10**9) == 0
    text = ready["files"]
    assert text.train_tokens is not None
    assert text.epochs(3 * text.train_tokens) == 3


def test_nothing_is_read_before_prepare(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("SCALING_CACHE", str(tmp_path / "cache"))
    corpora.find("files:nowhere/*.txt")
    corpora.find("python")
    assert not (tmp_path / "cache").exists()
