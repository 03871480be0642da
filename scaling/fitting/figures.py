"""Figures of one fit, for reports and, through `plotting`, for a notebook."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from scaling.errors import InputError
from scaling.laws import LossInND
from scaling.reporting import numbers, plots
from scaling.reporting.document import Figure
from scaling.reporting.style import INK, Groups

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from scaling.fitting.result import Fit
    from scaling.laws.base import Array

GRID = 40
"""Points of a surface along each axis."""
BEYOND = 30.0
"""How far past the largest run a fan is drawn, as a factor of compute or of the law's first input."""
NAMES = {
    "N": "Parameters N",
    "D": "Training tokens D",
    "U": "Unique tokens U",
    "k": "Samples k",
    "C": "Compute C (FLOP)",
}
"""What inputs are called on an axis."""
TARGETS = {"loss": "Loss", "score": "Score"}
MOST_LEVELS, GAP = 10, 0.1
"""Levels that get a curve each; more are gathered into as many groups. Budgets are further apart than GAP decades."""


def named(name: str) -> str:
    """Return what an input or target is called on an axis."""
    return NAMES.get(name, TARGETS.get(name, name))


def data_and_law(fit: Fit) -> Figure:
    """Return the rows and the fitted law against the law's first input.

    A loss law in N and D has a curve a compute budget C = 6 N D, another law of several inputs one a level of its second.
    """
    law, inputs, target = fit.law, fit.rows.inputs, fit.law.target
    first, *others = law.inputs
    rows = pd.DataFrame({**inputs, target: fit.rows.loss})
    groups, by = None, ""
    if isinstance(law, LossInND):
        rows["level"] = _levels(6 * inputs["N"] * inputs["D"], gap=GAP)
        groups, by = (
            Groups.of(rows, "level", lambda C: f"C = {numbers.quantity(C)}"),
            ", one curve a compute budget",
        )
    elif others:
        rows["level"] = _levels(inputs[others[0]])
        groups = Groups.of(rows, "level", lambda level: f"{others[0]} = {numbers.quantity(level)}")
        at = ", the others at their rows' mean" if others[1:] else ""
        by = f", one curve a level of {others[0]}{at}"
    lines = pd.concat([_curve(fit, rows, level) for level in (groups.levels if groups else (None,))])

    def draw(axes: Axes) -> None:
        wide = rows[first].max() > 3 * rows[first].min()
        plots.scales(axes, named(first), f"{named(target)}{unit(fit)}", log="x" if wide else "")
        plots.curves(axes, lines, first, target, groups=groups, label="" if groups else "Fitted law")
        plots.points(axes, rows, first, target, groups=groups, label="" if groups else "Runs", colour=INK)
        plots.legend(axes)

    return Figure(
        "data-and-law",
        f"The rows and the fitted law against {first}{by}.",
        draw,
        rows,
        f"Points along fitted curves against {first}.",
    )


def _curve(fit: Fit, rows: pd.DataFrame, level: Any) -> pd.DataFrame:
    """The law along its first input, over the range of the rows of one level."""
    first, *others = fit.law.inputs
    part = rows if level is None else rows[rows["level"] == level]
    x = np.geomspace(part[first].min() / 1.2, part[first].max() * 1.2, 60)
    held: dict[str, Any] = {name: float(np.exp(np.mean(np.log(part[name])))) for name in others}
    if isinstance(fit.law, LossInND):
        held = {"D": level / 6 / x}
    elif others:
        held[others[0]] = level
    predicted = fit.law.predict(**{first: x}, **held)
    return pd.DataFrame({first: x, fit.law.target: predicted, "level": level})


def _levels(values: Array, gap: float = 1e-6) -> Array:
    """The levels of a number: groups further apart than a gap in decades where few, else equal parts of the rows."""
    log = np.log10(values)
    order = np.argsort(log, kind="stable")
    part = np.empty(len(log), dtype=np.intp)
    part[order] = np.concatenate([[0], np.cumsum(np.diff(log[order]) > gap)])
    spans = [np.ptp(log[part == k]) for k in range(min(part.max() + 1, MOST_LEVELS))]
    if part.max() >= MOST_LEVELS or max(spans) > 4 * gap:  # no levels, but a range
        edges = np.quantile(log, np.linspace(0, 1, MOST_LEVELS + 1)[1:-1])
        part = np.unique(np.searchsorted(edges, log), return_inverse=True)[1]
    means = np.bincount(part, weights=log) / np.bincount(part)
    return np.asarray(10.0 ** means[part], dtype=np.float64)


def residuals(fit: Fit, axis: str) -> Figure:
    """Return measured over fitted against one input, in thirds of another."""
    if axis not in fit.rows.inputs:
        raise InputError(f"{fit.law.name} has no input {axis!r}; choose one of {', '.join(fit.law.inputs)}")
    logs = fit.objective.residual == "log"
    rows = pd.DataFrame({**fit.rows.inputs, "residual": (100 if logs else 1) * fit.residuals})
    other = next((name for name in fit.law.inputs if name != axis), None)
    groups = None
    if other is not None:
        first, second = np.quantile(rows[other], [1 / 3, 2 / 3])  # rows with one value stay in one third
        rows["third"] = 1 + (rows[other] > first).astype(int) + (rows[other] > second)
        groups = Groups.of(
            rows, "third", lambda third: f"{('low', 'middle', 'high')[int(third) - 1]} {other}"
        )

    def draw(axes: Axes) -> None:
        plots.scales(axes, named(axis), "Residual (%)" if logs else "Residual", log="x")
        plots.residuals(axes, rows, axis, "residual", groups=groups)
        plots.legend(axes)

    by = f", by thirds of {other}" if other else ""
    what = f"Measured over fitted {fit.law.target}" if logs else f"Measured minus fitted {fit.law.target}"
    return Figure(
        f"residuals-{axis.lower()}",
        f"{what} against {axis}{by}.",
        draw,
        rows,
        f"Residuals {'in percent ' if logs else ''}scattered about zero against {axis}.",
    )


def surface(fit: Fit) -> Figure:
    """Return the fitted loss over N and D, the runs, and the frontier of best sizes."""
    law = _in_ND(fit)
    N, D = fit.rows.inputs["N"], fit.rows.inputs["D"]
    n, d = (np.geomspace(x.min() / 1.2, x.max() * 1.2, GRID) for x in (N, D))
    grid = pd.DataFrame({"N": np.repeat(n, GRID), "D": np.tile(d, GRID)})
    grid["loss"] = law.predict(N=grid["N"], D=grid["D"])
    C = np.geomspace((6 * N * D).min(), (6 * N * D).max(), 60)
    best = law.optimum(C)
    frontier = pd.DataFrame({"N": best.N, "D": best.D, "C": C})
    inside = frontier["N"].between(n[0], n[-1]) & frontier["D"].between(d[0], d[-1])
    runs = pd.DataFrame({"N": N, "D": D, "loss": fit.rows.loss})

    def draw(axes: Axes) -> None:
        plots.scales(axes, "Parameters N", "Training tokens D", log="xy")
        plots.contours(axes, grid, "N", "D", "loss", label=f"Loss{unit(fit)}")
        plots.points(axes, runs, "N", "D", label="Runs", colour=INK)
        plots.curves(
            axes, frontier[inside], "N", "D", label="Best N for its compute", outlined=True, colour=INK
        )
        plots.legend(axes)

    return Figure(
        "surface",
        "The fitted loss over model size and tokens, the runs, and the frontier of best sizes.",
        draw,
        runs,
        "Contours of fitted loss falling toward large N and large D, with runs as points and the frontier as a line.",
    )


def fan(fit: Fit) -> Figure:
    """Return the law's loss at the best size for each compute, with its band, past the largest run."""
    law = _in_ND(fit)
    N, D = fit.rows.inputs["N"], fit.rows.inputs["D"]
    product = 6 * N * D
    C = np.geomspace(product.min(), product.max() * BEYOND, 60)
    best = law.optimum(C)
    inside = (best.N > 0) & (best.D > 0) & np.isfinite(best.N) & np.isfinite(best.D)
    if not inside.any():
        raise InputError(f"this {law.name} puts its best size at 0 or infinity, and has no frontier to draw")
    band = fit.predict(N=best.N[inside], D=best.D[inside])
    frame = pd.DataFrame({"C": C[inside], "loss": band.value})
    drawn = band.low is not None and band.high is not None
    if drawn:
        frame = frame.assign(low=band.low, high=band.high)
    frame = frame.astype(float)
    runs = pd.DataFrame({"C": product, "loss": fit.rows.loss})
    bottom, top = float(frame["loss"].min()), float(runs["loss"].max())
    lowest = float(frame["low"].min()) if drawn else bottom

    def draw(axes: Axes) -> None:
        plots.scales(axes, "6 N D (FLOP)", f"Loss{unit(fit)}", log="x")
        plots.region(axes, "Range of the runs", float(product.min()), float(product.max()))
        low, high, name = ("low", "high", "Best size, with band") if drawn else (None, None, "Best size")
        plots.curves(axes, frame, "C", "loss", low=low, high=high, label=name)
        plots.points(axes, runs, "C", "loss", label="Runs", colour=INK)
        # an interval without an upper end would leave nothing else to see
        axes.set_ylim(0.0 if lowest < 0.5 * bottom else 0.95 * lowest, 1.05 * top)
        plots.legend(axes)

    return Figure(
        "fan",
        "The law's loss at the best size for each compute, with the band of the fitted curve, past the largest run. "
        "The band takes the form of the law for granted.",
        draw,
        frame,
        "A falling curve with a band that widens beyond the range of the runs.",
    )


def cloud(fit: Fit, first: str | None = None, second: str | None = None) -> Figure:
    """Return the bootstrap draws of two parameters, by default the last two that are no coefficients."""
    if not len(fit.draws):
        raise InputError("a cloud is made of bootstrap draws; fit with bootstrap=1000")
    law = type(fit.law)
    apart = {law.floor, *fit.fixed, *(term.coefficient for term in law.terms)}
    free = [name for name in law.parameter_names() if name not in fit.fixed]
    shapes = [name for name in free if name not in apart]
    asked = [name for name in (first, second) if name is not None]
    chosen = asked or (shapes if len(shapes) > 1 else free)[-2:]
    if len(set(chosen)) < 2 or not set(chosen) <= set(free):
        raise InputError(f"a cloud takes two free parameters of {law.name}: {', '.join(free)}")
    x, y = chosen
    draws = pd.DataFrame({name: fit.draws[:, law.position(name)] for name in chosen})
    keep = np.isfinite(draws.to_numpy()).all(axis=1)
    for name in chosen:  # a draw at the end of a parameter's range would hide all others
        low, high = np.quantile(draws[name][keep], [0.005, 0.995]) if keep.any() else (-np.inf, np.inf)
        inside = keep & draws[name].between(low, high).to_numpy()
        keep = inside if inside.any() else keep  # two draws are both outermost
    middle = draws.loc[keep]
    at = pd.DataFrame({name: [float(getattr(fit.law, name))] for name in chosen})
    log = "".join(axis for axis, name in zip("xy", chosen, strict=True) if _spans(middle[name]))

    def draw(axes: Axes) -> None:
        plots.scales(axes, x, y, log)
        plots.points(axes, middle, x, y, label="Draws")
        plots.optima(axes, at, x, y, label="Estimate")
        plots.legend(axes)

    return Figure(
        "cloud",
        f"Bootstrap draws of {x} and {y} ({fit.intervals.method}); the outermost of every 100 are left out of the drawing. "
        "A long cloud means that the rows fix one combination of the two and not each.",
        draw,
        draws,
        f"A cloud of draws of {x} and {y} about the estimate.",
    )


def _spans(drawn: pd.Series) -> bool:
    """Whether positive draws span so much, as those of coefficients do, that a log axis shows them best."""
    return len(drawn) > 0 and bool(drawn.min() > 0) and bool(drawn.max() > 5 * drawn.min())


def unit(fit: Fit) -> str:
    """Return the loss's unit in brackets, for rows of our own runs, whose loss is in nats a token."""
    return " (nats/token)" if "lr_over_recipe" in fit.rows.frame else ""


def _in_ND(fit: Fit) -> LossInND:
    if not isinstance(fit.law, LossInND):
        raise InputError(f"{fit.law.name} is no loss law in N and D, and has no frontier to draw")
    return fit.law
