"""IsoFLOP fits: exact parabolas come back, edges are refused, intervals cover."""

import numpy as np
import pandas as pd
import pytest

from scaling.errors import FitError, InputError
from scaling.fitting import fit_isoflop
from scaling.laws import Chinchilla
from scaling.laws.isoflop import minima

K, A = 0.08, 0.47
BUDGETS = np.geomspace(1e13, 1e16, 4)
STEPS = np.array([-1.6, -0.8, 0.0, 0.8, 1.6])


def curves(
    noise: float = 0.0, seed: int = 0, shift: float = 0.0, seeds: int = 1, budgets: np.ndarray = BUDGETS
) -> pd.DataFrame:
    """Exact parabolas of log loss about N_opt = K C^A, sizes spread about it (or shifted off it)."""
    rng = np.random.default_rng(seed)
    rows = []
    for C in budgets:
        N = K * C**A * np.exp(np.repeat(STEPS + shift, seeds))
        log_loss = 3.0 - 0.05 * np.log(C) + 0.03 * np.log(N / (K * C**A)) ** 2
        rows.append(pd.DataFrame({"N": N, "C": C, "loss": np.exp(log_loss + rng.normal(0, noise, len(N)))}))
    return pd.concat(rows, ignore_index=True)


def test_exact_curves_come_back() -> None:
    found = fit_isoflop(curves(), bootstrap=20, compute=1e18)
    assert [budget.status for budget in found.budgets] == ["interior"] * 4
    for budget, C in zip(found.budgets, BUDGETS, strict=True):
        np.testing.assert_allclose(budget.C, C)
        assert budget.N_optimal is not None
        assert budget.D_optimal is not None
        assert budget.loss_optimal is not None
        assert budget.N_optimal.value == pytest.approx(K * C**A)
        assert 6 * budget.N_optimal.value * budget.D_optimal.value == pytest.approx(C)
        assert budget.loss_optimal.value == pytest.approx(np.exp(3.0 - 0.05 * np.log(C)))
    assert found.law is not None
    assert (found.law.k, found.law.a) == (pytest.approx(K), pytest.approx(A))
    assert found.derived["D_exponent"].value == pytest.approx(1 - A)
    assert found.derived["N_optimal"].value == pytest.approx(K * 1e18**A)
    assert found.status == "ok"
    np.testing.assert_allclose(found.frame["predicted"], found.frame["loss"])


def test_optimum_beyond_the_sizes_is_refused() -> None:
    found = fit_isoflop(
        pd.concat([curves(budgets=BUDGETS[:3]), curves(budgets=BUDGETS[3:], shift=2.0)]), bootstrap=20
    )
    assert [budget.status for budget in found.budgets] == ["interior"] * 3 + ["edge"]
    assert found.budgets[3].N_optimal is None
    assert found.law is not None
    assert found.law.a == pytest.approx(A)
    assert found.status == "doubtful"
    assert "at or beyond an end" in found.warnings[0].message


def test_flat_curves_have_no_optimum() -> None:
    rng = np.random.default_rng(1)
    frame = curves()
    found = fit_isoflop(frame.assign(loss=2.0 * np.exp(rng.normal(0, 0.01, len(frame)))), bootstrap=200)
    assert all(budget.status in ("flat", "edge") for budget in found.budgets)
    assert found.law is None
    assert found.derived == {}


def test_budgets_are_groups_of_near_compute_or_a_column() -> None:
    frame = curves()
    wobbly = frame.assign(C=frame["C"] * np.tile([0.95, 1.05, 1.0, 0.97, 1.03], 4))
    assert [budget.rows for budget in fit_isoflop(wobbly, bootstrap=5).budgets] == [5] * 4
    named = fit_isoflop(wobbly.assign(budget=frame["C"]), bootstrap=5)
    np.testing.assert_allclose([budget.C for budget in named.budgets], BUDGETS)


def test_two_sizes_are_too_few() -> None:
    found = fit_isoflop(pd.concat([curves(), curves(budgets=np.array([1e18])).head(2)]), bootstrap=5)
    assert found.budgets[-1].status == "too few sizes"
    with pytest.raises(FitError, match="three model sizes"):
        fit_isoflop(curves().groupby("C").head(2))
    with pytest.raises(FitError, match="nothing tells the noise"):
        fit_isoflop(curves().groupby("C").head(3))
    with pytest.raises(InputError, match="bootstrap is 0"):
        fit_isoflop(curves(), bootstrap=0)


def test_noise_is_estimated_from_residuals_and_replicates() -> None:
    found = fit_isoflop(curves(noise=0.01, seeds=40), bootstrap=5)
    assert found.noise == pytest.approx(0.01, rel=0.06)
    assert found.noise_freedom in (4 * (200 - 3), 4 * (200 - 5))


def test_intervals_cover_the_exponent_and_the_optima() -> None:
    hits, optima = 0, 0
    for seed in range(200):
        found = fit_isoflop(curves(noise=0.004, seed=seed), bootstrap=400)
        exponent, first = found.derived["N_exponent"], found.budgets[0].N_optimal
        hits += exponent.low <= A <= exponent.high
        optima += first is not None and first.low <= K * BUDGETS[0] ** A <= first.high
    # 200 simulations at .95: a standard error of 1.5 points.
    assert 0.905 <= hits / 200 <= 0.995
    assert 0.905 <= optima / 200 <= 0.995


def test_branches_of_a_trunk_move_together() -> None:
    frame = pd.concat(
        [curves(noise=0.003, seed=seed).assign(trunk=seed) for seed in (0, 1)], ignore_index=True
    )
    frame["N"] = frame["N"].round(-1)
    alone = frame.assign(trunk_id=frame["N"].astype(str) + "-" + frame["trunk"].astype(str))
    assert fit_isoflop(alone, bootstrap=50).intervals.method == "percentile, parametric", (
        "no trunk has two rows"
    )
    # the same sizes at all budgets, as branches of the same trunks
    sizes = K * np.sqrt(BUDGETS[0] * BUDGETS[-1]) ** A * np.exp(1.5 * STEPS)
    N, C, seed = (part.ravel() for part in np.meshgrid(sizes, BUDGETS, [0, 1], indexing="ij"))
    loss = np.exp(3.0 - 0.05 * np.log(C) + 0.03 * np.log(N / (K * C**A)) ** 2 + 0.001 * seed * np.sin(N))
    trunks = pd.DataFrame({"N": N, "C": C, "loss": loss, "trunk": seed})
    trunks["trunk_id"] = trunks["N"].astype(str) + "-" + trunks["trunk"].astype(str)
    found = fit_isoflop(trunks, bootstrap=50)
    assert found.intervals.method == "percentile, trunks within size"
    single = fit_isoflop(trunks[trunks["trunk"] == 0], bootstrap=50)
    assert single.intervals.method == "percentile, parametric, these runs only"
    assert single.status == "doubtful"
    assert fit_isoflop(frame, bootstrap=50).intervals.method == "percentile, parametric"


def test_a_row_without_compute_leaves_its_budget_alone() -> None:
    frame = curves(noise=0.001, seeds=2)
    frame.loc[3, "C"] = np.nan
    found = fit_isoflop(frame.assign(D=frame["C"].fillna(BUDGETS[0]) / 6 / frame["N"]), bootstrap=20)
    assert found.excluded == ((3, "C is missing"),)
    assert [budget.rows for budget in found.budgets] == [9, 10, 10, 10]


def test_a_budget_column_decides_without_compute() -> None:
    frame = curves(noise=0.001, seeds=2)
    frame = frame.assign(budget=frame["C"], D=frame["C"] / 6 / frame["N"])
    frame.loc[3, "C"] = np.nan
    found = fit_isoflop(frame, bootstrap=20)
    assert not found.excluded
    assert [budget.rows for budget in found.budgets] == [10, 10, 10, 10]


def test_cubics_follow_the_skew_of_exact_curves() -> None:
    """Curves of an additive law lean: far from the optimum they move a parabola's vertex, and a cubic's less."""
    law = Chinchilla(E=1.82, A=478.0, B=2143.0, alpha=0.25, beta=0.45)
    rows = []
    for C in BUDGETS * 1e5:
        N = float(law.N_optimal(C)) * np.exp(np.linspace(-3.0, 3.0, 9))
        rows.append(pd.DataFrame({"N": N, "C": C, "loss": law.predict(N=N, D=C / 6 / N)}))
    frame = pd.concat(rows, ignore_index=True)
    off = {}
    for degree in (2, 3):
        found = fit_isoflop(frame, degree=degree, bootstrap=20)
        best = np.array([b.N_optimal.value for b in found.budgets if b.N_optimal is not None])
        assert len(best) == len(BUDGETS)
        off[degree] = float(np.abs(np.log(best / law.N_optimal(BUDGETS * 1e5))).max())
        assert found.derived["N_exponent"].value == pytest.approx(law.N_exponent, abs=0.05)
    assert off[3] < 0.5 * off[2]
    assert found.noise < fit_isoflop(frame, bootstrap=20).noise


def test_exact_cubics_come_back() -> None:
    t = np.array([-1.6, -0.9, 0.0, 0.7, 1.6])
    rows = []
    for C in BUDGETS:
        N, log_loss = K * C**A * np.exp(t), 1.0 + 0.03 * t**2 + 0.004 * t**3
        rows.append(pd.DataFrame({"N": N, "C": C, "loss": np.exp(log_loss)}))
    found = fit_isoflop(pd.concat(rows, ignore_index=True), degree=3, bootstrap=20)
    assert found.law is not None
    assert (found.law.k, found.law.a) == (pytest.approx(K), pytest.approx(A))
    assert all(b.curve is not None and b.curve.skew == pytest.approx(0.004) for b in found.budgets)
    np.testing.assert_allclose(found.frame["predicted"], found.frame["loss"])


def test_a_cubic_asks_for_a_size_more() -> None:
    three = curves().groupby("C").head(3)
    with pytest.raises(FitError, match="four model sizes"):
        fit_isoflop(three, degree=3)
    with pytest.raises(InputError, match="give 2 for parabolas or 3 for cubics"):
        fit_isoflop(three, degree=4)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("coefficients", "at"),
    [
        ([-2.0, 1.0, 0.0], 1.0),
        ([1.0, -2.0, 1.0], 1.0),
        ([0.0, 0.05, -0.06], 0.0),
        ([1.0, 1.0, 1.0], np.nan),
        ([1.0, -1.0, 0.0], np.nan),
    ],
)
def test_minima_of_cubics(coefficients: list[float], at: float) -> None:
    np.testing.assert_allclose(minima(np.array([coefficients])), [at], atol=1e-12)


def test_a_dip_that_an_end_lies_below_is_no_optimum() -> None:
    t = np.linspace(-1, 1, 9)
    rows = [
        pd.DataFrame({"N": 1e8 * np.exp(t), "C": C, "loss": np.exp(1 + 0.05 * t**2 - 0.06 * t**3)})
        for C in BUDGETS
    ]
    found = fit_isoflop(pd.concat(rows, ignore_index=True), degree=3, bootstrap=20)
    assert {budget.status for budget in found.budgets} == {"edge"}


def test_sizes_that_differ_by_a_rounding_are_one() -> None:
    frame = curves(seeds=2, noise=0.001)
    frame["N"] *= 1 + 1e-9 * np.arange(len(frame))
    assert [budget.sizes for budget in fit_isoflop(frame, bootstrap=5).budgets] == [5] * 4
