"""One form fitted again and again to other scores of the same cells."""

from scaling.exchange.forms import Form
from scaling.exchange.links import Link
from scaling.exchange.surface import Surfaces, fit_surfaces
from scaling.laws.base import Array


class Fitter:
    """Fits one form to many tables of the same cells; what the first one ruled out is not tried again."""

    def __init__(
        self, form: Form, u: Array, v: Array, weight: Array, link: Link, floor: float | None
    ) -> None:
        """Cells at `u`, `v` with `weight`, (M,) each."""
        self._given = (form, u, v)
        self._weight, self._link, self._floor = weight, link, floor
        self._first: Surfaces | None = None

    def first(self, score: Array) -> Surfaces:
        """The surface of the cells as measured (M,)."""
        self._first = fit_surfaces(*self._given, score[None], self._weight, self._link, floor=self._floor)
        return self._first

    def __call__(self, scores: Array) -> Surfaces:
        """The surfaces of (D, M), which may be none."""
        assert self._first is not None
        if not len(scores):
            return self._first.some(slice(0))
        return fit_surfaces(
            *self._given,
            scores,
            self._weight,
            self._link,
            floor=self._floor,
            candidates=self._first.candidates,
        )
