"""Were the runs tuned? Learning-rate arms around the recipe, at several widths."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from scaling.records.frame import frame
from scaling.reporting import numbers, plots
from scaling.reporting.document import Figure, Section, Table, Verdict
from scaling.reporting.style import Groups

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from scaling.study import Analysis


def arms(rows: pd.DataFrame) -> pd.DataFrame:
    """Return the mean held-out loss and its standard error over seeds for each width and arm.

    ``rows`` is ``records.frame`` of whole runs. A diverged arm stays, with a missing loss. Columns: width, arm
    (learning rate over the recipe's), lr, seeds (with a loss), all (seeds), loss, se, penalty (loss over the width's
    best, in nats).
    """
    ended = rows[rows["annealed"] | rows["status"].ne("done")]
    grouped = ended.groupby(["width", "lr_over_recipe"], as_index=False).agg(
        lr=("lr", "first"),
        seeds=("loss", "count"),
        loss=("loss", "mean"),
        sd=("loss", "std"),
        all=("loss", "size"),
    )
    complete = grouped["seeds"] == grouped["all"]
    grouped["loss"] = grouped["loss"].where(complete)
    grouped["se"] = grouped["sd"] / np.sqrt(grouped["seeds"])
    grouped["penalty"] = grouped["loss"] - grouped.groupby("width")["loss"].transform("min")
    return grouped.rename(columns={"lr_over_recipe": "arm"}).drop(columns=["sd"]).astype(float)


def hyperparameters(analysis: Analysis) -> Section:
    """Return the evidence that the recipe's learning rate is near the optimum at every width."""
    records = analysis.companions.get("tune", analysis.records)
    rows = frame(records)
    table = arms(rows)
    title = "Were the runs tuned?"
    found = optima(rows)
    if found.empty:
        some = (
            f"{table['arm'].nunique()} learning-rate arms with {_seeds(table)} are"
            if len(table)
            else "None are"
        )
        return Section(
            title,
            (
                f"{some} among these records; nothing here says how far the recipe is from the optimum, which takes three "
                "arms and five runs at a width. The preset `tune` trains them.",
            ),
        )
    low, high = table["arm"].min(), table["arm"].max()
    inside = found["low"].gt(low) & found["high"].lt(high)
    worst = found.iloc[int(found["penalty"].to_numpy().argmax())]
    verdict = Verdict(
        f"The best learning rate lies inside the arms at {int(inside.sum())} of {len(found)} widths, between "
        f"{numbers.plain(found['best'].min(), 2)} and {numbers.plain(found['best'].max(), 2)} times the recipe's; the "
        f"recipe costs at most {numbers.estimate(worst['penalty'], worst['penalty_low'], worst['penalty_high'])} nats "
        f"(width {worst['width']:.0f}).",
        "supported" if inside.all() else "not identified",
    )
    return Section(
        title,
        (
            f"Whole runs at {low:g} to {high:g} times the recipe's peak learning rate, one warm-up and one decay each, "
            f"{_seeds(table)} an arm. A parabola of loss in the logarithm of the rate gives each width's best rate and "
            "what the recipe loses to it; intervals are 95 % of draws of the parabola's coefficients from their "
            "least-squares errors, with Student's tails.",
            *_other_text(analysis),
        ),
        (verdict,),
        (_figure(table),),
        (_optima_table(found), _table(table)),
    )


def _seeds(table: pd.DataFrame) -> str:
    """How many seeds the arms have, in words."""
    low, high = int(table["all"].min()), int(table["all"].max())
    return f"{low} seed{'s' * (low > 1)}" if low == high else f"{low} to {high} seeds"


def optima(rows: pd.DataFrame, draws: int = 4000) -> pd.DataFrame:
    """Return each width's best arm and the recipe's penalty, with 95 % intervals.

    loss = a + b t + c t^2 with t = log2(arm), least squares over seeds and arms; best = 2^(-b / 2c) times the
    recipe's rate, penalty = b^2 / 4c nats. Coefficients are drawn (seed 0) from Student's distribution about their
    least-squares values, with the degrees of freedom of the residuals; a draw without a minimum puts the best rate
    at infinity. A width with fewer than three arms or five runs is left out. Columns: width, best, low, high, penalty,
    penalty_low, penalty_high.
    """
    done = rows[rows["annealed"] & rows["loss"].notna()].astype({"width": float, "lr_over_recipe": float})
    found = []
    for width, part in done.groupby("width"):
        if part["lr_over_recipe"].nunique() < 3 or len(part) < 5:
            continue
        t = np.log2(part["lr_over_recipe"].to_numpy())
        (c, b, _), covariance = np.polyfit(t, part["loss"].to_numpy(), 2, cov=True)
        rng, freedom = np.random.default_rng(0), len(t) - 3
        normal = rng.multivariate_normal([0.0, 0.0], covariance[:2, :2], draws)
        drawn = np.array([c, b]) + normal / np.sqrt(rng.chisquare(freedom, draws) / freedom)[:, None]
        curvature = np.where(drawn[:, 0] > 0, drawn[:, 0], np.nan)
        vertex = np.nan_to_num(-drawn[:, 1] / 2 / curvature, nan=np.inf)
        penalty = np.nan_to_num(drawn[:, 1] ** 2 / 4 / curvature, nan=np.inf)
        # order statistics, since interpolation between infinities has no value
        low, high = 2.0 ** np.quantile(vertex, [0.025, 0.975], method="nearest")
        ends = np.quantile(penalty, [0.025, 0.975], method="nearest")
        best, cost = (2.0 ** (-b / 2 / c), b * b / 4 / c) if c > 0 else (np.inf, np.inf)
        found.append((width, best, low, high, cost, *ends))
    names = ["width", "best", "low", "high", "penalty", "penalty_low", "penalty_high"]
    return pd.DataFrame(found, columns=names).astype(float)


def _other_text(analysis: Analysis) -> tuple[str, ...]:
    """A word of warning where the arms were trained on another text than the runs."""
    arms_on = set(analysis.companions.get("tune", analysis.records).runs["data_sha256"])
    if arms_on == set(analysis.records.runs["data_sha256"]):
        return ()
    return ("The arms were trained on another text than the runs of this report: take them as a hint.",)


def _optima_table(found: pd.DataFrame) -> Table:
    return Table(
        "best-learning-rates",
        "Best peak learning rate by width, as a multiple of the recipe's, and what the recipe loses to it.",
        found,
        headings={"best": "best lr / recipe", "penalty": "penalty of the recipe (nats)"},
        formats={"width": lambda w: f"{w:.0f}"},
        estimates={"best": ("low", "high"), "penalty": ("penalty_low", "penalty_high")},
    )


def _figure(table: pd.DataFrame) -> Figure:
    shown = table.assign(low=table["loss"] - table["se"], high=table["loss"] + table["se"])
    groups = Groups.of(shown, "width", lambda width: f"width {width:.0f}")

    def draw(axes: Axes) -> None:
        plots.scales(axes, "Peak learning rate / the recipe's", "Held-out loss (nats/token)", log="x")
        plots.curves(axes, shown.dropna(), "arm", "loss", groups=groups)
        plots.points(axes, shown, "arm", "loss", low="low", high="high", groups=groups)
        plots.reference(axes, "recipe", x=1.0)
        plots.legend(axes)

    return Figure(
        "learning-rate-arms",
        "Held-out loss against the learning rate, by width; bars are one standard error over seeds.",
        draw,
        shown,
        "Curves of loss against learning rate, one a width, each with its lowest point between the ends.",
    )


def _table(table: pd.DataFrame) -> Table:
    return Table(
        "learning-rates",
        "Loss by width and learning rate; the penalty is the loss over the width's best arm.",
        table.drop(columns="all"),
        headings={"arm": "lr / recipe", "lr": "peak lr", "loss": "loss (nats)", "se": "s.e."},
        formats={"width": lambda w: f"{w:.0f}", "seeds": lambda s: f"{s:.0f}", "arm": lambda a: f"{a:g}"},
    )
