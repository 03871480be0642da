"""What a reader must know of a best share besides its interval."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from scaling.fitting.parts import Warned

if TYPE_CHECKING:
    from scaling.exchange.split_curve import Jackknife
    from scaling.exchange.split_status import Judged
    from scaling.exchange.split_table import Budget, Grid

NEAR = 0.02
"""Scores nearer to 0 or 1 hardly tell shares apart."""
UNEQUAL = 0.05
"""Spread of realised totals, relative, that is worth saying."""


def of_grid(grid: Grid) -> tuple[Warned, ...]:
    """What holds of all totals."""
    warned = []
    if len(grid.runs) == 1:
        warned.append(
            Warned(
                "one_run", "one run: intervals are over problems alone, and other seeds may differ by more"
            )
        )
    if grid.left_out:
        warned.append(
            Warned(
                "runs_left_out",
                f"left out, since shares are compared within runs: {'; '.join(grid.left_out)}",
            )
        )
    return tuple(warned)


def doubts(budget: Budget, jackknife: Jackknife, said: Judged) -> tuple[Warned, ...]:
    """What to know of one total."""
    warned = []
    scores = jackknife.tables[0]
    near = int(((scores < NEAR) | (scores > 1 - NEAR)).sum())
    if near:
        warned.append(
            Warned(
                "at_the_end",
                f"{near} of {len(scores)} shares score within {NEAR:g} of 0 or 1, where shares look alike",
            )
        )
    totals = budget.totals / budget.totals.mean()
    if np.ptp(totals) > UNEQUAL:
        least, most = (int(at) for at in (totals.argmin(), totals.argmax()))
        warned.append(
            Warned(
                "totals_differ",
                f"realised totals are not one: {budget.totals[least]:.3g} FLOPs at share {budget.realised[least]:.2g}, "
                f"{budget.totals[most]:.3g} at {budget.realised[most]:.2g}; the better paid shares are flattered",
            )
        )
    if said.missed is not None:
        wider = (
            ""
            if said.answer.best is None
            else "; the interval reaches to shares that are told from the best one"
        )
        message = f"the curve misses a share by {100 * abs(said.missed):.2g} points, more than noise{wider}"
        warned.append(Warned("curve_misses", message))
    return tuple(warned)
