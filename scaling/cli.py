"""The command line: list, plan, run, report, fit, import. Rooms are imported inside the commands, so that help is fast."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from scaling import endings
from scaling.errors import InputError

if TYPE_CHECKING:
    from rich.console import Console

    from scaling.study import Preset, Study

app = typer.Typer(
    name="scaling",
    help="Scaling laws and compute tradeoffs: run studies, rebuild reports, fit laws to your own runs.",
    add_completion=False,
    pretty_exceptions_enable=False,
)

PresetOption = Annotated[str | None, typer.Option("--preset", help="Grid of the study (default: its first).")]
StudyArgument = Annotated[str, typer.Argument(help="Name of a study, or the path of its .py file.")]


def main() -> None:
    """Run the command line; no argument asks for help."""
    endings.end(lambda: app(sys.argv[1:] or ["--help"], standalone_mode=False))


@app.command("list")
def list_(
    what: Annotated[
        str | None, typer.Argument(help="laws, corpora, importers or studies; all of them by default.")
    ] = None,
) -> None:
    """List laws, corpora, importers and studies, one line each."""
    from scaling.listing import CATALOGUES

    if what is not None and what not in CATALOGUES:
        raise InputError(f"cannot list {what!r}; choose one of {', '.join(CATALOGUES)}")
    for name in [what] if what else CATALOGUES:
        sys.stdout.write(f"{name}\n")
        for line in CATALOGUES[name]():
            sys.stdout.write(f"  {line}\n")


@app.command()
def plan(study: StudyArgument, preset: PresetOption = None) -> None:
    """Show the grid of a study and what it costs; runs nothing."""
    from scaling.plan import show

    found, chosen = _study(study, preset)
    show(found, chosen, _console())


@app.command()
def run(
    study: StudyArgument,
    preset: PresetOption = None,
    workers: Annotated[
        int | None, typer.Option(min=1, help="Worker processes (default: one per GPU, else one per core).")
    ] = None,
    out: Annotated[Path, typer.Option(help="Folder to work in.")] = Path("runs"),
    stop_after: Annotated[
        float | None,
        typer.Option(min=0, help="Minutes after which to stop cleanly; the same command resumes."),
    ] = None,
    publish: Annotated[
        bool, typer.Option("--publish", help="Copy records to data/ and the report to reports/.")
    ] = False,
) -> None:
    """Train what a study lacks, fit its laws and write its report."""
    from scaling import road

    found, chosen = _study(study, preset)
    console = _console()
    written = road.run(found, chosen, out, console, workers=workers, stop_after=stop_after, publish=publish)
    if written is not None:
        road.announce(written, console, found.next_commands)


@app.command()
def report(
    study: StudyArgument,
    preset: PresetOption = None,
    records: Annotated[Path | None, typer.Option(help="Folder of records to report on.")] = None,
    out: Annotated[Path | None, typer.Option(help="Folder for the report.")] = None,
) -> None:
    """Rebuild a study's report from stored records; needs no torch."""
    from scaling import road

    found, chosen = _study(study, preset)
    road.announce(road.rebuild(found, chosen, records=records, out=out), _console())


@app.command()
def fit(
    table: Annotated[
        list[str],
        typer.Argument(
            help="csv, tsv, jsonl or parquet with one row a run or checkpoint; a glob or several."
        ),
    ],
    law: Annotated[str, typer.Option(help="Name of the law; `scaling list laws` shows them.")],
    map_: Annotated[
        list[str] | None,
        typer.Option(
            "--map", help="NAME=EXPR: a column's exact name, or arithmetic over `backticked` names."
        ),
    ] = None,
    where: Annotated[
        str | None, typer.Option(help="Rows to use, such as: loss < 4 and state == 'finished'.")
    ] = None,
    from_name: Annotated[
        str | None,
        typer.Option(help="Columns from each file's name: a regex such as (?P<size>[0-9]+)M."),
    ] = None,
    loss: Annotated[str, typer.Option(help="huber, lad or mse.")] = "huber",
    delta: Annotated[float, typer.Option(help="Huber's bend, in units of the residual.")] = 1e-3,
    residual: Annotated[str, typer.Option(help="log or raw.")] = "log",
    bootstrap: Annotated[int, typer.Option(help="Draws for the intervals; 0 for none.")] = 1000,
    cluster: Annotated[
        str | None, typer.Option(help="Column whose equal values (checkpoints of a run) stay together.")
    ] = None,
    level: Annotated[float, typer.Option(help="Coverage of the intervals.")] = 0.95,
    compute: Annotated[float | None, typer.Option(help="FLOPs at which the best N and D are wanted.")] = None,
    seed: Annotated[int, typer.Option(min=0, help="Seed of the bootstrap.")] = 0,
    json: Annotated[
        Path | None, typer.Option(help="Write the fit to this file (schema scaling.fit/1).")
    ] = None,
) -> None:
    """Fit a law to a table of runs; prints values with intervals, and what to doubt.

    Columns of these names are read where the table has them: status (rows of runs that did not finish are left
    out), annealed (a doubt where some rows say no), and trunk_id (rows of one trunk stay together in the draws).
    """
    from scaling import outside

    if json is not None:
        outside.check_target(json, table)
    found = outside.fit_table(
        table,
        law,
        mapping=_pairs(map_ or [], "--map"),
        where=where,
        from_name=from_name,
        loss=loss,
        delta=delta,
        residual=residual,
        bootstrap=bootstrap,
        cluster=cluster,
        level=level,
        compute=compute,
        seed=seed,
    )
    try:
        if json is not None:
            outside.write_json(json, found, shlex.join(["scaling", *sys.argv[1:]]))
    finally:  # whichever of the two cannot be written, the other is
        sys.stdout.write(f"{found.summary()}\n")


@app.command("import")
def import_(
    format_: Annotated[
        str, typer.Argument(metavar="FORMAT", help="Format of the logs; `scaling list importers` shows them.")
    ],
    paths: Annotated[list[str], typer.Argument(metavar="PATH", help="Files, folders or quoted globs.")],
    out: Annotated[Path, typer.Option(help="Folder for runs.parquet, history.parquet and table.parquet.")],
    run: Annotated[str | None, typer.Option(help="Column that tells runs apart.")] = None,
    step: Annotated[str | None, typer.Option(help="Column that counts steps.")] = None,
    from_name: Annotated[
        str | None, typer.Option(help="Columns from each run's name: a regex such as (?P<size>[0-9]+)M.")
    ] = None,
    last: Annotated[
        str | None, typer.Option(help="Metric whose last value marks a run's last row (default: any metric).")
    ] = None,
    carry: Annotated[
        list[str] | None,
        typer.Option(help="Metric, such as tokens, whose last value also stands in later rows without one."),
    ] = None,
) -> None:
    """Turn logs of other tools into tables; prints what was read, what was left out, and how to fit it.

    table.parquet holds a row a logged step with the columns of its run, and `last`, which is true in each run's
    last row: fit it with --where last.
    """
    from scaling import intake
    from scaling.importers import Choices

    choices = Choices(run=run, step=step, from_name=from_name)
    sys.stdout.write(f"{intake.bring(format_, paths, out, choices, last=last, carry=carry or [])}\n")


def _study(name: str, preset: str | None) -> tuple[Study, Preset]:
    from scaling.study import find

    found = find(name)
    return found, found.preset(preset)


def _console() -> Console:
    from rich.console import Console

    return Console(highlight=False, soft_wrap=True)


def _pairs(options: list[str], flag: str) -> dict[str, str]:
    """Split repeated NAME=VALUE options."""
    found: dict[str, str] = {}
    for option in options:
        name, equals, value = option.partition("=")
        if not equals or not name.strip() or not value.strip():
            raise InputError(f"{flag} {option!r}: expected NAME=EXPR, such as --map N=params")
        if name.strip() in found:
            raise InputError(f"{flag} gives {name.strip()} twice; give it once")
        found[name.strip()] = value.strip()
    return found


if __name__ == "__main__":
    main()
