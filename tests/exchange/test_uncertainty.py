"""Draws and jackknives of cell scores against the variances that theory gives."""

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest
from scipy.special import stdtrit

from scaling.exchange import Ledger
from scaling.exchange.design import Design
from scaling.exchange.table import prepare
from scaling.exchange.uncertainty import Components, LeftOut, components, draws_of, left_out

DRAWS = 4000
SEEDS, PROBLEMS = 4, 30


def design_of(scores: np.ndarray, *, shared: bool = False, problems: bool = True) -> Design:
    """Scores (L, S, B, P)."""
    level, seed, budget, problem = (axis.ravel() for axis in np.indices(scores.shape))
    frame = pd.DataFrame(
        {
            "train_flops": 10.0 ** (18 + level),
            "infer_flops_per_problem": 10.0 ** (9 + budget),
            "run": seed if shared else level * scores.shape[1] + seed,
            "score": scores.ravel(),
        }
    )
    if problems:
        frame = frame.assign(problem=problem)
    return prepare(frame).design(Ledger())


def within(found: float, expected: float) -> bool:
    """A variance from draws has a relative error of sqrt(2 / D), for normal ones."""
    return abs(found / expected - 1) < 5 * np.sqrt(2 / DRAWS)


def test_problems_move_a_mean_by_their_spread_over_their_number() -> None:
    """Var = s^2 / P with s^2 over P: what a bootstrap of P gives."""
    rng = np.random.default_rng(0)
    of_problem = rng.uniform(size=PROBLEMS)
    scores = np.broadcast_to(of_problem, (2, 1, 2, PROBLEMS)).copy()
    drawn = draws_of(design_of(scores), DRAWS, np.random.default_rng(1))
    assert within(drawn[:, 0].var(), of_problem.var() / PROBLEMS)
    # all cells were asked the same
    np.testing.assert_allclose(drawn, np.repeat(drawn[:, :1], 4, axis=1), atol=1e-12)


def test_runs_move_a_mean_by_their_spread_over_their_number() -> None:
    """Var = s^2 / S with s^2 over S - 1, thanks to the factor sqrt(S / (S - 1))."""
    rng = np.random.default_rng(2)
    of_run = rng.uniform(0.3, 0.7, (2, SEEDS))
    scores = np.broadcast_to(of_run[:, :, None, None], (2, SEEDS, 2, 1)).copy()
    design = design_of(scores, problems=False)
    drawn = draws_of(design, DRAWS, np.random.default_rng(3), students=False)
    for level in range(2):
        assert within(drawn[:, 2 * level].var(), of_run[level].var(ddof=1) / SEEDS)
    # levels have runs of their own
    assert abs(np.corrcoef(drawn[:, 0], drawn[:, 2])[0, 1]) < 5 / np.sqrt(DRAWS)
    np.testing.assert_allclose(drawn[:, 0], drawn[:, 1], atol=1e-12)


def test_shared_runs_move_all_their_levels_together() -> None:
    rng = np.random.default_rng(4)
    luck = rng.uniform(-0.1, 0.1, SEEDS)
    scores = (
        np.array([0.4, 0.6])[:, None, None, None] + luck[None, :, None, None] + np.zeros((2, SEEDS, 2, 1))
    )
    drawn = draws_of(design_of(scores, shared=True, problems=False), 200, np.random.default_rng(5))
    np.testing.assert_allclose(
        drawn - [0.4, 0.4, 0.6, 0.6] - luck.mean(),
        (drawn[:, :1] - 0.4 - luck.mean()) * np.ones(4),
        atol=1e-12,
    )
    assert len(left_out(design_of(scores, shared=True, problems=False)).runs) == SEEDS


def test_student_s_factor_widens_by_the_degrees_of_freedom() -> None:
    """Var of a factor sqrt(f / chi2_f) is f / (f - 2)."""
    rng = np.random.default_rng(6)
    of_run = rng.uniform(0.45, 0.55, 8)
    scores = np.broadcast_to(of_run[None, :, None, None], (1, 8, 2, 1)).copy()
    design = design_of(scores, problems=False)
    drawn = draws_of(design, 20_000, np.random.default_rng(7))
    expected = of_run.var(ddof=1) / 8 * 7 / 5
    assert drawn[:, 0].var() == pytest.approx(expected, rel=0.1)


def test_runs_and_problems_add_up() -> None:
    rng = np.random.default_rng(8)
    of_run, of_problem = rng.uniform(-0.1, 0.1, SEEDS), rng.uniform(0.3, 0.7, PROBLEMS)
    scores = (of_run[:, None, None] + np.broadcast_to(of_problem, (1, SEEDS, 2, PROBLEMS))).copy()
    drawn = draws_of(design_of(scores), DRAWS, np.random.default_rng(9), students=False)
    assert within(drawn[:, 0].var(), of_run.var(ddof=1) / SEEDS + of_problem.var() / PROBLEMS)


def test_scores_of_shares_stay_shares_and_others_do_not() -> None:
    rng = np.random.default_rng(10)
    near = np.where(rng.random((1, 3, 2, 20)) < 0.05, 0.0, 1.0)
    drawn = draws_of(design_of(near), 500, np.random.default_rng(0))
    assert drawn.min() >= 0
    assert drawn.max() <= 1


@pytest.mark.parametrize("problems", [7, 200, 450])
def test_the_jackknife_of_a_mean_is_its_classical_variance(problems: int) -> None:
    """s^2 / P for problems, by groups of them where they are many; s^2 / S for runs."""
    rng = np.random.default_rng(11)
    of_run = rng.uniform(-0.1, 0.1, SEEDS)
    of_problem = rng.uniform(0.3, 0.7, problems)
    scores = (of_run[:, None, None] + np.broadcast_to(of_problem, (1, SEEDS, 2, problems))).copy()
    without = left_out(design_of(scores))
    found = components(without, without.runs[:, 0], without.problems[:, 0])
    assert found.run == pytest.approx(of_run.var(ddof=1) / SEEDS, rel=1e-9)
    assert found.run_freedom == pytest.approx(SEEDS - 1)
    if problems <= 200:
        assert found.problem == pytest.approx(of_problem.var(ddof=1) / problems, rel=1e-9)
        assert found.problem_freedom == problems - 1
    else:
        # 200 groups give the same but for their own scatter
        assert found.problem == pytest.approx(of_problem.var(ddof=1) / problems, rel=5 * np.sqrt(2 / 199))
        assert found.problem_freedom == 199


def test_groups_of_runs_add_their_variances() -> None:
    """Satterthwaite: (sum v)^2 / sum v^2 / f."""
    rng = np.random.default_rng(12)
    first, second = rng.normal(size=3), rng.normal(size=5)
    values = np.concatenate([first, second])
    group, none = np.repeat([0, 1], [3, 5]), np.empty(0, dtype=np.intp)
    left = LeftOut(values[:, None], group, np.repeat([3, 5], [3, 5]), np.empty((0, 1)), none)
    found = components(left, values, np.empty(0))
    parts = [(n - 1) / n * np.sum((x - x.mean()) ** 2) for n, x in ((3, first), (5, second))]
    assert found.run == pytest.approx(sum(parts))
    assert found.run_freedom == pytest.approx(sum(parts) ** 2 / (parts[0] ** 2 / 2 + parts[1] ** 2 / 4))
    assert found.problem == 0.0


def test_degrees_of_freedom_of_two_components_by_hand() -> None:
    one = Components(run=3.0, run_freedom=4.0, problem=1.0, problem_freedom=99.0)
    assert one.total == 4.0
    assert one.freedom == pytest.approx(16 / (9 / 4 + 1 / 99))
    assert one.reach(0.95) == pytest.approx(2 * stdtrit(one.freedom, 0.975))
    assert Components(1.0, 4.0, 0.0, 99.0).freedom == pytest.approx(4.0)
    assert Components(0.0, 4.0, 1.0, 99.0).freedom == pytest.approx(99.0)
    assert Components(0.0, 0.0, 0.0, 1.0).reach(0.95) == 0.0


def test_a_run_alone_at_a_level_is_not_left_out(grid: Callable[..., pd.DataFrame]) -> None:
    frame = grid(levels=3, seeds=2, problems=4, budgets=2)
    design = prepare(frame[frame["run"] != 1]).design(Ledger())
    assert design.seeds.tolist() == [1, 2, 2]
    without = left_out(design)
    assert len(without.runs) == 4
    np.testing.assert_allclose(without.runs[:, :2], design.cells[2][None, :2].repeat(4, 0))


def test_one_run_a_level_and_no_problems_leave_nothing_out() -> None:
    without = left_out(design_of(np.full((3, 1, 3, 1), 0.5), problems=False))
    assert without.runs.shape == (0, 9)
    assert without.problems.shape == (0, 9)


def test_runs_that_stay_count_in_the_spread_of_those_left_out() -> None:
    """Three runs of which one goes on alone to a further level: of the shared level's mean the variance is still s^2 / 3."""
    rng = np.random.default_rng(13)
    ratios = []
    for _ in range(300):
        of_run = 0.5 + rng.normal(0, 0.05, 3)
        rows = [(18.0, run, of_run[run]) for run in range(3)] + [(19.0, 2, 0.6)]
        frame = pd.DataFrame(rows, columns=["u", "run", "score"])
        frame = frame.assign(train_flops=10 ** frame["u"], infer_flops_per_problem=1e9)
        design = prepare(frame).design(Ledger())
        without = left_out(design)
        assert len(without.runs) == 2
        ratios.append(components(without, without.runs[:, 0], np.empty(0)).run / (of_run.var(ddof=1) / 3))
    assert np.mean(ratios) == pytest.approx(1.0, abs=0.15)
