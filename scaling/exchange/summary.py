"""Exchange rates as text for a terminal; digits follow the error."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from scaling.reporting.numbers import estimate, percent, plain, quantity

if TYPE_CHECKING:
    from collections.abc import Iterable

    from scaling.exchange.paired import Paired
    from scaling.exchange.result import Exchange, Rate
    from scaling.exchange.slice_lines import Line
    from scaling.exchange.slices import Slices
    from scaling.fitting.parts import Estimate, Warned


def counted(number: int, what: str) -> str:
    """`1 budget`, `3 budgets`."""
    return f"{number} {what}{'s' * (number != 1)}"


def budget_name(budget: object) -> str:
    """A budget as text: one named by its inference compute to three digits."""
    return quantity(budget, digits=3) if isinstance(budget, float) else str(budget)


def shown(found: Estimate | None) -> str:
    """A number with its interval; what is not identified says so."""
    if found is None:
        return "not identified"
    nan = float("nan")
    return estimate(
        found.value, nan if found.low is None else found.low, nan if found.high is None else found.high
    )


def eta_shown(rate: Rate) -> str:
    """Eta with its interval, or its lower end where that is all that is known."""
    if rate.eta is None:
        return rate.status
    if rate.status == "one-sided" and rate.eta.low is not None:
        return f"at least {plain(rate.eta.low, 2)}"
    return shown(rate.eta)


def worth(rate: Rate) -> str:
    """What more inference is worth, in words: ten times where that was measured, else what the span holds."""
    if rate.eta is None or rate.span is None:
        return rate.reason
    if rate.eta.value < 0:
        return "more inference lowers the score"
    spent = f"{plain(10**rate.span.infer, 2)}x inference"
    if rate.status == "one-sided":
        return rate.reason
    ten = rate.multiplier
    if ten is not None and ten.low is not None and ten.high is not None:
        return f"10x inference is worth {multiple(ten)} of training"
    if ten is not None:
        return f"10x inference is worth {plain(ten.value, 2)}x of training"
    return f"{spent} is worth {plain(10**rate.span.train, 2)}x of training; 10x was not measured"


def multiple(ten: Estimate) -> str:
    """A factor with its interval: `107x [44x, 369x]`."""
    low, high = ten.low or float("nan"), ten.high or float("nan")
    return f"{factor(ten.value)} [{factor(low)}, {factor(high)}]"


def factor(x: float) -> str:
    """`6.8x`, `107x`, `20kx` to two or three digits."""
    if not np.isfinite(x):
        return "∞"
    return f"{plain(x, 2 if x < 100 else 3)}x" if x < 1e4 else f"{quantity(x, digits=2)}x"


def exchange_summary(found: Exchange) -> str:
    """The rates of a grid, on about twenty lines."""
    design = found.design
    level_u, level_v, _ = design.level_curves()
    span = f"{np.ptp(level_u):.2g} decades of training, {np.nanmax(level_v) - np.nanmin(level_v):.2g} of inference"
    runs = f"{_range(design.seeds)} run{'s' * bool(design.seeds.max() != 1)} a level"
    kind = ", the same runs at several levels" if design.shared else ", each level its own"
    if design.uneven > 1.005:
        kind += f", compute within a level differing by up to {percent(design.uneven - 1)}"
    problems = f", {counted(design.problems, 'problem')}" if design.problems else ", problems not told apart"
    lines = [
        f"exchange rate of {found.method}: eta = -d log C_train / d log C_infer at constant score",
        f"rows: {design.read - len(design.dropped)} used of {design.read} read{_reasons(design.dropped)}",
        f"design: {counted(design.levels, 'training level')} x {counted(len(design.budgets), 'budget')} ({span}), "
        f"{runs}{kind}{problems}",
        f"surface: {found.form}, {found.link} link{_ends(found)}",
        f"counted: {found.counted}",
        f"interval: {_interval(found.interval)}",
        "",
        *_table(found.rates),
    ]
    if found.constancy is not None:
        p = found.constancy.p_value
        says = (
            "one rate does not serve the whole surface"
            if p < 0.05
            else "one rate for the whole surface is not refuted"
        )
        lines += [
            "",
            f"constancy: p = {plain(p, 2)}, {says} (best constant eta {plain(found.constancy.eta, 3)})",
        ]
    if found.backtest:
        times, unit = (1, "") if found.link == "linear" else (100, ", in score points")
        told = ", ".join(f"{name} {plain(times * error, 2)}" for name, error in found.backtest.items())
        lines += [f"error at a training level left out{unit}: {told}"]
    lines += _components(found)
    return "\n".join([*lines, *_doubts(found.warnings)])


def _ends(found: Exchange) -> str:
    if found.link == "linear":
        return ""
    corrected = ", scores corrected for chance at each k" if found.corrected else ""
    return f", fitted to level off at {plain(found.floor, 3)} and {plain(found.ceiling, 3)}{corrected}"


def slices_summary(found: Slices) -> str:
    """The rate of two slices, on about fifteen lines."""
    shares = max(line.score.max() for line in (found.train, found.infer)) <= 1
    unit = f" {('points' if shares else 'of the score') if found.link == 'linear' else found.link} a decade"
    times = 100.0 if found.link == "linear" and shares else 1.0

    def score(value: float) -> str:
        return percent(value) if shares else plain(value, 3)

    lines = [
        "exchange rate from two slices: eta = slope in log C_infer / slope in log C_train",
        f"rows: {len(found.train.x)} of training, {len(found.infer.x)} of inference, {found.read} read"
        f"{_reasons(found.excluded)}",
        *(
            f"{name} slope: {_slope(line, times)}{unit}, over {np.ptp(line.x):.2g} decades, "
            f"{score(float(line.score.min()))} to {score(float(line.score.max()))}"
            for name, line in (("training", found.train), ("inference", found.infer))
        ),
        f"interval: {_interval(found.interval)}",
        "",
        *_table(found.rates, "decades of training / inference"),
    ]
    if found.common is not None:
        lines.append(f"  within the scores that both slices reach: eta = {eta_shown(found.common)}")
    lines.append(f"  by medians of slopes (Theil, Sen): eta = {plain(found.robust, 3)}")
    if found.segments is not None:
        low, high = found.segments
        lines.append(f"  local slopes, three points each: eta from {plain(low, 2)} to {plain(high, 2)}")
    return "\n".join([*lines, *_doubts(found.warnings)])


def paired_summary(found: Paired) -> str:
    """The rates between two budgets, on about fifteen lines."""
    design = found.design
    runs = len(design.run_names)
    lines = [
        f"exchange rate between budgets {budget_name(found.budgets[0])} and {budget_name(found.budgets[1])} on the same "
        "checkpoints of "
        f"{runs} run{'s' * (runs != 1)}",
        f"rows: {design.read - len(design.dropped)} used of {design.read} read{_reasons(design.dropped)}",
        f"curves: {found.link} of the score, quadratic in log C_train, {len(found.u)} checkpoints over "
        f"{np.ptp(found.u):.2g} decades",
        f"counted: {found.counted}",
        f"highest: {percent(found.ceiling, 4)} with much inference, {percent(found.highest, 4)} with little",
        f"interval: {_interval(found.interval)}",
        "",
        *_table(found.rates),
    ]
    for rate, one, other in zip(found.rates, found.crossings, found.steps, strict=True):
        if rate.eta is None or one is None:
            continue
        told = (
            f"  at {plain(rate.at)}: {factor(10**one.spent)} inference saves {factor(10**one.saved)} training"
        )
        lines.append(told + ("" if other is None else f"; by isotonic curves eta = {shown(other)}"))
    return "\n".join([*lines, *_doubts(found.warnings)])


def _slope(line: Line, times: float) -> str:
    slope = line.slope
    return estimate(times * slope.value, times * (slope.low or 0.0), times * (slope.high or 0.0))


def _table(rates: Iterable[Rate], spans_are: str = "decades saved / spent") -> list[str]:
    rows = []
    for rate in rates:
        at = "any" if np.isnan(rate.at) else plain(rate.at)
        spans = "" if rate.span is None else f"{rate.span.train:.2f} / {rate.span.infer:.2f}"
        rows.append((at, eta_shown(rate), spans, rate.status, worth(rate)))
    heads = ("score", "eta", spans_are, "status", "")
    widths = [max(len(row[k]) for row in [heads, *rows]) for k in range(4)]
    return [
        "  "
        + "  ".join(
            [*(f"{cell:<{width}}" for cell, width in zip(row, widths, strict=False)), row[4]]
        ).rstrip()
        for row in [heads, *rows]
    ]


def _components(found: Exchange) -> list[str]:
    rated = [rate for rate in found.rates if rate.components is not None and rate.components.total]
    if not rated:
        return []
    middle = rated[len(rated) // 2]
    parts = middle.components
    assert parts is not None
    runs = f"{percent(parts.run / parts.total)} between runs" if parts.run else "runs cannot be told"
    problems = (
        f"{percent(parts.problem / parts.total)} between problems"
        if found.design.problems > 1
        else "problems are not told apart"
    )
    return [f"variance of eta at {plain(middle.at)}: {runs}, {problems}"]


def _interval(interval: object) -> str:
    assert isinstance(interval, dict)
    draws = (
        f", {interval['draws']} draws" if interval.get("draws") and "bootstrap" in interval["method"] else ""
    )
    return f"{100 * interval['level']:g} %, {interval['method']}{draws}"


def _range(values: np.ndarray[tuple[int], np.dtype[np.intp]]) -> str:
    low, high = int(values.min()), int(values.max())
    return str(low) if low == high else f"{low} to {high}"


def _reasons(dropped: tuple[tuple[object, str], ...]) -> str:
    counts: dict[str, int] = {}
    for _, reason in dropped:
        counts[reason] = counts.get(reason, 0) + 1
    told = ", ".join(f"{count} {reason}" for reason, count in counts.items())
    return f" ({told})" if told else ""


def _doubts(warnings: tuple[Warned, ...]) -> list[str]:
    return ["", "to know:", *(f"  {one.code}: {one.message}" for one in warnings)] if warnings else []
