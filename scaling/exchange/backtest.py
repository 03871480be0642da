"""Forms of the surface ranked by what they say of a training level that they have not seen."""

import numpy as np

from scaling.errors import FitError
from scaling.exchange import forms
from scaling.exchange.design import Design
from scaling.exchange.links import Link
from scaling.exchange.surface import fit_surfaces


def backtest(design: Design, link: Link, floor: float | None) -> dict[str, float]:
    """Root mean square error in score at each training level in turn, left out of the fit, by form; the best first.

    The two outer levels are extrapolated to. A form with too many coefficients for the cells that stay is left out.
    """
    u, v, score, weight = design.cells
    levels = np.unique(u)
    found = {}
    for form in forms.ALL:
        try:
            errors = []
            for level in levels:
                out = u == level
                surface = fit_surfaces(
                    form(), u[~out], v[~out], score[None, ~out], weight[~out], link, floor=floor
                )
                errors.append(surface.score(u[out], v[out])[0] - score[out])
        except FitError:
            continue
        found[form.name] = float(np.sqrt(np.mean(np.concatenate(errors) ** 2)))
    return dict(sorted(found.items(), key=lambda one: one[1]))
