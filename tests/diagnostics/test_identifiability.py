"""Curvature at the optimum: invariances, known cases, and the trade-off in words."""

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest

from scaling.diagnostics import identifiability
from scaling.errors import FitError
from scaling.fitting import fit
from scaling.fitting.problems import Problems
from scaling.laws import Chinchilla, Law

Table = Callable[..., pd.DataFrame]


def test_eigenvalues_add_up_and_give_the_condition(table: Table, truth: Law) -> None:
    found = identifiability(fit(type(truth), table(truth, noise=0.01), loss="mse", bootstrap=0))
    assert found.eigenvalues.sum() == pytest.approx(len(truth.values()))
    assert found.condition == pytest.approx(found.eigenvalues[-1] / found.eigenvalues[0])
    assert found.of == "objective"
    assert np.sum(found.direction["component"] ** 2) == pytest.approx(1.0)


def test_units_and_repeats_do_not_matter(table: Table, chinchilla: Chinchilla) -> None:
    frame = table(chinchilla, noise=0.01)
    plain = identifiability(fit("chinchilla", frame, loss="mse", bootstrap=0))
    for other in (
        frame.assign(N=frame["N"] * 1e-6),
        frame.assign(loss=frame["loss"] * 7),
        pd.concat([frame, frame]),
    ):
        found = identifiability(fit("chinchilla", other, loss="mse", bootstrap=0))
        assert found.condition == pytest.approx(plain.condition, rel=1e-4)


def test_the_walk_raises_the_objective_by_a_hundredth(table: Table, chinchilla: Chinchilla) -> None:
    whole = fit("chinchilla", table(chinchilla, noise=0.01), loss="mse", bootstrap=0)
    found = identifiability(whole)
    design = whole.design
    one = Problems.of(design, whole.objective, np.ones((1, design.rows)))
    component = found.direction["component"].to_numpy()
    hessian = one.assess(whole.theta[:1], np.ones(1, dtype=bool))[2][..., 0]
    step = component / np.sqrt(np.diag(hessian))
    step *= np.sqrt(2 * 0.01 * whole.value / found.eigenvalues[0])
    for sign in (-1, 1):
        moved = one.value(whole.theta[:1] + sign * step)[0]
        assert moved / whole.value - 1 == pytest.approx(0.01, rel=0.2), "a parabola near the optimum"
    ends = np.sort(design.values(np.stack([whole.theta[0] - step, whole.theta[0] + step])), axis=0)
    np.testing.assert_allclose(found.direction[["low", "high"]].to_numpy().T, ends, rtol=1e-9)


def test_no_direction_is_flatter(table: Table, truth: Law) -> None:
    whole = fit(type(truth), table(truth, noise=0.01), loss="mse", bootstrap=0)
    found = identifiability(whole)
    design = whole.design
    hessian = Problems.of(design, whole.objective, np.ones((1, design.rows))).assess(
        whole.theta[:1], np.ones(1, dtype=bool)
    )[2][..., 0]
    scaled = hessian / np.sqrt(np.outer(np.diag(hessian), np.diag(hessian)))
    rng = np.random.default_rng(0)
    for _ in range(50):
        d = rng.normal(size=len(scaled))
        assert d @ scaled @ d / (d @ d) >= found.eigenvalues[0] * (1 - 1e-9)


def test_one_duration_leaves_the_floor_and_the_token_term_in_one_valley(chinchilla: Chinchilla) -> None:
    """D that hardly varies: the floor and what tokens remove cannot be told apart, and the words say so."""
    rng = np.random.default_rng(0)
    N = np.geomspace(1e6, 1e10, 60)
    D = 1e10 * np.exp(rng.normal(0, 0.02, 60))
    loss = chinchilla.predict(N=N, D=D) * np.exp(rng.normal(0, 1e-4, 60))
    narrow = identifiability(
        fit("chinchilla", pd.DataFrame({"N": N, "D": D, "loss": loss}), loss="mse", bootstrap=0)
    )
    wide = D * np.exp(rng.normal(0, 2, 60))
    frame = pd.DataFrame({"N": N, "D": wide, "loss": chinchilla.predict(N=N, D=wide)})
    assert (
        narrow.condition > 100 * identifiability(fit("chinchilla", frame, loss="mse", bootstrap=0)).condition
    )
    assert "E " in narrow.text
    assert "B term" in narrow.text
    assert "alpha" not in narrow.text
    up, down = narrow.direction.set_index("parameter").loc[["E", "B"], "component"]
    assert up * down < 0, "one takes what the other leaves"


def test_correlations_come_from_the_draws(table: Table, chinchilla: Chinchilla) -> None:
    whole = fit("chinchilla", table(chinchilla, noise=0.01), bootstrap=200, fix={"E": 1.82})
    found = identifiability(whole)
    assert list(found.correlations.columns) == ["A", "B", "alpha", "beta"]
    np.testing.assert_allclose(np.diag(found.correlations), 1.0)
    one, two, r = found.most_correlated
    assert {one, two} in ({"A", "alpha"}, {"B", "beta"}), "a coefficient at x = 1 follows its exponent"
    assert r > 0.9
    ranks = pd.DataFrame(whole.draws, columns=list(whole.parameters))[[one, two]].rank()
    assert r == pytest.approx(ranks.corr().iloc[0, 1])
    without = identifiability(fit("chinchilla", whole.rows.frame, bootstrap=0))
    assert without.correlations is None
    assert without.most_correlated is None


def test_kinked_objectives_show_the_curvature_of_squares(table: Table, chinchilla: Chinchilla) -> None:
    frame = table(chinchilla, noise=0.01)
    for options in ({"loss": "lad"}, {"loss": "huber", "delta": 1e-6}):
        assert identifiability(fit("chinchilla", frame, bootstrap=0, **options)).of == "least squares"


def test_parameters_at_an_end_have_no_part(table: Table) -> None:
    law = Chinchilla(E=0.0, A=40.0, B=60.0, alpha=0.15, beta=0.17)
    found = identifiability(fit("chinchilla", table(law, noise=1e-4), loss="mse", bootstrap=0))
    assert "E" not in set(found.direction["parameter"]) or found.condition > 1
    exact = fit("chinchilla", table(law), loss="mse", bootstrap=0)
    assert exact.law.E == 0
    assert list(identifiability(exact).direction["parameter"]) == ["A", "B", "alpha", "beta"]


def test_json(table: Table, chinchilla: Chinchilla) -> None:
    import json

    text = json.dumps(
        identifiability(fit("chinchilla", table(chinchilla, noise=0.01), bootstrap=20)).to_json(),
        allow_nan=False,
    )
    assert set(json.loads(text)["correlations"]) == set(Chinchilla.parameter_names())


def test_nothing_left_to_move_is_refused(table: Table, chinchilla: Chinchilla) -> None:
    fixed = dict(zip(Chinchilla.parameter_names(), chinchilla.values(), strict=True))
    fixed.pop("E")
    law = Chinchilla(E=0.0, A=478.0, B=2143.0, alpha=0.347, beta=0.367)
    zero = fit("chinchilla", table(law), loss="mse", bootstrap=0, fix=fixed)
    with pytest.raises(FitError, match="nothing is left"):
        identifiability(zero)
