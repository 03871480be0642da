"""``scaling fit`` called wrongly: one line that says what came, what was expected and what to do."""

import pandas as pd
import pytest

WRONG = {
    "unknown law": (["--law", "chinchila"], "known laws: power, chinchilla"),
    "map without =": (["--map", "N"], "expected NAME=VALUE, such as --map N=params"),
    "map given twice": (["--map", "N=N", "--map", "N=D"], "gives N twice"),
    "map of a missing column": (["--map", "N=params"], "no column 'params'; the table has N, D, loss"),
    "map that runs code": (["--map", "N=__import__('os').system('touch owned')"], "allowed are numbers"),
    "map of an unknown function": (["--map", "N=sqrt(N)"], "'sqrt(N)'; allowed are numbers"),
    "where that runs code": (["--where", "open('owned', 'w') == 1"], "allowed are numbers"),
    "where that reaches attributes": (["--where", "loss.__class__ == 1"], "allowed are numbers"),
    "where with one =": (["--where", "loss = 3"], "equality is =="),
    "where that is no condition": (["--where", "loss + 1"], "takes 'loss + 1' for a condition"),
    "where that keeps nothing": (["--where", "loss < 0"], "keeps none of the 30 rows"),
    "where of text against numbers": (["--where", "loss < '4'"], "write numbers without quotes"),
    "unknown loss": (["--loss", "l2"], "known: huber, lad, mse"),
    "unknown residual": (["--residual", "sqrt"], "known: log, raw"),
    "residual without a name": (["--residual", ""], "known: log, raw"),
    "cluster without a name": (["--cluster", ""], "no column is called ;"),
    "intervals of no draws": (["--calibrate", "--bootstrap", "0"], "give --bootstrap 1000 with it"),
    "map that ends at a comment": (["--map", "N=loss # * 2"], "holds a # outside of a name"),
    "one draw": (["--bootstrap", "1"], "at least 2 draws"),
    "level of 2": (["--level", "2"], "between 0 and 1"),
    "seed below 0": (["--seed", "-1"], "--seed"),
    "compute that is no number": (["--compute", "much"], "'--compute'"),
    "unknown option": (["--nope"], "No such option: --nope"),
    "bound of one number": (["--bound", "alpha=.2"], "expected two numbers, as in --bound alpha=.2,.5"),
    "bound without =": (["--bound", "alpha"], "expected NAME=LOW,HIGH, such as --bound alpha=.2,.5"),
    "prior without =": (["--prior", "E"], "expected NAME=MEAN,SD, such as --prior E=1.7,.1"),
    "delta without Huber": (
        ["--loss", "lad", "--delta", ".001"],
        "--delta is Huber's bend, and the loss is lad",
    ),
    "tau without a quantile": (["--loss", "mse", "--tau", ".1"], "give --loss quantile with it"),
    "cluster that no draw asks for": (
        ["--cluster", "N", "--resample", "pairs"],
        "--cluster N keeps rows together, and --resample pairs does not look at it",
    ),
    "prior of words": (["--prior", "E=about,two"], "expected two numbers, as in --prior E=1.7,.1"),
    "prior of an unknown parameter": (["--prior", "e=1.7,.1"], "no parameter 'e'"),
    "unknown cluster": (["--cluster", "run"], "no column is called run"),
    "json into a folder": (["--json", "folder"], "is a folder, expected the name of a file"),
    "json into a missing folder": (["--json", "none/fit.json"], "create the folder first"),
    "json below a file": (["--json", "t.csv/fit.json"], "t.csv is a file, expected a folder"),
}


@pytest.fixture(scope="module")
def refusals(many, rows: pd.DataFrame, tmp_path_factory: pytest.TempPathFactory):
    folder = tmp_path_factory.mktemp("options")
    rows.to_csv(folder / "t.csv", index=False)
    (folder / "folder").mkdir()
    fit = ("fit", "t.csv", "--law", "chinchilla", "--bootstrap", 20)
    runs = many(folder, {case: [*fit, *options] for case, (options, _) in WRONG.items()})
    assert sorted(path.name for path in folder.iterdir()) == ["folder", "t.csv"], "nothing is written or run"
    return runs


@pytest.mark.parametrize("case", WRONG)
def test_a_wrong_call_is_refused_in_one_line(refusals, one_line, case: str) -> None:
    one_line(refusals[case], 2, WRONG[case][1])
    assert refusals[case].stdout == ""


def test_usage_errors_name_the_help(command, one_line) -> None:
    one_line(command("fit", "t.csv"), 2, "Missing option '--law'; see `")
    one_line(command("fitt"), 2, "No such command 'fitt'")
