"""How well rows tell the parameters of a law apart: the curvature at the optimum and its flattest direction."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from scaling.diagnostics.jsonable import objects
from scaling.diagnostics.jsonable import plain as number
from scaling.diagnostics.local import Local
from scaling.errors import FitError
from scaling.fitting.problems import Problems
from scaling.fitting.result import Fit
from scaling.fitting.rough import is_rough
from scaling.laws import Law
from scaling.laws.base import Array
from scaling.reporting.numbers import plain

if TYPE_CHECKING:
    import pandas as pd

RISE = 0.01
"""Rise of the objective up to which the flattest direction is walked, as a share."""
LONGEST = 3.0
"""Longest walk in theta, a factor of e^3 in a parameter: beyond, the parabola says nothing."""
TAKES_PART = 0.3
"""Share of the largest component from which a parameter takes part in the flattest direction."""


@dataclass(frozen=True)
class Identifiability:
    """Curvature at a fit's optimum, in theta (logarithms of positive parameters, coefficients amid the rows)."""

    condition: float
    """Largest over smallest eigenvalue of the Hessian scaled to a diagonal of 1; 1 where each parameter is told by
    itself, infinite where a direction costs nothing."""
    eigenvalues: Array
    """Of the scaled Hessian, ascending; they add up to the number of parameters."""
    of: str
    """Whose Hessian: `objective`, or `least squares` at the same point where the objective is kinked or mostly kinks."""
    direction: "pd.DataFrame"
    """The flattest direction, one row a parameter that moves: parameter, component (of the scaled unit vector), low and
    high (its value where the objective's parabola has risen by 1 % on either side)."""
    text: str
    """The flattest direction in words."""
    correlations: "pd.DataFrame | None"
    """Spearman's rank correlations of the draws of the parameters that move; None without draws. Ranks, because draws
    reach 0 and infinity."""

    @property
    def most_correlated(self) -> tuple[str, str, float] | None:
        """The two parameters whose draws move together most, and their correlation; None without draws or pairs."""
        if self.correlations is None or len(self.correlations) < 2:
            return None
        table = np.abs(np.tril(np.nan_to_num(self.correlations.to_numpy()), -1))
        i, j = map(int, np.unravel_index(int(np.argmax(table)), table.shape))
        names = self.correlations.columns.tolist()
        return str(names[j]), str(names[i]), float(self.correlations.to_numpy()[i, j])

    def to_json(self) -> dict[str, Any]:
        """Its numbers, for programs; an infinite condition is null."""
        correlations = self.correlations
        table = None
        if correlations is not None:
            table = {
                str(name): {str(other): number(r) for other, r in column.items()}
                for name, column in correlations.items()
            }
        return {
            "condition": self.condition if np.isfinite(self.condition) else None,
            "eigenvalues": self.eigenvalues.tolist(),
            "of": self.of,
            "direction": objects(self.direction),
            "text": self.text,
            "correlations": table,
        }


def identifiability(fit: Fit) -> Identifiability:
    """Take the Hessian H of a fit's objective by theta, scale it to S = H_ij / sqrt(H_ii H_jj), and read its spectrum.

    Features are centred, so that the condition does not count the units of N and D. The eigenvector of the smallest
    eigenvalue is the trade-off that the rows tell least about. Parameters that are fixed or at an end of their range
    have no part.
    Raises FitError where no parameter moves or one has no curvature at all.
    """
    local = Local(fit)
    if not local.names:
        raise FitError("all parameters are fixed or at an end of their range; nothing is left to tell apart")
    hessian, of = _hessian(local)
    size = np.sqrt(np.maximum(np.diag(hessian), 0.0))
    if not np.all(size > 0):
        flat = local.names[int(np.argmin(size))]
        raise FitError(f"the objective does not depend on {flat} at the optimum; fix it or fit a simpler law")
    eigenvalues, vectors = np.linalg.eigh(hessian / np.outer(size, size))
    smallest = eigenvalues[0]
    rounding = np.finfo(np.float64).eps * len(size)
    direction = vectors[:, 0] * np.sign(vectors[np.argmax(np.abs(vectors[:, 0])), 0])
    step = _step(direction / size, max(smallest, rounding), local)
    return Identifiability(
        condition=float(eigenvalues[-1] / smallest) if smallest > rounding else np.inf,
        eigenvalues=eigenvalues,
        of=of,
        direction=_table(local, direction, step),
        text=_words(local, direction, step),
        correlations=_correlations(fit, local),
    )


def _hessian(local: Local) -> tuple[Array, str]:
    """Hessian by the moving parameters, (m, m), and whose it is."""
    design, theta = local.design, local.theta[None, :]
    one = Problems.of(design, local.fit.objective, np.ones((1, design.rows)))
    if not local.fit.objective.kinked and not is_rough(one, theta[0]):
        hessian = one.assess(theta, np.ones(1, dtype=np.bool_))[2][..., 0]
        moving = hessian[np.ix_(local.moving, local.moving)]
        if np.linalg.eigvalsh(moving)[0] > 0:
            return moving, "objective"
    return 2.0 * local.information, "least squares"


def _step(direction: Array, curvature: float, local: Local) -> Array:
    """The walk in theta along a direction after which the parabola of the objective has risen by RISE."""
    value = local.fit.value
    if local.fit.objective.kinked or not value > 0:
        value = float(np.sum(local.design.weights * local.fit.residuals**2))
    longest = LONGEST / max(float(np.max(np.abs(direction))), 1e-300)
    walk: Array = direction * min(float(np.sqrt(2 * RISE * value / curvature)), longest)
    return walk


def _table(local: Local, direction: Array, step: Array) -> "pd.DataFrame":
    """Components, and the parameters' values at both ends of the walk."""
    import pandas as pd

    ends = np.tile(local.theta, (2, 1))
    ends[:, local.moving] += np.stack([-step, step])
    values = np.sort(local.design.values(ends)[:, local.moving], axis=0)
    columns = {"parameter": list(local.names), "component": direction, "low": values[0], "high": values[1]}
    return pd.DataFrame(columns)


def _words(local: Local, direction: Array, step: Array) -> str:
    """Which parameters trade off, by how much each."""
    law = local.design.law
    share = np.abs(direction) / np.max(np.abs(direction))
    order = [k for k in np.argsort(-share, kind="stable") if share[k] >= TAKES_PART]
    moves = [_move(law, local.names[k], float(step[k])) for k in order]
    if len(moves) == 1:
        return f"no trade-off: least is known of {moves[0]}, which raises the objective by {100 * RISE:g} %"
    together = f"{', '.join(moves[:-1])} and {moves[-1]}"
    return f"{together} together raise the objective by {100 * RISE:g} %: the rows tell these least apart"


def _move(law: type[Law], name: str, step: float) -> str:
    """One parameter's part of the walk; a coefficient stands for its term amid the rows."""
    term = next((t for t in law.terms if t.coefficient == name), None)
    about = law.parameters()[law.position(name)]
    shown = name if term is None else f"the {name} term amid the rows"
    way = "up" if step > 0 else "down"
    if about.scale == "linear" or about.location:
        unit = " in log units" if about.location else ""
        return f"{shown} {way} by {plain(abs(step), 2)}{unit}"
    return f"{shown} {way} {plain(100 * abs(float(np.expm1(step))), 2)} %"


def _correlations(fit: Fit, local: Local) -> "pd.DataFrame | None":
    import pandas as pd

    if not len(fit.draws):
        return None
    draws = pd.DataFrame(fit.draws, columns=list(type(fit.law).parameter_names()))
    ranks = draws[list(local.names)].rank()
    return ranks.corr()
