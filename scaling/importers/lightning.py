"""Lightning's CSVLogger: folders version_N with metrics.csv, rows of one step joined, and hparams.yaml."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from pathlib import Path

from scaling.errors import InputError
from scaling.importers.flat import flattened
from scaling.importers.importer import Choices, Imported, Importer
from scaling.importers.log import Log
from scaling.importers.paths import found, reading, run_ids
from scaling.importers.rows import cells_of, steps_of
from scaling.importers.yaml_file import load_yaml
from scaling.records.reading import load

HYPERPARAMETERS = "hparams.yaml"


def _read(paths: Sequence[Path], choices: Choices) -> Imported:
    """Read every metrics.csv below the paths, one run a folder."""
    files = found(paths, lambda name: name == "metrics.csv", "folders of Lightning's CSVLogger (metrics.csv)")
    runs = run_ids([file.parent for file in files])
    log = Log()
    for file in files:
        log.files.append(file)
        beside = file.with_name(HYPERPARAMETERS)
        with reading(beside, "YAML"):
            config = flattened(load_yaml(beside) if beside.exists() else {}, "config/")
        run_id = runs[file.parent]
        log.run(run_id, file.parent.absolute(), config, file)
        if not _has_rows(file):
            log.skip(file, "it has no rows")
            continue
        frame = load(file)
        if "step" not in frame.columns:
            raise InputError(f"{file} has no column step; expected the metrics.csv of Lightning's CSVLogger")
        for row, (step, cells) in enumerate(
            zip(steps_of(frame, "step"), cells_of(frame, ["step"]), strict=True)
        ):
            if set(cells) - {"epoch"}:
                log.add(run_id, step, cells)
            else:
                log.skip(f"{file}, row {row}", "it holds no metric")
    return log.imported(choices)


def _has_rows(file: Path) -> bool:
    with file.open("rb") as lines:
        return any(line.strip() for line in itertools.islice(lines, 1, None))


LIGHTNING = Importer(
    "lightning",
    "Lightning's CSVLogger: version_N folders with metrics.csv and hparams.yaml, below a folder",
    _read,
)
