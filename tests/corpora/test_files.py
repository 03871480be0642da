"""Text of one's own: every format gives the same corpus, and what is wrong with a file is said."""

import json
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from scaling.corpora import Files
from scaling.errors import InputError


def _texts() -> list[str]:
    rng = np.random.default_rng(5)
    return ["".join(f"é {word}\n" for word in rng.integers(0, 10**6, size=10)) for _ in range(120)]


def test_formats_agree(tmp_path: Path) -> None:
    texts = _texts()
    for i, text in enumerate(texts):
        (tmp_path / f"{i}.txt").write_bytes(text.replace("\n", "\r\n").encode())
    (tmp_path / "a.jsonl").write_text("\n".join(json.dumps({"text": text, "id": 1}) for text in texts))
    pq.write_table(pa.table({"body": texts}), tmp_path / "a.parquet")
    pq.write_table(pa.table({"body": pa.array(texts, pa.large_string())}), tmp_path / "large.parquet")
    patterns = [("*.txt", "text"), ("*.jsonl", "text"), ("a.parquet", "body"), ("large.parquet", "body")]
    made = [Files(str(tmp_path / name), field).prepare(tmp_path / "cache") for name, field in patterns]
    assert len({ready.sha256 for ready in made}) == 1
    assert made[0].bytes_per_token == 1.0


def test_windows_fit_into_the_text_or_are_refused(tmp_path: Path) -> None:
    for i, text in enumerate(_texts()):
        (tmp_path / f"{i}.txt").write_text(text)
    ready = Files(str(tmp_path / "*.txt")).prepare(tmp_path / "cache")
    assert ready.train_tokens is not None
    with pytest.raises(InputError, match=f"has 0 train windows of {ready.train_tokens} tokens"):
        ready.batch(0, 0, 1, ready.train_tokens)
    with pytest.raises(InputError, match=r"held-out windows .*asked for 1000"):
        ready.heldout(1000, 64)
    rows = ready.heldout(3, 64)
    text = ready.held.tobytes()  # type: ignore[attr-defined]  # a ReadyText, as every Files gives
    assert all(bytes(row.astype(np.uint8)) in text for row in rows)


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.txt", b"caf\xe9 au lait", "a.txt is not UTF-8 text .byte 3"),
        ("a.jsonl", b'{"text": "x"}\n{"body": "y"}\n', "line 2 has no text in field 'text' .found: body"),
        ("a.jsonl", b'{"text": 3}\n', "line 1 has no text in field 'text'"),
        ("a.jsonl", b"[1]\n", "line 1 has no text in field 'text' .found: list"),
        ("a.jsonl", b"{'text'\n", "line 1 is not JSON"),
        ("a.jsonl", b'{"text": "\xff"}\n', "not UTF-8"),
        ("a.parquet", b"PAR1 or so", "a.parquet is not a parquet file"),
        ("a.txt", b"", "the 0 distinct documents leave the train side empty"),
    ],
)
def test_a_bad_file_is_named(tmp_path: Path, name: str, content: bytes, message: str) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(InputError, match=message) as caught:
        Files(str(tmp_path / "a.*")).prepare(tmp_path / "cache")
    assert len(str(caught.value).splitlines()) == 1


def test_a_parquet_column_must_be_there_and_hold_text(tmp_path: Path) -> None:
    pq.write_table(pa.table({"body": ["x"], "count": [1]}), tmp_path / "a.parquet")
    for field in ("text", "count"):
        with pytest.raises(InputError, match=f"no text column '{field}' .found: body, count"):
            Files(str(tmp_path / "a.parquet"), field).prepare(tmp_path / "cache")


def test_a_glob_must_match(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no file matches"):
        Files(str(tmp_path / "*.txt")).prepare(tmp_path / "cache")
    with pytest.raises(InputError, match="use 'files:GLOB'"):
        Files().prepare(tmp_path / "cache")
