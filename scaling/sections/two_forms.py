"""One data set, two forms: the same runs under the additive law and the p-norm, their numbers and residuals."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from scaling.reporting import numbers, plots
from scaling.reporting.document import Figure, Section, Verdict
from scaling.reporting.style import Groups
from scaling.sections.law import parameter_table

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from scaling.fitting import Fit
    from scaling.study import Analysis


def two_forms(analysis: Analysis) -> Section:
    """Return the fits named ``additive`` and ``p_norm`` side by side."""
    forms: dict[str, Fit] = {"additive": analysis.fits["additive"], "p-norm": analysis.fits["p_norm"]}
    rms = {name: 100 * float(np.sqrt(np.mean(fit.residuals**2))) for name, fit in forms.items()}
    low, high = sorted(rms, key=lambda name: rms[name])
    return Section(
        "Two forms on one data set",
        (
            "The first repetition of the wide window, fitted twice. A residual well below a percent looks like a good "
            "fit in either form; only its pattern, and a form that removes it, says which exponents to believe.",
        ),
        (
            Verdict(
                f"On the same {len(forms['additive'].rows.loss)} runs the {high} form leaves residuals of "
                f"{numbers.plain(rms[high], 2)} % and the {low} form {numbers.plain(rms[low], 2)} %; their exponents of N "
                f"are {numbers.plain(forms[high].parameters['alpha'].value, 3)} and "
                f"{numbers.plain(forms[low].parameters['alpha'].value, 3)}.",
                "measured",
            ),
        ),
        (_figure(forms),),
        tuple(parameter_table(f"{name.replace('-', '_')}-parameters", fit) for name, fit in forms.items()),
    )


def _figure(forms: dict[str, Fit]) -> Figure:
    frame = pd.concat(
        [
            pd.DataFrame({"form": name, **fit.rows.inputs, "residual": 100 * fit.residuals})
            for name, fit in forms.items()
        ],
        ignore_index=True,
    )
    groups = Groups.of(frame, "form")

    def draw(axes: Axes) -> None:
        plots.scales(axes, "Training tokens D", "Residual (%)", log="x")
        plots.residuals(axes, frame, "D", "residual", groups=groups)
        plots.legend(axes)

    return Figure(
        "two-forms",
        "Residuals of both forms against D; a pattern is a form that does not hold.",
        draw,
        frame,
        "Residuals of the additive form bend with D; those of the p-norm scatter about zero.",
    )
