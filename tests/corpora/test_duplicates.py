"""Near-duplicates end up in one group, other documents do not."""

import os
import subprocess
import sys

import numpy as np

from scaling.corpora.duplicates import HASHES, group, sketch


def _document(rng: np.random.Generator, lines: int) -> list[str]:
    return [f"line {word}" for word in rng.integers(0, 10**9, size=lines)]


def _groups(documents: list[list[str]]) -> list[int]:
    return group(np.stack([sketch("\n".join(lines).encode()) for lines in documents])).tolist()


def test_copies_with_edits_are_grouped_and_strangers_are_not() -> None:
    rng = np.random.default_rng(0)
    originals = [_document(rng, 100) for _ in range(200)]
    edited = [[*lines[:10], *_document(rng, 10), *lines[20:]] for lines in originals]  # similarity 9/11
    indented = [[f"    {line}  " for line in lines[::-1]] for lines in originals]
    groups = _groups(originals + edited + indented)
    assert groups == list(range(200)) * 3


def test_a_shared_licence_does_not_join_files() -> None:
    rng = np.random.default_rng(1)
    licence = _document(rng, 20)
    assert _groups([licence + _document(rng, 60) for _ in range(100)]) == list(range(100))  # similarity 1/7


def test_the_sketch_estimates_the_similarity() -> None:
    rng = np.random.default_rng(2)
    for share in (0.2, 0.5, 0.8):
        estimates = []
        for _ in range(60):
            union = _document(rng, 200)
            shared = int(200 * share)
            half = (200 - shared) // 2
            left, right = union[: shared + half], union[:shared] + union[shared + half :]
            estimates.append((sketch("\n".join(left).encode()) == sketch("\n".join(right).encode())).mean())
        error = np.sqrt(share * (1 - share) / HASHES / 60)
        assert abs(np.mean(estimates) - share) < 4 * error


def test_the_sketch_does_not_follow_the_hash_seed() -> None:
    code = "from scaling.corpora.duplicates import sketch; print(sketch(b'a\\nb\\nc\\n').sum())"
    sums = {
        subprocess.run(
            [sys.executable, "-c", code],
            env=os.environ | {"PYTHONHASHSEED": seed},
            capture_output=True,
            check=True,
        ).stdout
        for seed in ("1", "2")
    }
    assert len(sums) == 1
