"""The exchange rate from two curves of the same checkpoints: one at little inference, one at much.

Per curve the linked score is a quadratic in u = log10 C_train, and so is log10 of the inference compute realised. At a score
y the curves are crossed at u_much and u_little, and

    eta = (u_little - u_much) / (v_much(u_much) - v_little(u_little)),

decades of training saved over decades of inference spent, both at the points that stand in for each other. Shapes: n
checkpoints, D draws.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from scaling.errors import FitError, InputError
from scaling.exchange import links
from scaling.exchange.curves import Crossing, Curves, crossing, isotonic
from scaling.exchange.ledger import Ledger
from scaling.exchange.result import Rate
from scaling.exchange.schema import of_design, schema
from scaling.exchange.support import Span
from scaling.exchange.table import prepare
from scaling.fitting import checks
from scaling.fitting.parts import Estimate, Warned
from scaling.laws.base import Array

if TYPE_CHECKING:
    import pandas as pd

    from scaling.exchange.design import Design

BLOCK = 4
"""Neighbouring checkpoints that are drawn together, since their errors resemble each other."""
LEAST_SPENT = 0.05
"""Decades of inference below which two budgets are one."""
ALIKE = 0.3
"""Correlation of neighbouring residuals from which an interval from scatter is too narrow to leave unsaid."""
STEPS = 500
"""Draws through which isotonic curves are laid too."""
LEAST, LEAST_OF_SEVERAL = 6, 4
"""Checkpoints below which a quadratic and its scatter are not told apart; fewer do where runs or problems give the error."""


@dataclass(frozen=True, repr=False)
class Paired:
    """Exchange rates between two budgets on the same checkpoints."""

    method: str
    link: str
    budgets: tuple[Any, Any]
    rates: tuple[Rate, ...]
    crossings: tuple[Crossing | None, ...]
    """For each rate, from the quadratics."""
    interpolated: tuple[Crossing | None, ...]
    """The same from isotonic curves, straight between checkpoints, with the inference compute realised there."""
    steps: tuple[Estimate | None, ...]
    """eta of the isotonic curves, with the interval of their own draws."""
    ceiling: float
    """Highest score of the curve with much inference."""
    highest: float
    """Highest score of the one with little."""
    u: Array
    """(n,)."""
    scores: Array
    """Little, much, (2, n)."""
    v: Array
    """log10 inference compute, (2, n)."""
    curves: Array
    """Coefficients of the four quadratics, highest power first: little, much, v of little, v of much; (4, 3)."""
    draws: Array
    """The same, (D, 4, 3)."""
    interval: dict[str, Any]
    warnings: tuple[Warned, ...]
    design: Design
    ledger: Ledger
    counted: str
    """What counts as training and inference compute, in words."""
    seed: int = 0
    sha256: str = ""

    def __repr__(self) -> str:
        """One line."""
        return f"<Paired {self.budgets[0]} and {self.budgets[1]}: {len(self.rates)} rates>"

    def __str__(self) -> str:
        """The summary."""
        return self.summary()

    def summary(self) -> str:
        """Rates and doubts, for a terminal."""
        from scaling.exchange.summary import paired_summary

        return paired_summary(self)

    def to_json(self, command: str = "") -> dict[str, Any]:
        """Schema scaling.exchange/1, with the crossings."""
        return schema(
            method=self.method, link=self.link, surface="paired curves, quadratic", rates=self.rates, p_value=None,
            design=of_design(self.design), convention=self.ledger.to_json(), interval=self.interval,
            warnings=self.warnings, sha256=self.sha256, command=command, seed=self.seed,
        )  # fmt: skip

    def details(self) -> dict[str, Any]:
        """What the schema has no key for: ceilings, and where the curves cross each score, smooth and isotonic."""

        def told(crossing: Crossing | None) -> dict[str, float] | None:
            if crossing is None:
                return None
            return {"eta": crossing.eta, "saved_decades": crossing.saved, "spent_decades": crossing.spent}

        return {
            "ceiling": self.ceiling,
            "highest_with_little": self.highest,
            "crossings": [
                {
                    "at": rate.at,
                    "quadratic": told(one),
                    "isotonic": told(other),
                    "isotonic_eta": None if steps is None else steps.to_json(),
                }
                for rate, one, other, steps in zip(
                    self.rates, self.crossings, self.interpolated, self.steps, strict=True
                )
            ],
        }


def exchange_paired(
    frame: pd.DataFrame,
    *,
    at: Sequence[float] = (0.5,),
    method: str | None = None,
    k: Sequence[int] | None = None,
    link: str = "logit",
    ledger: Ledger | None = None,
    level: float = 0.95,
    bootstrap: int = 1000,
    block: int = BLOCK,
    seed: int = 0,
    excluded: tuple[tuple[Any, str], ...] = (),
    sha256: str = "",
) -> Paired:
    """Measure eta between two budgets of the same checkpoints of one run: rows as `exchange_rate` takes, two budgets.

    With several runs a level the interval is Student's, from a jackknife of runs and problems; with one it is Student's on
    n - 3 degrees from a residual bootstrap of its checkpoints (all four curves together, in blocks or one by one, whichever
    spreads more): the scatter of this one run about smooth curves, not that of other runs. Raises
    InputError for more or fewer than two budgets, FitError for fewer than 6 checkpoints that have both.
    """
    checks.level(level)
    checks.draws(bootstrap)
    checks.seed(seed)
    chosen = links.find(link)
    prepared = prepare(frame, method, k, excluded=excluded, seed=seed)
    book = ledger or Ledger()
    design = prepared.design(book, unbounded=link == "linear")
    if len(design.budgets) != 2:
        raise InputError(
            f"paired curves are of two budgets, and the table has {len(design.budgets)}; choose two with --where, "
            "or name them in a column budget"
        )
    curves = Curves(design, chosen)
    least = LEAST_OF_SEVERAL if design.seeds.min() > 1 or design.problems > 1 else LEAST
    if len(curves.u) < least:
        raise FitError(
            f"{len(curves.u)} training levels have both budgets, and two quadratics with their error take "
            f"{least}; a rate of two points is scaling.exchange.break_even's and substitution's business"
        )
    u, scores, v = curves.u, curves.scores, curves.v
    tables, drawn = curves.drawn(bootstrap, block, np.random.default_rng(seed))
    crossings = tuple(crossing(curves.quadratics, chosen, y, u) for y in at)
    rates = tuple(_rate(float(y), one, curves, drawn, level) for y, one in zip(at, crossings, strict=True))
    found = Paired(
        method=prepared.method,
        link=link,
        budgets=(design.budgets[0], design.budgets[1]),
        rates=rates,
        crossings=crossings,
        interpolated=tuple(isotonic(u, scores, v, float(y)) for y in at),
        steps=tuple(curves.steps(float(y), tables[:STEPS], level) for y in at),
        ceiling=float(scores[1].max()),
        highest=float(scores[0].max()),
        u=u,
        scores=scores,
        v=v,
        curves=curves.quadratics,
        draws=drawn,
        interval={
            "method": _said(curves, block),
            "level": level,
            "draws": bootstrap,
        },
        warnings=(),
        design=design,
        ledger=book,
        counted=book.said(prepared.frame),
        seed=seed,
        sha256=sha256,
    )
    return replace(found, warnings=(*prepared.warnings, *_warnings(found, curves, frame)))


def _rate(y: float, found: Crossing | None, curves: Curves, drawn: Array, level: float) -> Rate:
    from scaling.exchange.doubts import stuck

    little, much = curves.scores
    if y > much.max():
        if stuck(much, little):
            why = f"{y:g} is above the method's ceiling: scores stand still at {much.max():.4g}"
            return Rate(y, "undefined", why, None, None)
        return Rate(
            y, "not identified", f"no checkpoint gets to {y:g}; the highest is {much.max():.4g}", None, None
        )
    if y > little.max():
        why = f"with little inference no checkpoint gets to {y:g}; the highest is {little.max():.4g}"
        return Rate(y, "not identified", why, None, None)
    if found is None or y < min(little.min(), much.min()):
        why = f"the curves do not cross {y:g} at both budgets among the checkpoints; with much inference the lowest is "
        return Rate(y, "not identified", f"{why}{much.min():.4g}", None, None)
    span = Span(0.0, found.spent, found.much, found.little)
    if found.spent < LEAST_SPENT:
        why = f"where they reach {y:g}, the budgets are {found.spent:.2g} decades of inference apart: nothing is exchanged"
        return Rate(y, "not identified", why, None, span)
    estimate = curves.interval(found.eta, y, drawn, level)
    if curves.several:
        if estimate.low is None:
            why = f"without one of its runs or problems the curves do not cross {y:g} at both budgets"
            return Rate(y, "not identified", why, None, span)
        return Rate(y, "ok", "", estimate, span)
    why = "one run: its checkpoints scatter about smooth curves, and other seeds may differ by more than the interval"
    return Rate(y, "this run", why, estimate, span)


def _said(curves: Curves, block: int) -> str:
    problems = ["problems"] if curves.problems else []
    if curves.several:
        return f"jackknife, {' and '.join(['runs', *problems])}"
    scatter = f"standard deviations of a residual bootstrap, blocks of {block} checkpoints or of one"
    return f"{scatter}, with a jackknife of problems" if problems else scatter


def _warnings(found: Paired, curves: Curves, frame: pd.DataFrame) -> tuple[Warned, ...]:
    from scaling.exchange.doubts import doubts_of_pairs, length_grows, stuck
    from scaling.exchange.summary import budget_name

    little, much = map(budget_name, found.budgets)
    warned = []
    if not curves.several:
        warned.append(Warned("one_run", "one run: other seeds may differ by more than the interval"))
    if not curves.several and curves.alike > ALIKE:
        warned.append(
            Warned(
                "neighbours_alike",
                f"what is left of neighbouring checkpoints is alike (correlation {curves.alike:.2f}): so few of them cannot "
                "tell how much such drift moves the curves, and the interval is too narrow",
            )
        )
    if curves.drawn_in:
        warned.append(
            Warned(
                "at_the_edge",
                f"{curves.drawn_in} of {curves.scores.size} scores are 0 or 1, which have no {found.link}: half an answer "
                "is added to each kind; such checkpoints say little, and rates lean on the others",
            )
        )
    warned += [
        Warned(
            "two_budgets",
            f"two budgets give the mean rate between {little} and {much}, and nothing on either side",
        ),
    ]
    warned += length_grows(found.u, found.v[0])
    warned += stuck(found.scores[1], found.scores[0])
    for rate, one, other in zip(found.rates, found.crossings, found.interpolated, strict=True):
        if one is not None and other is not None and rate.eta is not None:
            low, high = rate.eta.low, rate.eta.high
            if low is not None and high is not None and not low <= other.eta <= high:
                warned.append(
                    Warned(
                        "method_decides",
                        f"at {rate.at:g} smooth curves give eta = {one.eta:.2f} and isotonic ones {other.eta:.2f}, "
                        "outside the interval",
                    )
                )
    known = {one.code for one in warned}
    return (*warned, *(one for one in doubts_of_pairs(found, frame) if one.code not in known))
