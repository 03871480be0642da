"""The objective over the plane of two exponents: how many minima there are, and how far the valley reaches."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from scaling.diagnostics.jsonable import objects, plain
from scaling.diagnostics.pinned import Pinned
from scaling.diagnostics.plane_grid import axis_of, marks_of, shapes_of, theta_of
from scaling.diagnostics.quantities import relative_rise
from scaling.errors import InputError
from scaling.fitting.newton import Solutions
from scaling.fitting.result import Fit
from scaling.laws.base import Array

if TYPE_CHECKING:
    import pandas as pd

POINTS = 31
"""Grid points along each exponent, to which the fit's own value is added."""
MOST_DRAWS = 1000
"""Draws that the level is calibrated by, at most."""


@dataclass(frozen=True)
class ExponentPlane:
    """The profile of an objective over one or two parameters: all others optimised at every point."""

    names: tuple[str, ...]
    """The parameters held, one for a line and two for a plane."""
    axes: tuple[Array, ...]
    """Their values, ascending; the fit's own is one of them."""
    value: Array
    """Objective, of the shape of the axes."""
    rise: Array
    """(objective - objective of the fit) / objective of the fit, of the same shape."""
    parameters: Array
    """All parameters at every point, of the same shape and one axis more."""
    marks: "pd.DataFrame"
    """One row a minimum of the fit and a published point: mark, kind, the names, value, rise, and inside with a level."""
    level: float | None
    """Coverage of the level set; None where none was asked for."""
    threshold: float | None
    """The rise up to which a point belongs to the level set."""
    method: str | None
    """How the threshold was found, in words."""

    @property
    def frame(self) -> "pd.DataFrame":
        """One row a point: the names, value, rise, and inside with a level."""
        import pandas as pd

        mesh = np.meshgrid(*self.axes, indexing="ij")
        columns: dict[str, Any] = {n: m.ravel() for n, m in zip(self.names, mesh, strict=True)}
        columns |= {"value": self.value.ravel(), "rise": self.rise.ravel()}
        if self.threshold is not None:
            columns["inside"] = self.rise.ravel() <= self.threshold
        return pd.DataFrame(columns)

    def reach(self, name: str) -> tuple[float, float]:
        """The smallest and largest grid value of a parameter inside the level set: what the valley covers of it.

        Raises InputError without a level, or for a parameter that is not held.
        """
        if self.threshold is None or name not in self.names:
            raise InputError(
                f"no level set of {name}: give a level, and one of {', '.join(self.names)} as its name"
            )
        frame = self.frame
        inside = frame.loc[frame["inside"], name]
        return float(inside.min()), float(inside.max())

    def to_json(self) -> dict[str, Any]:
        """The grid, the marks and the level, for programs."""
        return {
            "names": list(self.names),
            "level": self.level,
            "threshold": plain(self.threshold),
            "method": self.method,
            "marks": objects(self.marks),
            "grid": objects(self.frame),
        }


def exponent_plane(
    fit: Fit,
    names: Sequence[str] | None = None,
    *,
    points: int = POINTS,
    spans: Mapping[str, tuple[float, float]] | None = None,
    published: Mapping[str, Mapping[str, float]] | None = None,
    level: float | None = None,
) -> ExponentPlane:
    """Profile a fit's objective over its exponents: min over the other parameters at every grid point.

    With a `level` the points whose rise stays below a threshold form its level set. With draws the threshold is the
    rise, on the rows of the fit, at the exponents of the draws that a share `level` of them stays below; the set
    then holds that share of the draws and has the shape of the valley. Without draws it is known for least squares
    alone: rise = m F / (n - p), F the quantile with m and n - p degrees of freedom for m exponents, exact for a linear
    law and normal residuals (Bates and Watts 1988, section 6.1).

    Args:
        fit: the fit to profile.
        names: one or two free parameters that are no coefficient, floor or place; the law's exponents by default.
        points: grid points along each; the fit's own value is one more.
        spans: (low, high) of the grid by name; by default what holds the draws, the minima and the published points.
        published: points to mark, {"Hoffmann 2022": {"alpha": .34, "beta": .28}}.
        level: coverage of the level set; None for none.

    Raises:
        InputError: other names, a span that is empty, a level without draws for Huber's loss.
    """
    chosen = shapes_of(fit, names)
    if points < 3:
        raise InputError(f"points is {points}; give at least 3 grid points along each exponent")
    if level is not None and not 0 < level < 1:
        raise InputError(f"level is {level}; give a coverage between 0 and 1, for example .95")
    law, design = type(fit.law), fit.design
    pinned = Pinned(fit, tuple(law.position(name) for name in chosen))
    marks = marks_of(fit, chosen, published or {})
    axes = tuple(axis_of(fit, name, marks, points, (spans or {}).get(name)) for name in chosen)
    thetas = tuple(theta_of(law, name, axis) for name, axis in zip(chosen, axes, strict=True))
    found = pinned.grid(thetas)
    threshold, method = (None, None) if level is None else _threshold(pinned, found, chosen, level)
    value = found.value.reshape(tuple(map(len, axes)))
    return ExponentPlane(
        names=chosen,
        axes=axes,
        value=value,
        rise=relative_rise(value, fit.value),
        parameters=design.values(found.theta).reshape(*value.shape, -1),
        marks=_with_values(marks, pinned, found, chosen, threshold),
        level=level,
        threshold=threshold,
        method=method,
    )


def _at(pinned: Pinned, found: Solutions, held: Array) -> Solutions:
    """Minima at points off the grid (K, m), from the minima of the nearest grid point and those of the fit."""
    grid = found.theta[:, list(pinned.positions)]
    scale = np.maximum(np.ptp(grid, axis=0), 1e-12)
    near = [int(np.argmin((((grid - point) / scale) ** 2).sum(axis=1))) for point in held]
    starts = np.concatenate([found.theta[near][None], pinned.starts(held)])
    return pinned.minima(held, starts)


def _threshold(pinned: Pinned, found: Solutions, names: tuple[str, ...], level: float) -> tuple[float, str]:
    """The rise that bounds the level set, and how it was found."""
    from scipy.special import fdtri

    fit, law = pinned.fit, type(pinned.fit.law)
    if len(fit.draws):
        drawn = fit.draws[:MOST_DRAWS, list(pinned.positions)]
        drawn = drawn[np.isfinite(drawn).all(axis=1)]
        held = np.stack([theta_of(law, name, drawn[:, k]) for k, name in enumerate(names)], axis=1)
        rises = relative_rise(_at(pinned, found, held).value, fit.value)
        words = f"the rise that {100 * level:g} % of {len(drawn)} draws ({fit.intervals.method}) stay below"
        return float(np.quantile(rises, level)), words
    if fit.objective.loss != "mse":
        raise InputError(
            f"a level of the {fit.objective.loss} loss is calibrated by draws, and the fit has none; refit with "
            "bootstrap, or by least squares (loss='mse')"
        )
    count, freedom = len(names), max(len(fit.rows.loss) - len(fit.parameters) + len(fit.fixed), 1)
    rise = count * float(fdtri(count, freedom, level)) / freedom
    return rise, f"F({count}, {freedom}) of normal residuals"


def _with_values(
    marks: "pd.DataFrame",
    pinned: Pinned,
    found: Solutions,
    names: tuple[str, ...],
    threshold: float | None,
) -> "pd.DataFrame":
    """The marks with value, rise, and inside; a minimum's value is the fit's own, a published point's the profile's."""
    fit, law = pinned.fit, type(pinned.fit.law)
    value = np.array([minimum.value for minimum in fit.minima] + [np.nan] * (len(marks) - len(fit.minima)))
    rest = marks.iloc[len(fit.minima) :]
    if len(rest):
        held = [theta_of(law, name, rest[name].to_numpy(dtype=np.float64)) for name in names]
        value[len(fit.minima) :] = _at(pinned, found, np.stack(held, axis=1)).value
    done = marks.assign(value=value, rise=relative_rise(value, fit.value))
    return done if threshold is None else done.assign(inside=done["rise"] <= threshold)
