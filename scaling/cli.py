"""The command line: list, plan, run, report, fit, predict, exchange, import, data; rooms are imported inside."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from scaling import endings, exchange_commands, fit_commands
from scaling.fit_commands import FromNameOption

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
StudyArgument = Annotated[str, typer.Argument(help="Name of a study, or the path of its .py file.")]


def main() -> None:
    """Run the command line; no argument asks for help."""
    endings.end(lambda: app(sys.argv[1:] or ["--help"], standalone_mode=False))


@app.command("list")
def list_(
    what: Annotated[
        str | None, typer.Argument(help="laws, tasks, corpora, importers or studies; all of them by default.")
    ] = None,
) -> None:
    """List laws, tasks, corpora, importers and studies, one line each."""
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


app.command()(fit_commands.fit)
app.command()(fit_commands.predict)
app.command()(exchange_commands.exchange)


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
    from scaling.study_files import find

    found = find(name)
    return found, found.preset(preset)


def _console() -> Console:
    from rich.console import Console

    return Console(highlight=False, soft_wrap=True)


if __name__ == "__main__":
    main()
