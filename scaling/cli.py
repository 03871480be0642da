"""The command line: list, plan, run, report, fit, import, data. Rooms are imported inside the commands."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from scaling import endings

if TYPE_CHECKING:
    from rich.console import Console

    from scaling.study import Preset, Study

app = typer.Typer(
    name="scaling",
    help="Scaling laws and compute tradeoffs: run studies, rebuild reports, fit laws to your own runs.",
    add_completion=False,
    pretty_exceptions_enable=False,
)
data = typer.Typer(
    help="Public runs to fit laws to: a catalogue of sources, fetched with their hashes checked."
)
app.add_typer(data, name="data")

PresetOption = Annotated[str | None, typer.Option("--preset", help="Grid of the study (default: its first).")]
CatalogueOption = Annotated[
    Path | None, typer.Option("--catalogue", help="Another catalogue than the suite's, of the same form.")
]
FromNameOption = Annotated[
    str | None,
    typer.Option("--from-name", help="Columns from the name of each: a regex such as (?P<size>[0-9]+)M."),
]
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
    from scaling.listing import lines

    for line in lines(what):
        sys.stdout.write(f"{line}\n")


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
    from_name: FromNameOption = None,
    loss: Annotated[
        str, typer.Option(help="huber, lad, mse, quantile, or binomial for a score with trials as weights.")
    ] = "huber",
    delta: Annotated[float, typer.Option(help="Huber's bend, in units of the residual.")] = 1e-3,
    tau: Annotated[
        float, typer.Option(help="The quantile of --loss quantile; .1 is a lower envelope.")
    ] = 0.5,
    residual: Annotated[
        str | None,
        typer.Option(help="log or raw (default: log, raw for laws of a score).", show_default=False),
    ] = None,
    fix: Annotated[
        list[str] | None, typer.Option("--fix", help="NAME=VALUE: a parameter that is held, such as E=1.69.")
    ] = None,
    weights: Annotated[
        str | None, typer.Option(help="Column that multiplies each row's part of the objective.")
    ] = None,
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
    from scaling.options import numbers, pairs

    if json is not None:
        outside.check_target(json, table)
    found = outside.fit_table(
        table,
        law,
        mapping=pairs(map_ or [], "--map"),
        where=where,
        from_name=from_name,
        loss=loss,
        delta=delta,
        tau=tau,
        residual=residual,
        fix=numbers(fix or [], "--fix"),
        weights=weights,
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
    from_name: FromNameOption = None,
    last: Annotated[str | None, typer.Option(help="Metric whose last value marks a run's last row.")] = None,
    carry: Annotated[
        list[str] | None, typer.Option(help="Metric, such as tokens, that holds until it is logged again.")
    ] = None,
) -> None:
    """Turn logs of other tools into tables, with an account of every entry; fit table.parquet with --where last."""
    from scaling import intake

    choices = intake.Choices(run=run, step=step, from_name=from_name)
    sys.stdout.write(f"{intake.bring(format_, paths, out, choices, last=last, carry=carry or [])}\n")


@data.command("list")
def data_list(catalogue: CatalogueOption = None) -> None:
    """List the data sets: name, licence, rows or size, where they are, what they are."""
    from scaling.catalogue import showing

    for line in showing.lines(catalogue):
        sys.stdout.write(f"{line}\n")


@data.command("fetch")
def data_fetch(
    names: Annotated[list[str] | None, typer.Argument(help="Names of data sets; all by default.")] = None,
    catalogue: CatalogueOption = None,
) -> None:
    """Fetch data sets into the cache, unless SCALING_DATA_MIRROR has them; prints paths and how to fit them."""
    from scaling.catalogue import showing

    for line in showing.fetch(names or [], catalogue):
        sys.stdout.write(f"{line}\n")
        sys.stdout.flush()


def _study(name: str, preset: str | None) -> tuple[Study, Preset]:
    from scaling.study import find

    found = find(name)
    return found, found.preset(preset)


def _console() -> Console:
    from rich.console import Console

    return Console(highlight=False, soft_wrap=True)


if __name__ == "__main__":
    main()
