"""`fit.plot`: what a report shows, on matplotlib axes of one's own."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from scaling.fitting import figures

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from scaling.fitting.result import Fit
    from scaling.reporting.document import Figure


@dataclass(frozen=True)
class Plots:
    """What `fit.plot` offers: each draws one figure on the axes given, or on new ones, and returns them."""

    fit: Fit
    """The fit."""

    def data(self, ax: Axes | None = None) -> Axes:
        """The rows and the law."""
        return _on(figures.data_and_law(self.fit), ax)

    def residuals(self, axis: str | None = None, ax: Axes | None = None) -> Axes:
        """Residuals against an input, by default the law's first."""
        return _on(figures.residuals(self.fit, axis or self.fit.law.inputs[0]), ax)

    def surface(self, ax: Axes | None = None) -> Axes:
        """The loss over N and D, with the frontier."""
        return _on(figures.surface(self.fit), ax)

    def extrapolation(self, ax: Axes | None = None) -> Axes:
        """The loss on the frontier past the largest run, with its band."""
        return _on(figures.fan(self.fit), ax)

    def draws(self, first: str | None = None, second: str | None = None, ax: Axes | None = None) -> Axes:
        """The bootstrap draws of two parameters."""
        return _on(figures.cloud(self.fit, first, second), ax)


def _on(figure: Figure, ax: Axes | None) -> Axes:
    if ax is None:
        from matplotlib import pyplot

        ax = pyplot.subplots()[1]
    figure.draw(ax)
    return ax
