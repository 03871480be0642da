"""Building and caching text: what decides the content, and what a damaged or unusable cache does."""

import json
import multiprocessing
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scaling.corpora import Files, cache
from scaling.corpora.build import HELD_OUT_SHARE, build, is_held_out
from scaling.errors import InputError


def _texts(count: int, seed: int = 0) -> list[bytes]:
    rng = np.random.default_rng(seed)
    return [b"".join(b"line %d\n" % word for word in rng.integers(0, 10**6, size=20)) for _ in range(count)]


def _build(texts: list[bytes], folder: Path) -> dict[str, str]:
    """Side of each text."""
    folder.mkdir()
    build(((f"{i:05}", text) for i, text in enumerate(texts)), folder)
    documents = json.loads((folder / "manifest.json").read_text())["documents"]
    return {document["label"]: document["side"] for document in documents}


def _write(folder: Path, texts: list[bytes]) -> Files:
    folder.mkdir(parents=True, exist_ok=True)
    for i, text in enumerate(texts):
        (folder / f"{i}.txt").write_bytes(text)
    return Files(str(folder / "*.txt"))


def _entry(cache_folder: Path) -> Path:
    (entry,) = (cache_folder / "corpora").iterdir()
    return entry


def test_sides_hold_the_documents_in_hash_order_and_nothing_else(tmp_path: Path) -> None:
    texts = _texts(300)
    _build(texts, tmp_path / "a")
    sides = [(tmp_path / "a" / name).read_bytes() for name in ("train.bin", "held_out.bin")]
    for side in sides:
        assert side.endswith(b"\0")
    found = [text for side in sides for text in side.removesuffix(b"\0").split(b"\0")]
    assert sorted(found) == sorted(texts)
    assert sorted(p.name for p in (tmp_path / "a").iterdir()) == [
        "held_out.bin",
        "manifest.json",
        "train.bin",
    ]


def test_the_order_that_documents_come_in_does_not_matter(tmp_path: Path) -> None:
    texts = _texts(200)
    _build(texts, tmp_path / "a")
    _build(texts[::-1], tmp_path / "b")
    for name in ("train.bin", "held_out.bin"):
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes()


def test_more_documents_move_none_to_the_other_side(tmp_path: Path) -> None:
    texts = _texts(400)
    few, many = _build(texts[:150], tmp_path / "few"), _build(texts, tmp_path / "many")
    assert few.items() <= many.items()


def test_exact_duplicates_are_kept_once_and_near_ones_on_one_side(tmp_path: Path) -> None:
    texts = _texts(300)
    near = [text.replace(b"\n", b"  \n", 12) + b"one more line\n" for text in texts]
    sides = list(_build(texts + near + texts[:50], tmp_path / "a").values())
    assert sides[:300] == sides[300:600]
    assert set(sides[:300]) == {"train", "held_out"}
    assert sides[600:] == ["duplicate"] * 50


def test_a_family_that_would_fill_the_held_out_side_is_trained_on(tmp_path: Path) -> None:
    texts = _texts(200, seed=1)
    held = {"heavy": 0, "light": 0}
    for i in range(60):  # a light family goes where its hash says, whole; a heavy one with that hash does not
        base = _texts(1, seed=1000 + i)[0]
        for weight, members in (("light", 2), ("heavy", 20)):
            family = [base + b"member %d\n" % number for number in range(members)]
            sides = set(list(_build(texts + family, tmp_path / f"{weight}{i}").values())[200:])
            assert len(sides) == 1
            held[weight] += sides == {"held_out"}
    assert held["heavy"] == 0
    assert held["light"] > 0


def test_one_heavy_document_is_trained_on_and_equal_ones_are_not_heavy(tmp_path: Path) -> None:
    few = _texts(60, seed=3)
    assert set(_build(few, tmp_path / "few").values()) == {"train", "held_out"}
    for i in range(60):
        heavy = b"".join(_texts(4, seed=2000 + i))
        assert list(_build([*few, heavy], tmp_path / str(i)).values())[-1] == "train"


@settings(max_examples=5, deadline=None)
@given(st.integers(0, 10**6))
def test_the_share_held_out_is_the_stated_one(start: int) -> None:
    held = sum(is_held_out(f"{i:064x}") for i in range(start, start + 4000))
    assert abs(held - 4000 * HELD_OUT_SHARE) < 5 * np.sqrt(4000 * HELD_OUT_SHARE)


@pytest.mark.parametrize("count", [0, 1, 3])
def test_too_few_documents_for_a_split_are_refused(tmp_path: Path, count: int) -> None:
    (tmp_path / "a").mkdir()
    with pytest.raises(InputError, match=f"the {count} distinct documents leave the .* side empty"):
        build(((str(i), text) for i, text in enumerate(_texts(count))), tmp_path / "a")


def test_the_hash_is_that_of_the_content(tmp_path: Path) -> None:
    texts = _texts(200)
    first = _write(tmp_path / "a", texts).prepare(tmp_path / "cache1")
    moved = _write(tmp_path / "b", texts[::-1]).prepare(tmp_path / "cache2")
    other = _write(tmp_path / "c", [*texts[:-1], texts[-1] + b"x"]).prepare(tmp_path / "cache1")
    assert first.sha256 == moved.sha256 != other.sha256
    np.testing.assert_array_equal(first.batch(1, 2, 3, 50), moved.batch(1, 2, 3, 50))
    np.testing.assert_array_equal(first.heldout(3, 50), moved.heldout(3, 50))


def test_neither_folder_locale_nor_hash_seed_move_the_hash(tmp_path: Path) -> None:
    corpus = _write(tmp_path / "a", _texts(150))
    code = f"from scaling import corpora; print(corpora.load({corpus.name!r}).sha256)"
    found = set()
    for seed, locale in (("1", "C"), ("2", "C.UTF-8")):
        home = tmp_path / seed
        home.mkdir()
        environment = os.environ | {
            "PYTHONHASHSEED": seed,
            "LC_ALL": locale,
            "SCALING_CACHE": str(home / "cache"),
        }
        done = subprocess.run(
            [sys.executable, "-c", code], env=environment, cwd=home, capture_output=True, check=True
        )
        found.add(done.stdout)
    assert len(found) == 1


def test_a_second_prepare_builds_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    corpus = _write(tmp_path / "a", _texts(200))
    first = corpus.prepare(tmp_path / "cache")
    monkeypatch.setattr("scaling.corpora.files.build", None)
    assert corpus.prepare(tmp_path / "cache").sha256 == first.sha256


def test_changed_sources_are_built_anew(tmp_path: Path) -> None:
    texts = _texts(200)
    corpus = _write(tmp_path / "a", texts)
    first = corpus.prepare(tmp_path / "cache")
    (tmp_path / "a" / "0.txt").write_bytes(b"quite another text\n")
    assert corpus.prepare(tmp_path / "cache").sha256 != first.sha256


@pytest.mark.parametrize("name", ["train.bin", "held_out.bin", "manifest.json"])
@pytest.mark.parametrize("damage", ["cut", "empty", "missing", "changed", "foreign"])
def test_a_damaged_entry_is_built_again(tmp_path: Path, name: str, damage: str) -> None:
    corpus = _write(tmp_path / "a", _texts(200))
    first = corpus.prepare(tmp_path / "cache")
    batch = first.batch(0, 0, 4, 30)
    del first
    path = _entry(tmp_path / "cache") / name
    content = path.read_bytes()
    if damage == "missing":
        path.unlink()
    else:
        middle = len(content) // 2
        path.write_bytes(
            {"cut": content[:middle], "empty": b"", "changed": b"~" + content[1:], "foreign": b"{}"}[damage]
        )
    again = corpus.prepare(tmp_path / "cache")
    np.testing.assert_array_equal(again.batch(0, 0, 4, 30), batch)
    assert path.read_bytes() == content
    assert _entry(tmp_path / "cache") == path.parent


def test_an_interrupted_build_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    corpus = _write(tmp_path / "a", _texts(200))

    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("scaling.corpora.build._write_manifest", interrupted)
    with pytest.raises(KeyboardInterrupt):
        corpus.prepare(tmp_path / "cache")
    assert not list((tmp_path / "cache" / "corpora").iterdir())
    monkeypatch.undo()
    assert corpus.prepare(tmp_path / "cache").train_tokens


def test_what_killed_builds_left_is_swept_after_a_day(tmp_path: Path) -> None:
    old, young = (tmp_path / "cache" / "corpora" / f"files-{name}-building-x" for name in ("old", "young"))
    for folder in (old, young):
        folder.mkdir(parents=True)
    os.utime(old, (0, 0))
    _write(tmp_path / "a", _texts(200)).prepare(tmp_path / "cache")
    assert young.exists()
    assert not old.exists()


def _prepare(corpus: Files, folder: Path, out: "multiprocessing.Queue[str]") -> None:
    out.put(corpus.prepare(folder).sha256)


def test_processes_may_prepare_at_once(tmp_path: Path) -> None:
    corpus = _write(tmp_path / "a", _texts(200))
    context = multiprocessing.get_context("spawn")
    out: multiprocessing.Queue[str] = context.Queue()
    processes = [context.Process(target=_prepare, args=(corpus, tmp_path / "cache", out)) for _ in range(3)]
    for process in processes:
        process.start()
    hashes = {out.get(timeout=60) for _ in processes}
    for process in processes:
        process.join()
    assert hashes == {corpus.prepare(tmp_path / "cache").sha256}
    _entry(tmp_path / "cache")


def test_an_unusable_cache_is_one_clear_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    corpus = _write(tmp_path / "a", _texts(200))
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("SCALING_CACHE", str(tmp_path / "file"))
    with pytest.raises(InputError, match=r"cannot write the corpus cache .*SCALING_CACHE") as caught:
        corpus.prepare()
    assert len(str(caught.value).splitlines()) == 1


def test_a_full_disk_is_one_clear_error_and_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    corpus = _write(tmp_path / "a", _texts(200))

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("scaling.corpora.build._write", full)
    with pytest.raises(InputError, match="No space left on device; free space there"):
        corpus.prepare(tmp_path / "cache")
    assert not list((tmp_path / "cache" / "corpora").iterdir())


def test_the_cache_follows_the_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("SCALING_CACHE", str(tmp_path))
    assert cache.cache_root() == tmp_path
    monkeypatch.delenv("SCALING_CACHE")
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))
    assert cache.cache_root() == tmp_path / "xdg" / "scaling-suite"
