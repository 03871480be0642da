"""`scaling exchange`: grids, slices and paired curves from a user's own table; what it refuses, in one line."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy.special import expit

from scaling.study import bundled

O1 = bundled("data") / "external" / "openai_o1_charts" / "o1_digitised.csv"
KEYS = {
    *("schema", "method", "link", "surface", "rates", "constancy", "design"),
    *("convention", "interval", "warnings", "provenance"),
}
RATE = {
    *("at", "eta", "low", "high", "multiplier_10x"),
    *("span_train_decades", "span_infer_decades", "status"),
}


def grid(seeds: int = 3, problems: int = 40, budgets: int = 4, levels: int = 4) -> pd.DataFrame:
    """A grid whose rate is .8 everywhere."""
    rng = np.random.default_rng(0)
    difficulty = rng.normal(0.0, 1.5, problems)
    cells = []
    for u in np.linspace(18, 20, levels):
        for seed in range(seeds):
            luck = rng.normal(0.0, 0.1)
            for v in np.linspace(9, 11, budgets):
                p = expit(-2 + (u - 18) + 0.8 * (v - 9) + luck + difficulty)
                cells.append(
                    pd.DataFrame(
                        {
                            "flops": 10.0**u, "seed": seed, "inference": 10.0**v, "problem": range(problems),
                            "n": 32, "c": rng.binomial(32, p), "tokens": 10.0 ** (v - 7),
                        }
                    )
                )  # fmt: skip
    return pd.concat(cells, ignore_index=True)


MAPS = ("--map", "train_flops=flops", "--map", "infer_flops_per_problem=inference")


@pytest.fixture
def table(tmp_path: Path) -> Path:
    path = tmp_path / "grid.csv"
    grid().to_csv(path, index=False)
    return path


def test_a_grid_gives_a_rate_json_and_a_report_and_the_same_bytes_again(
    inside, ok, table: Path, tmp_path: Path
) -> None:
    target, folder = tmp_path / "rate.json", tmp_path / "report"
    call = (
        "exchange", str(table), *MAPS, "--at", ".4,.5,.99", "--volume", "1e9", "--bootstrap", "100",
        "--json", str(target), "--report", str(folder),
    )  # fmt: skip
    seen = []
    for _ in range(2):
        out = ok(inside(*call))
        files = sorted(path for path in folder.rglob("*") if path.is_file())
        seen.append({path.name: path.read_bytes() for path in (*files, target)})
    assert seen[0] == seen[1]
    assert "rows: 1920 used of 1920 read" in out
    assert "4 training levels x 4 budgets" in out
    assert "what to buy for 1 × 10⁹ problems" in out
    found = json.loads(target.read_text())
    assert set(found) == KEYS
    first, second, last = found["rates"]
    assert set(first) >= RATE
    assert first["low"] < 0.8 < first["high"]
    assert second["multiplier_10x"] == pytest.approx(10 ** second["eta"])
    assert (last["eta"], last["status"]) == (None, "not identified")
    assert found["design"]["levels"] == 4
    assert found["design"]["problems"] == 40
    page = (folder / "index.html").read_text()
    for title in (
        "What inference is worth",
        "What stands in for what",
        "What to buy",
        "How sure",
        "What is counted",
    ):
        assert title in page


def test_a_cap_that_leaves_nothing_is_said_at_each_score(inside, ok, table: Path) -> None:
    out = ok(
        inside(
            "exchange",
            str(table),
            *MAPS,
            "--at",
            ".4,.5",
            "--volume",
            "1e9",
            "--most-tokens",
            "1",
            "--bootstrap",
            "20",
        )
    )
    assert out.count("most_tokens is 1; the least on the isoquant") == 2


def test_slices_of_published_panels(inside, ok) -> None:
    out = ok(
        inside(
            "exchange", str(O1), "--map", "train_flops=rel_compute", "--map", "infer_flops_per_problem=rel_compute",
            "--map", "score=pass_at_1_pct / 100", "--train-slice", "panel == 'train'", "--infer-slice", "panel == 'test'",
        )
    )  # fmt: skip
    assert "2.03 [1.64, 2.57]" in out
    assert "assumes additivity" in out
    assert "107x" in out
    assert "22 read (7 in neither slice)" in out


def test_two_budgets_are_paired_curves(inside, ok, tmp_path: Path) -> None:
    u = np.linspace(18, 20, 12)
    rows = [
        {
            "run": 1,
            "train_flops": 10**x,
            "budget": k,
            "infer_flops_per_problem": k * 1e9,
            "score": expit(-2 + x - 18 + gain),
        }
        for x in u
        for k, gain in ((1, 0.0), (16, 0.6))
    ]
    path = tmp_path / "pairs.csv"
    pd.DataFrame(rows).to_csv(path, index=False)
    out = ok(inside("exchange", str(path), "--at", ".4", "--bootstrap", "50"))
    assert "between budgets 1 and 16" in out
    assert f"{0.6 / np.log10(16):.2f}"[:4] in out
    assert "this run" in out


def test_samples_are_put_together(inside, ok, tmp_path: Path) -> None:
    rng = np.random.default_rng(1)
    rows = []
    for u in np.linspace(18, 20, 4):
        for seed in range(2):
            for problem in range(30):
                right = rng.random(16) < expit(-2 + (u - 18) + 0.3 * (problem % 7 - 3))
                for sample, mark in enumerate(right):
                    answer = "a" if mark else rng.choice(list("bcd"))
                    rows.append((10**u, seed, problem, sample, answer, int(mark), 1e9))
    path = tmp_path / "samples.parquet"
    names = ["train_flops", "seed", "problem", "sample", "answer", "correct", "infer_flops_per_problem"]
    pd.DataFrame(rows, columns=names).to_parquet(path)
    for method in ("majority", "pass"):
        out = ok(inside("exchange", str(path), "--method", method, "--k", "1,2,4,8,16", "--bootstrap", "20"))
        assert f"exchange rate of {method}" in out
        assert "4 training levels x 5 budgets" in out


@pytest.mark.parametrize(
    ("more", "says"),
    [
        (("--at", "half"), "--at 'half': expected numbers with commas between"),
        (("--link", "probit"), "link is 'probit'; give logit, cloglog, linear"),
        (("--surface", "plane"), "surface is 'plane'; give free, additive"),
        (("--method", "pas"), "method is 'pas'; give budget, pass, majority, best_of"),
        (("--train-slice", "flops > 1"), "give both --train-slice and --infer-slice, or neither"),
        (("--where", "flops < 1"), "keeps none of the 1920 rows; loosen it"),
        (("--train", "everything"), "ledger's train is 'everything'; give stage or total"),
        (("--train", "total"), "needs a column pretrain_flops"),
        (("--verifier", "maybe"), "ledger's verifier is 'maybe'; give in or out"),
        (("--k", "2"), "k counts samples that are put together"),
        (("--method", "best_of"), "verifier_score"),
        (("--interval", "bca"), "interval is 'bca'; give jackknife or bootstrap"),
        (("--level", "95"), "level is 95"),
        (("--within", ".1,.5"), "--within chooses rows of slices"),
        (("--volume", "-1"), "volume is -1"),
        (("--most-tokens", "100"), "caps what is bought for a volume; give --volume too"),
        (("--infer-price", "0"), "infer-price is 0"),
        (("--infer-price", "2"), "--infer-price is of what is bought for a volume; give --volume too"),
        (("--verifier", "out"), "needs a column infer_flops_verifier_per_problem"),
        (("--prefill", "repeated"), "needs a column infer_flops_prefill_per_problem"),
        (("--at", "50"), "--at 50: expected a share between 0 and 1"),
        (
            ("--currency", "device_seconds", "--train", "total"),
            "is about FLOPs, and device seconds are counted",
        ),
    ],
)
def test_wrong_calls_get_one_line(inside, one_line, table: Path, more: tuple[str, ...], says: str) -> None:
    one_line(inside("exchange", str(table), *MAPS, "--bootstrap", "20", *more), 2, says)


def test_percent_scores_and_missing_columns_say_what_to_do(inside, one_line, tmp_path: Path) -> None:
    path = tmp_path / "cells.csv"
    frame = pd.DataFrame({"train_flops": [1e18, 1e19], "infer_flops_per_problem": 1e9, "score": [40.0, 60.0]})
    frame.to_csv(path, index=False)
    one_line(inside("exchange", str(path)), 2, "row 0 has score 40; expected a share from 0 to 1")
    frame.drop(columns="infer_flops_per_problem").to_csv(path, index=False)
    one_line(inside("exchange", str(path)), 2, "needs a column infer_flops_per_problem")
    frame.drop(columns="score").to_csv(path, index=False)
    one_line(inside("exchange", str(path)), 2, "the table has no score")


def test_what_needs_a_grid_is_refused_before_the_work(inside, one_line, ok, tmp_path: Path) -> None:
    slices = ("exchange", str(O1), "--map", "train_flops=rel_compute", "--map", "infer_flops_per_problem=rel_compute",
              "--map", "score=pass_at_1_pct / 100", "--train-slice", "panel == 'train'")  # fmt: skip
    target = tmp_path / "rate.json"
    both = (*slices, "--infer-slice", "panel == 'test'", "--json", str(target))
    one_line(inside(*both, "--volume", "1e9"), 2, "what to buy needs a surface")
    one_line(inside(*both, "--calibrate"), 2, "--calibrate simulates a grid")
    one_line(inside(*slices, "--infer-slice", "panel == 'train'"), 2, "both slices are the same")
    path = tmp_path / "two.csv"
    grid(seeds=1, budgets=2, levels=9).to_csv(path, index=False)
    one_line(
        inside("exchange", str(path), *MAPS, "--calibrate", "--json", str(target)), 2, "--calibrate simulates"
    )
    bare = tmp_path / "bare.csv"
    grid().drop(columns="tokens").to_csv(bare, index=False)
    cap = ("--volume", "1e9", "--most-tokens", "100")
    one_line(
        inside("exchange", str(bare), *MAPS, *cap),
        2,
        "caps a column tokens, one after the other, and the table",
    )
    lone = tmp_path / "lone.csv"
    grid(levels=1).to_csv(lone, index=False)
    one_line(inside("exchange", str(lone), *MAPS), 1, "1 training level: without a second")
    assert not target.exists()


def test_samples_that_took_what_they_took_are_no_budgets(inside, one_line, tmp_path: Path) -> None:
    rng = np.random.default_rng(2)
    rows = [
        (10.0**u, seed, problem, int(rng.random() < 0.4), 1e9 * rng.lognormal(0, 0.5))
        for u in (18, 19, 20)
        for seed in range(2)
        for problem in range(20)
        for _ in range(4)
    ]
    path = tmp_path / "samples.csv"
    names = ["train_flops", "seed", "problem", "correct", "infer_flops_per_problem"]
    pd.DataFrame(rows, columns=names).to_csv(path, index=False)
    one_line(
        inside("exchange", str(path)), 2, "the rows are samples of 480 inference computes: give --method"
    )


def test_methods_are_never_pooled(inside, one_line, ok, tmp_path: Path) -> None:
    path = tmp_path / "methods.csv"
    frame = grid(problems=20)
    pd.concat([frame.assign(method="vote"), frame.assign(method="think")]).to_csv(path, index=False)
    one_line(inside("exchange", str(path), *MAPS), 2, "2 methods (vote, think), which are never pooled")
    out = ok(inside("exchange", str(path), *MAPS, "--method", "vote", "--bootstrap", "0"))
    assert "960 method is not vote" in out


def test_calibrate_prints_the_coverage_of_eight_settings(inside, ok, table: Path, monkeypatch) -> None:
    monkeypatch.setattr("scaling.exchange.calibration.REPETITIONS", 4)
    out = ok(inside("exchange", str(table), *MAPS, "--at", ".5", "--bootstrap", "0", "--calibrate"))
    assert "simulated at this design (4 repetitions each)" in out
    for truth in ("additive", "single_index", "saturating", "bilinear"):
        assert (
            len([line for line in out.splitlines() if line.strip().startswith(truth) and "+-" in line]) == 2
        )
    assert "runs of each level's own" in out
    assert "the same runs at all levels" in out


def test_a_report_names_the_methods_that_cannot_be_measured(inside, ok, tmp_path: Path) -> None:
    path, folder = tmp_path / "methods.csv", tmp_path / "report"
    frame = grid(seeds=2, problems=12, budgets=3)
    few = frame[frame["flops"] == frame["flops"].min()]
    pd.concat([frame.assign(method="vote"), few.assign(method="think")]).to_csv(path, index=False)
    ok(inside("exchange", str(path), *MAPS, "--method", "vote", "--bootstrap", "0", "--report", str(folder)))
    page = (folder / "index.md").read_text()
    assert "Method by method" in page
    assert "Not here: think: " in page
    assert "Not here: no envelope of methods: " in page


@pytest.mark.parametrize("budgets", [2, 4])
@pytest.mark.parametrize("seeds", [1, 3])
def test_without_draws_a_report_is_written_and_one_run_of_two_budgets_has_no_interval(
    inside, ok, tmp_path: Path, seeds: int, budgets: int
) -> None:
    path, target, folder = (tmp_path / name for name in ("grid.csv", "rate.json", "report"))
    levels = 8 if budgets == 2 and seeds == 1 else 4
    grid(seeds, 12, budgets, levels).to_csv(path, index=False)
    ok(
        inside(
            "exchange", str(path), *MAPS, "--at", ".45", "--bootstrap", "0",
            "--json", str(target), "--report", str(folder),
        )
    )  # fmt: skip
    (rate,) = json.loads(target.read_text())["rates"]
    assert rate["eta"] > 0
    assert (rate["low"] is None) == (budgets == 2 and seeds == 1)
    assert (folder / "index.html").is_file()
