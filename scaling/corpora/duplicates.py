"""Near-duplicate documents: which ones must stay on one side of a split.

Two documents are near-duplicates when the Jaccard similarity of their sets of lines (blank lines and blanks at
both ends of a line ignored) is estimated at SIMILAR or more. The estimate is the share of equal minhashes
(Broder 1997); candidates share a band of them (Leskovec et al., Mining of Massive Datasets, chapter 3).
Shape legend: D documents, H hashes.
"""

from functools import lru_cache
from zlib import crc32

import numpy as np
import numpy.typing as npt

HASHES = 64
"""Minhashes a document; the standard error of an estimated similarity of .5 is .06."""
ROWS_PER_BAND = 4
"""16 bands of 4: a pair of similarity .8, .6, .5, .3 is a candidate with probability .9998, .89, .64, .12."""
SIMILAR = 0.5
"""Estimated similarity from which two documents are near-duplicates."""

CHUNK = 8192
"""Lines hashed at once: bounds the memory that a huge document takes."""


@lru_cache
def _multipliers() -> npt.NDArray[np.uint64]:
    return np.asarray(np.random.Philox(key=0).random_raw(2 * HASHES).reshape(2, HASHES))


def sketch(document: bytes) -> npt.NDArray[np.uint32]:
    """Minhashes of a document's set of lines, shape [H]. Independent of Python's hash seed."""
    lines = {crc32(line.strip()) for line in document.split(b"\n")}
    lines.discard(0)  # crc32 of the blank line
    hashes = np.fromiter(lines or {0}, dtype=np.uint64, count=max(1, len(lines)))
    scale, shift = _multipliers()
    minima = [
        ((hashes[i : i + CHUNK, None] * scale + shift) >> np.uint64(32)).min(axis=0)
        for i in range(0, len(hashes), CHUNK)
    ]
    return np.asarray(np.min(minima, axis=0), dtype=np.uint32)


def group(sketches_DH: npt.NDArray[np.uint32]) -> npt.NDArray[np.int64]:
    """Group number of each document, shape [D]: near-duplicates and whatever they chain to share one.

    The number is the smallest document number of the group. Within a band's bucket each document is compared
    with the one before it and with the bucket's first.
    """
    parent = np.arange(len(sketches_DH))
    for band in range(0, HASHES, ROWS_PER_BAND):
        rows = np.ascontiguousarray(sketches_DH[:, band : band + ROWS_PER_BAND])
        _, bucket = np.unique(rows, axis=0, return_inverse=True)
        bucket = bucket.reshape(-1)
        order = np.argsort(bucket, kind="stable")
        sorted_bucket = bucket[order]
        first = np.searchsorted(sorted_bucket, sorted_bucket)
        for neighbour in (np.maximum(np.arange(len(order)) - 1, first), first):
            left, right = order[neighbour], order
            similar = (sketches_DH[left] == sketches_DH[right]).mean(axis=1) >= SIMILAR
            for i, j in zip(left[similar & (left != right)], right[similar & (left != right)], strict=True):
                _join(parent, int(i), int(j))
    return np.array([_root(parent, i) for i in range(len(parent))], dtype=np.int64)


def _root(parent: npt.NDArray[np.int64], i: int) -> int:
    while parent[i] != i:
        parent[i] = parent[parent[i]]
        i = int(parent[i])
    return i


def _join(parent: npt.NDArray[np.int64], i: int, j: int) -> None:
    i, j = sorted((_root(parent, i), _root(parent, j)))
    parent[j] = i
