"""SHELF: one file = one source of training text. To add one: its file, its place in `ALL`, its test file."""

from scaling.corpora.corpus import Corpus, Ready
from scaling.corpora.files import Files
from scaling.corpora.python import Python
from scaling.corpora.santa_fe import SantaFe
from scaling.errors import InputError

ALL: tuple[Corpus, ...] = (Python(), Python(with_packages=True), Files(), SantaFe())
"""Every corpus on the shelf."""

__all__ = ["ALL", "Corpus", "Files", "Python", "Ready", "SantaFe", "find", "load"]


def find(name: str) -> Corpus:
    """The corpus called `name`, or `name:argument` for one that takes an argument. Reads nothing yet.

    Examples: `python`, `santa_fe`, `santa_fe:0.8`, `files:data/*.txt`.
    Raises InputError naming the known corpora.
    """
    stem, colon, argument = name.partition(":")
    for corpus in ALL:
        if corpus.name == stem:
            return corpus.with_argument(argument) if colon else corpus
    known = ", ".join(corpus.name for corpus in ALL)
    raise InputError(f"no corpus {name!r}; known: {known}")


def load(name: str, sha256: str | None = None) -> Ready:
    """The corpus called `name`, ready; with `sha256` only if its content is the one that the hash names.

    Raises InputError for an unknown name, another content, or a source or cache that cannot be used.
    """
    ready = find(name).prepare()
    if sha256 is not None and ready.sha256 != sha256:
        raise InputError(
            f"corpus {name!r} here has sha256 {ready.sha256[:12]}, the spec asks for {sha256[:12]}: another "
            "interpreter or other files; text is never pooled across hashes, so plan the grid anew on this text"
        )
    return ready
