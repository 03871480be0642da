"""``scaling fit`` on tables as they come: one line and the right exit status, or an account of every row."""

import json
import shlex
from pathlib import Path

import numpy as np
import pandas as pd
import pytest


def fit(command, table: object, *options: object):
    return command("fit", table, "--law", "chinchilla", "--bootstrap", 20, *options)


def csv(frame: pd.DataFrame, **options: object) -> str:
    return frame.to_csv(index=False, **options)


def with_cell(frame: pd.DataFrame, row: int, column: str, value: object) -> pd.DataFrame:
    changed = frame.astype(object)
    changed.loc[row, column] = value
    return changed


REFUSED = {
    "missing column": (
        lambda f: csv(f.drop(columns="loss")),
        2,
        ["no column is called loss", "N, D", "--map"],
    ),
    "text in a number column": (
        lambda f: csv(with_cell(f, 4, "loss", "n/a!")),
        2,
        ["column loss, row 4: 'n/a!' is not a number"],
    ),
    "thousands separators": (lambda f: csv(with_cell(f, 0, "N", "1,000")), 2, ["row 0: '1,000'"]),
    "two rows": (lambda f: csv(f.head(2)), 1, ["5 parameters", "2 usable rows of 2 read"]),
    "too few rows once the bad ones are out": (
        lambda f: csv(with_cell(f.head(5), 1, "N", -5)),
        1,
        ["4 usable rows of 5 read (1 excluded, the first because N is not positive)"],
    ),
    "empty file": (lambda f: "", 2, ["t.csv is empty"]),
    "header alone": (lambda f: "N,D,loss\n", 2, ["t.csv has no rows"]),
    "one column": (lambda f: csv(f[["loss"]]), 2, ["no column is called N", "the table has loss"]),
    "one name twice": (
        lambda f: csv(f.assign(twin=1.0)).replace("twin", "loss"),
        2,
        ["2 columns called 'loss'; rename or remove one"],
    ),
    "odd letters in a name": (
        lambda f: csv(f.rename(columns={"N": "größe №"})),
        2,
        ["the table has größe №, D"],
    ),
    "semicolons": (lambda f: csv(f, sep=";"), 2, ["separated by ';'", "export it with commas"]),
    "tabs": (lambda f: csv(f, sep="\t"), 2, ["separated by '\\t'", "name the file .tsv"]),
    "rows longer than the header": (
        lambda f: csv(f).replace("\n", ",9\n").replace("loss,9", "loss"),
        2,
        ["rows have more cells than the 3 names"],
    ),
    "control characters": (lambda f: "\x1b[31mN,D,loss\n1,2,3\n", 2, ["no column is called N"]),
    "one N": (lambda f: csv(f.assign(N=1e6)), 1, ["all 30 rows have N = 1e+06"]),
}


FILES = {
    ".": "is a folder, expected a table file",
    "none.csv": "none.csv does not exist",
    "runs.xlsx": "has no known ending; expected one of .csv",
    "cut.parquet": "not a readable parquet table",
    "list.jsonl": "line 2 is '[1, 2]'",
}


@pytest.fixture(scope="module")
def refusals(many, rows: pd.DataFrame, tmp_path_factory: pytest.TempPathFactory):
    folder = tmp_path_factory.mktemp("tables")
    for number, (make, _, _) in enumerate(REFUSED.values()):
        (folder / f"{number}").mkdir()
        (folder / f"{number}" / "t.csv").write_text(make(rows), encoding="utf-8")
    (folder / "runs.xlsx").write_bytes(b"PK")
    (folder / "cut.parquet").write_bytes(b"PAR1")
    (folder / "list.jsonl").write_text('{"N": 1}\n[1, 2]\n')
    tables = {case: f"{number}/t.csv" for number, case in enumerate(REFUSED)} | {name: name for name in FILES}
    return many(folder, {case: ["fit", table, "--law", "chinchilla"] for case, table in tables.items()})


@pytest.mark.parametrize("case", REFUSED)
def test_a_table_without_an_answer_is_refused_in_one_line(refusals, one_line, case: str) -> None:
    _, status, says = REFUSED[case]
    one_line(refusals[case], status, *says)
    assert refusals[case].stdout == ""
    assert refusals[case].stderr.strip().isprintable()


@pytest.mark.parametrize("table", FILES)
def test_what_is_no_table_is_refused_in_one_line(refusals, one_line, table: str) -> None:
    one_line(refusals[table], 2, FILES[table])


def test_rows_without_a_usable_number_are_listed_with_their_reasons(
    command, ok, tmp_path: Path, rows: pd.DataFrame
) -> None:
    messy = rows.copy()
    messy.loc[[0, 3], "N"] = -5.0
    messy.loc[[4, 5, 6, 7], "loss"] = [np.nan, np.inf, -np.inf, 0.0]
    messy.to_csv(tmp_path / "t.csv", index=False)
    out = ok(fit(command, "t.csv", "--json", "fit.json"))
    assert "rows: 24 used of 30 read" in out
    account = json.loads((tmp_path / "fit.json").read_text())["rows"]
    assert (account["read"], account["used"]) == (30, 24)
    assert {(entry["row"], entry["reason"]) for entry in account["excluded"]} == {
        (0, "N is not positive"),
        (3, "N is not positive"),
        (4, "loss is missing"),
        (5, "loss is infinite"),
        (6, "loss is infinite"),
        (7, "loss is not positive"),
    }


@pytest.mark.parametrize("word", ["diverged", "1,000,000"])
def test_what_stops_a_fit_says_how_to_leave_it_out(
    inside, one_line, ok, tmp_path: Path, rows: pd.DataFrame, monkeypatch: pytest.MonkeyPatch, word: str
) -> None:
    """The README's account of cells: these words are missing numbers, other text stops the fit."""
    monkeypatch.chdir(tmp_path)
    messy = rows.astype(object)
    messy.loc[:6, "loss"] = ["", "-", "NaN", "NA", "n/a", "None", "null"]
    messy.loc[7:8, "loss"] = word
    messy.to_csv("t.csv", index=False)
    fitted = ("fit", "t.csv", "--law", "chinchilla", "--bootstrap", 0)
    hint = f"--where 'loss != \"{word}\"'"
    refusal = inside(*fitted)
    one_line(
        refusal, 2, f"row 7: '{word}' is not a number; correct the cell, or leave the row out with {hint}"
    )
    said = ok(inside(*fitted, *shlex.split(hint)))
    assert "rows: 21 used of 30 read" in said
    assert "7 left out: loss is missing" in said
    mapped = ("--map", "loss=loss * 1")
    one_line(inside(*fitted, *mapped), 2, f"row 7: '{word}' is no number", f"leave the row out with {hint}")


def test_an_export_of_a_tracker_is_fitted_as_the_readme_shows(
    command, ok, tmp_path: Path, rows: pd.DataFrame
) -> None:
    """Slashes and spaces in names, units of millions, crashed and half-annealed rows, empty cells, a mark of order."""
    export = pd.DataFrame(
        {
            "Name": [f"run, {i}" for i in range(30)],
            "State": "finished",
            "config/model/matmul_params": rows["N"],
            "config/optim/lr": 1e-2,
            "summary/lr": 1e-4,
            "summary/train/tokens (M)": rows["D"] / 1e6,
            "summary/eval/python-heldout/loss": rows["loss"],
            "Notes": None,
        }
    )
    export.loc[[2, 9], "State"] = ["crashed", None]
    export.loc[5, "summary/lr"] = 1e-2
    export.loc[7, "summary/eval/python-heldout/loss"] = np.nan
    export.to_csv(tmp_path / "export.csv", index=False, encoding="utf-8-sig")
    options = (
        *("--map", "N=config/model/matmul_params", "--map", "D=`summary/train/tokens (M)` * 1e6"),
        *("--map", "loss=summary/eval/python-heldout/loss"),
        *("--where", "State == 'finished' and `summary/lr` / `config/optim/lr` < 0.1"),
        *("--compute", "1e14", "--json", "fit.json"),
    )
    ok(fit(command, "export.csv", *options))
    found = json.loads((tmp_path / "fit.json").read_text())
    assert found["rows"]["used"] == 26
    assert [entry["row"] for entry in found["rows"]["excluded"]] == [2, 5, 9, 7]
    assert found["derived"]["N_optimal"]["value"] > 0
    clean = rows.drop(index=[2, 5, 7, 9])
    clean.to_csv(tmp_path / "clean.csv", index=False)
    ok(fit(command, "clean.csv", "--json", "clean.json"))
    same = json.loads((tmp_path / "clean.json").read_text())
    for name, estimate in same["parameters"].items():
        assert found["parameters"][name]["value"] == pytest.approx(estimate["value"], rel=1e-6)


def test_nested_objects_are_columns_with_dots(
    inside, one_line, ok, tmp_path: Path, rows: pd.DataFrame
) -> None:
    nested = [
        {"config": {"n": N, "optim": {"tokens": D}}, "metrics": {"loss": loss}, "config.seed": 1}
        for N, D, loss in rows[["N", "D", "loss"]].to_numpy().tolist()
    ]
    (tmp_path / "runs.jsonl").write_text("\n".join(map(json.dumps, nested)))
    pd.DataFrame(nested).to_parquet(tmp_path / "runs.parquet")
    rows.to_csv(tmp_path / "runs.csv", index=False)
    options = ("--law", "chinchilla", "--bootstrap", 0, "--where", "`config.n` > 0 and `config.seed` == 1")
    maps = ("--map", "N=config.n", "--map", "D=`config.optim.tokens` * 1", "--map", "loss=metrics.loss")
    plain = ok(inside("fit", tmp_path / "runs.csv", "--law", "chinchilla", "--bootstrap", 0))
    for table in ("runs.jsonl", "runs.parquet"):
        path = tmp_path / table
        assert ok(inside("fit", path, *options, *maps)).splitlines()[1:] == plain.splitlines()[1:]
        says = "the table has config.n, config.optim.tokens, metrics.loss, config.seed"
        one_line(inside("fit", path, "--law", "chinchilla"), 2, says)
        one_line(inside("fit", path, "--law", "chinchilla", "--map", "N=`config.m`"), 2, says)
