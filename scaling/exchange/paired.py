"""The exchange rate from two curves of the same checkpoints: one at little inference, one at much.

Per curve the linked score is a quadratic in u = log10 C_train, and so is log10 of the inference compute realised. At a score
y the curves are crossed at u_much and u_little, and

    eta = (u_little - u_much) / (v_much(u_much) - v_little(u_little)),

decades of training saved over decades of inference spent, both at the points that stand in for each other. Shapes: n
checkpoints, D draws.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from scaling.errors import FitError, InputError
from scaling.exchange import links
from scaling.exchange.ledger import Ledger
from scaling.exchange.links import Link
from scaling.exchange.result import Rate
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
LEAST = 6
"""Checkpoints below which a quadratic and its scatter are not told apart."""


@dataclass(frozen=True)
class Crossing:
    """Where two curves reach one score."""

    much: float
    """log10 training compute with much inference."""
    little: float
    """The same with little."""
    spent: float
    """Decades of inference between them."""

    @property
    def saved(self) -> float:
        """Decades of training."""
        return self.little - self.much

    @property
    def eta(self) -> float:
        """Saved / spent."""
        return self.saved / self.spent


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
        from importlib.metadata import version

        def told(crossing: Crossing | None) -> dict[str, float] | None:
            if crossing is None:
                return None
            return {"eta": crossing.eta, "saved_decades": crossing.saved, "spent_decades": crossing.spent}

        return {
            "schema": "scaling.exchange/1",
            "method": self.method,
            "link": self.link,
            "surface": "paired curves, quadratic",
            "rates": [
                rate.to_json() | {"crossing": told(one), "interpolated": told(other)}
                for rate, one, other in zip(self.rates, self.crossings, self.interpolated, strict=True)
            ],
            "constancy": {"p_value": None},
            "design": {
                "levels": len(self.u), "budgets": 2, "runs": len(self.design.run_names), "seeds": [1, 1],
                "problems": None, "samples": None,
                "rows": {
                    "read": self.design.read,
                    "excluded": [{"row": r, "reason": why} for r, why in self.design.dropped],
                },
            },
            "convention": Ledger().to_json(),
            "ceiling": self.ceiling,
            "interval": dict(self.interval),
            "warnings": [{"code": one.code, "message": one.message} for one in self.warnings],
            "provenance": {
                "sha256": self.sha256, "version": version("scaling-suite"), "command": command, "seed": self.seed,
            },
        }  # fmt: skip


def exchange_paired(
    frame: pd.DataFrame,
    *,
    at: tuple[float, ...] | list[float] = (0.5,),
    method: str | None = None,
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

    The interval is estimate +- z standard deviations of a residual bootstrap in blocks of neighbouring checkpoints (all
    four curves together): the scatter of this one run about smooth curves, not that of other runs or problems. Raises
    InputError for more or fewer than two budgets, FitError for fewer than 6 checkpoints that have both.
    """
    checks.level(level)
    checks.draws(bootstrap)
    checks.seed(seed)
    chosen = links.find(link)
    prepared = prepare(frame, method, excluded=excluded, seed=seed)
    design = prepared.design(ledger or Ledger(), unbounded=link == "linear")
    if len(design.budgets) != 2:
        raise InputError(
            f"paired curves are of two budgets, and the table has {len(design.budgets)}; choose two with --where, or name "
            "them in a column budget"
        )
    order = np.argsort(design.u)
    both = np.flatnonzero(np.isfinite(design.means).all(axis=1))
    order = order[np.isin(order, both)]
    if len(order) < LEAST:
        raise FitError(
            f"{len(order)} checkpoints have both budgets; two quadratics and their scatter take {LEAST}"
        )
    u, scores, v = design.u[order], design.means[order].T, design.v[order].T
    fitted, drawn = _curves(u, scores, v, chosen, bootstrap, block, np.random.default_rng(seed))
    crossings = tuple(_crossing(fitted, chosen, y, u) for y in at)
    known = [_crossed(drawn, chosen, y) for y in at] if bootstrap else [np.empty(0)] * len(at)
    rates = tuple(
        _rate(float(y), one, draws, level, scores, v)
        for y, one, draws in zip(at, crossings, known, strict=True)
    )
    found = Paired(
        method=prepared.method,
        link=link,
        budgets=(design.budgets[0], design.budgets[1]),
        rates=rates,
        crossings=crossings,
        interpolated=tuple(_interpolated(u, scores, v, float(y)) for y in at),
        ceiling=float(scores[1].max()),
        highest=float(scores[0].max()),
        u=u,
        scores=scores,
        v=v,
        curves=fitted,
        draws=drawn,
        interval={
            "method": f"standard deviations of a residual bootstrap, blocks of {block} checkpoints",
            "level": level,
            "draws": bootstrap,
        },
        warnings=(),
        design=design,
        seed=seed,
        sha256=sha256,
    )
    return Paired(**{**found.__dict__, "warnings": _warnings(found)})


def _curves(
    u: Array, scores: Array, v: Array, link: Link, draws: int, block: int, rng: np.random.Generator
) -> tuple[Array, Array]:
    """The four quadratics (4, 3), and those of data with residuals drawn anew in blocks (D, 4, 3)."""
    y = np.concatenate([link.scale(scores), v])
    basis = np.vander(u, 3)
    solve = np.linalg.pinv(basis)
    fitted = y @ solve.T
    mean = fitted @ basis.T
    residuals = y - mean
    n = len(u)
    blocks = -(-n // block)
    starts = rng.integers(0, n, size=(draws, blocks))
    index = ((starts[:, :, None] + np.arange(block)) % n).reshape(draws, -1)[:, :n]
    drawn = mean[None] + np.moveaxis(residuals[:, index], 0, 1)
    return fitted, drawn @ solve.T


def _invert(curve: Array, x: float) -> Array:
    """U (...) on the rising branch of quadratics (..., 3) at x; NaN where they do not get there."""
    d, b, a = curve[..., 0], curve[..., 1], curve[..., 2]
    with np.errstate(invalid="ignore", divide="ignore"):
        slope = np.sqrt(b**2 + 4 * d * (x - a))
        return np.asarray((slope - b) / (2 * d))


def _crossed(curves: Array, link: Link, y: float) -> Array:
    """Eta (D,)."""
    x = float(link.scale(np.array(y)))
    little, much = _invert(curves[:, 0], x), _invert(curves[:, 1], x)
    spent = _at(curves[:, 3], much) - _at(curves[:, 2], little)
    return np.asarray((little - much) / spent)


def _at(curve: Array, u: Array) -> Array:
    return np.asarray((curve[..., 0] * u + curve[..., 1]) * u + curve[..., 2])


def _crossing(curves: Array, link: Link, y: float, u: Array) -> Crossing | None:
    """Where the fitted curves reach y; None where one does not within the checkpoints, give or take a tenth of a decade."""
    x = float(link.scale(np.array(y)))
    little, much = float(_invert(curves[0], x)), float(_invert(curves[1], x))
    if not (u.min() - 0.1 <= min(little, much) and max(little, much) <= u.max() + 0.1):
        return None
    return Crossing(much, little, float(_at(curves[3], np.array(much)) - _at(curves[2], np.array(little))))


def _interpolated(u: Array, scores: Array, v: Array, y: float) -> Crossing | None:
    """Where isotonic curves first reach y, straight between checkpoints."""
    from scipy.optimize import isotonic_regression

    found = []
    for row in range(2):
        curve = isotonic_regression(scores[row]).x
        if curve[-1] < y or curve[0] > y:
            return None
        k = int(np.argmax(curve >= y))
        found.append(float(u[0]) if k == 0 else float(np.interp(y, curve[k - 1 : k + 1], u[k - 1 : k + 1])))
    little, much = found
    return Crossing(much, little, float(np.interp(much, u, v[1]) - np.interp(little, u, v[0])))


def _rate(y: float, crossing: Crossing | None, draws: Array, level: float, scores: Array, v: Array) -> Rate:
    from scipy.special import ndtri

    little, much = scores
    if y > much.max():
        return Rate(
            y,
            "undefined",
            f"{y:g} is above the method's ceiling: no checkpoint passes {much.max():.4g}",
            None,
            None,
        )
    if crossing is None or y > little.max() or y < min(little.min(), much.min()):
        which = "little" if y > little.max() or crossing is None else "either"
        return Rate(
            y, "not identified", f"with {which} inference the checkpoints do not get to {y:g}", None, None
        )
    span = Span(0.0, crossing.spent, crossing.much, crossing.little)
    known = draws[np.isfinite(draws)]
    error = float(known.std(ddof=1)) if len(known) > 1 else None
    reach = float(ndtri(0.5 * (1 + level))) * (error or 0.0)
    why = "one run; its checkpoints scatter about smooth curves, other runs and problems are not in the interval"
    estimate = Estimate(crossing.eta)
    if error is not None:
        estimate = Estimate(crossing.eta, crossing.eta - reach, crossing.eta + reach, error)
    return Rate(y, "this run", why, estimate, span)


def _warnings(found: Paired) -> tuple[Warned, ...]:
    from scaling.exchange.doubts import length_grows, stuck

    warned = [
        Warned("one_run", "one run: other seeds may differ by more than the interval"),
        Warned(
            "two_budgets",
            f"two budgets give the mean rate between {found.budgets[0]} and {found.budgets[1]}, and nothing on either side",
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
    return tuple(warned)
