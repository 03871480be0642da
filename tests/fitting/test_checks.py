"""What callers give: every wrong number, word or kind is refused in one line that says what to give."""

import re
from collections.abc import Callable
from typing import Any

import matplotlib
import numpy as np
import pandas as pd
import pytest

from scaling import fit_counts, fit_isoflop, sweep_optima
from scaling.errors import InputError
from scaling.fitting import CountsFit, Fit, fit, holdout
from scaling.laws import Chinchilla, ExponentialLink

matplotlib.use("agg")
LAW = Chinchilla(E=1.82, A=478.0, B=2143.0, alpha=0.347, beta=0.367)
LEVEL = "give a coverage between 0 and 1, for example .95"
FLOPS = "give a positive number of FLOPs"


def rows(n: int = 30) -> pd.DataFrame:
    rng = np.random.default_rng(0)
    N, D = np.exp(rng.uniform(np.log(1e6), np.log(1e10), (2, n)))
    return pd.DataFrame({"N": N, "D": D, "loss": LAW.predict(N=N, D=D) * np.exp(rng.normal(0, 0.01, n))})


def counts(problems: int = 40) -> pd.DataFrame:
    rng = np.random.default_rng(0)
    return pd.DataFrame({"n": 50, "c": rng.binomial(50, rng.beta(0.5, 5.0, problems))})


def isoflops() -> pd.DataFrame:
    C, step = np.repeat(np.geomspace(1e18, 1e20, 3), 5), np.tile([-1.6, -0.8, 0.0, 0.8, 1.6], 3)
    N = LAW.N_optimal(C) * np.exp(step)
    return pd.DataFrame({"N": N, "C": C, "loss": LAW.predict(N=N, D=C / 6 / N)})


@pytest.fixture(scope="module")
def found() -> Fit:
    return fit("chinchilla", rows(), bootstrap=20)


@pytest.fixture(scope="module")
def counted() -> CountsFit:
    return fit_counts(counts(), bootstrap=20)


def refused(call: Callable[[], object], says: str) -> None:
    with pytest.raises(InputError, match=re.escape(says)) as caught:
        call()
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"level": 95}, f"level is 95; {LEVEL}"),
        ({"level": 0}, f"level is 0; {LEVEL}"),
        ({"level": float("nan")}, f"level is nan; {LEVEL}"),
        ({"level": "x"}, f"level is 'x'; {LEVEL}"),
        ({"level": None}, f"level is None; {LEVEL}"),
        ({"seed": -1}, "seed is -1; give a whole number, 0 or more"),
        ({"seed": 0.5}, "seed is 0.5; give a whole number, 0 or more"),
        ({"bootstrap": 1.5}, "bootstrap is 1.5; give "),
        ({"bootstrap": 1}, "bootstrap is 1; give "),
        ({"bootstrap": 10**9}, "give at most 1000000 draws"),
    ],
)
def test_options_of_every_fit(options: dict[str, Any], says: str) -> None:
    refused(lambda: fit("chinchilla", rows(), **options), says)
    refused(lambda: fit_isoflop(isoflops(), **options), says)
    refused(lambda: fit_counts(counts(), **options), says)


@pytest.mark.parametrize("name", ["fix", "bounds", "priors"])
@pytest.mark.parametrize(("given", "said"), [("E", "'E'"), (["E"], "a list"), ({1: 2.0}, "a dict")])
def test_what_is_known_of_parameters_is_by_name(name: str, given: Any, said: str) -> None:
    refused(lambda: fit("chinchilla", rows(), **{name: given}), f"{name} is {said}; give a dict by parameter")


@pytest.mark.parametrize("compute", [-5, 0, np.inf, np.nan, "x", [1e20]])
def test_computes_are_positive_numbers(found: Fit, compute: Any) -> None:
    refused(lambda: fit("chinchilla", rows(), compute=compute), FLOPS)
    refused(lambda: fit_isoflop(isoflops(), compute=compute), FLOPS)
    refused(lambda: holdout("chinchilla", rows(), compute), FLOPS)
    refused(lambda: found.optimum(C=compute), FLOPS)
    refused(lambda: found.compute_multiplier(found, compute), FLOPS)
    refused(lambda: found.optimum(1e20, inference=compute), "give a positive number of tokens")


def test_large_whole_numbers_are_computes(found: Fit) -> None:
    assert found.optimum(10**22) == found.optimum(1e22)
    derived = fit_isoflop(isoflops(), bootstrap=20, compute=10**22).derived
    assert derived == fit_isoflop(isoflops(), bootstrap=20, compute=1e22).derived


@pytest.mark.parametrize(
    ("N", "says"),
    [
        (-1, "N is -1; give a positive number"),
        (0, "N is 0; give a positive number"),
        (np.inf, "N is inf; give a positive number"),
        ([1e9, np.nan], "N is nan; give a positive number"),
        ("1e9", "N is '1e9'; give a positive number"),
        (["many"], "N is a list; give a positive number"),
        ([1e9, 2e9], "inputs of shapes N (2,), D (3,) do not broadcast"),
    ],
)
def test_inputs_of_a_prediction(found: Fit, N: Any, says: str) -> None:
    refused(lambda: found.predict(N=N, D=[1e9, 2e9, 3e9]), says)
    refused(lambda: found.predict(N=N, D=[1e9, 2e9, 3e9], new_run=True), says)


def test_inputs_of_other_laws(counted: CountsFit) -> None:
    frame = pd.DataFrame({"loss": np.linspace(2, 4, 20)})
    frame["score"] = ExponentialLink(chance=0.1, K=5.0, gamma=1.0).predict(loss=frame["loss"])
    link = fit("exponential_link", frame, bootstrap=0)
    assert link.predict(loss=2.5).value == pytest.approx(0.1 + 5 * np.exp(-2.5), rel=1e-6)
    refused(lambda: link.predict(loss=-2.5), "loss is -2.5; give a positive number")
    assert 0 < counted.pass_at(0.5).value < counted.pass_at(1).value
    refused(lambda: counted.pass_at([1, 0]), "k is 0; give a positive number")
    refused(lambda: counted.samples_for("x"), "the coverage is 'x'; give a share between 0 and 1")  # type: ignore[arg-type]
    refused(lambda: counted.unbiased("x"), "give a whole number")  # type: ignore[arg-type]


@pytest.mark.parametrize("level", [2, 0, "x"])
def test_levels_of_what_a_fit_says(found: Fit, counted: CountsFit, level: Any) -> None:
    refused(lambda: found.predict(N=1e9, D=1e9, level=level), LEVEL)
    refused(lambda: found.predict(N=1e9, D=1e9, level=level, new_run=True), LEVEL)
    refused(lambda: found.interval("E", level=level), LEVEL)
    refused(lambda: counted.pass_at(10, level=level), LEVEL)


@pytest.mark.parametrize("given", [[1, 2], {"N": [1]}, None, "runs.csv"])
def test_tables_are_data_frames(given: Any) -> None:
    for call, columns in (
        (lambda: fit("chinchilla", given), "N, D, loss; give fit('chinchilla', frame)"),
        (lambda: holdout("chinchilla", given, 1e20), "N, D, loss; give holdout('chinchilla', frame, cut_C)"),
        (lambda: fit_counts(given), "n and c; give fit_counts(frame)"),
        (lambda: fit_isoflop(given), "N, C (or D) and loss; give fit_isoflop(frame)"),
        (lambda: sweep_optima(given), "N, D, lr, batch_tokens, loss; give sweep_optima(frame)"),
    ):
        refused(call, f", expected a pandas DataFrame with columns {columns}")
    refused(
        lambda: holdout(given, rows(), 1e20), "no law is called" if isinstance(given, str) else "the law is "
    )
    refused(lambda: sweep_optima(rows().assign(lr=1.0, batch_tokens=1.0), within="x"), "a positive share")  # type: ignore[arg-type]


@pytest.mark.parametrize("names", [("zz",), ("alpha",), (None, "alpha"), ("alpha", "zz"), ("alpha", "alpha")])
def test_a_cloud_takes_two_free_parameters(found: Fit, names: tuple[str, ...]) -> None:
    refused(
        lambda: found.plot.draws(*names),
        "a cloud takes two free parameters of chinchilla: E, A, B, alpha, beta",
    )


def test_a_law_without_a_best_size_has_no_frontier_to_draw() -> None:
    tied = fit("chinchilla_tied", rows(), bootstrap=20, fix={"alpha": 1e-3})
    refused(tied.plot.extrapolation, "puts its best size at 0 or infinity")


def test_few_problems_are_told_at_any_level() -> None:
    for level in (0.5, 0.95):
        told = {w.code: w.message for w in fit_counts(counts(), bootstrap=20, level=level).warnings}
        assert "counted at 95 %, intervals of so few held the truth in 9 of 10 cases" in told["few_problems"]
