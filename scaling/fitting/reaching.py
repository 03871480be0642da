"""How much compute a run needed to reach a score, and whether larger models need less of it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal

import numpy as np

from scaling.fitting.parts import Estimate

if TYPE_CHECKING:
    import pandas as pd

Counted = Literal["C", "total"]


def reached(rows: pd.DataFrame, scores: Sequence[float]) -> pd.DataFrame:
    """Return what each run had spent when it first reached each score.

    ``rows`` has run_id, width, N, seed, C [FLOP of RL; 0 at the start], total (with pretraining) and score. Between the two
    checkpoints about the first crossing the score is taken as straight in log C, and in C where one is the start. Columns
    run_id, width, N, seed, asked, C, total [FLOP; missing where it was never reached], start (whether the run had it before
    RL: then C = 0).
    """
    import pandas as pd

    found = []
    for _, run in rows.sort_values("C").groupby("run_id", sort=False):
        before = float((run["total"] - run["C"]).iloc[0])
        for asked in scores:
            C = _crossing(run["C"].to_numpy(dtype=float), run["score"].to_numpy(dtype=float), asked)
            first = run.iloc[0]
            found.append(
                {
                    **{name: first[name] for name in ("run_id", "width", "N", "seed")},
                    "asked": asked,
                    "C": C,
                    "total": before + C,
                    "start": C == 0,
                }
            )
    return pd.DataFrame(found, columns=["run_id", "width", "N", "seed", "asked", "C", "total", "start"])


def by_size(found: pd.DataFrame) -> pd.DataFrame:
    """Return one row a score and size: runs, reached, at_start, and the geometric mean, lowest and highest C and total.

    Means are over the runs that reached it; C leaves out those that had it before RL.
    """
    import pandas as pd

    rows = []
    for (asked, width), part in found.groupby(["asked", "width"]):
        row: dict[str, object] = {
            "asked": asked, "width": width, "runs": len(part), "reached": int(part["C"].notna().sum()),
            "at_start": int(part["start"].sum()),
        }  # fmt: skip
        for name in ("C", "total"):
            values = part.loc[part[name].notna() & (part[name] > 0), name].to_numpy(dtype=float)
            some = len(values) > 0
            row[name] = float(np.exp(np.log(values).mean())) if some else np.nan
            row[f"{name}_low"], row[f"{name}_high"] = (
                (values.min(), values.max()) if some else (np.nan, np.nan)
            )
        rows.append(row)
    return pd.DataFrame(rows)


def exponent(found: pd.DataFrame, asked: float, counted: Counted = "C") -> Estimate | str:
    """Return g in C ~ N^g, the compute to reach a score against size, with Student's 95 % interval; or why there is none.

    A straight line through log C by log N of every run, n - 2 degrees of freedom: runs are independent, and the line's own
    misfit counts as noise. Not where a run never got there or started above it, since the others alone would mislead.
    """
    from scipy.stats import linregress, t

    rows = found[found["asked"].eq(asked)]
    never, above = int(rows[counted].isna().sum()), int(rows["start"].sum())
    if never or above:
        parts = [f"{never} of {len(rows)} runs never reached it"] if never else []
        parts += [f"{above} of {len(rows)} had it before RL"] if above else []
        return " and ".join(parts)
    if rows["N"].nunique() < 2 or len(rows) < 3:
        return "it takes two sizes and three runs"
    line = linregress(np.log(rows["N"].to_numpy(dtype=float)), np.log(rows[counted].to_numpy(dtype=float)))
    half = float(t.ppf(0.975, len(rows) - 2) * line.stderr)
    g = float(line.slope)
    return Estimate(g, g - half, g + half, float(line.stderr))


def _crossing(C: np.ndarray, score: np.ndarray, asked: float) -> float:
    """Return where rows in order of C first reach a score; NaN if they never do."""
    at = int(np.argmax(score >= asked))
    if not score[at] >= asked:
        return float("nan")
    if at == 0:
        return float(C[0])
    share = (asked - score[at - 1]) / (score[at] - score[at - 1])
    if C[at - 1] <= 0:
        return float(share * C[at])
    return float(np.exp(np.log(C[at - 1]) + share * np.log(C[at] / C[at - 1])))
