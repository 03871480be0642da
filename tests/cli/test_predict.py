"""`scaling predict`: what a saved fit says, with the interval of its own draws."""

import json
import re
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from scaling.laws import Chinchilla

FEW = ("--bound", "alpha=.5,.6", "--json", "few.json", "--bootstrap", 20)


@pytest.fixture(scope="module")
def fitted(many, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """A folder with a table and its saved fit, and what the command printed."""
    folder = tmp_path_factory.mktemp("fitted")
    rng = np.random.default_rng(0)
    N, D = np.exp(rng.uniform(np.log(1e6), np.log(1e10), (2, 60)))
    law = Chinchilla(E=1.82, A=478.0, B=2143.0, alpha=0.347, beta=0.367)
    loss = law.predict(N=N, D=D) * np.exp(rng.normal(0, 0.01, 60))
    pd.DataFrame({"N": N, "D": D, "loss": loss}).to_csv(folder / "runs.csv", index=False)
    options = ["--law", "chinchilla", "--json", "fit.json", "--bootstrap", 200, "--compute", "1e20"]
    run = many(folder, {"fit": ("fit", "runs.csv", *options, "--inference", "1e12")})["fit"]
    assert (run.returncode, run.stderr) == (0, "")
    return folder, run.stdout


@pytest.fixture
def saved(fitted: tuple[Path, str], tmp_path: Path) -> str:
    """The same in a folder of the test's own."""
    folder, said = fitted
    shutil.copytree(folder, tmp_path, dirs_exist_ok=True)
    return said


def test_a_saved_fit_says_what_the_fit_said(saved: str, command, ok, tmp_path: Path) -> None:
    said = ok(command("predict", "fit.json", "--compute", "1e20", "--inference", "1e12"))
    for word in (
        "N_opt ~ C^",
        "N_opt ",
        "tokens per parameter",
        "loss at the optimum",
        "N to train and serve",
        "share of FLOPs",
    ):
        line = next(line for line in saved.splitlines() if line.strip().startswith(word))
        assert re.sub(r"\s+", " ", line.strip()) in re.sub(r" +", " ", said), word
    body = json.loads((tmp_path / "fit.json").read_text())
    assert set(body["derived"]) >= {"N_served", "serving_saving", "loss_optimal"}


def test_bca_intervals_are_kept(saved: str, inside, ok, tmp_path: Path) -> None:
    options = ("--law", "chinchilla", "--bootstrap", 100, "--interval", "bca", "--compute", "1e20")
    said = ok(inside("fit", tmp_path / "runs.csv", *options, "--json", tmp_path / "bca.json"))
    again = ok(inside("predict", tmp_path / "bca.json", "--compute", "1e20"))
    line = next(line for line in said.splitlines() if line.strip().startswith("loss at the optimum"))
    assert re.sub(r" +", " ", line.strip()) in re.sub(r" +", " ", again)
    assert "95 % BCa intervals of the draws beside bca.json" in again
    ok(inside("predict", tmp_path / "bca.json", "--at", "N=1e9,D=2e10"))


def test_a_prediction_has_the_interval_of_the_draws(saved: str, command, ok) -> None:
    said = ok(command("predict", "fit.json", "--at", "N=1e9,D=2e10"))
    found = re.search(r"loss at N = 1 × 10⁹, D = 2 × 10¹⁰ +([\d.]+) \[([\d.]+), ([\d.]+)\]", said)
    assert found is not None, said
    value, low, high = map(float, found.groups())
    assert low < value < high
    run = re.search(r"a new run there +([\d.]+) \[([\d.]+), ([\d.]+)\]", said)
    assert run is not None, said
    assert float(run[2]) < low, "a run has noise of its own"
    assert float(run[3]) > high
    assert "95 % percentiles of the draws beside fit.json" in said


def test_distance_beyond_the_rows_and_doubts_are_said(
    saved: str, inside, ok, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    rows = pd.read_csv("runs.csv")
    N, C = rows["N"].max(), (6 * rows["N"] * rows["D"]).max()
    assert "extrapolation" not in ok(inside("predict", "fit.json", "--at", "N=1e9,D=1e9"))
    said = ok(inside("predict", "fit.json", "--at", f"N={100 * N},D=1e9"))
    assert "extrapolation: N = " in said
    assert " lies 2 decades beyond the largest of the rows" in said
    said = ok(inside("predict", "fit.json", "--compute", f"{1000 * C}"))
    assert "extrapolation: C = " in said
    assert " lies 3 decades beyond" in said
    assert "status:" not in said
    ok(inside("fit", "runs.csv", "--law", "chinchilla", "--where", "N < 1e8", *FEW))
    said = ok(inside("predict", "few.json", "--at", "N=1e7,D=1e9"))
    warned = json.loads(Path("few.json").read_text())["warnings"]
    assert warned
    assert said.endswith(
        "status: doubtful\n" + "".join(f"  {one['code']}: {one['message']}\n" for one in warned)
    )


def test_without_its_own_draws_a_fit_predicts_values_alone(saved: str, command, ok, tmp_path: Path) -> None:
    ok(command("fit", "runs.csv", "--law", "chinchilla", "--json", "other.json", "--bootstrap", 50))
    (tmp_path / "other.draws.parquet").replace(tmp_path / "fit.draws.parquet")
    said = ok(command("predict", "fit.json", "--at", "N=1e9,D=2e10"))
    assert "[" not in said
    assert "fit.draws.parquet is not there or of another fit" in said
    ok(command("fit", "runs.csv", "--law", "chinchilla", "--json", "fit.json", "--bootstrap", 0))
    assert not (tmp_path / "fit.draws.parquet").exists()


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["fit.json"], "give either --at"),
        (["fit.json", "--at", "N=1e9,D=1e10", "--compute", "1e20"], "give either --at"),
        (["fit.json", "--at", "N=1e9"], "chinchilla predicts from N, D, not from N"),
        (["fit.json", "--at", "N=1e9,D=x"], "'x' is no number"),
        (["fit.json", "--at", "N=1e9,D"], "expected NAME=VALUE, such as --at N=1e9,D=2e10"),
        (["fit.json", "--at", ""], "expected NAME=VALUE, such as --at N=1e9,D=2e10"),
        (["fit.json", "--at", "N=1e9,D=1e10", "--inference", "1e12"], "give --compute, not --at"),
        (["none.json", "--at", "N=1e9,D=1e10"], "none.json does not exist; write a fit with"),
        (["runs.csv", "--at", "N=1e9,D=1e10"], "runs.csv is no saved fit"),
        (["list.json", "--at", "N=1e9,D=1e10"], "list.json is no saved fit"),
        (["torn.json", "--at", "N=1e9,D=1e10"], "torn.draws.parquet is damaged"),
    ],
)
def test_wrong_calls_end_in_one_line(
    saved: str, command, one_line, tmp_path: Path, arguments, says: str
) -> None:
    (tmp_path / "list.json").write_text("[1]")
    (tmp_path / "torn.json").write_text((tmp_path / "fit.json").read_text())
    (tmp_path / "torn.draws.parquet").write_bytes(b"junk")
    one_line(command("predict", *arguments), 2, says)
