"""Trial shapes of a law, and the curves they give: where the starts look.

Shapes: n rows, P parameters, G grid points in all, on one axis for each parameter that is tried.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import reduce

import numpy as np
import numpy.typing as npt

from scaling.fitting.design import Design
from scaling.laws.base import Array
from scaling.laws.general import GeneralLaw
from scaling.laws.parameters import Parameter
from scaling.laws.separable import SeparableLaw

EXPONENTS = np.geomspace(0.03, 3.0, 24)
"""Grid of each exponent of a separable law with up to two."""
COARSE_EXPONENTS = np.geomspace(0.06, 1.5, 8)
"""Grid of each exponent where other parameters need a grid of their own."""
BALANCES = np.linspace(-4.5, 4.5, 7)
"""Grid of the log ratio of the terms at the centre of the data, for the p-norm."""
MANY_ROWS, CELLS = 20_000, 4096
"""Rows from which a grid stands on their sums over cells of the features, and about the most cells."""


@dataclass(frozen=True)
class Column:
    """A part of the law that one factor scales."""

    curve: Array
    """Values at factor 1, (n, ...) over the grid's axes; an axis that it does not vary on may have length 1."""
    scaled: tuple[int, ...]
    """Positions in theta whose parameters the factor multiplies."""
    logs: bool = True
    """Whether these are fitted as logarithms, so that the factor must be positive."""


@dataclass(frozen=True)
class Grid:
    """Trial shapes of a law, and the curves they give."""

    theta: Array
    """(G, P); parameters that a factor scales stand at factor 1."""
    shape: tuple[int, ...]
    """Points on each axis; its product is G."""
    columns: tuple[Column, ...]
    """What least squares combine."""
    offset: Array | None = None
    """What the combination is added to, (n, ...)."""
    floor: int | None = None
    """Which of the columns is the floor's."""
    cells: "Cells | None" = None
    """What the n of curves and offset are, where these are not the rows."""


@dataclass(frozen=True)
class Cells:
    """Rows with about the same features, taken together."""

    order: npt.NDArray[np.intp]
    """The rows, cell by cell, (n,)."""
    first: npt.NDArray[np.intp]
    """Where each cell begins in that order, (cells,)."""

    @classmethod
    def of(cls, x: Sequence[Array]) -> "Cells":
        """Cells that divide the range of each feature evenly."""
        sides = max(2, int(CELLS ** (1 / len(x))))
        label = np.zeros(len(x[0]), dtype=np.intp)
        for values in x:
            low, high = values.min(), values.max()
            step = (high - low) / sides or 1.0
            label = label * sides + np.minimum((values - low) / step, sides - 1).astype(np.intp)
        order = np.argsort(label, kind="stable")
        return cls(order, np.flatnonzero(np.diff(label[order], prepend=-1)))

    def sums(self, planes: Array) -> Array:
        """Sums over each cell of (.., n), (.., cells)."""
        sums: Array = np.add.reduceat(planes[..., self.order], self.first, axis=-1)
        return sums

    def means(self, x: Array) -> Array:
        """The mean of a feature (n,) in each cell, (cells,)."""
        return self.sums(x) / np.diff(self.first, append=len(x))


def grid_of(design: Design, simpler: Mapping[int, Array] | None = None) -> Grid:
    """The grid of the design's law: exponents of a separable law, else whatever parameters are not linear.

    `simpler` holds theta at minima of a simpler law, by position, each (K,): the grid is theirs times the other trials.
    """
    if design.rows < MANY_ROWS:
        return _grid_on(design, simpler or {})
    cells = Cells.of(design.x)
    return replace(_grid_on(design.grouped(cells.means), simpler or {}), cells=cells)


def _grid_on(design: Design, simpler: Mapping[int, Array]) -> Grid:
    if issubclass(design.law, SeparableLaw):
        return _separable_grid(design)
    if issubclass(design.law, GeneralLaw):
        return _general_grid(design, design.law, simpler)
    return _joined_grid(design)


def _separable_grid(design: Design) -> Grid:
    """Over the exponents; floor and coefficients are linear."""
    law, pinned = design.law, design.pinned
    exponents = list(dict.fromkeys(law.position(term.exponent) for term in law.terms))
    usual = np.log(EXPONENTS if len(exponents) <= 2 else COARSE_EXPONENTS)
    axes = [design.within(k, usual) for k in exponents]
    columns, offsets, floor = _floor(design, len(axes))
    for term in law.terms:
        axis = exponents.index(law.position(term.exponent))
        curve = np.exp(-np.outer(design.x[law.feature_names().index(term.feature)], np.exp(axes[axis])))
        curve = curve.reshape(design.rows, *[-1 if k == axis else 1 for k in range(len(axes))])
        k = law.position(term.coefficient)
        if np.isnan(pinned[k]):
            columns.append(Column(curve, (k,)))
        else:
            offsets.append(np.exp(pinned[k]) * curve)
    return Grid(_mesh(design, exponents, axes), tuple(map(len, axes)), tuple(columns), _total(offsets), floor)


def _floor(design: Design, axes: int) -> tuple[list[Column], list[Array], int | None]:
    """The floor's column and its number among the columns, or, pinned, its part of the offset."""
    law, pinned = design.law, design.pinned
    if law.floor is None:
        return [], [], None
    k = law.position(law.floor)
    ones = np.ones((design.rows, *[1] * axes))
    return ([Column(ones, (k,))], [], 0) if np.isnan(pinned[k]) else ([], [np.exp(pinned[k]) * ones], None)


def _joined_grid(design: Design) -> Grid:
    """Over exponents, balance of the terms and shape of a law that scales all its terms together."""
    law, pinned = design.law, design.pinned
    coefficients = [law.position(term.coefficient) for term in law.terms]
    tried = {law.position(term.exponent): np.log(COARSE_EXPONENTS) for term in law.terms}
    together = all(np.isnan(pinned[k]) for k in coefficients)
    tried |= dict.fromkeys(coefficients[1:] if together else [], BALANCES)
    tried |= {law.position(a.name): np.log(a.trials) for a in law.parameters() if a.trials}
    if not together:  # a pinned coefficient is known, the others are tried around the data
        level = float(np.mean(design.log_y)) - 1.5
        tried |= {k: level + BALANCES for k in coefficients if np.isnan(pinned[k])}
    axes = [design.within(k, axis) for k, axis in tried.items()]
    shape = tuple(map(len, axes))
    theta = _mesh(design, list(tried), axes)
    columns, offsets, floor = _floor(design, len(axes))
    if law.floor is not None:
        theta[:, law.position(law.floor)] = -np.inf
    curves = np.exp(law.evaluate(theta, design.x)[0]).T.reshape(design.rows, *shape)
    theta = np.where(np.isnan(pinned), theta, pinned)
    if together:
        columns.append(Column(curves, tuple(coefficients)))
    else:
        offsets.append(curves)
    return Grid(theta, shape, tuple(columns), _total(offsets), floor)


def _general_grid(design: Design, law: type[GeneralLaw], simpler: Mapping[int, Array]) -> Grid:
    """Over minima of a simpler law, if there is one, and the trials of all other parameters that are not linear."""
    pinned, linear = design.pinned, [law.position(name) for name in law.linear]
    known = [k for k in simpler if k not in linear]
    tried = {
        k: _trials(design, about)
        for k, about in enumerate(law.parameters())
        if k not in linear and k not in known
    }
    axes = [design.within(k, axis) for k, axis in tried.items()]
    theta = _mesh(design, list(tried), axes)
    shape = tuple(map(len, axes))
    if known:
        points = np.stack([simpler[k] for k in known], axis=1)
        shape = (len(points), *shape)
        repeats = len(theta)
        theta = np.tile(theta, (len(points), 1))
        theta[:, known] = np.repeat(points, repeats, axis=0)
    off = np.array([-np.inf if about.scale == "log" else 0.0 for about in law.parameters()])
    base = theta.copy()
    base[:, linear] = np.where(np.isnan(pinned[linear]), off[linear], pinned[linear])
    level = law.level(base, design.x)
    columns: list[Column] = []
    floor = None
    for k in linear:
        if np.isnan(pinned[k]):
            one = base.copy()
            one[:, k] = 0.0 if law.parameters()[k].scale == "log" else 1.0
            curve = (law.level(one, design.x) - level).T.reshape(design.rows, *shape)
            if law.parameter_names()[k] == law.floor:
                floor = len(columns)
            columns.append(Column(curve, (k,), law.parameters()[k].scale == "log"))
    theta[:, linear] = np.where(np.isnan(pinned[linear]), 0.0, pinned[linear])
    return Grid(theta, shape, tuple(columns), level.T.reshape(design.rows, *shape), floor)


def _trials(design: Design, about: Parameter) -> Array:
    """Trial values of a parameter, as theta."""
    values = np.array(about.trials)
    if about.location is not None:
        x = design.x[design.law.feature_names().index(about.location)]
        values = x.min() + values * (x.max() - x.min())
    elif about.scale == "log":
        values = np.log(values)
    return np.asarray(values, dtype=np.float64)


def _mesh(design: Design, positions: Sequence[int], axes: Sequence[Array]) -> Array:
    """Theta (G, P) at all combinations of the axes; pinned parameters at their value, the others at 0."""
    known = np.where(np.isnan(design.pinned), 0.0, design.pinned)
    theta = np.empty((*map(len, axes), len(known)))
    theta[:] = known
    for i, (k, axis) in enumerate(zip(positions, axes, strict=True)):
        theta[..., k] = axis.reshape(-1, *[1] * (len(axes) - 1 - i))
    return theta.reshape(-1, len(known))


def _total(parts: list[Array]) -> Array | None:
    return reduce(np.add, parts) if parts else None
