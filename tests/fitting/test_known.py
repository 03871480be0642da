"""What is known beforehand: values, bounds and priors of parameters."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest

from scaling.errors import FitError, InputError
from scaling.fitting import fit
from scaling.fitting.design import Design
from scaling.fitting.engine import floor_slope
from scaling.fitting.known import Known
from scaling.fitting.objective import Objective
from scaling.fitting.problems import Problems
from scaling.laws import BrokenPower1, Chinchilla, Coverage, Law, PNorm, Power

Table = Callable[..., pd.DataFrame]
TRUTH = Power(E=1.7, A=400.0, alpha=0.34)


def test_a_prior_is_one_more_measurement(table: Table) -> None:
    """With the exponent fixed and raw squares the law is linear: the posterior mean is known in closed form."""
    frame, prior = table(TRUTH, rows=400), {"E": (1.5, 0.02), "A": (380.0, 5.0)}
    frame["loss"] += np.random.default_rng(0).normal(0, 0.05, 400)
    options: dict[str, Any] = {"loss": "mse", "residual": "raw", "fix": {"alpha": 0.34}}
    found = fit("power", frame, bootstrap=4000, resample="parametric", priors=prior, **options)
    assert found.known.nat == pytest.approx(2 * 0.05**2, rel=0.2), "a nat of squares is twice the variance"
    X = np.column_stack([np.ones(400), frame["x"] ** -0.34])
    mean, precision, variance = np.array([1.5, 380.0]), np.diag([0.02**-2, 5.0**-2]), found.known.nat / 2
    posterior = np.linalg.inv(X.T @ X / variance + precision)
    expected = posterior @ (X.T @ frame["loss"] / variance + precision @ mean)
    assert pytest.approx(expected[0], rel=1e-8) == found.law.E
    assert pytest.approx(expected[1], rel=1e-8) == found.law.A
    spread = np.std(found.draws, axis=0, ddof=1)[:2]
    np.testing.assert_allclose(
        spread, np.sqrt(np.diag(posterior)), rtol=0.1, err_msg="draws move the prior too"
    )


@pytest.mark.parametrize("loss", ["huber", "mse"])
def test_a_wide_prior_says_nothing_and_a_narrow_one_holds(table: Table, truth: Law, loss: Any) -> None:
    frame, name = table(truth, noise=0.01), "alpha"
    value = getattr(truth, name)
    alone = fit(truth.name, frame, loss=loss, bootstrap=0)
    wide = fit(truth.name, frame, loss=loss, bootstrap=0, priors={name: (value, 1e6)})
    assert wide.value == pytest.approx(alone.value, rel=1e-8)
    held = fit(truth.name, frame, loss=loss, bootstrap=0, fix={name: 1.1 * value})
    narrow = fit(truth.name, frame, loss=loss, bootstrap=0, priors={name: (1.1 * value, 1e-7)})
    assert getattr(narrow.law, name) == pytest.approx(1.1 * value, rel=1e-5)
    assert narrow.value == pytest.approx(held.value, rel=1e-4)
    assert getattr(narrow.sensitivity[-1].law, name) == pytest.approx(getattr(alone.law, name), rel=1e-6)


@pytest.mark.parametrize("name", ["E", "A", "alpha"])
@pytest.mark.parametrize("loss", ["huber", "mse", "lad"])
def test_bounds_hold_and_are_named_where_they_are_hit(table: Table, name: str, loss: Any) -> None:
    frame = table(TRUTH, noise=0.01)
    free = fit("power", frame, loss=loss, bootstrap=0)
    value = getattr(free.law, name)
    loose = fit("power", frame, loss=loss, bootstrap=0, bounds={name: (0.5 * value, 2 * value)})
    assert loose.value == pytest.approx(free.value, rel=1e-9)
    end = 0.9 * value
    tight = fit("power", frame, loss=loss, bootstrap=50, bounds={name: (0.5 * value, end)})
    held = fit("power", frame, loss=loss, bootstrap=0, fix={name: end})
    assert getattr(tight.law, name) == pytest.approx(end, rel=1e-9)
    assert tight.value == pytest.approx(held.value, rel=1e-8)
    k = TRUTH.position(name)
    assert np.all((tight.draws[:, k] >= 0.5 * value) & (tight.draws[:, k] <= end))
    assert "end of the bounds given" in (tight.warning("bound_hit") or "")
    assert tight.warning("floor_at_zero") is None


@pytest.mark.parametrize(
    "law",
    [
        Chinchilla(E=1.8, A=400.0, B=2000.0, alpha=0.35, beta=0.37),
        PNorm(E=0.9, A=120.0, B=300.0, alpha=0.28, beta=0.31, p=2.2),
        BrokenPower1(E=0.4, A=2.3, c0=0.06, c1=1.4, d1=600.0, f1=0.1),
    ],
    ids=lambda law: law.name,
)
def test_derivatives_of_the_penalty(law: Law, table: Table) -> None:
    frame = table(law, noise=0.01)
    known = Known(
        priors={
            name: (1.1 * value, 0.3) for name, value in zip(law.parameter_names(), law.values(), strict=True)
        },
        nat=0.01,
    )
    inputs = {name: frame[name].to_numpy() for name in law.inputs}
    design = Design.of(type(law), inputs, frame["loss"].to_numpy(), known=known)
    one = Problems.of(design, Objective("mse"), np.ones((1, design.rows)))
    theta = law.to_theta(law.values(), design.centre)[None, :]
    newton = np.ones(1, dtype=np.bool_)
    _, gradient, hessian = one.assess(theta, newton)
    for k in range(theta.shape[1]):
        up, down = theta.copy(), theta.copy()
        up[0, k] += 1e-5
        down[0, k] -= 1e-5
        slope = (one.value(up) - one.value(down)) / 2e-5
        assert gradient[k] == pytest.approx(slope, rel=1e-5, abs=1e-6)
        bend = (one.assess(up, newton)[1] - one.assess(down, newton)[1])[:, 0] / 2e-5
        np.testing.assert_allclose(hessian[:, k, 0], bend, rtol=1e-3, atol=1e-3 * np.abs(hessian).max())


def test_a_deviance_is_counted_in_nats() -> None:
    rng = np.random.default_rng(0)
    k = np.geomspace(1, 1000, 12)
    trials = np.full(12, 200)
    score = rng.binomial(trials, Coverage(a=1.6, b=0.4).predict(k=k)) / trials
    frame = pd.DataFrame({"k": k, "score": score, "n": trials})
    found = fit("coverage", frame, loss="binomial", weights="n", bootstrap=0, priors={"b": (0.4, 0.01)})
    assert found.known.nat == 1.0
    alone = found.sensitivity[-1].law
    assert abs(found.law.b - 0.4) < abs(alone.b - 0.4)


def test_clusters_make_the_rows_weigh_less(table: Table) -> None:
    """Five checkpoints that share their luck are one measurement and not five."""
    rng = np.random.default_rng(3)
    frame = table(TRUTH, rows=60)
    luck = rng.normal(0, 0.02, 12)
    frame["run"] = np.arange(60) % 12
    frame["loss"] *= np.exp(luck[frame["run"]] + rng.normal(0, 1e-4, 60))
    prior = {"E": (1.2, 0.1)}
    alone, together = (
        fit("power", frame, loss="mse", priors=prior, cluster=cluster, bootstrap=0)
        for cluster in (None, "run")
    )
    assert together.known.nat > 1.5 * alone.known.nat
    assert abs(together.law.E - 1.2) < abs(alone.law.E - 1.2)


@pytest.mark.parametrize("loss", ["huber", "mse"])
def test_a_profile_stays_within_bounds(table: Table, loss: Any) -> None:
    frame = table(TRUTH, noise=0.01)
    found = fit("power", frame, loss=loss, interval="profile", bounds={"alpha": (0.30, 0.33)}, bootstrap=50)
    e = found.parameters["alpha"]
    assert e.low is not None
    assert e.high is not None
    assert 0.30 <= e.low <= e.value <= e.high <= 0.33


def test_a_prior_that_the_rows_contradict_is_a_doubt(table: Table) -> None:
    found = fit("power", table(TRUTH, noise=0.01), priors={"alpha": (0.2, 0.001)}, bootstrap=100)
    assert found.status == "doubtful"
    assert "the priors decide" in (found.warning("prior_decides") or "")
    assert "without the priors: E =" in found.summary()
    body = found.to_json()
    assert body["priors"] == {"alpha": {"mean": 0.2, "sd": 0.001}}
    assert [one["width"] for one in body["prior_sensitivity"]] == [0.25, 0.5, 2.0, 4.0, None]
    assert not {"priors", "bounds"} & set(fit("power", table(TRUTH, noise=0.01), bootstrap=0).to_json())


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"priors": {"gamma": (1, 1)}}, "no parameter 'gamma' to give a prior"),
        ({"priors": {"E": (1.5, 0.0)}}, "a positive standard deviation"),
        ({"priors": {"E": (-1.0, 0.1)}}, "give a mean in"),
        ({"priors": {"E": (1.5, 0.1)}, "fix": {"E": 1.5}}, "E is fixed at 1.5, and a prior given too"),
        ({"priors": {"E": (1.5, 0.1)}, "loss": "lad"}, "give --loss huber or mse"),
        ({"bounds": {"E": (2.0, 1.0)}}, "two rising numbers"),
        ({"bounds": {"alpha": (-1.0, 1.0)}}, "two rising numbers"),
        ({"bounds": {"beta": (0.0, 1.0)}}, "no parameter 'beta' to bound"),
    ],
)
def test_what_cannot_be_known_is_refused(table: Table, options: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        fit("power", table(TRUTH), **options)


def test_a_prior_needs_scatter_to_be_weighed_against(table: Table) -> None:
    with pytest.raises(FitError, match="leave none about 3 parameters"):
        fit("power", table(TRUTH, noise=0.01, rows=3), priors={"E": (1.7, 0.1)}, bootstrap=0)


def test_a_prior_that_moves_an_answer_without_intervals_is_a_doubt(table: Table) -> None:
    found = fit("power", table(TRUTH, noise=0.01), priors={"alpha": (0.2, 0.0005)}, bootstrap=0)
    assert "outside the priors" in (found.warning("prior_decides") or "")
    assert "plus the priors' penalty" in found.summary()


def test_the_draws_decide_what_a_prior_is_weighed_against(table: Table) -> None:
    rng = np.random.default_rng(3)
    frame = table(TRUTH, rows=60).assign(run_id=np.arange(60) % 12)
    frame["loss"] *= np.exp(rng.normal(0, 0.02, 12)[frame["run_id"]])
    named, found = (
        fit("power", frame, priors={"E": (1.2, 0.1)}, bootstrap=0, cluster=c) for c in ("run_id", None)
    )
    assert named.known.nat == found.known.nat


def test_squares_without_freedom_have_no_profile(table: Table) -> None:
    found = fit("power", table(TRUTH, noise=0.01, rows=3), loss="mse", interval="profile", bootstrap=0)
    assert found.parameters["alpha"].low is None


def test_the_slope_by_a_floor_of_0_takes_the_means_that_were_drawn(
    table: Table, chinchilla: Chinchilla
) -> None:
    """Against differences, with a mean of each problem's own."""
    rows = table(chinchilla, noise=0.01)
    known = Known(priors={"E": (1.7, 0.1)}, nat=1e-3)
    design = Design.of(
        Chinchilla, {name: rows[name].to_numpy() for name in ("N", "D")}, rows["loss"].to_numpy(), known=known
    )
    means = known.drawn_means(Chinchilla, 3, np.random.default_rng(0))
    problems = Problems.of(design, Objective("mse"), np.ones((3, design.rows)), means=means)
    theta = np.repeat(design.law.to_theta(chinchilla.values(), design.centre)[None], 3, axis=0)
    theta[:, 0] = -np.inf
    small = theta.copy()
    small[:, 0] = np.log(1e-6)
    slopes = (problems.value(small) - problems.value(theta)) / 1e-6
    np.testing.assert_allclose(floor_slope(problems, theta), slopes, rtol=1e-4)
    assert len(np.unique(slopes)) == 3
