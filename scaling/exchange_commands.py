"""The command `exchange`."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path
from typing import Annotated

import typer

from scaling.fit_commands import FromNameOption


def exchange(
    table: Annotated[
        list[str],
        typer.Argument(
            help="csv, tsv, jsonl or parquet: a row a checkpoint and budget, a problem of it, or a sample."
        ),
    ],
    method: Annotated[
        str | None,
        typer.Option(
            help="budget (each row scored at its own compute), pass, majority or best_of (samples put together), or a "
            "value of a column method."
        ),
    ] = None,
    at: Annotated[
        str | None, typer.Option("--at", help="Scores at which the rate is wanted, such as .3,.5.")
    ] = None,
    k: Annotated[
        str | None, typer.Option("--k", help="Samples put together, such as 1,4,16 (default 1, 2, 4, ...).")
    ] = None,
    link: Annotated[
        str | None,
        typer.Option(
            help="logit, cloglog or linear (default: cloglog for pass, linear for slices, else logit)."
        ),
    ] = None,
    surface: Annotated[
        str, typer.Option(help="free, additive, bilinear, saturating, single_index or spline.")
    ] = "free",
    map_: Annotated[
        list[str] | None,
        typer.Option(
            "--map", help="NAME=EXPR: a column's exact name, or arithmetic over `backticked` names."
        ),
    ] = None,
    where: Annotated[str | None, typer.Option(help="Rows to use, such as: temperature == 1.")] = None,
    from_name: FromNameOption = None,
    train_slice: Annotated[
        str | None,
        typer.Option(help="Rows in which training alone varies; with --infer-slice, assumes additivity."),
    ] = None,
    infer_slice: Annotated[str | None, typer.Option(help="Rows in which inference alone varies.")] = None,
    within: Annotated[
        str | None, typer.Option(help="Scores within which rows of slices are used, such as .33,.69.")
    ] = None,
    train: Annotated[str, typer.Option(help="stage, or total with the column pretrain_flops.")] = "stage",
    verifier: Annotated[
        str, typer.Option(help="in or out: whether the verifier's calls are inference.")
    ] = "in",
    prefill: Annotated[str, typer.Option(help="shared by a problem's samples, or repeated.")] = "shared",
    currency: Annotated[str, typer.Option(help="flops, critical_tokens or device_seconds.")] = "flops",
    volume: Annotated[
        float | None, typer.Option(help="Problems over the lifetime: what to buy, at each score.")
    ] = None,
    infer_price: Annotated[
        float | None,
        typer.Option(
            help="With --volume: price of a unit of inference compute over one of training (default 1)."
        ),
    ] = None,
    most_tokens: Annotated[
        float | None, typer.Option(help="With --volume: most tokens one after the other (latency).")
    ] = None,
    interval: Annotated[str, typer.Option(help="jackknife or bootstrap.")] = "jackknife",
    level: Annotated[float, typer.Option(help="Nominal coverage of the intervals.")] = 0.95,
    bootstrap: Annotated[
        int, typer.Option(help="Draws for bands, the test of constancy and what to buy.")
    ] = 1000,
    calibrate: Annotated[
        bool,
        typer.Option("--calibrate", help="Simulate at this design and print the intervals' true coverage."),
    ] = False,
    seed: Annotated[int, typer.Option(min=0, help="Seed of all draws.")] = 0,
    json: Annotated[
        Path | None, typer.Option(help="Write the rates to this file (schema scaling.exchange/1).")
    ] = None,
    report: Annotated[Path | None, typer.Option(help="Write a report with figures to this folder.")] = None,
) -> None:
    """Measure what inference compute is worth in training compute, with intervals, and say what to doubt.

    A grid of training levels x budgets has columns train_flops, infer_flops_per_problem and score (or n and c, or correct
    with a row a sample), and where there are: run or seed, problem, budget, method, n_problems, chance_score, tokens. Two
    budgets of one run give paired curves. Units may be relative.
    """
    from scaling import exchange_tables as tables
    from scaling import options, outside

    if json is not None:
        outside.check_target(json, table)
    if report is not None:
        outside.check_report(report)
    asked = tables.Asked(
        method=method,
        at=options.listed(at, "--at", ".3,.5"),
        k=options.listed_whole(k, "--k", "1,4,16"),
        link=link,
        surface=surface,
        mapping=options.pairs(map_ or [], "--map", "score=accuracy"),
        where=where,
        from_name=from_name,
        slices=(train_slice, infer_slice),
        within=options.listed(within, "--within", ".33,.69"),
        ledger=tables.ledger(train=train, verifier=verifier, prefill=prefill, currency=currency),
        interval=interval,
        level=level,
        bootstrap=bootstrap,
        seed=seed,
        volume=volume,
        calibrate=calibrate,
        most_tokens=most_tokens,
    )
    tables.check_scores(asked.at, link)
    tables.check_purchase(volume, infer_price, most_tokens, calibrate, train_slice is not None)
    price = 1.0 if infer_price is None else infer_price
    found = tables.measure(table, asked)
    command = shlex.join(["scaling", *sys.argv[1:]])
    try:
        if json is not None:
            outside.write_text(json, tables.as_text(found, command))
    finally:  # whichever of the two cannot be written, the other is
        sys.stdout.write(f"{found.summary()}\n")
    sys.stdout.flush()
    if volume is not None:
        sys.stdout.write(f"\n{tables.bought(found, volume, price, most_tokens)}\n")
    covered = tables.coverage(found, seed) if calibrate else ()
    if covered:
        sys.stdout.write(f"\n{tables.coverage_text(covered, level)}\n")
    if report is not None:
        from scaling import exchange_writing

        written = exchange_writing.write_report(
            report, found, table, command, asked,
            volume=volume, infer_price=price, most_tokens=most_tokens, covered=covered,
        )  # fmt: skip
        sys.stdout.write(f"\nreport: {written}\n")
