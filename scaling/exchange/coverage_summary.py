"""Coverage beyond the samples as text for a terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from scaling.exchange.coverage_laws import LAWS
from scaling.exchange.summary import shown
from scaling.reporting.numbers import plain

if TYPE_CHECKING:
    from scaling.exchange.coverage_result import CoverageCurve


def coverage_summary(found: CoverageCurve) -> str:
    """One line a k, then the backtest and what to know."""
    draws = f", {found.interval['draws']} draws" if found.interval["draws"] else ""
    lines = [
        f"coverage of {found.problems} problems, measured up to k = {found.fewest:,}",
        f"beyond: {found.chosen or 'no law'}, as {found.why}",
        f"interval: {100 * found.interval['level']:g} %, {found.interval['method'] or 'none'}{draws}",
        "",
        f"  {'k':>9}  {'pass@k':<22}  {'':<12}  " + "  ".join(f"{law:<22}" for law in LAWS),
    ]
    for point in found.points:
        by_law = "  ".join(f"{shown(point.by_law.get(law)):<22}" for law in LAWS)
        mark = "extrapolated" if point.extrapolated else ""
        lines.append(f"  {point.k:>9,}  {shown(point.value):<22}  {mark:<12}  {by_law}".rstrip())
    if found.backtest is not None:
        told = ", ".join(f"{law} {plain(found.backtest.mean_error(law), 2)}" for law in LAWS)
        lines += [
            "",
            f"error where {found.backtest.kept:,} samples were kept and k up to {found.backtest.k[-1]:,} asked for "
            f"({found.backtest.thinnings} thinnings): {told}",
        ]
    if found.warnings:
        lines += ["", "to know:", *(f"  {one.code}: {one.message}" for one in found.warnings)]
    return "\n".join(lines)
