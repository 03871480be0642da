"""Every known rate by every way to read it, as a table and a forest."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from scaling.exchange.summary import factor
from scaling.reporting import numbers, plots
from scaling.reporting.document import Figure, Table

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from scaling.exchange import Paired, Rate
    from scaling.sections.known_claims import Published
    from scaling.study import Analysis


def rates(analysis: Analysis) -> list[dict[str, Any]]:
    """One row a rate: what, how, estimate, status."""
    fits = analysis.fits
    known: Published = fits["published"]
    panels = {
        "o1": "o1, straight lines",
        "o1, logit": "o1, logit lines",
        "o1, common scores": "o1, scores both reach",
    }
    rows = [_row(what, "two slices", fits[name].rate) for name, what in panels.items()]
    for name, words in (("R1-Zero", "by tokens"), ("R1-Zero, a sample as one price", "16 samples as 16x")):
        paired: Paired = fits[name]
        for rate, steps in zip(paired.rates, paired.steps, strict=True):
            what = f"R1-Zero at {numbers.percent(rate.at)}: {words}"
            rows.append(_row(what, "smooth", rate))
            if steps is not None and rate.eta is not None:
                ends = {"low": _or_nan(steps.low), "high": _or_nan(steps.high)}
                row = {"what": what, "how": "isotonic", "eta": steps.value} | ends
                at = paired.interpolated[paired.rates.index(rate)]
                worth = _worth(steps.value, np.nan if at is None else at.spent)
                rows.append(row | {"ten": worth, "status": rate.status})
    row = {"what": "Hex on 9x9", "how": "grid", "eta": known.eta_hex}
    rows.append(
        row | {"low": np.nan, "high": np.nan, "ten": factor(10**known.eta_hex), "status": "published"}
    )
    for what, claim in (("the essay: o1 on AIME", known.thinking), ("the essay: AlphaGo", known.search)):
        row = {"what": what, "how": "by eye", "eta": np.log10(claim), "low": np.nan, "high": np.nan}
        rows.append(row | {"ten": factor(claim), "status": "claimed"})
    return rows


def _row(what: str, how: str, rate: Rate) -> dict[str, Any]:
    eta = rate.eta
    ends = (np.nan, np.nan) if eta is None else (_or_nan(eta.low), _or_nan(eta.high))
    value = np.nan if eta is None else eta.value
    worth = _worth(value, np.nan if rate.span is None else rate.span.infer)
    return {
        "what": what, "how": how, "eta": value, "low": ends[0], "high": ends[1], "ten": worth, "status": rate.status,
    }  # fmt: skip


def _worth(eta: float, spent: float) -> str:
    """What ten times the inference is worth, or what was spent where that is less than a decade."""
    if not np.isfinite(eta):
        return ""
    return (
        factor(10**eta) if not spent < 1 - 1e-6 else f"{factor(10 ** (eta * spent))} at {factor(10**spent)}"
    )


def _or_nan(end: float | None) -> float:
    return np.nan if end is None else end


def rates_table(analysis: Analysis) -> Table:
    """Return every rate in a table."""
    return Table(
        "rates",
        "Every rate by every way to read it, and what ten times the inference is worth, or as much of it as was measured.",
        pd.DataFrame(rates(analysis)),
        headings={"what": "", "how": "curves", "eta": "η", "ten": "10x inference ="},
        estimates={"eta": ("low", "high")},
    )


def _short(what: str, how: str) -> str:
    """A name that leaves room for the drawing."""
    name = what.replace(": by tokens", "")
    return name + (", steps" if "isotonic" in how else "")


def rates_forest(analysis: Analysis) -> Figure:
    """Return every rate with its interval, the essay's numbers as lines."""
    rows = pd.DataFrame(rates(analysis))
    rows = rows[
        np.isfinite(rows["eta"]) & (rows["status"] != "claimed") & ~rows["what"].str.contains("as 16x")
    ]
    names = [_short(what, how) for what, how in zip(rows["what"], rows["how"], strict=True)]
    rows = rows.assign(name=names)
    known: Published = analysis.fits["published"]
    claims = {
        f"Essay, {factor(known.thinking)}": float(np.log10(known.thinking)),
        f"Essay, {factor(known.search)}": float(np.log10(known.search)),
    }

    def draw(axes: Axes) -> None:
        plots.scales(axes, "η = decades of training a decade of inference", "")
        plots.forest(axes, rows, "name", "eta", "low", "high", references=claims)
        plots.legend(axes)

    return Figure(
        "rates-forest",
        "Every rate with its interval, where it has one, and the essay's two numbers as lines; steps: isotonic "
        "curves.",
        draw,
        rows,
        "Estimates of the exchange rate below each other.",
        height=120 + 34 * len(rows),
    )
