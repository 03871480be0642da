"""The road end to end: runs, records, report, and where each is kept.

Below the working directory:

    runs/<study>/<preset>/store       one folder per run
    runs/<study>/<preset>/records     the gathered tables, once the grid is finished
    runs/<study>/<preset>/report      index.html, index.md, figures, tables, results.json
    data/studies/<study>/<preset>     published records
    reports/<study>/<preset>          published report
"""

from __future__ import annotations

import shutil
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from scaling.errors import InputError
from scaling.records import archive
from scaling.records.spec import spec_id
from scaling.records.store import Store
from scaling.records.tables import no_records
from scaling.study import analyse, bundled, document, with_parents

if TYPE_CHECKING:
    from rich.console import Console

    from scaling.reporting.document import Report
    from scaling.study import Preset, Study

RUNS = Path("runs")
"""Where work is done, below the working directory."""


@dataclass(frozen=True)
class Written:
    """A report on disk."""

    path: Path
    """Its index.html."""
    report: Report
    """What it says."""


def run(
    study: Study,
    preset: Preset,
    out: Path,
    console: Console,
    *,
    workers: int | None = None,
    stop_after: float | None = None,
    publish: bool = False,
) -> Written | None:
    """Do the runs that are missing, gather the records and write the report; None if stopped before the end."""
    from filelock import FileLock

    from scaling.launch import launch
    from scaling.reporting.document import write

    home = out / study.name / preset.name
    if preset.specs is None:
        written = rebuild(study, preset, out=home / "report")
        if publish:
            write(written.report, Path("reports") / study.name / preset.name)
        return written
    store = Store(home / "store").open()
    console.print(f"{study.name} ({preset.name}): preparing the data", style="dim")
    specs = preset.runs()
    store.verify(spec_id(spec) for spec in with_parents(specs))
    if not launch(specs, store, console, device=preset.device, workers=workers, stop_after=stop_after):
        ids = [spec_id(spec) for spec in with_parents(specs)]
        done = sum(store.is_done(run_id) for run_id in ids)
        console.print(f"stopped with {done} of {len(ids)} runs finished; the same command goes on from here")
        return None
    with FileLock(home / "lock"):  # a second command on this store ends at the same moment
        records = store.gather(spec_id(spec) for spec in with_parents(specs))
        archive.save(home / "records", study.name, preset.name, records)
        written = rebuild(study, preset, records=home / "records", out=home / "report")
        if publish:
            archive.save(
                Path("data") / "studies" / study.name / preset.name, study.name, preset.name, records
            )
            write(written.report, Path("reports") / study.name / preset.name)
    return written


def rebuild(
    study: Study,
    preset: Preset,
    *,
    records: Path | None = None,
    out: Path | None = None,
    runs: Path = RUNS,
) -> Written:
    """Write a study's report from stored records: those given, else finished ones in runs/, else published ones."""
    from scaling.reporting.document import write

    if preset.specs is None:
        report = document(analyse(study, preset.name, no_records(), {}, _versions()))
        return Written(write(report, out or runs / study.name / preset.name / "report"), report)
    folder = records or find_records(study.name, preset.name, runs)
    if folder is None:
        raise InputError(
            f"no records of {study.name} ({preset.name}) in {runs}/ or data/; "
            f"run `scaling run {study.asked or study.name} --preset {preset.name}` first"
        )
    found = archive.load(folder)
    if (found.study, found.preset) != (study.name, preset.name):
        raise InputError(
            f"{folder} holds records of {found.study} ({found.preset}), not of {study.name} ({preset.name}); "
            f"see `scaling report {found.study} --preset {found.preset}`"
        )
    others = {name: companion(folder, name) for name in preset.companions}
    companions = {name: archive.load(path) for name, path in others.items() if path}
    origin = archive.provenance(found)
    for name, other in companions.items():
        origin[f"records of {name} (sha256)"] = other.sha256
    tables = {name: other.records for name, other in companions.items()}
    report = document(analyse(study, preset.name, found.records, tables, origin))
    target = out or runs / study.name / preset.name / "report"
    return Written(write(report, target), report)


def _versions() -> dict[str, str]:
    from importlib.metadata import version

    return {
        "version": f"scaling-suite {version('scaling-suite')}",
        "data": "public sources, by their hashes in results.json",
    }


def find_records(study: str, preset: str, runs: Path = RUNS) -> Path | None:
    """Return the folder of a preset's complete records: the user's own, else the published ones, else None."""
    for folder in (
        runs / study / preset / "records",
        Path("data") / "studies" / study / preset,
        bundled("data") / "studies" / study / preset,
    ):
        if (folder / archive.MANIFEST).is_file():
            return folder
    return None


def companion(records: Path, preset: str) -> Path | None:
    """Return the folder of another preset's records beside these, as runs/ and data/ lay them out, else None."""
    records = records.resolve()
    for folder in (records.parent / preset, records.parent.parent / preset / records.name):
        if (folder / archive.MANIFEST).is_file():
            return folder
    return None


def announce(written: Written, console: Console, commands: Mapping[str, str] | None = None) -> None:
    """Print the verdicts, where the report is, and what one might do next."""
    from rich.markup import escape

    for verdict in written.report.verdicts:
        console.print(f"\n[bold]{verdict.status}[/bold]: {escape(verdict.text)}")
    console.print(f"\nreport: {written.path}", markup=False)
    if commands:
        console.print("\nnext:")
        for command, what in commands.items():
            console.print(f"  # {what}", style="dim")
            console.print(f"  {_command(command)}", markup=False)


def _command(rest: str) -> str:
    """The command as the user can type it: with the program that is running now."""
    program = sys.argv[0] if Path(sys.argv[0]).name == "scaling" else "scaling"
    on_path = shutil.which("scaling")
    same = on_path is not None and Path(on_path).resolve() == Path(program).resolve()
    return f"{'scaling' if same else program} {rest}"
