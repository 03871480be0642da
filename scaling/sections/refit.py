"""One public data set by several estimators, beside what was published of it, and why the numbers differ."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from scaling.reporting import numbers, plots
from scaling.reporting.document import Figure, Section, Table, Verdict
from scaling.reporting.style import Groups
from scaling.sections.law import shown

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from scaling.diagnostics import DeltaPath, ExponentPlane, Influence, Rollout
    from scaling.fitting import Fit
    from scaling.laws import Law
    from scaling.study import Analysis


def estimators(analysis: Analysis) -> Section:
    """Return the fits whose names start with ``fit: `` beside the published values of ``published``."""
    fits: dict[str, Fit] = {name[5:]: fit for name, fit in analysis.fits.items() if name.startswith("fit: ")}
    published = analysis.fits["published"].frame
    reference = next(iter(fits.values()))
    lad = fits["absolute deviations"]
    replication = published.set_index("source").loc["Besiroglu et al. 2024"]
    names = reference.law.parameter_names()
    apart = {
        which: max(abs(getattr(fit.law, name) / replication[name] - 1) for name in names)
        for which, fit in (("absolute deviations", lad), (next(iter(fits)), reference))
    }
    hoffmann = published.set_index("source").loc["Hoffmann et al. 2022"]
    law = type(reference.law)(**{name: float(hoffmann[name]) for name in names})
    worse = objective_at(reference, law) / reference.value - 1
    frame = pd.concat([_rows(fits), published.assign(what="published")], ignore_index=True)
    return Section(
        "Estimators",
        (
            "The same points by four estimators. Each minimises a sum over the rows; the lowest of many starts is taken, "
            "and its intervals are bootstrap percentiles over the rows.",
        ),
        (
            Verdict(
                f"The published replication's point is the minimum of absolute deviations, within "
                f"{numbers.percent(apart['absolute deviations'])} in every parameter, and not that of Huber's loss, which "
                f"lies up to {numbers.percent(apart[next(iter(fits))])} away: beta = {shown(reference, 'beta')} by Huber, "
                f"{shown(lad, 'beta')} by absolute deviations.",
                "supported"
                if apart["absolute deviations"] < 1e-3 < apart[next(iter(fits))]
                else "contradicted",
            ),
            Verdict(
                f"The parameters printed by Hoffmann et al. 2022 lie {numbers.percent(worse)} above the lowest objective; "
                f"the points say N ~ C^a with a = {shown(reference, 'N_exponent')}, theirs give "
                f"{numbers.plain(float(hoffmann['N_exponent']), 3)}.",
                "measured",
            ),
        ),
        tables=(_table(frame, tuple(name for name in names if name not in "AB")),),
    )


def objective_at(fit: Fit, law: Law) -> float:
    """The fit's objective at another law's parameters."""
    predicted = np.log(law.predict(**fit.rows.inputs))
    return float(fit.objective.value(predicted, np.log(fit.rows.loss), fit.rows.weights))


def _rows(fits: dict[str, Fit]) -> pd.DataFrame:
    rows = []
    for name, fit in fits.items():
        estimates = {**fit.parameters, "N_exponent": fit.derived["N_exponent"]}
        row: dict[str, object] = {
            "source": name,
            "what": f"{len(fit.rows.loss)} rows",
            "objective": fit.value,
        }
        for key, e in estimates.items():
            row |= {key: e.value, f"{key}_low": e.low, f"{key}_high": e.high}
        rows.append(row)
    return pd.DataFrame(rows)


def _table(frame: pd.DataFrame, names: tuple[str, ...]) -> Table:
    ends = [f"{name}_{end}" for name in (*names, "N_exponent") for end in ("low", "high")]
    return Table(
        "estimators",
        "Floor and exponents by estimator, with 95 % intervals, and as published; results.json has every parameter.",
        frame[["source", "what", "objective", *names, "N_exponent", *ends]],
        headings={"source": "estimator or source", "what": "rows"},
        formats={"objective": lambda v: "" if pd.isna(v) else numbers.plain(v, 6)},
        estimates={name: (f"{name}_low", f"{name}_high") for name in (*names, "N_exponent")},
    )


def hangs_on(analysis: Analysis) -> Section:
    """Return the delta path, the influence of the rows that were cut, and the profile over the exponents."""
    path: DeltaPath = analysis.fits["delta path"]
    held: Influence = analysis.fits["influence"]
    plane: ExponentPlane = analysis.fits["exponent plane"]
    cut, whole = held.frame.iloc[0], analysis.fits["fit: Huber, all rows"]
    marks = plane.marks
    out = marks[(marks["kind"] == "published") & ~marks["inside"].astype(bool)]["mark"].tolist()
    return Section(
        "What the answer hangs on",
        (
            "Huber's loss is one of squares within delta and of absolute deviations beyond; as delta falls the answer goes "
            "from one to the other.",
            "In the plane of exponents all other parameters are fitted at each point.",
        ),
        (
            Verdict(
                f"{int(cut['rows'])} of {len(whole.rows.loss)} points, {cut['group']}, decide beta: {shown(whole, 'beta')} "
                f"with them, {numbers.plain(float(cut['beta']), 4)} without. The replication leaves them out.",
                "measured",
            ),
            Verdict(
                f"As delta falls from {path.frame['delta'].max():g} to 0 the answer moves: {path.told('beta')}.",
                "measured",
            ),
            Verdict(
                f"Outside the {100 * (plane.level or 0):g} % set of the exponents lie: "
                f"{', '.join(out) or 'none of the published'}.",
                "measured",
            ),
        ),
        (_path_figure(path), _plane_figure(plane)),
        (
            Table(
                "delta-path",
                "The fit along Huber's delta; 0 is least absolute deviations. `inside` is the share of rows within delta.",
                path.frame[["delta", "inside", "value", "E", "alpha", "beta", "N_exponent"]],
                headings={"value": "objective"},
            ),
        ),
    )


def _path_figure(path: DeltaPath) -> Figure:
    frame = path.frame.loc[path.frame["delta"] > 0, ["delta", "alpha", "beta"]]
    long = frame.melt(id_vars="delta", value_vars=["alpha", "beta"], var_name="exponent", value_name="value")
    groups = Groups.of(long, "exponent")

    def draw(axes: Axes) -> None:
        plots.scales(axes, "Huber's delta", "Exponent", log="x")
        plots.curves(axes, long, "delta", "value", groups=groups)
        plots.points(axes, long, "delta", "value", groups=groups)
        plots.legend(axes)

    return Figure(
        "delta", "Exponents against Huber's delta.", draw, long, "Two curves, flat for small delta."
    )


def _plane_figure(plane: ExponentPlane) -> Figure:
    frame = plane.frame.assign(rise=100 * plane.frame["rise"] + 0.01)
    first, second = plane.names
    marks = plane.marks
    own, others = marks[marks["kind"] != "published"], marks[marks["kind"] == "published"]
    groups = Groups.of(others, "mark")

    def draw(axes: Axes) -> None:
        plots.scales(axes, first, second)
        plots.contours(axes, frame, first, second, "rise", label="Objective over its minimum (%)", log=True)
        plots.optima(axes, own, first, second, label="Minimum")
        plots.points(axes, others, first, second, groups=groups)
        plots.legend(axes)

    return Figure(
        "exponents",
        "The objective with both exponents held and all others fitted, and what was published.",
        draw,
        frame,
        "A valley around the minimum, with published points beside it.",
    )


def beyond(analysis: Analysis) -> Section:
    """Return which law and loss predict beyond compute cuts."""
    card: Rollout = analysis.fits["rollout"]
    best = card.ranking.iloc[0]
    ties = [f"{law} by {loss}" for law, loss in card.tied if (law, loss) != card.chosen]
    tied = f"; these points do not tell it from {', '.join(ties)}" if ties else ""
    return Section(
        "Beyond the rows",
        ("Each law and loss is fitted below a compute cut and asked for the rows above it.",),
        (
            Verdict(
                f"Beyond {len(card.cuts)} compute cuts {best['law']} by {best['loss']} predicts best, within "
                f"{numbers.percent(float(best['score']))} root-mean-square{tied}.",
                "measured",
            ),
        ),
        tables=(
            Table(
                "rollout",
                "Laws and losses by their error above the cuts, as shares of the loss.",
                card.ranking,
                formats=dict.fromkeys(
                    ("score", "bias", "worst"), lambda share: numbers.percent(float(share))
                ),
                estimates={"difference": ("low", "high")},
            ),
        ),
    )
