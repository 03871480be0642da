"""The exchange rate of a grid: table in, Exchange out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from scaling.errors import FitError, InputError
from scaling.exchange import forms, links
from scaling.exchange import ledger as ledgers
from scaling.exchange.backtest import backtest
from scaling.exchange.constancy import constancy
from scaling.exchange.design import Design
from scaling.exchange.fitter import Fitter
from scaling.exchange.forms import Form
from scaling.exchange.ledger import Ledger
from scaling.exchange.links import LINEAR, Link
from scaling.exchange.ratio import lower_bound
from scaling.exchange.result import Exchange, Rate, Status
from scaling.exchange.support import Span, lacking, span_of
from scaling.exchange.surface import Surfaces, fit_surfaces
from scaling.exchange.table import Prepared, prepare
from scaling.exchange.uncertainty import Components, LeftOut, components, draws_of, left_out
from scaling.fitting import checks
from scaling.fitting.parts import Estimate
from scaling.laws.base import Array

if TYPE_CHECKING:
    import pandas as pd

IntervalKind = Literal["jackknife", "bootstrap"]
CONSTANCY_DRAWS = 200
MOST_SCORES = 5
"""Scores at which a rate is given where none is asked for."""
FORM_OF_ENDS = forms.Bilinear
STEP = 1e-3
"""Decades over which slopes are taken."""


def exchange_rate(
    frame: pd.DataFrame,
    *,
    at: Sequence[float] | None = None,
    method: str | None = None,
    k: Sequence[int] | None = None,
    link: str | None = None,
    surface: str = "free",
    ledger: Ledger | None = None,
    interval: IntervalKind = "jackknife",
    level: float = 0.95,
    bootstrap: int = 1000,
    backtested: bool = True,
    seed: int = 0,
    excluded: tuple[tuple[Any, str], ...] = (),
    sha256: str = "",
) -> Exchange:
    """Measure eta = -d log C_train / d log C_infer at constant score on a grid of training levels x inference budgets.

    One row is a checkpoint (or run) at a budget, or one problem of it, or one sample (see `table.prepare` for columns and
    methods): train_flops, infer_flops_per_problem, and score, or n and c, or correct; optional run, seed, problem, budget,
    method, n_problems, chance_score and the columns of `ledger`. `at` are the scores; by default up to five that the grid
    brackets. `surface` is a form of `forms`, `link` one of `links` (logit; cloglog for pass).

    The rate at a score is the mean of the local rate along the measured piece of the isoquant: decades of training that it
    replaces over its decades of inference. Its interval is from a jackknife over runs and over problems, of log eta where
    the plain one leaves out 0, with Student's quantile at Satterthwaite's degrees of freedom; or percentiles of draws.

    `backtested` compares forms of the surface at training levels left out. Raises InputError for what is wrong with the
    call or the table, FitError where no surface can be fitted.
    """
    checks.table(frame, "train_flops, infer_flops_per_problem and score", "exchange_rate(frame)")
    checks.level(level)
    checks.draws(bootstrap)
    checks.seed(seed)
    if interval not in ("jackknife", "bootstrap"):
        raise InputError(f"interval is {interval!r}; give jackknife or bootstrap")
    if interval == "bootstrap" and not bootstrap:
        raise InputError("an interval of bootstrap draws needs draws; give bootstrap=1000")
    prepared = prepare(frame, method, k, excluded=excluded, seed=seed)
    _refuse_bare_samples(frame, prepared)
    chosen = links.find(link or ("cloglog" if prepared.method == "pass" else "logit"))
    form = forms.find(surface)
    book = ledger or Ledger()
    design = prepared.design(book, unbounded=chosen is LINEAR)
    return measured(
        design, prepared, at=at, link=chosen, form=form, ledger=book, interval=interval, level=level,
        bootstrap=bootstrap, backtested=backtested, seed=seed, sha256=sha256, frame=frame,
    )  # fmt: skip


def _refuse_bare_samples(frame: pd.DataFrame, prepared: Prepared) -> None:
    """Refuse rows of samples at one inference compute that nobody says how to put together."""
    samples = (
        prepared.method == "budget" and {"correct", "answer"} & set(frame.columns) and "budget" not in frame
    )
    if (
        samples
        and ledgers.INFER in prepared.frame
        and len(np.unique(prepared.frame[ledgers.INFER].round(6))) < 2
    ):
        raise InputError(
            "the rows are samples of one inference compute: give --method pass, majority or best_of, which put them together"
        )


def measured(
    design: Design, prepared: Prepared, *, at: Sequence[float] | None, link: Link, form: Form, ledger: Ledger,
    interval: IntervalKind, level: float, bootstrap: int, backtested: bool, seed: int, sha256: str, frame: pd.DataFrame,
) -> Exchange:  # fmt: skip
    """The rates of a design."""
    from scaling.exchange.doubts import doubts

    rng = np.random.default_rng(seed)
    u, v, score, weight = design.cells
    floor = prepared.chance
    ends = asymptotes(design, link, floor)
    fit = Fitter(form, u, v, weight, link, floor)
    whole = fit.first(score)
    drawn_cells = draws_of(design, bootstrap if _several(design) else 0, rng)
    drawn = fit(drawn_cells) if len(drawn_cells) else None
    without = left_out(design)
    jackknife = fit(np.concatenate([without.runs, without.problems]))
    rates = tuple(
        one_rate(design, whole, jackknife, without, drawn, float(y), interval, level, ends[1])
        for y in (at if at is not None else _scores(design))
    )
    test = None
    spoken = [rate.eta.value for rate in rates if rate.eta is not None and rate.eta.value > 0]
    if len(drawn_cells) and spoken and design.levels >= 3 and len(design.budgets) >= 3:
        few = drawn_cells[: min(bootstrap, CONSTANCY_DRAWS)]
        test = constancy(u, v, score, weight, few, link, floor, float(np.median(spoken)))
    found = Exchange(
        method=prepared.method,
        link=link.name,
        form=form.name,
        rates=rates,
        constancy=test,
        design=design,
        surface=whole,
        draws=drawn,
        ledger=ledger,
        floor=ends[0],
        ceiling=ends[1],
        interval={"method": f"{interval}, {_units(design)}", "level": level, "draws": bootstrap},
        warnings=(),
        backtest=backtest(design, link, floor) if backtested else {},
        chance=prepared.chance,
        corrected=prepared.corrected,
        latency=prepared.latency(ledger),
        seed=seed,
        sha256=sha256,
    )
    return replace(found, warnings=doubts(found, frame))


def asymptotes(design: Design, link: Link, chance: float) -> tuple[float, float]:
    """Where scores level off, below and above, by a bilinear surface: a free one takes a plateau for a curve.

    A floor or a ceiling that the cells do not ask for is the lowest possible score, and 1; none under the linear link.
    """
    u, v, score, weight = design.cells
    if link is LINEAR:
        return -np.inf, np.inf
    if len(u) < len(FORM_OF_ENDS().basis(u[:1], v[:1], np.zeros(1))[0]) + 2:
        return chance, 1.0
    found = fit_surfaces(
        FORM_OF_ENDS(), u, v, score[None], weight, link, floor=None if chance == 0 else chance
    )
    return float(found.floor[0]), float(found.ceiling[0])


def measured_rate(
    design: Design, link: Link, form: Form, y: float, floor: float, interval: IntervalKind, level: float, draws: int,
    rng: np.random.Generator,
) -> Rate:  # fmt: skip
    """The rate at one score alone: what `calibrate` asks a thousand times."""
    u, v, score, weight = design.cells
    fit = Fitter(form, u, v, weight, link, floor)
    whole = fit.first(score)
    drawn = fit(draws_of(design, draws, rng)) if draws and _several(design) else None
    without = left_out(design)
    jackknife = fit(np.concatenate([without.runs, without.problems]))
    return one_rate(design, whole, jackknife, without, drawn, y, interval, level)


def one_rate(
    design: Design,
    whole: Surfaces,
    jackknife: Surfaces,
    without: LeftOut,
    drawn: Surfaces | None,
    y: float,
    interval: IntervalKind,
    level: float,
    ceiling: float = np.inf,
) -> Rate:
    """The rate at one score, or why there is none; `ceiling` is where scores level off."""
    _, _, score, _ = design.cells
    if y > score.max():
        if y >= ceiling:
            return Rate(y, "undefined", f"{y:g} is above the method's ceiling, {ceiling:.4g}", None, None)
        return Rate(
            y, "not identified", f"no cell is as high as {y:g}; the highest is {score.max():.4g}", None, None
        )
    if y < score.min():
        return Rate(
            y, "not identified", f"no cell is as low as {y:g}; the lowest is {score.min():.4g}", None, None
        )
    why, span = lacking(design, y), span_of(whole, design, y)
    if why is None and span is None:
        why = "the isoquant passes the measured cells by"
    if why is not None or span is None:
        return Rate(y, "not identified", why or "", None, span)
    return _interval(design, whole, jackknife, without, drawn, y, span, interval, level)


def _interval(
    design: Design,
    whole: Surfaces,
    jackknife: Surfaces,
    without: LeftOut,
    drawn: Surfaces | None,
    y: float,
    span: Span,
    interval: IntervalKind,
    level: float,
) -> Rate:
    eta = float(whole.rate(y, span.low, span.high)[0])
    local = _local(whole, y, span)
    slopes = _slopes(whole, span, y)[0]
    runs, problems = _parted(_slopes(jackknife, span, y), without)
    steep = components(without, runs[:, 1], problems[:, 1])
    if steep.total and slopes[1] < steep.reach(level):
        low = lower_bound(slopes, runs, problems, without, level)
        if low is None:
            why = "neither the gain from training nor that from inference can be told from none"
            return Rate(y, "not identified", why, None, span)
        why = "the gain from training cannot be told from none, so that only a lower end is known"
        return Rate(y, "one-sided", why, Estimate(eta, low, np.inf), span, local)
    values = jackknife.rate(y, span.low, span.high)
    status: Status = "ok" if design.seeds.min() > 1 else "this run"
    reason = "" if status == "ok" else _alone(design)
    if not np.isfinite(values).all():
        why = "without one of its runs or problems the isoquant leaves the cells"
        return Rate(y, "not identified", why, None, span)
    estimate, parts = jackknifed(eta, values, without, level)
    if interval == "bootstrap" and drawn is not None:
        draws = drawn.rate(y, span.low, span.high)
        known = draws[np.isfinite(draws)]
        if len(known) < max(2, 0.5 * len(draws)):
            why = f"in {len(draws) - len(known)} of {len(draws)} draws the surface has no isoquant along the piece"
            return Rate(y, "not identified", why, None, span)
        tail = 0.5 * (1 - level)
        low, high = np.quantile(known, [tail, 1 - tail])
        estimate = Estimate(eta, float(low), float(high), float(known.std(ddof=1)))
    return Rate(y, status, reason, estimate, span, local, parts)


def jackknifed(
    eta: float, values: Array, without: LeftOut, level: float
) -> tuple[Estimate, Components | None]:
    """An estimate with Student's interval from its values without each run and each group of problems."""
    if not len(values):
        return Estimate(eta), None
    parts = components(without, *_parted(values, without))
    if not parts.total:
        return Estimate(eta), parts
    # an interval of log eta has no way to hold 0: it is for rates that are surely positive
    positive = eta > parts.reach(level) and bool((values > 0).all())
    scale = np.log if positive else np.asarray
    if positive:
        parts = components(without, *_parted(scale(values), without))
    reach, middle = parts.reach(level), float(scale(np.array(eta)))
    ends = (middle - reach, middle + reach)
    with np.errstate(over="ignore"):
        low, high = (float(np.exp(end)) if positive else end for end in ends)
    error = float(np.sqrt(parts.total)) * (eta if positive else 1.0)
    return Estimate(eta, low, high, error), parts


def _parted(values: Array, without: LeftOut) -> tuple[Array, Array]:
    return values[: len(without.runs)], values[len(without.runs) :]


def _slopes(surfaces: Surfaces, span: Span, y: float) -> Array:
    """dx/dv and dx/du (D, 2) in the middle of the piece that the first surface was measured on."""
    v = 0.5 * (span.low + span.high)
    u = 0.5 * (span.train_low + span.train_high)
    us = np.array([u, u, u - STEP, u + STEP])
    width = max(0.25 * span.infer, STEP)
    vs = np.array([v - width, v + width, v, v])
    x = surfaces.predictor(us, vs)
    return np.stack([(x[:, 1] - x[:, 0]) / (2 * width), (x[:, 3] - x[:, 2]) / (2 * STEP)], axis=1)


def _local(whole: Surfaces, y: float, span: Span) -> tuple[float, float]:
    """The mean rate over the first and the last third of the piece."""
    third = span.infer / 3
    first = whole.rate(y, span.low, span.low + third)[0]
    last = whole.rate(y, span.high - third, span.high)[0]
    return float(first), float(last)


def _alone(design: Design) -> str:
    single = int((design.seeds == 1).sum())
    return f"{single} of {design.levels} training levels have one run: other seeds may differ by more than the interval"


def _several(design: Design) -> bool:
    """Whether there are runs or problems to draw from."""
    return design.problems > 1 or bool((design.seeds > 1).any())


def _units(design: Design) -> str:
    names = [
        *(["runs"] if (design.seeds > 1).any() else []),
        *(["problems"] if design.problems > 1 else []),
    ]
    return " and ".join(names) or "nothing to leave out"


def _scores(design: Design) -> list[float]:
    """Up to five round scores that a grid brackets."""
    _, _, score, _ = design.cells
    low, high = np.quantile(score, [0.15, 0.85])
    step = max(round((high - low) / MOST_SCORES, 2), 0.01) if high <= 1 else (high - low) / MOST_SCORES
    found = [round(float(low + step * (k + 0.5)), 2 if high <= 1 else 6) for k in range(MOST_SCORES)]
    fit = [y for y in dict.fromkeys(found) if score.min() < y < score.max()]
    if not fit:
        raise FitError(
            f"all cells score between {score.min():.4g} and {score.max():.4g}: nothing to exchange at"
        )
    return fit
