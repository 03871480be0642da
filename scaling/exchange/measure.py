"""The exchange rate of a grid: table in, Exchange out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

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
from scaling.exchange.one_rate import IntervalKind, one_rate
from scaling.exchange.result import Exchange, Rate
from scaling.exchange.surface import fit_surfaces
from scaling.exchange.table import Prepared, prepare
from scaling.exchange.uncertainty import draws_of, left_out
from scaling.fitting import checks
from scaling.fitting.rows import number_column

if TYPE_CHECKING:
    import pandas as pd


CONSTANCY_DRAWS = 200
MOST_BUDGETS = 50
"""Inference computes beyond which samples were not given budgets, but took what they took."""
MOST_SCORES = 5
"""Scores at which a rate is given where none is asked for."""
FORM_OF_ENDS = forms.Bilinear
"""The form that tells where scores level off."""


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
    """Refuse rows of samples, of one inference compute or each of its own, that nobody says how to put together."""
    samples = (
        prepared.method == "budget" and {"correct", "answer"} & set(frame.columns) and "budget" not in frame
    )
    if samples and ledgers.INFER in prepared.frame:
        spent = number_column(prepared.frame, ledgers.INFER)
        count = len(np.unique(spent[np.isfinite(spent)].round(6)))
        if count < 2 or count > max(MOST_BUDGETS, 0.1 * len(frame)):
            which = "one inference compute" if count < 2 else f"{count} inference computes"
            raise InputError(
                f"the rows are samples of {which}: give --method pass, majority or best_of, which put them together, or a "
                "column budget that names what each was given"
            )


def measured(
    design: Design, prepared: Prepared, *, at: Sequence[float] | None, link: Link, form: Form, ledger: Ledger,
    interval: IntervalKind, level: float, bootstrap: int, backtested: bool, seed: int, sha256: str, frame: pd.DataFrame,
) -> Exchange:  # fmt: skip
    """The rates of a design."""
    from scaling.exchange.doubts import doubts

    if design.levels < 2:
        raise FitError(
            "1 training level: without a second, training buys nothing to compare with; a rate takes 3 over a decade"
        )
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
        counted=ledger.said(prepared.frame),
        seed=seed,
        sha256=sha256,
    )
    return replace(found, warnings=(*prepared.warnings, *doubts(found, frame)))


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
