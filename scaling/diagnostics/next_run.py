"""Which run to train next: the one that narrows a named quantity most for its cost."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from scaling.diagnostics.jsonable import objects, plain
from scaling.diagnostics.local import Local
from scaling.diagnostics.quantities import PREDICTION, quantities
from scaling.errors import FitError, InputError
from scaling.fitting.objective import Mask
from scaling.fitting.result import Fit
from scaling.fitting.rows import number_column
from scaling.laws import FLOPS_PER_PARAMETER_TOKEN
from scaling.laws.base import Array

if TYPE_CHECKING:
    import pandas as pd

POINTS = 24
"""Grid points along N and along D."""
REACH = 3.0
"""How far above the rows in use candidates go in N and in D, as a factor; below them laws fail first."""


@dataclass(frozen=True)
class NextRun:
    """Candidate runs and the standard error that a quantity would have with each."""

    quantity: str
    """What is to be narrowed."""
    value: float
    """Its value at the fit."""
    se: float
    """Its standard error with the rows in use, by the delta method: for least squares and noise that is alike at all
    sizes."""
    bootstrap_se: float | None
    """That of the fit's draws, None without; where it is the larger one, noise is uneven or the loss not that of squares,
    and only the shares of `narrowing` carry over."""
    noise: float
    """Standard deviation of a run about the law, of log losses or losses as the fit has it."""
    freedom: int
    """Degrees of freedom that the noise was estimated with."""
    cost_budget: float
    """Most compute of a candidate [FLOP]."""
    frame: "pd.DataFrame"
    """One row a candidate, the best first: the law's inputs, C, se (with that run added), narrowing (1 - se / se now),
    beyond (whether an input lies outside the range of the rows, where the law's form is taken for granted)."""

    @property
    def best(self) -> dict[str, Any]:
        """The candidate that narrows the quantity most."""
        return {str(name): plain(cell) for name, cell in self.frame.iloc[0].items()}

    def to_json(self) -> dict[str, Any]:
        """The best and all candidates, for programs."""
        numbers = {"value": self.value, "se": self.se, "noise": self.noise, "freedom": self.freedom}
        named = {
            "quantity": self.quantity,
            "cost_budget": self.cost_budget,
            "bootstrap_se": self.bootstrap_se,
        }
        return {k: plain(v) for k, v in {**named, **numbers}.items()} | {
            "best": self.best,
            "candidates": objects(self.frame),
        }


def next_run(
    fit: Fit,
    cost_budget: float,
    quantity: str = "N_exponent",
    *,
    compute: float | None = None,
    at: Mapping[str, float] | None = None,
    candidates: "pd.DataFrame | None" = None,
    points: int = POINTS,
    reach: float = REACH,
) -> NextRun:
    """Find the extra run of at most `cost_budget` FLOPs after which a quantity has the smallest standard error.

    With sensitivities J of the rows, j of the candidate, V = (J^T W J)^-1 and g the quantity's gradient:
    se^2 = s^2 g^T V g now, and s^2 (g^T V g - (g^T V j)^2 / (1 + j^T V j)) with the candidate, s the noise of a run.
    That is the local, c-optimal design (Chernoff 1953; Atkinson, Donev and Tobias 2007, chapter 17), which takes the
    law's form for granted and least squares for the next fit; the ranking does not depend on s. Weights of the
    candidate are 1, or the median weight of the rows.

    Args:
        fit: the fit so far.
        cost_budget: compute of the run [FLOP], 6 N D.
        quantity: a parameter; N_exponent, D_exponent; with `compute` N_optimal, D_optimal, tokens_per_param or
            loss_optimal; with `at` the `prediction` there.
        compute: FLOPs of the optimum; the fit's own by default.
        at: inputs to predict at.
        candidates: table of the law's inputs, and of C where they are not N and D; by default a grid from the
            smallest N and D of the rows to `reach` times the largest, below the budget and on it.
        points: points along each input of that grid.
        reach: factor by which it goes above the range.

    Raises:
        InputError: an unknown quantity, a law without N and D and no candidates, no candidate within the budget.
        FitError: rows that do not identify the law, or leave nothing to tell the noise from.
    """
    import pandas as pd

    if not 0 < cost_budget < np.inf:
        raise InputError(f"cost_budget is {cost_budget}; give a positive number of FLOPs")
    if fit.known.priors:
        raise InputError("the sensitivities of the rows know nothing of priors; fit without them")
    law, local = type(fit.law), Local(fit)
    compute = fit.compute if compute is None else compute
    names, here = quantities(law, fit.law.values()[None, :], compute=compute, at=at)
    if quantity not in names:
        more = "" if at else f"; {PREDICTION} needs at={{...}}"
        raise InputError(f"there is no quantity {quantity!r}; there are {', '.join(names)}{more}")
    which = names.index(quantity)
    inputs, C = _grid(fit, cost_budget, points, reach) if candidates is None else _given(fit, candidates)
    affordable = np.less_equal(C, cost_budget * (1 + 1e-9))
    if not affordable.any():
        raise InputError(f"no candidate costs at most {cost_budget:g} FLOPs; raise the budget or the reach")
    inputs, C = {name: values[affordable] for name, values in inputs.items()}, C[affordable]
    g = local.gradient(lambda values: quantities(law, values, compute=compute, at=at)[1][:, which])
    now, after = _errors(local, g, inputs)
    drawn = quantities(law, fit.draws, compute=compute, at=at)[1][:, which]
    frame = pd.DataFrame(
        {**inputs, "C": C, "se": after, "narrowing": 1 - after / now, "beyond": _beyond(fit, inputs)}
    )
    return NextRun(
        quantity=quantity,
        value=float(here[0, which]),
        se=now,
        bootstrap_se=float(np.std(drawn, ddof=1)) if len(drawn) else None,
        noise=local.noise,
        freedom=local.freedom,
        cost_budget=cost_budget,
        frame=frame.sort_values("se", kind="stable", ignore_index=True),
    )


def _errors(local: Local, gradient: Array, inputs: dict[str, Array]) -> tuple[float, Array]:
    """Standard error now, and with each candidate."""
    V = local.covariance
    weight = float(np.median(local.design.weights))
    j = np.sqrt(weight) * local.sensitivities(inputs)
    now = float(gradient @ V @ gradient)
    if not now > 0:
        raise FitError("the quantity does not depend on the parameters that move; no run narrows it")
    gain = (j @ (V @ gradient)) ** 2 / (1 + np.einsum("ki,ij,kj->k", j, V, j))
    return local.noise * float(np.sqrt(now)), local.noise * np.sqrt(np.maximum(now - gain, 0.0))


def _grid(fit: Fit, budget: float, points: int, reach: float) -> tuple[dict[str, Array], Array]:
    """Inputs and compute of a grid below the budget, and of points on it."""
    law = type(fit.law)
    if set(law.inputs) != {"N", "D"}:
        raise InputError(f"{law.name} takes {', '.join(law.inputs)}; give candidates, a table of these and C")
    if points < 2 or reach < 1:
        raise InputError(
            f"points is {points} and reach {reach}; give at least 2 points and a reach of at least 1"
        )
    N, D = (
        np.geomspace(fit.rows.inputs[name].min(), fit.rows.inputs[name].max() * reach, points)
        for name in ("N", "D")
    )
    on_budget = budget / (FLOPS_PER_PARAMETER_TOKEN * N)
    inside = (on_budget >= D[0]) & (on_budget <= D[-1])
    sizes, tokens = (mesh.ravel() for mesh in np.meshgrid(N, D, indexing="ij"))
    sizes, tokens = np.append(sizes, N[inside]), np.append(tokens, on_budget[inside])
    return {"N": sizes, "D": tokens}, FLOPS_PER_PARAMETER_TOKEN * sizes * tokens


def _given(fit: Fit, candidates: "pd.DataFrame") -> tuple[dict[str, Array], Array]:
    """Inputs and compute of the caller's candidates."""
    needed = list(type(fit.law).inputs)
    if not {"N", "D"} <= set(needed) and "C" not in needed:
        needed.append("C")
    missing = [name for name in needed if name not in candidates]
    if missing:
        raise InputError(f"the candidates have no column {missing[0]}; give {', '.join(needed)}")
    columns = {name: number_column(candidates, name) for name in {*needed, "C"} if name in candidates}
    if not all(np.all(np.isfinite(values) & (values > 0)) for values in columns.values()):
        raise InputError("a candidate's inputs and C must be positive numbers")
    C = columns.get("C")
    inputs = {name: columns[name] for name in type(fit.law).inputs}
    return inputs, FLOPS_PER_PARAMETER_TOKEN * inputs["N"] * inputs["D"] if C is None else C


def _beyond(fit: Fit, inputs: dict[str, Array]) -> Mask:
    """Whether a candidate lies outside the range of the rows in any input."""
    outside = [
        (values < fit.rows.inputs[name].min() * (1 - 1e-9))
        | (values > fit.rows.inputs[name].max() * (1 + 1e-9))
        for name, values in inputs.items()
    ]
    beyond: Mask = np.any(outside, axis=0)
    return beyond
