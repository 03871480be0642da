"""Which rows the answer hangs on: the fit repeated without each run, budget or group."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from scaling.diagnostics.jsonable import objects, plain
from scaling.diagnostics.quantities import quantities, relative_rise
from scaling.diagnostics.refits import By, Groups, groups_of, without
from scaling.errors import InputError
from scaling.fitting.problems import Problems
from scaling.fitting.result import Fit
from scaling.laws.base import Array

if TYPE_CHECKING:
    import pandas as pd

DISPLACEMENT = "displacement"
"""The measure of influence that no choice of parameter enters."""


@dataclass(frozen=True)
class Influence:
    """A fit beside its refits without each group of rows."""

    by: str
    """What the rows were grouped by; `row` where each stands alone."""
    sort: str
    """What the table is sorted by: `displacement`, or the quantity whose change counts."""
    full: Mapping[str, float]
    """The quantities with all rows: parameters, derived numbers, and the prediction asked for."""
    frame: "pd.DataFrame"
    """One row a group, the most influential first: group, rows, displacement, status, then each quantity without the
    group and `<quantity>_change`, that minus the value with all rows.

    displacement = (Q(theta without the group) - Q(theta)) / Q(theta), Q over ALL rows: by how much the answer
    without the group fits the whole table worse. NaN where the rows left have no answer, which status explains.
    """

    def top(self, count: int = 5) -> list[Any]:
        """The labels of the most influential groups."""
        labels: list[Any] = self.frame["group"].head(count).tolist()
        return labels

    def furthest(self, quantity: str, count: int = 5) -> list[Any]:
        """The groups that together pull a quantity furthest to one side, the strongest first.

        Effects of single groups nearly add up where they are small, so that the `count` largest of one sign approximate
        the most influential set (Broderick, Giordano and Meager 2020, arXiv:2011.14999); give it back to `influence` as
        a named set to see its effect exactly. Fewer come back where fewer pull to that side.
        Raises InputError for an unknown quantity.
        """
        if quantity not in self.full:
            raise InputError(f"there is no quantity {quantity!r}; there are {', '.join(self.full)}")
        changes = self.frame.set_index("group")[f"{quantity}_change"].dropna().sort_values(kind="stable")
        down, up = changes.head(count), changes.tail(count)[::-1]
        down, up = down[down < 0], up[up > 0]
        labels: list[Any] = (down if -down.sum() >= up.sum() else up).index.tolist()
        return labels

    def to_json(self) -> dict[str, Any]:
        """The table, for programs."""
        return {
            "by": self.by,
            "sort": self.sort,
            "full": {name: plain(value) for name, value in self.full.items()},
            "groups": objects(self.frame),
        }


def influence(
    fit: Fit,
    by: By = "run",
    *,
    compute: float | None = None,
    at: Mapping[str, float] | None = None,
    sort: str = DISPLACEMENT,
) -> Influence:
    """Refit without each group of rows, and list what changes, the largest effect first.

    displacement_g = (Q(theta_-g) - Q(theta)) / Q(theta), with Q the objective over all rows (the likelihood
    displacement of Cook 1986, "Assessment of local influence", for any objective).

    Rows that support each other hide each other: leaving out one of five outliers moves little where leaving out all
    five moves much. Group what belongs together, by a column or by named sets of rows.

    Args:
        fit: the fit with all rows; its bootstrap is not needed.
        by: `run` (column run_id, else each row), `row`, `budget`, a column, or {name: row labels}.
        compute: FLOPs at which the optimum is wanted; the fit's own by default.
        at: inputs to predict at, by name.
        sort: `displacement`, or a quantity whose absolute change counts, for example `beta`.

    Raises:
        InputError: an unknown column, row, quantity or input, or a single group.
    """
    groups = groups_of(fit, by)
    law = type(fit.law)
    compute = fit.compute if compute is None else compute
    names, full = quantities(law, fit.law.values()[None, :], compute=compute, at=at)
    if sort != DISPLACEMENT and sort not in names:
        raise InputError(f"there is no quantity {sort!r} to sort by; give displacement or {', '.join(names)}")
    values, status = without(fit, groups)
    changed = quantities(law, values, compute=compute, at=at)[1]
    frame = _table(fit, groups, values, status).join(_columns(names, changed, full[0]))
    effect = frame[DISPLACEMENT] if sort == DISPLACEMENT else frame[f"{sort}_change"].abs()
    order = np.argsort(-effect.to_numpy(), kind="stable")  # NaN last
    return Influence(
        groups.by,
        sort,
        dict(zip(names, full[0].tolist(), strict=True)),
        frame.iloc[order].reset_index(drop=True),
    )


def _table(fit: Fit, groups: Groups, values: Array, status: list[str]) -> "pd.DataFrame":
    """Group, rows, displacement and status."""
    import pandas as pd

    design = fit.design
    theta = design.law.to_theta(values, design.centre)
    good = np.flatnonzero(np.isfinite(values).all(axis=1))
    displacement = np.full(len(values), np.nan)
    every = Problems.of(design, fit.objective, np.ones((len(good), design.rows)))
    displacement[good] = relative_rise(every.value(theta[good]), fit.value)
    columns = {
        "group": list(groups.labels),
        "rows": groups.members.sum(axis=1),
        DISPLACEMENT: displacement,
        "status": status,
    }
    return pd.DataFrame(columns)


def _columns(names: tuple[str, ...], changed: Array, full: Array) -> "pd.DataFrame":
    """Each quantity without each group (G, K), and its change."""
    import pandas as pd

    columns: dict[str, Array] = {}
    for k, name in enumerate(names):
        columns[name] = changed[:, k]
        columns[f"{name}_change"] = changed[:, k] - full[k]
    return pd.DataFrame(columns)
