"""``scaling import`` and what follows it: tables that ``scaling fit`` reads, an account of all rows, one-line refusals."""

import json
import shlex
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

REFUSED = {
    "unknown format": (["excel", "t.csv"], "no importer 'excel'; known: table, wide, lightning"),
    "no path": (["table"], "Missing argument 'PATH'"),
    "no out": (["table", "t.csv", "-"], "Missing option '--out'"),
    "no file": (["table", "none.csv"], "none.csv does not exist; expected tables (.csv"),
    "no match": (["table", "*.parquet"], "no file matches '*.parquet'; correct the path, or quote a glob"),
    "empty folder": (["tensorboard", "empty"], "empty holds no event files"),
    "other format": (["mlflow", "t.csv"], "t.csv is no readable MLflow store"),
    "choice without use": (["lightning", "t.csv", "--run", "x"], "lightning has its own runs and steps; leave --run out"),
    "run that is not there": (["table", "t.csv", "--run", "x"], "--run x: no such column; the table has step, tokens"),
    "metric that is not there": (["table", "t.csv", "--last", "x"], "--last x: no such metric; the history has tokens"),
    "bad pattern": (["table", "t.csv", "--from-name", "(?P<size"], "--from-name '(?P<size' is no regular expression"),
    "pattern without a match": (["table", "t.csv", "--from-name", "(?P<size>[0-9]+)"], "matches nothing in 't.csv'"),
    "out is a file": (["table", "t.csv", "--out", "t.csv"], "t.csv is a file where a folder should be"),
    "garbage": (["wandb", "bad.wandb"], "bad.wandb does not begin as a W&B run does"),
}  # fmt: skip


@pytest.fixture(scope="module")
def refusals(many, tmp_path_factory: pytest.TempPathFactory):
    folder = tmp_path_factory.mktemp("logs")
    (folder / "empty").mkdir()
    (folder / "t.csv").write_text("step,tokens,loss\n1,100,3\n")
    (folder / "bad.wandb").write_bytes(b"\0" * 99)
    commands = {}
    for case, (arguments, _) in REFUSED.items():
        out = [] if "--out" in arguments or "-" in arguments else ["--out", "out"]
        commands[case] = ["import", *(a for a in arguments if a != "-"), *out]
    found = many(folder, commands)
    assert sorted(path.name for path in folder.iterdir()) == ["bad.wandb", "empty", "t.csv"]
    return found


@pytest.mark.parametrize("case", REFUSED)
def test_what_cannot_be_imported_is_refused_in_one_line(refusals, one_line, case: str) -> None:
    one_line(refusals[case], 2, REFUSED[case][1])
    assert refusals[case].stdout == ""


@pytest.fixture
def logs(tmp_path: Path, rows: pd.DataFrame) -> Path:
    """A file a run, its size in the name, tokens and loss at several steps, the loss missing at the end of one."""
    (tmp_path / "logs").mkdir()
    for (N, run), length in zip(rows.groupby("N"), (5, 4, 3, 5, 4, 5), strict=True):
        run = run.iloc[:length].reset_index(drop=True)
        steps = pd.DataFrame(
            {"_step": range(len(run)), "tokens (M)": run["D"] / 1e6, "eval/loss": run["loss"]}
        )
        if rows["N"].max() == N:
            steps.loc[len(steps)] = [len(steps), np.nan, np.nan]
            steps = pd.concat([steps, pd.DataFrame({"_step": [9], "lr": [0.1]})])
        steps.to_csv(tmp_path / "logs" / f"run-{N:.0f}.csv", index=False)
    return tmp_path / "logs"


def test_the_command_that_it_prints_fits_the_table(command, ok, logs: Path) -> None:
    options = ("--from-name", "run-(?P<params>[0-9]+)", "--last", "eval/loss", "--out", "out dir")
    out = ok(command("import", "table", "logs/*.csv", *options))
    assert "table: 28 rows in 6 files, 27 kept, 1 left out" in out
    assert "1 left out: it holds no value (logs/run-10000000.csv, row 5)" in out
    assert "6 runs, 27 rows of history in 5 columns" in out
    printed = shlex.split(out.splitlines()[-1])
    assert printed[:2] == ["fit:", "scaling"]
    assert printed[-6:] == ["--map", "N=params", "--map", "D=`tokens (M)` * 1e6", "--map", "loss=eval/loss"]
    ok(command(*printed[2:], "--bootstrap", 0, "--json", "last.json"))
    account = json.loads((logs.parent / "last.json").read_text())["rows"]
    assert (account["read"], account["used"], len(account["excluded"])) == (27, 6, 21)
    everything = [word for word in printed[2:] if word not in ("--where", "last")]
    ok(command(*everything, "--bootstrap", 0, "--json", "all.json"))
    direct = ("--from-name", "run-(?P<N>[0-9]+)", "--map", "D=`tokens (M)` * 1e6", "--map", "loss=eval/loss")
    ok(
        command(
            "fit", "logs/*.csv", "--law", "chinchilla", *direct, "--bootstrap", 0, "--json", "direct.json"
        )
    )
    one, two = (json.loads((logs.parent / name).read_text()) for name in ("all.json", "direct.json"))
    assert one["objective"]["value"] == pytest.approx(two["objective"]["value"], rel=1e-9)
    assert one["rows"]["used"] == two["rows"]["used"] == 26
    labels = [entry["row"] for entry in two["rows"]["excluded"]]
    assert labels == ["run-10000000.csv:5", "run-10000000.csv:6"]


@pytest.mark.parametrize(
    ("tokens", "mapped"),
    [
        ("tokens (B)", "`tokens (B)` * 1e9"),
        ("tokens_millions", "`tokens_millions` * 1e6"),
        ("tokens_thousands", "`tokens_thousands` * 1e3"),
        ("tokens (T)", "`tokens (T)` * 1e12"),
        ("tokens [k]", "`tokens [k]` * 1e3"),
        ("tokens", "tokens"),
        ("tokens_t", "tokens_t"),
    ],
)
def test_a_unit_in_a_name_is_a_factor_in_the_command(
    inside, ok, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, tokens: str, mapped: str
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("t.csv").write_text(f"step,params (M),{tokens},loss (B)\n1,2,100,3\n")
    said = ok(inside("import", "table", "t.csv", "--out", "out")).splitlines()[-1]
    assert shlex.split(said)[-6:] == [
        *("--map", "N=`params (M)` * 1e6", "--map", f"D={mapped}", "--map", "loss=loss (B)"),
    ]


def test_what_stands_in_the_way_of_the_last_row_is_said(command, ok, logs: Path) -> None:
    out = ok(command("import", "table", "logs", "--out", "out"))
    assert "note: eval/loss is missing in 1 of 6 last rows; --last eval/loss marks each run's last row" in out
    assert (
        "note: tokens (M) is missing in 1 of 6 last rows; --carry 'tokens (M)' takes its last value before"
        in out
    )
    assert "N=..." in out
    table = pd.read_parquet(logs.parent / "out" / "table.parquet")
    assert table["last"].sum() == 6


def test_shells_may_expand_a_glob_themselves(command, ok, logs: Path) -> None:
    options = (
        "--law",
        "chinchilla",
        "--from-name",
        "run-(?P<N>[0-9]+)",
        "--map",
        "D=tokens (M)",
        "--map",
        "loss=eval/loss",
    )
    out = ok(command("fit", *sorted(logs.iterdir()), *options, "--bootstrap", 0))
    assert "26 used of 28 read; 2 left out: D is missing" in out


def test_the_tables_of_a_fit_are_never_overwritten(command, one_line, logs: Path) -> None:
    table = sorted(logs.iterdir())[0]
    before = table.read_bytes()
    one_line(
        command("fit", "logs/*.csv", "--law", "chinchilla", "--json", table), 2, "is the table that is read"
    )
    assert table.read_bytes() == before


def test_importers_are_listed(command, ok) -> None:
    lines = ok(command("list", "importers")).splitlines()
    assert lines[0] == "importers"
    assert [line.split()[0] for line in lines[1:]][:3] == ["table", "wide", "lightning"]


def test_a_full_disk_leaves_older_tables_as_they_were(command, ok, disk, one_line, logs: Path) -> None:
    disk.empty()
    arguments = ("import", "table", logs, "--out", disk.path / "out")
    ok(disk.run(*arguments, cwd=logs))
    before = {path: path.read_bytes() for path in (disk.path / "out").iterdir()}
    disk.fill()
    one_line(disk.run(*arguments, cwd=logs), 1, "make room")
    assert {path: path.read_bytes() for path in (disk.path / "out").iterdir()} == before


@pytest.mark.target
def test_a_published_tracker_export_is_fitted(command, ok, mirror: Path, tmp_path: Path) -> None:
    """Five runs of OLMo's ladder, 97 columns with slashes, the size only in the file's name."""
    export = mirror / "olmo-ladder_wandb_csv" / "*.csv"
    named = ("--from-name", "(?P<size>[0-9]+)M-(?P<multiple>[0-9]+)xC")
    maps = ("--map", "N=size*1e6", "--map", "D=throughput/total_tokens")
    loss = ("--map", "loss=eval/c4_en-validation/CrossEntropyLoss")
    options = ("--law", "chinchilla", *maps, *loss, "--bootstrap", 0)
    ok(command("fit", export, *named, *options, "--where", "multiple == 5", "--json", "fit.json"))
    found = json.loads((tmp_path / "fit.json").read_text())
    assert (found["rows"]["read"], found["rows"]["used"]) == (311, 168)
    assert {entry["row"].partition(":")[0] for entry in found["rows"]["excluded"]} == {
        "190M-1xC.csv",
        "370M-1xC.csv",
        "760M-1xC.csv",
    }
    ok(command("import", "table", export, *named, "--out", "olmo"))
    out = ok(command("fit", "olmo/table.parquet", *options, "--where", "last"))
    assert "rows: 5 used of 311 read; 306 left out: not last" in out
    assert "N from 1.9 × 10⁸ to 7.6 × 10⁸, D from 3.81 × 10⁹ to 3.71 × 10¹⁰" in out
