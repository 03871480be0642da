"""How cell scores would move with other runs and other problems: bootstrap draws, and a jackknife of any estimate.

Runs are clusters with all their checkpoints; problems are drawn jointly for all cells, since all were asked the same, and
within strata where a column difficulty tells them. The two are independent, so that a draw is P0 + d_problem +
sqrt(S / (S - 1)) d_run with d from draws of one while the other stays: S runs drawn from S vary too little by (S - 1) / S.
Shapes: D draws, K checkpoints, L levels, M cells, P problems.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from scaling.exchange.design import Design, Whole, weighted_mean
from scaling.laws.base import Array

MOST_GROUPS = 200
"""Problems, or groups of problems, that the jackknife leaves out in turn."""


def draws_of(design: Design, draws: int, rng: np.random.Generator, *, students: bool = True) -> Array:
    """Scores of the cells (D, M) with other runs and problems.

    With `students` each draw's run part carries one factor sqrt(f / chi2_f), f the degrees of freedom of the spread between
    runs, because that spread is itself an estimate.
    """
    at, centre = design.there, design.by_level(design.means)
    moved = np.zeros((draws, *centre.shape))
    if design.problems > 1:
        times = _counts(design.problem_group, draws, rng)
        moved += design.by_level(weighted_mean(design.scores, times)) - centre
    if (design.seeds > 1).any():
        counts = _counts(design.strata, draws, rng)[:, design.run]
        run = design.by_level(np.broadcast_to(design.means, (draws, *design.means.shape)), counts) - centre
        inflation = np.sqrt(design.seeds / np.maximum(design.seeds - 1, 1))
        factor = np.ones(draws)
        if students:
            freedom = run_freedom(design)
            factor = np.sqrt(freedom / rng.chisquare(freedom, draws))
        moved += np.nan_to_num(run) * inflation[:, None] * factor[:, None, None]
    found = (centre + moved)[:, at]
    return design.cut(found)


def run_freedom(design: Design) -> int:
    """Degrees of freedom of the spread between runs: S - 1 for each group of exchangeable runs."""
    return int(sum(count - 1 for count in np.bincount(design.strata)))


def _counts(group: Whole, draws: int, rng: np.random.Generator) -> Array:
    """How often each unit is drawn, (D, units): within its group, so that every group keeps its size."""
    counts = np.empty((draws, len(group)))
    for one in np.unique(group):
        at = np.flatnonzero(group == one)
        counts[:, at] = rng.multinomial(len(at), np.full(len(at), 1 / len(at)), draws)
    return counts


@dataclass(frozen=True)
class LeftOut:
    """Cell scores without each run, and without each group of problems."""

    runs: Array
    """(runs that can be left out, M)."""
    group: Whole
    """Group of exchangeable runs of each of them."""
    members: Whole
    """Runs of that group, with those that stay."""
    problems: Array
    """(groups of problems, M); none where problems are not told apart."""
    stratum: Whole
    """Stratum of each group of problems."""


def left_out(design: Design) -> LeftOut:
    """The cell scores of the jackknife; a run stays that is alone at one of its levels, or the only one of its group to go.

    NaN where the run left out is the only one with a score.
    """
    at = design.there
    able = np.array(
        [(design.seeds[design.level[design.run == run]] > 1).all() for run in range(len(design.run_names))]
    )
    able &= np.bincount(design.strata, weights=able)[design.strata] > 1
    able = np.flatnonzero(able)
    keep = np.ones((len(able), len(design.u)))
    for row, run in enumerate(able):
        keep[row, design.run == run] = 0.0
    runs = design.by_level(np.broadcast_to(design.means, (len(able), *design.means.shape)), keep)[:, at]
    problems, stratum = np.empty((0, int(at.sum()))), np.empty(0, dtype=np.intp)
    if design.problems > 1:
        without, stratum = _folds(design.problem_group)
        problems = design.by_level(weighted_mean(design.scores, without))[:, at]
    members = np.bincount(design.strata)[design.strata[able]]
    return LeftOut(design.cut(runs), design.strata[able], members, design.cut(problems), stratum)


def _folds(group: Whole) -> tuple[Array, Whole]:
    """Which problems stay (folds, P) as each fold is left out, and the stratum of each fold, (folds,).

    A fold is a problem, or several of one stratum where there are more than MOST_GROUPS; a stratum of one problem stays.
    """
    keep, stratum = [], []
    for one in np.unique(group):
        at = np.flatnonzero(group == one)
        folds = min(len(at), max(2, round(MOST_GROUPS * len(at) / len(group))))
        for fold in range(folds if len(at) > 1 else 0):
            row = np.ones(len(group))
            row[at[np.arange(len(at)) % folds == fold]] = 0.0
            keep.append(row)
            stratum.append(int(one))
    return np.array(keep).reshape(-1, len(group)), np.array(stratum, dtype=np.intp)


@dataclass(frozen=True)
class Components:
    """Where an estimate's variance comes from."""

    run: float
    """Variance from runs."""
    run_freedom: float
    """Its degrees of freedom (Satterthwaite 1946)."""
    problem: float
    """Variance from problems, sampling noise within them included."""
    problem_freedom: float
    of_log: bool = False
    """Whether the estimate is the logarithm of a rate, which is surely positive then."""

    @property
    def total(self) -> float:
        """Their sum."""
        return self.run + self.problem

    @property
    def freedom(self) -> float:
        """Degrees of freedom of the sum (Satterthwaite 1946)."""
        if not self.total:
            return 1.0
        return self.total**2 / (
            self.run**2 / max(self.run_freedom, 1.0) + self.problem**2 / max(self.problem_freedom, 1.0)
        )

    def reach(self, level: float) -> float:
        """Half the width of Student's interval."""
        from scipy.special import stdtrit

        return float(stdtrit(self.freedom, 0.5 * (1 + level)) * np.sqrt(self.total))


def components(without: LeftOut, of_runs: Array, of_problems: Array) -> Components:
    """Jackknife variances of an estimate from its values without each run and each group of problems.

    sum over groups g of (S_g - 1)^2 / S_g times the variance of the values, of exchangeable runs and of strata of problems
    (Efron and Stein 1981); S_g counts the runs of the group that stay too, though the variance is of those left out.
    """
    run, run_freedom = _stratified(of_runs, without.group, without.members)
    folds = np.bincount(without.stratum)[without.stratum]
    problem, problem_freedom = _stratified(of_problems, without.stratum, folds)
    return Components(run, run_freedom, problem, problem_freedom)


def _stratified(values: Array, group: Whole, members: Whole) -> tuple[float, float]:
    """Jackknife variance summed over groups, and its degrees of freedom."""
    parts, freedoms = [], []
    for one in np.unique(group):
        inside, size = values[group == one], int(members[group == one][0])
        parts.append((size - 1) ** 2 / size * float(inside.var(ddof=1)))
        freedoms.append(max(len(inside) - 1, 1))
    total = float(sum(parts))
    squares = sum(part**2 / freedom for part, freedom in zip(parts, freedoms, strict=True))
    return total, float(total**2 / squares) if squares > 0 else float(max(sum(freedoms), 1))


Estimator = Callable[[Array], Array]
"""Cell scores (D, M) to an estimate (D,)."""
