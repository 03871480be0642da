"""The next run: the formula against plain algebra, and its advice against runs that are added in simulation."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest

from scaling.diagnostics import next_run
from scaling.diagnostics.local import Local
from scaling.diagnostics.quantities import quantities
from scaling.errors import FitError, InputError
from scaling.fitting import fit
from scaling.fitting.design import Design
from scaling.fitting.draws import fit_draws
from scaling.fitting.objective import Objective
from scaling.laws import Chinchilla, Power
from scaling.resampling import Resamples

Table = Callable[..., pd.DataFrame]


@pytest.mark.parametrize("quantity", ["alpha", "N_exponent", "N_optimal", "prediction"])
def test_standard_error_with_a_run_is_that_of_the_longer_table(budgets: pd.DataFrame, quantity: str) -> None:
    """Adding a candidate that lies on the curve leaves the optimum, so that its information can be had directly."""
    found = fit("chinchilla", budgets, loss="mse", bootstrap=0)
    options = {"compute": 1e21, "at": {"N": 1e10, "D": 1e11}}
    advice = next_run(found, 1e20, quantity, **options)
    best = advice.best
    longer = pd.concat(
        [
            budgets,
            pd.DataFrame(
                {
                    "N": [best["N"]],
                    "D": [best["D"]],
                    "loss": [float(found.law.predict(N=best["N"], D=best["D"]))],
                }
            ),
        ],
        ignore_index=True,
    ).drop(columns="C")
    then = next_run(fit("chinchilla", longer, loss="mse", bootstrap=0), 1e20, quantity, **options)
    # the noise is that of the shorter table
    assert then.se / then.noise == pytest.approx(best["se"] / advice.noise, rel=1e-4)
    assert best["narrowing"] == pytest.approx(1 - best["se"] / advice.se)


def test_no_run_widens_and_none_costs_too_much(budgets: pd.DataFrame) -> None:
    advice = next_run(fit("chinchilla", budgets, bootstrap=0), 3e19, "beta")
    assert np.all(advice.frame["se"] <= advice.se)
    assert np.all(np.diff(advice.frame["se"]) >= 0)
    assert np.all(advice.frame["C"] <= 3e19 * (1 + 1e-9))
    np.testing.assert_allclose(advice.frame["C"], 6 * advice.frame["N"] * advice.frame["D"])
    richer = next_run(fit("chinchilla", budgets, bootstrap=0), 3e20, "beta")
    assert richer.best["se"] <= advice.best["se"]


def test_standard_error_is_the_spread_over_new_noise(budgets: pd.DataFrame, chinchilla: Chinchilla) -> None:
    """1000 simulated tables at the same inputs, whose noise is known."""
    exact = budgets.assign(loss=chinchilla.predict(N=budgets["N"], D=budgets["D"]))
    noisy = exact.assign(loss=exact["loss"] * np.exp(np.random.default_rng(1).normal(0, 1e-3, 30)))
    found = fit("chinchilla", noisy, loss="mse", bootstrap=0, compute=1e21)
    drawn = np.log(exact["loss"].to_numpy()) + np.random.default_rng(2).normal(0, 1e-3, (1000, 30))
    values, _ = fit_draws(
        found.design, found.objective, Resamples("new noise", None, np.ones_like(drawn), drawn), found.theta
    )
    names, simulated = quantities(Chinchilla, values, compute=1e21)
    for name in ("alpha", "beta", "E", "N_exponent", "loss_optimal"):
        advice = next_run(found, 1e20, name)
        spread = float(simulated[:, names.index(name)].std())
        assert advice.se / advice.noise * 1e-3 == pytest.approx(spread, rel=0.1)


def test_the_advised_run_narrows_more_than_a_median_one(chinchilla: Chinchilla) -> None:
    """800 simulated tables with the advised run, and with the median candidate, refitted."""
    rng = np.random.default_rng(3)
    N, D = (mesh.ravel() for mesh in np.meshgrid(np.geomspace(1e7, 1e9, 5), np.geomspace(1e9, 2e10, 6)))
    noise = 0.005
    loss = chinchilla.predict(N=N, D=D) * np.exp(rng.normal(0, noise, 30))
    found = fit("chinchilla", pd.DataFrame({"N": N, "D": D, "loss": loss}), loss="mse", bootstrap=0)
    advice = next_run(found, 1e20, "N_exponent")
    middle = advice.frame.iloc[len(advice.frame) // 2]
    N, D = np.append(N, [advice.best["N"], middle["N"]]), np.append(D, [advice.best["D"], middle["D"]])
    true = np.log(chinchilla.predict(N=N, D=D))
    design = Design.of(Chinchilla, {"N": N, "D": D}, np.exp(true))
    drawn = true + rng.normal(0, noise, (800, 32))
    start = Chinchilla.to_theta(chinchilla.values(), design.centre)[None]

    def spread(unused: int) -> float:
        """Standard deviation of N_exponent over the tables without one of the two runs."""
        weights = np.ones((800, 32))
        weights[:, unused] = 0.0
        values, _ = fit_draws(design, Objective("mse"), Resamples("new noise", None, weights, drawn), start)
        exponent = values[:, 4] / (values[:, 3] + values[:, 4])
        return float(exponent.std())

    with_best, with_middle = spread(31), spread(30)
    assert with_best < with_middle
    # and by as much as the table says, up to the curvature of the law and 800 draws
    predicted = advice.best["se"] / middle["se"]
    assert with_best / with_middle == pytest.approx(predicted, rel=0.1)


def test_candidates_of_the_caller_serve_any_law(table: Table) -> None:
    found = fit("power", table(Power(E=1.7, A=400.0, alpha=0.34), noise=0.01), loss="mse", bootstrap=0)
    runs = pd.DataFrame({"x": [1e6, 1e8, 1e10, 1e12], "C": [1.0, 2.0, 3.0, 9.0]})
    advice = next_run(found, 5.0, "E", candidates=runs)
    assert set(advice.frame["x"]) == {1e6, 1e8, 1e10}
    assert advice.best["x"] == 1e10, "the floor shows at the largest"
    with pytest.raises(InputError, match="power takes x"):
        next_run(found, 5.0, "E")
    with pytest.raises(InputError, match="no column C"):
        next_run(found, 5.0, "E", candidates=runs[["x"]])


def test_the_draws_stand_beside_the_delta_method(budgets: pd.DataFrame) -> None:
    found = fit("chinchilla", budgets, loss="mse", bootstrap=200, compute=1e21)
    assert next_run(found, 1e20, "beta").bootstrap_se == pytest.approx(found.parameters["beta"].se)
    assert next_run(found, 1e20, "N_optimal").bootstrap_se == pytest.approx(found.derived["N_optimal"].se)
    assert next_run(fit("chinchilla", budgets, bootstrap=0), 1e20, "beta").bootstrap_se is None


def test_scale_of_the_inputs_does_not_matter(budgets: pd.DataFrame) -> None:
    one = next_run(fit("chinchilla", budgets, bootstrap=0), 1e20, "beta")
    scaled = budgets.drop(columns="C").assign(N=budgets["N"] / 1e6, D=budgets["D"] / 1e6)
    two = next_run(fit("chinchilla", scaled, bootstrap=0), 1e8, "beta")
    assert two.best["N"] * 1e6 == pytest.approx(one.best["N"], rel=1e-6)
    assert two.best["se"] == pytest.approx(one.best["se"], rel=1e-5)


@pytest.mark.parametrize("loss", ["mse", "huber", "lad"])
def test_noise_is_that_of_a_run(table: Table, chinchilla: Chinchilla, loss: Any) -> None:
    found = [
        Local(
            fit("chinchilla", table(chinchilla, noise=0.01, rows=200, seed=k), loss=loss, bootstrap=0)
        ).noise
        for k in range(12)
    ]
    assert np.mean(found) == pytest.approx(0.01, rel=0.05)


def test_priors_are_beyond_the_sensitivities(budgets: pd.DataFrame) -> None:
    found = fit("chinchilla", budgets, bootstrap=0, priors={"E": (1.8, 0.01)})
    with pytest.raises(InputError, match="know nothing of priors"):
        next_run(found, 1e20)


def test_wrong_calls_are_refused(budgets: pd.DataFrame) -> None:
    found = fit("chinchilla", budgets, bootstrap=0)
    with pytest.raises(InputError, match="no quantity 'prediction'"):
        next_run(found, 1e20, "prediction")
    with pytest.raises(InputError, match="no quantity 'N_optimal'"):
        next_run(found, 1e20, "N_optimal")
    with pytest.raises(InputError, match="no candidate costs"):
        next_run(found, 1e3, "beta")
    with pytest.raises(InputError, match="positive number of FLOPs"):
        next_run(found, -1.0, "beta")
    saturated = fit("chinchilla", budgets.iloc[[0, 4, 12, 20, 28]], bootstrap=0)
    with pytest.raises(FitError):
        next_run(saturated, 1e20, "beta")
