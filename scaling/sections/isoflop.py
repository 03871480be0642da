"""IsoFLOP curves: loss against size at equal compute, the best size of each budget, and the law through them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from scaling.reporting import numbers, plots
from scaling.reporting.document import Figure, Section, Table, Verdict
from scaling.reporting.style import Groups
from scaling.sections.law import text

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from scaling.fitting import BudgetFit, Estimate, IsoflopFit
    from scaling.study import Analysis


def isoflop(analysis: Analysis) -> Section:
    """Return the curves of the fit named ``isoflop``, their optima, and the exponent of the best size."""
    fit: IsoflopFit = analysis.fits["isoflop"]
    inside = sum(b.status == "interior" for b in fit.budgets)
    how = f"{100 * fit.intervals.level:g} % intervals: {fit.intervals.method}, {fit.intervals.draws} draws"
    return Section(
        "IsoFLOP curves",
        (
            f"At each of {len(fit.budgets)} compute budgets a parabola of log loss in log N passes through the runs; its "
            f"lowest point is the best size. {inside} of {len(fit.budgets)} optima lie between the sizes that were trained; "
            "one at an edge is refused, not reported.",
            f"The spread of a run about its curve is {numbers.percent(fit.noise)} of the loss "
            f"({fit.noise_freedom} degrees of freedom). {how}. C is the exact ledger's count, attention included. Small "
            "models spend much of it on attention, so the two exponents need not sum to 1, and need not equal the law's, "
            "which are those of C = 6 N D.",
        ),
        (_verdict(fit),),
        (curves_figure(fit), *optimal_size_figures(fit)),
        (optima_table(fit),),
    )


def _verdict(fit: IsoflopFit) -> Verdict:
    if fit.law is None:
        return Verdict(
            "The best size for a budget cannot be said: fewer than two budgets have an interior optimum.",
            "not identified",
        )
    a = fit.derived["N_exponent"]
    b = fit.derived["D_exponent"]
    claim = (
        f"Along the isoFLOP optima the best size grows as N ~ C^a with a = {text(a)} and its tokens as D ~ C^b with "
        f"b = {text(b)} ({100 * fit.intervals.level:g} % intervals, exact C)."
    )
    doubts = "; ".join(w.message for w in fit.warnings)
    if doubts:
        return Verdict(f"{claim} Not to be relied on: {doubts}.", "not identified")
    return Verdict(claim, "measured")


def _budget(C: float) -> str:
    return f"C = {numbers.quantity(C)}"


def curves_figure(fit: IsoflopFit, loss: str = "Held-out loss (nats/token)") -> Figure:
    """Return the runs of each budget with its curve and optimum."""
    rows = fit.frame[["budget", "N", "loss"]].astype(float)
    lines, best = [], []
    for b in fit.budgets:
        if b.curve is not None:
            N = np.geomspace(b.curve.N_low / 1.15, b.curve.N_high * 1.15, 60)
            lines.append(pd.DataFrame({"budget": b.C, "N": N, "loss": b.curve.predict(N=N)}))
        if b.N_optimal is not None and b.loss_optimal is not None:
            best.append((b.N_optimal.value, b.N_optimal.low, b.N_optimal.high, b.loss_optimal.value))
    curves = pd.concat(lines)
    optima = pd.DataFrame(best, columns=["N", "low", "high", "loss"]).astype(float)
    rows["budget"] = _snapped(rows["budget"], fit.budgets)
    groups = Groups.of(rows, "budget", _budget)

    def draw(axes: Axes) -> None:
        plots.scales(axes, "Parameters N", loss, log="x")
        plots.curves(axes, curves, "N", "loss", groups=groups)
        plots.points(axes, rows, "N", "loss", groups=groups)
        plots.optima(axes, optima, "N", "loss", low="low", high="high")
        plots.legend(axes)

    return Figure(
        "isoflop-curves",
        "Loss against size at equal compute, with the parabola of each budget; diamonds mark the best sizes, bars their "
        "intervals.",
        draw,
        rows,
        "One U-shaped curve a budget; larger budgets lie lower and have their lowest point further right.",
    )


def _snapped(values: pd.Series, budgets: tuple[BudgetFit, ...]) -> pd.Series:
    """The budgets' own C for each row, so that rows and curves share a group."""
    known = np.array([b.C for b in budgets])
    nearest = np.abs(np.log(values.to_numpy()[:, None] / known)).argmin(1)
    return pd.Series(known[nearest], index=values.index)


def optimal_size_figures(fit: IsoflopFit) -> list[Figure]:
    """Return the optima against compute with the power law through them; none without the law."""
    if fit.law is None:
        return []
    kept = [(b.C, b.N_optimal) for b in fit.budgets if b.N_optimal is not None]
    optima = pd.DataFrame(
        [(C, n.value, n.low, n.high) for C, n in kept], columns=["C", "N", "low", "high"]
    ).astype(float)
    C = np.geomspace(optima["C"].min() / 2, optima["C"].max() * 2, 40)
    line = pd.DataFrame({"C": C, "N": fit.law.N_optimal(C)})

    def draw(axes: Axes) -> None:
        plots.scales(axes, "Training compute C (FLOP)", "Best size N", log="xy")
        plots.curves(axes, line, "C", "N", label=f"N = k C^a, a = {text(fit.derived['N_exponent'])}")
        plots.points(axes, optima, "C", "N", low="low", high="high", label="Optimum of a budget")
        plots.legend(axes)

    return [
        Figure(
            "optimal-size",
            "The best size of each budget with its interval, and the power law through them.",
            draw,
            optima,
            "Best sizes rising with compute on logarithmic axes, with a straight line through them.",
        )
    ]


def optima_table(fit: IsoflopFit) -> Table:
    """Return the optimum of each budget with its intervals."""

    def parts(name: str, found: Estimate | None) -> dict[str, float | None]:
        ends = (None, None, None) if found is None else (found.value, found.low, found.high)
        return dict(zip((name, f"{name}_low", f"{name}_high"), ends, strict=True))

    inside = all(b.status == "interior" for b in fit.budgets)
    frame = pd.DataFrame(
        [
            {
                "C": b.C,
                **({} if inside else {"optimum": b.status}),
                **parts("N", b.N_optimal),
                **parts("D", b.D_optimal),
                **parts("tokens_per_param", b.tokens_per_param),
            }
            for b in fit.budgets
        ]
    )
    return Table(
        "isoflop-optima",
        "The optimum of each budget; the loss there is in `results.json`.",
        frame,
        headings={"N": "best N", "tokens_per_param": "D / N", "D": "its D"},
        formats={"C": numbers.quantity},
        estimates={name: (f"{name}_low", f"{name}_high") for name in ("N", "D", "tokens_per_param")},
    )
