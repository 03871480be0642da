"""From documents to a corpus on disk: hashed, exact duplicates dropped, split, written in a fixed order."""

import hashlib
import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import BinaryIO

import numpy as np
import numpy.typing as npt

from scaling.corpora.duplicates import group, sketch
from scaling.corpora.text import SEPARATOR
from scaling.errors import InputError

FORMAT = 2
"""Version of normalisation, duplicate rule, split and layout: a change here changes every hash."""
HELD_OUT_SHARE = 0.05
"""Expected share of the documents that the split holds out; the bytes' share varies with their sizes."""
HEAVIEST_SHARE = HELD_OUT_SHARE / 4
"""A group of near-duplicates with more than this share of all bytes is always trained on: held out, one family of
tables (the standard library's code pages: 4 % of its bytes) would make up half of the held-out side. Of fewer than
160 groups every one may have such a share; there, one with more than twice the mean group's bytes is."""
TRAIN, HELD_OUT, DUPLICATE = "train", "held_out", "duplicate"


@dataclass(frozen=True)
class Document:
    """One document of the manifest: where it came from, what it holds and where it went."""

    label: str
    """Source file, with `:line` or `:row` where a file holds several documents."""
    sha256: str
    """Hash of the normalised bytes."""
    size: int
    """Normalised bytes."""
    side: str
    """train, held_out, or duplicate for one whose bytes another document already gave."""


def is_held_out(group_sha256: str) -> bool:
    """Side of a group of near-duplicates: its smallest document hash, hashed again, read as a fraction."""
    digest = hashlib.sha256(f"held-out/{FORMAT}:{group_sha256}".encode()).digest()
    return int.from_bytes(digest[:8], "big") < HELD_OUT_SHARE * 2**64


def build(documents: Iterable[tuple[str, bytes]], folder: Path) -> None:
    """Write train.bin, held_out.bin and manifest.json of the (label, normalised bytes) documents into `folder`.

    Documents stand in the order of their hashes, each followed by a zero byte, so neither the order they come
    in nor their names matter. Only one document at a time is held in memory.
    Raises InputError when one of the two sides would be empty.
    """
    shas: list[str] = []
    labels: list[str] = []
    sketches: list[npt.NDArray[np.uint32]] = []
    offsets: list[int] = [0]
    spool_path = folder / "spool.bin"
    with spool_path.open("wb") as spool:
        for label, text in documents:
            if text:
                labels.append(label)
                shas.append(hashlib.sha256(text).hexdigest())
                sketches.append(sketch(text))
                offsets.append(offsets[-1] + spool.write(text))
    sizes = np.diff(offsets).tolist()
    sides = _sides(shas, labels, sizes, sketches)
    with spool_path.open("rb") as spool:
        hashes = {
            side: _write(spool, folder / f"{side}.bin", shas, sides, side, offsets)
            for side in (TRAIN, HELD_OUT)
        }
    spool_path.unlink()
    entries = [Document(*fields) for fields in zip(labels, shas, sizes, sides, strict=True)]
    _write_manifest(folder, hashes, sorted(entries, key=lambda entry: (entry.label, entry.sha256)))


def _sides(
    shas: list[str], labels: list[str], sizes: list[int], sketches: list[npt.NDArray[np.uint32]]
) -> list[str]:
    """Side of each document. Of exact duplicates the one with the smallest label stays; heavy groups are trained on."""
    order = sorted(range(len(shas)), key=lambda i: (shas[i], labels[i]))
    kept = [i for position, i in enumerate(order) if position == 0 or shas[i] != shas[order[position - 1]]]
    sides = [DUPLICATE] * len(shas)
    if kept:
        groups = group(np.stack([sketches[i] for i in kept]))
        bytes_by_group = np.bincount(groups, weights=[sizes[i] for i in kept])
        heavy = bytes_by_group > max(HEAVIEST_SHARE, 2 / len(set(groups))) * bytes_by_group.sum()
        for i, first in zip(kept, groups, strict=True):
            # kept is in hash order: `first` has the group's smallest
            sides[i] = HELD_OUT if is_held_out(shas[kept[first]]) and not heavy[first] else TRAIN
    for side in (TRAIN, HELD_OUT):
        if side not in sides:
            raise InputError(
                f"the {len(kept)} distinct documents leave the {side} side empty (about {HELD_OUT_SHARE:.0%} of "
                "documents are held out, near-duplicates together, heavy ones never); give 200 or more documents"
            )
    return sides


def _write(
    spool: BinaryIO, path: Path, shas: list[str], sides: list[str], side: str, offsets: list[int]
) -> dict[str, int | str]:
    """Copy one side's documents from the spool in hash order; its size and hash."""
    digest = hashlib.sha256()
    size = 0
    with path.open("wb") as out:
        for i in sorted((i for i, where in enumerate(sides) if where == side), key=lambda i: shas[i]):
            spool.seek(offsets[i])
            text = spool.read(offsets[i + 1] - offsets[i]) + SEPARATOR
            digest.update(text)
            size += out.write(text)
    return {"sha256": digest.hexdigest(), "size": size}


def _write_manifest(folder: Path, sides: dict[str, dict[str, int | str]], documents: list[Document]) -> None:
    identity = {"format": FORMAT, "held_out_share": HELD_OUT_SHARE, "sides": sides}
    sha256 = hashlib.sha256(json.dumps(identity, sort_keys=True).encode()).hexdigest()
    manifest = {"sha256": sha256, **identity, "documents": [asdict(document) for document in documents]}
    (folder / "manifest.json").write_text(json.dumps(manifest, indent=1), encoding="utf-8")
