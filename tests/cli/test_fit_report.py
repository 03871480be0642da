"""`scaling fit --report`: a page with every figure and every row's account, for any law."""

import json
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from scaling.laws import Chinchilla, Coverage, ExponentialLink

LAW = Chinchilla(E=1.82, A=478.0, B=2143.0, alpha=0.347, beta=0.367)


@pytest.fixture
def runs(tmp_path: Path) -> pd.DataFrame:
    rng = np.random.default_rng(0)
    C = np.repeat([1e16, 1e17, 1e18, 1e19], 8)
    N = np.sqrt(C / 120) * np.tile(np.geomspace(0.2, 5, 8), 4)
    loss = LAW.predict(N=N, D=C / 6 / N) * np.exp(rng.normal(0, 0.01, 32))
    frame = pd.DataFrame({"N": N, "C": C, "loss": loss})
    frame.loc[3, "loss"] = np.nan
    frame.to_csv(tmp_path / "runs.csv", index=False)
    return frame


def test_a_report_has_the_figures_that_people_expect(runs: pd.DataFrame, command, ok, tmp_path: Path) -> None:
    options = ["--law", "chinchilla", "--bootstrap", 100, "--compute", "1e20", "--report", "rep"]
    out = ok(command("fit", "runs.csv", *options))
    assert out.endswith("report: rep/index.html\n")
    page = (tmp_path / "rep" / "index.html").read_text()
    figures = {path.stem for path in (tmp_path / "rep" / "figures").glob("*.svg")}
    expected = {"data-and-law", "surface", "residuals-n", "residuals-d", "cloud", "fan"}
    beyond = {"exponents", "influence-figure", "rollout-figure", "delta"}
    assert figures == expected | beyond | {"isoflop-curves", "optimal-size"}
    optima = pd.read_csv(tmp_path / "rep" / "tables" / "isoflop-optima.csv")
    assert len(optima) == 4
    candidates = pd.read_csv(tmp_path / "rep" / "tables" / "next-run.csv")
    assert candidates["narrowing"].is_monotonic_decreasing
    assert candidates["C"].max() <= 1e19 * (1 + 1e-9)
    assert np.all(np.abs(np.log(optima["N"] / LAW.N_optimal(optima["C"]))) < 0.5)
    assert "C = 1 × 10¹⁶" in page  # a curve a budget
    said = "The laws chinchilla, p_norm by the losses huber, lad, mse: each is fitted to the rows below a compute cut"
    ranking = pd.read_csv(tmp_path / "rep" / "tables" / "rollout.csv")
    assert (set(ranking["law"]), set(ranking["loss"])) == ({"chinchilla", "p_norm"}, {"huber", "lad", "mse"})
    assert said in page
    excluded = pd.read_csv(tmp_path / "rep" / "tables" / "excluded.csv")
    assert excluded.to_dict("records") == [{"row": 3, "reason": "loss is missing"}]
    used = pd.read_csv(tmp_path / "rep" / "tables" / "rows.csv")
    assert len(used) + len(excluded) == len(runs)
    results = json.loads((tmp_path / "rep" / "results.json").read_text())
    assert results["results"]["fit"]["schema"] == "scaling.fit/1"
    assert "a = " in (tmp_path / "rep" / "index.md").read_text()
    assert not re.search(r"https?://(?!www\.w3\.org)", page)


def test_a_report_keeps_rows_of_one_run_together(runs: pd.DataFrame, command, ok, tmp_path: Path) -> None:
    runs.assign(size=np.arange(len(runs)) % 8).to_csv(tmp_path / "runs.csv", index=False)
    options = ["--law", "chinchilla", "--bootstrap", 20, "--cluster", "size", "--report", "rep"]
    ok(command("fit", "runs.csv", *options))
    left_out = pd.read_csv(tmp_path / "rep" / "tables" / "influence.csv")
    assert sorted(left_out["rows"].unique()) == [3, 4], "without each size, not without each row"


def test_rows_without_compute_form_no_budgets_and_no_draws_are_said_to_be_none(
    runs: pd.DataFrame, command, ok, tmp_path: Path
) -> None:
    frame = runs.assign(D=runs["C"] / 6 / runs["N"])
    frame.loc[:12, "C"] = np.nan
    frame.loc[20, "C"] = 0.0
    frame.to_csv(tmp_path / "runs.csv", index=False)
    ok(command("fit", "runs.csv", "--law", "chinchilla", "--bootstrap", 0, "--report", "rep"))
    page = (tmp_path / "rep" / "index.md").read_text()
    assert "The p-norm form gives a = " in page
    assert "isoFLOP curves: " in page, "named among what is not there"
    assert "No draws were made" in page


def test_the_same_fit_gives_the_same_bytes(runs: pd.DataFrame, command, ok, tmp_path: Path) -> None:
    options = ["--law", "power", "--map", "x=C", "--bootstrap", 50]
    ok(command("fit", "runs.csv", *options, "--report", "one"))
    ok(command("fit", "runs.csv", *options, "--report", "two"))
    for path in (tmp_path / "one").rglob("*"):
        if path.is_file():
            twin = tmp_path / "two" / path.relative_to(tmp_path / "one")
            assert path.read_bytes().replace(b"--report one", b"") == twin.read_bytes().replace(
                b"--report two", b""
            )


@pytest.mark.parametrize(
    ("law", "frame", "figures"),
    [
        (
            "exponential_link",
            pd.DataFrame({"loss": np.linspace(2, 4, 30)}).assign(
                score=lambda t: ExponentialLink(chance=0.25, K=3.0, gamma=1.2).predict(loss=t["loss"])
            ),
            {"data-and-law", "residuals-loss", "cloud", "exponents", "influence-figure", "delta"},
        ),
        (
            "coverage",
            pd.DataFrame({"k": np.geomspace(1, 1e4, 20)}).assign(
                score=lambda t: Coverage(a=1.6, b=0.4).predict(k=t["k"])
            ),
            {"data-and-law", "residuals-k", "cloud", "exponents", "influence-figure", "delta"},
        ),
    ],
)
def test_other_laws_have_reports_too(
    command, ok, tmp_path: Path, law: str, frame: pd.DataFrame, figures
) -> None:
    noise = np.exp(np.random.default_rng(0).normal(0, 0.005, len(frame)))
    frame.assign(score=frame["score"] * noise).to_csv(tmp_path / "t.csv", index=False)
    ok(command("fit", "t.csv", "--law", law, "--bootstrap", 50, "--report", "rep"))
    assert {path.stem for path in (tmp_path / "rep" / "figures").glob("*.svg")} == figures


def test_diagnostics_without_an_answer_are_named_with_the_reason(runs, command, ok, tmp_path: Path) -> None:
    ok(
        command(
            "fit", "runs.csv", "--law", "chinchilla", "--bootstrap", 0, "--fix", "E=1.82", "--report", "rep"
        )
    )
    page = (tmp_path / "rep" / "index.md").read_text()
    assert "Not in this report" in page
    assert "prediction beyond compute cuts: something is known of parameters" in page


def test_a_fit_that_fixes_nothing_has_a_report_too(rows: pd.DataFrame, inside, ok, tmp_path: Path) -> None:
    rows.assign(run_id=[[1]] * len(rows)).to_json(tmp_path / "t.jsonl", orient="records", lines=True)
    fit = ("fit", tmp_path / "t.jsonl", "--law", "power", "--map", "x=N", "--bootstrap", 0, "--fix")
    for fixed in ("A=1e100", "A=1e300"):
        ok(inside(*fit, fixed, "--report", tmp_path / "rep"))
        page = (tmp_path / "rep" / "index.md").read_text()
        assert "the Hessian at the minimum: " in page
        assert "influence of each run: column run_id holds lists or objects" in page


def test_a_law_without_a_best_size_has_a_report_too(runs, inside, ok, tmp_path: Path) -> None:
    fit = ("fit", tmp_path / "runs.csv", "--law", "chinchilla_tied", "--bootstrap", 0, "--fix", "alpha=1e-3")
    ok(inside(*fit, "--report", tmp_path / "rep"))
    assert (
        "Not drawn: this chinchilla_tied puts its best size at 0"
        in (tmp_path / "rep" / "index.md").read_text()
    )


def test_calibration_enters_the_report(runs: pd.DataFrame, command, ok, tmp_path: Path) -> None:
    options = ["--law", "power", "--map", "x=C", "--loss", "mse", "--bootstrap", 40]
    out = ok(command("fit", "runs.csv", *options, "--calibrate", "--report", "rep"))
    assert re.search(r"alpha +\d+\.\d % ± \d", out)
    assert len(pd.read_csv(tmp_path / "rep" / "tables" / "calibration.csv")) == 3


def test_a_folder_that_cannot_hold_a_report_is_refused_before_the_fit(
    runs, command, one_line, tmp_path: Path
) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "letter.txt").write_text("keep me")
    one_line(command("fit", "runs.csv", "--law", "chinchilla", "--report", "mine"), 2, "mine")
    one_line(command("fit", "runs.csv", "--law", "chinchilla", "--report", "runs.csv"), 2, "runs.csv")
    assert (tmp_path / "mine" / "letter.txt").read_text() == "keep me"
