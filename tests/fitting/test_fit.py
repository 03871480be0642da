"""`fit`: recovery, invariances, the account of rows, errors and doubts."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scaling.errors import FitError, InputError
from scaling.fitting import Fit, fit, saved
from scaling.laws import Chinchilla, ExponentialLink, Law, Power

CHINCHILLA = Chinchilla(E=1.82, A=478.0, B=2143.0, alpha=0.347, beta=0.367)
Table = Callable[..., pd.DataFrame]
Change = Callable[[pd.DataFrame], pd.DataFrame]
OBJECTIVES = [
    ("huber", "log"),
    ("huber", "raw"),
    ("lad", "log"),
    ("lad", "raw"),
    ("mse", "log"),
    ("mse", "raw"),
]


@pytest.mark.parametrize(("loss", "residual"), OBJECTIVES)
def test_noise_free_recovery(table: Table, truth: Law, loss: Any, residual: Any) -> None:
    found = fit(type(truth), table(truth), loss=loss, residual=residual, bootstrap=0)
    np.testing.assert_allclose(found.law.values(), truth.values(), rtol=1e-6)


@given(
    E=st.floats(0.3, 3.0),
    share_N=st.floats(0.2, 2.0),
    share_D=st.floats(0.2, 2.0),
    alpha=st.floats(0.15, 0.8),
    beta=st.floats(0.15, 0.8),
    seed=st.integers(0, 99),
)
@settings(deadline=None, max_examples=25)
def test_noise_free_recovery_anywhere(
    table: Table, E: float, share_N: float, share_D: float, alpha: float, beta: float, seed: int
) -> None:
    middle = 1e8
    law = Chinchilla(E=E, A=share_N * E * middle**alpha, B=share_D * E * middle**beta, alpha=alpha, beta=beta)
    found = fit(Chinchilla, table(law, seed=seed), bootstrap=0)
    np.testing.assert_allclose(found.law.values(), law.values(), rtol=1e-6)


@pytest.mark.parametrize("factor", [1e-6, 1e3])
def test_unit_of_an_input_changes_its_coefficient_only(table: Table, truth: Law, factor: float) -> None:
    frame = table(truth, noise=0.01)
    plain = fit(type(truth), frame, bootstrap=20)
    name = truth.inputs[0]
    scaled = fit(type(truth), frame.assign(**{name: frame[name] * factor}), bootstrap=20)
    assert scaled.value == pytest.approx(plain.value, rel=1e-9)
    for parameter, estimate in plain.parameters.items():
        change = factor ** plain.parameters["alpha"].value if parameter == "A" else 1.0
        assert scaled.parameters[parameter].value == pytest.approx(estimate.value * change, rel=1e-6)
    np.testing.assert_allclose(
        scaled.draws[:, truth.position("alpha")], plain.draws[:, truth.position("alpha")], rtol=1e-5
    )


@pytest.mark.parametrize("factor", [0.01, 50.0])
def test_unit_of_the_loss_scales_floor_and_coefficients(table: Table, factor: float) -> None:
    frame = table(CHINCHILLA, noise=0.01)
    plain = fit("chinchilla", frame, bootstrap=0).law.values()
    scaled = fit("chinchilla", frame.assign(loss=frame["loss"] * factor), bootstrap=0).law.values()
    np.testing.assert_allclose(scaled, plain * [factor, factor, factor, 1, 1], rtol=1e-6)


@pytest.mark.parametrize("loss", ["huber", "lad", "mse"])
def test_order_of_rows_does_not_matter(table: Table, truth: Law, loss: Any) -> None:
    frame = table(truth, noise=0.01)
    forward = fit(type(truth), frame, loss=loss, bootstrap=0)
    backward = fit(type(truth), frame.iloc[::-1], loss=loss, bootstrap=0)
    np.testing.assert_allclose(backward.law.values(), forward.law.values(), rtol=1e-6)


@pytest.mark.parametrize("loss", ["huber", "lad", "mse"])
def test_every_row_twice_doubles_the_sum(table: Table, truth: Law, loss: Any) -> None:
    frame = table(truth, noise=0.01)
    once, twice = (fit(type(truth), f, loss=loss, bootstrap=0) for f in (frame, pd.concat([frame, frame])))
    np.testing.assert_allclose(twice.law.values(), once.law.values(), rtol=1e-6)
    assert twice.value == pytest.approx(2 * once.value, rel=1e-9)


def test_same_seed_same_draws(table: Table, truth: Law) -> None:
    frame = table(truth, noise=0.01)
    one, two, other = (fit(type(truth), frame, bootstrap=12, seed=seed) for seed in (3, 3, 4))
    np.testing.assert_array_equal(one.draws, two.draws)
    assert one.to_json() == two.to_json()
    assert not np.array_equal(one.draws, other.draws)


def test_intervals_hold_the_truth_and_grow_with_the_level(table: Table) -> None:
    frame = table(CHINCHILLA, noise=0.01, rows=120)
    wide, narrow = (
        fit("chinchilla", frame, bootstrap=300, level=level, compute=1e22) for level in (0.99, 0.5)
    )
    for name, truth in zip(wide.parameters, CHINCHILLA.values(), strict=True):
        estimate, inner = wide.parameters[name], narrow.parameters[name]
        assert estimate.low < truth < estimate.high
        assert estimate.high - estimate.low > inner.high - inner.low
    optimum = CHINCHILLA.optimum(1e22)
    for name, truth in (("N_optimal", optimum.N), ("D_optimal", optimum.D), ("loss_optimal", optimum.loss)):
        assert wide.derived[name].low < truth < wide.derived[name].high
    prediction = wide.predict(N=1e10, D=np.array([1e9, 1e11]))
    assert np.all(prediction.low < prediction.value)
    assert np.all(prediction.value < prediction.high)
    inside = wide.predict(N=1e10, D=np.array([1e9, 1e11]), level=0.5)
    assert np.all(inside.high - inside.low < prediction.high - prediction.low)
    with pytest.raises(InputError, match="predicts from N, D"):
        wide.predict(N=1e9)


def test_residuals_are_measured_minus_predicted(table: Table) -> None:
    frame = table(CHINCHILLA, noise=0.01)
    found = fit("chinchilla", frame, bootstrap=0)
    expected = np.log(frame["loss"]) - np.log(found.law.predict(N=frame["N"], D=frame["D"]))
    np.testing.assert_allclose(found.residuals, expected, atol=1e-14)


def test_missing_tokens_follow_from_compute_and_are_noted(table: Table) -> None:
    frame = table(CHINCHILLA, noise=0.01)
    derived = frame.assign(C=6 * frame["N"] * frame["D"]).drop(columns="D")
    found = fit("chinchilla", derived, bootstrap=0)
    np.testing.assert_allclose(
        found.law.values(), fit("chinchilla", frame, bootstrap=0).law.values(), rtol=1e-6
    )
    assert "C / (6 N)" in (found.warning("derived_by_6ND") or "")
    assert found.status == "ok"


def test_power_takes_the_one_input_there_is_or_x(table: Table) -> None:
    law = Power(E=1.0, A=50.0, alpha=0.3)
    frame = table(law)
    for name in ("N", "D", "C"):
        assert fit("power", frame.rename(columns={"x": name}), bootstrap=0).rows.sources == {"x": name}
    both = frame.rename(columns={"x": "N"}).assign(D=1e9)
    with pytest.raises(InputError, match="the table gives N and D; choose it with --map x=N"):
        fit("power", both)
    found = fit("power", both.assign(x=both["N"]), bootstrap=0)
    np.testing.assert_allclose(found.law.values(), law.values(), rtol=1e-6)


def test_every_row_is_used_or_excluded_with_a_reason(table: Table) -> None:
    frame = table(CHINCHILLA, noise=0.01).assign(status="done")
    frame.loc[0, "loss"] = np.nan
    frame.loc[1, "N"] = -5.0
    frame.loc[2, "D"] = 0.0
    frame.loc[3, "loss"] = np.inf
    frame.loc[4, "status"] = "diverged"
    frame.loc[5, "status"] = "finished"
    found = fit("chinchilla", frame, bootstrap=0, excluded=((99, "dropped by --where"),))
    assert found.rows.excluded == (
        (99, "dropped by --where"),
        (0, "loss is missing"),
        (1, "N is not positive"),
        (2, "D is not positive"),
        (3, "loss is infinite"),
        (4, "status is diverged"),
    )
    assert found.rows.read == len(found.rows.loss) + len(found.rows.excluded) == 49
    np.testing.assert_allclose(found.law.values(), fit("chinchilla", frame.loc[5:], bootstrap=0).law.values())


BAD_CALLS: list[tuple[dict[str, Any], str]] = [
    ({"law": "kaplan"}, "known laws: power, chinchilla, chinchilla_tied, p_norm"),
    ({"loss": "cauchy"}, "known: huber, lad, mse"),
    ({"residual": "sqrt"}, "known: log, raw"),
    ({"delta": 0.0}, "delta is 0"),
    ({"level": 95}, "level is 95"),
    ({"bootstrap": -1}, "bootstrap is -1"),
    ({"compute": -1e20}, "compute is -1e"),
    ({"resample": "jackknife"}, "known: pairs, clusters, trunks"),
    ({"cluster": "run"}, "no column is called run"),
    ({"resample": "trunks"}, "no column is called trunk_id"),
]


@pytest.mark.parametrize(("options", "message"), BAD_CALLS)
def test_bad_calls_say_what_to_do(table: Table, options: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        fit(**({"law": "chinchilla", "frame": table(CHINCHILLA, noise=0.01)} | options))


BAD_TABLES: list[tuple[Change, type[Exception], str]] = [
    (lambda t: t.drop(columns="loss"), InputError, "no column is called loss .the table has N, D."),
    (lambda t: t.drop(columns="D"), InputError, "no column is called D .*--map D=COLUMN"),
    (lambda t: t.assign(N="big"), InputError, "column N, row 0: 'big' is not a number"),
    (
        lambda t: t.assign(x=1.0).rename(columns={"x": "loss"}),
        InputError,
        "2 columns are called loss; rename",
    ),
    (lambda t: t.head(2), FitError, "5 parameters .* 2 usable rows of 2 read; give at least 5"),
    (lambda t: t.head(0), FitError, "0 usable rows of 0 read"),
    (lambda t: t.assign(loss=np.nan), FitError, "0 usable rows of 48 read .48 excluded, .* loss is missing"),
    (lambda t: t.assign(D=1e9), FitError, r"all 48 rows have D = 1e\+09.*--map x=N"),
]


@pytest.mark.parametrize(("change", "error", "message"), BAD_TABLES)
def test_bad_tables_say_what_is_wrong(
    table: Table, change: Change, error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message) as caught:
        fit("chinchilla", change(table(CHINCHILLA)))
    assert "\n" not in str(caught.value)


def grid(sizes: int, trunks: int, seed: int = 0) -> pd.DataFrame:
    """Sizes x seeds x four cooldown branches, with an offset shared by the branches of a trunk."""
    rng = np.random.default_rng(seed)
    rows = []
    for N in np.geomspace(1e6, 1e8, sizes):
        for trunk in range(trunks):
            offset = rng.normal(0, 0.005)
            for D in 1e8 * 2.0 ** np.arange(4) * (N / 1e7) ** 0.5:
                loss = CHINCHILLA.predict(N=N, D=D) * np.exp(offset + rng.normal(0, 0.001))
                rows.append((f"{N:.0f}-{trunk}", N, D, loss))
    return pd.DataFrame(rows, columns=["trunk_id", "N", "D", "loss"])


def test_resampling_follows_the_columns() -> None:
    rows = grid(5, 2)
    assert fit("chinchilla", rows, bootstrap=10).intervals.method == "percentile, trunks within size"
    assert fit("chinchilla", rows, bootstrap=10).intervals.clusters == 10
    assert (
        fit("chinchilla", rows.drop(columns="trunk_id"), bootstrap=10).intervals.method == "percentile, pairs"
    )
    assert fit("chinchilla", rows, bootstrap=10, resample="pairs").intervals.method == "percentile, pairs"
    clustered = fit("chinchilla", rows, bootstrap=10, cluster="trunk_id")
    assert (clustered.intervals.method, clustered.intervals.clusters) == ("percentile, clusters", 10)
    apart = rows[rows["trunk_id"].str.endswith("0") == (rows.groupby("trunk_id").cumcount() < 2)]
    assert fit("chinchilla", apart, bootstrap=10).intervals.method == "percentile, clusters"
    single = fit("chinchilla", grid(5, 1), bootstrap=10)
    assert single.intervals.method == "percentile, pairs, these runs only"
    assert single.warning("one_trunk_a_size") is not None
    assert single.status == "doubtful"


def test_runs_with_several_rows_are_drawn_as_runs(table: Table, chinchilla: Chinchilla) -> None:
    """By run_id where it repeats, by file where each holds one size; a file of many sizes is no run."""
    frame = table(chinchilla, noise=0.01)
    runs = [f"run{k % 12}" for k in range(len(frame))]
    named = fit("chinchilla", frame.assign(run_id=runs), bootstrap=20)
    assert named.shared == "run_id"
    assert named.intervals.clusters == 12
    assert "rows of one run_id share their luck" in named.intervals.reason
    sizes = frame.assign(N=np.geomspace(1e7, 1e9, 6)[np.arange(len(frame)) % 6])
    sizes["loss"] = chinchilla.predict(N=sizes["N"], D=sizes["D"])
    files = sizes.assign(file=[f"{k % 6}.csv" for k in range(len(frame))])
    assert fit("chinchilla", files, bootstrap=20).intervals.clusters == 6
    assert (
        fit("chinchilla", frame.assign(file=["a.csv", "b.csv"] * (len(frame) // 2)), bootstrap=20).shared
        is None
    )
    once = frame.assign(run_id=range(len(frame)))
    assert fit("chinchilla", once, bootstrap=20).intervals.method == "percentile, pairs"


def test_a_fit_prints_itself_in_a_line_and_its_summary(table: Table, chinchilla: Chinchilla) -> None:
    found = fit("chinchilla", table(chinchilla, noise=0.01), bootstrap=50)
    assert len(repr(found).splitlines()) == 1
    assert str(found) == found.summary()
    best = found.optimum(1e20, inference=1e12)
    assert best["N_optimal"].value == pytest.approx(float(found.law.optimum(1e20).N))
    assert best["N_optimal"].low < best["N_optimal"].value < best["N_optimal"].high
    assert "N_served" in best
    with pytest.raises(InputError, match="give a positive number of FLOPs"):
        found.optimum(-1)


def test_a_recipe_is_worth_a_factor_of_compute(table: Table, chinchilla: Chinchilla) -> None:
    """Losses of half the data term: the multiplier is the law's, inside its interval, and 1 against itself."""
    better = Chinchilla(E=chinchilla.E, A=chinchilla.A, B=0.5 * chinchilla.B, alpha=0.347, beta=0.367)
    ours, theirs = (
        fit("chinchilla", table(law, noise=0.01, seed=k), bootstrap=100)
        for k, law in enumerate((better, chinchilla))
    )
    found = ours.compute_multiplier(theirs, 1e20)
    assert found.value == pytest.approx(float(ours.law.compute_multiplier(theirs.law, 1e20)))
    assert found.low < float(better.compute_multiplier(chinchilla, 1e20)) < found.high
    assert ours.compute_multiplier(ours, 1e20).value == pytest.approx(1.0, rel=1e-6)


def test_doubts_about_the_floor(table: Table) -> None:
    no_floor = Chinchilla(E=0.0, A=20.0, B=30.0, alpha=0.1, beta=0.12)
    found = fit("chinchilla", table(no_floor, noise=0.01), bootstrap=60)
    assert found.status == "doubtful"
    message = found.warning("floor_not_identified") or ""
    assert "runs from 0 to" in message
    assert "costs at most 2 % in rms residual" in message
    exact = fit("chinchilla", table(no_floor), bootstrap=0, loss="mse")
    assert exact.warning("floor_at_zero") is not None
    assert exact.law.values()[0] == 0.0


def test_one_level_of_tokens_cannot_identify_the_floor() -> None:
    rows = pd.DataFrame({"N": np.geomspace(1e6, 1e9, 12), "D": 1e9})
    rows["loss"] = CHINCHILLA.predict(N=rows["N"], D=rows["D"])
    found = fit("power", rows.assign(x=rows["N"]), bootstrap=0)
    assert "all rows have D = 1" in (found.warning("one_D_cannot_identify_E") or "")
    two = pd.concat([rows, rows.assign(D=2e9, loss=rows["loss"] * 0.97)])
    assert "D has 2 levels" in (fit("chinchilla", two, bootstrap=0).warning("one_D_cannot_identify_E") or "")


def test_other_doubts(table: Table) -> None:
    frame = table(CHINCHILLA, noise=0.01)
    found = fit("chinchilla", frame.head(9), bootstrap=0)
    assert "9 rows for 5 parameters" in (found.warning("too_few_rows") or "")
    hot = fit("chinchilla", frame.assign(annealed=[True] * 40 + [False] * 8), bootstrap=0)
    assert "8 of 48 rows" in (hot.warning("not_annealed") or "")
    C = float((6 * frame["N"] * frame["D"]).max())
    far = fit("chinchilla", frame, bootstrap=0, compute=100 * C)
    assert "lies 2 decades beyond" in (far.warning("extrapolation") or "")
    assert far.status == "ok"
    assert fit("chinchilla", frame, bootstrap=0, compute=C).warning("extrapolation") is None


def test_a_term_that_the_rows_do_not_show_hits_its_bound(table: Table) -> None:
    rows = table(CHINCHILLA)
    flat = rows.assign(loss=CHINCHILLA.E + CHINCHILLA.A / rows["N"] ** CHINCHILLA.alpha)
    found = fit("chinchilla", flat, bootstrap=0, loss="mse")
    assert found.status == "doubtful"
    assert found.warning("bound_hit") is not None or found.warning("not_converged") is not None
    np.testing.assert_allclose(found.law.predict(N=rows["N"], D=rows["D"]), flat["loss"], rtol=1e-5)


def codes(found: Fit) -> set[str]:
    return {warned.code for warned in found.warnings}


def test_few_clusters_are_doubted(table: Table) -> None:
    frame = table(CHINCHILLA, noise=0.003)
    for sites, few in ((2, True), (5, True), (6, False)):
        found = fit(
            "chinchilla", frame.assign(site=np.arange(len(frame)) % sites), cluster="site", bootstrap=50
        )
        assert ("few_clusters" in codes(found)) is few
        assert found.status == "doubtful" or not few


@pytest.mark.parametrize(("level", "draws", "few"), [(0.95, 39, True), (0.95, 40, False), (0.9, 20, False)])
def test_fewer_draws_than_a_level_needs_are_doubted(
    table: Table, level: float, draws: int, few: bool
) -> None:
    found = fit("power", table(Power(E=1.7, A=400.0, alpha=0.34), noise=0.003), bootstrap=draws, level=level)
    said = f"{draws} draws for {100 * level:g} % intervals"
    assert (found.warning("few_draws") or "").startswith(said) is few
    assert (found.warning("few_draws") is None) is not few


def test_a_score_is_called_a_score_and_a_new_one_ends_at_0_and_1(tmp_path: Path) -> None:
    loss = np.linspace(1.0, 2.6, 20)
    score = ExponentialLink(chance=0.25, K=2.0, gamma=1.1).predict(loss=loss)
    noisy = np.clip(score + np.random.default_rng(3).normal(0, 0.05, 20), 0, 1)
    frame = pd.DataFrame({"loss": loss, "score": noisy, "annealed": False})
    found = fit("exponential_link", frame, bootstrap=40)
    assert "their score lies below" in (found.warning("not_annealed") or "")
    assert "scores run from" in (found.warning("floor_not_identified") or "")
    run = found.predict(loss=[1.0], new_run=True)
    assert run.low is not None
    assert run.high is not None
    assert run.low[0] < run.high[0] == 1.0
    saved.save(tmp_path / "fit.json", found)
    assert saved.load(tmp_path / "fit.json").predict({"loss": 1.0}, new_run=True).high == 1.0


def test_labels_of_any_kind_are_clusters_and_lists_are_refused(table: Table) -> None:
    frame = table(CHINCHILLA, noise=0.003)
    mixed = frame.assign(run=pd.Series([[1, "a", 2.5][i % 3] for i in range(len(frame))], dtype=object))
    assert fit("chinchilla", mixed, cluster="run", bootstrap=20).intervals.clusters == 3
    with pytest.raises(InputError, match="column run holds list cells"):
        fit("chinchilla", frame.assign(run=[[i] for i in range(len(frame))]), cluster="run", bootstrap=20)


def test_rows_that_repeat_are_counted_and_doubted(table: Table) -> None:
    frame = table(CHINCHILLA, noise=0.003, rows=30)
    assert "repeated_rows" not in codes(fit("chinchilla", frame, bootstrap=0))
    twice = fit("chinchilla", pd.concat([frame, frame.head(3)], ignore_index=True), bootstrap=0)
    assert (twice.warning("repeated_rows") or "").startswith("3 of 33 rows repeat")
    assert twice.status == "doubtful"
    few = fit("chinchilla", pd.concat([frame.head(8)] * 4, ignore_index=True), bootstrap=0)
    assert (few.warning("too_few_rows") or "").startswith("8 distinct rows for 5 parameters")


def test_equal_counts_of_trials_are_no_doubt(table: Table) -> None:
    k = np.tile(np.geomspace(1, 1000, 8), 5)
    frame = pd.DataFrame({"k": k, "score": np.round(20 * 0.9 * k**0.01) / 20, "n": 20})
    assert "repeated_rows" not in codes(fit("coverage", frame, loss="binomial", weights="n", bootstrap=0))
    said = fit("coverage", frame, bootstrap=0).warning("repeated_rows") or ""
    assert "32 of 40 rows repeat the inputs and the score of another" in said


def test_a_floor_is_doubted_without_draws_too(table: Table) -> None:
    law = Chinchilla(E=0.9, A=60.0, B=90.0, alpha=0.15, beta=0.15)
    vague = fit("chinchilla", table(law, noise=0.02, rows=20), bootstrap=0)
    assert "costs at most 2 % in rms residual" in (vague.warning("floor_not_identified") or "")
    clear = fit("chinchilla", table(CHINCHILLA, noise=0.001, rows=120), bootstrap=0)
    assert clear.warning("floor_not_identified") is None


@pytest.mark.parametrize(
    ("cells", "hot"), [((True, False), 24), (("True", "False"), 24), ((True, None), 24), ((1.0, 0.0), 24)]
)
def test_annealed_is_read_as_it_is_meant(table: Table, cells: tuple[Any, Any], hot: int) -> None:
    frame = table(CHINCHILLA, noise=0.003)
    marked = frame.assign(annealed=pd.Series([cells[i % 2] for i in range(len(frame))], dtype=object))
    assert (fit("chinchilla", marked, bootstrap=0).warning("not_annealed") or "").startswith(
        f"{hot} of 48 rows"
    )
    assert fit("chinchilla", frame.assign(annealed=True), bootstrap=0).warning("not_annealed") is None


def test_a_fixed_number_of_tokens_a_parameter_is_doubted(table: Table) -> None:
    frame = table(CHINCHILLA)
    frame["D"] = 20 * frame["N"] * np.exp(np.random.default_rng(0).normal(0, 0.01, len(frame)))
    frame["loss"] = CHINCHILLA.predict(N=frame["N"], D=frame["D"])
    found = fit("chinchilla", frame, bootstrap=0)
    assert "vary D at a fixed N" in (found.warning("N_and_D_move_together") or "")
    assert fit("chinchilla", table(CHINCHILLA), bootstrap=0).warning("N_and_D_move_together") is None


def test_words_of_trackers_for_an_ended_run_count_in_any_case(table: Table) -> None:
    frame = table(CHINCHILLA, noise=0.003)
    for word in ("FINISHED", "COMPLETED", "success", "done"):
        assert len(fit("chinchilla", frame.assign(status=word), bootstrap=0).rows.loss) == len(frame)
    with pytest.raises(FitError, match=r"status is FAILED; ended runs say .*finished"):
        fit("chinchilla", frame.assign(status="FAILED"), bootstrap=0)
    with pytest.raises(InputError, match="at most 1000000 draws"):
        fit("chinchilla", frame, bootstrap=10**18)
    with pytest.raises(InputError, match="delta is inf"):
        fit("chinchilla", frame, delta=np.inf)


def test_exact_data_converge_in_any_unit(table: Table) -> None:
    frame = table(CHINCHILLA)
    for factor in (1e-6, 1.0, 1e6):
        found = fit(
            "chinchilla", frame.assign(loss=frame["loss"] * factor), loss="mse", residual="raw", bootstrap=0
        )
        assert found.warning("not_converged") is None, factor
        assert found.law.values()[3:] == pytest.approx(CHINCHILLA.values()[3:], rel=1e-6)


def grid_rows(seeds: int, noise: float, seed: int) -> pd.DataFrame:
    """Four sizes at five durations, each from `seeds` trunks."""
    rng = np.random.default_rng(seed)
    cells = [(N, D, s) for N in (1e6, 4e6, 2e7, 1e8) for D in (1e7, 5e7, 2e8, 1e9, 5e9) for s in range(seeds)]
    N, D, s = np.array(cells).T
    law = Chinchilla(E=1.5, A=300.0, B=900.0, alpha=0.34, beta=0.33)
    trunk = [f"{n:g}-{k:g}" for n, k in zip(N, s, strict=True)]
    loss = law.predict(N=N, D=D) * np.exp(rng.normal(0, noise, len(N)))
    return pd.DataFrame({"N": N, "D": D, "loss": loss, "trunk_id": trunk})


def test_the_order_of_rows_does_not_choose_the_answer() -> None:
    """On a table whose Huber minimum has a flat bottom rounding must not pick the point."""
    for seed in range(12):
        frame = grid_rows(2, 0.01, seed)
        first = fit("chinchilla", frame, bootstrap=0).law.values()
        for shuffle in range(2):
            again = fit("chinchilla", frame.sample(frac=1, random_state=shuffle), bootstrap=0).law.values()
            np.testing.assert_allclose(again, first, rtol=1e-6)


def test_trunks_are_told_by_what_the_table_says() -> None:
    frame = grid_rows(2, 0.003, 0)
    by_size = {"trunks within size"}
    # sizes derived from C and D; durations that are not an input of the law
    derived = frame.assign(C=6 * frame["N"] * frame["D"]).drop(columns="N")
    along_D = frame.rename(columns={"D": "x"}).assign(D=frame["D"])
    one_size = along_D[along_D["N"] == 1e6]
    assert {str(fit("chinchilla", derived, bootstrap=20).intervals.method).split(", ")[1]} == by_size
    drawn = fit("power", one_size, bootstrap=200)
    assert str(drawn.intervals.method).endswith("trunks within size")
    E = drawn.parameters["E"]
    pairs = fit("power", one_size, bootstrap=200, resample="pairs").parameters["E"]
    assert (E.high or 0) - (E.low or 0) < 10 * ((pairs.high or 0) - (pairs.low or 0))
    single = grid_rows(1, 0.003, 0).assign(C=lambda t: 6 * t["N"] * t["D"]).drop(columns="N")
    assert fit("chinchilla", single, bootstrap=20).warning("one_trunk_a_size")
    torn = along_D.assign(N=along_D["N"].where(along_D.index != 0))
    assert fit("power", torn, bootstrap=20, resample="pairs").intervals.draws == 20


def test_clusters_that_are_sizes_are_called_too_wide() -> None:
    frame = grid_rows(1, 0.003, 0).rename(columns={"trunk_id": "run"})
    said = fit("chinchilla", frame, bootstrap=50, cluster="run").warning("few_clusters")
    assert said is not None
    assert "too wide" in said


def test_inputs_that_rise_together_are_told_from_those_that_do_not() -> None:
    rng = np.random.default_rng(0)
    law = Chinchilla(E=1.5, A=300.0, B=900.0, alpha=0.34, beta=0.33)
    N = np.geomspace(1e5, 1e11, 80)
    for decades, doubted in ((0.5, False), (0.03, True)):
        D = 20 * N * 10 ** rng.uniform(-decades, decades, 80)
        frame = pd.DataFrame({"N": N, "D": D, "loss": law.predict(N=N, D=D)})
        found = fit("chinchilla", frame, bootstrap=0).warning("N_and_D_move_together")
        assert (found is not None) is doubted


def test_compute_that_is_not_6ND_is_doubted(table: Table) -> None:
    rows = table(CHINCHILLA, noise=0.01)
    C = 6 * rows["N"] * rows["D"]
    assert fit("chinchilla", rows.assign(C=1.3 * C), bootstrap=0).status == "ok", "attention and embeddings"
    other_unit = fit("chinchilla", rows.assign(C=C / 1e18), bootstrap=0).warning("compute_disagrees")
    assert other_unit is not None
    assert "C is 1 \u00d7 10\u207b\u00b9\u2078 times 6 N D in the middle" in other_unit
    one_off = fit("chinchilla", rows.assign(C=C.where(rows.index != 7, C / 100)), bootstrap=0)
    assert "1 of 48 rows" in str(one_off.warning("compute_disagrees"))
    assert "the first is row 7" in str(one_off.warning("compute_disagrees"))
    derived = fit("chinchilla", rows.drop(columns="D").assign(C=C / 1e18), bootstrap=0)
    assert "below one token" in str(derived.warning("compute_disagrees"))


@pytest.mark.parametrize("column", ["run", "run_name", "trial"])
def test_checkpoints_of_runs_are_drawn_together_or_doubted(column: str) -> None:
    """Columns that say they name runs are followed; of any other column of text its residuals tell."""
    rng = np.random.default_rng(0)
    rows = []
    for k, N in enumerate(np.repeat(np.geomspace(1e7, 1e9, 6), 2)):
        luck = rng.normal(0, 0.01)
        for D in np.geomspace(1e9, 3e10, 8):
            loss = CHINCHILLA.predict(N=N, D=D) * np.exp(luck + rng.normal(0, 0.001))
            rows.append((f"r{k}", N, D, float(loss)))
    frame = pd.DataFrame(rows, columns=[column, "N", "D", "loss"])
    found = fit("chinchilla", frame, bootstrap=20)
    if column == "trial":
        assert "--cluster trial" in str(found.warning("rows_err_together"))
        assert fit("chinchilla", frame, bootstrap=20, cluster="trial").warning("rows_err_together") is None
    else:
        assert found.intervals.clusters == 12
    alone = frame.assign(**{column: rng.permutation(frame[column])})
    assert fit("chinchilla", alone, bootstrap=20).warning("rows_err_together") is None
