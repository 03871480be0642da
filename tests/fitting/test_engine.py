"""The engine under every fit: derivatives, and minima nobody else finds lower."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy.optimize import linprog, minimize

from scaling.fitting.design import Design
from scaling.fitting.draws import fit_draws
from scaling.fitting.engine import search
from scaling.fitting.minima import local_minima
from scaling.fitting.newton import minimise
from scaling.fitting.objective import Objective
from scaling.fitting.problems import Problems
from scaling.laws import BrokenPower2, BrokenPower3, Chinchilla, Law, PNorm, Power
from scaling.resampling import Resamples, pairs

Table = Callable[..., pd.DataFrame]

OBJECTIVES = [
    Objective(),  # the default: delta far below the noise, so that the objective is nearly that of LAD
    Objective("huber", 1e-2, "log"),
    Objective("huber", 3e-2, "raw"),
    Objective("mse", residual="log"),
    Objective("mse", residual="raw"),
]
BY_OBJECTIVE = pytest.mark.parametrize("objective", OBJECTIVES, ids=lambda o: f"{o.loss}-{o.residual}")


def design_of(law: type[Law], frame: pd.DataFrame) -> Design:
    return Design.of(law, {name: frame[name].to_numpy() for name in law.inputs}, frame["loss"].to_numpy())


@BY_OBJECTIVE
def test_gradient_and_hessian_against_differences(table: Table, truth: Law, objective: Objective) -> None:
    design = design_of(type(truth), table(truth, noise=0.01))
    weights = np.random.default_rng(1).integers(0, 3, size=(1, design.rows)).astype(float)
    problems = Problems.of(design, objective, weights)
    newton = np.ones(1, dtype=bool)
    theta = design.law.to_theta(truth.values(), design.centre)[None, :] + 0.003
    _, gradient, hessian = problems.assess(theta, newton)
    for k in range(theta.shape[1]):
        step = np.zeros_like(theta)
        step[0, k] = 1e-6
        up, down = problems.assess(theta + step, newton), problems.assess(theta - step, newton)
        scale = np.abs(gradient).max()
        assert gradient[k, 0] == pytest.approx((up[0][0] - down[0][0]) / 2e-6, rel=1e-5, abs=1e-6 * scale)
        column = (up[1][:, 0] - down[1][:, 0]) / 2e-6
        np.testing.assert_allclose(hessian[:, k, 0], column, rtol=1e-4, atol=1e-5 * np.abs(hessian).max())


def test_jacobian_against_differences(table: Table, truth: Law) -> None:
    design = design_of(type(truth), table(truth))
    theta = design.law.to_theta(truth.values(), design.centre)[None, :]
    jacobian = design.jacobian(theta, design.law.evaluate(theta, design.x))[0]
    for k in range(theta.shape[1]):
        step = np.zeros_like(theta)
        step[0, k] = 1e-5
        up, down = (design.law.evaluate(theta + s, design.x)[0, 0] for s in (step, -step))
        np.testing.assert_allclose(jacobian[:, k], (up - down) / 2e-5, atol=1e-8)


def outside_best(design: Design, objective: Objective, starts: int) -> float:
    """Lowest objective that L-BFGS-B reaches from random starts."""
    rng = np.random.default_rng(2)
    one = Problems.of(design, objective, np.ones((1, design.rows)))
    newton = np.zeros(1, dtype=bool)

    def both(theta: np.ndarray) -> tuple[float, np.ndarray]:
        value, gradient, _ = one.assess(theta[None, :], newton)
        return float(value[0]), gradient[:, 0]

    law = design.law
    centre = np.array(
        [np.log(0.3) if name in ("alpha", "beta", "p") else 0.0 for name in law.parameter_names()]
    )
    ends = [
        minimize(
            both,
            centre + rng.normal(0, 0.7, len(centre)),
            jac=True,
            method="L-BFGS-B",
            bounds=list(zip(*design.bounds, strict=True)),
        )
        for _ in range(starts)
    ]
    return min(float(end.fun) for end in ends)


@BY_OBJECTIVE
@pytest.mark.parametrize("law", [Chinchilla, PNorm])
def test_no_start_of_an_outside_optimiser_ends_lower(
    table: Table, law: type[Law], objective: Objective
) -> None:
    design = design_of(
        law, table(PNorm(E=0.9, A=120.0, B=300.0, alpha=0.28, beta=0.31, p=2.2), noise=0.02, seed=3)
    )
    _, value, converged = local_minima(design, objective)
    assert converged
    assert value[0] <= outside_best(design, objective, starts=6) * (1 + 1e-9)


def test_draws_reach_what_the_same_rows_reach_alone(table: Table, chinchilla: Chinchilla) -> None:
    frame = table(chinchilla, noise=0.01, seed=4)
    design, objective = design_of(Chinchilla, frame), Objective()
    weights = np.random.default_rng(5).multinomial(len(frame), np.full(len(frame), 1 / len(frame)), size=20)
    _, together = search(
        Problems.of(design, objective, weights.astype(float)), most=2, floor_at_zero=False
    ).best(20)
    for k in range(20):
        repeated = frame.loc[np.repeat(frame.index, weights[k])]
        _, alone, _ = local_minima(design_of(Chinchilla, repeated), objective)
        assert together.value[k] == pytest.approx(alone[0], rel=1e-9)


@BY_OBJECTIVE
def test_parts_of_the_rows_add_up(
    table: Table, truth: Law, objective: Objective, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Derivatives and objective do not depend on how many rows are worked on together."""
    design = design_of(type(truth), table(truth, noise=0.01))
    weights = np.random.default_rng(1).integers(0, 3, size=(5, design.rows)).astype(float)
    problems = Problems.of(design, objective, weights)
    theta = np.tile(design.law.to_theta(truth.values(), design.centre) + 0.003, (5, 1))
    newton, chosen = np.array([True, False, True, True, False]), np.array([0, 2, 3])
    whole = problems.value(theta), *problems.assess_some(chosen, theta[chosen], newton[chosen])
    monkeypatch.setattr("scaling.fitting.problems.CHUNK", 7)
    parts = problems.value(theta), *problems.assess_some(chosen, theta[chosen], newton[chosen])
    for one, other in zip(whole, parts, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-12, atol=1e-12 * np.abs(one).max())


@pytest.mark.parametrize("how", ["log", "raw"])
def test_starts_from_cells_of_rows_end_where_starts_from_rows_do(
    table: Table, truth: Law, how: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    frame = table(truth, noise=0.01, seed=3, rows=600)
    design, objective = (
        design_of(type(truth), frame),
        Objective("huber", 1e-3, "raw" if how == "raw" else "log"),
    )
    one = Problems.of(design, objective, np.ones((1, design.rows)))
    rows = search(one, most=12).best(1)[1]
    monkeypatch.setattr("scaling.fitting.grid.MANY_ROWS", 100)
    monkeypatch.setattr("scaling.fitting.grid.CELLS", 150)
    cells = search(one, most=12).best(1)[1]
    assert cells.converged.all()
    assert cells.value[0] == pytest.approx(rows.value[0], rel=1e-9)


def test_draws_do_not_depend_on_how_many_are_fitted_together(
    table: Table, chinchilla: Chinchilla, monkeypatch: pytest.MonkeyPatch
) -> None:
    frame = table(chinchilla, noise=0.01, seed=4)
    design, objective = design_of(Chinchilla, frame), Objective()
    theta, _, _ = local_minima(design, objective)
    drawn = pairs(design.rows, 30, np.random.default_rng(0))
    together, _ = fit_draws(design, objective, drawn, theta)
    monkeypatch.setattr("scaling.fitting.draws.BLOCK", 7 * design.rows)
    apart, _ = fit_draws(design, objective, drawn, theta)
    np.testing.assert_allclose(together, apart, rtol=1e-7)


@pytest.mark.parametrize("law", [Chinchilla, PNorm])
def test_draws_converge_where_the_noise_is_far_above_delta(table: Table, law: type[Law]) -> None:
    """Flat ridges and a floor that vanishes in many draws: no draw stops short, and no restart ends lower."""
    truth = PNorm(E=0.3, A=29.0, B=130.0, alpha=0.36, beta=0.37, p=1.44)
    frame = table(truth, noise=0.01, seed=7, rows=25)
    design, objective = design_of(law, frame), Objective()
    theta, _, _ = local_minima(design, objective)
    weights = np.random.default_rng(8).multinomial(25, np.full(25, 1 / 25), size=60).astype(float)
    found, converged = fit_draws(design, objective, Resamples("pairs", None, weights=weights), theta)
    assert converged.all()
    problems = Problems.of(design, objective, weights)
    ends = law.to_theta(found, design.centre)
    value = problems.value(ends)
    free = np.ones(ends.shape[1], dtype=bool)
    for seed in range(3):
        jitter = np.random.default_rng(seed).normal(0, 0.3, ends.shape)
        again = minimise(problems, np.maximum(ends, design.bounds[0] + 1) + jitter, free)
        assert np.all(again.value >= value * (1 - 1e-9))


@pytest.mark.parametrize("residual", ["log", "raw"])
def test_lad_is_a_vertex_that_no_linear_step_improves(table: Table, truth: Law, residual: str) -> None:
    """At the minimum of sum |r| the linearised problem in a small box has no descent left."""
    frame = table(truth, noise=0.02, seed=6)
    design = design_of(type(truth), frame)
    objective = Objective("lad", residual="raw" if residual == "raw" else "log")
    theta, value, converged = local_minima(design, objective)
    assert converged
    state = design.law.evaluate(theta[:1], design.x)
    r = objective.residuals(state[0], design.log_y)[0]
    J = design.jacobian(theta[:1], state)[0] * (np.exp(state[0, 0])[:, None] if residual == "raw" else 1.0)
    J = J[:, np.isfinite(theta[0])]
    n, P = J.shape
    box = 1e-4
    # min sum t  with  -t <= r + J d <= t,  |d| <= box
    upper = np.block([[J, -np.eye(n)], [-J, -np.eye(n)]])
    found = linprog(
        np.r_[np.zeros(P), np.ones(n)], upper, np.r_[-r, r], bounds=[(-box, box)] * P + [(0, None)] * n
    )
    assert value[0] == pytest.approx(np.sum(np.abs(r)))
    # What bending can add over a box of 1e-4 is of the order of its square.
    assert found.fun >= value[0] - n * 1e-7 * np.abs(r).max()
    assert np.sum(np.abs(r) < 1e-11) >= P - 1


@pytest.mark.parametrize("seed", [6, 9, 33])
def test_a_free_p_is_no_worse_than_a_held_one(seed: int) -> None:
    """Noisy rows of a world that takes the larger term: each row belongs to one of the terms."""
    rng = np.random.default_rng(seed)
    N, D = (a.ravel() for a in np.meshgrid(5e7 * 4.0 ** np.arange(4), 1e9 * 4.0 ** np.arange(6)))
    truth = PNorm(E=1.0, A=3e4, B=3e5, alpha=0.6, beta=0.55, p=50.0)
    y = truth.predict(N=N, D=D) * np.exp(rng.normal(0, 0.2, len(N)))
    design = Design.of(PNorm, {"N": N, "D": D}, y, weights=rng.uniform(0.5, 3, len(N)))
    free = local_minima(design, Objective("mse"))[1][0]
    for p in (1.0, 10.0, 50.0, 200.0):
        assert free <= local_minima(design.holding({"p": p}), Objective("mse"))[1][0] * (1 + 1e-7)


BENDS = (
    BrokenPower2(E=0.05, A=5.0, c0=0.05, c1=0.3, d1=1e3, f1=0.1, c2=0.2, d2=1e6, f2=0.2),
    BrokenPower2(E=0.4, A=2.6, c0=0.15, c1=1.4, d1=400.0, f1=0.05, c2=-0.9, d2=3e5, f2=0.4),
    BrokenPower3(E=1.5, A=6.7, c0=0.12, c1=0.7, d1=213.0, f1=0.04, c2=1.5, d2=962.0, f2=0.3, c3=-0.5, d3=1e6, f3=0.2),
)  # fmt: skip


@pytest.mark.parametrize(
    ("law", "loss"), [*zip(BENDS, ("mse", "huber", "huber"), strict=True)], ids=["2", "2 back", "3"]
)
def test_noisy_bends_are_found(law: BrokenPower2 | BrokenPower3, loss: Any) -> None:
    """At least as low as what the truth leads to."""
    rng = np.random.default_rng(3)
    x = np.exp(rng.uniform(np.log(50), np.log(1e8), 60))
    design = Design.of(type(law), {"x": x}, law.predict(x=x) * np.exp(rng.normal(0, 0.01, 60)))
    objective = Objective(loss)
    value = local_minima(design, objective)[1]
    truth = law.to_theta(law.values(), design.centre)
    from_truth = minimise(Problems.of(design, objective, np.ones((1, 60))), truth[None], design.free)
    assert value[0] <= from_truth.value[0] * (1 + 1e-9)


@pytest.mark.parametrize("seed", [10, 30, 38])
def test_lad_is_exact_where_a_term_vanishes(seed: int) -> None:
    """Losses that do not depend on D: what is left is the power law in N, whose vertex the rows fix."""
    rng = np.random.default_rng(seed)
    N, D = 10 ** rng.uniform(6, 10, (2, 30))
    y = (1.7 + 400 / N**0.34) * np.exp(rng.normal(0, 0.02, 30))
    _, value, converged = local_minima(Design.of(Chinchilla, {"N": N, "D": D}, y), Objective("lad"))
    power = local_minima(Design.of(Power, {"x": N}, y), Objective("lad"))[1]
    assert converged
    assert value[0] <= power[0] * (1 + 1e-8), "a term at its bound is 1e-7 of the smallest loss"


def test_a_floor_of_zero_is_found_exactly(table: Table) -> None:
    law = Chinchilla(E=0.0, A=40.0, B=60.0, alpha=0.15, beta=0.17)
    design = design_of(Chinchilla, table(law))
    theta, value, _ = local_minima(design, Objective("mse"))
    assert np.isneginf(theta[0, 0])
    assert value[0] < 1e-20


def test_lad_is_the_lowest_of_the_vertices_that_a_scan_finds() -> None:
    """18 runs with two shallow minima of sum |r|; the scan solves the linear problem at each exponent."""
    x = np.array([220118, 391738, 388007, 470113, 138357, 711170, 153442, 152119, 114631, 130487, 144576, 106920,
                  632796, 375222, 180878, 448225, 308587, 105644.0])  # fmt: skip
    y = np.array([1.84257, 1.72584, 1.71263, 1.69748, 1.98435, 1.65136, 1.91079, 1.89995, 2.02071, 1.97107, 1.94275,
                  2.04188, 1.70128, 1.74183, 1.87296, 1.72959, 1.78232, 2.07528])  # fmt: skip
    design = Design.of(Power, {"x": x}, y)
    _, value, converged = local_minima(design, Objective("lad"))
    lowest = np.inf
    for alpha in np.linspace(0.5, 0.9, 401):
        A = np.column_stack([np.ones(18), (x / x.mean()) ** -alpha])
        upper = np.block([[A, -np.eye(18)], [-A, -np.eye(18)]])
        bounds = [(0, None)] * 20
        found = linprog(np.r_[0, 0, 1 / y], upper, np.r_[y, -y], bounds=bounds)
        lowest = min(lowest, float(np.abs(np.log(A @ found.x[:2] / y)).sum()))
    assert converged
    assert value[0] <= lowest * (1 + 1e-9)
