"""What a law's form adds to the doubt: the same question put to several forms, the one chosen by rollout."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from scaling.diagnostics.jsonable import objects
from scaling.diagnostics.quantities import quantities
from scaling.diagnostics.rollout import Rollout, rollout
from scaling.errors import InputError
from scaling.fitting.derived import ends
from scaling.fitting.result import Fit
from scaling.laws.base import Array

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class FormUncertainty:
    """Several forms on the same rows: what each says, and how far they lie apart."""

    chosen: str
    """Name of the law with the lowest rollout error."""
    rollout: Rollout
    """The scorecard that chose it; `rollout.tied` names the laws that it does not tell apart."""
    frame: "pd.DataFrame"
    """One row a form and quantity: form, quantity, value, low, high (by its draws, None without), score
    (of the rollout) and tied (with the chosen form)."""
    spread: "pd.DataFrame"
    """One row a quantity that all forms share: quantity, value, low, high (the chosen form's interval, which takes the
    form for granted), form_low, form_high (the smallest and largest value over all forms) and whole_low, whole_high (the
    hull of all forms' intervals)."""

    def to_json(self) -> dict[str, Any]:
        """Tables and choice, for programs."""
        return {
            "chosen": self.chosen,
            "forms": objects(self.frame),
            "spread": objects(self.spread),
            "rollout": self.rollout.to_json(),
        }


def form_uncertainty(
    fits: Sequence[Fit],
    *,
    compute: float | None = None,
    at: Mapping[str, float] | None = None,
    cuts: Sequence[float] | None = None,
    cluster: str | None = None,
    **options: Any,
) -> FormUncertainty:
    """Put the exponents and predictions of several forms side by side, and choose one by its error beyond cuts.

    The spread over forms, [min_f q_f, max_f q_f], is an interval of its own beside that of the draws: no bootstrap of
    one form knows the others. It is as wide as the forms given make it, not a coverage.

    Args:
        fits: fits of different laws to the same rows by the same objective.
        compute: FLOPs of the optimum asked for; the first fit's own by default.
        at: inputs to predict at.
        cuts: compute cuts of the rollout, by default those of `rollout`.
        cluster: column whose rows the rollout draws together.
        options: more of what `rollout` takes (draws, level, seed) and its refits.

    Raises:
        InputError: fewer than two forms, one law twice, other rows or objectives, fixed parameters, and what
            `rollout` raises.
    """
    import pandas as pd

    _check(fits)
    first = fits[0]
    compute = first.compute if compute is None else compute
    options = {"weights": first.options.weights} | options
    card = rollout(
        first.rows.frame,
        laws=[type(fit.law) for fit in fits],
        losses=[first.objective],
        cuts=cuts,
        cluster=cluster,
        **options,
    )
    scores = {line["law"]: {"score": line["score"], "tied": line["tied"]} for line in objects(card.ranking)}
    unranked = {"score": np.nan, "tied": False}
    rows = []
    for fit in fits:
        told = scores.get(fit.law.name, unranked)
        rows += [{"form": fit.law.name, **row, **told} for row in _quantities(fit, compute, at)]
    frame = pd.DataFrame(rows)
    return FormUncertainty(card.chosen[0], card, frame, _spread(frame, card.chosen[0]))


def _check(fits: Sequence[Fit]) -> None:
    names = [fit.law.name for fit in fits]
    if len(fits) < 2 or len(set(names)) < len(names):
        raise InputError(
            f"the forms are {', '.join(names) or 'none'}; give fits of two different laws or more"
        )
    first = fits[0]
    if any(fit.known.anything for fit in fits):
        raise InputError(
            "a form with parameters that are fixed, bounded or have priors cannot be refitted beside others; give fits "
            "with all free"
        )
    for fit in fits[1:]:
        same = np.array_equal(fit.rows.loss, first.rows.loss) and np.array_equal(
            fit.rows.weights, first.rows.weights
        )
        if not same or fit.objective != first.objective:
            raise InputError(
                f"{fit.law.name} was fitted to other rows or by another objective than {first.law.name}; fit all forms "
                "to one table alike"
            )


def _quantities(fit: Fit, compute: float | None, at: Mapping[str, float] | None) -> list[dict[str, Any]]:
    """The quantities of a fit with the intervals of its draws."""
    law = type(fit.law)
    names, value = quantities(law, fit.law.values()[None, :], compute=compute, at=at)
    low: Array | list[None] = [None] * len(names)
    high = low
    if len(fit.draws):
        draws = quantities(law, fit.draws, compute=compute, at=at)[1]
        without = None if fit.jackknife is None else quantities(law, fit.jackknife, compute=compute, at=at)[1]
        low, high = ends(value[0], draws, fit.intervals.level, without)
    return [
        {"quantity": name, "value": float(value[0, k]), "low": low[k], "high": high[k]}
        for k, name in enumerate(names)
    ]


def _spread(frame: "pd.DataFrame", chosen: str) -> "pd.DataFrame":
    """The quantities that all forms share: the chosen form's interval, and the ends over the forms."""
    import pandas as pd

    forms = frame["form"].nunique()
    rows = []
    for quantity, found in frame.groupby("quantity", sort=False):
        if len(found) < forms:
            continue
        mine = found[found["form"] == chosen].iloc[0]
        values = found["value"].to_numpy(dtype=np.float64)
        low, high = (found[end].fillna(found["value"]).to_numpy(dtype=np.float64) for end in ("low", "high"))
        rows.append(
            {"quantity": quantity, "value": mine["value"], "low": mine["low"], "high": mine["high"]}
            | {"form_low": values.min(), "form_high": values.max()}
            | {"whole_low": low.min(), "whole_high": high.max()}
        )
    return pd.DataFrame(rows)
