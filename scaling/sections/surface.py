"""The loss surface in N and D, the frontier of best sizes across it, and the residuals of the runs."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from scaling.fitting import figures
from scaling.reporting import numbers
from scaling.reporting.document import Section

if TYPE_CHECKING:
    from scaling.fitting import Fit
    from scaling.study import Analysis


def surface(analysis: Analysis) -> Section:
    """Return the fitted surface with its frontier, and the residuals against N and D."""
    fit: Fit = analysis.fits["law"]
    residual = 100 * float(np.sqrt(np.mean(fit.residuals**2)))
    return Section(
        "Surface and residuals",
        (
            "The contours are the fitted law over the range of the runs. The frontier is the size that the law puts at "
            "the lowest loss for each compute under C = 6 N D, with the chosen N; it is drawn only where runs lie.",
            f"The residuals have a root mean square of {numbers.plain(residual, 2)} % of the loss. A law that fits shows "
            "no pattern in them along either axis.",
        ),
        figures=(figures.surface(fit), figures.residuals(fit, "N"), figures.residuals(fit, "D")),
    )
