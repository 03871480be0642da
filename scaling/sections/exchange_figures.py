"""Figures of a measured grid: score against either compute, isoquants on measured ground, the local rate."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

import numpy as np
import numpy.typing as npt
import pandas as pd

from scaling.reporting import numbers, plots
from scaling.reporting.document import Figure
from scaling.reporting.style import MUTED, Groups
from scaling.sections.exchange_trust import budget_shown

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from scaling.exchange import Exchange
    from scaling.laws.base import Array

    Mask: TypeAlias = npt.NDArray[np.bool_]
    Whole: TypeAlias = npt.NDArray[np.intp]

POINTS = 60
MOST = 8
"""Levels or budgets that get a curve each."""
WINDOW = 0.125
"""Part of the inference range, on either side, over which a local rate is taken."""
COLOURED = 0.9
"""Share of local rates that have colours of their own."""
FLAT = 0.05
"""Part of the way from floor to ceiling, at either end, where a local rate is one small slope over another."""
LINES = 5
"""Isoquants."""


def compute_label(what: str, unit: str) -> str:
    """What an axis of compute is called."""
    return f"{what} ({unit})"


def figures(found: Exchange, train_unit: str, infer_unit: str) -> tuple[Figure, ...]:
    """Return all four; of isoquants and local rates those that there are."""
    made = (
        against_inference(found, infer_unit),
        against_training(found, train_unit),
        isoquants(found, train_unit, infer_unit),
        local_rates(found, train_unit, infer_unit),
    )
    return tuple(one for one in made if one is not None)


def against_inference(found: Exchange, unit: str) -> Figure:
    """Return the score against inference compute, a curve a training level, with the runs as thin lines."""
    level_u, level_v, score = found.design.level_curves()
    chosen = np.argsort(level_u)[_spread(len(level_u))]
    lines = [
        _curve(
            found,
            np.full(POINTS, level_u[k]),
            np.linspace(np.nanmin(level_v[k]), np.nanmax(level_v[k]), POINTS),
        )
        for k in chosen
    ]
    curves = pd.concat([line.assign(level=10 ** level_u[k]) for k, line in zip(chosen, lines, strict=True)])
    rows = pd.concat(
        [
            pd.DataFrame({"level": 10 ** level_u[k], "x": 10 ** level_v[k], "score": score[k]}).dropna()
            for k in chosen
        ]
    )
    runs = _runs(found, set(chosen.tolist()))
    groups = Groups.of(rows, "level", numbers.quantity)

    def draw(axes: Axes) -> None:
        plots.scales(axes, compute_label("Inference compute a problem", unit), "Score", log="x")
        plots.threads(axes, runs, "x", "score", "thread", groups=groups)
        plots.curves(
            axes, curves.assign(x=10 ** curves["v"]), "x", "score", low="low", high="high", groups=groups
        )
        plots.points(axes, rows, "x", "score", groups=groups)
        if found.ceiling < 1 and found.link != "linear":
            plots.reference(axes, f"Ceiling {numbers.percent(found.ceiling, 3)}", y=found.ceiling)
        plots.legend(axes, title="Training compute")

    return Figure(
        "score-against-inference",
        "Score against inference compute, a curve a training level: points are means of the level's runs, thin "
        f"lines the runs{_bands(found)}.",
        draw,
        rows,
        "Rising curves of score against inference compute, higher for more training.",
    )


def against_training(found: Exchange, unit: str) -> Figure:
    """Return the score against training compute, a curve a budget."""
    level_u, level_v, score = found.design.level_curves()
    chosen = _spread(len(found.design.budgets))
    u = np.linspace(level_u.min(), level_u.max(), POINTS)
    order = np.argsort(level_u)
    curves, rows = [], []
    for b in chosen:
        known = order[np.isfinite(level_v[order, b])]
        if len(known) < 2:
            continue
        inside = u[(u >= level_u[known].min()) & (u <= level_u[known].max())]
        v = np.interp(inside, level_u[known], level_v[known, b])
        name = budget_shown(found.design.budgets[b])
        curves.append(_curve(found, inside, v).assign(budget=name))
        rows.append(pd.DataFrame({"budget": name, "x": 10 ** level_u[known], "score": score[known, b]}))
    lines, points = pd.concat(curves), pd.concat(rows)
    groups = Groups.of(points, "budget")

    def draw(axes: Axes) -> None:
        plots.scales(axes, compute_label("Training compute", unit), "Score", log="x")
        plots.curves(
            axes, lines.assign(x=10 ** lines["u"]), "x", "score", low="low", high="high", groups=groups
        )
        plots.points(axes, points, "x", "score", groups=groups)
        plots.legend(axes, title="Budget")

    return Figure(
        "score-against-training",
        f"Score against training compute, a curve a budget{_bands(found)}.",
        draw,
        points,
        "Rising curves of score against training compute, higher for larger budgets.",
    )


def isoquants(found: Exchange, train_unit: str, infer_unit: str) -> Figure | None:
    """Return lines of equal score in the plane of both computes, dashed where not measured; None without any."""
    u, v, score, _ = found.design.cells
    asked = [rate.at for rate in found.rates if rate.status not in ("undefined",)]
    levels = sorted({round(y, 4) for y in asked}) or [float(np.median(score))]
    grid = np.linspace(v.min(), v.max(), 200)
    solid, dashed = [], []
    for y in levels[:LINES]:
        at = found.surface.isoquant(y, grid)[0]
        frame = pd.DataFrame({"score": y, "x": 10**at, "y": 10**grid})
        if found.draws is not None:
            drawn = found.draws.isoquant(y, grid)
            with np.errstate(invalid="ignore"):
                low, high = np.nanquantile(
                    np.where(np.isfinite(drawn), drawn, np.inf), [0.025, 0.975], axis=0
                )
            frame = frame.assign(low=10**low, high=10**high)
        inside = _measured(found, at, grid)
        near = (at > u.min() - 0.5) & (at < u.max() + 0.5)
        solid.append(frame[inside].assign(piece=_pieces(inside)))
        outside = near & ~_inner(inside)
        dashed.append(frame[outside].assign(piece=_pieces(outside)))
    lines, beyond = pd.concat(solid), pd.concat(dashed)
    if lines.empty and beyond.empty:
        return None
    groups = Groups.of(pd.DataFrame({"score": levels[:LINES]}), "score", lambda y: numbers.plain(y, 3))
    cells = pd.DataFrame({"x": 10**u, "y": 10**v, "score": score})

    def draw(axes: Axes) -> None:
        plots.scales(
            axes,
            compute_label("Training compute", train_unit),
            compute_label("Inference compute a problem", infer_unit),
            log="xy",
        )
        plots.sideways(axes, lines, "x", "y", "piece", low="low", high="high", groups=groups)
        plots.sideways(axes, beyond, "x", "y", "piece", dashed=True, groups=groups)
        plots.points(axes, cells, "x", "y", label="Measured cells", colour=MUTED)
        plots.legend(axes, title="Score")

    return Figure(
        "isoquants",
        "Training and inference compute that reach the same score: solid between measured cells (dots), dashed "
        f"beyond them{_bands(found)}. The rate is the slope, turned round.",
        draw,
        pd.concat([lines.assign(measured=True), beyond.assign(measured=False)]),
        "Falling lines of equal score in the plane of training and inference compute.",
        height=440,
    )


def local_rates(found: Exchange, train_unit: str, infer_unit: str) -> Figure | None:
    """Return the local rate over the plane, hatched where it is undefined or was not measured; None without any."""
    u, v, _, _ = found.design.cells
    us, vs = np.linspace(u.min(), u.max(), 41), np.linspace(v.min(), v.max(), 41)
    step, width = 1e-3, WINDOW * np.ptp(v)
    U, V = (a.ravel() for a in np.meshgrid(us, vs, indexing="ij"))
    x = [
        found.surface.predictor(U + du, V + dv)[0]
        for du, dv in ((step, 0), (-step, 0), (0, width), (0, -width))
    ]
    gain, other = (x[0] - x[1]) / step, (x[2] - x[3]) / width
    with np.errstate(divide="ignore", invalid="ignore"):
        eta = np.where((gain > 0) & _measured(found, U, V) & _between(found, U, V), other / gain, np.nan)
    if not np.isfinite(eta).any():
        return None
    frame = pd.DataFrame({"x": 10**U, "y": 10**V, "eta": eta})
    drawn = frame.assign(eta=np.clip(eta, *np.nanquantile(eta, [(1 - COLOURED) / 2, (1 + COLOURED) / 2])))

    def draw(axes: Axes) -> None:
        plots.scales(
            axes,
            compute_label("Training compute", train_unit),
            compute_label("Inference compute a problem", infer_unit),
            log="xy",
        )
        plots.hatched(axes)
        plots.contours(axes, drawn, "x", "y", "eta", label="local η")

    return Figure(
        "local-rates",
        "The local rate over the measured plane, each over a quarter of the inference range; hatched where training "
        f"gains nothing, no cell was measured, or scores lie within {numbers.percent(FLAT)} of floor or ceiling and hardly "
        f"change. Colours are of the central {numbers.percent(COLOURED)} of values; beyond, the last stands for all.",
        draw,
        frame,
        "A map of the local exchange rate.",
        height=440,
    )


def _between(found: Exchange, u: Array, v: Array) -> Mask:
    """Which points (M,) of the plane score neither near the floor nor near the ceiling."""
    if found.link == "linear":
        return np.ones(len(u), dtype=np.bool_)
    floor, ceiling = float(found.surface.floor[0]), float(found.surface.ceiling[0])
    part = (found.surface.score(u, v)[0] - floor) / (ceiling - floor)
    return np.asarray((part > FLAT) & (part < 1 - FLAT))


def _bands(found: Exchange) -> str:
    return "" if found.draws is None else ", bands 95 % of the draws of the surface"


def _curve(found: Exchange, u: Array, v: Array) -> pd.DataFrame:
    """The surface along a path, with a band over the draws."""
    frame = pd.DataFrame({"u": u, "v": v, "score": found.surface.score(u, v)[0]})
    if found.draws is None:
        return frame.assign(low=np.nan, high=np.nan)
    low, high = np.quantile(found.draws.score(u, v), [0.025, 0.975], axis=0)
    return frame.assign(low=low, high=high)


def _runs(found: Exchange, levels: set[int]) -> pd.DataFrame:
    """Every checkpoint's own curve."""
    design = found.design
    return pd.concat(
        [
            pd.DataFrame(
                {
                    "level": 10 ** float(design.u[design.level == design.level[k]].mean()),
                    "x": 10 ** design.v[k],
                    "score": design.means[k],
                    "thread": k,
                }
            )
            for k in range(len(design.u))
            if int(design.level[k]) in levels and design.seeds[design.level[k]] > 1
        ]
        or [pd.DataFrame({"level": [], "x": [], "score": [], "thread": []})]
    )


def _spread(count: int) -> np.ndarray[tuple[int], np.dtype[np.intp]]:
    """At most MOST places, evenly, the ends among them."""
    return np.unique(np.linspace(0, count - 1, min(count, MOST)).round().astype(np.intp))


def _measured(found: Exchange, u: Array, v: Array) -> Mask:
    """Whether points lie between measured cells."""
    level_u, level_v, _ = found.design.level_curves()
    order = np.argsort(level_u)
    least = np.interp(u, level_u[order], np.nanmin(level_v, axis=1)[order])
    most = np.interp(u, level_u[order], np.nanmax(level_v, axis=1)[order])
    with np.errstate(invalid="ignore"):
        inside = (u >= level_u.min() - 1e-9) & (u <= level_u.max() + 1e-9)
        return np.asarray(inside & (v >= least - 1e-9) & (v <= most + 1e-9), dtype=np.bool_)


def _pieces(chosen: Mask) -> Whole:
    """Which unbroken piece each chosen point belongs to."""
    begins = chosen & ~np.concatenate([[False], chosen[:-1]])
    return np.asarray(np.cumsum(begins)[chosen], dtype=np.intp)


def _inner(inside: Mask) -> Mask:
    """Points with measured ones on either side, so that a dashed line begins where the solid one ends."""
    padded = np.pad(inside, 1)
    return np.asarray(inside & padded[:-2] & padded[2:])
