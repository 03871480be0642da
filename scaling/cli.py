"""The command line: list, plan, run, report, fit. Rooms are imported inside the commands, so that help is fast."""

from __future__ import annotations

import contextlib
import errno
import io
import os
import shlex
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from scaling.errors import FitError, InputError, machine_failure

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


class Stopped(BaseException):
    """Ctrl-C or SIGTERM; libraries that catch KeyboardInterrupt do not catch this."""


def main() -> None:
    """Run the command line: exit 0 done, 1 no answer exists or the machine failed, 2 the call or input is wrong."""
    for number in (signal.SIGINT, signal.SIGTERM):
        if signal.getsignal(number) is not signal.SIG_IGN:  # a background job of a script ignores Ctrl-C
            signal.signal(number, _stop)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")  # a terminal may not know every sign
    try:
        status = app(sys.argv[1:] or ["--help"], standalone_mode=False)
        sys.stdout.flush()
    except (InputError, FitError) as error:
        wrong = isinstance(error, InputError) and machine_failure(error) is None
        _fail(str(error), 2 if wrong else 1)
    except BrokenPipeError:
        _be_silent()  # the reader, such as head, has seen enough
        sys.exit(1)
    except OSError as error:
        _fail(*_os_line(error))
    except MemoryError as error:
        _fail(f"out of memory ({error}); ask for less, such as fewer --bootstrap draws", 1)
    except Stopped as stopped:
        kept = "finished runs are kept, the same command goes on from here"
        _fail(
            f"stopped; {kept if sys.argv[1:2] == ['run'] else 'the work was not finished'}",
            128 + stopped.args[0],
        )
    except Exception as error:
        if not hasattr(error, "format_message"):
            raise
        command = getattr(getattr(error, "ctx", None), "command_path", "scaling")
        _fail(f"{error.format_message().rstrip('.')}; see `{command} --help`", 2)
    else:
        sys.exit(status if isinstance(status, int) else 0)


def _stop(number: int, frame: object) -> None:
    raise Stopped(number)


def _os_line(error: OSError) -> tuple[str, int]:
    what = os.strerror(error.errno) if error.errno else str(error)
    what += f": {error.filename}" if error.filename else ""
    if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
        return f"{what}; make room and give the same command again", 1
    return f"{what}; check that path or give another", 1 if machine_failure(error) else 2


def _fail(text: str, status: int) -> None:
    """End with one line on stderr, of printable characters."""
    line = "".join(c if c.isprintable() else "?" for c in " ".join(text.split()))
    with contextlib.suppress(OSError):  # stderr may lie on the full disk
        print(f"scaling: {line}", file=sys.stderr, flush=True)  # noqa: T201 - the one place where errors reach the user
    _be_silent()
    sys.exit(status)


def _be_silent() -> None:
    """Keep Python from another attempt, at exit, to write what could not be written."""
    try:
        sys.stdout.flush()
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


@app.command("list")
def list_(
    what: Annotated[
        str | None, typer.Argument(help="laws, corpora or studies; all of them by default.")
    ] = None,
) -> None:
    """List laws, corpora and studies, one line each."""
    from scaling.listing import CATALOGUES

    if what is not None and what not in CATALOGUES:
        raise InputError(f"cannot list {what!r}; choose one of {', '.join(CATALOGUES)}")
    for name in [what] if what else CATALOGUES:
        typer.echo(f"{name}")
        for line in CATALOGUES[name]():
            typer.echo(f"  {line}")


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
        Path, typer.Argument(help="csv, tsv, jsonl or parquet with one row a run or checkpoint.")
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
    """Fit a law to a table of runs; prints values with intervals, and what to doubt."""
    from scaling import outside

    found = outside.fit_table(
        table,
        law,
        mapping=_pairs(map_ or [], "--map"),
        where=where,
        loss=loss,
        delta=delta,
        residual=residual,
        bootstrap=bootstrap,
        cluster=cluster,
        level=level,
        compute=compute,
        seed=seed,
    )
    typer.echo(found.summary())
    if json is not None:
        outside.write_json(json, found, shlex.join(["scaling", *sys.argv[1:]]))


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
