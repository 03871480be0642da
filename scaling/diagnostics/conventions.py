"""How much of an answer is a convention: one law refitted under each way of counting parameters and compute."""

from collections.abc import Hashable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from scaling.diagnostics.jsonable import objects
from scaling.diagnostics.quantities import side_by_side
from scaling.errors import InputError
from scaling.fitting.derived import estimates
from scaling.fitting.fitted import fit
from scaling.fitting.result import Fit
from scaling.laws import FLOPS_PER_PARAMETER_TOKEN, Law, LossInND
from scaling.records.frame import FLOPS, PARAMS, annealed
from scaling.records.frame import frame as frame_of
from scaling.records.tables import Records

if TYPE_CHECKING:
    import pandas as pd

SIX_ND = "6nd"
"""The convention C = 6 N D, which needs no column."""
Counted = tuple[str, str, "pd.DataFrame", tuple[tuple[Any, str], ...]]
"""Convention for N, for C, the table under them, and rows left out before."""


@dataclass(frozen=True)
class Conventions:
    """One law on the same runs under several conventions."""

    fits: Mapping[tuple[str, str], Fit]
    """The fits, by the convention for N and that for C."""
    frame: "pd.DataFrame"
    """One row a convention and quantity: params, flops, quantity, value, low, high (None without draws)."""
    compute: "pd.DataFrame"
    """One row a convention, for a law in N and D: params, flops, by_N, by_D, with C ~ N^by_N D^by_D over the rows by
    least squares of logarithms; 1 and 1 for 6 N D, NaN where N and D move together."""

    def span(self, quantity: str) -> tuple[float, float]:
        """The smallest and the largest value of a quantity over the conventions, before any noise.

        Raises InputError for an unknown quantity.
        """
        values = self.frame.loc[self.frame["quantity"] == quantity, "value"]
        if not len(values):
            known = ", ".join(dict.fromkeys(self.frame["quantity"]))
            raise InputError(f"there is no quantity {quantity!r} under the conventions; there are {known}")
        return float(values.min()), float(values.max())

    def to_json(self) -> dict[str, Any]:
        """The tables, for programs."""
        return {"quantities": objects(self.frame), "compute": objects(self.compute)}


def conventions(
    law: str | type[Law],
    source: "Records | pd.DataFrame",
    *,
    N: Mapping[str, str] | None = None,
    C: Mapping[str, str] | None = None,
    x: str | None = None,
    **options: Any,
) -> Conventions:
    """Fit a law under every combination of the conventions for N and C.

    Records know theirs: N of matrix products, total or non-embedding; C exact or 6 N D. A table names columns, N =
    {"total": "params", "non_embedding": "params_body"} and C = {"exact": "flops"}; 6 N D is always one more.

    A law in N and D takes C = 6 N D for its optimum. Where the table counts C otherwise, C ~ N^a D^b over the rows,
    the loss is least at given C for N_opt ~ C^(s / (a s + b (1 - s))) with s = N_exponent, because the marginal gains
    alpha A N^-alpha / a and beta B D^-beta / b are equal there: that is `N_exponent_counted`.

    Args:
        law: name or class.
        source: records, or a table with loss and D (or a C to derive D from).
        N: column of each convention for N, for a table.
        C: column of each convention for C, for a table.
        x: which of N, D and C a law in one input x takes.
        options: more of what `fit` takes.

    Raises:
        InputError: columns for records, none for a table, and what `fit` raises.
    """
    import pandas as pd

    if isinstance(source, Records) and (N or C):
        raise InputError("records know their conventions; leave N and C out")
    counted = _of_records(source) if isinstance(source, Records) else _of_table(source, N or {}, C or {})
    before = tuple(options.pop("excluded", ()))
    fits, parts, compute = {}, [], []
    for params, flops, table, left_out in counted:
        table = table if x is None else table.assign(x=table[x])
        named = {"params": params, "flops": flops}
        found = fit(law, table, convention=named, excluded=before + left_out, **options)
        fits[params, flops] = found
        by_N, by_D = _powers(found)
        compute.append({**named, "by_N": by_N, "by_D": by_D})
        rows = side_by_side({"": found}).to_dict("records") + _counted(found, by_N, by_D)
        parts.append(pd.DataFrame(rows).assign(**named))
    order = ["params", "flops", "quantity", "value", "low", "high"]
    return Conventions(fits, pd.concat(parts, ignore_index=True)[order], pd.DataFrame(compute))


def _of_records(records: Records) -> Iterator[Counted]:
    for params in PARAMS:
        for flops in FLOPS:
            table, left_out = annealed(frame_of(records, params=params, flops=flops))
            yield params, flops, table, left_out


def _of_table(frame: "pd.DataFrame", N: Mapping[str, str], C: Mapping[str, str]) -> Iterator[Counted]:
    """The table under each convention; 6 N D drops C, and where D is missing takes it from the other C."""
    if not N:
        raise InputError("no convention for N was given; name columns, N={'total': 'params', ...}")
    missing = [column for column in (*N.values(), *C.values()) if column not in frame]
    if missing:
        raise InputError(
            f"no column is called {missing[0]}; the table has {', '.join(map(str, frame.columns[:12]))}"
        )
    for params, size in N.items():
        for flops, cost in (C if SIX_ND in C else {**C, SIX_ND: None}).items():
            if flops == SIX_ND and cost is None and "D" not in frame:
                continue  # D itself follows from the C counted
            table = frame.assign(N=frame[size])
            if cost is not None:
                table = table.assign(C=frame[cost])
            elif "D" in frame:
                table = table.assign(C=FLOPS_PER_PARAMETER_TOKEN * frame[size] * frame["D"])
            yield params, flops, table, ()


def _powers(found: Fit) -> tuple[float, float]:
    """Exponents a, b of C ~ N^a D^b over the rows; NaN where the rows do not tell, or the law has no N and D."""
    rows = found.rows
    if (
        rows.C is None
        or not isinstance(found.law, LossInND)
        or not np.all(np.isfinite(rows.C) & (rows.C > 0))
    ):
        return np.nan, np.nan
    N, D = rows.inputs["N"], rows.inputs["D"]
    if np.allclose(rows.C, FLOPS_PER_PARAMETER_TOKEN * N * D, rtol=1e-9):
        return 1.0, 1.0
    X = np.column_stack([np.ones(len(N)), np.log(N), np.log(D)])
    powers, _, rank, _ = np.linalg.lstsq(X - [0, *X[:, 1:].mean(axis=0)], np.log(rows.C), rcond=1e-8)
    return (float(powers[1]), float(powers[2])) if rank == 3 else (np.nan, np.nan)


def _counted(found: Fit, by_N: float, by_D: float) -> list[dict[Hashable, Any]]:
    """The exponents of the optimum in C as it is counted, each with its interval; none where that is unknown."""
    if not np.isfinite([by_N, by_D]).all():
        return []
    law = type(found.law)
    assert issubclass(law, LossInND)

    def exponents(values: Any) -> Any:
        share = np.broadcast_to(np.ravel(law.from_values(values).N_exponent), len(values))
        total = by_N * share + by_D * (1 - share)
        return np.column_stack([share / total, (1 - share) / total])

    names = ("N_exponent_counted", "D_exponent_counted")
    draws = exponents(found.draws) if len(found.draws) else np.empty((0, 2))
    ends = estimates(names, exponents(found.law.values()[None, :])[0], draws, found.intervals.level)
    return [{"quantity": name, "value": e.value, "low": e.low, "high": e.high} for name, e in ends.items()]
