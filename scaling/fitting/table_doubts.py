"""What a reader of a fit must know of the table alone: too few rows or levels, rows counted twice, runs not annealed."""

from collections.abc import Iterator

import numpy as np

from scaling.fitting.draws import one_trunk_a_size
from scaling.fitting.parts import Warned
from scaling.fitting.rows import Rows, number_column
from scaling.laws import Law
from scaling.laws.base import Array
from scaling.laws.frontier import FLOPS_PER_PARAMETER_TOKEN
from scaling.reporting.numbers import plain

ANNEALED = frozenset({"true", "1", "1.0", "yes"})
"""Cells of a column `annealed` that say yes, in any case."""
FEW_LEVELS = 3
"""Levels of an input below which floor, coefficient and exponent cannot all be told apart."""
DISAGREES = 3.0
"""Factor between compute and 6 N D beyond which no convention of counting parameters or FLOPs explains it."""
TOGETHER = 0.1
"""Spread of log10 D at a given N, and of log10 N at a given D, below which the two count as one variable."""


TUNED = frozenset({"lr", "batch_tokens"})
"""Targets whose laws are of the best value of each size and duration."""


def about_rows(law: type[Law], rows: Rows, fixed: int, trials: bool = False) -> Iterator[Warned]:
    """Doubts that the table alone raises; `fixed` parameters ask nothing of it, and with `trials` scores may be equal."""
    derived = {
        name: formula for name, formula in rows.sources.items() if "(" in formula or "6 N D" in formula
    }
    for name, formula in derived.items():
        yield Warned("derived_by_6ND", f"{name} is not a column; it was derived as {formula}, from C = 6 N D")
    yield from _about_compute(rows)
    yield from _about_count(law, len(law.parameter_names()) - fixed, rows, trials)
    yield from _about_tuning(law, rows)
    yield from _about_joint_inputs(rows)
    yield from _about_levels(law, rows)
    yield from _about_annealing(law, rows)
    if one_trunk_a_size(rows):
        yield Warned(
            "one_trunk_a_size",
            "each size was trained from one seed: intervals speak of these runs, not of other seeds",
        )


def _about_compute(rows: Rows) -> Iterator[Warned]:
    """Compute that is not about 6 N D, in the middle or in single rows; a D below one token, from C in another unit."""
    N, D = (
        rows.inputs.get(name, number_column(rows.frame, name) if name in rows.frame else None)
        for name in ("N", "D")
    )
    if rows.sources.get("D", "D") != "D" and D is not None and D.min() < 1.0:
        yield Warned(
            "compute_disagrees",
            f"D, derived as {rows.sources['D']}, is {plain(float(D.min()), 2)} at its least, below one token: C and N are "
            "not in FLOPs and parameters; give both in the same units, or map D",
        )
    if N is None or D is None or "C" not in rows.frame:
        return
    with np.errstate(all="ignore"):
        logs = np.log(number_column(rows.frame, "C") / (FLOPS_PER_PARAMETER_TOKEN * N * D))
    known = np.isfinite(logs)
    if not known.any():
        return
    middle = float(np.median(logs[known]))
    if abs(middle) > np.log(DISAGREES):
        yield Warned(
            "compute_disagrees",
            f"C is {plain(float(np.exp(middle)), 2)} times 6 N D in the middle of the rows: optima at a given compute take "
            "C = 6 N D, so give it in that unit, or map C, N and D to one convention",
        )
    off = np.flatnonzero(known & (np.abs(logs - middle) > np.log(DISAGREES)))
    if len(off):
        yield Warned(
            "compute_disagrees",
            f"{len(off)} of {int(known.sum())} rows have a C that is more than {DISAGREES:g} times off that of the others, "
            f"over 6 N D; the first is row {rows.frame.index[off[0]]}, with "
            f"{plain(float(np.exp(logs[off[0]] - middle)), 2)} times: check its N, D and C",
        )


def _about_count(law: type[Law], P: int, rows: Rows, trials: bool) -> Iterator[Warned]:
    """Too few rows for P parameters, or rows that were counted twice."""
    n = len(rows.loss)
    repeated = n - len(np.unique(np.column_stack([*rows.inputs.values(), rows.loss]), axis=0))
    if trials or law.target in TUNED:
        repeated = 0  # counts of few trials are often equal, and best values of a grid are
    enough = law.rows_per_parameter * P
    if n - repeated < enough:
        yield Warned(
            "too_few_rows",
            f"{n - repeated} {'distinct ' if repeated else ''}rows for {P} parameters; an interval means little below "
            f"{enough} rows",
        )
    if repeated:
        yield Warned(
            "repeated_rows",
            f"{repeated} of {n} rows repeat the inputs and the {law.target} of another to the last digit: if they are "
            "one measurement, they count twice and make the intervals too short; drop them",
        )


def _about_tuning(law: type[Law], rows: Rows) -> Iterator[Warned]:
    """Several values of a knob at one size and duration, where the law is of the best one."""
    if law.target not in TUNED:
        return
    names = [name for name in ("N", "D") if name in rows.inputs or name in rows.frame]
    if "N" not in names and "loss" not in rows.frame:
        return  # best values of sizes that the table does not name
    columns = [
        rows.inputs[name] if name in rows.inputs else number_column(rows.frame, name) for name in names
    ]
    places, place = np.unique(np.column_stack(columns), axis=0, return_inverse=True)
    values = np.unique(np.column_stack([place.ravel(), rows.loss]), axis=0)[:, 0]
    several = int((np.bincount(values.astype(int)) > 1).sum())
    if several:
        where = " and ".join(names)
        yield Warned(
            "not_best_values",
            f"{several} of {len(places)} values of {where} have several {law.target}: {law.name} is the law of the best "
            f"{law.target} of each; take it from the sweeps with scaling.sweep_optima(frame).frame, and fit that",
        )


def _about_levels(law: type[Law], rows: Rows) -> Iterator[Warned]:
    """Inputs with too few levels, and columns beside the law's one input that never vary."""
    for name, values in rows.inputs.items() if law.floor is not None else ():
        found = levels(values)
        if found < FEW_LEVELS:
            yield Warned(
                "one_D_cannot_identify_E",
                f"{name} has {found} levels; below {FEW_LEVELS} its term and the floor {law.floor} cannot be told apart",
            )
    fixed = [name for name in ("N", "D") if _fixed(rows, name)] if law.inputs == ("x",) else []
    for name in fixed:
        yield Warned(
            "one_D_cannot_identify_E",
            f"all rows have {name} = {plain(float(rows.frame[name].iloc[0]))}: this E holds the loss that {name} "
            "would still remove, it is not the floor of the data",
        )


def _about_annealing(law: type[Law], rows: Rows) -> Iterator[Warned]:
    """Rows at full learning rate."""
    if "annealed" in rows.frame:
        said = rows.frame["annealed"].astype(str).str.strip().str.casefold()
        hot = int((~said.isin(ANNEALED)).sum())
        if hot:
            yield Warned(
                "not_annealed",
                f"{hot} of {len(rows.loss)} rows were not annealed (learning rate > 0) or do not say so: their "
                f"{'score lies below' if law.target == 'score' else 'loss lies above'} what the run can reach",
            )


def _about_joint_inputs(rows: Rows) -> Iterator[Warned]:
    """N and D that rise together, as with a fixed number of tokens a parameter."""
    N, D = (rows.inputs.get(name) for name in ("N", "D"))
    if N is None or D is None or min(levels(N), levels(D)) < FEW_LEVELS:
        return
    logs = np.log10(N), np.log10(D)
    apart = np.sqrt(max(1.0 - np.corrcoef(*logs)[0, 1] ** 2, 0.0)) * min(map(np.std, logs))
    if apart < TOGETHER:
        yield Warned(
            "N_and_D_move_together",
            f"N and D rise together: given one, the other spreads by only {plain(float(apart), 2)} decades about a power "
            "law, so that their terms and exponents can hardly be told apart; vary D at a fixed N",
        )


def _fixed(rows: Rows, name: str) -> bool:
    """Whether a column that the law does not take has one value in all rows."""
    return name in rows.frame and rows.sources["x"] != name and rows.frame[name].nunique(dropna=False) == 1


def levels(values: Array) -> int:
    """Number of distinct values, those within a relative 1e-6 taken as one."""
    return len(np.unique(np.round(np.log(values), 6)))
