"""The interactive page of measured rates: isoquants, optimum and break-even under every method and convention."""

from __future__ import annotations

from typing import TYPE_CHECKING

from scaling.errors import InputError
from scaling.exchange.summary import eta_shown
from scaling.reporting.document import Section
from scaling.sections.exchange_buy import Terms, balanced
from scaling.sections.exchange_explorer import explorer_data
from scaling.sections.explorer import explorer

if TYPE_CHECKING:
    from collections.abc import Sequence

    from scaling.exchange import Exchange


def explore_section(
    found: Exchange,
    units: tuple[str, str],
    terms: Terms,
    measured: Sequence[Exchange],
) -> Section | None:
    """Return the interactive page, with every method and convention measured; None for a form that it cannot draw."""
    shown = [rate for rate in found.rates if rate.eta is not None] or list(found.rates)
    if not shown or not 0 < shown[len(shown) // 2].at < 1:
        return None
    try:
        data = explorer_data(
            measured,
            train_unit=units[0],
            infer_unit=units[1],
            target=shown[len(shown) // 2].at,
            volume=terms.volume or balanced(found, shown[len(shown) // 2], terms.infer_price),
            price_ratio=terms.infer_price,
        )
    except InputError:
        return None
    rates = "; ".join(f"{eta_shown(rate)} at {rate.at:g}" for rate in found.rates)
    return Section(
        "Explore",
        (
            "Move the score, the volume, the price and what is counted, and see isoquants, optimum and "
            "break-even move. Intervals here are percentiles of up to 100 draws of the surface, those of the tables "
            "Student's: they differ a little.",
        ),
        interactives=(explorer(data, fallback=f"Rates by score: {rates}."),),
    )
