"""Intervals by every method: linear models whose exact answer is known, BCa's published case, calibration."""

from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from scaling import resampling
from scaling.errors import InputError
from scaling.fitting import calibrate, fit
from scaling.laws import Chinchilla, Power, Sigmoid

LAW = Chinchilla(E=1.82, A=478.0, B=2143.0, alpha=0.347, beta=0.367)


def rows_of(n: int = 60, noise: float = 0.01, seed: int = 0) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    N, D = np.exp(rng.uniform(np.log(1e6), np.log(1e10), (2, n)))
    return pd.DataFrame({"N": N, "D": D, "loss": LAW.predict(N=N, D=D) * np.exp(rng.normal(0, noise, n))})


def line_of(n: int = 40, seed: int = 0) -> tuple[pd.DataFrame, Any]:
    """Rows of a power law without floor, and the exact linear regression of its logarithms."""
    rng = np.random.default_rng(seed)
    x = np.exp(rng.uniform(0, 8, n))
    loss = 40 * x**-0.2 * np.exp(rng.normal(0, 0.02, n))
    return pd.DataFrame({"x": x, "loss": loss}), stats.linregress(np.log(x), np.log(loss))


@pytest.mark.parametrize("level", [0.8, 0.95])
def test_a_profile_of_least_squares_is_students_interval_where_the_law_is_linear(level: float) -> None:
    """log L = log A - alpha log x is linear in log A and alpha."""
    frame, line = line_of()
    found = fit("power", frame, loss="mse", bootstrap=0, fix={"E": 0.0}, interval="profile", level=level)
    t = stats.t.ppf(0.5 + level / 2, len(frame) - 2)
    alpha, A = found.parameters["alpha"], found.parameters["A"]
    assert (alpha.low, alpha.high) == pytest.approx(
        (-line.slope - t * line.stderr, -line.slope + t * line.stderr), rel=1e-5
    )
    ends = np.exp([line.intercept - t * line.intercept_stderr, line.intercept + t * line.intercept_stderr])
    assert (A.low, A.high) == pytest.approx(tuple(ends), rel=1e-5)
    assert found.intervals.method == "profile"


def test_a_profile_ends_where_the_pinned_fit_reaches_the_threshold() -> None:
    frame = rows_of()
    found = fit("chinchilla", frame, loss="mse", bootstrap=0, interval="profile")
    rise = 1 + stats.f.ppf(0.95, 1, 55) / 55
    for name in ("E", "A", "alpha", "beta"):
        e = found.parameters[name]
        for end in (e.low, e.high):
            assert end is not None
            pinned = fit("chinchilla", frame, loss="mse", bootstrap=0, fix={name: end})
            assert pinned.value == pytest.approx(found.value * rise, rel=2e-4)


def test_a_floor_that_the_rows_do_not_fix_profiles_down_to_nothing() -> None:
    frame, _ = line_of()
    E = fit("power", frame, loss="mse", bootstrap=0, interval="profile").parameters["E"]
    assert E.low == 0.0
    assert E.high is not None
    assert 0 < E.high < frame["loss"].min()


def test_a_profile_under_huber_takes_its_threshold_from_draws() -> None:
    frame = rows_of()
    profile = fit("chinchilla", frame, bootstrap=300, interval="profile")
    pairs = fit("chinchilla", frame, bootstrap=300)
    for name in ("E", "alpha", "beta"):
        a, b = profile.parameters[name], pairs.parameters[name]
        assert a.low is not None
        assert a.high is not None
        assert a.low < a.value < a.high
        assert (a.high - a.low) / ((b.high or 0) - (b.low or 0)) == pytest.approx(1.0, abs=0.5)


def test_a_binomial_profile_is_the_likelihood_ratio_interval() -> None:
    """One parameter, the ceiling, with the rest held: its likelihood can be scanned by hand."""
    law = Sigmoid(R0=0.1, A=0.62, C_mid=3e19, B=0.8)
    rng = np.random.default_rng(0)
    C = np.geomspace(1e17, 1e22, 30)
    n = rng.integers(50, 400, 30)
    frame = pd.DataFrame({"C": C, "n": n, "score": rng.binomial(n, law.predict(C=C)) / n})
    held = {"R0": 0.1, "C_mid": 3e19, "B": 0.8}
    found = fit("sigmoid", frame, loss="binomial", weights="n", fix=held, bootstrap=0, interval="profile")
    A = np.linspace(0.5, 0.75, 20001)
    p = 0.1 + (A[:, None] - 0.1) / (1 + (3e19 / C) ** 0.8)
    y = frame["score"].to_numpy()
    likelihood = np.sum(n * (y * np.log(p) + (1 - y) * np.log(1 - p)), axis=1)
    inside = A[likelihood > likelihood.max() - stats.chi2.ppf(0.95, 1) / 2]
    e = found.parameters["A"]
    assert (e.low, e.high) == pytest.approx((inside[0], inside[-1]), abs=3e-5)


def test_bca_of_a_mean_is_scipys() -> None:
    x = np.random.default_rng(0).lognormal(size=40)
    drawn = resampling.pairs(40, 20000, np.random.default_rng(1))
    assert drawn.weights is not None
    means = drawn.weights @ x / 40
    without = (x.sum() - x) / 39
    low, high = resampling.bca(np.array([x.mean()]), means[:, None], without[:, None], 0.9)
    scipys = stats.bootstrap(
        (x,), np.mean, confidence_level=0.9, n_resamples=20000, method="BCa", random_state=2
    )
    assert (low[0], high[0]) == pytest.approx(tuple(scipys.confidence_interval), rel=0.02)
    plain = resampling.percentile(means[:, None], 0.9)
    assert low[0] > plain[0][0]
    assert high[0] > plain[1][0]  # a mean of lognormals is skewed to the right


def test_bca_of_symmetric_draws_is_the_percentile_interval() -> None:
    draws = stats.norm.ppf((np.arange(2001) + 0.5) / 2001)[:, None]
    jackknife = np.linspace(-1, 1, 21)[:, None]
    low, high = resampling.bca(np.zeros(1), draws, jackknife, 0.95)
    assert (low[0], high[0]) == pytest.approx((-1.96, 1.96), abs=0.01)


def test_bca_follows_every_quantity_of_a_fit() -> None:
    frame = rows_of()
    found = fit("chinchilla", frame, interval="bca", bootstrap=400, compute=1e20)
    assert found.jackknife is not None
    assert found.jackknife.shape == (60, 5)
    assert found.intervals.method == "bca, pairs"
    for e in (*found.parameters.values(), *found.derived.values()):
        assert e.low is not None
        assert e.high is not None
        assert e.low < e.value < e.high
    band = found.predict(N=1e9, D=2e10)
    assert band.low is not None
    assert band.low < band.value


def test_wild_draws_keep_sizes_and_turn_clusters_together() -> None:
    residuals = np.array([1.0, 2.0, -3.0, 4.0])
    drawn = resampling.wild(np.zeros(4), residuals, [0, 0, 1, 1], 200, np.random.default_rng(0)).values
    assert drawn is not None
    np.testing.assert_allclose(np.abs(drawn), np.tile(np.abs(residuals), (200, 1)))
    assert np.all(drawn[:, 0] * drawn[:, 1] > 0)
    assert np.all(drawn[:, 2] * drawn[:, 3] < 0)
    assert np.mean(drawn[:, 0]) == pytest.approx(0.0, abs=0.2)


@pytest.mark.parametrize("how", ["wild", "parametric"])
def test_draws_of_noise_spread_as_the_linear_model_says(how: Any) -> None:
    frame, line = line_of()
    found = fit("power", frame, loss="mse", fix={"E": 0.0}, resample=how, bootstrap=3000)
    assert found.parameters["alpha"].se == pytest.approx(line.stderr, rel=0.15)


def test_parametric_draws_of_a_binomial_fit_are_new_trials() -> None:
    law = Sigmoid(R0=0.1, A=0.62, C_mid=3e19, B=0.8)
    C = np.geomspace(1e17, 1e22, 30)
    frame = pd.DataFrame({"C": C, "n": 200, "score": np.round(200 * law.predict(C=C)) / 200})
    found = fit("sigmoid", frame, loss="binomial", weights="n", resample="parametric", bootstrap=300)
    assert found.intervals.method == "percentile, parametric, new trials"
    assert found.parameters["A"].se == pytest.approx(0.012, rel=0.6)


def test_the_reason_of_the_draws_is_printed() -> None:
    assert "(rows are taken for independent runs)" in fit("chinchilla", rows_of(), bootstrap=20).summary()
    again = fit("chinchilla", rows_of(), loss="mse", bootstrap=20, resample="wild").summary()
    assert "percentile, wild, 20 draws (as asked for)" in again


def test_calibration_counts_what_intervals_hold() -> None:
    """The exact interval of a linear model covers what it says; half as many standard errors cover less."""
    frame, _ = line_of(n=25)
    options: dict[str, Any] = {"loss": "mse", "bootstrap": 0, "fix": {"E": 0.0}, "interval": "profile"}
    table = calibrate(fit("power", frame, **options), simulations=80).frame.set_index("quantity")
    assert list(table.index) == ["A", "alpha"]
    assert table["covered"].to_numpy() == pytest.approx([0.95, 0.95], abs=0.08)
    narrow = calibrate(fit("power", frame, **options, level=0.5), simulations=80).frame.set_index("quantity")
    assert narrow["covered"].to_numpy() == pytest.approx([0.5, 0.5], abs=0.17)
    np.testing.assert_allclose(
        narrow["covered_se"], np.sqrt(narrow["covered"] * (1 - narrow["covered"]) / 80)
    )


def test_calibration_turns_clusters_together() -> None:
    rng = np.random.default_rng(0)
    frame = rows_of(40).assign(run=np.repeat(np.arange(8), 5))
    frame["loss"] *= np.exp(rng.normal(0, 0.02, 8))[frame["run"]]
    found = calibrate(fit("chinchilla", frame, cluster="run", bootstrap=50), simulations=10)
    assert found.noise == "the residuals of a cluster turned together"
    assert "coverage of the 95 % intervals in 10 simulations" in found.summary()


def test_calibration_works_where_an_input_was_derived() -> None:
    frame = rows_of(40).assign(C=lambda t: 6 * t["N"] * t["D"]).drop(columns="D")
    assert len(calibrate(fit("chinchilla", frame, bootstrap=20), simulations=3).frame) == 7


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"interval": "student"}, "no interval is called 'student'; known: percentile, bca, profile"),
        ({"interval": "bca", "bootstrap": 0}, "a BCa interval is read off draws"),
        (
            {"interval": "profile", "bootstrap": 0},
            "comes from bootstrap draws; give --bootstrap 1000, or --loss mse",
        ),
        ({"resample": "jackknife"}, "known: pairs, clusters, trunks, wild, parametric"),
        ({"resample": "wild"}, "too narrow for huber"),
        ({"inference": 1e12}, "give --compute with them"),
        ({"inference": -1.0, "compute": 1e20}, "inference is -1; give a positive number"),
    ],
)
def test_wrong_calls_say_what_to_do(options: dict[str, Any], says: str) -> None:
    with pytest.raises(InputError, match=says):
        fit("chinchilla", rows_of(), **options)


def test_power_law_intervals_agree_across_methods() -> None:
    """With many rows and normal noise the methods must tell the same story."""
    law = Power(E=1.7, A=400.0, alpha=0.34)
    rng = np.random.default_rng(3)
    x = np.exp(rng.uniform(np.log(1e6), np.log(1e10), 200))
    frame = pd.DataFrame({"x": x, "loss": law.predict(x=x) * np.exp(rng.normal(0, 0.01, 200))})
    widths = {}
    for interval, resample in (
        ("percentile", "pairs"),
        ("bca", "pairs"),
        ("profile", "pairs"),
        ("percentile", "wild"),
    ):
        e = fit("power", frame, loss="mse", interval=interval, resample=resample, bootstrap=1000).parameters[
            "alpha"
        ]  # type: ignore[arg-type]
        assert e.low is not None
        assert e.high is not None
        widths[interval, resample] = e.high - e.low
    values = np.array(list(widths.values()))
    assert values.max() / values.min() < 1.25, widths


def test_an_interval_of_a_new_run_holds_new_runs() -> None:
    """Beyond the rows and amid them; 160 tables, so that 95 % means 91.5 to 98.5."""
    held = []
    for seed in range(160):
        found = fit("chinchilla", rows_of(seed=seed), bootstrap=200)
        rng = np.random.default_rng(10_000 + seed)
        for N, D in ((1e8, 1e9), (1e10, 1e12)):
            run = float(LAW.predict(N=N, D=D)) * np.exp(rng.normal(0, 0.01))
            guess = found.predict(N=N, D=D, new_run=True)
            assert guess.low is not None
            assert guess.high is not None
            held.append(guess.low <= run <= guess.high)
            assert guess.high - guess.low > 0.03 * guess.value, "wider than 3 sd of the noise alone"
    shares = np.array(held).reshape(-1, 2).mean(axis=0)
    assert np.all(np.abs(shares - 0.95) < 0.035), shares


def test_a_new_run_of_exact_rows_is_the_law() -> None:
    found = fit("chinchilla", rows_of(noise=0.0), bootstrap=50)
    guess = found.predict(N=1e8, D=1e9, new_run=True)
    assert float(guess.low) == pytest.approx(float(guess.value), rel=1e-6)
    assert float(guess.high) == pytest.approx(float(guess.value), rel=1e-6)


def test_an_interval_of_a_new_run_reaches_into_the_tails() -> None:
    found = fit("power", simulated_power(5000), bootstrap=50)
    guess = found.predict(x=1e3, new_run=True, level=0.999)
    half = 0.5 * float(np.log(guess.high / guess.low))
    assert half == pytest.approx(0.01 * stats.norm.ppf(0.9995), rel=0.08)


def simulated_power(n: int) -> pd.DataFrame:
    rng = np.random.default_rng(0)
    x = np.exp(rng.uniform(2, 12, n))
    return pd.DataFrame(
        {"x": x, "loss": Power(E=1.0, A=4.0, alpha=0.3).predict(x=x) * np.exp(rng.normal(0, 0.01, n))}
    )


def two_precisions(n: int = 60, seed: int = 0) -> tuple[pd.DataFrame, float]:
    """Rows of a power law without floor, of noise .002 or .05, weights 1 / sd^2, and the exact error of alpha."""
    rng = np.random.default_rng(seed)
    x, sd = np.exp(rng.uniform(0, 8, n)), np.where(np.arange(n) % 2, 0.002, 0.05)
    X = np.stack([np.ones(n), -np.log(x)], axis=1)
    error = float(np.sqrt(np.linalg.inv(X.T @ (X / sd[:, None] ** 2))[1, 1]))
    frame = pd.DataFrame({"x": x, "loss": 40 * x**-0.2 * np.exp(rng.normal(0, sd)), "w": 1 / sd**2})
    return frame, error


WEIGHTED: dict[str, Any] = {"loss": "mse", "fix": {"E": 0.0}, "weights": "w"}


@pytest.mark.parametrize("how", ["pairs", "wild", "parametric"])
def test_draws_take_weights_for_precisions(how: Any) -> None:
    frame, error = two_precisions(200)
    found = fit("power", frame, **WEIGHTED, resample=how, bootstrap=1000)
    assert found.parameters["alpha"].se == pytest.approx(error, rel=0.2)


def test_calibration_takes_weights_for_precisions() -> None:
    frame, error = two_precisions()
    found = fit("power", frame, **WEIGHTED, bootstrap=0, interval="profile")
    table = calibrate(found, simulations=150).frame.set_index("quantity")
    assert table.loc["alpha", "sd"] == pytest.approx(error, rel=0.3)
    assert table.loc["alpha", "covered"] == pytest.approx(0.95, abs=0.06)


def test_a_new_run_is_one_of_mean_weight() -> None:
    frame, _ = two_precisions(4000)
    guess = fit("power", frame, **WEIGHTED, bootstrap=50).predict(x=1e2, new_run=True)
    half = 0.5 * float(np.log(guess.high / guess.low))
    assert half == pytest.approx(stats.norm.ppf(0.975) / np.sqrt(frame["w"].mean()), rel=0.05)


@pytest.mark.parametrize("how", ["pairs", "wild", "parametric"])
def test_the_unit_of_weights_moves_no_interval(how: Any) -> None:
    """Weights that are all alike are none."""

    def numbers(frame: pd.DataFrame, **options: Any) -> list[float]:
        found = fit("power", frame, loss="mse", fix={"E": 0.0}, resample=how, bootstrap=60, **options)
        guess = found.predict(x=1e2, new_run=True)
        simulated = calibrate(found, simulations=5).frame
        return [found.parameters["alpha"].se or 0.0, float(guess.low), float(guess.high), *simulated["sd"]]

    frame, _ = two_precisions()
    other = frame.assign(w=37.0 * frame["w"])
    assert numbers(other, weights="w") == pytest.approx(numbers(frame, weights="w"), rel=1e-6)
    assert numbers(frame.assign(w=0.3), weights="w") == pytest.approx(numbers(frame), rel=1e-6)


def test_a_profile_of_a_floor_at_0_ends() -> None:
    frame = line_of(seed=1)[0]
    found = fit("power", frame, loss="mse", bootstrap=0, interval="profile")
    E = found.parameters["E"]
    assert E.value == 0.0 == E.low
    assert E.high is not None
    pinned = fit("power", frame, loss="mse", bootstrap=0, fix={"E": E.high})
    assert pinned.value == pytest.approx(found.value * (1 + stats.f.ppf(0.95, 1, 37) / 37), rel=2e-4)
