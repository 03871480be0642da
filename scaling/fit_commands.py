"""The commands `fit` and `predict`."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path
from typing import Annotated

import typer

FromNameOption = Annotated[
    str | None,
    typer.Option("--from-name", help="Columns from the name of each: a regex such as (?P<size>[0-9]+)M."),
]
ComputeOption = Annotated[float | None, typer.Option(help="FLOPs at which the best N and D are wanted.")]
InferenceOption = Annotated[
    float | None,
    typer.Option(
        "--inference", help="Tokens to be served: the cheapest N and D to train and serve are wanted too."
    ),
]


def fit(
    context: typer.Context,
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
    bound: Annotated[
        list[str] | None,
        typer.Option("--bound", help="NAME=LOW,HIGH: the range of a parameter, such as alpha=.2,.5."),
    ] = None,
    prior: Annotated[
        list[str] | None,
        typer.Option("--prior", help="NAME=MEAN,SD: a normal prior of a parameter, such as E=1.7,.1."),
    ] = None,
    weights: Annotated[
        str | None,
        typer.Option(
            help="Column that multiplies each row's part of the objective; noise is taken to go as 1 / sqrt(weight)."
        ),
    ] = None,
    bootstrap: Annotated[int, typer.Option(help="Draws for the intervals; 0 for none.")] = 1000,
    resample: Annotated[
        str | None,
        typer.Option(
            help="pairs, clusters, trunks, wild or parametric (default: what the columns call for).",
            show_default=False,
        ),
    ] = None,
    cluster: Annotated[
        str | None, typer.Option(help="Column whose equal values (checkpoints of a run) stay together.")
    ] = None,
    interval: Annotated[str, typer.Option(help="percentile, bca or profile.")] = "percentile",
    level: Annotated[float, typer.Option(help="Nominal coverage of the intervals.")] = 0.95,
    calibrate: Annotated[
        bool,
        typer.Option("--calibrate", help="Simulate at this design and print the intervals' true coverage."),
    ] = False,
    compute: ComputeOption = None,
    inference: InferenceOption = None,
    seed: Annotated[int, typer.Option(min=0, help="Seed of the bootstrap.")] = 0,
    json: Annotated[
        Path | None, typer.Option(help="Write the fit to this file (schema scaling.fit/1).")
    ] = None,
    report: Annotated[Path | None, typer.Option(help="Write a report with figures to this folder.")] = None,
) -> None:
    """Fit a law to a table of runs; prints values with intervals, and what to doubt.

    Columns of these names are read where the table has them: status (rows of runs that did not finish are left
    out), annealed (a doubt where some rows say no), and trunk_id (rows of one trunk stay together in the draws).
    """
    from scaling import outside
    from scaling.options import ends, numbers, pairs

    if json is not None:
        outside.check_target(json, table)
    if report is not None:
        outside.check_report(report)
    if calibrate:
        outside.check_calibrate(bootstrap)
    source = context.get_parameter_source("delta")
    outside.check_effect(
        loss, source is not None and source.name == "COMMANDLINE", resample, cluster, bool(prior)
    )
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
        bounds=ends(bound or [], "--bound", "alpha=.2,.5", "NAME=LOW,HIGH"),
        priors=ends(prior or [], "--prior", "E=1.7,.1", "NAME=MEAN,SD"),
        weights=weights,
        bootstrap=bootstrap,
        resample=resample,
        cluster=cluster,
        interval=interval,
        level=level,
        compute=compute,
        inference=inference,
        seed=seed,
    )
    try:
        if json is not None:
            outside.write_json(json, found, shlex.join(["scaling", *sys.argv[1:]]))
    finally:  # whichever of the two cannot be written, the other is
        sys.stdout.write(f"{found.summary()}\n")
    sys.stdout.flush()
    calibration = outside.calibration(found) if calibrate else None
    if calibration is not None:
        sys.stdout.write(f"\n{calibration.summary()}\n")
    if report is not None:
        written = outside.write_report(
            report, found, table, shlex.join(["scaling", *sys.argv[1:]]), calibration
        )
        sys.stdout.write(f"\nreport: {written}\n")


def predict(
    fit: Annotated[Path, typer.Argument(metavar="FIT.json", help="A fit that `scaling fit --json` wrote.")],
    at: Annotated[
        str | None, typer.Option("--at", help="The law's inputs, such as N=1e9,D=2e10.", show_default=False)
    ] = None,
    compute: ComputeOption = None,
    inference: InferenceOption = None,
) -> None:
    """Say what a saved fit predicts, with its interval: at given inputs, or for a training compute."""
    from scaling import outside
    from scaling.options import numbers

    inputs = numbers([] if at is None else at.split(","), "--at", "N=1e9,D=2e10")
    for line in outside.predict(fit, inputs, compute, inference):
        sys.stdout.write(f"{line}\n")
