"""Fits of a user's own table: read, map, fit, and write the answer."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from scaling.errors import InputError
from scaling.records.files import Given, expand
from scaling.records.reading import read_table

if TYPE_CHECKING:
    from scaling.fitting import Calibration, Fit
    from scaling.fitting.saved import SavedFit


def fit_table(
    path: Given,
    law: str,
    *,
    mapping: Mapping[str, str] | None = None,
    where: str | None = None,
    from_name: str | None = None,
    **options: Any,
) -> Fit:
    """Return ``scaling.fit`` of the rows of a file or files; ``options`` are those of ``scaling.fitting.fit``.

    ``path``, ``mapping``, ``where`` and ``from_name`` are those of ``records.reading.read_table``. The rows that
    ``where`` left out enter the fit's account, and the file's hash its provenance.
    """
    from scaling import fitting, laws

    found = laws.find(law)
    reading = read_table(path, mapping, where, from_name)
    if reading.frame.empty:
        shown = path if isinstance(path, str | Path) else ", ".join(map(str, path))
        raise InputError(f"--where {where!r} keeps none of the {reading.read} rows of {shown}; loosen it")
    frame = reading.frame
    if found.inputs == ("x",) and "x" not in (mapping or {}) and {"N", "D", "C"} & set(mapping or {}):
        frame = frame.drop(
            columns=["x"], errors="ignore"
        )  # what was mapped is meant, not a column of that name
    return fitting.fit(found, frame, excluded=reading.excluded, sha256=reading.sha256, **options)


def check_target(path: Path, tables: Sequence[str] = ()) -> None:
    """Refuse a path where no file can be written, before the work whose result it shall hold."""
    if path.is_dir():
        raise InputError(f"--json {path} is a folder, expected the name of a file to write")
    if path.exists():
        _refuse_what_is_in_use(path, expand(tables))
        return
    folder = Path(os.path.realpath(path)).parent
    if not folder.is_dir():
        shown = folder if path.is_symlink() else path.parent
        if folder.exists():
            raise InputError(f"--json {path}: {shown} is a file, expected a folder; give another path")
        raise InputError(f"--json {path}: {shown} does not exist; create the folder first")


def _refuse_what_is_in_use(path: Path, tables: Sequence[Path]) -> None:
    if any(table.exists() and path.samefile(table) for table in tables):
        raise InputError(f"--json {path} is the table that is read; give another file")
    with contextlib.suppress(OSError, AttributeError):  # standard output may be closed, or no file at all
        if path.is_file() and os.path.samestat(path.stat(), os.fstat(sys.stdout.fileno())):
            raise InputError(f"--json {path} is where the summary is printed; give another file")


def write_json(path: Path, fit: Fit, command: str) -> None:
    """Write a fit as JSON, its draws beside it; ``InputError`` where the path cannot be written."""
    from scaling.fitting import saved

    check_target(path)
    saved.save(path, fit, command)


def write_text(path: Path, text: str) -> None:
    """Write a text by an atomic rename; ``InputError`` where the path cannot be written."""
    from scaling.records import store

    check_target(path)
    store.write_text(path, text)


def predict(path: Path, at: Mapping[str, float], compute: float | None, inference: float | None) -> list[str]:
    """Return what a saved fit says, a line each: at inputs, or of the optimum for a training compute [FLOP].

    Below stand the distance beyond the fit's rows, and what the fit was doubted for.
    """
    from scaling.fitting import saved
    from scaling.fitting.summary import WORDS
    from scaling.reporting.numbers import estimate, plain

    if bool(at) == (compute is not None):
        raise InputError("give either --at, such as --at N=1e9,D=2e10, or --compute FLOPS")
    if compute is None and inference is not None:
        raise InputError(
            "--inference tokens are served at the loss that a compute buys; give --compute, not --at"
        )
    fit = saved.load(path)
    if compute is None:
        where = ", ".join(f"{name} = {plain(value)}" for name, value in at.items())
        found = {f"{fit.law.target} at {where}": fit.predict(at)}
        if fit.noise is not None:
            found["a new run there"] = fit.predict(at, new_run=True)
    else:
        derived = fit.at_compute(compute, inference)
        found = {WORDS[name]: value for name, value in derived.items()}
    width = max(map(len, found))
    lines = [
        f"{name:<{width}}  "
        + (plain(e.value, 6) if e.low is None or e.high is None else estimate(e.value, e.low, e.high))
        for name, e in found.items()
    ]
    kind = "percentiles" if fit.jackknife is None else "BCa intervals"
    how = f"{100 * fit.level:g} % {kind} of the draws beside {path.name}"
    lines.append(
        how
        if len(fit.draws)
        else f"no intervals: {saved.draws_path(path).name} is not there or of another fit"
    )
    if beyond := fit.beyond(at if compute is None else {"C": compute}):
        lines.append(f"extrapolation: {'; '.join(beyond)}; this takes the law's form for granted")
    return lines + _doubts(fit)


def _doubts(fit: SavedFit) -> list[str]:
    """The status of a doubtful fit and its warnings, but for the one about the compute that was asked for then."""
    told = [one for one in fit.warnings if one.code != "extrapolation"]
    doubtful = fit.status != "ok"
    return [f"status: {fit.status}", *(f"  {one.code}: {one.message}" for one in told)] if doubtful else []


def check_effect(loss: str, delta: bool, resample: str | None, cluster: str | None, priors: bool) -> None:
    """Refuse options that were given and change nothing: a delta of no Huber loss, clusters that no draw asks for."""
    if delta and loss in ("lad", "mse", "quantile", "binomial"):
        raise InputError(
            f"--delta is Huber's bend, and the loss is {loss}; leave it out, or give --loss huber"
        )
    if cluster is not None and resample in ("pairs", "trunks", "parametric") and not priors:
        raise InputError(
            f"--cluster {cluster} keeps rows together, and --resample {resample} does not look at it; give --resample "
            "clusters or wild, or leave one out"
        )


def check_calibrate(bootstrap: int) -> None:
    """Refuse to calibrate intervals that are not asked for, before the work."""
    if not bootstrap:
        raise InputError(
            "--calibrate counts how often intervals hold the truth; give --bootstrap 1000 with it"
        )


def calibration(fit: Fit) -> Calibration:
    """Return the true coverage of a fit's intervals at its own design."""
    from scaling import fitting

    return fitting.calibrate(fit)


def check_report(folder: Path) -> None:
    """Refuse a folder that cannot take a report, before the work whose result it shall hold."""
    from scaling.reporting import folder as folders

    folders.check(folder)


def write_report(
    folder: Path, fit: Fit, tables: list[str], command: str, calibrated: Calibration | None
) -> Path:
    """Write a fit's report and return the path of its page."""
    from scaling import fit_report
    from scaling.reporting.document import write

    name = Path(tables[0]).name + (f" and {len(tables) - 1} more" if len(tables) > 1 else "")
    return write(fit_report.report(fit, name, command, calibrated), folder)
