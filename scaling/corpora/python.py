"""Python source code that is on every machine: the standard library, with or without the installed packages."""

import os
import sysconfig
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from scaling.corpora import cache as corpus_cache
from scaling.corpora.build import build
from scaling.corpora.corpus import Corpus
from scaling.corpora.normalise import normalise
from scaling.corpora.text import ReadyText
from scaling.errors import InputError

TEST_FOLDERS = frozenset({"test", "tests", "idle_test"})
"""Left out everywhere: data tables and near-copies of what they test."""
PACKAGE_FOLDERS = frozenset({"site-packages", "dist-packages"})
"""Lie inside the standard library's folder on some machines without being part of it."""


@dataclass(frozen=True)
class Python(Corpus):
    """The .py files of the running interpreter, bytes as tokens.

    Another interpreter version gives another text, hence another sha256. Invalid UTF-8 becomes U+FFFD (a handful
    of files declare another encoding). The `_sysconfigdata` files are left out: they name the build machine.
    """

    with_packages: bool = False
    """Take the installed packages too."""

    @property
    def name(self) -> str:
        """`python`, or `python_site` with the installed packages."""
        return "python_site" if self.with_packages else "python"

    @property
    def description(self) -> str:
        """One line for the list of corpora."""
        extra = " and the installed packages, hundreds of MB" if self.with_packages else ", 11-13 MB"
        return f"source code of the running interpreter's standard library{extra}, as bytes"

    def prepare(self, cache: Path | None = None) -> ReadyText:
        """Build or open the corpus; see `Corpus.prepare`."""
        files = self.files()
        key = f"{self.name}-{corpus_cache.fingerprint(files)}"
        return corpus_cache.cached(self.name, key, lambda folder: build(_documents(files), folder), cache)

    def files(self) -> list[tuple[str, Path]]:
        """The source files with their labels, sorted by label."""
        folders = {"stdlib": Path(sysconfig.get_path("stdlib"))}
        if self.with_packages:
            folders |= {name: Path(sysconfig.get_path(name)) for name in ("purelib", "platlib")}
        roots = {path.resolve(): label for label, path in reversed(folders.items())}
        return sorted(
            (f"{label}/{path.relative_to(folder).as_posix()}", path)
            for folder, label in roots.items()
            for path in _sources(folder)
        )


def _sources(folder: Path) -> Iterator[Path]:
    for directory, subfolders, names in os.walk(folder):
        subfolders[:] = [name for name in subfolders if name not in TEST_FOLDERS | PACKAGE_FOLDERS]
        for name in names:
            if name.endswith(".py") and not name.startswith("_sysconfigdata"):
                yield Path(directory, name)


def _documents(files: list[tuple[str, Path]]) -> Iterator[tuple[str, bytes]]:
    for label, path in files:
        try:
            raw = path.read_bytes()
        except OSError as error:
            raise InputError(
                f"cannot read {path}: {error.strerror}; make it readable or leave it out"
            ) from error
        yield label, normalise(raw.decode("utf-8", errors="replace"))
