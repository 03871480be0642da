"""Published charts through one ruler: o1's panels, R1-Zero's votes, games; an essay's two multiples beside them."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from scaling.exchange.summary import eta_shown, factor
from scaling.reporting import numbers
from scaling.reporting.document import Section
from scaling.sections.exchange_curves import paired_section, slices_section
from scaling.sections.exchange_rates import DEFINITION
from scaling.sections.known_claims import search, thinking, votes
from scaling.sections.known_table import rates_forest, rates_table

if TYPE_CHECKING:
    from scaling.exchange import Paired, Rate, Slices
    from scaling.sections.known_claims import Published
    from scaling.study import Analysis


def overview(analysis: Analysis) -> Section:
    """Return every rate in one table and the essay's two numbers with verdicts."""
    known: Published = analysis.fits["published"]
    o1: Slices = analysis.fits["o1"]
    return Section(
        "The essay's numbers and the ruler's",
        (
            DEFINITION,
            "An essay put ten times the inference of o1 on AIME at about twenty times the RL compute, by eye, "
            "and that of AlphaGo-like search at seven times, and asked for someone with a ruler. Here is what "
            "the published charts bear out, each by its own method; rates from counts and single answers of "
            "others are in the study refit_public.",
        ),
        (thinking(o1, known), search(known), votes(analysis.fits["R1-Zero"])),
        (rates_forest(analysis),),
        (rates_table(analysis),),
    )


def o1(analysis: Analysis) -> Section:
    """Return the two panels of o1."""
    whole: Slices = analysis.fits["o1"]
    logit: Slices = analysis.fits["o1, logit"]
    common: Slices = analysis.fits["o1, common scores"]
    made = slices_section(whole, "o1", "o1 on AIME, straight lines")
    low, high = common.within or (np.nan, np.nan)
    edge = whole.common
    said = "" if edge is None else (
        f" The exact common range keeps the lowest training point, and gives {_eta(edge):.2f} in place of "
        f"{_eta(common.rate):.2f}: one point moves the rate by {abs(_eta(common.rate) - _eta(edge)):.2f}."
    )  # fmt: skip
    prose = (
        *made.prose[1:],
        f"On a logit scale η = {eta_shown(logit.rate)}; on the scores between {numbers.percent(low)} and "
        f"{numbers.percent(high)}, which both panels reach, {eta_shown(common.rate)} from {len(common.infer.x)} "
        f"points of inference.{said}",
    )
    return replace(
        made,
        title="o1 on AIME: longer thinking, two slices",
        prose=prose,
        verdicts=(),
        tables=made.tables[:-1],
    )


def _eta(rate: Rate) -> float:
    return np.nan if rate.eta is None else rate.eta.value


def r1_zero(analysis: Analysis) -> Section:
    """Return the votes of R1-Zero."""
    paired: Paired = analysis.fits["R1-Zero"]
    flat: Paired = analysis.fits["R1-Zero, a sample as one price"]
    made = paired_section(paired, "r1-zero", "R1-Zero, 16 votes")
    grown = float(10 ** (paired.v[0][-1] - paired.v[0][0]))
    told = "; ".join(
        f"at {numbers.percent(rate.at)} smooth curves give {numbers.plain(_eta(rate), 2)} and isotonic ones "
        f"{numbers.plain(other.eta, 2)}"
        for rate, other in zip(flat.rates, flat.interpolated, strict=True)
        if rate.eta is not None and other is not None
    )
    prose = (
        *made.prose[1:],
        f"Responses grew {factor(grown)} along training, so that a sample is not one price: {paired.budgets[1]} "
        "votes of an early checkpoint cost less than that many samples of the late one that they stand in for. "
        f"Counted as if they did cost {paired.budgets[1]} times as much: {told}.",
    )
    return replace(
        made,
        title="DeepSeek-R1-Zero on AIME: majority of 16",
        prose=prose,
        verdicts=(),
        tables=made.tables[:-1],
    )
