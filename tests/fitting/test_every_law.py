"""Every law on the shelf through `fit`: recovery, draws, and the options that any law takes."""

from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy.optimize import minimize

from scaling import laws
from scaling.errors import InputError
from scaling.fitting import fit
from scaling.fitting.objective import Objective
from scaling.laws import (
    BatchSize,
    BetaBinomial,
    BrokenPower1,
    BrokenPower2,
    BrokenPower3,
    Chinchilla,
    ChinchillaTied,
    Coverage,
    ExponentialLink,
    Law,
    LearningRate,
    LogisticLink,
    OverTraining,
    PNorm,
    Power,
    RepeatedData,
    Sigmoid,
    TrainSamples,
)

BREAKS = {
    "E": 0.4,
    "A": 2.3,
    "c0": 0.06,
    "c1": 1.4,
    "d1": 600.0,
    "f1": 0.1,
    "c2": -1.1,
    "d2": 4e3,
    "f2": 0.2,
    "c3": 0.9,
    "d3": 3e4,
    "f3": 0.15,
}
TRUTHS: tuple[Law, ...] = (
    Power(E=1.7, A=400.0, alpha=0.34),
    Chinchilla(E=1.82, A=478.0, B=2143.0, alpha=0.347, beta=0.367),
    ChinchillaTied(E=1.87, A=521.0, B=1488.0, alpha=0.353),
    PNorm(E=0.9, A=120.0, B=300.0, alpha=0.28, beta=0.31, p=2.2),
    OverTraining(E=1.84, a=212.0, b=367.0, g=0.136),
    RepeatedData(E=1.87, A=521.0, B=1488.0, alpha=0.35, beta=0.36, R_D=15.4, R_N=5.3),
    BrokenPower1(**{k: v for k, v in BREAKS.items() if k[-1] not in "23"}),
    BrokenPower2(**{k: v for k, v in BREAKS.items() if k[-1] != "3"}),
    BrokenPower3(**BREAKS),
    TrainSamples(E=0.05, A=60.0, B=200.0, G=1.1, alpha=0.3, beta=0.28, gamma=0.35),
    Sigmoid(R0=0.1, A=0.62, C_mid=3e19, B=0.8),
    ExponentialLink(chance=0.25, K=3.0, gamma=1.2),
    LogisticLink(chance=0.25, top=0.95, middle=2.6, k=3.0),
    Coverage(a=1.6, b=0.4),
    BetaBinomial(a=0.4, b=30.0),
    LearningRate(c=1.79, a=-0.713, b=0.307),
    BatchSize(c=0.58, b=0.571),
)
RANGES = {
    "N": (1e7, 1e10),
    "D": (1e8, 1e12),
    "U": (1e8, 1e11),
    "k": (1.0, 1e4),
    "loss": (1.5, 4.0),
    "x": (50.0, 3e5),
    "C": (1e16, 1e22),
}
BY_LAW = pytest.mark.parametrize("law", TRUTHS, ids=lambda law: law.name)


def rows_of(law: Law, noise: float = 0.0, rows: int = 90, seed: int = 0) -> pd.DataFrame:
    """Rows at spread-out inputs, with lognormal noise."""
    rng = np.random.default_rng(seed)
    frame = pd.DataFrame(
        {
            name: RANGES[name][0] * (RANGES[name][1] / RANGES[name][0]) ** rng.uniform(size=rows)
            for name in law.inputs
        }
    )
    target = law.predict(**{name: frame[name].to_numpy() for name in law.inputs})
    values = target * np.exp(rng.normal(0.0, noise, rows))
    return frame.assign(**{law.target: np.minimum(values, 1.0) if law.target == "score" else values})


def test_every_law_is_here() -> None:
    assert {type(law) for law in TRUTHS} == set(laws.ALL)


@BY_LAW
def test_noise_free_rows_are_predicted(law: Law) -> None:
    frame = rows_of(law)
    found = fit(law.name, frame, loss="mse", residual="log", bootstrap=0)
    np.testing.assert_allclose(
        found.law.predict(**found.rows.inputs), found.rows.loss, rtol=1e-6, err_msg=str(found.law)
    )
    if isinstance(law, Power | Chinchilla | PNorm):
        np.testing.assert_allclose(found.law.values(), law.values(), rtol=1e-6)


@pytest.mark.parametrize(
    "law",  # six and nine shapes take minutes of draws
    [law for law in TRUTHS if not isinstance(law, BrokenPower2 | BrokenPower3)],
    ids=lambda law: law.name,
)
def test_draws_surround_the_truth(law: Law) -> None:
    frame = rows_of(law, noise=0.003)
    found = fit(law.name, frame, bootstrap=100)
    assert found.warning("not_converged") is None
    prediction = found.predict(**found.rows.inputs)
    true = law.predict(**found.rows.inputs)
    assert prediction.low is not None
    assert prediction.high is not None
    inside = (prediction.low <= true) & (true <= prediction.high)
    assert inside.mean() > 0.6  # bands at neighbouring rows hold or miss together
    np.testing.assert_allclose(prediction.value, true, rtol=0.02)


@pytest.mark.parametrize(
    "law",  # two breaks show what three would
    [law for law in TRUTHS if not isinstance(law, BrokenPower3)],
    ids=lambda law: law.name,
)
def test_a_pinned_parameter_stays_and_the_others_follow(law: Law) -> None:
    frame = rows_of(law)
    for name in (law.parameter_names()[0], law.parameter_names()[-1]):
        held = {name: float(getattr(law, name))}
        found = fit(law.name, frame, loss="mse", residual="log", bootstrap=0, fix=held)
        assert getattr(found.law, name) == held[name]
        assert (found.parameters[name].low, found.parameters[name].se) == (None, None)
        np.testing.assert_allclose(found.law.predict(**found.rows.inputs), found.rows.loss, rtol=1e-6)


@pytest.mark.parametrize("name", ["E", "A", "alpha", "beta"])
def test_pinning_off_the_optimum_is_the_constrained_minimum(name: str) -> None:
    law = Chinchilla(E=1.82, A=478.0, B=2143.0, alpha=0.347, beta=0.367)
    frame = rows_of(law, noise=0.01)
    held = {name: 0.8 * float(getattr(law, name))}
    found = fit("chinchilla", frame, loss="mse", bootstrap=0, fix=held)
    free = [n for n in law.parameter_names() if n != name]

    def value(theta: np.ndarray) -> float:
        trial = Chinchilla(**held, **dict(zip(free, np.exp(theta), strict=True)))
        return float(np.sum((np.log(trial.predict(**found.rows.inputs)) - np.log(found.rows.loss)) ** 2))

    start = np.log([getattr(found.law, n) for n in free])
    best = min(
        minimize(
            value, start + s, method="Nelder-Mead", options={"xatol": 1e-9, "fatol": 1e-15, "maxfev": 20000}
        ).fun
        for s in (0.0, 0.05)
    )
    assert found.value <= best * (1 + 1e-9)
    assert found.value == pytest.approx(best, rel=1e-4)


def test_a_floor_pinned_at_zero_is_a_law_without_floor() -> None:
    frame = rows_of(Power(E=0.0, A=40.0, alpha=0.2), noise=0.01)
    found = fit("power", frame, loss="mse", bootstrap=50, fix={"E": 0.0})
    slope, level = np.polyfit(np.log(frame["x"]), np.log(frame["loss"]), 1)
    assert found.law.values()[1:] == pytest.approx([np.exp(level), -slope], rel=1e-8)
    assert found.warning("floor_not_identified") is None
    assert np.ptp(found.draws[:, 0]) == 0


@pytest.mark.parametrize("loss", ["huber", "mse", "lad"])
def test_weights_are_repeated_rows(loss: Any) -> None:
    frame = rows_of(Chinchilla(E=1.82, A=478.0, B=2143.0, alpha=0.347, beta=0.367), noise=0.01, rows=40)
    times = np.random.default_rng(1).integers(1, 4, 40)
    weighted = fit("chinchilla", frame.assign(w=times), loss=loss, bootstrap=0, weights="w")
    repeated = fit("chinchilla", frame.loc[frame.index.repeat(times)], loss=loss, bootstrap=0)
    assert weighted.value == pytest.approx(repeated.value, rel=1e-9)
    np.testing.assert_allclose(weighted.law.values(), repeated.law.values(), rtol=1e-5)


def test_rows_without_a_weight_are_left_out_with_a_reason() -> None:
    frame = rows_of(Power(E=1.7, A=400.0, alpha=0.34), noise=0.01).assign(w=1.0)
    frame.loc[3, "w"], frame.loc[5, "w"] = np.nan, 0.0
    found = fit("power", frame, weights="w", bootstrap=0)
    assert found.rows.excluded == ((3, "w is missing"), (5, "w is not positive"))


@pytest.mark.parametrize("tau", [0.1, 0.5, 0.75])
def test_a_quantile_has_its_share_of_rows_below(tau: float) -> None:
    frame = rows_of(Chinchilla(E=1.82, A=478.0, B=2143.0, alpha=0.347, beta=0.367), noise=0.02, rows=200)
    found = fit("chinchilla", frame, loss="quantile", tau=tau, bootstrap=0)
    below = float(np.mean(found.residuals < -1e-9))
    on = float(np.mean(np.abs(found.residuals) <= 1e-9))
    assert below <= tau <= below + on + 1e-12
    assert found.warning("not_converged") is None
    if tau == 0.5:
        assert found.value == pytest.approx(
            fit("chinchilla", frame, loss="lad", bootstrap=0).value, rel=1e-12
        )


def test_a_quantile_is_no_higher_than_what_a_general_solver_finds() -> None:
    frame = rows_of(Power(E=1.7, A=400.0, alpha=0.34), noise=0.02, rows=60)
    objective = Objective("quantile", tau=0.2)
    found = fit("power", frame, loss="quantile", tau=0.2, bootstrap=0)
    log_y, x = np.log(found.rows.loss), found.rows.inputs["x"]

    def value(theta: np.ndarray) -> float:
        E, A, alpha = np.exp(theta)
        return float(objective.value(np.log(E + A * x**-alpha), log_y, np.ones_like(x)))

    start = np.log(found.law.values())
    others = [
        minimize(value, start * f, method="Nelder-Mead", options={"maxfev": 4000}).fun for f in (0.98, 1.02)
    ]
    assert found.value == pytest.approx(value(start), rel=1e-12)
    assert found.value <= min(others) * (1 + 1e-12)


def test_binomial_fits_are_maximum_likelihood() -> None:
    law = Sigmoid(R0=0.1, A=0.62, C_mid=3e19, B=0.8)
    rng = np.random.default_rng(0)
    C = np.geomspace(1e16, 1e22, 40)
    trials = rng.integers(50, 400, 40)
    trials[0] = 8
    score = rng.binomial(trials, law.predict(C=C)) / trials
    score[0] = 0.0  # a score of nothing has a likelihood too
    found = fit("sigmoid", pd.DataFrame({"C": C, "score": score, "n": trials}), loss="binomial", weights="n")

    def deviance(values: np.ndarray) -> float:
        with np.errstate(all="ignore"):
            p = values[0] + (values[1] - values[0]) / (1 + (np.exp(values[2]) / C) ** values[3])
            parts = np.where(score > 0, score * np.log(score / p), 0) + (1 - score) * np.log(
                (1 - score) / (1 - p)
            )
        return float(np.sum(trials * parts)) if np.all((p > 0) & (p < 1)) else np.inf

    at = found.law.values()
    start = np.array([at[0], at[1], np.log(at[2]), at[3]])
    best = minimize(
        deviance, start, method="Nelder-Mead", options={"xatol": 1e-10, "fatol": 1e-12, "maxfev": 8000}
    )
    assert found.value == pytest.approx(deviance(start), rel=1e-10)
    assert found.value == pytest.approx(best.fun, rel=1e-9)
    # half the deviance is half a chi-squared with 36 degrees of freedom
    assert 8 < found.value < 34


def test_breaks_come_in_the_order_of_their_places() -> None:
    law = TRUTHS[7]
    assert isinstance(law, BrokenPower2)
    found = fit(law.name, rows_of(law), loss="mse", bootstrap=0).law
    assert isinstance(found, BrokenPower2)
    assert found.d1 < found.d2
    np.testing.assert_allclose(found.values(), law.values(), rtol=1e-3)


@pytest.mark.parametrize(
    ("law", "options", "says"),
    [
        ("power", {"fix": {"F": 1.0}}, "power has no parameter 'F' to fix; it has E, A, alpha"),
        ("power", {"fix": {"alpha": 0.0}}, "alpha is fixed at 0; give a value in"),
        ("power", {"fix": {"alpha": 11.0}}, "alpha is fixed at 11; give a value in"),
        ("power", {"fix": {"E": 1.0, "A": 1.0, "alpha": 1.0}}, "all parameters of power are fixed"),
        ("power", {"fix": {"E": "1.7"}}, "E is fixed at '1.7'; give a number"),
        ("power", {"bounds": {"alpha": 0.2}}, r"the bounds of alpha are 0\.2; give two numbers, .low, high."),
        (
            "power",
            {"priors": {"E": ("1.7", 0.1)}},
            r"the prior of E is .'1\.7', 0\.1.; give two numbers, .mean,",
        ),
        ("power", {"weights": "w"}, "no column is called w"),
        (
            "power",
            {"loss": "binomial", "weights": "loss"},
            "binomial loss is for laws of a score; power predicts",
        ),
        ("coverage", {"loss": "binomial"}, "needs the number of trials"),
        ("power", {"loss": "quantile", "tau": 1.0}, "tau is 1.0; give a quantile between 0 and 1"),
        ("power", {"tau": 0.1, "loss": "mse"}, "give --loss quantile with it"),
    ],
)
def test_wrong_options_say_what_to_do(law: str, options: dict[str, Any], says: str) -> None:
    frame = rows_of(next(one for one in TRUTHS if one.name == law))
    with pytest.raises(InputError, match=says):
        fit(law, frame, **options)


def test_what_is_no_law_or_no_table_is_refused() -> None:
    frame: Any = rows_of(TRUTHS[0])
    numbers: Any = [1, 2]
    with pytest.raises(
        InputError, match=r"^the table is a list, expected a pandas DataFrame with .* N, D, loss"
    ):
        fit("chinchilla", numbers)
    for law in (frame, TRUTHS[0]):
        with pytest.raises(
            InputError, match=r"^the law is a (DataFrame|Power), expected a name or a class; .*$"
        ):
            fit(law, "chinchilla")  # type: ignore[arg-type]


def test_a_score_in_per_cent_is_refused() -> None:
    frame = rows_of(Coverage(a=1.6, b=0.4)).assign(score=lambda t: 100 * t["score"])
    with pytest.raises(
        InputError, match=r"score reaches .*, expected shares from 0 to 1; per cents need --map"
    ):
        fit("coverage", frame)
