"""Any text, JSON lines or parquet files as a corpus of bytes."""

import glob
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from scaling.corpora import cache as corpus_cache
from scaling.corpora.build import build
from scaling.corpora.corpus import Corpus
from scaling.corpora.normalise import normalise
from scaling.corpora.text import ReadyText
from scaling.errors import InputError


@dataclass(frozen=True)
class Files(Corpus):
    """The files that a glob matches: a document a row in .jsonl and .parquet, else a document a file."""

    pattern: str = ""
    """Glob of the files; ** crosses folders."""
    field: str = "text"
    """Field or column that holds the text of a row of .jsonl and .parquet files."""

    @property
    def name(self) -> str:
        """`files:GLOB`, with `#FIELD` where the field is not `text`."""
        field = "" if self.field == "text" else f"#{self.field}"
        return f"files:{self.pattern}{field}" if self.pattern else "files"

    @property
    def description(self) -> str:
        """One line for the list of corpora."""
        return "your own text: files:GLOB takes UTF-8 text, .jsonl or .parquet (files:GLOB#FIELD: text field)"

    def with_argument(self, argument: str) -> "Files":
        """Files of `GLOB` or `GLOB#FIELD`."""
        pattern, _, field = argument.partition("#")
        return Files(pattern, field or "text")

    def prepare(self, cache: Path | None = None) -> ReadyText:
        """Build or open the corpus; see `Corpus.prepare`.

        Raises InputError for a glob without match, text that is not UTF-8, a row without the text field, or fewer
        documents than both sides of the split need.
        """
        if not self.pattern:
            raise InputError(
                "corpus 'files' needs to know which files: use 'files:GLOB', for example 'files:data/*.txt'"
            )
        files = sorted(
            (path, Path(path))
            for path in glob.glob(self.pattern, recursive=True)  # noqa: PTH207 - Path.glob refuses absolute globs
            if Path(path).is_file()
        )
        if not files:
            raise InputError(f"no file matches {self.pattern!r} (seen from {Path.cwd()}); check the glob")
        key = f"files-{corpus_cache.fingerprint(files, self.field, str(Path.cwd()))}"
        return corpus_cache.cached(
            self.name, key, lambda folder: build(self._documents(files), folder), cache
        )

    def _documents(self, files: list[tuple[str, Path]]) -> Iterator[tuple[str, bytes]]:
        for label, path in files:
            try:
                yield from self._texts(label, path)
            except OSError as error:
                raise InputError(f"cannot read {path}: {error.strerror or error}; check the file") from error
            except UnicodeDecodeError as error:
                raise InputError(
                    f"{path} is not UTF-8 text (byte {error.start}): convert it or narrow the glob"
                ) from error

    def _texts(self, label: str, path: Path) -> Iterator[tuple[str, bytes]]:
        if path.suffix == ".jsonl":
            with path.open("rb") as lines:
                for number, line in enumerate(lines, start=1):
                    if line.strip():
                        yield f"{label}:{number}", normalise(self._json_text(path, number, line))
        elif path.suffix == ".parquet":
            for number, text in enumerate(self._parquet_texts(path), start=1):
                yield f"{label}:{number}", normalise(text)
        else:
            yield label, normalise(path.read_bytes().decode("utf-8"))

    def _json_text(self, path: Path, number: int, line: bytes) -> str:
        try:
            row = json.loads(line.decode("utf-8"))
        except json.JSONDecodeError as error:
            raise InputError(
                f"{path}, line {number} is not JSON ({error.msg}); one object a line is expected"
            ) from error
        if not isinstance(row, dict) or not isinstance(row.get(self.field), str):
            found = ", ".join(sorted(row)) if isinstance(row, dict) else type(row).__name__
            raise InputError(
                f"{path}, line {number} has no text in field {self.field!r} (found: {found}); "
                "name it: files:GLOB#FIELD"
            )
        return str(row[self.field])

    def _parquet_texts(self, path: Path) -> Iterator[str]:
        import pyarrow as pa
        import pyarrow.parquet as pq

        try:
            table = pq.ParquetFile(path)
        except pa.ArrowInvalid as error:
            raise InputError(
                f"{path} is not a parquet file ({str(error).splitlines()[0]}); check the file"
            ) from error
        names = table.schema_arrow.names
        kind = table.schema_arrow.field(self.field).type if self.field in names else pa.null()
        if not (pa.types.is_string(kind) or pa.types.is_large_string(kind)):
            raise InputError(
                f"{path} has no text column {self.field!r} (found: {', '.join(names)}); name it: files:GLOB#FIELD"
            )
        for batch in table.iter_batches(columns=[self.field]):
            for text in batch.column(0).to_pylist():
                yield text or ""
